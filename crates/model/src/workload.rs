//! Statements the server has run, as its statement statistics keep them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::expression::DataStatement;
use crate::name::Name;

/// Normalised statements and their cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Workload {
    /// Where the numbers come from: `pg_stat_statements`, `performance_schema` or a file.
    pub source: String,
    /// When they were last reset.
    pub since: Option<Timestamp>,
    /// Statements evicted for lack of room, where known.
    pub evicted: Option<u64>,
    /// The statements, most expensive first.
    pub statements: Vec<Statement>,
}

impl Workload {
    /// How every statement begins that dbwright sends. They are no part of what is judged.
    pub const OWN_MARK: &str = "/* dbwright:";
}

/// One normalised statement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Statement {
    /// The server's own identifier, or a hash of the text for statements of a file.
    pub id: String,
    /// The text with constants replaced.
    pub text: String,
    /// The parsed statement, once read.
    #[serde(skip)]
    pub parsed: Option<Box<DataStatement>>,
    /// The role that ran it, where known.
    pub user: Option<Name>,
    /// File and line, for statements of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<crate::finding::Location>,
    /// Executions; `None` for statements of a file.
    pub calls: Option<u64>,
    /// Total execution time in milliseconds.
    pub total_ms: Option<f64>,
    /// Mean execution time in milliseconds.
    pub mean_ms: Option<f64>,
    /// Longest execution in milliseconds.
    pub max_ms: Option<f64>,
    /// Rows returned or changed.
    pub rows: Option<u64>,
    /// Rows examined to get there (MySQL).
    pub rows_examined: Option<u64>,
    /// Blocks read from outside the cache.
    pub blocks_read: Option<u64>,
    /// Blocks found in the cache.
    pub blocks_hit: Option<u64>,
    /// Temporary blocks written.
    pub temp_blocks_written: Option<u64>,
    /// Executions that needed a temporary table on disk (MySQL).
    pub disk_temp_tables: Option<u64>,
    /// Executions that used no index (MySQL).
    pub no_index_used: Option<u64>,
    /// Write-ahead log bytes.
    pub wal_bytes: Option<u64>,
}
