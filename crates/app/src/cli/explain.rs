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
    let text = explain::explain(&arguments.request)?;
    // A pipe gets the Markdown as it was written.
    let text = if screen.terminal { dbwright_render::wrap::markdown(&text, screen.width) } else { text };
    screen.print(&text)?;
    Ok(CLEAN)
}
