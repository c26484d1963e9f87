//! A migration as it is run: what stands in its file, read for a runner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::plan::{CheckQuery, Retries, TransactionMode};

/// What a file says about itself in its first lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Header {
    /// Who wrote it; empty when it is not said, as are the others.
    pub author: String,
    /// Where it was asked for.
    pub ticket: String,
    /// How dangerous it is in use, where that is said.
    pub risk: Option<Risk>,
    /// How long it is expected to take, in words: "2 s to 5 s".
    pub estimated_time: String,
    /// Versions of the migrations that must have been applied before.
    pub requires: Vec<String>,
    /// Versions of the migrations whose place it took, the oldest first.
    pub replaces: Vec<String>,
    /// What must be so outside of the database before it is run, as a full sentence.
    pub waits_for: Option<String>,
}

/// How dangerous a migration is to a database in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nobody waits longer than a lock timeout, nothing is lost, and there is a way back.
    Low,
    /// Rows are written or read in proportion to the table's size, or the release of an application must fit.
    Medium,
    /// Something is lost, or there is no way back.
    High,
}

impl Risk {
    /// Its word in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }

    /// The risk of a word, in any case.
    pub fn parse(word: &str) -> Option<Self> {
        [Risk::Low, Risk::Medium, Risk::High]
            .into_iter()
            .find(|risk| word.eq_ignore_ascii_case(risk.as_str()))
    }
}

/// One migration, read for running.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// What orders it among others and names it in the history: the digits that its file name begins with, Flyway's
    /// `2.1`; of a file without any, its whole name.
    pub version: String,
    /// What its file name says beside the version.
    pub description: String,
    /// Its file as the user knows it.
    pub file: String,
    /// What it says about itself.
    pub header: Header,
    /// How its statements are put into transactions.
    pub transaction: TransactionMode,
    /// Longest wait for one lock, in milliseconds; 0 for ever, `None` to leave it to the runner.
    pub lock_timeout: Option<u64>,
    /// Longest time of one statement, in milliseconds; 0 for ever, `None` to leave it to the runner.
    pub statement_timeout: Option<u64>,
    /// How it is tried again when a lock is not had; `None` to leave it to the runner.
    pub retries: Option<Retries>,
    /// Whether foreign keys must not be enforced meanwhile (SQLite): the runner switches them off outside of the transaction,
    /// and looks for orphans before its end. The statements that say so in the file are left out of `up` and `down`.
    #[serde(default)]
    pub foreign_keys_off: bool,
    /// Asked before: rows mean that it must not be run yet.
    pub pre_checks: Vec<CheckQuery>,
    /// What it runs, in order. `BEGIN` and `COMMIT` that span all of it are left out; `transaction` tells them.
    pub up: Vec<Statement>,
    /// The way back.
    pub down: Down,
    /// Asked after: rows mean that it has not done its work.
    pub verify: Vec<CheckQuery>,
    /// Whether it is run anew whenever its text changes, as Flyway's `R__` files are.
    pub repeatable: bool,
    /// SHA-256 of the file's bytes without a byte order mark, line ends as `\n`, in lower-case hexadecimal digits.
    pub checksum: String,
    /// SHA-256 of the statements of `up` without comments and with blanks reduced to one: equal where only the looks of a
    /// file changed.
    pub content: String,
    /// Why it must not be run as it stands, in the order of its lines. A runner refuses a migration with any.
    pub problems: Vec<Problem>,
}

/// A place of a file that a runner cannot send to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong there, as a lower-case fragment.
    pub because: String,
}

/// A statement of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Its text without the terminator.
    pub sql: String,
    /// Line of its first word in its file, from 1.
    pub line: u32,
    /// When it is an `UPDATE` that is written batch by batch: how.
    pub backfill: Option<Backfill>,
}

/// How an `UPDATE` is cut into pieces that are committed one by one. The statement reads
/// `UPDATE table SET ... WHERE (filter)`, so that a runner which knows nothing of pieces may run it as it stands, and one
/// that does adds `AND key > ... AND key <= ...` to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The table, quoted as the dialect needs it.
    pub table: String,
    /// Columns of a unique key without nulls, which order the pieces.
    pub keyset: Vec<Name>,
    /// Which rows still need it, as it stands in the parentheses; a row that was done does not satisfy it.
    pub filter: String,
    /// Rows in the first piece.
    pub rows: u32,
}

/// The way back from a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// None is written.
    #[default]
    Missing,
    /// These, in order. None at all when an earlier migration's way back takes this one's work along.
    Statements(Vec<Statement>),
    /// There is none, and why, as a lower-case fragment.
    Irreversible(String),
}
