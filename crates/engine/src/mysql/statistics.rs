//! Sizes, traffic and statements: pure decoders of recorded rows.

use std::collections::BTreeMap;

use dbwright_model::activity::ServerStatus;
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::settings::{Setting, Settings};
use dbwright_model::stats::{IndexStatistics, TableStatistics};
use dbwright_model::workload::{Statement, Workload};
use jiff::Timestamp;

use super::catalog::Reading;
use crate::redact;
use crate::row::{DecodeError, Row};

/// Table statistics. Numbers of InnoDB are estimates.
pub(super) fn tables(rows: &[Row], reading: Reading<'_>) -> Result<Vec<TableStatistics>, DecodeError> {
    let mut made = Vec::new();
    for row in rows {
        made.push(TableStatistics {
            table: reading.table(row)?,
            rows: row.opt_count("table_rows")?,
            rows_exact: matches!(row.opt_text("engine")?, Some("MyISAM" | "Aria" | "MEMORY")),
            table_bytes: row.opt_count("data_length")?,
            index_bytes: row.opt_count("index_length")?,
            bloat_bytes: None,
            next_auto_increment: row.opt_count("next_auto_increment")?,
            ..TableStatistics::default()
        });
    }
    made.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(made)
}

/// Index statistics: distinct values of the leading part, and scans and sizes where the server tells them.
pub(super) fn indexes(
    parts: &[Row],
    scans: Option<&[Row]>,
    sizes: Option<&[Row]>,
    reading: Reading<'_>,
) -> Result<Vec<IndexStatistics>, DecodeError> {
    let mut made: BTreeMap<(QualifiedName, Name), IndexStatistics> = BTreeMap::new();
    for row in parts {
        if row.int("seq_in_index")? != 1 {
            continue;
        }
        let (table, index) = (reading.table(row)?, Name::new(row.text("index_name")?));
        let distinct = row.opt_count("cardinality")?;
        let one =
            IndexStatistics { table: table.clone(), index: index.clone(), distinct, ..Default::default() };
        made.insert((table, index), one);
    }
    for row in scans.unwrap_or_default() {
        let key = (reading.table(row)?, Name::new(row.text("index_name")?));
        if let Some(index) = made.get_mut(&key) {
            index.scans = row.opt_count("scans")?;
        }
    }
    for row in sizes.unwrap_or_default() {
        // Partitions are kept apart as `t#P#p0`.
        let table = row.text("table_name")?;
        let table = table.split(['#']).next().unwrap_or(table);
        let name = reading.name(row.text("table_schema")?, table);
        if let Some(index) = made.get_mut(&(name, Name::new(row.text("index_name")?))) {
            index.bytes = Some(index.bytes.unwrap_or(0) + row.opt_count("bytes")?.unwrap_or(0));
        }
    }
    Ok(made.into_values().collect())
}

/// Statement statistics of `performance_schema`, whose times are picoseconds.
pub(super) fn workload(rows: &[Row]) -> Result<Workload, DecodeError> {
    let mut made = Workload { source: "performance_schema".to_owned(), ..Workload::default() };
    for row in rows {
        let milliseconds = |column| Ok::<_, DecodeError>(row.opt_float(column)?.map(|ps| ps / 1e9));
        let calls = row.opt_count("calls")?;
        let total_ms = milliseconds("total_ps")?;
        let sent = row.opt_count("rows_sent")?.unwrap_or(0);
        let since = row.opt_float("first_seen")?.and_then(timestamp);
        made.since = made.since.into_iter().chain(since).min();
        made.statements.push(Statement {
            id: row.opt_text("digest")?.unwrap_or_default().to_owned(),
            text: redact::statement(Dialect::Mysql, row.text("digest_text")?),
            calls,
            total_ms,
            mean_ms: total_ms.zip(calls).filter(|(_, calls)| *calls > 0).map(|(ms, calls)| ms / calls as f64),
            max_ms: milliseconds("max_ps")?,
            rows: Some(sent + row.opt_count("rows_affected")?.unwrap_or(0)),
            rows_examined: row.opt_count("rows_examined")?,
            disk_temp_tables: row.opt_count("disk_temp_tables")?,
            no_index_used: row.opt_count("no_index_used")?,
            ..Statement::default()
        });
    }
    Ok(made)
}

/// A time given in seconds since the epoch.
pub(super) fn timestamp(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_microsecond((seconds * 1e6) as i64).ok()
}

/// `SHOW GLOBAL VARIABLES`. Times and sizes carry no unit there.
pub(super) fn settings(rows: &[Row]) -> Result<Settings, DecodeError> {
    let mut made = Settings::default();
    for row in rows {
        let name = row.text("variable_name")?.to_ascii_lowercase();
        let value = row.opt_text("value")?.unwrap_or_default().to_owned();
        made.values.insert(name, Setting { value, ..Setting::default() });
    }
    Ok(made)
}

/// `SHOW GLOBAL STATUS`.
pub(super) fn status(rows: &[Row]) -> Result<ServerStatus, DecodeError> {
    let mut made = ServerStatus::default();
    for row in rows {
        let value = row.opt_text("value")?.unwrap_or_default().to_owned();
        made.values.insert(row.text("variable_name")?.to_ascii_lowercase(), value);
    }
    Ok(made)
}
