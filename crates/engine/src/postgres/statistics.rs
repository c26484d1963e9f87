//! Sizes, traffic and planner statistics of tables, indexes, columns and sequences.

use dbwright_model::name::Name;
use dbwright_model::stats::{
    ColumnMaximum, ColumnStatistics, IndexStatistics, SequenceValue, TableStatistics,
};

use super::bloat::{self, Attribute, IndexShape, TableShape};
use super::catalog::qualified;
use super::draft::Draft;
use super::value::timestamp;
use crate::row::{DecodeError, Row, Value};

pub(super) fn table(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let statistics = TableStatistics {
        table: qualified(row, "schema", "name")?,
        rows: row.opt_float("rows")?.filter(|rows| *rows >= 0.0).map(|rows| rows as u64),
        rows_exact: false,
        table_bytes: row.opt_count("table_bytes")?,
        index_bytes: row.opt_count("index_bytes")?,
        toast_bytes: row.opt_count("toast_bytes")?,
        live_rows: row.opt_count("n_live_tup")?,
        dead_rows: row.opt_count("n_dead_tup")?,
        changed_since_analyze: row.opt_count("n_mod_since_analyze")?,
        inserts: row.opt_count("n_tup_ins")?,
        updates: row.opt_count("n_tup_upd")?,
        hot_updates: row.opt_count("n_tup_hot_upd")?,
        deletes: row.opt_count("n_tup_del")?,
        sequential_scans: row.opt_count("seq_scan")?,
        sequential_rows: row.opt_count("seq_tup_read")?,
        index_scans: row.opt_count("idx_scan")?,
        last_vacuum: timestamp(row.opt_float("last_vacuum")?),
        last_analyze: timestamp(row.opt_float("last_analyze")?),
        xid_age: row.opt_count("xid_age")?,
        multixact_age: row.opt_count("multixact_age")?,
        bloat_bytes: None,
        next_auto_increment: None,
    };
    draft.table_statistics.insert(row.int("oid")?, statistics);
    Ok(())
}

pub(super) fn table_shape(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let shape = TableShape {
        page_size: draft.page_size,
        pages: row.opt_count("pages")?.unwrap_or(0),
        rows: row.opt_float("rows")?.unwrap_or(0.0),
        fillfactor: row.int("fillfactor")?,
        attributes: attributes(row)?,
    };
    if let Some(table) = draft.table_statistics.get_mut(row.int("oid")?) {
        table.bloat_bytes = bloat::table(&shape);
    }
    Ok(())
}

pub(super) fn index(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let statistics = IndexStatistics {
        table: qualified(row, "schema", "relation")?,
        index: Name::new(row.text("name")?),
        bytes: row.opt_count("bytes")?,
        scans: row.opt_count("idx_scan")?,
        last_scan: timestamp(row.opt_float("last_scan")?),
        bloat_bytes: None,
        distinct: None,
    };
    draft.index_statistics.insert(row.int("oid")?, statistics);
    Ok(())
}

pub(super) fn index_shape(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let shape = IndexShape {
        page_size: draft.page_size,
        pages: row.opt_count("pages")?.unwrap_or(0),
        rows: row.opt_float("rows")?.unwrap_or(0.0),
        fillfactor: row.int("fillfactor")?,
        attributes: attributes(row)?,
        distinct: numbers(row, "distinct")?,
        unique: row.bool("unique")?,
        deduplicates: row.opt_bool("deduplicates")?.unwrap_or(false)
            && row.opt_bool("merges")?.unwrap_or(false),
    };
    if let Some(index) = draft.index_statistics.get_mut(row.int("oid")?) {
        index.bloat_bytes = bloat::btree(&shape);
    }
    Ok(())
}

fn attributes(row: &Row) -> Result<Vec<Attribute>, DecodeError> {
    let lengths = row.ints("lengths")?;
    let alignments = row.texts("alignments")?;
    let widths = numbers(row, "widths")?;
    let nulls = numbers(row, "null_fractions")?;
    let at = |list: &[Option<f64>], index: usize| list.get(index).copied().flatten();
    Ok(lengths
        .into_iter()
        .zip(alignments)
        .enumerate()
        .map(|(index, (length, alignment))| Attribute {
            length,
            alignment: match alignment {
                "c" => 1,
                "s" => 2,
                "i" => 4,
                _ => 8,
            },
            width: at(&widths, index),
            null_fraction: at(&nulls, index),
        })
        .collect())
}

fn numbers(row: &Row, column: &str) -> Result<Vec<Option<f64>>, DecodeError> {
    let Value::List(values) = row.value(column)? else { return Ok(Vec::new()) };
    Ok(values
        .iter()
        .map(|value| match value {
            Value::Int(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        })
        .collect())
}

pub(super) fn column(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let statistics = ColumnStatistics {
        table: qualified(row, "schema", "relation")?,
        column: Name::new(row.text("column")?),
        null_fraction: row.opt_float("null_fraction")?.unwrap_or(0.0),
        distinct: row.opt_float("distinct")?.unwrap_or(0.0),
        average_width: row.opt_count("width")?.and_then(|width| u32::try_from(width).ok()).unwrap_or(0),
        correlation: row.opt_float("correlation")?,
        common_frequencies: numbers(row, "frequencies")?.into_iter().flatten().collect(),
        common_values: row.texts("values")?.into_iter().map(str::to_owned).collect(),
    };
    draft.column_statistics.push(statistics);
    Ok(())
}

pub(super) fn sequence_value(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.sequence_values.push(SequenceValue {
        sequence: qualified(row, "schema", "name")?,
        last_value: row.opt_int("last_value")?,
    });
    Ok(())
}

pub(super) fn column_maximum(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    draft.column_maxima.push(ColumnMaximum {
        table: qualified(row, "schema", "relation")?,
        column: Name::new(row.text("column")?),
        max: row.opt_int("max")?,
        min: row.opt_int("min")?,
    });
    Ok(())
}
