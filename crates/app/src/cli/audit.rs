//! `dbwright audit`.

use std::path::PathBuf;

use dbwright_model::report::{NotChecked, Report};
use dbwright_render::{Format, RuleText, UnknownFormat};
use dbwright_service::config::Config;
use dbwright_service::ops::audit::{self, AuditRequest};
use dbwright_service::ops::check::{self, LevelName};
use dbwright_service::{ErrorKind, ServiceError};

use super::output::Screen;
use super::progress::Bar;
use super::{CLEAN, FOUND, Global, UNCHECKED, world};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct AuditArguments {
    /// What to audit.
    #[command(flatten)]
    pub request: AuditRequest,
    /// How to report.
    #[command(flatten)]
    pub report: ReportArguments,
}

/// How a report is drawn and what it means for the exit code.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArguments {
    /// The format of the report.
    #[arg(long, short, value_name = "FORMAT", default_value = "terminal",
        help = format!("The format of the report: {}", Format::names()))]
    pub format: String,
    /// Write the report to a file
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Show every finding in full
    #[arg(long, short)]
    pub verbose: bool,
    /// Exit with 1 when there are findings of this level and above, shown or not [default: error; for `demo` never]
    #[arg(long, value_enum)]
    pub fail_on: Option<FailOn>,
    /// Exit with 3 when some checks could not run; what files can never tell does not count
    #[arg(long)]
    pub require_checks: bool,
    /// Write the keys of all findings to a file for `--baseline`
    #[arg(long, value_name = "FILE")]
    pub write_baseline: Option<PathBuf>,
}

/// What makes a command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Notes and above
    Note,
    /// Warnings and errors
    Warning,
    /// Errors
    Error,
    /// Nothing
    Never,
}

/// Runs the command.
pub async fn run(arguments: &AuditArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let format = parse_format(&arguments.report.format)?;
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let report = audit::audit(&arguments.request, &config, &world).await?;
    bar.clear();
    deliver(&report, format, &arguments.report, &config, screen)
}

/// Reads the name of a format.
pub fn parse_format(name: &str) -> Result<Format, ServiceError> {
    name.parse().map_err(|error: UnknownFormat| {
        ServiceError::new(ErrorKind::Usage, error.to_string())
            .hint(format!("choose one of {}", Format::names()))
    })
}

/// Draws a report where it was asked for, and chooses the exit code.
pub fn deliver(
    report: &Report,
    format: Format,
    arguments: &ReportArguments,
    config: &Config,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    let rules: Vec<RuleText> = dbwright_rules::ALL
        .iter()
        .filter(|_| format.carries_rules())
        .map(|entry| RuleText {
            id: entry.id.to_owned(),
            summary: format!("Fires when {}.", entry.rule.when),
            help_markdown: dbwright_service::ops::explain::text(entry),
            level: entry.rule.level,
        })
        .collect();
    let options = dbwright_render::Options {
        color: screen.color && arguments.output.is_none(),
        width: screen.width,
        verbose: arguments.verbose,
        rules: &rules,
        ..dbwright_render::Options::default()
    };
    match &arguments.output {
        Some(path) => screen.write(&dbwright_render::render(report, format, &options), Some(path))?,
        None => screen.stream(|out| dbwright_render::write(report, format, &options, out))?,
    }
    if let Some(path) = &arguments.write_baseline {
        screen.write(&check::baseline(report), Some(path))?;
    }
    Ok(exit_code(report, arguments, config))
}

fn exit_code(report: &Report, arguments: &ReportArguments, config: &Config) -> u8 {
    let threshold = match arguments.fail_on {
        Some(FailOn::Never) => None,
        Some(FailOn::Note) => Some(LevelName::Note.into()),
        Some(FailOn::Warning) => Some(LevelName::Warning.into()),
        Some(FailOn::Error) => Some(LevelName::Error.into()),
        None => Some(config.fail_on.unwrap_or(LevelName::Error.into())),
    };
    if threshold.is_some_and(|threshold| report.worst().is_some_and(|worst| worst >= threshold)) {
        return FOUND;
    }
    if arguments.require_checks
        && (report.not_checked.iter().any(NotChecked::could_not_run) || has_unread_statements(report))
    {
        return UNCHECKED;
    }
    CLEAN
}

/// Whether a statement of a migration was not analysed that nobody has accepted.
fn has_unread_statements(report: &Report) -> bool {
    let unread = report.statements.iter().filter(|statement| !statement.analysed).count();
    let accepted = report.suppressed.iter().filter(|one| one.rule == "migration/not-analysed").count();
    unread > accepted
}
