//! `migrate up`: runs what is pending, one runner at a time, and goes on where one was stopped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use dbwright_engine::apply::RecordReader;
use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::Limits;
use dbwright_model::applied::{Applied, AppliedState};
use dbwright_model::history;
use dbwright_model::migration::Migration;
use dbwright_model::plan::{Retries, TransactionMode};
use dbwright_model::standing::Standing;
use dbwright_sql::standing::{self, Line};
use dbwright_sql::tools;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backfill::Span;
use super::files;
use super::foresee::{self, Foreseen};
use super::hold::failed;
use super::repair;
use super::work::{Done, Manner, Work};
use crate::config::Config;
use crate::consent::{Word, given};
use crate::error::{ErrorKind, ServiceError};
use crate::target::{self, Target};
use crate::world::World;

/// The name of the operation.
pub const OPERATION: &str = "migrate up";

/// Which database, and how patient: what every command that runs statements asks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct Running {
    /// The database: a connection string or an SQLite file [default: DATABASE_URL, then `target` in dbwright.toml]
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// The table that keeps what was applied, with its schema where that is not the default one [default:
    /// dbwright_migrations]
    #[arg(long, value_name = "TABLE")]
    pub history_table: Option<String>,
    /// Seconds to wait for another runner to end
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
    /// How long a transaction may wait for its locks, where the file does not say: milliseconds, or `2s`
    #[arg(long, value_name = "TIME", default_value = "2000", value_parser = milliseconds)]
    pub lock_timeout: u64,
    /// How often a transaction is tried again when a lock is not had, where the file does not say
    #[arg(long, value_name = "TIMES", default_value_t = 10)]
    pub retries: u32,
    /// MySQL, MariaDB: also run changes of tables with rows that the server can only make by copying the table, which keeps
    /// writers out meanwhile
    #[arg(long)]
    pub allow_copy: bool,
    /// Do not ask; demanded where there is no terminal
    #[arg(short, long)]
    pub yes: bool,
}

/// Milliseconds, or a length of time with its unit.
fn milliseconds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(number) => Ok(number),
        Err(_) => text.parse::<Span>().map(|span| span.milliseconds),
    }
}

impl Default for Running {
    fn default() -> Self {
        Running {
            target: None,
            history_table: None,
            wait: 60,
            lock_timeout: 2000,
            retries: 10,
            allow_copy: false,
            yes: false,
        }
    }
}

/// Which migrations to run, and where.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct UpRequest {
    /// Files and folders of migrations [default: `migrations` in dbwright.toml]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where and how.
    #[command(flatten)]
    pub running: Running,
    /// Stop after this version
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Also run files whose version is below the newest applied one
    #[arg(long)]
    pub out_of_order: bool,
    /// What this version waits for has happened, so that it may be run; may be repeated; `all` for every version
    #[arg(long, value_name = "VERSION")]
    pub waited: Vec<String>,
    /// Go on although this check, which is made before, stands against it; may be repeated
    #[arg(long, value_name = "CHECK")]
    pub skip_preflight: Vec<String>,
    /// Show the statements, what each locks and how long, and what is looked at before; run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What will be run, to be shown before anybody agrees to it.
#[derive(Debug)]
pub struct Upcoming {
    /// The database.
    pub target: Dsn,
    /// The migrations that will be run, in order.
    pub migrations: Vec<Migration>,
    /// What is worth knowing before, as full sentences.
    pub notes: Vec<String>,
    /// The migration that nothing is run from on, because it waits for something.
    pub waiting: Option<Waiting>,
    /// Whether dbwright has applied anything there before.
    pub(super) has_record: bool,
    /// Whether it held no table, so that no application can have used it.
    pub(super) is_fresh: bool,
    /// Whether tables may be copied (MySQL, MariaDB).
    pub(super) allow_copy: bool,
    pub(super) all: Vec<Migration>,
    pub(super) table: String,
    /// Files that were begun before, with the number of their statements that are done.
    pub(super) begun: BTreeMap<String, usize>,
}

/// What was run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpReply {
    /// Each migration that was run, in order.
    pub migrations: Vec<Done>,
    /// The migration that nothing was run from on, because it waits for something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// Why the rest was not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What kind of trouble it is: `usage`, `config`, `connection`, `permission`, `unsupported`, `cancelled` or `internal`.
    pub kind: String,
    /// What failed, on what, and why.
    pub message: String,
    /// What to do next, in the imperative.
    pub hints: Vec<String>,
}

impl From<&ServiceError> for Failure {
    fn from(error: &ServiceError) -> Self {
        Failure {
            kind: error.kind.as_str().to_owned(),
            message: error.message.clone(),
            hints: error.hints.clone(),
        }
    }
}

/// A migration that is to be run when something outside of the database has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Its version.
    pub version: String,
    /// Its file.
    pub file: String,
    /// What must be true, as a full sentence.
    pub waits_for: String,
}

impl std::fmt::Display for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Waiting { version, file, waits_for } = self;
        write!(f, "`{file}` waits for this: {waits_for} When it is so, run it with `--waited {version}`.")
    }
}

/// What is to be run.
#[derive(Default)]
struct Choice {
    /// Positions of the migrations, in order.
    chosen: Vec<usize>,
    /// What is worth knowing, as full sentences.
    notes: Vec<String>,
    /// What the rest waits for.
    waiting: Option<Waiting>,
}

/// Looks at files and history. Nothing is written.
pub async fn look(request: &UpRequest, config: &Config, world: &World<'_>) -> Result<Upcoming, ServiceError> {
    let target = database(&request.running, config, world)?;
    let scripts = files::read(&files::named(&request.paths, config)?, &world.directory)?;
    let all = scripts.migrations(target.dialect())?;
    let mut said = scripts.left_out(target.dialect());
    if let Dsn::Sqlite(path) = &target
        && !path.exists()
    {
        said.push(format!("`{}` is not there yet: a new database will be made.", path.display()));
    }
    let table = table(&request.running, config);
    let Record { history, is_fresh } = read_record(&target, &table, &world.limits).await?;
    let mut upcoming = by_record(target, table, all, &history, is_fresh, request)?;
    upcoming.notes.append(&mut said);
    Ok(upcoming)
}

/// What is to be run by what the record says.
fn by_record(
    target: Dsn,
    table: String,
    all: Vec<Migration>,
    history: &[Applied],
    is_fresh: bool,
    request: &UpRequest,
) -> Result<Upcoming, ServiceError> {
    let Choice { chosen, notes, waiting } = choose(&all, history, is_fresh, request)?;
    let migrations = chosen.iter().map(|position| all[*position].clone()).collect();
    let begun = chosen.iter().filter_map(|position| {
        let file = &all[*position];
        let row = history.iter().find(|row| row.version == file.version)?;
        let unfinished = !matches!(row.state, AppliedState::Applied | AppliedState::Undone);
        (unfinished && row.statements_done > 0).then(|| (file.file.clone(), row.statements_done as usize))
    });
    let begun = begun.collect();
    let has_record = !history.is_empty();
    let allow_copy = request.running.allow_copy;
    Ok(Upcoming { target, migrations, notes, waiting, has_record, is_fresh, allow_copy, all, table, begun })
}

/// Looks at the database with what is pending in mind: what each statement would do, and whether now is a good moment.
/// Nothing is written.
pub async fn foresee(
    upcoming: &Upcoming,
    request: &UpRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<Foreseen, ServiceError> {
    let paths = files::named(&request.paths, config)?;
    let facts = foresee::facts_of(&upcoming.target, world).await?;
    // Another runner may be at work. What the catalog shows of its work, the record that is read after it tells too.
    let Upcoming { target, table, all, is_fresh, .. } = upcoming;
    let Record { history, .. } = read_record(target, table, &world.limits).await?;
    let now = by_record(target.clone(), table.clone(), all.clone(), &history, *is_fresh, request)?;
    foresee::foresee(&paths, now, facts, world).await
}

/// Runs what is pending, and tells in `reply` what was run, also when it fails. What another runner has applied since it
/// was shown is left out.
pub async fn run(
    upcoming: &Upcoming,
    word: Word,
    request: &UpRequest,
    world: &World<'_>,
    reply: &mut UpReply,
) -> Result<(), ServiceError> {
    let consent = given(word, &upcoming.target);
    let patience = Duration::from_secs(request.running.wait);
    let mut work = Work::open(&consent, &upcoming.table, patience, manner(&request.running), world).await?;
    let Choice { chosen, waiting, .. } = choose(&upcoming.all, work.history(), upcoming.is_fresh, request)?;
    let of = chosen.len() as u64;
    reply.waiting = waiting;
    for (number, position) in chosen.into_iter().enumerate() {
        let done = work.up(&upcoming.all[position], (number as u64, of)).await;
        match done {
            Ok(done) => reply.migrations.push(done),
            Err(error) => {
                work.end().await;
                let count = reply.migrations.len();
                return Err(match count {
                    0 => error,
                    1 => error.hint("the migration before it is applied"),
                    _ => error.hint(format!("the {count} migrations before it are applied")),
                });
            }
        }
    }
    work.end().await;
    Ok(())
}

pub(super) fn manner(running: &Running) -> Manner {
    Manner {
        lock_timeout: running.lock_timeout,
        allow_copy: running.allow_copy,
        retries: Retries {
            attempts: running.retries,
            first_wait: 500,
            longest_wait: 30_000,
            undo_first: false,
        },
    }
}

/// The database that is named.
pub(super) fn database(running: &Running, config: &Config, world: &World<'_>) -> Result<Dsn, ServiceError> {
    // An SQLite file that is to be made is no file yet.
    if let Some(named) = &running.target
        && !target::is_connection_string(named)
        && !world.directory.join(named).exists()
        && [".db", ".sqlite", ".sqlite3", ".db3"].iter().any(|ending| named.ends_with(ending))
    {
        return Ok(Dsn::Sqlite(world.directory.join(named)));
    }
    match target::resolve(running.target.as_deref(), config.target.as_deref(), None, world)? {
        Target::Database(Dsn::Sqlite(path)) => Ok(Dsn::Sqlite(world.directory.join(path))),
        Target::Database(dsn) => Ok(dsn),
        Target::Snapshot(_) | Target::Files(_) => Err(ServiceError::new(
            ErrorKind::Usage,
            "migrations are run on a database, and the target is none",
        )
        .hint("name it with `--target`: a connection string or an SQLite file")),
    }
}

/// The name of the history table.
pub(super) fn table(running: &Running, config: &Config) -> String {
    let named = running.history_table.clone().or_else(|| config.history_table.clone());
    named.unwrap_or_else(|| history::OWN_TABLE.to_owned())
}

/// Reads migration files with their ways back.
pub(super) fn read_files(
    paths: &[PathBuf],
    target: &Dsn,
    config: &Config,
    world: &World<'_>,
) -> Result<Vec<Migration>, ServiceError> {
    files::read(&files::named(paths, config)?, &world.directory)?.migrations(target.dialect())
}

/// What a database says of itself before migrations are run.
pub(super) struct Record {
    /// The rows of the history table.
    pub history: Vec<Applied>,
    /// Whether it holds no table at all.
    pub is_fresh: bool,
}

/// Reads the record without writing; a database that is not there yet, or has no such table, has none.
pub(super) async fn read_record(target: &Dsn, table: &str, limits: &Limits) -> Result<Record, ServiceError> {
    if let Dsn::Sqlite(path) = target
        && !path.exists()
    {
        return Ok(Record { history: Vec::new(), is_fresh: true });
    }
    let mut session = RecordReader::open(target, limits).await?;
    let (_, rows) = session.history(table).await.map_err(failed)?;
    let history = rows.unwrap_or_default();
    let is_fresh = !session.holds_tables().await.map_err(failed)?;
    session.close().await;
    Ok(Record { history, is_fresh })
}

/// The positions of the migrations to run, and what is worth knowing.
fn choose(
    files: &[Migration],
    history: &[Applied],
    is_fresh: bool,
    request: &UpRequest,
) -> Result<Choice, ServiceError> {
    let mut chosen = Vec::new();
    let mut notes = Vec::new();
    let mut without_file = Vec::new();
    let newest = standing::newest(files, history);
    for line in standing::lines(files, history) {
        let file = line.migration.map(|at| &files[at]);
        let row = line.row.map(|at| &history[at]);
        let beyond = request.to.as_ref().is_some_and(|to| tools::order(&line.version) > tools::order(to));
        if line.standing != Standing::OutOfOrder || !(request.out_of_order || beyond) {
            refuse(&line, file, row, newest)?;
        }
        match (line.standing, line.migration) {
            (Standing::Missing, _) => without_file.push(line.version),
            (Standing::Reworded, Some(at)) => notes.push(format!(
                "Only blanks or comments of `{}` have changed since it was applied.",
                files[at].file
            )),
            (Standing::Unfinished, Some(at)) if !beyond => {
                let done = row.map_or(0, |row| row.statements_done);
                if done > 0 {
                    notes.push(format!(
                        "`{}` was begun before: {done} of its {} statements are done.",
                        files[at].file,
                        files[at].up.len()
                    ));
                }
                chosen.push(at);
            }
            (standing, Some(at)) if standing.is_pending() && !beyond => chosen.push(at),
            _ => {}
        }
    }
    if !without_file.is_empty() {
        notes.push(format!("Applied, and without a file here: {}.", without_file.join(", ")));
    }
    // Folders stand in the order in which they are named. What is run anew whenever it changes builds upon the others.
    chosen.sort_by_key(|position| (files[*position].repeatable, *position));
    must_be_ready(files, &chosen, history)?;
    // Nothing has to be waited for where no application can have used the database.
    let waiting = if is_fresh { None } else { hold_back(files, &mut chosen, history, request) };
    Ok(Choice { chosen, notes, waiting })
}

/// Leaves out what waits for something outside of the database, and everything behind it.
fn hold_back(
    files: &[Migration],
    chosen: &mut Vec<usize>,
    history: &[Applied],
    request: &UpRequest,
) -> Option<Waiting> {
    let is_said = |version: &str| request.waited.iter().any(|said| said == version || said == "all");
    let is_begun =
        |version: &str| history.iter().any(|row| row.version == version && row.statements_done > 0);
    let (at, waiting) = chosen.iter().enumerate().find_map(|(at, position)| {
        let file = &files[*position];
        let waits_for = file.header.waits_for.clone()?;
        let waits = !is_said(&file.version) && !is_begun(&file.version);
        waits.then(|| (at, Waiting { version: file.version.clone(), file: file.file.clone(), waits_for }))
    })?;
    chosen.truncate(at);
    Some(waiting)
}

/// Refuses to run anything while somebody must look at a file or a row first.
fn refuse(
    line: &Line,
    file: Option<&Migration>,
    row: Option<&Applied>,
    newest: Option<&Applied>,
) -> Result<(), ServiceError> {
    let name = file.map_or(&line.version, |file| &file.file);
    let refusal = |message: String| ServiceError::new(ErrorKind::Usage, message);
    let done = row.map_or(0, |row| row.statements_done);
    Err(match (line.standing, row.map(|row| &row.state), file) {
        (Standing::Edited, ..) => refusal(format!("`{name}` was edited after it was applied"))
            .hint("take the edit back and write a new migration")
            .hint(format!("`dbwright migrate repair --accept {}` accepts the file as it is now", line.version)),
        (Standing::OutOfOrder, ..) => {
            let newest = newest.map_or("", |row| row.version.as_str());
            refusal(format!("`{name}` is not applied, though `{newest}` is, which comes after it"))
                .hint("give it a newer version, or run it nevertheless with `--out-of-order`")
        }
        (Standing::Replaces, ..) => refusal(format!(
            "`{name}` takes the place of migrations that this database has had, and its record still names them"
        ))
        .hint("`dbwright migrate repair` records the one file in their place; it runs nothing"),
        (Standing::Unfinished, Some(AppliedState::Undoing), _) => {
            refusal(format!("the way back of `{name}` was begun and not ended"))
                .hint("`dbwright migrate down` goes on with it")
        }
        (Standing::Unfinished, Some(AppliedState::Other(word)), _) => refusal(format!(
            "the record says `{word}` of `{name}`, which this version of dbwright does not know"
        ))
        .hint("run it with the version of dbwright that wrote it"),
        (Standing::Unfinished, _, None) => {
            refusal(format!("`{name}` was begun and not ended, and there is no file of it here"))
                .hint("bring its file back")
                .hint(format!("`dbwright migrate repair --forget {name}` takes it out of the record"))
        }
        (Standing::Unfinished, _, Some(file))
            if done > 0 && row.is_some_and(|row| !standing::is_same_work(file, row)) =>
        {
            refusal(format!("`{name}` was edited after {done} of its statements were run"))
                .hint("take the edit back, and `dbwright migrate up` goes on with it")
                .hint(repair::way_out_of_an_edit(&line.version, done))
        }
        _ => return Ok(()),
    })
}

/// Refuses to begin when a file that is to be run cannot be, or lacks what it requires.
fn must_be_ready(files: &[Migration], chosen: &[usize], history: &[Applied]) -> Result<(), ServiceError> {
    let mut there: BTreeSet<&str> = history
        .iter()
        .filter(|row| row.state == AppliedState::Applied)
        .map(|row| row.version.as_str())
        .collect();
    for file in files {
        if there.contains(file.version.as_str()) {
            there.extend(file.header.replaces.iter().map(String::as_str));
        }
    }
    for position in chosen {
        let file = &files[*position];
        if let Some(problem) = file.problems.first() {
            return Err(ServiceError::new(
                ErrorKind::Usage,
                format!(
                    "`{}`, line {}, column {}: {}",
                    file.file, problem.line, problem.column, problem.because
                ),
            )
            .hint("dbwright runs what a server understands; mend the file, or run it with its own tool"));
        }
        if let Some(absent) = file.header.requires.iter().find(|wanted| !there.contains(wanted.as_str())) {
            return Err(ServiceError::new(
                ErrorKind::Usage,
                format!("`{}` requires `{absent}`, which is not applied", file.file),
            ));
        }
        there.insert(&file.version);
        there.extend(file.header.replaces.iter().map(String::as_str));
    }
    Ok(())
}

/// One migration in a few words, to be shown before it is run.
pub fn describe(migration: &Migration) -> String {
    let statements = match migration.up.len() {
        1 => "1 statement".to_owned(),
        count => format!("{count} statements"),
    };
    let how = match migration.transaction {
        TransactionMode::OneTransaction => "",
        TransactionMode::NoTransaction => ", each by itself",
    };
    format!("{} ({statements}{how})", migration.file)
}
