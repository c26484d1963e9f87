//! Numbers the server keeps about tables, indexes, columns and sequences.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// Size, traffic and upkeep of one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableStatistics {
    /// The table.
    pub table: QualifiedName,
    /// Estimated or counted rows; `None` when the server has never counted.
    pub rows: Option<u64>,
    /// Whether `rows` was counted rather than estimated.
    #[serde(default)]
    pub rows_exact: bool,
    /// Bytes of the heap, or of the clustered index in MySQL, or of the table's b-tree in SQLite.
    pub table_bytes: Option<u64>,
    /// Bytes of all its indexes.
    pub index_bytes: Option<u64>,
    /// Bytes of out-of-line values.
    pub toast_bytes: Option<u64>,
    /// Live rows as the statistics collector counts them.
    pub live_rows: Option<u64>,
    /// Dead rows waiting for vacuum.
    pub dead_rows: Option<u64>,
    /// Rows changed since the last analyze.
    pub changed_since_analyze: Option<u64>,
    /// Rows inserted since counters were reset.
    pub inserts: Option<u64>,
    /// Rows updated since counters were reset.
    pub updates: Option<u64>,
    /// Updates that touched no index.
    pub hot_updates: Option<u64>,
    /// Rows deleted since counters were reset.
    pub deletes: Option<u64>,
    /// Sequential scans.
    pub sequential_scans: Option<u64>,
    /// Rows read by sequential scans.
    pub sequential_rows: Option<u64>,
    /// Index scans.
    pub index_scans: Option<u64>,
    /// Last vacuum by hand or by autovacuum.
    pub last_vacuum: Option<Timestamp>,
    /// Last analyze by hand or by autovacuum.
    pub last_analyze: Option<Timestamp>,
    /// Transactions since the table's oldest unfrozen row.
    pub xid_age: Option<u64>,
    /// Multixacts since the table's oldest.
    pub multixact_age: Option<u64>,
    /// Estimated wasted bytes of the heap; `None` when it cannot be estimated.
    pub bloat_bytes: Option<u64>,
    /// Next `AUTO_INCREMENT` value (MySQL) or `sqlite_sequence.seq` (SQLite).
    pub next_auto_increment: Option<u64>,
}

/// Size and traffic of one index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexStatistics {
    /// Its table.
    pub table: QualifiedName,
    /// The index.
    pub index: Name,
    /// Bytes.
    pub bytes: Option<u64>,
    /// Scans since counters were reset.
    pub scans: Option<u64>,
    /// Last scan (PostgreSQL 16).
    pub last_scan: Option<Timestamp>,
    /// Estimated wasted bytes; `None` when it cannot be estimated.
    pub bloat_bytes: Option<u64>,
    /// Distinct values of the leading part, where the engine says it.
    pub distinct: Option<u64>,
}

/// Since when the counters count, and how far they can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// When they were last reset; `None` when the server does not say.
    pub since: Option<Timestamp>,
    /// When the server started.
    pub started: Option<Timestamp>,
    /// Standbys whose scans are not in these numbers; `None` when the server does not tell.
    pub standbys: Option<u32>,
}

/// What the planner knows of one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnStatistics {
    /// Its table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// Share of nulls, 0 to 1.
    pub null_fraction: f64,
    /// Distinct values; negative is a share of the rows, as PostgreSQL keeps it.
    pub distinct: f64,
    /// Average width in bytes.
    pub average_width: u32,
    /// Correlation of value order and row order, -1 to 1.
    pub correlation: Option<f64>,
    /// Shares of the most common values, largest first.
    #[serde(default)]
    pub common_frequencies: Vec<f64>,
    /// The most common values as text, in the same order; empty when not collected.
    #[serde(default)]
    pub common_values: Vec<String>,
}

/// How far a sequence has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SequenceValue {
    /// The sequence.
    pub sequence: QualifiedName,
    /// Last value handed out; `None` when none was.
    pub last_value: Option<i64>,
}

/// The largest value in an integer key column, read through its index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnMaximum {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// Its largest value; `None` for an empty table.
    pub max: Option<i64>,
    /// Its smallest value, where asked.
    pub min: Option<i64>,
}
