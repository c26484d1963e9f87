//! `migrate verify`: whether the database is what its record and the files say.

use dbwright_engine::apply::{ApplyError, RecordReader};
use dbwright_model::comparison::Comparison;
use dbwright_model::engine::Dialect;
use dbwright_model::plan::CheckQuery;
use dbwright_model::standing::Standing;
use dbwright_sql::compare::{Texts, compare};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::executed::{Scratch, Unable};
use super::situation::{Place, Situation};
use super::status::{self, StatusReply};
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// What to verify.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct VerifyRequest {
    /// Files and database.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
    /// Also run the applied files on a scratch server and compare with what they make there, expressions and view queries
    /// included
    #[arg(long)]
    pub scratch: bool,
}

/// Whether the database is what it should be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct VerifyReply {
    /// How the migrations stand.
    pub status: StatusReply,
    /// Where the database differs from what the applied files make.
    pub drift: Comparison,
    /// How it is known what the applied files make: "the files read in order", "a scratch PostgreSQL 17.2".
    pub evidence: String,
    /// The questions of the files' VERIFY sections.
    pub checks: Vec<CheckLine>,
    /// Whether nothing is wrong.
    pub ok: bool,
}

/// One question and its answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CheckLine {
    /// The migration's version.
    pub version: String,
    /// Its file.
    pub file: String,
    /// What rows mean, as a full sentence.
    pub rows_mean: String,
    /// How many rows came; absent when the question could not be asked.
    pub rows: Option<u64>,
    /// Some of them, by their keys.
    pub samples: Vec<String>,
    /// Why it could not be asked.
    pub error: Option<String>,
    /// Whether it could not be asked because it names something that a later migration has taken away.
    #[serde(skip)]
    pub is_about_nothing: bool,
}

/// Rows that are shown of a check.
const SAMPLES: usize = 3;

/// Verifies a database.
pub async fn verify(
    request: &VerifyRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<VerifyReply, ServiceError> {
    let situation = Situation::read(&request.place, config, world).await?;
    if !situation.has_history {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("there is nothing to verify: the database has no table `{}`", situation.table),
        )
        .hint(
            "`dbwright migrate up` makes it, and `dbwright migrate baseline` records what is there already",
        ));
    }
    let (mut drift, mut evidence) = drift(&situation, &situation.applied());
    if request.scratch {
        let applied = situation.applied();
        let tried = async {
            let scratch = Scratch::start(situation.engine, situation.version, world)?;
            Ok::<_, Unable>((scratch.run("verify", &applied, config, world).await?, scratch.name()))
        };
        match tried.await {
            Ok((made, name)) => {
                drift = compare(&made.catalog, &situation.catalog, Texts::Trees);
                evidence = name;
            }
            Err(Unable(because)) => {
                return Err(ServiceError::new(
                    ErrorKind::Unsupported,
                    format!("the files could not be tried: {because}"),
                )
                .hint("without `--scratch` the files are read and not run"));
            }
        }
    }
    for standing in [Standing::Missing, Standing::Unfinished] {
        for line in situation.lines.iter().filter(|line| line.standing == standing) {
            drift.not_compared.push(match standing {
                Standing::Missing => {
                    format!("What `{}` made counts as a difference, as its file is missing.", line.version)
                }
                _ => format!("What `{}` has done so far counts as a difference.", line.version),
            });
        }
    }
    passed_over(&situation, &mut drift);
    let mut checks = checks(&situation, world).await?;
    let status = status::of(&situation);
    // In a database that is what all migrations make, a question about what is not there is about something that a later
    // migration has taken away.
    let answered = |check: &CheckLine| check.rows == Some(0) || check.is_about_nothing;
    for check in checks.iter_mut().filter(|check| check.is_about_nothing) {
        match drift.is_equal() {
            true => check.error = Some("it is about what a later migration took away".to_owned()),
            false => check.is_about_nothing = false,
        }
    }
    let ok = drift.is_equal() && status.trouble == 0 && checks.iter().all(answered);
    Ok(VerifyReply { status, drift, evidence, checks, ok })
}

/// How the live catalog differs from what migrations make as they are read, and the name of that evidence.
pub(super) fn drift(
    situation: &Situation,
    migrations: &[&dbwright_model::migration::Migration],
) -> (Comparison, String) {
    let (expected, not_analysed) = situation.expected(migrations);
    let mut drift = compare(&expected, &situation.catalog, Texts::Columns);
    drift.not_compared.extend(not_analysed);
    (drift, "the files read in order".to_owned())
}

/// Says which tables were not looked at.
pub(super) fn passed_over(situation: &Situation, comparison: &mut Comparison) {
    for name in &situation.left_out {
        comparison
            .not_compared
            .push(format!("`{name}` was passed over: it is the table of a migration tool."));
    }
}

async fn checks(situation: &Situation, world: &World<'_>) -> Result<Vec<CheckLine>, ServiceError> {
    let mut session = RecordReader::open(&situation.dsn, &world.limits).await?;
    let dialect = session.dialect();
    let mut lines = Vec::new();
    for migration in situation.applied() {
        for check in &migration.verify {
            let mut line = CheckLine {
                version: migration.version.clone(),
                file: migration.file.clone(),
                rows_mean: check.rows_mean.clone(),
                ..CheckLine::default()
            };
            let counted = format!("select count(*) as n from ({}) as checked", check.sql);
            match session.ask(&counted).await {
                Ok(rows) => {
                    line.rows = rows
                        .first()
                        .and_then(|row| row.opt_text("n").ok().flatten())
                        .and_then(|count| count.parse().ok());
                }
                Err(error) => {
                    line.is_about_nothing =
                        matches!(&error, ApplyError::Refused(refusal) if refusal.is_about_nothing(dialect));
                    line.error = Some(error.to_string());
                }
            }
            if line.rows.is_some_and(|rows| rows > 0)
                && let Ok(rows) = session.ask(&sample(dialect, check)).await
            {
                line.samples = rows.iter().map(shown).collect();
            }
            lines.push(line);
        }
    }
    session.close().await;
    Ok(lines)
}

fn sample(dialect: Dialect, check: &CheckQuery) -> String {
    let keys: Vec<String> =
        check.keys.iter().map(|key| dbwright_sql::quote_identifier(dialect, key.as_str())).collect();
    let keys = if keys.is_empty() { "*".to_owned() } else { keys.join(", ") };
    format!("select {keys} from ({}) as checked limit {SAMPLES}", check.sql)
}

fn shown(row: &dbwright_engine::row::Row) -> String {
    let values: Vec<String> = row
        .columns
        .iter()
        .map(|column| {
            let value = row.opt_text(column).ok().flatten().unwrap_or("null");
            format!("{column}={value}")
        })
        .collect();
    values.join(" ")
}
