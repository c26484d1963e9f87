//! Changes as statements of MySQL and MariaDB.

use dbwright_model::change::Change;
use dbwright_model::engine::{Engine, Version};

use crate::Written;

/// Writes a change; `None` when MySQL and MariaDB cannot express it.
pub fn change(_engine: Engine, _version: Option<Version>, _change: &Change) -> Option<Vec<Written>> {
    None
}
