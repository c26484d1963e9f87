//! `audit`: every rule that the target can answer, and the score.

use dbwright_model::report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ServiceError;
use crate::ops::check::{CheckOptions, Scope, check};
use crate::world::World;

/// Everything, with a score.
pub(crate) const SCOPE: Scope = Scope { operation: "audit", families: None, score: true };

/// What to audit.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
pub struct AuditRequest {
    /// Target and rules.
    #[command(flatten)]
    #[serde(flatten)]
    pub check: CheckOptions,
}

/// Audits a target.
pub async fn audit(
    request: &AuditRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Report, ServiceError> {
    check(&request.check, SCOPE, config, world).await
}
