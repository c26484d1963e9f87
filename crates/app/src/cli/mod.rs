//! The command line: parses arguments, calls one operation, draws its reply, and chooses the exit code.

mod output;
mod progress;
mod interrupts;
mod audit;
mod review;
mod migrate;
mod history;
mod tables;
mod migrate_plan;
mod demo;
mod explain;
mod rules;
mod snapshot;
mod score;
mod completions;
mod man;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use dbwright_engine::redact::redacted;
use dbwright_engine::scratch::Places;
use dbwright_engine::session::Limits;
use dbwright_service::config::Config;
use dbwright_service::{ErrorKind, ServiceError, World};

use output::Screen;

/// Exit code: nothing found at or above the chosen level.
const CLEAN: u8 = 0;
/// Exit code: findings at or above the chosen level.
const FOUND: u8 = 1;
/// Exit code: the work could not be done.
const FAILED: u8 = 2;
/// Exit code: some checks could not run, and `--require-checks` was given.
const UNCHECKED: u8 = 3;

/// The database engineer in one binary.
///
/// Audits, reviews and explains PostgreSQL, MySQL, MariaDB and SQLite databases, dumps and migrations. It never changes what
/// it looks at, but where `migrate` was told to run migrations.
///
/// Exit codes: 0 clean; 1 findings at or above --fail-on; 2 the work could not be done; 3 some checks could not run
/// (with --require-checks).
#[derive(Debug, Parser)]
#[command(
    name = "dbwright",
    version,
    propagate_version = true,
    max_term_width = 110,
    disable_help_subcommand = true
)]
pub struct Arguments {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
pub struct Global {
    /// The configuration file [default: the nearest dbwright.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = ColorChoice::Auto, help_heading = "Global options")]
    pub color: ColorChoice,
    /// Show no progress
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub quiet: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check everything that the target can answer, and score it from 0 to 100
    Audit(audit::AuditArguments),
    /// Review the design of a schema: keys, types, constraints, relationships, names, indexes
    Review(review::ReviewArguments),
    /// Check migrations before they are run, and run them
    Migrate(migrate::MigrateArguments),
    /// Make a shop with the flaws of real ones in a scratch database, and audit it
    Demo(demo::DemoArguments),
    /// Explain a rule: what it finds, why it matters, what to do, when to ignore it
    Explain(explain::ExplainArguments),
    /// List the rules
    Rules(rules::RulesArguments),
    /// Write down everything that can be read of a target, to be judged elsewhere or later
    Snapshot(snapshot::SnapshotArguments),
    /// Explain the score of a report, or compare two reports
    Score(score::ScoreArguments),
    /// Print a completion script for a shell
    Completions(completions::CompletionsArguments),
    /// Print the manual page, or write one per command to a folder
    Man(man::ManArguments),
}

/// Parses, runs, and tells the system how it went.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let screen = Screen::new(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = ServiceError::new(ErrorKind::Internal, format!("cannot start: {error}"));
            return screen.fail(&error);
        }
    };
    let interrupts = match interrupts::Interrupts::listen(&runtime, patience(&arguments.command), screen) {
        Ok(interrupts) => interrupts,
        Err(error) => {
            let error = ServiceError::new(ErrorKind::Internal, format!("cannot listen for signals: {error}"));
            return screen.fail(&error);
        }
    };
    let work = dispatch(&arguments, &screen);
    let result = if stops_by_itself(&arguments.command) {
        runtime.block_on(work)
    } else {
        runtime.block_on(interrupts.stop(work))
    };
    // Blocking readers of files may still be at work after an interrupt; nobody waits for them.
    runtime.shutdown_background();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => screen.fail(&error),
    }
}

/// How long an interrupted command may take to clean up. Scratch servers outlive a command that is left where it is.
fn patience(command: &Command) -> Duration {
    match command {
        Command::Demo(_) => Duration::from_secs(10),
        Command::Migrate(arguments) if arguments.uses_scratch_server() => Duration::from_secs(10),
        command if stops_by_itself(command) => Duration::from_secs(60),
        // The server is told to stop its statement.
        Command::Migrate(_) => Duration::from_secs(5),
        _ => Duration::from_millis(300),
    }
}

/// Whether an interrupted command looks for [`interrupts::heard`] and ends where nothing is left half done.
fn stops_by_itself(command: &Command) -> bool {
    let Command::Migrate(migrate) = command else { return false };
    matches!(migrate.command, migrate::MigrateCommand::Backfill(_))
}

/// Says what is wrong with the arguments. A connection string that the shell took apart may hold a password.
fn refuse(error: &clap::Error) -> ExitCode {
    let secrets: Vec<(String, String)> = std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .map(|argument| (redacted(&argument), argument))
        .filter(|(shown, argument)| shown != argument)
        .collect();
    if secrets.is_empty() || !error.use_stderr() {
        error.exit();
    }
    let mut text = error.to_string();
    for (shown, argument) in &secrets {
        text = text.replace(argument, shown);
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(FAILED)
}

async fn dispatch(arguments: &Arguments, screen: &Screen) -> Result<u8, ServiceError> {
    match &arguments.command {
        Command::Audit(command) => audit::run(command, &arguments.global, screen).await,
        Command::Review(command) => review::run(command, &arguments.global, screen).await,
        Command::Migrate(command) => migrate::run(command, &arguments.global, screen).await,
        Command::Demo(command) => demo::run(command, &arguments.global, screen).await,
        Command::Explain(command) => explain::run(command, screen),
        Command::Rules(command) => rules::run(command, screen),
        Command::Snapshot(command) => snapshot::run(command, &arguments.global, screen).await,
        Command::Score(command) => score::run(command, screen),
        Command::Completions(command) => completions::run(command, screen),
        Command::Man(command) => man::run(command, screen),
    }
}

/// The whole command, for completions, manual pages and the reference.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// The variable that names folders with database servers, in the form of `PATH`, which are looked through first for scratch
/// servers.
const SERVERS: &str = "DBWRIGHT_SERVERS";

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The world as it is now, and the configuration that holds in it.
fn world<'a>(global: &Global, progress: &'a progress::Bar) -> Result<(World<'a>, Config), ServiceError> {
    let directory = std::env::current_dir().map_err(|error| {
        ServiceError::new(ErrorKind::Permission, format!("cannot tell the current folder: {error}"))
    })?;
    let now = jiff::Timestamp::now();
    let config = Config::load(global.config.as_deref(), &directory, now)?;
    let world = World {
        now,
        directory,
        database_url: environment("DATABASE_URL"),
        variable: &environment,
        temporary: std::env::temp_dir(),
        places: Places::usual()
            .with_first(environment(SERVERS).iter().flat_map(std::env::split_paths).collect::<Vec<_>>())
            .with_search_path(&environment("PATH").unwrap_or_default()),
        version: env!("CARGO_PKG_VERSION"),
        limits: Limits::default(),
        progress,
    };
    Ok((world, config))
}
