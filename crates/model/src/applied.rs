//! What a database itself records of the migrations that were run on it, and how each file stands to that record.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table in which dbwright records them, in the default schema, unless another is named.
pub const HISTORY_TABLE: &str = "dbwright_migrations";

/// One row of the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Applied {
    /// The migration's version, which no other row has.
    pub version: String,
    /// What its file name says beside the version.
    pub description: String,
    /// Its file as it was named then.
    pub file: String,
    /// The checksum of its file.
    pub checksum: String,
    /// How it came into the record.
    pub kind: AppliedKind,
    /// How far it came.
    pub state: AppliedState,
    /// Statements that are done.
    pub statements_done: u32,
    /// Statements that it has.
    pub statements: u32,
    /// Fingerprint of what the running statement touches, taken before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement_before: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The database user that ran it.
    pub applied_by: String,
    /// The machine on which dbwright ran.
    pub host: String,
    /// The process there.
    pub process: i64,
    /// The version of dbwright, or the tool that it was taken over from.
    pub program: String,
    /// When it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
}

/// How a migration came into the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppliedKind {
    /// It was run.
    #[default]
    Migration,
    /// It was run, and is run anew when its text changes.
    Repeatable,
    /// It was there before dbwright came.
    Baseline,
    /// Another tool ran it.
    Imported,
    /// It took the place of several that had been run.
    Squash,
}

impl AppliedKind {
    /// Its word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            AppliedKind::Migration => "migration",
            AppliedKind::Repeatable => "repeatable",
            AppliedKind::Baseline => "baseline",
            AppliedKind::Imported => "imported",
            AppliedKind::Squash => "squash",
        }
    }
}

/// How far a migration came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppliedState {
    /// It was begun; whether somebody is still at it, the record does not say.
    Running,
    /// All of it is done.
    #[default]
    Applied,
    /// A statement was refused, and what came before it could not be undone.
    Failed,
    /// It was done and taken back.
    Undone,
}

impl AppliedState {
    /// Its word in the record.
    pub fn as_str(self) -> &'static str {
        match self {
            AppliedState::Running => "running",
            AppliedState::Applied => "applied",
            AppliedState::Failed => "failed",
            AppliedState::Undone => "undone",
        }
    }
}

/// How a migration stands: its file against the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is applied, and its file is what was applied.
    Applied,
    /// It is applied, and only comments or blanks of its file have changed since.
    Reworded,
    /// It is applied, and its file is another one now.
    Edited,
    /// It is applied, and there is no file.
    Missing,
    /// It was begun and not finished.
    Unfinished,
    /// It is not applied.
    Pending,
    /// It is not applied, and newer ones are.
    OutOfOrder,
    /// It is applied, and run anew because its text has changed.
    Changed,
    /// It is not in the record; the files that it took the place of are.
    Replaces,
    /// It is in the record; a file that took its place is among the files.
    Replaced,
}

impl Standing {
    /// Its words in a table.
    pub fn words(self) -> &'static str {
        match self {
            Standing::Applied => "applied",
            Standing::Reworded => "applied, comments edited since",
            Standing::Edited => "edited after it was applied",
            Standing::Missing => "applied, but its file is missing",
            Standing::Unfinished => "unfinished",
            Standing::Pending => "pending",
            Standing::OutOfOrder => "pending, out of order",
            Standing::Changed => "changed, to be run anew",
            Standing::Replaces => "applied in parts",
            Standing::Replaced => "squashed",
        }
    }

    /// Whether it waits to be run.
    pub fn is_pending(self) -> bool {
        matches!(self, Standing::Pending | Standing::OutOfOrder | Standing::Changed)
    }

    /// Whether files and record contradict each other, so that nothing should be run before somebody has looked.
    pub fn is_trouble(self) -> bool {
        matches!(
            self,
            Standing::Edited
                | Standing::Missing
                | Standing::Unfinished
                | Standing::OutOfOrder
                | Standing::Replaces
                | Standing::Replaced
        )
    }
}
