//! A written plan: the steps that bring a change into a running database, with their locks, checks and ways back.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::effect::Effects;
use crate::name::{Name, QualifiedName};

/// Steps in the order in which they are run. Each is committed before the next begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the plan is for, as a sentence fragment: "make `t.a` not null".
    pub title: String,
    /// How it gets there, in one or a few full sentences.
    pub summary: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// What the steps change on purpose beyond what was asked for, such as the type of a sequence that must grow with its
    /// column: after the wanted changes and these the catalog is the one after the steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Change>,
    /// Wanted changes that are not in the plan, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declined: Vec<Declined>,
}

/// A change that no safe steps are known for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// Position of the change in the list that was asked for, counted from 0.
    pub change: usize,
    /// Why, as a lower-case fragment that says what can be done instead.
    pub because: String,
}

/// One step of a plan: what is committed together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it does, as a sentence in the imperative.
    pub name: String,
    /// What must be so outside of the database before it is run, as a full sentence: a release, a time of watching.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What is run, in order. Empty for a backfill, whose statements come from `repeat`.
    pub work: Vec<Work>,
    /// Whether `work` runs in one transaction.
    pub transaction: TransactionMode,
    /// How long a statement may wait for a lock, in milliseconds; 0 is for ever, `None` leaves the session's setting.
    pub lock_timeout: Option<u64>,
    /// How long a statement may run, in milliseconds; 0 is for ever, `None` leaves the session's setting.
    pub statement_timeout: Option<u64>,
    /// What is done when a lock is not had in time.
    pub retries: Retries,
    /// What the statements are expected to do, put together: the strongest lock and the dearest work per relation.
    /// Statements of raw SQL and batches are not in it.
    pub expected: Effects,
    /// Asked before the step: rows mean that it must not be run yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_check: Option<CheckQuery>,
    /// Asked after the step: rows mean that it has not done its work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CheckQuery>,
    /// The way back from the state after the step to the state before it.
    pub undo: Undo,
    /// Rows that are written batch by batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Batches>,
    /// Whether foreign keys must not be enforced meanwhile (SQLite): switched off before the transaction is opened, since
    /// inside of one the switch does nothing, and on again after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign_keys_off: bool,
}

/// Something that is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A change, to be written for the target's dialect.
    Change(Box<Change>),
    /// A statement that no change expresses, without its terminator; names in it are quoted.
    Sql(String),
}

/// How the work of a step and transactions get along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionMode {
    /// All of it in one transaction.
    #[default]
    OneTransaction,
    /// Each statement by itself, because the server demands it.
    NoTransaction,
}

/// How a step is tried again. The wait doubles from try to try, with some chance added so that runners do not march in
/// step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Retries {
    /// Tries after the first one.
    pub attempts: u32,
    /// Wait before the second try, in milliseconds.
    pub first_wait: u64,
    /// Longest wait between two tries, in milliseconds.
    pub longest_wait: u64,
    /// Whether a failed try leaves something behind, so that `undo` is run before the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undo_first: bool,
}

/// A question to the rows or to the catalog whose rows are complaints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckQuery {
    /// A `SELECT` of the complaints, unlimited and without terminator, so that it can be counted or limited around.
    pub sql: String,
    /// What rows mean, as a full sentence.
    pub rows_mean: String,
    /// The columns of the result that tell one row from another, to show samples; the whole row when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub keys: Vec<Name>,
}

/// The way back from a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Run this, in order: what the server refuses in a transaction and what goes through rows by itself, what lies between
    /// in one transaction each. Nothing to run means that the step needs no way back: the undo of an earlier one takes its
    /// work along.
    Work(Vec<Work>),
    /// There is none, and why, as a lower-case fragment.
    Irreversible(String),
}

/// An `UPDATE` in small committed pieces, in the order of a key, that can be taken up again where it stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batches {
    /// The table.
    pub table: QualifiedName,
    /// Columns of a unique key without nulls, which order the pieces; empty to go by pages of the table's file.
    pub keyset: Vec<Name>,
    /// Columns and the expressions that they are set to.
    pub set: Vec<(Name, String)>,
    /// Which rows still need it; a row that was done does not satisfy it.
    pub filter: String,
    /// Rows in the first piece. The runner adapts it to the time that a piece takes.
    pub rows: u32,
}

impl Default for Undo {
    fn default() -> Self {
        Undo::Work(Vec::new())
    }
}

impl Step {
    /// The changes in `work`.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.work.iter().filter_map(Work::as_change)
    }
}

impl Work {
    /// The change, when it is one.
    pub fn as_change(&self) -> Option<&Change> {
        match self {
            Work::Change(change) => Some(change),
            Work::Sql(_) => None,
        }
    }
}

impl From<Change> for Work {
    fn from(change: Change) -> Self {
        Work::Change(Box::new(change))
    }
}
