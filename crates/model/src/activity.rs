//! What the server is doing now.

use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// One session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Process or thread identifier.
    pub id: i64,
    /// User.
    pub user: Option<Name>,
    /// Database.
    pub database: Option<Name>,
    /// Application name or program.
    pub application: String,
    /// `client backend`, `walsender`, `autovacuum worker`, ...
    pub backend: Name,
    /// `active`, `idle`, `idle in transaction`, ...
    pub state: Name,
    /// Seconds since its transaction began.
    pub transaction_seconds: Option<f64>,
    /// Seconds since its statement began.
    pub statement_seconds: Option<f64>,
    /// Seconds since the state last changed.
    pub state_seconds: Option<f64>,
    /// What it waits for, `Lock:relation` style.
    pub wait: Option<Name>,
    /// Sessions that block it.
    #[serde(default)]
    pub blocked_by: Vec<i64>,
    /// Transactions between its horizon and now: how much cleaning it holds back.
    pub horizon_age: Option<u64>,
    /// Whether the connection is encrypted.
    pub encrypted: Option<bool>,
    /// Whether it came over the network.
    pub remote: Option<bool>,
    /// Its statement, literals kept; never printed without need.
    pub statement: Option<String>,
}

/// A transaction that was prepared and not finished.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreparedTransaction {
    /// Its identifier.
    pub id: String,
    /// Its owner.
    pub owner: Name,
    /// Its database.
    pub database: Name,
    /// Seconds since it was prepared.
    pub age_seconds: f64,
    /// Transactions since.
    pub xid_age: u64,
}

/// Counters of one database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseStatistics {
    /// The database.
    pub name: Name,
    /// Whether it is the one being audited.
    pub current: bool,
    /// Whether connections are allowed.
    pub allows_connections: bool,
    /// Transactions since its oldest unfrozen row.
    pub xid_age: Option<u64>,
    /// Multixacts since its oldest.
    pub multixact_age: Option<u64>,
    /// Bytes on disk, where asked.
    pub bytes: Option<u64>,
    /// Committed transactions.
    pub commits: Option<u64>,
    /// Rolled back transactions.
    pub rollbacks: Option<u64>,
    /// Deadlocks.
    pub deadlocks: Option<u64>,
    /// Temporary files.
    pub temp_files: Option<u64>,
    /// Bytes of temporary files.
    pub temp_bytes: Option<u64>,
    /// Blocks found in the cache.
    pub blocks_hit: Option<u64>,
    /// Blocks read from outside the cache.
    pub blocks_read: Option<u64>,
    /// Data pages whose checksum did not match; `None` without checksums.
    pub checksum_failures: Option<u64>,
    /// Statements that were cancelled because they stood in the way of replay, on a standby.
    pub conflicts: Option<u64>,
    /// Collation version recorded at creation and the library's version now, when they differ.
    pub collation_drift: Option<(String, String)>,
}

/// Named counters and gauges: MySQL's `SHOW GLOBAL STATUS`, and of PostgreSQL, under names of our own, what stands in no
/// other fact:
/// - `shared_locks`: locks held or waited for in the shared lock table, those of the fast path left out;
/// - `notification_queue`: the share of the queue of `NOTIFY` that is taken, 0 to 1;
/// - `client_fsyncs`: files that client backends had to sync themselves, since `client_fsyncs_since`, in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Values by lower-case name.
    pub values: std::collections::BTreeMap<String, String>,
}

impl ServerStatus {
    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.values.get(name)?.parse().ok()
    }
}

/// A lock that is waited for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LockWait {
    /// The waiting session.
    pub waiting: i64,
    /// The blocking session.
    pub blocking: i64,
    /// The relation, where it is one.
    pub relation: Option<QualifiedName>,
    /// Seconds of waiting.
    pub seconds: Option<f64>,
}
