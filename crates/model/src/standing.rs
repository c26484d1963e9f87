//! How migration files stand to what a database records of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
