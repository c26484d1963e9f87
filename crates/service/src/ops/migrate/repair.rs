//! `migrate repair`: the record is brought in line with the files, never the database itself.

use std::collections::BTreeSet;

use dbwright_model::applied::{AppliedKind, AppliedState};
use dbwright_model::comparison::Comparison;
use dbwright_model::standing::Standing;
use dbwright_sql::standing::{self, Line};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{self, Changes, RecordChange};
use super::situation::{Place, Situation};
use super::verify;
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// What to repair.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct RepairRequest {
    /// Files and database.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
    /// Record the file of this version as it is now; may be repeated
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub accept: Vec<String>,
    /// Take this version out of the record; may be repeated
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    pub forget: Vec<String>,
    /// Whether the statement that was running when a migration stopped was done
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub statement: Option<StatementAnswer>,
    /// The unfinished migration that `--statement` is about, when there are several
    #[arg(long, value_name = "VERSION", requires = "statement")]
    pub of: Option<String>,
}

/// What became of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum StatementAnswer {
    /// It was done; the next one comes
    Done,
    /// It was not done, or what it did was taken back; it is run again
    Redo,
}

/// What will be recorded.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct RepairReply {
    /// The database, without its password.
    pub target: String,
    /// Rows of the record that are written or go.
    pub changes: Vec<RecordChange>,
    /// What stays wrong, as full sentences.
    pub left: Vec<String>,
    /// How the database differs from what the files make that will count as applied.
    pub comparison: Comparison,
}

/// Finds out what would be recorded; nothing is changed.
pub async fn plan(
    request: &RepairRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<(RepairReply, Changes, Situation), ServiceError> {
    let situation = Situation::read(&request.place, config, world).await?;
    if !situation.has_history {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!("there is nothing to repair: the database has no table `{}`", situation.table),
        ));
    }
    let mut changes = Changes::of(&situation);
    let mut left = Vec::new();
    let mut repair = Repair {
        request,
        situation: &situation,
        world,
        changes: &mut changes,
        left: &mut left,
        asked: request.accept.iter().chain(&request.forget).map(String::as_str).collect(),
    };
    for line in &situation.lines {
        repair.line(line)?;
    }
    repair.finish()?;
    let gone: BTreeSet<&str> = changes
        .list
        .iter()
        .filter(|change| change.row.is_none())
        .map(|change| change.version.as_str())
        .collect();
    let applied: Vec<_> = situation
        .applied()
        .into_iter()
        .filter(|migration| !gone.contains(migration.version.as_str()))
        .collect();
    let mut comparison = verify::drift(&situation, &applied).0;
    verify::passed_over(&situation, &mut comparison);
    let reply =
        RepairReply { target: situation.dsn.to_string(), changes: changes.list.clone(), left, comparison };
    Ok((reply, changes, situation))
}

struct Repair<'a> {
    request: &'a RepairRequest,
    situation: &'a Situation,
    world: &'a World<'a>,
    changes: &'a mut Changes,
    left: &'a mut Vec<String>,
    /// Versions that were named and not met yet.
    asked: BTreeSet<&'a str>,
}

impl<'a> Repair<'a> {
    fn line(&mut self, line: &'a Line) -> Result<(), ServiceError> {
        let version = line.version.as_str();
        let row = line.row.map(|at| &self.situation.rows[at]);
        let migration = line.migration.map(|at| &self.situation.migrations[at]);
        let named = |list: &[String]| list.iter().any(|one| one == version);
        let (accept, forget) = (named(&self.request.accept), named(&self.request.forget));
        if forget {
            self.asked.remove(version);
            match (row, line.standing) {
                (None, _) => return Err(refuse(format!("`{version}` is not in the record"))),
                (Some(_), Standing::Unfinished) if self.request.statement.is_some() => {
                    return Err(refuse(format!("`{version}` cannot both be forgotten and gone on with")));
                }
                (Some(_), standing) => {
                    let after = if migration.is_some() { "; its file will be pending again" } else { "" };
                    self.changes.forget(
                        version,
                        format!("`{version}` ({}) leaves the record{after}.", standing.words()),
                    );
                }
            }
            return Ok(());
        }
        match (line.standing, row, migration) {
            (Standing::Reworded, Some(row), Some(migration)) => {
                self.asked.remove(version);
                self.checksum(row, migration, "only its comments or blanks were edited");
            }
            (Standing::Edited | Standing::Changed, Some(row), Some(migration)) if accept => {
                self.asked.remove(version);
                self.checksum(
                    row,
                    migration,
                    "its statements were edited, and you accept them as what was run",
                );
            }
            (Standing::Edited, _, _) => self.left.push(format!(
                "`{version}` was edited after it was applied; `--accept {version}` records it as it is now."
            )),
            (Standing::Missing, _, _) => self.left.push(format!(
                "`{version}` is applied and has no file; `--forget {version}` takes it out of the record."
            )),
            (Standing::Unfinished, Some(_), _) => self.unfinished(line)?,
            (Standing::Replaces, _, Some(_)) => self.replaces(line),
            _ => {}
        }
        Ok(())
    }

    fn checksum(
        &mut self,
        row: &dbwright_model::applied::Applied,
        migration: &dbwright_model::migration::Migration,
        why: &str,
    ) {
        let mut after = row.clone();
        after.checksum.clone_from(&migration.checksum);
        after.content.clone_from(&migration.content);
        after.file.clone_from(&migration.file);
        after.description.clone_from(&migration.description);
        let short = |checksum: &str| checksum.chars().take(12).collect::<String>();
        let says = format!(
            "The checksum of `{}` becomes {} instead of {}: {why}.",
            migration.file,
            short(&migration.checksum),
            short(&row.checksum)
        );
        self.changes.write(after, says);
    }

    fn unfinished(&mut self, line: &Line) -> Result<(), ServiceError> {
        let row = line.row.map(|at| &self.situation.rows[at]);
        let Some(row) = row else { return Ok(()) };
        let version = line.version.as_str();
        if row.state == AppliedState::Undoing {
            self.left.push(format!(
                "The way back from `{version}` is unfinished; `dbwright migrate down` goes on with it."
            ));
            return Ok(());
        }
        let is_meant = self.request.of.as_deref().is_none_or(|wanted| wanted == version);
        let Some(answer) = self.request.statement.filter(|_| is_meant) else {
            let is_edited = is_edited(self.situation, line);
            let ways = match is_edited {
                true => format!(
                    "and its file was edited since. Take the edit back, and `dbwright migrate up` goes on with it; or {}.",
                    way_out_of_an_edit(version, row.statements_done)
                ),
                false => "`dbwright migrate up` goes on with it.".to_owned(),
            };
            let sign = if is_edited { "," } else { "." };
            self.left.push(format!(
                "`{version}` is unfinished: {} of {} statements are done{sign} {ways}",
                row.statements_done, row.statements
            ));
            return Ok(());
        };
        let unfinished =
            self.situation.lines.iter().filter(|line| line.standing == Standing::Unfinished).count();
        if unfinished > 1 && self.request.of.is_none() {
            return Err(refuse(format!("{unfinished} migrations are unfinished"))
                .hint("say which one is meant with `--of`"));
        }
        let mut after = row.clone();
        after.statement_before = None;
        after.error = None;
        after.state = AppliedState::Failed;
        let number = row.statements_done + 1;
        let says = match answer {
            StatementAnswer::Done if row.statements_done >= row.statements => {
                return Err(refuse(format!("all statements of `{version}` are recorded as done"))
                    .hint("`dbwright migrate up` finishes it"));
            }
            StatementAnswer::Done => {
                after.statements_done = number;
                if number == row.statements {
                    after.state = AppliedState::Applied;
                    after.finished_at = Some(self.world.now);
                    format!(
                        "`{version}` counts as applied: its last statement, {number} of {}, was done.",
                        row.statements
                    )
                } else {
                    format!(
                        "Statement {number} of {} of `{version}` counts as done; `dbwright migrate up` goes on with the next.",
                        row.statements
                    )
                }
            }
            StatementAnswer::Redo => {
                format!("Statement {number} of {} of `{version}` will be run again.", row.statements)
            }
        };
        self.changes.write(after, says);
        Ok(())
    }

    /// The rows of squashed files make way for the one of the file that took their place.
    fn replaces(&mut self, line: &Line) {
        let Some(position) = line.migration else { return };
        let migration = &self.situation.migrations[position];
        let parts = &migration.header.replaces;
        let applied = |version: &String| {
            self.situation
                .rows
                .iter()
                .any(|row| row.version == *version && row.state == AppliedState::Applied)
        };
        let missing: Vec<String> = parts.iter().filter(|part| !applied(part)).cloned().collect();
        if !missing.is_empty() {
            self.left.push(format!(
                "`{}` takes the place of {} migrations, of which {} are not applied here: {}. Bring their files back, run them, \
                 and repair then.",
                migration.file,
                parts.len(),
                missing.len(),
                missing.join(", ")
            ));
            return;
        }
        for part in parts.iter().filter(|part| **part != migration.version) {
            self.changes
                .forget(part, format!("`{part}` leaves the record: it is part of `{}`.", migration.file));
        }
        let row = record::row(migration, AppliedKind::Squash, self.world);
        self.changes.write(row, format!("`{}` is recorded in their place.", migration.file));
    }

    fn finish(self) -> Result<(), ServiceError> {
        if let Some(version) = self.asked.first() {
            let line = self.situation.lines.iter().find(|line| line.version == **version);
            return Err(match line {
                Some(line) if line.standing == Standing::Unfinished => {
                    let done = line.row.map_or(0, |row| self.situation.rows[row].statements_done);
                    let refused = refuse(format!(
                        "`{version}` is unfinished: a file is accepted only when all of it was run"
                    ));
                    match is_edited(self.situation, line) {
                        true => refused
                            .hint("take the edit back, and `dbwright migrate up` goes on with it")
                            .hint(way_out_of_an_edit(version, done)),
                        false => refused.hint("`dbwright migrate up` goes on with it"),
                    }
                }
                Some(line) => refuse(format!("`{version}` needs no repair: it is {}", line.standing.words())),
                None => refuse(format!("nothing has the version `{version}`"))
                    .hint("`dbwright migrate status` lists the versions"),
            });
        }
        let is_unfinished = |line: &Line| line.standing == Standing::Unfinished;
        if self.request.statement.is_some() && !self.situation.lines.iter().any(is_unfinished) {
            return Err(refuse("no migration is unfinished".to_owned()));
        }
        Ok(())
    }
}

/// Whether a migration was begun, and its file is another one now.
pub(super) fn is_edited(situation: &Situation, line: &Line) -> bool {
    let (Some(row), Some(migration)) = (line.row, line.migration) else { return false };
    let (row, migration) = (&situation.rows[row], &situation.migrations[migration]);
    line.standing == Standing::Unfinished
        && row.statements_done > 0
        && !standing::is_same_work(migration, row)
}

/// What to do about an unfinished migration whose edit shall stay, as a fragment.
pub(super) fn way_out_of_an_edit(version: &str, done: u32) -> String {
    let statements = if done == 1 { "the statement".to_owned() } else { format!("the {done} statements") };
    format!(
        "take {statements} that were run out of the file, and `dbwright migrate repair --forget {version}` lets \
         `dbwright migrate up` run what is left"
    )
}

fn refuse(message: String) -> ServiceError {
    ServiceError::new(ErrorKind::Usage, message)
}
