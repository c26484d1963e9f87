//! `migrate down`: runs the ways back of the newest migrations, and loses rows only when told so twice.

use std::path::PathBuf;
use std::time::Duration;

use dbwright_engine::dsn::Dsn;
use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Dialect;
use dbwright_model::migration::{Down, Migration, Statement};
use dbwright_model::name::QualifiedName;
use dbwright_model::standing::Standing;
use dbwright_sql::{standing, tools};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::up::{Running, UpReply, database, manner, read_files, read_record, table};
use super::work::Work;
use crate::config::Config;
use crate::consent::{Word, given};
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// Which migrations to take back.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct DownRequest {
    /// Files and folders of migrations [default: `migrations` in dbwright.toml]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where and how.
    #[command(flatten)]
    pub running: Running,
    /// How many migrations to take back [default: 1]
    #[arg(long, value_name = "NUMBER", conflicts_with = "to")]
    pub steps: Option<usize>,
    /// Take back everything after this version, which stays
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Run statements that lose rows too
    #[arg(long)]
    pub lose_data: bool,
}

/// What will be taken back, to be shown before anybody agrees to it.
#[derive(Debug)]
pub struct Retreat {
    /// The database.
    pub target: Dsn,
    /// Each migration that will be taken back, newest first, with its statements.
    pub migrations: Vec<(Migration, Vec<Statement>)>,
    /// What is lost, as full sentences.
    pub losses: Vec<String>,
    all: Vec<Migration>,
    table: String,
}

/// Looks at files and history. Nothing is written.
pub async fn look(
    request: &DownRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Retreat, ServiceError> {
    let target = database(&request.running, config, world)?;
    let all = read_files(&request.paths, &target, config, world)?;
    let table = table(&request.running, config);
    let history = read_record(&target, &table, &world.limits).await?.history;
    let migrations: Vec<(Migration, Vec<Statement>)> = choose(&all, &history, request)?
        .into_iter()
        .map(|(position, _, statements)| (all[position].clone(), statements))
        .collect();
    let losses = migrations.iter().flat_map(|(migration, statements)| losses(&target, migration, statements));
    let losses: Vec<String> = losses.collect();
    if !losses.is_empty() && !request.lose_data {
        let mut error =
            ServiceError::new(ErrorKind::Usage, format!("going back loses data: {}", losses.join(" ")));
        error = error.hint("save what is needed first");
        return Err(error.hint("when the rows may be lost, say so with `--lose-data`"));
    }
    Ok(Retreat { target, migrations, losses, all, table })
}

/// Takes migrations back.
pub async fn run(
    retreat: &Retreat,
    word: Word,
    request: &DownRequest,
    world: &World<'_>,
    reply: &mut UpReply,
) -> Result<(), ServiceError> {
    let consent = given(word, &retreat.target);
    let patience = Duration::from_secs(request.running.wait);
    let mut work = Work::open(&consent, &retreat.table, patience, manner(&request.running), world).await?;
    let chosen = choose(&retreat.all, work.history(), request)?;
    let shown: Vec<&str> =
        retreat.migrations.iter().map(|(migration, _)| migration.version.as_str()).collect();
    let versions: Vec<&str> =
        chosen.iter().map(|(position, _, _)| retreat.all[*position].version.as_str()).collect();
    if shown != versions {
        work.end().await;
        return Err(ServiceError::new(
            ErrorKind::Usage,
            "another runner has changed what is applied since it was shown",
        )
        .hint("run the command again to see what would be taken back now"));
    }
    let of = chosen.len() as u64;
    for (number, (position, row, statements)) in chosen.into_iter().enumerate() {
        let done = work.down(&retreat.all[position], &statements, &row, (number as u64, of)).await;
        match done {
            Ok(done) => reply.migrations.push(done),
            Err(error) => {
                work.end().await;
                return Err(error);
            }
        }
    }
    work.end().await;
    Ok(())
}

/// The files to take back, newest first, each with its row and its way back.
fn choose(
    files: &[Migration],
    history: &[Applied],
    request: &DownRequest,
) -> Result<Vec<(usize, Applied, Vec<Statement>)>, ServiceError> {
    // What failed only in the questions after it is done as a whole.
    let whole = |row: &Applied| {
        row.state == AppliedState::Failed && row.statements > 0 && row.statements_done >= row.statements
    };
    let mut rows: Vec<&Applied> = history
        .iter()
        .filter(|row| matches!(row.state, AppliedState::Applied | AppliedState::Undoing) || whole(row))
        .filter(|row| row.kind != AppliedKind::Repeatable)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(tools::order(&row.version)));
    let unfinished = |row: &&Applied| matches!(row.state, AppliedState::Running | AppliedState::Failed);
    if let Some(row) = history.iter().find(|row| unfinished(row) && !whole(row)) {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("`{}` was begun and is not ended", row.version),
        )
        .hint("end it with `dbwright migrate up`, or tell what is done with `dbwright migrate repair`"));
    }
    if let Some(to) = &request.to {
        if !rows.iter().any(|row| row.version == *to) {
            return Err(ServiceError::new(ErrorKind::Usage, format!("`{to}` is not applied"))
                .hint("`dbwright migrate status` lists what is"));
        }
        rows.retain(|row| tools::order(&row.version) > tools::order(to));
    } else {
        rows.truncate(request.steps.unwrap_or(1));
    }
    let lines = standing::lines(files, history);
    let mut chosen = Vec::new();
    for row in rows {
        let version = &row.version;
        if matches!(row.kind, AppliedKind::Baseline | AppliedKind::Imported | AppliedKind::Squash) {
            return Err(ServiceError::new(
                ErrorKind::Usage,
                format!(
                    "`{version}` was not run by dbwright ({}), so it is not taken back",
                    row.kind.as_str()
                ),
            ));
        }
        let Some(position) = files.iter().position(|file| file.version == *version) else {
            return Err(ServiceError::new(ErrorKind::Usage, format!("there is no file of `{version}` here")));
        };
        let file = &files[position];
        let standing = lines.iter().find(|line| line.migration == Some(position)).map(|line| line.standing);
        match standing {
            Some(Standing::Replaces) => {
                return Err(ServiceError::new(
                    ErrorKind::Usage,
                    format!(
                        "`{}` takes the place of several migrations, and the record still names them one by one",
                        file.file
                    ),
                )
                .hint("bring the file of this one back to go back by it alone"));
            }
            Some(Standing::Edited) => {
                return Err(ServiceError::new(
                    ErrorKind::Usage,
                    format!("`{}` was edited after it was applied, so its way back may not fit", file.file),
                )
                .hint("take the edit back; an edit of the way back alone is no hindrance")
                .hint(format!(
                    "`dbwright migrate repair --accept {version}` accepts the file as it is now"
                )));
            }
            _ => {}
        }
        let statements = match &file.down {
            Down::Statements(statements) => statements.clone(),
            Down::Missing => {
                return Err(ServiceError::new(ErrorKind::Usage, format!("`{}` has no way back", file.file))
                    .hint("write one into its DOWN section, or write a new migration"));
            }
            Down::Irreversible(because) => {
                return Err(ServiceError::new(
                    ErrorKind::Usage,
                    format!("`{}` cannot be taken back: {because}", file.file),
                ));
            }
        };
        if let Some(problem) = file.problems.first() {
            return Err(ServiceError::new(
                ErrorKind::Usage,
                format!(
                    "`{}`, line {}, column {}: {}",
                    file.file, problem.line, problem.column, problem.because
                ),
            ));
        }
        chosen.push((position, row.clone(), statements));
    }
    Ok(chosen)
}

/// What the statements of a way back lose when there are rows.
fn losses(target: &Dsn, migration: &Migration, statements: &[Statement]) -> Vec<String> {
    let parsed: Vec<(&Statement, Vec<Change>)> = statements
        .iter()
        .map(|statement| (statement, dbwright_sql::parse_statement(target.dialect(), &statement.sql)))
        .collect();
    let mut found = Vec::new();
    for (at, (statement, changes)) in parsed.iter().enumerate() {
        for change in changes {
            let what = match change {
                Change::DropTable { name, .. }
                    if is_made(&parsed[..at], name) || is_replaced(&parsed, at, name) =>
                {
                    continue;
                }
                Change::DropTable { name, .. } => format!("`{name}` goes with its rows"),
                Change::DropColumn { table, column, .. } => {
                    format!("`{table}.{column}` goes with its values")
                }
                Change::DropSchema { name, .. } => format!("the schema `{name}` goes with what is in it"),
                // The numbers that SQLite remembers are no rows of anybody's.
                Change::Data { kind: DataKind::Delete, table: Some(table), .. }
                    if target.dialect() == Dialect::Sqlite && table.name == *"sqlite_sequence" =>
                {
                    continue;
                }
                Change::Data { kind: DataKind::Delete | DataKind::Truncate, table: Some(table), .. } => {
                    format!("rows of `{table}` are deleted")
                }
                Change::AlterColumnType { table, column, .. } => {
                    format!("values of `{table}.{column}` may be cut to another type")
                }
                Change::Opaque { .. } | Change::Procedural { .. } => {
                    format!("what line {} does is not known", statement.line)
                }
                _ => continue,
            };
            found.push(format!("`{}`: {what}.", migration.file));
        }
    }
    found
}

/// Whether the way back itself has made a table before.
fn is_made(before: &[(&Statement, Vec<Change>)], name: &QualifiedName) -> bool {
    before.iter().flat_map(|(_, changes)| changes).any(|change| {
        matches!(change, Change::CreateTable { table, .. } if table.name.name.eq_ignore_case(name.name.as_str()))
    })
}

/// Whether all rows of a table were copied to another before it is dropped, which then takes its name.
fn is_replaced(parsed: &[(&Statement, Vec<Change>)], at: usize, name: &QualifiedName) -> bool {
    let same = |one: &QualifiedName, other: &QualifiedName| one.name.eq_ignore_case(other.name.as_str());
    let successor = parsed[at..].iter().flat_map(|(_, changes)| changes).find_map(|change| match change {
        Change::RenameTable { table, to, .. } if same(to, name) => Some(table),
        _ => None,
    });
    let Some(successor) = successor else { return false };
    parsed[..at].iter().flat_map(|(_, changes)| changes).any(|change| match change {
        Change::Data { kind: DataKind::Insert, table: Some(into), clauses, .. } => {
            same(into, successor) && clauses.all_of.as_ref().is_some_and(|read| same(read, name))
        }
        _ => false,
    })
}
