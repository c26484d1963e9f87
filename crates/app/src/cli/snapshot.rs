//! `dbwright snapshot`.

use std::path::PathBuf;

use dbwright_service::ServiceError;
use dbwright_service::ops::snapshot::{self, SnapshotRequest};

use super::output::Screen;
use super::progress::Bar;
use super::{CLEAN, Global, world};

/// Arguments of `snapshot`.
#[derive(Debug, clap::Args)]
pub struct SnapshotArguments {
    /// What to write down.
    #[command(flatten)]
    pub request: SnapshotRequest,
    /// Write it to a file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(
    arguments: &SnapshotArguments,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let facts = snapshot::snapshot(&arguments.request, &config, &world).await?;
    bar.clear();
    screen.write(&dbwright_service::snapshot::write(&facts)?, arguments.output.as_deref())?;
    Ok(CLEAN)
}
