//! What dbwright has applied: the rows of its own history table.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of the history: a migration and how far it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The migration's version, which is the key of the table.
    pub version: String,
    /// What its file name says beside the version.
    pub description: String,
    /// Its file as the user knew it.
    pub file: String,
    /// [`crate::migration::Migration::checksum`] of the file as it was run.
    pub checksum: String,
    /// [`crate::migration::Migration::content`] of the file as it was run; empty where it is not known.
    pub content: String,
    /// What the row records.
    pub kind: AppliedKind,
    /// How far it came.
    pub state: AppliedState,
    /// Statements that are done and recorded.
    pub statements_done: u32,
    /// Statements of the file.
    pub statements: u32,
    /// What the catalog was before the statement that is running, and what it is expected to be after it; absent where the
    /// statement and the row are committed together.
    pub statement_before: Option<String>,
    /// What the server said when it failed.
    pub error: Option<String>,
    /// The account of the database that ran it.
    pub applied_by: String,
    /// The machine that ran it.
    pub host: String,
    /// The process on that machine that ran it.
    pub process: u32,
    /// The program and its version.
    pub program: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What a row of the history records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliedKind {
    /// A migration that is run once.
    #[default]
    Migration,
    /// A migration that is run anew whenever its text changes.
    Repeatable,
    /// A migration whose work was there before dbwright came.
    Baseline,
    /// A migration that another tool had applied.
    Imported,
    /// A migration that stands for others which it was made of.
    Squash,
    /// A word of a later version of dbwright.
    Other(String),
}

/// How far a migration came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppliedState {
    /// Begun and not ended: it runs right now, or its process was stopped.
    #[default]
    Running,
    /// Done.
    Applied,
    /// A statement was refused; those before it are done.
    Failed,
    /// Its way back was begun and not ended; what is done of it is counted in its statements.
    Undoing,
    /// Its way back was run.
    Undone,
    /// A word of a later version of dbwright.
    Other(String),
}

impl AppliedKind {
    /// Its word in the table.
    pub fn as_str(&self) -> &str {
        match self {
            AppliedKind::Migration => "migration",
            AppliedKind::Repeatable => "repeatable",
            AppliedKind::Baseline => "baseline",
            AppliedKind::Imported => "imported",
            AppliedKind::Squash => "squash",
            AppliedKind::Other(word) => word,
        }
    }

    /// Reads what [`AppliedKind::as_str`] writes.
    pub fn parse(word: &str) -> Self {
        match word {
            "migration" => AppliedKind::Migration,
            "repeatable" => AppliedKind::Repeatable,
            "baseline" => AppliedKind::Baseline,
            "imported" => AppliedKind::Imported,
            "squash" => AppliedKind::Squash,
            other => AppliedKind::Other(other.to_owned()),
        }
    }
}

impl AppliedState {
    /// Its word in the table.
    pub fn as_str(&self) -> &str {
        match self {
            AppliedState::Running => "running",
            AppliedState::Applied => "applied",
            AppliedState::Failed => "failed",
            AppliedState::Undoing => "undoing",
            AppliedState::Undone => "undone",
            AppliedState::Other(word) => word,
        }
    }

    /// Reads what [`AppliedState::as_str`] writes.
    pub fn parse(word: &str) -> Self {
        match word {
            "running" => AppliedState::Running,
            "applied" => AppliedState::Applied,
            "failed" => AppliedState::Failed,
            "undoing" => AppliedState::Undoing,
            "undone" => AppliedState::Undone,
            other => AppliedState::Other(other.to_owned()),
        }
    }
}

/// A session that others wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// The server's number of the session: PostgreSQL's process id, MySQL's connection id.
    pub process: i64,
    /// Its account.
    pub user: String,
    /// The application that it names, or the machine that it comes from.
    pub application: String,
    /// What it is doing: "active", "idle in transaction".
    pub state: String,
    /// Seconds since its transaction began, where known.
    pub transaction_seconds: Option<i64>,
    /// The beginning of its statement, which may have ended already.
    pub query: String,
}
