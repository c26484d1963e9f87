//! Carrying out one migration after the other on a held database: transactions, limits, retries, and going on where a
//! process was stopped.

mod alone;
mod check;
mod fail;
mod pieces;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use dbwright_engine::apply::{ApplyError, Canceller};
use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::ReadSession;
use dbwright_engine::write::Consent;
use dbwright_model::applied::{Applied, AppliedKind, AppliedState, Blocker};
use dbwright_model::change::Change;
use dbwright_model::effect::Lock;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::facts::Fact;
use dbwright_model::migration::{Migration, Statement};
use dbwright_model::plan::{Retries, TransactionMode};
use dbwright_sql::effects::{self, Circumstances};
use dbwright_sql::fold::Folder;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::hold::{self, Hold, failed};
use super::steps::{self, Parsed, Step, Way};
use crate::error::ServiceError;
use crate::world::World;

/// How work is done where a file does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Longest wait for the locks of one transaction, in milliseconds; it is shared out among them.
    pub lock_timeout: u64,
    /// Whether a change that the server can only make by copying a table is run (MySQL, MariaDB).
    pub allow_copy: bool,
    /// How a transaction is tried again.
    pub retries: Retries,
}

/// Shortest wait for one lock where many share a time, in milliseconds.
const SHORTEST_WAIT: u64 = 100;

/// When a running statement is looked at for the first time; the next looks follow after twice the time each.
const FIRST_LOOK: Duration = Duration::from_millis(30);

/// What became of one migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Its version.
    pub version: String,
    /// Its file.
    pub file: String,
    /// Statements that were run now.
    pub statements: u32,
    /// Statements that were done before by a process that was stopped.
    pub done_before: u32,
    /// How often something was tried again because a lock was not had.
    pub retries: u32,
    /// Seconds that it took.
    pub seconds: f64,
    /// What else happened, as full sentences.
    pub notes: Vec<String>,
}

/// Statements to be run and the row that tells of them.
struct Job<'a> {
    file: &'a str,
    statements: &'a [Statement],
    mode: TransactionMode,
    lock_timeout: Option<u64>,
    statement_timeout: Option<u64>,
    retries: Retries,
    foreign_keys_off: bool,
    /// The state while it runs, and at its end.
    states: [AppliedState; 2],
}

/// A database at work.
pub(super) struct Work<'a> {
    hold: Hold,
    consent: Consent,
    /// The text of the next statement in place of the file's own, where the server is told how to carry it out.
    exactly: Option<String>,
    engine: Engine,
    version: Version,
    folder: Folder,
    manner: Manner,
    world: &'a World<'a>,
    begun: Instant,
    host: String,
    blockers: Vec<Blocker>,
    guard_lost: bool,
    /// Statements of the running file that set a limit themselves, by position.
    own_limits: Vec<usize>,
    /// How far the bar is.
    place: (u64, u64),
    done: Done,
}

/// Stops the server's work when the process is interrupted in the middle of it.
struct StopOnDrop {
    canceller: Option<Canceller>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(canceller) = self.canceller.take() {
            canceller.cancel_now();
        }
    }
}

impl<'a> Work<'a> {
    /// Takes hold of a database and looks at what is in it.
    pub async fn open(
        consent: &Consent,
        table: &str,
        patience: Duration,
        manner: Manner,
        world: &'a World<'a>,
    ) -> Result<Self, ServiceError> {
        let begun = Instant::now();
        let hold = hold::take(consent, table, patience, manner.lock_timeout, world).await?;
        let (engine, version) = hold.worker.server();
        let folder = live(consent.target(), engine, world).await;
        Ok(Work {
            hold,
            consent: consent.clone(),
            exactly: None,
            engine,
            version,
            folder,
            manner,
            world,
            begun,
            host: dbwright_engine::apply::host_name(),
            blockers: Vec::new(),
            guard_lost: false,
            own_limits: Vec::new(),
            place: (0, 0),
            done: Done::default(),
        })
    }

    /// What was applied before, as it was when the database was taken hold of.
    pub fn history(&self) -> &[Applied] {
        &self.hold.history
    }

    /// Gives the database back.
    pub async fn end(self) {
        self.hold.worker.close().await;
        self.hold.guard.release().await;
    }

    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now = self.world.now.as_millisecond().saturating_add(elapsed);
        Timestamp::from_millisecond(now).unwrap_or(self.world.now)
    }

    /// Runs a migration, or goes on with one. `place` is its number among how many.
    pub async fn up(&mut self, migration: &Migration, place: (u64, u64)) -> Result<Done, ServiceError> {
        let begun = Instant::now();
        self.place = place;
        self.done =
            Done { version: migration.version.clone(), file: migration.file.clone(), ..Done::default() };
        let old = self.hold.history.iter().find(|row| row.version == migration.version);
        let kind = if migration.repeatable { AppliedKind::Repeatable } else { AppliedKind::Migration };
        let unfinished =
            old.filter(|row| matches!(row.state, AppliedState::Running | AppliedState::Failed)).cloned();
        let resumed = unfinished.clone().unwrap_or_default();
        let mut row = Applied {
            version: migration.version.clone(),
            description: migration.description.clone(),
            file: migration.file.clone(),
            checksum: migration.checksum.clone(),
            content: migration.content.clone(),
            kind,
            state: AppliedState::Running,
            statements_done: resumed.statements_done,
            statements: u32::try_from(migration.up.len()).unwrap_or(u32::MAX),
            statement_before: resumed.statement_before,
            error: None,
            applied_by: self.hold.worker.account().to_owned(),
            host: self.host.clone(),
            process: std::process::id(),
            program: format!("dbwright {}", self.world.version),
            started_at: Some(self.now()),
            finished_at: None,
        };
        // What was done in part may be what a question is about.
        if row.statements_done == 0 && row.statement_before.is_none() {
            self.check(migration, &migration.pre_checks, "must not be run yet").await?;
        }
        let job = Job {
            file: &migration.file,
            statements: &migration.up,
            mode: migration.transaction,
            lock_timeout: migration.lock_timeout,
            statement_timeout: migration.statement_timeout,
            retries: migration.retries.unwrap_or(self.manner.retries),
            foreign_keys_off: migration.foreign_keys_off,
            states: [AppliedState::Running, AppliedState::Applied],
        };
        self.job(&job, &mut row).await?;
        if let Err(error) = self.check(migration, &migration.verify, "has not done its work").await {
            // All of it is done, so that running it again only asks again.
            row.error = Some(error.message.clone());
            self.finish(&row, &AppliedState::Failed).await?;
            return Err(error
                .hint("mend the rows and run the same command again: it asks again and goes on")
                .hint("`dbwright migrate down` takes it back"));
        }
        self.done.seconds = begun.elapsed().as_secs_f64();
        Ok(std::mem::take(&mut self.done))
    }

    /// Runs the way back of a migration, or goes on with it.
    pub async fn down(
        &mut self,
        migration: &Migration,
        statements: &[Statement],
        row: &Applied,
        place: (u64, u64),
    ) -> Result<Done, ServiceError> {
        let begun = Instant::now();
        self.place = place;
        self.done =
            Done { version: migration.version.clone(), file: migration.file.clone(), ..Done::default() };
        let goes_on = row.state == AppliedState::Undoing;
        let mut row = Applied {
            statements_done: if goes_on { row.statements_done } else { 0 },
            statements: u32::try_from(statements.len()).unwrap_or(u32::MAX),
            statement_before: row.statement_before.clone().filter(|_| goes_on),
            error: None,
            applied_by: self.hold.worker.account().to_owned(),
            host: self.host.clone(),
            process: std::process::id(),
            program: format!("dbwright {}", self.world.version),
            started_at: Some(self.now()),
            finished_at: None,
            ..row.clone()
        };
        let parsed = steps::parse(self.engine, statements);
        let apart = parsed.iter().any(|parsed| parsed.stands_alone());
        let mode = if apart { TransactionMode::NoTransaction } else { TransactionMode::OneTransaction };
        let job = Job {
            file: &migration.file,
            statements,
            mode,
            lock_timeout: migration.lock_timeout,
            statement_timeout: migration.statement_timeout,
            retries: migration.retries.unwrap_or(self.manner.retries),
            foreign_keys_off: migration.foreign_keys_off,
            states: [AppliedState::Undoing, AppliedState::Undone],
        };
        self.job(&job, &mut row).await?;
        self.done.seconds = begun.elapsed().as_secs_f64();
        Ok(std::mem::take(&mut self.done))
    }

    /// Runs the statements of a job that are not done yet.
    async fn job(&mut self, job: &Job<'_>, row: &mut Applied) -> Result<(), ServiceError> {
        self.own_limits.clear();
        let parsed = steps::parse(self.engine, job.statements);
        let steps = steps::cut(self.engine.dialect(), job.mode, &parsed);
        let from = row.statements_done as usize;
        self.done.done_before = row.statements_done;
        let mut first = steps.iter().position(|step| step.covers.start >= from).unwrap_or(steps.len());
        for step in steps[..first].iter().filter(|step| step.way == Way::Setting) {
            self.settings(job, step).await?;
        }
        if let Some(text) = row.statement_before.take()
            && let Some(step) = steps.get(first)
            && self.was_done(job, &parsed, step, &text).await?
        {
            row.statements_done = count(step.covers.end);
            self.done.done_before = row.statements_done;
            self.record(row, &job.states[0]).await?;
            first += 1;
        }
        let mut ended = false;
        for (number, step) in steps.iter().enumerate().skip(first) {
            let last = number + 1 == steps.len();
            match step.way {
                Way::Setting => {
                    self.settings(job, step).await?;
                    row.statements_done = count(step.covers.end);
                }
                Way::Transaction => {
                    self.transaction(job, &parsed, step, row, last).await?;
                    ended = last;
                }
                Way::Pieces => self.pieces(job, step, row).await?,
                Way::Alone | Way::Unknown => self.alone(job, &parsed, step, row).await?,
            }
            for position in &step.sends {
                parsed[*position].changes.iter().for_each(|change| self.folder.apply(change));
            }
            self.done.statements += count(step.sends.len());
        }
        if !ended {
            row.statements_done = row.statements;
            row.statement_before = None;
            self.finish(row, &job.states[1]).await?;
        }
        self.hold.worker.reset().await.map_err(failed)
    }

    async fn settings(&mut self, job: &Job<'_>, step: &Step) -> Result<(), ServiceError> {
        for position in &step.sends {
            let result = self.send(job, *position).await;
            if let Err(error) = result {
                return Err(self.refusal(job, *position, &error));
            }
            if sets_timeout(&job.statements[*position].sql) {
                self.own_limits.push(*position);
            }
        }
        Ok(())
    }

    /// Sets the limits of what follows; those that the file itself has set win.
    async fn limit(&mut self, job: &Job<'_>, lock: u64) -> Result<(), ServiceError> {
        self.hold.worker.limits(Some(lock), job.statement_timeout).await.map_err(failed)?;
        for position in self.own_limits.clone() {
            self.hold.worker.execute(&job.statements[position].sql).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Runs a step in a transaction with its row, again and again while locks are not had.
    async fn transaction(
        &mut self,
        job: &Job<'_>,
        parsed: &[Parsed],
        step: &Step,
        row: &mut Applied,
        last: bool,
    ) -> Result<(), ServiceError> {
        let changes: Vec<Vec<Change>> =
            step.sends.iter().map(|position| parsed[*position].changes.clone()).collect();
        let rebuilds = self.engine.dialect() == Dialect::Sqlite && rebuilds(job, step, &changes);
        let mut next = row.clone();
        next.statements_done = count(step.covers.end);
        next.statement_before = None;
        next.state = job.states[usize::from(last)].clone();
        let mut attempt = 0;
        loop {
            let limit = self.share(job, &changes);
            self.limit(job, limit).await?;
            if rebuilds {
                self.hold.worker.begin_rebuild().await.map_err(failed)?;
            }
            let result = self.try_transaction(job, step, &changes, rebuilds, last, &mut next).await;
            let Err((position, error)) = result else {
                *row = next;
                return Ok(());
            };
            // What the rollback says does not matter: a lost connection is rolled back by the server.
            let _ = self.hold.worker.rollback().await;
            if rebuilds {
                let _ = self.hold.worker.reset().await;
            }
            if matches!(error, ApplyError::LockNotAvailable(_)) && attempt < job.retries.attempts {
                self.wait(job, attempt).await;
                attempt += 1;
                continue;
            }
            return Err(self.give_up(job, position, &error, row).await);
        }
    }

    async fn try_transaction(
        &mut self,
        job: &Job<'_>,
        step: &Step,
        changes: &[Vec<Change>],
        rebuilds: bool,
        last: bool,
        next: &mut Applied,
    ) -> Result<(), (usize, ApplyError)> {
        let first = step.sends.first().copied().unwrap_or(step.covers.start);
        self.hold.worker.begin().await.map_err(|error| (first, error))?;
        let mut at = first;
        for position in &step.sends {
            at = *position;
            self.send(job, at).await.map_err(|error| (at, error))?;
        }
        if rebuilds {
            let given = self.hold.worker.end_rebuild(&dropped(changes)).await.map_err(|error| (at, error))?;
            if !given.is_empty() {
                self.tell(format!("Given back after the rebuild: {}.", given.join(", ")));
            }
        }
        next.finished_at = last.then(|| self.now());
        self.hold.worker.record(&self.hold.table, next).await.map_err(|error| (at, error))?;
        self.hold.worker.commit().await.map_err(|error| (at, error))
    }

    /// The longest wait for one lock when all that a transaction takes share one time.
    fn share(&self, job: &Job<'_>, changes: &[Vec<Change>]) -> u64 {
        let budget = job.lock_timeout.unwrap_or(self.manner.lock_timeout);
        if budget == 0 {
            return 0;
        }
        let circumstances =
            Circumstances { version: Some(self.version), known: true, ..Circumstances::default() };
        let effects = effects::of_script(&self.folder, &circumstances, changes);
        let strong = effects.relations.iter().filter(|effect| effect.lock > Lock::RowExclusive).count();
        (budget / u64::try_from(strong.max(1)).unwrap_or(1)).max(SHORTEST_WAIT)
    }

    /// Sends one statement, and looks meanwhile whether the guard is still held and what is waited for.
    async fn send(&mut self, job: &Job<'_>, position: usize) -> Result<(), ApplyError> {
        let exactly = self.exactly.take();
        let sql = exactly.as_deref().unwrap_or(&job.statements[position].sql);
        if self.guard_lost || !self.hold.guard.beat().await {
            self.guard_lost = true;
            return Err(ApplyError::ConnectionLost(
                "the lock that keeps other runners away was lost, so nothing more is sent".to_owned(),
            ));
        }
        let (done, of) = self.place;
        let what = format!("{}: {}", job.file, first_words(sql));
        self.world.progress.step(&what, done, of);
        let process = self.hold.worker.process();
        let mut stop = StopOnDrop { canceller: Some(self.hold.worker.canceller()) };
        self.blockers.clear();
        let Hold { worker, guard, .. } = &mut self.hold;
        let mut running = std::pin::pin!(worker.execute(sql));
        // A short limit of waiting ends before a long pause would.
        let mut pause = FIRST_LOOK;
        let result = loop {
            tokio::select! {
                biased;
                result = &mut running => break result,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(Duration::from_secs(1));
            if !guard.beat().await {
                self.guard_lost = true;
            }
            let Some(process) = process else { continue };
            let blockers = guard.blockers(process).await;
            if let Some(first) = blockers.first() {
                let waits = format!("{}: waiting for {}", job.file, fail::describe(first));
                self.world.progress.step(&waits, done, of);
                self.blockers = blockers;
            } else if let Some((built, all)) = guard.index_progress(process).await.filter(|(_, all)| *all > 0)
            {
                self.world.progress.step(&format!("{what} ({} %)", built * 100 / all), done, of);
            }
        };
        stop.canceller = None;
        result.map(|_| ())
    }

    /// Waits before the next try: longer from try to try, and by chance, so that runners do not march in step.
    async fn wait(&mut self, job: &Job<'_>, attempt: u32) {
        let longest =
            job.retries.first_wait.saturating_mul(1 << attempt.min(20)).min(job.retries.longest_wait);
        let wait = RandomState::new().build_hasher().finish() % (longest + 1);
        self.done.retries += 1;
        let waited = match self.blockers.first() {
            Some(first) => format!(" It waited for {}.", fail::describe(first)),
            None => String::new(),
        };
        let note = format!(
            "`{}`: a lock was not had in time; try {} of {} follows in {wait} ms.{waited}",
            job.file,
            attempt + 2,
            job.retries.attempts + 1
        );
        self.world.progress.note(&note);
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }

    fn tell(&mut self, note: String) {
        self.world.progress.note(&note);
        self.done.notes.push(note);
    }

    async fn record(&mut self, row: &Applied, state: &AppliedState) -> Result<(), ServiceError> {
        let row = Applied { state: state.clone(), ..row.clone() };
        self.hold.worker.record(&self.hold.table, &row).await.map_err(failed)
    }

    async fn finish(&mut self, row: &Applied, state: &AppliedState) -> Result<(), ServiceError> {
        let row = Applied { state: state.clone(), finished_at: Some(self.now()), ..row.clone() };
        self.hold.worker.record(&self.hold.table, &row).await.map_err(failed)
    }
}

/// The catalog as it is; nothing but the engine where it cannot be read, which makes waits no shorter and nothing else.
async fn live(dsn: &Dsn, engine: Engine, world: &World<'_>) -> Folder {
    let facts = async {
        let mut session = ReadSession::open(dsn, &world.limits).await.ok()?;
        let facts = session.collect(&[Fact::Catalog], world.progress).await.ok()?;
        session.close().await;
        Some(facts)
    };
    let Some(mut facts) = facts.await else { return Folder::new(engine) };
    if let (Dsn::Sqlite(_), Some(catalog)) = (dsn, facts.catalog.known_mut()) {
        dbwright_sql::sqlite::understand::complete(catalog);
    }
    dbwright_sql::understand::understand(&mut facts);
    match facts.catalog.known() {
        Some(catalog) => Folder::on(catalog.clone()),
        None => Folder::new(engine),
    }
}

/// Whether a transaction drops or renames a table of SQLite, or wants foreign keys off for it.
fn rebuilds(job: &Job<'_>, step: &Step, changes: &[Vec<Change>]) -> bool {
    let structural = changes
        .iter()
        .flatten()
        .any(|change| matches!(change, Change::DropTable { .. } | Change::RenameTable { .. }));
    structural
        || job.foreign_keys_off
        || step.sends.iter().any(|position| {
            let sql = job.statements[*position].sql.to_ascii_lowercase();
            sql.starts_with("pragma") && sql.contains("foreign_keys")
        })
}

/// Indexes and triggers that statements drop by name.
fn dropped(changes: &[Vec<Change>]) -> Vec<String> {
    let name = |change: &Change| match change {
        Change::DropIndex { index, .. } => Some(index.name.to_string()),
        Change::DropTrigger { name, .. } => Some(name.to_string()),
        _ => None,
    };
    changes.iter().flatten().filter_map(name).collect()
}

/// Whether a setting is one of the limits that the runner sets too.
fn sets_timeout(sql: &str) -> bool {
    let lower = sql.to_ascii_lowercase();
    let limits =
        ["lock_timeout", "statement_timeout", "lock_wait_timeout", "max_statement_time", "busy_timeout"];
    limits.iter().any(|limit| lower.contains(limit))
}

/// The begin of a statement, on one line.
fn first_words(sql: &str) -> String {
    let text: Vec<&str> = sql.split_whitespace().take(12).collect();
    dbwright_sql::names::clip(&text.join(" "), 60).to_owned()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
