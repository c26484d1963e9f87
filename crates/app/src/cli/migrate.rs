//! `dbwright migrate`.

use dbwright_service::ServiceError;
use dbwright_service::ops::migrate::lint::{self, LintRequest};

use super::audit::{ReportArguments, deliver, parse_format};
use super::output::Screen;
use super::progress::Bar;
use super::{Global, history, world};

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
    /// Say which migrations are applied, which wait, and where files and record contradict each other
    Status(history::StatusArguments),
    /// Compare the database with what its applied migrations make, and ask their VERIFY questions
    Verify(history::VerifyArguments),
    /// Bring the record in line with the files; the database itself is not touched
    Repair(history::RepairArguments),
    /// Record what is there already as applied, after comparing; takes over the history of other tools
    Baseline(history::BaselineArguments),
    /// Put one file in the place of several applied ones, after proving that it makes the same
    Squash(history::SquashArguments),
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
        MigrateCommand::Status(arguments) => history::status(arguments, global, screen).await,
        MigrateCommand::Verify(arguments) => history::verify(arguments, global, screen).await,
        MigrateCommand::Repair(arguments) => history::repair(arguments, global, screen).await,
        MigrateCommand::Baseline(arguments) => history::baseline(arguments, global, screen).await,
        MigrateCommand::Squash(arguments) => history::squash(arguments, global, screen).await,
    }
}
