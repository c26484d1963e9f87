//! `dbwright explain`.

use dbwright_service::ServiceError;
use dbwright_service::ops::explain::{self, ExplainRequest};

use super::CLEAN;
use super::output::Screen;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct ExplainArguments {
    /// Which rule.
    #[command(flatten)]
    pub request: ExplainRequest,
}

/// Runs the command.
pub fn run(arguments: &ExplainArguments, screen: &Screen) -> Result<u8, ServiceError> {
    screen.print(&explain::explain(&arguments.request)?)?;
    Ok(CLEAN)
}
