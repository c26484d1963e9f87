//! `migrate status`: which migrations are applied, which wait, and where files and record contradict each other.

use dbwright_model::applied::Applied;
use dbwright_model::standing::Standing;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline;
use super::repair;
use super::situation::{Place, Situation};
use crate::config::Config;
use crate::error::ServiceError;
use crate::world::World;

/// What to tell the state of.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct StatusRequest {
    /// Files and database.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
}

/// How migrations stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatusReply {
    /// The database, without its password.
    pub target: String,
    /// Its engine and version: `postgres 17.2`.
    pub server: String,
    /// The table that records what was applied; absent when it is not there.
    pub history_table: Option<String>,
    /// Every migration that has a file or is recorded, in the order in which they are applied.
    pub migrations: Vec<StatusLine>,
    /// How many are applied, whatever else is to be said of them.
    pub applied: usize,
    /// How many wait to be run.
    pub pending: usize,
    /// How many contradict the record.
    pub trouble: usize,
    /// What else is worth knowing, as full sentences.
    pub notes: Vec<String>,
}

/// How one migration stands.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatusLine {
    /// Its version.
    pub version: String,
    /// What its file name says beside the version.
    pub description: String,
    /// Its file; absent when there is none.
    pub file: Option<String>,
    /// How it stands.
    pub standing: Option<Standing>,
    /// How it came into the record: `migration`, `repeatable`, `baseline`, `imported` or `squash`.
    pub kind: Option<String>,
    /// When it was done; of what is unfinished, when it was begun.
    pub at: Option<Timestamp>,
    /// The account of the database that ran it.
    pub by: Option<String>,
    /// The machine that ran it.
    pub host: Option<String>,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// Statements that are done, of what is unfinished.
    pub statements_done: Option<u32>,
    /// Statements that it has.
    pub statements: u32,
    /// Why it failed.
    pub error: Option<String>,
    /// Why it cannot be run as it stands, as full sentences.
    pub problems: Vec<String>,
}

/// Tells how migrations stand.
pub async fn status(
    request: &StatusRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<StatusReply, ServiceError> {
    Ok(of(&Situation::read(&request.place, config, world).await?))
}

/// How the migrations of a situation stand.
pub(super) fn of(situation: &Situation) -> StatusReply {
    let migrations: Vec<StatusLine> = situation.lines.iter().map(|line| one(situation, line)).collect();
    let count = |is_it: &dyn Fn(Standing) -> bool| {
        migrations.iter().filter(|line| line.standing.is_some_and(is_it)).count()
    };
    let pending = count(&Standing::is_pending);
    let unfinished = count(&|standing| standing == Standing::Unfinished);
    let squash_files = count(&|standing| standing == Standing::Replaces);
    StatusReply {
        target: situation.dsn.to_string(),
        server: match situation.version {
            Some(version) => format!("{} {version}", situation.engine),
            None => situation.engine.to_string(),
        },
        history_table: situation.has_history.then(|| situation.table.clone()),
        applied: migrations.len() - pending - unfinished - squash_files
            + count(&|standing| standing == Standing::Changed),
        pending,
        trouble: count(&Standing::is_trouble),
        notes: notes(situation),
        migrations,
    }
}

fn one(situation: &Situation, line: &dbwright_sql::standing::Line) -> StatusLine {
    let migration = line.migration.map(|at| &situation.migrations[at]);
    let row: Option<&Applied> = line.row.map(|at| &situation.rows[at]);
    let unfinished = line.standing == Standing::Unfinished;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // What was taken back tells nothing of what comes.
    let shown = row.filter(|_| !matches!(line.standing, Standing::Pending | Standing::OutOfOrder));
    let mut problems: Vec<String> = Vec::new();
    if let Some(migration) = migration {
        problems.extend(migration.problems.iter().map(|problem| {
            format!("`{}` line {} cannot be run: {}.", migration.file, problem.line, problem.because)
        }));
        if line.standing.is_pending() {
            problems.extend(migration.header.requires.iter().filter_map(|required| {
                let known = situation.lines.iter().any(|line| line.version == *required)
                    || situation.migrations.iter().any(|one| one.header.replaces.contains(required));
                (!known).then(|| format!("`{}` requires `{required}`, which is nowhere.", migration.file))
            }));
        }
    }
    StatusLine {
        version: line.version.clone(),
        description: migration
            .map(|migration| migration.description.clone())
            .or_else(|| row.map(|row| row.description.clone()))
            .unwrap_or_default(),
        file: migration.map(|migration| migration.file.clone()),
        standing: Some(line.standing),
        kind: shown.map(|row| row.kind.as_str().to_owned()),
        at: shown.and_then(|row| if unfinished { row.started_at } else { row.finished_at }),
        by: shown.and_then(|row| text(&row.applied_by)),
        host: shown.and_then(|row| text(&row.host)),
        seconds: shown.and_then(seconds),
        statements_done: shown.filter(|_| unfinished).map(|row| row.statements_done),
        statements: match (migration, row) {
            (Some(migration), _) => u32::try_from(migration.up.len()).unwrap_or(u32::MAX),
            (None, Some(row)) => row.statements,
            (None, None) => 0,
        },
        error: shown.and_then(|row| row.error.clone()),
        problems,
    }
}

fn seconds(row: &Applied) -> Option<f64> {
    let (from, to) = (row.started_at?, row.finished_at?);
    Some(to.duration_since(from).as_secs_f64())
}

fn notes(situation: &Situation) -> Vec<String> {
    let mut notes = Vec::new();
    if !situation.has_history {
        notes.push(format!(
            "The database has no table `{}`: dbwright has applied nothing there yet.",
            situation.table
        ));
        for history in &situation.histories {
            let (recorded, _) = baseline::recorded(history);
            let way = baseline::takeover(history).map(|command| format!(" {command} takes them over."));
            notes.push(format!("{recorded}.{}", way.unwrap_or_default()));
        }
        if let Some(because) = &situation.histories_unknown {
            notes.push(format!("Whether another tool records migrations there is not known: {because}."));
        }
        if situation.histories.is_empty() && !situation.catalog.tables.is_empty() {
            notes.push(format!(
                "It holds {} all the same. If the files made that, `dbwright migrate baseline` says so after comparing the \
                 two.",
                counted(situation.catalog.tables.len(), "table")
            ));
        }
    }
    for (standing, advice) in [
        (
            Standing::Edited,
            "Give the edited files back their text and write a new migration, or accept them as they are with \
             `dbwright migrate repair --accept VERSION`.",
        ),
        (
            Standing::Missing,
            "Bring the missing files back, or take their versions out of the record with \
             `dbwright migrate repair --forget VERSION`.",
        ),
        (
            Standing::Unfinished,
            "`dbwright migrate up` goes on with what is unfinished; where it cannot tell whether the last statement was done, \
             `dbwright migrate repair --statement done` or `redo` tells it.",
        ),
        (
            Standing::OutOfOrder,
            "`dbwright migrate up --out-of-order` runs what is older than the newest applied.",
        ),
        (
            Standing::Replaces,
            "The record still holds the files that were squashed; `dbwright migrate repair` puts the one in their place.",
        ),
        (
            Standing::Reworded,
            "`dbwright migrate repair` records the new checksums of files whose comments were edited.",
        ),
    ] {
        if situation.lines.iter().any(|line| line.standing == standing) {
            notes.push(advice.to_owned());
        }
    }
    for line in situation.lines.iter().filter(|line| repair::is_edited(situation, line)) {
        let done = line.row.map_or(0, |row| situation.rows[row].statements_done);
        notes.push(format!(
            "`{}` was edited after {done} of its statements were run, so that `up` does not go on with it. Take the edit back, \
             or {}.",
            line.version,
            repair::way_out_of_an_edit(&line.version, done)
        ));
    }
    notes
}

pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
