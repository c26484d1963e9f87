//! Which migrations were applied, as the migration tools' own tables say.

use dbwright_model::facts::{AppliedMigration, MigrationHistory};
use dbwright_model::history::{self, HistoryTable, Outcome, Version};
use dbwright_model::name::QualifiedName;
use jiff::Timestamp;

use super::reader::{ReadError, Reader, quoted};
use crate::row::{Row, Value};

/// Most migrations read of one tool.
const LIMIT: usize = 10_000;

/// Reads the tables of the migration tools that are there.
pub(super) fn read(reader: &Reader) -> Result<Vec<MigrationHistory>, ReadError> {
    let mut histories: Vec<MigrationHistory> = Vec::new();
    let tables = names(reader, include_str!("../../sql/sqlite/table_names.sql"), &[])?;
    for table in tables.iter().filter(|table| history::may_be(table)) {
        let columns = names(reader, include_str!("../../sql/sqlite/column_names.sql"), &[table])?;
        let find = |wanted: &str| columns.iter().find(|column| column.eq_ignore_ascii_case(wanted));
        // A table of that name which another program made lacks the columns.
        let Some(known) = history::of_table(table, |wanted| find(wanted).is_some()) else { continue };
        let checksum = known.checksum.and_then(find).map(|column| quoted(column));
        let checksum = checksum.map(|column| {
            format!(", CASE typeof({column}) WHEN 'blob' THEN lower(hex({column})) ELSE {column} END AS {CHECKSUM}")
        });
        let sql =
            format!("SELECT *{} FROM main.{} LIMIT {LIMIT}", checksum.unwrap_or_default(), quoted(table));
        let rows = reader.rows(&sql, &[])?;
        let mut applied: Vec<AppliedMigration> =
            rows.iter().filter_map(|row| migration(known, &Cells(row))).collect();
        applied.sort_by(|a, b| (number(&a.version), &a.version).cmp(&(number(&b.version), &b.version)));
        histories.push(MigrationHistory {
            tool: known.tool.to_owned(),
            table: QualifiedName::bare(table),
            applied,
        });
    }
    Ok(histories)
}

/// The column that a checksum is given in, bytes as digits.
const CHECKSUM: &str = "dbwright_checksum";

fn names(reader: &Reader, sql: &str, parameters: &[&str]) -> Result<Vec<String>, ReadError> {
    let rows = reader.rows(sql, parameters)?;
    rows.iter().map(|row| Ok(row.text("name")?.to_owned())).collect()
}

/// A row whose columns are found whatever their case is.
struct Cells<'a>(&'a Row);

impl Cells<'_> {
    fn value(&self, column: &str) -> &Value {
        match self.0.columns.iter().find(|name| name.eq_ignore_ascii_case(column)) {
            Some(name) => self.0.optional(name),
            None => &Value::Null,
        }
    }

    fn text(&self, column: &str) -> Option<String> {
        match self.value(column) {
            Value::Text(text) => Some(text.to_string()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Whether a value is true, as SQLite and the tools' own texts have it.
    fn flag(&self, column: &str) -> Option<bool> {
        match self.value(column) {
            Value::Int(flag) => Some(*flag != 0),
            Value::Bool(flag) => Some(*flag),
            Value::Text(text) => match text.to_ascii_lowercase().as_str() {
                "1" | "t" | "true" => Some(true),
                "0" | "f" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The number a version is, so that 10 comes after 9.
fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

fn migration(known: &HistoryTable, row: &Cells<'_>) -> Option<AppliedMigration> {
    let version = match known.version {
        Version::Column(column) => row.text(column)?,
        Version::Either(first, second) => row.text(first).or_else(|| row.text(second))?,
        Version::Joined(first, second) => format!("{}.{}", row.text(first)?, row.text(second)?),
    };
    // What a history does not say clearly did not end well.
    let ok = match known.outcome {
        Outcome::Recorded => true,
        Outcome::True(column) => row.flag(column).unwrap_or(false),
        Outcome::False(column) => row.flag(column).is_some_and(|flag| !flag),
        Outcome::Finished(column, undone) => {
            *row.value(column) != Value::Null && *row.value(undone) == Value::Null
        }
        Outcome::Not(column, word) => row.text(column).is_some_and(|text| text != word),
        Outcome::Is(column, word) => row.text(column).is_some_and(|text| text == word),
        Outcome::Equal(first, second) => row.text(first) == row.text(second),
    };
    let text = |column: Option<&str>| column.and_then(|column| row.text(column));
    Some(AppliedMigration {
        version,
        ok,
        at: known.at.and_then(|column| timestamp(row.value(column))),
        script: text(known.script),
        checksum: text(Some(CHECKSUM)),
        kind: text(known.kind),
    })
}

/// A time as any of the tools writes it: text in UTC, or seconds or milliseconds since 1970.
fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Int(number) if number.abs() > 100_000_000_000 => Timestamp::from_millisecond(*number).ok(),
        Value::Int(number) => Timestamp::from_second(*number).ok(),
        Value::Text(text) => text.parse().ok().or_else(|| {
            let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }),
        _ => None,
    }
}
