//! `dbwright migrate`.

use dbwright_service::ServiceError;
use dbwright_service::ops::migrate::backfill::{self, BackfillRequest};
use dbwright_service::ops::migrate::lint::{self, LintRequest};

use super::audit::{ReportArguments, deliver, parse_format};
use super::output::Screen;
use super::progress::Bar;
use super::{CLEAN, FOUND, Global, interrupts, world};

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct MigrateArguments {
    /// What to do with migrations.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// What to do with migrations.
#[derive(Debug, clap::Subcommand)]
pub enum MigrateCommand {
    /// Say what each statement locks, how long, and what may go wrong, before it is run
    Lint(LintArguments),
    /// Write many rows in small committed pieces that make room for others
    Backfill(BackfillRequest),
}

/// Arguments of `migrate lint`.
#[derive(Debug, clap::Args)]
pub struct LintArguments {
    /// What to check.
    #[command(flatten)]
    pub request: LintRequest,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArguments,
}

/// Runs the command.
pub async fn run(arguments: &MigrateArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    match &arguments.command {
        MigrateCommand::Lint(arguments) => {
            let format = parse_format(&arguments.report.format)?;
            let bar = Bar::new(screen.progress);
            let (world, config) = world(global, &bar)?;
            let report = lint::lint(&arguments.request, &config, &world).await?;
            bar.clear();
            deliver(&report, format, &arguments.report, &config, screen)
        }
        MigrateCommand::Backfill(request) => run_backfill(request, global, screen).await,
    }
}

async fn run_backfill(
    request: &BackfillRequest,
    global: &Global,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let ask = |about: &str| bar.aside(|| screen.ask(about, "Write these rows?"));
    let reply = backfill::backfill(request, &config, &world, &ask, &interrupts::heard).await;
    bar.clear();
    let reply = reply?;
    screen.print(&reply.text)?;
    Ok(if reply.left { FOUND } else { CLEAN })
}
