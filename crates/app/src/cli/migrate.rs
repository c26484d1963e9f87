//! `dbwright migrate`.

use dbwright_service::ops::migrate::backfill::{self, BackfillRequest};
use dbwright_service::ops::migrate::down::{self, DownRequest};
use dbwright_service::ops::migrate::lint::{self, LintRequest};
use dbwright_service::ops::migrate::up::{self, UpReply, UpRequest};
use dbwright_service::{ErrorKind, ServiceError};

use super::audit::{ReportArguments, deliver, parse_format};
use super::migrate_plan::{self, NewArguments, PlanArguments};
use super::output::Screen;
use super::progress::Bar;
use super::{CLEAN, FAILED, FOUND, Global, history, interrupts, world};

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct MigrateArguments {
    /// What to do with migrations.
    #[command(subcommand)]
    pub command: MigrateCommand,
}

impl MigrateArguments {
    /// Whether the command starts a server of its own.
    pub fn uses_scratch_server(&self) -> bool {
        match &self.command {
            MigrateCommand::Lint(arguments) => arguments.request.trace,
            MigrateCommand::Plan(_) | MigrateCommand::New(_) => true,
            MigrateCommand::Squash(_) | MigrateCommand::Verify(_) => true,
            _ => false,
        }
    }
}

/// What to do with migrations.
#[derive(Debug, clap::Subcommand)]
pub enum MigrateCommand {
    /// Say what each statement locks, how long, and what may go wrong, before it is run
    Lint(LintArguments),
    /// Run what is pending, and go on where a runner was stopped
    Up(UpArguments),
    /// Take the newest migrations back
    Down(DownArguments),
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
    /// Write many rows in small committed pieces that make room for others
    Backfill(BackfillRequest),
    /// Write the safe form of statements or of a finding's remedy as migrations, tried on a scratch server first
    ///
    /// Exits with 1 when only a part of the changes is in the files; with 2, and without files, when there is no safe plan
    /// or its trial failed; with 3 when the files are written though the trial failed or broke off. Where no server is
    /// installed to try it on, it says so and exits with 0, and with 3 under `--require-proof`.
    Plan(PlanArguments),
    /// Write the safe form of a change that is asked for in words as migrations
    ///
    /// Exits with 1 when only a part of the changes is in the files; with 2, and without files, when there is no safe plan
    /// or its trial failed; with 3 when the files are written though the trial failed or broke off. Where no server is
    /// installed to try it on, it says so and exits with 0, and with 3 under `--require-proof`.
    New(NewArguments),
}

/// Arguments of `migrate up`.
#[derive(Debug, clap::Args)]
pub struct UpArguments {
    /// What to run.
    #[command(flatten)]
    pub request: UpRequest,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `migrate down`.
#[derive(Debug, clap::Args)]
pub struct DownArguments {
    /// What to take back.
    #[command(flatten)]
    pub request: DownRequest,
    /// Print what was done as JSON
    #[arg(long)]
    pub json: bool,
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
        MigrateCommand::Up(arguments) => run_up(arguments, global, screen).await,
        MigrateCommand::Down(arguments) => run_down(arguments, global, screen).await,
        MigrateCommand::Status(arguments) => history::status(arguments, global, screen).await,
        MigrateCommand::Verify(arguments) => history::verify(arguments, global, screen).await,
        MigrateCommand::Repair(arguments) => history::repair(arguments, global, screen).await,
        MigrateCommand::Baseline(arguments) => history::baseline(arguments, global, screen).await,
        MigrateCommand::Squash(arguments) => history::squash(arguments, global, screen).await,
        MigrateCommand::Backfill(request) => run_backfill(request, global, screen).await,
        MigrateCommand::Plan(arguments) => migrate_plan::plan(arguments, global, screen).await,
        MigrateCommand::New(arguments) => migrate_plan::new(arguments, global, screen).await,
    }
}

async fn run_up(arguments: &UpArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let mut reply = UpReply::default();
    let result = try_up(arguments, global, screen, &mut reply).await;
    tell_failure(result, reply, arguments.json, screen)
}

/// Adds a failure to what programs read.
fn tell_failure(
    result: Result<u8, ServiceError>,
    reply: UpReply,
    json: bool,
    screen: &Screen,
) -> Result<u8, ServiceError> {
    if json && let Err(error) = &result {
        screen.print(&to_json(&UpReply { error: Some(error.into()), ..reply })?)?;
    }
    result
}

async fn try_up(
    arguments: &UpArguments,
    global: &Global,
    screen: &Screen,
    reply: &mut UpReply,
) -> Result<u8, ServiceError> {
    let request = &arguments.request;
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let upcoming = up::look(request, &config, &world).await?;
    bar.clear();
    for note in &upcoming.notes {
        screen.remark(note);
    }
    if upcoming.migrations.is_empty() {
        let reply = UpReply { waiting: upcoming.waiting.clone(), ..UpReply::default() };
        return report(&reply, "applied", arguments.json, screen);
    }
    let foreseen = up::foresee(&upcoming, request, &config, &world).await?;
    if request.dry_run {
        screen.say(&foreseen.text())?;
        return Ok(CLEAN);
    }
    for check in foreseen.worth_a_word() {
        screen.remark(&format!("{}: {}: {}", check.verdict.as_str(), check.name, check.words));
    }
    foreseen.hold(&request.skip_preflight)?;
    let shown: Vec<String> = upcoming.migrations.iter().map(up::describe).collect();
    let about = listed(&format!("To be applied to `{}`:", upcoming.target), &shown);
    let Some(word) = screen.word(request.running.yes, &about, "Apply them?")? else {
        return Ok(FAILED);
    };
    let bar = Bar::new(screen.progress);
    let (world, _) = super::world(global, &bar)?;
    up::run(&upcoming, word, request, &world, reply).await?;
    bar.clear();
    report(reply, "applied", arguments.json, screen)
}

async fn run_down(arguments: &DownArguments, global: &Global, screen: &Screen) -> Result<u8, ServiceError> {
    let mut reply = UpReply::default();
    let result = try_down(arguments, global, screen, &mut reply).await;
    tell_failure(result, reply, arguments.json, screen)
}

async fn try_down(
    arguments: &DownArguments,
    global: &Global,
    screen: &Screen,
    reply: &mut UpReply,
) -> Result<u8, ServiceError> {
    let request = &arguments.request;
    let bar = Bar::new(screen.progress);
    let (world, config) = world(global, &bar)?;
    let retreat = down::look(request, &config, &world).await?;
    bar.clear();
    if retreat.migrations.is_empty() {
        return report(&UpReply::default(), "taken back", arguments.json, screen);
    }
    let files: Vec<String> = retreat.migrations.iter().map(|(migration, _)| migration.file.clone()).collect();
    let mut about = listed(&format!("To be taken back on `{}`:", retreat.target), &files);
    if !retreat.losses.is_empty() {
        about.push_str(&listed("Lost for good:", &retreat.losses));
    }
    let Some(word) = screen.word(request.running.yes, &about, "Take them back?")? else {
        return Ok(FAILED);
    };
    let bar = Bar::new(screen.progress);
    let (world, _) = super::world(global, &bar)?;
    down::run(&retreat, word, request, &world, reply).await?;
    bar.clear();
    report(reply, "taken back", arguments.json, screen)
}

/// Lines after a heading, each set in.
fn listed(heading: &str, lines: &[String]) -> String {
    let mut text = format!("{heading}\n");
    lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    text
}

fn to_json(reply: &UpReply) -> Result<String, ServiceError> {
    let written = serde_json::to_string_pretty(reply);
    let mut text = written.map_err(|error| ServiceError::new(ErrorKind::Internal, error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// Prints what was done.
fn report(reply: &UpReply, word: &str, json: bool, screen: &Screen) -> Result<u8, ServiceError> {
    let mut text = String::new();
    if json {
        screen.print(&to_json(reply)?)?;
    } else {
        for done in &reply.migrations {
            let mut more = String::new();
            match done.done_before {
                0 => {}
                1 => more.push_str(", 1 statement was done before"),
                count => more.push_str(&format!(", {count} statements were done before")),
            }
            match done.retries {
                0 => {}
                1 => more.push_str(", tried again once"),
                count => more.push_str(&format!(", tried again {count} times")),
            }
            text.push_str(&format!("{word}: {} in {:.1} s{more}\n", done.file, done.seconds));
        }
        let count = reply.migrations.len();
        text.push_str(&match count {
            0 if reply.waiting.is_some() => format!("Nothing {word}.\n"),
            0 => "Nothing to do.\n".to_owned(),
            1 => format!("1 migration {word}.\n"),
            _ => format!("{count} migrations {word}.\n"),
        });
        if let Some(waiting) = &reply.waiting {
            text.push_str(&format!("{waiting}\n"));
        }
        screen.say(&text)?;
    }
    Ok(CLEAN)
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
    screen.say(&reply.text)?;
    Ok(if reply.left { FOUND } else { CLEAN })
}
