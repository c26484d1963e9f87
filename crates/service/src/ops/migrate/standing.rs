//! How files and history stand to each other: what is pending, edited, missing, out of order, half done.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::migration::Migration;
use dbwright_sql::tools;

/// The name of the history table when none is chosen.
pub const HISTORY_TABLE: &str = "dbwright_migrations";

/// Every file and every row, put side by side.
#[derive(Debug, Default)]
pub struct Standing {
    /// Each file's state, in the order of the files.
    pub files: Vec<State>,
    /// Versions in the history for which there is no file.
    pub missing: Vec<String>,
}

/// The state of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not applied.
    Pending,
    /// Not applied, though files of later versions are.
    OutOfOrder {
        /// The newest version that is applied.
        newest: String,
    },
    /// Applied as it stands.
    Applied,
    /// Applied, and only blanks or comments of the file have changed since.
    LooksChanged,
    /// Applied, and its statements have changed since.
    Edited,
    /// A repeatable file whose text has changed since it was run.
    Repeat,
    /// Begun and not ended.
    Unfinished {
        /// Statements that are done.
        done: usize,
        /// Whether its statements have changed since.
        edited: bool,
    },
    /// Its way back was begun and not ended.
    Undoing,
}

/// Whether a row says that its version's work is in the database.
pub fn is_applied(row: &Applied) -> bool {
    row.state == AppliedState::Applied
}

/// Puts files and history side by side.
pub fn compare(files: &[Migration], history: &[Applied]) -> Standing {
    let rows: BTreeMap<&str, &Applied> = history.iter().map(|row| (row.version.as_str(), row)).collect();
    let applied = |row: &&Applied| is_applied(row) && row.kind != AppliedKind::Repeatable;
    let newest = history.iter().filter(applied).max_by_key(|row| tools::order(&row.version));
    let known: BTreeSet<&str> = files.iter().map(|file| file.version.as_str()).collect();
    let missing =
        history.iter().filter(|row| row.state != AppliedState::Undone && row.kind != AppliedKind::Squash);
    let missing = missing.filter(|row| !known.contains(row.version.as_str()));
    let state = |file: &Migration| {
        let row = rows.get(file.version.as_str()).filter(|row| row.state != AppliedState::Undone);
        let Some(row) = row else {
            return match newest {
                Some(newest)
                    if !file.repeatable && tools::order(&file.version) < tools::order(&newest.version) =>
                {
                    State::OutOfOrder { newest: newest.version.clone() }
                }
                _ => State::Pending,
            };
        };
        let same = row.checksum == file.checksum;
        let same_content = same || !row.content.is_empty() && row.content == file.content;
        match row.state {
            AppliedState::Running | AppliedState::Failed => {
                State::Unfinished { done: row.statements_done as usize, edited: !same_content }
            }
            AppliedState::Undoing => State::Undoing,
            // Other tools' rows and baselines may know no checksum of ours.
            _ if same || row.checksum.is_empty() => State::Applied,
            _ if file.repeatable => State::Repeat,
            _ if same_content => State::LooksChanged,
            _ => State::Edited,
        }
    };
    Standing {
        files: files.iter().map(state).collect(),
        missing: missing.map(|row| row.version.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_standing_is_told() {
        let file = |version: &str, checksum: &str, content: &str| Migration {
            version: version.to_owned(),
            checksum: checksum.to_owned(),
            content: content.to_owned(),
            ..Migration::default()
        };
        let row = |version: &str, checksum: &str, content: &str, state: AppliedState| Applied {
            version: version.to_owned(),
            checksum: checksum.to_owned(),
            content: content.to_owned(),
            state,
            ..Applied::default()
        };
        let files = [
            file("1", "a", "x"),
            file("2", "b", "x"),
            file("3", "c", "y"),
            file("4", "d", "x"),
            file("5", "e", "x"),
            file("10", "f", "x"),
            file("11", "g", "x"),
        ];
        let history = [
            row("1", "a", "x", AppliedState::Applied),
            row("2", "old", "x", AppliedState::Applied),
            row("3", "old", "x", AppliedState::Applied),
            row("5", "e", "x", AppliedState::Failed),
            row("9", "e", "x", AppliedState::Applied),
            row("11", "g", "x", AppliedState::Undone),
        ];
        let standing = compare(&files, &history);
        assert_eq!(
            standing.files,
            [
                State::Applied,
                State::LooksChanged,
                State::Edited,
                State::OutOfOrder { newest: "9".to_owned() },
                State::Unfinished { done: 0, edited: false },
                State::Pending,
                State::Pending,
            ]
        );
        assert_eq!(standing.missing, ["9"]);
    }
}
