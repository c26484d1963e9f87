//! How hard a server works while rows are being rewritten, as far as it tells.

use serde::{Deserialize, Serialize};

use crate::observed::Observed;

/// One reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pressure {
    /// Seconds that the slowest replica is behind; `Known(None)` when nobody replicates from this server.
    pub lag_seconds: Observed<Option<f64>>,
    /// Bytes that the server has ever written to its log; only differences mean something.
    pub log_position: Observed<u64>,
    /// Rows of the table that are there, and rows that are dead and not yet cleaned away.
    pub dead_rows: Observed<DeadRows>,
    /// Whether the table is being vacuumed now.
    pub vacuum_running: Observed<bool>,
    /// Sessions that wait for a lock of the table or of one of its rows.
    pub waiting: Observed<u64>,
}

/// Rows of a table by what a vacuum would find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRows {
    /// Rows that somebody can see, estimated.
    pub live: u64,
    /// Rows that nobody can see any more, estimated.
    pub dead: u64,
}

impl DeadRows {
    /// Dead rows of all rows, from 0 to 1.
    pub fn share(self) -> f64 {
        let all = self.live.saturating_add(self.dead);
        if all == 0 { 0.0 } else { self.dead as f64 / all as f64 }
    }
}
