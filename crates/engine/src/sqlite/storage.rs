//! Settings of a file and of connections to it, how it is kept, and whether it holds together.

use std::fs;
use std::path::Path;

use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::settings::{Setting, Settings};
use dbwright_model::storage::{ForeignKeyViolation, Integrity, MixedColumn, Storage, UnansweredKeys};

use super::catalog;
use super::file::beside;
use super::reader::{ReadError, Reader, quoted};
use crate::row::Value;

/// Pragmas whose value stands in the file.
const OF_FILE: [&str; 8] = [
    "application_id",
    "auto_vacuum",
    "encoding",
    "journal_mode",
    "page_size",
    "schema_version",
    "user_version",
    "max_page_count",
];

/// Pragmas that every connection sets for itself. Those that this reader sets are not among them.
const OF_CONNECTION: [&str; 16] = [
    "automatic_index",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "defer_foreign_keys",
    "foreign_keys",
    "fullfsync",
    "journal_size_limit",
    "locking_mode",
    "mmap_size",
    "recursive_triggers",
    "secure_delete",
    "synchronous",
    "temp_store",
    "wal_autocheckpoint",
];

/// Largest table whose values are looked at one by one.
const MAX_ROWS_TO_CLASSIFY: u64 = 1_000_000;

/// Examples kept of each violated foreign key.
const EXAMPLES: usize = 5;

/// Pragmas and build options as settings.
pub(super) fn settings(reader: &Reader) -> Result<Settings, ReadError> {
    let mut settings = Settings::default();
    for name in OF_FILE {
        let mut value = text(&reader.pragma(name)?);
        if name == "journal_mode" && reader.header().wal {
            value = "wal".to_owned();
        }
        let setting = Setting { value, source: "database file".to_owned(), ..Setting::default() };
        settings.values.insert(name.to_owned(), setting);
    }
    for name in OF_CONNECTION {
        let mut setting = Setting {
            value: text(&reader.pragma(name)?),
            source: "per connection".to_owned(),
            context: "connection".to_owned(),
            ..Setting::default()
        };
        if name == "foreign_keys" {
            // This library was built to enforce; an application's own starts without unless it says so.
            setting.value = "0".to_owned();
            setting.boot_value = Some("0".to_owned());
        }
        settings.values.insert(name.to_owned(), setting);
    }
    for row in reader.rows(include_str!("../../sql/sqlite/compile_options.sql"), &[])? {
        let option = row.text("option")?;
        let (name, value) = option.split_once('=').unwrap_or((option, "1"));
        let setting = Setting {
            value: value.to_owned(),
            source: "the library that read the file".to_owned(),
            ..Setting::default()
        };
        settings.values.insert(format!("compile_option.{}", name.to_ascii_lowercase()), setting);
    }
    Ok(settings)
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => i64::from(*flag).to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        Value::List(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
    }
}

/// How the file is kept.
pub(super) fn storage(reader: &Reader) -> Result<Storage, ReadError> {
    let number = |name| -> Result<u64, ReadError> {
        Ok(match reader.pragma(name)? {
            Value::Int(number) => u64::try_from(number).unwrap_or_default(),
            _ => 0,
        })
    };
    let journal_mode =
        if reader.header().wal { "wal".to_owned() } else { text(&reader.pragma("journal_mode")?) };
    Ok(Storage {
        page_size: number("page_size")?,
        page_count: number("page_count")?,
        free_pages: number("freelist_count")?,
        journal_mode: Name::from(journal_mode),
        auto_vacuum: u8::try_from(number("auto_vacuum")?).unwrap_or_default(),
        encoding: Name::from(text(&reader.pragma("encoding")?)),
        user_version: match reader.pragma("user_version")? {
            Value::Int(number) => number,
            _ => 0,
        },
        wal_bytes: fs::metadata(beside(reader.path(), "-wal")).map_or(0, |metadata| metadata.len()),
        file_mode: file_mode(reader.path()),
        analyzed: reader.has_table("sqlite_stat1")?
            && !reader.rows("SELECT 1 FROM sqlite_stat1 LIMIT 1", &[])?.is_empty(),
        writer_version: reader.header().writer_version,
    })
}

#[cfg(unix)]
fn file_mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn file_mode(_path: &Path) -> Option<u32> {
    None
}

/// Whether the file holds together: its structure, its foreign keys and the classes of its values.
pub(super) fn integrity(reader: &Reader) -> Result<Integrity, ReadError> {
    let mut integrity = Integrity::default();
    for row in reader.rows(include_str!("../../sql/sqlite/quick_check.sql"), &[])? {
        let complaint = row.text("quick_check")?;
        if complaint != "ok" {
            integrity.complaints.push(complaint.to_owned());
        }
    }
    let catalog = catalog::read(reader, &[])?;
    for table in &catalog.tables {
        if !table.foreign_keys.is_empty() {
            violations(reader, table, &mut integrity)?;
        }
    }
    let until = reader.budget();
    for table in &catalog.tables {
        if table.strict || table.kind != TableKind::Ordinary {
            continue;
        }
        // The count is bounded too, so that a large table costs no more than its limit.
        let limit = MAX_ROWS_TO_CLASSIFY + 1;
        let name = quoted(table.name.name.as_str());
        let sql = format!("SELECT count(*) AS rows FROM (SELECT 1 FROM main.{name} LIMIT {limit})");
        let rows = match reader.rows_until(&sql, &[], until) {
            Ok(rows) => rows.first().map(|row| row.opt_count("rows")).transpose()?.flatten(),
            Err(_) => None,
        };
        let small = rows.is_some_and(|rows| rows <= MAX_ROWS_TO_CLASSIFY);
        if !small || mixed(reader, table, until, &mut integrity.mixed_columns).is_err() {
            integrity.unchecked.push(table.name.clone());
        }
    }
    Ok(integrity)
}

fn violations(reader: &Reader, table: &Table, integrity: &mut Integrity) -> Result<(), ReadError> {
    let name = table.name.name.as_str();
    // The check names a foreign key by its number, which the catalog does not keep.
    let mut columns: Vec<(i64, Name)> = Vec::new();
    for row in reader.rows(include_str!("../../sql/sqlite/foreign_keys.sql"), &[name])? {
        columns.push((row.int("id")?, Name::new(row.text("child_column")?)));
    }
    let mut found: Vec<(i64, ForeignKeyViolation)> = Vec::new();
    let checked = reader.each(
        include_str!("../../sql/sqlite/foreign_key_check.sql"),
        &[name],
        reader.budget(),
        |row| {
            let id = row.int("id")?;
            let known = found.iter().position(|(other, _)| *other == id).unwrap_or_else(|| {
                let violation = ForeignKeyViolation {
                    table: table.name.clone(),
                    columns: columns
                        .iter()
                        .filter(|(other, _)| *other == id)
                        .map(|(_, name)| name.clone())
                        .collect(),
                    ..ForeignKeyViolation::default()
                };
                found.push((id, violation));
                found.len() - 1
            });
            let violation = &mut found[known].1;
            violation.parent = QualifiedName::bare(row.text("parent")?);
            violation.rows += 1;
            if violation.examples.len() < EXAMPLES
                && let Some(rowid) = row.opt_int("row_id")?
            {
                violation.examples.push(format!("rowid {rowid}"));
            }
            Ok(true)
        },
    );
    match checked {
        Ok(()) => {}
        // What was counted until then stands as "at least".
        Err(ReadError::TooLong) if !found.is_empty() => {}
        // A parent without a fitting key is no damage: the file holds together, and only this question has no answer.
        Err(ReadError::Sqlite(error)) => {
            let table = table.name.clone();
            integrity.unanswered.push(UnansweredKeys { table, because: error.to_string() });
        }
        Err(error) => return Err(error),
    }
    found.sort_by_key(|(id, _)| -id);
    integrity.violations.extend(found.into_iter().map(|(_, violation)| violation));
    Ok(())
}

fn mixed(
    reader: &Reader,
    table: &Table,
    until: std::time::Instant,
    found: &mut Vec<MixedColumn>,
) -> Result<(), ReadError> {
    for column in &table.columns {
        let (name, key) = (quoted(table.name.name.as_str()), quoted(column.name.as_str()));
        let sql = format!(
            "SELECT typeof(t.{key}) AS class, count(*) AS n FROM main.{name} AS t \
             WHERE t.{key} IS NOT NULL GROUP BY 1 ORDER BY 1"
        );
        let mut classes = Vec::new();
        for row in reader.rows_until(&sql, &[], until)? {
            classes.push((Name::new(row.text("class")?), row.opt_count("n")?.unwrap_or_default()));
        }
        if classes.len() > 1 {
            found.push(MixedColumn { table: table.name.clone(), column: column.name.clone(), classes });
        }
    }
    Ok(())
}
