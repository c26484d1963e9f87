//! How migration files stand to what a database records of them.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::migration::Migration;
use dbwright_model::standing::Standing;

use crate::tools;

/// A migration with its file, its row, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its version.
    pub version: String,
    /// How it stands.
    pub standing: Standing,
    /// Its position among the migrations.
    pub migration: Option<usize>,
    /// Its position among the rows.
    pub row: Option<usize>,
}

/// How every file and every row stands, in the order in which migrations are applied.
pub fn lines(migrations: &[Migration], rows: &[Applied]) -> Vec<Line> {
    let by_version: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(at, row)| (row.version.as_str(), at)).collect();
    let is_applied =
        |version: &str| by_version.get(version).is_some_and(|at| rows[*at].state == AppliedState::Applied);
    let newest = newest(migrations, rows).map(|row| tools::order(&row.version));
    let mut replaced = BTreeSet::new();
    let mut lines = Vec::new();
    for (position, migration) in migrations.iter().enumerate() {
        let row = by_version.get(migration.version.as_str()).copied();
        let parts = &migration.header.replaces;
        let own = row.map(|at| &rows[at]);
        let took_place = !parts.is_empty()
            // On a database that began with the file, its own row stands for all of them.
            && own.is_none_or(|row| {
                row.kind != AppliedKind::Squash && of_applied(migration, row) == Standing::Edited
            })
            && parts.iter().any(|part| is_applied(part));
        if took_place {
            replaced.extend(parts.iter().map(String::as_str));
        }
        let standing = match own.map(|row| (row, &row.state)) {
            _ if took_place => Standing::Replaces,
            Some((row, AppliedState::Applied)) => of_applied(migration, row),
            Some((_, state)) if *state != AppliedState::Undone => Standing::Unfinished,
            None | Some(_) => {
                let earlier =
                    newest.as_ref().is_some_and(|newest| tools::order(&migration.version) < *newest);
                if earlier && !migration.repeatable { Standing::OutOfOrder } else { Standing::Pending }
            }
        };
        lines.push(Line { version: migration.version.clone(), standing, migration: Some(position), row });
    }
    let files: BTreeSet<&str> = migrations.iter().map(|migration| migration.version.as_str()).collect();
    for (at, row) in rows.iter().enumerate() {
        if files.contains(row.version.as_str()) {
            continue;
        }
        let standing = match &row.state {
            _ if replaced.contains(row.version.as_str()) => Standing::Replaced,
            // What was taken back may well have lost its file.
            AppliedState::Undone => continue,
            AppliedState::Applied => Standing::Missing,
            _ => Standing::Unfinished,
        };
        lines.push(Line { version: row.version.clone(), standing, migration: None, row: Some(at) });
    }
    let repeatable = |line: &Line| line.migration.is_some_and(|at| migrations[at].repeatable);
    lines.sort_by_cached_key(|line| (repeatable(line), tools::order(&line.version)));
    lines
}

/// The row of the newest applied version; what is run anew whenever it changes has no place among versions.
pub fn newest<'a>(migrations: &[Migration], rows: &'a [Applied]) -> Option<&'a Applied> {
    let repeatable: BTreeSet<&str> = migrations
        .iter()
        .filter(|migration| migration.repeatable)
        .map(|migration| migration.version.as_str())
        .collect();
    rows.iter()
        .filter(|row| row.state == AppliedState::Applied && row.kind != AppliedKind::Repeatable)
        .filter(|row| !repeatable.contains(row.version.as_str()))
        .max_by_key(|row| tools::order(&row.version))
}

/// Whether a file holds the statements that a row was written for; comments and blanks make no difference where the row
/// knows that much.
pub fn is_same_work(migration: &Migration, row: &Applied) -> bool {
    row.checksum.eq_ignore_ascii_case(&migration.checksum)
        || !row.content.is_empty() && row.content == migration.content
}

fn of_applied(migration: &Migration, row: &Applied) -> Standing {
    // What other programs wrote there may know no checksum.
    if row.checksum.is_empty() || row.checksum.eq_ignore_ascii_case(&migration.checksum) {
        Standing::Applied
    } else if !row.content.is_empty() && row.content == migration.content {
        Standing::Reworded
    } else if migration.repeatable {
        Standing::Changed
    } else {
        Standing::Edited
    }
}

#[cfg(test)]
mod tests;
