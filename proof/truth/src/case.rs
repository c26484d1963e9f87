//! Cases: a file of statements, each with what must be there before it, and the cells that were recorded for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dbwright_model::engine::Dialect;

use crate::cell::Cell;
use crate::table;

/// The comment line that opens a case.
const MARK: &str = "-- case: ";

/// The comment line after which every statement of a case is measured, as one script.
const MEASURED: &str = "-- measured:\n";

/// The file of an engine that holds the schema and the rows that every case starts from.
const BASE: &str = "base.sql";

/// A statement that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The stem of its file.
    pub family: String,
    /// Its name, unique among all cases of the engine.
    pub name: String,
    /// Statements that are run before it, each on its own and committed.
    pub setup: Vec<String>,
    /// The statement that is measured, or several with semicolons between.
    pub statement: String,
    /// What was recorded, by version: the major one, or what the engine's module says.
    pub cells: BTreeMap<u16, Cell>,
}

/// What the files of an engine hold.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Every case with its recorded cells, in the order of the files' names and of the files.
    pub cases: Vec<Case>,
    /// Cases that have recorded cells and are gone.
    pub stale: Vec<String>,
}

/// The folder of an engine's cases.
pub fn folder(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/truth").join(engine)
}

/// The schema and the rows that every case of an engine starts from.
pub fn base_sql(engine: &str) -> Result<String, String> {
    read(&folder(engine).join(BASE))
}

/// Reads the files of an engine.
pub fn load(engine: &str, dialect: Dialect) -> Result<Loaded, String> {
    let folder = folder(engine);
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "sql") && !path.ends_with(BASE));
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    let mut stale = Vec::new();
    for path in paths {
        let family = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let mut found = parse(&family, dialect, &read(&path)?)?;
        let recorded = path.with_extension("tsv");
        if recorded.exists() {
            let mut cells = table::parse(&read(&recorded)?)
                .map_err(|complaint| format!("{}: {complaint}", recorded.display()))?;
            for case in &mut found {
                case.cells = cells.remove(&case.name).unwrap_or_default();
            }
            stale.extend(cells.into_keys().map(|name| format!("{family}/{name}")));
        }
        for case in found {
            if cases.iter().any(|other| other.name == case.name) {
                return Err(format!("{family}: two cases are named `{}`", case.name));
            }
            cases.push(case);
        }
    }
    Ok(Loaded { cases, stale })
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The cases of one file: after each `-- case: NAME` the statements before the measured one, and the measured one.
pub fn parse(family: &str, dialect: Dialect, text: &str) -> Result<Vec<Case>, String> {
    let mut cases = Vec::new();
    let mut name: Option<&str> = None;
    let mut body = String::new();
    for line in text.lines().chain([MARK]) {
        let Some(next) = line.strip_prefix(MARK) else {
            body.push_str(line);
            body.push('\n');
            continue;
        };
        if let Some(name) = name {
            let split = |text: &str| -> Vec<String> {
                dbwright_sql::split(dialect, text)
                    .iter()
                    .map(|statement| statement.text.trim().to_owned())
                    .collect()
            };
            let (mut statements, measured) = match body.split_once(MEASURED) {
                Some((setup, measured)) => (split(setup), Some(split(measured).join(";\n"))),
                None => (split(&body), None),
            };
            let statement = measured
                .or_else(|| statements.pop())
                .ok_or_else(|| format!("{family}: the case `{name}` is empty"))?;
            cases.push(Case {
                family: family.to_owned(),
                name: name.to_owned(),
                setup: statements,
                statement,
                cells: BTreeMap::new(),
            });
        } else if !dbwright_sql::split(dialect, &body).is_empty() {
            return Err(format!("{family}: a statement stands before the first case"));
        }
        body.clear();
        name = Some(next.trim());
        let word = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        if !next.trim().chars().all(word) {
            return Err(format!("{family}: `{next}` is not a name of small letters, digits and `-`"));
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_statement_of_a_case_is_the_measured_one() {
        let text = "-- About.\n\n-- case: one\nselect 1;\n\n-- case: two\nset a = 1;\n-- why\nselect ';';\nselect 3;\n";
        let cases = parse("f", Dialect::Postgres, text).expect("cases");
        assert_eq!(cases.len(), 2);
        assert_eq!((cases[0].name.as_str(), cases[0].statement.as_str()), ("one", "select 1"));
        assert_eq!(cases[1].setup, ["set a = 1", "select ';'"]);
        assert_eq!(cases[1].statement, "select 3");
        let text = "-- case: one\nselect 1;\n-- measured:\nselect 2;\nselect 3;\n";
        let cases = parse("f", Dialect::Postgres, text).expect("cases");
        assert_eq!((cases[0].setup.len(), cases[0].statement.as_str()), (1, "select 2;\nselect 3"));
        for bad in ["select 1;\n-- case: one\nselect 1;", "-- case: one\n", "-- case: A b\nselect 1;"] {
            assert!(parse("f", Dialect::Postgres, bad).is_err(), "{bad}");
        }
    }
}
