//! `migrate baseline`: what is in the database already is recorded as applied, after comparing it with the files.

use std::collections::BTreeSet;

use dbwright_engine::write::Consent;
use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::comparison::{Comparison, Difference};
use dbwright_model::facts::MigrationHistory;
use dbwright_model::migration::Migration;
use dbwright_sql::import::{self, Import, Source};
use dbwright_sql::tools;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{self, Changes, RecordChange};
use super::situation::{Place, Situation};
use super::status::counted;
use super::verify;
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// What to record.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct BaselineRequest {
    /// Files and database.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
    /// Take over what this tool records as applied
    #[arg(long, value_enum, value_name = "TOOL", conflicts_with = "to")]
    pub from: Option<ToolName>,
    /// The newest version that is there already [default: all files]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Record although the database differs from the files; the reason is recorded too
    #[arg(long, value_name = "REASON")]
    pub force: Option<String>,
}

/// A tool whose history can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ToolName {
    /// dbmate
    Dbmate,
    /// Diesel
    Diesel,
    /// Flyway
    Flyway,
    /// golang-migrate
    GolangMigrate,
    /// goose
    Goose,
    /// Prisma
    Prisma,
    /// refinery
    Refinery,
    /// sqlx
    Sqlx,
}

impl ToolName {
    fn source(self) -> Source {
        match self {
            ToolName::Dbmate => Source::Dbmate,
            ToolName::Diesel => Source::Diesel,
            ToolName::Flyway => Source::Flyway,
            ToolName::GolangMigrate => Source::GolangMigrate,
            ToolName::Goose => Source::Goose,
            ToolName::Prisma => Source::Prisma,
            ToolName::Refinery => Source::Refinery,
            ToolName::Sqlx => Source::Sqlx,
        }
    }
}

/// What will be recorded, and whether it may be.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct BaselineReply {
    /// The database, without its password.
    pub target: String,
    /// The tool and its table, where a history is taken over.
    pub from: Option<String>,
    /// Rows of the record that are written.
    pub changes: Vec<RecordChange>,
    /// Files that stay pending.
    pub pending: Vec<String>,
    /// How the database differs from what the files make.
    pub comparison: Comparison,
    /// Why nothing may be recorded, as full sentences; empty when it may.
    pub refused: Vec<String>,
    /// What is worth knowing besides, as full sentences.
    pub notes: Vec<String>,
}

/// Finds out what would be recorded; nothing is changed.
pub async fn plan(
    request: &BaselineRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<(BaselineReply, Changes, Situation), ServiceError> {
    let situation = Situation::read(&request.place, config, world).await?;
    if let Some(row) = situation.rows.iter().find(|row| row.state != AppliedState::Undone) {
        let refusal = ServiceError::new(
            ErrorKind::Usage,
            format!("`{}` records migrations already, such as `{}`", situation.table, row.version),
        )
        .hint("a baseline is for a database that dbwright has not run anything on; see `dbwright migrate status`");
        let is_begun = |row: &&Applied| !matches!(row.state, AppliedState::Applied | AppliedState::Undone);
        return Err(match situation.rows.iter().find(is_begun) {
            Some(begun) => refusal.hint(format!(
                "`{0}` was begun and not ended: `dbwright migrate up` goes on with it, and `dbwright migrate repair --forget {0}` \
                 takes it out of the record",
                begun.version
            )),
            None => refusal,
        });
    }
    let mut reply = BaselineReply { target: situation.dsn.to_string(), ..BaselineReply::default() };
    let mut changes = Changes::of(&situation);
    let there: Vec<&Migration> = match request.from {
        Some(tool) => import_rows(tool.source(), &situation, world, &mut reply, &mut changes)?,
        None => {
            let there = up_to(&situation, request.to.as_deref())?;
            for migration in &there {
                let row = record::row(migration, AppliedKind::Baseline, world);
                changes.write(row, format!("`{}` is recorded as there already.", migration.file));
            }
            there
        }
    };
    let versions: BTreeSet<&str> = there.iter().map(|migration| migration.version.as_str()).collect();
    reply.pending = situation
        .migrations
        .iter()
        .filter(|migration| !versions.contains(migration.version.as_str()))
        .map(|migration| migration.file.clone())
        .collect();
    reply.comparison = verify::drift(&situation, &there).0;
    if request.from.is_some() {
        excuse_older_forms(&situation, &there, &mut reply.comparison);
    }
    verify::passed_over(&situation, &mut reply.comparison);
    if !reply.comparison.is_equal() {
        match &request.force {
            Some(reason) if reason.trim().is_empty() => {
                return Err(ServiceError::new(ErrorKind::Usage, "`--force` needs a reason").hint(
                    "write why the differences do not matter: `--force \"views are managed elsewhere\"`",
                ));
            }
            Some(reason) => {
                reply.notes.push(format!("The differences are accepted, as you say: {reason}."));
                for change in &mut changes.list {
                    if let Some(row) = &mut change.row {
                        row.program.push_str(&format!(" (differences accepted: {reason})"));
                    }
                }
            }
            None => reply.refused.push(format!(
                "The database differs from what the files make in {} {}.",
                reply.comparison.differences.len(),
                if reply.comparison.differences.len() == 1 { "place" } else { "places" }
            )),
        }
    }
    reply.changes.clone_from(&changes.list);
    Ok((reply, changes, situation))
}

/// Leaves out objects that only repeatable files make which the other tool ran in an older form, or not yet: they are run
/// anew, and what their older text made nobody knows.
fn excuse_older_forms(situation: &Situation, there: &[&Migration], comparison: &mut Comparison) {
    let is_there = |migration: &Migration| there.iter().any(|other| other.file == migration.file);
    let older: Vec<&Migration> = situation
        .migrations
        .iter()
        .filter(|migration| migration.repeatable && !is_there(migration))
        .collect();
    if older.is_empty() || comparison.is_equal() {
        return;
    }
    let all: Vec<&Migration> = there.iter().copied().chain(older.iter().copied()).collect();
    let (with_older, _) = verify::drift(situation, &all);
    let is_surplus = |one: &Difference| one.what.is_empty() && one.expected.is_none();
    comparison.differences.retain(|one| !is_surplus(one) || with_older.differences.contains(one));
    comparison.not_compared.extend(
        older.iter().map(|migration| {
            format!("What `{}` makes was not compared: it will be run anew.", migration.file)
        }),
    );
}

/// Records what was shown. Nothing is recorded where the plan refused it.
pub async fn carry_out(
    reply: &BaselineReply,
    changes: &Changes,
    consent: &Consent,
) -> Result<(), ServiceError> {
    if let Some(because) = reply.refused.first() {
        return Err(ServiceError::new(ErrorKind::Usage, format!("nothing was recorded: {because}")));
    }
    record::carry_out(changes, consent).await
}

/// The migrations up to a version, or all of them.
fn up_to<'a>(situation: &'a Situation, version: Option<&str>) -> Result<Vec<&'a Migration>, ServiceError> {
    let Some(version) = version else { return Ok(situation.migrations.iter().collect()) };
    if !situation.migrations.iter().any(|migration| migration.version == version) {
        return Err(ServiceError::new(ErrorKind::Usage, format!("no file has the version `{version}`"))
            .hint("`dbwright migrate status` lists the versions"));
    }
    let last = tools::order(version);
    Ok(situation
        .migrations
        .iter()
        .filter(|migration| !migration.repeatable && tools::order(&migration.version) <= last)
        .collect())
}

fn import_rows<'a>(
    source: Source,
    situation: &'a Situation,
    world: &World<'_>,
    reply: &mut BaselineReply,
    changes: &mut Changes,
) -> Result<Vec<&'a Migration>, ServiceError> {
    let history = history_of(source, situation)?;
    reply.from = Some(format!("{} in `{}`", source.name(), history.table));
    let Import { applied, refused, notes } =
        import::import(source, &history.applied, &situation.migrations, &situation.sources);
    if history.applied.len() >= MOST_ROWS {
        reply
            .refused
            .push(format!("`{}` has more than {MOST_ROWS} rows, and not all were read.", history.table));
    }
    reply.refused.extend(refused);
    reply.notes.extend(notes);
    let mut there = Vec::new();
    let mut unchecked = 0;
    for one in applied {
        let migration = &situation.migrations[one.migration];
        let mut row = record::row(migration, AppliedKind::Imported, world);
        row.finished_at = one.at;
        row.program = source.name().to_owned();
        unchecked += usize::from(one.verified.is_none());
        let checked = checksum_words(one.verified);
        changes.write(row, format!("`{}` was applied by {}; {checked}.", migration.file, source.name()));
        there.push(migration);
    }
    if unchecked > 0 && unchecked < there.len() {
        reply.notes.push(format!("Of {unchecked} files no checksum was there to compare."));
    }
    Ok(there)
}

/// What the checksum in another tool's record says of a file, as a fragment.
fn checksum_words(agrees: Option<bool>) -> &'static str {
    match agrees {
        Some(true) => "its checksum agrees",
        Some(false) => "its checksum is another",
        None => "it keeps no checksum to compare",
    }
}

/// That another tool keeps a record, as a sentence without its end, and how many migrations it holds that ended well.
pub(super) fn recorded(history: &MigrationHistory) -> (String, usize) {
    let count = history.applied.iter().filter(|row| row.ok).count();
    (format!("{} records {} in `{}`", history.tool, counted(count, "migration"), history.table), count)
}

/// The command that takes another tool's record over, between backticks; `None` where its tool is not known.
pub(super) fn takeover(history: &MigrationHistory) -> Option<String> {
    let source = Source::ALL.iter().find(|source| source.history() == history.tool)?;
    Some(format!("`dbwright migrate baseline --from {}`", source.name().to_ascii_lowercase()))
}

/// Rows that are read of a tool's table at most.
const MOST_ROWS: usize = 10_000;

fn history_of(source: Source, situation: &Situation) -> Result<&MigrationHistory, ServiceError> {
    let mut found = situation.histories.iter().filter(|history| history.tool == source.history());
    match (found.next(), found.next()) {
        (Some(history), None) => Ok(history),
        (Some(one), Some(other)) => Err(ServiceError::new(
            ErrorKind::Usage,
            format!("{} keeps two histories there: `{}` and `{}`", source.name(), one.table, other.table),
        )
        .hint("drop the one that is not used any more")),
        (None, _) => {
            let error = match &situation.histories_unknown {
                Some(because) => {
                    format!("whether {} keeps a history there is not known: {because}", source.name())
                }
                None => format!("the database holds no history of {}", source.name()),
            };
            let mut error = ServiceError::new(ErrorKind::Usage, error);
            for history in &situation.histories {
                error = error.hint(format!("{} keeps one in `{}`", history.tool, history.table));
            }
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::checksum_words;

    #[test]
    fn a_checksum_that_differs_does_not_agree() {
        assert_eq!(checksum_words(Some(false)), "its checksum is another");
        assert_eq!(checksum_words(Some(true)), "its checksum agrees");
        assert_eq!(checksum_words(None), "it keeps no checksum to compare");
    }
}
