//! Plans tried on scratch servers: the plan must lead to what the change by itself leads to, keep the rows, block nobody in
//! proportion to a table's size, and lead back.

mod difference;
mod rows;
mod views;
pub mod postgres;
pub mod sqlite;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use difference::difference;

/// What a trial of a plan has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// The server that it was tried on: `PostgreSQL 17.2`; empty when there was none.
    pub server: String,
    /// How it went.
    pub outcome: Outcome,
    /// What was shown, as full sentences.
    pub shown: Vec<String>,
    /// What the trial could not cover, as full sentences.
    pub gaps: Vec<String>,
}

/// How a trial went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", content = "because", rename_all = "snake_case")]
pub enum Outcome {
    /// Everything was as it should be.
    Proven,
    /// The plan is wrong, and how: full sentences.
    Failed(Vec<String>),
    /// It was not tried to the end, and why, as a lower-case fragment.
    NotTried(String),
}

impl Default for Outcome {
    fn default() -> Self {
        Outcome::NotTried("it was not asked for".to_owned())
    }
}

impl Proof {
    /// Nothing was tried, for this reason.
    pub fn not_tried(because: impl Into<String>) -> Self {
        Proof { outcome: Outcome::NotTried(because.into()), ..Proof::default() }
    }

    /// Whether the plan stood the trial.
    pub fn is_proven(&self) -> bool {
        self.outcome == Outcome::Proven
    }
}
