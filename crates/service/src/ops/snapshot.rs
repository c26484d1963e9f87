//! `snapshot`: everything that can be read of a target, written down.

use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::anonymize::anonymize;
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::gather;
use crate::ops::check::EngineName;
use crate::target;
use crate::world::World;

/// What to write down.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct SnapshotRequest {
    /// What to read: a connection string, an SQLite file, a `.sql` file or a folder of migrations
    pub target: Option<String>,
    /// Replace names, comments, literals and statements by meaningless ones
    #[arg(long)]
    pub anonymize: bool,
    /// The engine that files are written for, when their text does not tell
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
}

/// Reads every fact of a target.
pub async fn snapshot(
    request: &SnapshotRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Facts, ServiceError> {
    let target = target::resolve(
        request.target.as_deref(),
        config.target.as_deref(),
        request.engine.map(Engine::from),
        world,
    )?;
    let plan: Vec<Fact> = Fact::ALL.into_iter().filter(|fact| fact.is_collected()).collect();
    let gathered = gather::gather(target, &plan, &[], false, config, world).await?;
    if !request.anonymize {
        return Ok(gathered.facts);
    }
    anonymize(&gathered.facts).map_err(|error| {
        ServiceError::new(ErrorKind::Internal, format!("cannot anonymise the snapshot: {error}"))
    })
}
