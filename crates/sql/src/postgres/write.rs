//! Changes as statements of PostgreSQL.

use dbwright_model::change::Change;
use dbwright_model::engine::Version;

use crate::Written;

/// Writes a change; `None` when PostgreSQL cannot express it.
pub fn change(_version: Option<Version>, _change: &Change) -> Option<Vec<Written>> {
    None
}
