//! What is known of backups.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Backups and proofs of restore that could be found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backups {
    /// Where records were looked for.
    pub sources: Vec<String>,
    /// Records, newest first.
    pub records: Vec<BackupRecord>,
    /// Proofs of restore, newest first.
    pub proofs: Vec<RestoreProof>,
}

/// One backup as its tool recorded it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupRecord {
    /// The tool.
    pub tool: String,
    /// When it ended.
    pub finished: Option<Timestamp>,
    /// Whether the tool called it good.
    pub ok: bool,
}

/// One proof that a backup could be restored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestoreProof {
    /// When the restore ended.
    pub finished: Option<Timestamp>,
    /// Whether everything compared equal.
    pub ok: bool,
}
