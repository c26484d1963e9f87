//! `dbwright demo`.

use dbwright_service::ServiceError;
use dbwright_service::ops::demo::{self, DemoRequest};

use super::audit::{FailOn, ReportArguments, deliver, parse_format};
use super::output::Screen;
use super::progress::Bar;
use super::{Global, world};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArguments {
    /// What to demonstrate.
    #[command(flatten)]
    pub request: DemoRequest,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArguments,
}

/// Runs the command. A demonstration is meant to find something, so findings are no failure unless asked for.
pub async fn run(arguments: &DemoArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let format = parse_format(&arguments.report.format)?;
    let bar = Bar::new(screen.progress);
    let (world, mut config) = world(global, &bar)?;
    config.suppressions.clear();
    let report = demo::demo(&arguments.request, &config, &world).await?;
    bar.clear();
    let fail_on = arguments.report.fail_on.or(Some(FailOn::Never));
    let arguments = ReportArguments { fail_on, ..arguments.report.clone() };
    deliver(&report, format, &arguments, &config, screen)
}
