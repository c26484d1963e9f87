//! Which files a migration tool's history in the database says were applied.

use dbwright_model::applied::{Applied, AppliedState};
use dbwright_model::facts::{AppliedMigration, MigrationHistory};
use dbwright_model::migration::Migration;
use dbwright_model::standing::Standing;

use super::base;
use crate::standing;

/// How files stand to a history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Whether each file was applied, in the order in which they were given.
    pub applied: Vec<bool>,
    /// Versions that were applied and that no file has, in the order of the history.
    pub without_file: Vec<String>,
    /// Files that are no longer what was applied, where the tool's checksums tell.
    pub edited: Vec<String>,
}

/// Compares migrations with what dbwright itself has recorded. Whether each is applied is told by the file: a file that
/// waits to be run anew counts as one that was not.
pub fn compare_own(history: &MigrationHistory, migrations: &[Migration], paths: &[&str]) -> Compared {
    let rows: Vec<Applied> = history.applied.iter().map(row).collect();
    let mut compared = Compared { applied: vec![false; paths.len()], ..Compared::default() };
    for line in standing::lines(migrations, &rows) {
        let Some(at) = line.migration else {
            if line.standing == Standing::Missing {
                compared.without_file.push(line.version);
            }
            continue;
        };
        let file = &migrations[at].file;
        if line.standing == Standing::Edited {
            compared.edited.push(file.clone());
        }
        let is_applied = matches!(
            line.standing,
            Standing::Applied | Standing::Reworded | Standing::Edited | Standing::Replaces
        );
        for (path, applied) in paths.iter().zip(&mut compared.applied) {
            *applied |= is_applied && *path == file.as_str();
        }
    }
    compared
}

/// A row as far as a history of tools tells it.
fn row(recorded: &AppliedMigration) -> Applied {
    Applied {
        version: recorded.version.clone(),
        checksum: recorded.checksum.clone().unwrap_or_default(),
        state: AppliedState::parse(recorded.kind.as_deref().unwrap_or_default()),
        ..Applied::default()
    }
}

/// Compares files, by their paths, with what a tool has recorded. What ended badly does not count as applied.
pub fn compare(history: &MigrationHistory, paths: &[&str]) -> Compared {
    let files: Vec<File<'_>> = paths.iter().map(|path| File::of(path)).collect();
    let mut compared = Compared { applied: vec![false; files.len()], ..Compared::default() };
    for recorded in &history.applied {
        let kind = recorded.kind.as_deref().unwrap_or_default();
        let undone = kind.starts_with("UNDO") || kind == "DELETE";
        // golang-migrate keeps the newest version only, and a baseline stands for everything up to it.
        let and_before = history.tool == "golang-migrate" || kind == "BASELINE";
        let recorded = Recorded::of(recorded, &history.tool);
        if kind == "SCHEMA" || !recorded.ok {
            continue;
        }
        let mut found = false;
        for (file, applied) in files.iter().zip(&mut compared.applied) {
            if recorded.is(file) {
                found = true;
                *applied = !undone;
            } else if and_before && recorded.comes_after(file) {
                *applied = true;
            }
        }
        if !found && !undone && kind != "BASELINE" && !recorded.is_start() {
            compared.without_file.push(recorded.version.to_owned());
        }
    }
    compared
}

/// What a path says of its migration.
struct File<'a> {
    path: &'a str,
    /// Its name, or its folder's where the tool gives every file the same name.
    name: &'a str,
    stem: &'a str,
    /// The numbers of its version.
    version: Option<Vec<u128>>,
}

impl<'a> File<'a> {
    fn of(path: &'a str) -> Self {
        let name = match base(path) {
            "up.sql" | "migration.sql" => {
                base(path[..path.len() - base(path).len()].trim_end_matches(['/', '\\']))
            }
            name => name,
        };
        let stem = name.strip_suffix(".sql").unwrap_or(name);
        let stem = stem.strip_suffix(".up").unwrap_or(stem);
        let rest =
            stem.strip_prefix(['V', 'v', 'U']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let version = match rest.and_then(|rest| rest.split_once("__")) {
            Some((version, _)) => numbers(version),
            None => {
                let text = rest.unwrap_or(stem);
                let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
                numbers(&text[..end].replace('-', ""))
            }
        };
        File { path, name, stem, version }
    }
}

/// What a row of a history says.
struct Recorded<'a> {
    ok: bool,
    version: &'a str,
    script: Option<&'a str>,
    numbers: Option<Vec<u128>>,
}

impl<'a> Recorded<'a> {
    fn of(recorded: &'a AppliedMigration, tool: &str) -> Self {
        // Names of files count as such, though they begin with a number.
        let named = matches!(tool, "Prisma" | "Knex" | "node-pg-migrate" | "Sequelize" | "sql-migrate");
        Recorded {
            ok: recorded.ok,
            version: &recorded.version,
            script: recorded.script.as_deref(),
            numbers: if named { None } else { numbers(&recorded.version) },
        }
    }

    fn is(&self, file: &File<'_>) -> bool {
        let names = |text: &str| text == file.name || text == file.stem || text == file.path;
        (self.numbers.is_some() && self.numbers == file.version)
            || (self.numbers.is_none() && (names(self.version) || self.script.is_some_and(names)))
    }

    fn comes_after(&self, file: &File<'_>) -> bool {
        self.numbers.as_ref().zip(file.version.as_ref()).is_some_and(|(own, other)| own > other)
    }

    /// goose records that it began.
    fn is_start(&self) -> bool {
        self.numbers.as_ref().is_some_and(Vec::is_empty)
    }
}

/// A version as numbers: `2_1` and `2.1` alike, and `2.0` as `2`.
fn numbers(text: &str) -> Option<Vec<u128>> {
    let mut numbers: Vec<u128> =
        text.split(['.', '_']).map(|number| number.parse().ok()).collect::<Option<_>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tool: &str, rows: &[(&str, &str)], paths: &[&str], applied: &[bool], without_file: &[&str]) {
        let history = MigrationHistory {
            tool: tool.to_owned(),
            applied: rows
                .iter()
                .map(|(version, kind)| AppliedMigration {
                    version: (*version).to_owned(),
                    ok: *kind != "failed",
                    kind: Some((*kind).to_owned()),
                    ..AppliedMigration::default()
                })
                .collect(),
            ..MigrationHistory::default()
        };
        let compared = compare(&history, paths);
        assert_eq!(compared.applied, applied, "{tool} {rows:?} {paths:?}");
        assert_eq!(compared.without_file, without_file, "{tool} {rows:?} {paths:?}");
    }

    #[test]
    fn each_tool_names_its_files_in_its_own_way() {
        check("sqlx", &[("1", ""), ("3", "")], &["m/1_a.sql", "m/2_b.up.sql"], &[true, false], &["3"]);
        check("sqlx", &[("1", "failed")], &["1_a.sql"], &[false], &[]);
        let flyway = ["V1__a.sql", "V2_1__b.sql", "V10__c.sql", "R__views.sql"];
        check(
            "Flyway",
            &[("2.1", "SQL"), ("R__views.sql", "SQL")],
            &flyway,
            &[false, true, false, true],
            &[],
        );
        check("Flyway", &[("2.1", "BASELINE")], &flyway, &[true, true, false, false], &[]);
        check("Flyway", &[("1", "SQL"), ("1", "UNDO_SQL")], &flyway, &[false; 4], &[]);
        check(
            "golang-migrate",
            &[("2", "")],
            &["1_a.up.sql", "2_b.up.sql", "3_c.up.sql"],
            &[true, true, false],
            &[],
        );
        check("Diesel", &[("20240102030405", "")], &["m/2024-01-02-030405_a/up.sql"], &[true], &[]);
        check(
            "Prisma",
            &[("20240102_a", "")],
            &["m/20240102_a/migration.sql", "m/20240102_b/migration.sql"],
            &[true, false],
            &[],
        );
        check("goose", &[("0", ""), ("00001", "")], &["00001_a.sql"], &[true], &[]);
    }
}
