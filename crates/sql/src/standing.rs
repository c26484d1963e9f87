//! How migration files stand to what a database records of them.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::migration::Migration;
use dbwright_model::standing::Standing;

use crate::files::SourceFile;
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

/// How every file and every row stands, in the order in which migrations are applied. `replaces` are the versions whose place
/// a file took, by the file's position.
pub fn lines(
    migrations: &[Migration],
    rows: &[Applied],
    replaces: &BTreeMap<usize, Vec<String>>,
) -> Vec<Line> {
    let by_version: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(at, row)| (row.version.as_str(), at)).collect();
    let is_applied =
        |version: &str| by_version.get(version).is_some_and(|at| rows[*at].state == AppliedState::Applied);
    let newest = migrations
        .iter()
        .filter(|migration| !migration.repeatable && is_applied(&migration.version))
        .map(|migration| tools::order(&migration.version))
        .max();
    let mut replaced = BTreeSet::new();
    let mut lines = Vec::new();
    for (position, migration) in migrations.iter().enumerate() {
        let row = by_version.get(migration.version.as_str()).copied();
        let parts = replaces.get(&position).map(Vec::as_slice).unwrap_or_default();
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

/// The mark in the first lines of a file that took the place of others.
pub const REPLACES: &str = "-- Replaces:";

/// The versions whose place a file took, oldest first.
pub fn replaced(file: &SourceFile) -> Vec<String> {
    file.text
        .lines()
        .take_while(|line| line.starts_with("--") || line.trim().is_empty())
        .filter_map(|line| line.strip_prefix(REPLACES))
        .flat_map(str::split_whitespace)
        .map(|version| version.trim_end_matches(',').to_owned())
        .collect()
}

/// The versions whose place each file took, by the position of its migration.
pub fn all_replaced(migrations: &[Migration], sources: &[SourceFile]) -> BTreeMap<usize, Vec<String>> {
    let by_name: BTreeMap<&str, Vec<String>> = sources
        .iter()
        .map(|file| (file.name.as_str(), replaced(file)))
        .filter(|(_, versions)| !versions.is_empty())
        .collect();
    migrations
        .iter()
        .enumerate()
        .filter_map(|(at, migration)| Some((at, by_name.get(migration.file.as_str())?.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
