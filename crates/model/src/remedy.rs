//! What to do about a finding.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::Change;

/// How far a remedy may be applied without a human reading it. Ordered from the least to the most automatic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Applicability {
    /// It is shown and never applied: it needs knowledge that dbwright does not have.
    Manual,
    /// It may be applied when asked for by name: it is right if the finding is.
    Review,
    /// It may be applied automatically: it cannot lose data nor change an answer.
    Safe,
}

/// What to do, in terms of changes. The service writes the SQL for the target's dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// How far it may be applied by itself.
    pub applicability: Applicability,
    /// One sentence in the imperative.
    pub summary: Cow<'static, str>,
    /// The changes in order; empty when only words help.
    pub changes: Vec<Change>,
    /// Statements that dbwright cannot express as changes, shown as they are. A remedy with such statements is
    /// [`Applicability::Manual`].
    pub statements: Vec<ManualStatement>,
}

/// A statement to be read, adapted and run by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualStatement {
    /// The statement, without `;`.
    pub sql: String,
    /// Whether it may run in a transaction with others.
    pub in_transaction: bool,
}

impl ManualStatement {
    /// One that the server refuses inside of a transaction.
    pub fn alone(sql: impl Into<String>) -> Self {
        ManualStatement { sql: sql.into(), in_transaction: false }
    }
}

impl<T: Into<String>> From<T> for ManualStatement {
    fn from(sql: T) -> Self {
        ManualStatement { sql: sql.into(), in_transaction: true }
    }
}

impl Remedy {
    /// Words only.
    pub fn manual(summary: impl Into<Cow<'static, str>>) -> Self {
        Remedy {
            applicability: Applicability::Manual,
            summary: summary.into(),
            changes: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// Words and statements to adapt by hand. Names in them must be quoted.
    pub fn manual_sql(
        summary: impl Into<Cow<'static, str>>,
        statements: impl IntoIterator<Item = impl Into<ManualStatement>>,
    ) -> Self {
        let statements = statements.into_iter().map(Into::into).collect();
        Remedy { statements, ..Remedy::manual(summary) }
    }

    /// Changes to be applied when asked for by name.
    pub fn review(summary: impl Into<Cow<'static, str>>, changes: Vec<Change>) -> Self {
        Remedy { applicability: Applicability::Review, changes, ..Remedy::manual(summary) }
    }

    /// Changes to be applied automatically.
    pub fn safe(summary: impl Into<Cow<'static, str>>, changes: Vec<Change>) -> Self {
        Remedy { applicability: Applicability::Safe, changes, ..Remedy::manual(summary) }
    }
}
