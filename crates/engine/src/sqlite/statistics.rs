//! Sizes, row counts and largest keys.

use std::collections::BTreeMap;
use std::time::Instant;

use dbwright_model::catalog::{Catalog, TableKind};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::stats::{ColumnMaximum, IndexStatistics, TableStatistics};

use super::catalog;
use super::reader::{ReadError, Reader, quoted};
use crate::row::{DecodeError, Value};

/// What `ANALYZE` counted for one index.
struct Analyzed {
    table: String,
    index: Option<String>,
    rows: Option<u64>,
    /// Rows per distinct value of the leading part.
    per_value: Option<u64>,
}

/// Rows and bytes of every table that holds rows itself.
pub(super) fn tables(reader: &Reader) -> Result<Vec<TableStatistics>, ReadError> {
    let catalog = catalog::read(reader, &[])?;
    let bytes = sizes(reader);
    let analyzed = analyzed(reader)?;
    let given = given_keys(reader)?;
    let until = reader.budget();
    let mut statistics = Vec::new();
    for table in &catalog.tables {
        if matches!(table.kind, TableKind::Virtual { .. }) {
            continue;
        }
        let name = table.name.name.as_str();
        let counted = count(reader, name, until);
        let estimated = analyzed.iter().filter(|one| one.table == name).filter_map(|one| one.rows).max();
        let index_bytes = bytes.as_ref().map(|bytes| {
            table.indexes.iter().filter_map(|index| bytes.get(index.name.as_str())).sum::<u64>()
        });
        statistics.push(TableStatistics {
            table: table.name.clone(),
            rows: counted.or(estimated),
            rows_exact: counted.is_some(),
            table_bytes: bytes.as_ref().and_then(|bytes| bytes.get(name).copied()),
            index_bytes,
            next_auto_increment: given.get(name).copied(),
            ..TableStatistics::default()
        });
    }
    Ok(statistics)
}

/// Bytes and distinct values of every index that has a b-tree of its own.
pub(super) fn indexes(reader: &Reader) -> Result<Vec<IndexStatistics>, ReadError> {
    let catalog = catalog::read(reader, &[])?;
    let bytes = sizes(reader);
    let analyzed = analyzed(reader)?;
    let mut statistics = Vec::new();
    for table in &catalog.tables {
        for index in &table.indexes {
            let found = analyzed.iter().find(|one| {
                one.table == table.name.name.as_str() && one.index.as_deref() == Some(index.name.as_str())
            });
            let distinct = found.and_then(|one| Some(one.rows? / one.per_value.filter(|n| *n > 0)?));
            statistics.push(IndexStatistics {
                table: table.name.clone(),
                index: index.name.clone(),
                bytes: bytes.as_ref().and_then(|bytes| bytes.get(index.name.as_str()).copied()),
                distinct,
                ..IndexStatistics::default()
            });
        }
    }
    Ok(statistics)
}

/// Largest values of integer keys and of integer columns that refer to them, where an index gives them without a scan.
pub(super) fn maxima(reader: &Reader) -> Result<Vec<ColumnMaximum>, ReadError> {
    let catalog = catalog::read(reader, &[])?;
    let until = reader.budget();
    let mut maxima = Vec::new();
    for (table, column) in keys(&catalog) {
        let (name, key) = (quoted(table.name.as_str()), quoted(column.as_str()));
        // Two questions, because SQLite uses an index for a single `min` or `max` only.
        let sql = format!(
            "SELECT (SELECT min(t.{key}) FROM main.{name} AS t) AS low, \
             (SELECT max(t.{key}) FROM main.{name} AS t) AS high"
        );
        let Some(row) = reader.rows_until(&sql, &[], until)?.into_iter().next() else { continue };
        let number = |name| -> Result<Option<i64>, DecodeError> {
            Ok(match row.value(name)? {
                Value::Int(number) => Some(*number),
                _ => None,
            })
        };
        maxima.push(ColumnMaximum { max: number("high")?, min: number("low")?, table, column });
    }
    Ok(maxima)
}

/// Integer columns of primary and foreign keys that lead an index.
fn keys(catalog: &Catalog) -> Vec<(QualifiedName, Name)> {
    let mut keys = Vec::new();
    for table in &catalog.tables {
        if matches!(table.kind, TableKind::Virtual { .. }) {
            continue;
        }
        let primary = table.primary_key.iter().filter_map(|key| key.columns.first());
        let foreign = table.foreign_keys.iter().filter_map(|key| key.columns.first());
        for name in primary.chain(foreign) {
            let column = table.columns.iter().find(|column| column.name.eq_ignore_case(name.as_str()));
            let Some(column) = column else { continue };
            let integer = column.data_type.text.as_str().to_ascii_uppercase().contains("INT");
            let leads = table.indexes.iter().any(|index| {
                index.predicate.is_none()
                    && index.parts.first().and_then(|part| part.as_column()) == Some(&column.name)
            });
            if integer && leads {
                keys.push((table.name.clone(), column.name.clone()));
            }
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// The rows of a table, if they can be counted in time.
fn count(reader: &Reader, table: &str, until: Instant) -> Option<u64> {
    let sql = format!("SELECT count(*) AS rows FROM main.{}", quoted(table));
    reader.rows_until(&sql, &[], until).ok()?.first()?.opt_count("rows").ok()?
}

/// Bytes by the name of the b-tree; `None` when this library or the time does not allow it.
fn sizes(reader: &Reader) -> Option<BTreeMap<String, u64>> {
    let rows = reader.rows(include_str!("../../sql/sqlite/sizes.sql"), &[]).ok()?;
    let mut sizes = BTreeMap::new();
    for row in rows {
        let (Ok(name), Ok(Some(bytes))) = (row.text("name"), row.opt_count("bytes")) else { continue };
        sizes.insert(name.to_owned(), bytes);
    }
    Some(sizes)
}

fn analyzed(reader: &Reader) -> Result<Vec<Analyzed>, ReadError> {
    if !reader.has_table("sqlite_stat1")? {
        return Ok(Vec::new());
    }
    let mut analyzed = Vec::new();
    for row in reader.rows(include_str!("../../sql/sqlite/stat1.sql"), &[])? {
        let mut numbers = row.opt_text("stat")?.unwrap_or_default().split(' ').map(|n| n.parse().ok());
        analyzed.push(Analyzed {
            table: row.opt_text("on_table")?.unwrap_or_default().to_owned(),
            index: row.opt_text("on_index")?.map(str::to_owned),
            rows: numbers.next().flatten(),
            per_value: numbers.next().flatten(),
        });
    }
    Ok(analyzed)
}

fn given_keys(reader: &Reader) -> Result<BTreeMap<String, u64>, ReadError> {
    let mut given = BTreeMap::new();
    if reader.has_table("sqlite_sequence")? {
        for row in reader.rows(include_str!("../../sql/sqlite/sequences.sql"), &[])? {
            // The table can be written by anyone, so its rows may hold anything.
            if let (Ok(name), Ok(Some(seq))) = (row.text("name"), row.opt_count("seq")) {
                given.insert(name.to_owned(), seq);
            }
        }
    }
    Ok(given)
}
