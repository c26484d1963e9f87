//! `dbwright migrate`.

use dbwright_service::ServiceError;
use dbwright_service::ops::migrate::lint::{self, LintRequest};

use super::audit::{ReportArguments, deliver, parse_format};
use super::migrate_plan::{self, NewArguments, PlanArguments};
use super::output::Screen;
use super::progress::Bar;
use super::{Global, world};

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
    /// Write the safe form of statements or of a finding's remedy as migrations, tried on a scratch server first
    Plan(PlanArguments),
    /// Write the safe form of a change that is asked for in words as migrations
    New(NewArguments),
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
        MigrateCommand::Plan(arguments) => migrate_plan::plan(arguments, global, screen).await,
        MigrateCommand::New(arguments) => migrate_plan::new(arguments, global, screen).await,
    }
}
