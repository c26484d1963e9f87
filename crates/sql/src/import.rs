//! Histories of other migration tools, mapped to files: which of them were applied, and whether they are still what was applied.

mod checksum;

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::facts::AppliedMigration;
use dbwright_model::migration::Migration;
use jiff::Timestamp;

use crate::files::SourceFile;
use crate::script::version_of;

/// A tool whose history can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// dbmate.
    Dbmate,
    /// Diesel.
    Diesel,
    /// Flyway.
    Flyway,
    /// golang-migrate.
    GolangMigrate,
    /// goose.
    Goose,
    /// Prisma.
    Prisma,
    /// refinery.
    Refinery,
    /// sqlx.
    Sqlx,
}

impl Source {
    /// Every one, by name.
    pub const ALL: [Source; 8] = [
        Source::Dbmate,
        Source::Diesel,
        Source::Flyway,
        Source::GolangMigrate,
        Source::Goose,
        Source::Prisma,
        Source::Refinery,
        Source::Sqlx,
    ];

    /// The tool as the list of histories spells it.
    pub fn history(self) -> &'static str {
        match self {
            Source::Dbmate => "Rails or dbmate",
            Source::Diesel => "Diesel",
            Source::Flyway => "Flyway",
            Source::GolangMigrate => "golang-migrate",
            Source::Goose => "goose",
            Source::Prisma => "Prisma",
            Source::Refinery => "refinery",
            Source::Sqlx => "sqlx",
        }
    }

    /// The tool as it spells itself.
    pub fn name(self) -> &'static str {
        match self {
            Source::Dbmate => "dbmate",
            other => other.history(),
        }
    }
}

/// What a history says of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Import {
    /// Migrations that were applied, in the order of their files.
    pub applied: Vec<Imported>,
    /// Why the history must not be taken over as it stands, as full sentences.
    pub refused: Vec<String>,
    /// What is worth knowing besides, as full sentences.
    pub notes: Vec<String>,
}

/// A migration that the tool applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Its position in the list of migrations.
    pub migration: usize,
    /// When the tool applied it, where it says.
    pub at: Option<Timestamp>,
    /// Whether the file is known to be the one that was applied: `None` where the tool keeps no checksum of it.
    pub verified: Option<bool>,
}

/// What the rows of a tool's history, the oldest first, say of files. `sources` are the files that the migrations were read of.
pub fn import(
    source: Source,
    rows: &[AppliedMigration],
    migrations: &[Migration],
    sources: &[SourceFile],
) -> Import {
    let mut import = Import::default();
    let state = replay(source, rows, &mut import);
    let texts: BTreeMap<&str, &str> =
        sources.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    let mut seen = BTreeSet::new();
    for (position, migration) in migrations.iter().enumerate() {
        let key = key_of(source, &migration.version);
        if !seen.insert(key.clone()) {
            import.refused.push(format!("Two files have the version `{}`.", migration.version));
        }
        let below =
            |line: &Option<Key>| line.as_ref().is_some_and(|line| key <= *line) && !migration.repeatable;
        match state.applied.get(&key) {
            Some(row) => {
                let text = texts.get(migration.file.as_str()).copied().unwrap_or_default();
                let verified = checksum::verify(source, migration, text, row.checksum.as_deref());
                match verified {
                    Some(false) if migration.repeatable => {
                        import.notes.push(format!(
                            "`{}` has changed since {} ran it, and will be run anew.",
                            migration.file,
                            source.name()
                        ));
                        continue;
                    }
                    Some(false) => import.refused.push(format!(
                        "`{}` is not the file that {} applied: its checksum is another.",
                        migration.file,
                        source.name()
                    )),
                    _ => {}
                }
                import.applied.push(Imported { migration: position, at: row.at, verified });
            }
            None if below(&state.all_below) || below(&state.baseline) => {
                import.applied.push(Imported { migration: position, at: None, verified: None });
            }
            None => {}
        }
    }
    for (key, row) in &state.applied {
        if !seen.contains(key) {
            import.refused.push(format!(
                "{} applied `{}`, and no file has that version.",
                source.name(),
                row.version
            ));
        }
    }
    if let Some(line) = &state.all_below
        && !seen.contains(line)
    {
        import.refused.push(format!(
            "{} is at a version that no file has: `{}`.",
            source.name(),
            rows.last().map_or("", |row| row.version.as_str())
        ));
    }
    let newest = import.applied.iter().map(|one| key_of(source, &migrations[one.migration].version)).max();
    let applied: BTreeSet<usize> = import.applied.iter().map(|one| one.migration).collect();
    for (position, migration) in migrations.iter().enumerate() {
        if !applied.contains(&position)
            && !migration.repeatable
            && newest.as_ref().is_some_and(|newest| key_of(source, &migration.version) < *newest)
        {
            import.notes.push(format!(
                "`{}` was not applied, although newer files were; it will count as out of order.",
                migration.file
            ));
        }
    }
    import
}

/// What a version is compared by: its numbers, or its text where it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Numbers(Vec<u128>),
    Text(String),
}

fn key_of(source: Source, version: &str) -> Key {
    let parts: Option<Vec<u128>> = version.split(['.', '_']).map(|part| part.trim().parse().ok()).collect();
    match parts {
        Some(mut numbers) if source == Source::Flyway || numbers.len() == 1 => {
            // To Flyway, `1` and `1.0` are one version.
            while numbers.len() > 1 && numbers.last() == Some(&0) {
                numbers.pop();
            }
            Key::Numbers(numbers)
        }
        _ => Key::Text(version.to_owned()),
    }
}

/// What is applied after every row.
#[derive(Default)]
struct State<'a> {
    applied: BTreeMap<Key, &'a AppliedMigration>,
    /// Every file up to here is applied: the tool keeps only the newest version.
    all_below: Option<Key>,
    /// What lies below was there before the tool came.
    baseline: Option<Key>,
}

fn replay<'a>(source: Source, rows: &'a [AppliedMigration], import: &mut Import) -> State<'a> {
    let mut state = State::default();
    let mut failed: BTreeMap<Key, &AppliedMigration> = BTreeMap::new();
    for row in rows {
        let kind = row.kind.as_deref().unwrap_or_default();
        let key = key_of(source, &version_in_files(source, &row.version));
        match source {
            Source::Flyway if !row.ok => {
                failed.insert(key, row);
            }
            Source::Flyway => match kind {
                "SCHEMA" => {}
                "BASELINE" | "SQL_BASELINE" => state.baseline = Some(key),
                // The version was taken back, or its file was given up on purpose.
                kind if kind.starts_with("UNDO") || kind == "DELETE" => {
                    state.applied.remove(&key);
                }
                "SQL" | "" => {
                    state.applied.insert(key, row);
                }
                other => {
                    import.refused.push(format!(
                        "Flyway applied version `{}` by what is no SQL file ({other}).",
                        row.version
                    ));
                }
            },
            // The first row only says that the table was made; a row that is not applied takes an earlier one back.
            Source::Goose if row.version == "0" => {}
            Source::Goose if row.ok => {
                state.applied.insert(key, row);
            }
            Source::Goose => {
                state.applied.remove(&key);
            }
            Source::GolangMigrate if row.ok => state.all_below = Some(key),
            // What was rolled back was never applied.
            Source::Prisma if !kind.is_empty() => {}
            _ if row.ok => {
                failed.remove(&key);
                state.applied.insert(key, row);
            }
            _ => {
                failed.insert(key, row);
            }
        }
    }
    for row in failed.values() {
        import.refused.push(format!(
            "Version `{}` failed half-way under {}, so nobody knows what of it is there.",
            row.version,
            source.name()
        ));
    }
    state
}

/// How the files spell a version that the tool recorded.
fn version_in_files(source: Source, version: &str) -> String {
    match source {
        // Prisma records the folder, Flyway the path of a file that has no version.
        Source::Prisma => version_of(&format!("{version}/migration.sql")).0,
        Source::Flyway if version.ends_with(".sql") => version_of(version).0,
        _ => version.to_owned(),
    }
}

#[cfg(test)]
mod tests;
