//! Replication, write-ahead log, archiving and checkpoints.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::name::Name;

/// Replication as this server sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Replication {
    /// Whether this server replays from another.
    pub standby: bool,
    /// Servers that stream from this one.
    pub senders: Vec<Sender>,
    /// Seconds between now and the last replayed commit, on a standby.
    pub replay_delay_seconds: Option<f64>,
    /// Bytes received but not replayed, on a standby.
    pub replay_delay_bytes: Option<u64>,
    /// Whether somebody paused replay; `None` where the server knows no such thing.
    pub replay_paused: Option<bool>,
    /// Whether the receiver runs, on a standby; in MySQL whether both replica threads run.
    pub receiver_running: Option<bool>,
    /// The last error of the replica threads (MySQL).
    pub last_error: Option<String>,
}

/// One server that streams from this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sender {
    /// Application name of the standby.
    pub name: Name,
    /// `streaming`, `catchup`, ...
    pub state: Name,
    /// `sync`, `async`, `quorum`.
    pub sync_state: Name,
    /// Bytes not yet replayed there.
    pub replay_delay_bytes: Option<u64>,
    /// Seconds the standby reports.
    pub replay_delay_seconds: Option<f64>,
}

/// A replication slot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slot {
    /// Its name.
    pub name: Name,
    /// `physical` or `logical`.
    pub kind: Name,
    /// Whether somebody reads from it.
    pub active: bool,
    /// Bytes of log kept for it.
    pub retained_bytes: Option<u64>,
    /// `reserved`, `extended`, `unreserved`, `lost`.
    pub wal_status: Option<Name>,
    /// Transactions its horizon holds back.
    pub xmin_age: Option<u64>,
    /// The same for catalog rows.
    pub catalog_xmin_age: Option<u64>,
    /// Seconds since it became inactive (17).
    pub inactive_seconds: Option<f64>,
    /// Why the server invalidated it (17).
    pub invalidation: Option<Name>,
}

/// The archiver's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Archiver {
    /// Segments archived.
    pub archived: u64,
    /// Last success.
    pub last_archived: Option<Timestamp>,
    /// Failures.
    pub failed: u64,
    /// Last failure.
    pub last_failed: Option<Timestamp>,
    /// When the counters were reset.
    pub since: Option<Timestamp>,
}

/// The checkpointer's record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkpointer {
    /// Checkpoints begun because time was up.
    pub timed: u64,
    /// Checkpoints begun because log filled up or somebody asked.
    pub requested: u64,
    /// Milliseconds spent writing.
    pub write_ms: f64,
    /// Milliseconds spent in fsync.
    pub sync_ms: f64,
    /// When the counters were reset.
    pub since: Option<Timestamp>,
}

/// The write-ahead log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WalStatistics {
    /// Bytes written since the counters were reset (14).
    pub bytes: Option<u64>,
    /// Records.
    pub records: Option<u64>,
    /// Full-page images.
    pub full_page_images: Option<u64>,
    /// Times the log buffers were full.
    pub buffers_full: Option<u64>,
    /// Bytes in the log directory, where readable.
    pub directory_bytes: Option<u64>,
    /// When the counters were reset.
    pub since: Option<Timestamp>,
}
