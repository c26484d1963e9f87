//! `review`: the design of a schema, without the server that runs it.

use dbwright_model::report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::ServiceError;
use crate::ops::check::{CheckOptions, check};
use crate::world::World;

/// Families of rules that judge a design.
const FAMILIES: &[&str] = &["schema", "index", "query"];

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
    check(&request.check, config, world, "review", Some(FAMILIES), false).await
}
