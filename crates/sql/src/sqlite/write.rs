//! Changes as statements of SQLite.

use dbwright_model::change::Change;
use dbwright_model::engine::Version;

use crate::Written;

/// Writes a change; `None` when SQLite cannot express it.
pub fn change(_version: Option<Version>, _change: &Change) -> Option<Vec<Written>> {
    None
}
