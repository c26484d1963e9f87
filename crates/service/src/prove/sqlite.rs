//! The trial of a plan on a scratch file of SQLite.

use std::path::Path;

use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::plan::Plan;

use super::Proof;
use crate::error::ServiceError;

/// Tries a plan in a file below a folder for temporary files.
pub fn prove(
    _temporary: &Path,
    _catalog: &Catalog,
    _changes: &[Change],
    _plan: &Plan,
) -> Result<Proof, ServiceError> {
    Ok(Proof::not_tried("plans for SQLite are not tried yet"))
}
