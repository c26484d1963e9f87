//! `review`: the design of a schema, without the server that runs it.

use dbwright_model::report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ServiceError;
use crate::ops::check::{CheckOptions, Scope, check};
use crate::world::World;

/// The families of rules that judge a design, without a score.
const SCOPE: Scope =
    Scope { operation: "review", families: Some(&["schema", "index", "query"]), score: false };

/// What to review.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
pub struct ReviewRequest {
    /// Target and rules.
    #[command(flatten)]
    #[serde(flatten)]
    pub check: CheckOptions,
}

/// Reviews a schema.
pub async fn review(
    request: &ReviewRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Report, ServiceError> {
    check(&request.check, SCOPE, config, world).await
}
