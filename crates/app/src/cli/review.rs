//! `dbwright review`.

use dbwright_service::ServiceError;
use dbwright_service::ops::review::{self, ReviewRequest};

use super::audit::{ReportArguments, deliver, parse_format};
use super::output::Screen;
use super::progress::Bar;
use super::{Global, world};

/// Arguments of `review`.
#[derive(Debug, clap::Args)]
pub struct ReviewArguments {
    /// What to review.
    #[command(flatten)]
    pub request: ReviewRequest,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArguments,
}

/// Runs the command.
pub async fn run(arguments: &ReviewArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let format = parse_format(&arguments.report.format)?;
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let report = review::review(&arguments.request, &config, &world).await?;
    bar.clear();
    deliver(&report, format, &arguments.report, &config, screen)
}
