//! Carries a long write out piece by piece: each is committed by itself together with how far the work is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dbwright_advise::backfill::pace::{Pace, Taken};
use dbwright_advise::backfill::pieces::{COUNTED, Place, Shape};
use dbwright_advise::backfill::throttle::Bounds;
use dbwright_engine::apply::ApplyError;
use dbwright_engine::bound::Texts;
use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::{Limits, Progress};
use dbwright_engine::write::WriteSession;
use dbwright_model::engine::{Dialect, Engine};

use super::backfill_state::{self as state, State};
use watch::Watch;

mod watch;

/// A long write.
pub(super) struct Job<'a> {
    /// What it is called in the table that remembers it.
    pub name: String,
    /// The server it is done on.
    pub engine: Engine,
    /// Its statements.
    pub shape: Shape,
    /// Rows of the first piece.
    pub rows: u32,
    /// Milliseconds that a piece should take.
    pub target_ms: u64,
    /// Longest wait of a piece for one lock, in milliseconds.
    pub lock_timeout_ms: u64,
    /// What the server and those who use it may be made to feel.
    pub bounds: Bounds,
    /// Whether the table is vacuumed when too many of its rows are dead (PostgreSQL).
    pub vacuum: bool,
    /// Rows of the table, where known.
    pub estimate: Option<u64>,
    /// The server that is written to, for a second session that watches it.
    pub target: &'a Dsn,
    /// Replicas that are asked how far they are behind.
    pub replicas: &'a [Dsn],
    /// What may be asked of servers.
    pub limits: &'a Limits,
    /// Whether somebody wants the work to stop after the piece that is being written.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Told how the work comes along.
    pub progress: &'a dyn Progress,
}

impl Job<'_> {
    /// Longest time of one piece. Whoever wants a row of it waits until it is over: no longer than the piece itself would
    /// wait for others, unless pieces are wanted that take longer.
    fn longest(&self) -> Duration {
        Duration::from_millis(self.lock_timeout_ms.max(self.target_ms.saturating_mul(2)))
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How it ended.
    pub end: End,
    /// Rows written, those of earlier runs included.
    pub rows: u64,
    /// Pieces of this run.
    pub pieces: u64,
    /// Whether it went on where an earlier run had stopped.
    pub resumed: bool,
    /// Pieces of this run that were taken back for taking too long, and written again as smaller ones.
    pub cut: u64,
    /// Vacuums of this run.
    pub vacuums: u32,
    /// Milliseconds waited, by reason with its numbers left out.
    pub waited: BTreeMap<String, u64>,
    /// What the user should know, as full sentences.
    pub notes: Vec<String>,
}

/// How a long write ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// No row satisfies the filter any more.
    #[default]
    Done,
    /// It was done before, and still is.
    Already,
    /// Somebody wanted it to stop.
    Stopped,
    /// Rows still satisfy the filter: how many, at most one more than are counted, and a few of their keys.
    Left(u64, Vec<String>),
}

/// Why a long write came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum JobError {
    /// The server refused a statement, or was lost.
    #[error("{0}")]
    Apply(#[from] ApplyError),
    /// Another process does the same work.
    #[error("another process does this work right now")]
    Taken,
    /// Another process has taken the work over.
    #[error("another process has taken this work over")]
    Lost,
    /// The name stands for another statement.
    #[error("`{0}` was begun with another statement or key: {1}")]
    Other(String, String),
    /// Rows that a piece has written still satisfy the filter, so that they would be written again.
    #[error(
        "rows still satisfy the condition when they are written, and would be written again and again: {samples}; the piece was taken back, and {kept} rows of pieces before it are written"
    )]
    Again {
        /// Some of them, by their keys.
        samples: String,
        /// Rows that are written, those of earlier runs included.
        kept: u64,
    },
    /// A piece did not get its locks, or was not over in time, in any try.
    #[error("a piece of {rows} rows was given up after {tries} tries: {message}")]
    GivenUp {
        /// Rows of the piece.
        rows: u32,
        /// Tries.
        tries: u32,
        /// The server's words at the last one.
        message: String,
    },
}

/// Tries of one piece that does not get its locks, or takes too long.
const TRIES: u32 = 10;
/// Tries after the first of a piece in which rows still satisfy the filter that others may have written.
const TRIES_AGAIN: u32 = 3;
/// Times that a table is gone through, since others write rows behind the place that was reached.
const ROUNDS: u32 = 3;
/// Fewest and most rows of a piece.
const ROWS: (u32, u32) = (20, 50_000);

/// Does the work to its end, or until somebody wants it to stop.
pub(super) async fn run(job: &Job<'_>, session: &mut WriteSession, owner: &str) -> Result<Outcome, JobError> {
    prepare(session, job.lock_timeout_ms).await?;
    let Some(_owned) = session.own(&job.name).await? else { return Err(JobError::Taken) };
    state::create(session).await?;
    let mut outcome = Outcome::default();
    let mut now = State {
        name: job.name.clone(),
        statement: job.shape.statement.clone(),
        keyset: list(job.shape.key.iter().map(|column| column.name.as_str())),
        piece_rows: job.rows,
        ..State::default()
    };
    if let Some(before) = state::read(session, &job.name).await? {
        if before.statement != now.statement || before.keyset != now.keyset {
            return Err(JobError::Other(job.name.clone(), before.statement));
        }
        match before.state.as_str() {
            "done" => {
                if count_left(job, session).await? == 0 {
                    return Ok(Outcome { end: End::Already, rows: before.rows_done, ..outcome });
                }
            }
            "left" => now.rows_done = before.rows_done,
            _ => {
                outcome.resumed = before.last_key.is_some();
                now = State { state: String::new(), ..before };
            }
        }
    }
    now.state = "running".to_owned();
    state::begin(session, &now, owner).await?;
    let mut watch = Watch::open(job, &mut outcome).await;
    let mut pace = Pace::new(job.target_ms, now.piece_rows, ROWS.0, ROWS.1);
    let mut left_before = u64::MAX;
    for round in 1..=ROUNDS {
        let mut after = now.last_key.as_deref().and_then(place_of);
        loop {
            let reached =
                match piece(job, session, &mut pace, &mut now, after.as_ref(), owner, &mut outcome).await {
                    Ok(Some(reached)) => reached,
                    Ok(None) => break,
                    Err(error) => {
                        watch.close().await;
                        // What came to nothing does not stand in the way of the same work in better words.
                        if matches!(error, JobError::Again { kept: 0, .. }) {
                            state::forget(session, &now.name, owner).await?;
                        }
                        return Err(error);
                    }
                };
            outcome.rows = now.rows_done;
            watch.tell(job, &now);
            if (job.stop)() {
                return stopped(session, now, owner, outcome).await;
            }
            after = Some(reached);
            if !watch.wait(job, session, &mut pace, &mut outcome).await? {
                return stopped(session, now, owner, outcome).await;
            }
        }
        outcome.rows = now.rows_done;
        let left = count_left(job, session).await?;
        if left == 0 {
            finish(session, &mut now, owner, "done").await?;
            watch.last(job, session, &mut outcome).await?;
            watch.close().await;
            return Ok(outcome);
        }
        if left >= left_before.min(COUNTED) && round > 1 {
            break;
        }
        left_before = left;
        now.last_key = None;
        now.rows_passed = 0;
    }
    let left = count_left(job, session).await?;
    let samples = session.ask_bound(&job.shape.samples().sql, &[]).await?;
    finish(session, &mut now, owner, "left").await?;
    watch.close().await;
    outcome.end = End::Left(left, samples.iter().map(|row| shown(job, row)).collect());
    Ok(outcome)
}

/// Settings of the session. Values of keys must read the same whatever the role, the database or the file set.
async fn prepare(session: &mut WriteSession, lock_timeout_ms: u64) -> Result<(), ApplyError> {
    let seconds = lock_timeout_ms.div_ceil(1000).max(1);
    let statements = match session.dialect() {
        Dialect::Postgres => vec![
            format!("set lock_timeout = {lock_timeout_ms}"),
            "set statement_timeout = 0".to_owned(),
            "set datestyle = 'ISO, YMD'".to_owned(),
            "set intervalstyle = 'postgres'".to_owned(),
            "set extra_float_digits = 1".to_owned(),
        ],
        Dialect::Mysql => vec![
            format!("set session lock_wait_timeout = {seconds}"),
            format!("set session innodb_lock_wait_timeout = {seconds}"),
        ],
        Dialect::Sqlite => vec![],
    };
    for sql in &statements {
        session.execute_bound(sql, &[]).await?;
    }
    match session.dialect() {
        Dialect::Mysql => {
            // Gaps between rows are then not locked. With a log of statements the server would refuse every write.
            let rows = session.ask_bound("select @@binlog_format", &[]).await?;
            let format = rows.into_iter().flatten().next().flatten().unwrap_or_default();
            if !format.eq_ignore_ascii_case("statement") {
                session.execute_bound("set session transaction isolation level read committed", &[]).await?;
            }
        }
        Dialect::Sqlite => {
            session.ask_bound(&format!("pragma busy_timeout = {lock_timeout_ms}"), &[]).await?;
        }
        Dialect::Postgres => {}
    }
    Ok(())
}

/// Writes the piece after a place, and returns the place that it reached; `None` after the last.
async fn piece(
    job: &Job<'_>,
    session: &mut WriteSession,
    pace: &mut Pace,
    now: &mut State,
    after: Option<&Place>,
    owner: &str,
    outcome: &mut Outcome,
) -> Result<Option<Place>, JobError> {
    let mut tries = 0;
    loop {
        let begun = Instant::now();
        let rows = pace.rows();
        match try_piece(job, session, pace, now, after, owner).await {
            Ok((written, reached, full)) => {
                outcome.pieces += 1;
                let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                pace.taken(&Taken { rows: written, full, took_ms });
                return Ok(reached);
            }
            Err(error) => {
                let is_late = begun.elapsed() >= job.longest();
                rollback(session).await;
                // They may be rows that others have written in the meantime.
                if matches!(error, JobError::Again { .. })
                    && session.dialect() == Dialect::Mysql
                    && tries < TRIES_AGAIN
                {
                    tries += 1;
                    continue;
                }
                let (hindrance, message) = hindrance(error, is_late)?;
                tries += 1;
                if tries >= TRIES {
                    return Err(JobError::GivenUp { rows, tries, message });
                }
                match hindrance {
                    Hindrance::Lock => {
                        pace.hindered();
                        let pause = (100_u64 << tries.min(6)).min(5_000) + u64::from(std::process::id() % 97);
                        outcome.wait("a lock was not had in time", pause).await;
                    }
                    Hindrance::Time => {
                        pace.too_long();
                        outcome.cut += 1;
                    }
                }
            }
        }
    }
}

/// What keeps a piece from being written that may be written at another try.
enum Hindrance {
    /// Somebody else has a lock.
    Lock,
    /// It takes too long.
    Time,
}

/// The hindrance that an error is, with the server's words, or the error itself. `is_late` is whether the longest time of a
/// piece was over.
fn hindrance(error: JobError, is_late: bool) -> Result<(Hindrance, String), JobError> {
    match error {
        JobError::Apply(ApplyError::LockNotAvailable(message)) => Ok((Hindrance::Lock, message)),
        // A server that speaks another language than English does not say which of the two it was.
        JobError::Apply(ApplyError::TimedOut(message) | ApplyError::Cancelled(message)) if is_late => {
            Ok((Hindrance::Time, message))
        }
        other => Err(other),
    }
}

/// The same, once: rows written, the place reached, and whether the piece was full.
async fn try_piece(
    job: &Job<'_>,
    session: &mut WriteSession,
    pace: &Pace,
    now: &mut State,
    after: Option<&Place>,
    owner: &str,
) -> Result<(u64, Option<Place>, bool), JobError> {
    let shape = &job.shape;
    let by_rows = shape.end_by_rows(after, pace.rows(), pace.passes());
    let (until, passed, full) =
        match session.ask_bound(&by_rows.sql, &by_rows.values).await?.into_iter().next() {
            Some(mut row) => {
                let passed = row.pop().flatten().and_then(|number| number.parse().ok()).unwrap_or(0);
                (Some(place(row)), passed, true)
            }
            None => {
                let by_passes = shape.end_by_passes(after, pace.passes());
                let row = session.ask_bound(&by_passes.sql, &by_passes.values).await?.into_iter().next();
                (row.map(place), u64::from(pace.passes()), false)
            }
        };
    let write = shape.write(after, until.as_ref());
    let begin = if session.dialect() == Dialect::Sqlite { "begin immediate" } else { "begin" };
    session.execute_bound(begin, &[]).await?;
    let longest = job.longest().as_millis();
    let limited = match job.engine {
        Engine::Postgres => {
            session.execute_bound(&format!("set local statement_timeout = {longest}"), &[]).await?;
            write.sql
        }
        Engine::Mariadb => {
            format!("set statement max_statement_time = {} for {}", longest as f64 / 1e3, write.sql)
        }
        // MySQL limits the time of reads only, and SQLite's readers do not wait.
        Engine::Mysql | Engine::Sqlite => write.sql,
    };
    let written = session.execute_bound(&limited, &write.values).await?;
    if written > 0 {
        let still = shape.still(after, until.as_ref());
        let rows = session.ask_bound(&still.sql, &still.values).await?;
        if !rows.is_empty() {
            let samples = rows.iter().map(|row| shown(job, row)).collect::<Vec<_>>().join("; ");
            return Err(JobError::Again { samples, kept: now.rows_done });
        }
    }
    let mut next = State {
        last_key: until.as_ref().map(|place| list(place.iter().map(String::as_str))).or(now.last_key.clone()),
        rows_done: now.rows_done + written,
        rows_passed: now.rows_passed + if until.is_some() { passed } else { 0 },
        piece_rows: pace.rows(),
        ..now.clone()
    };
    if !state::advance(session, &next, owner).await? {
        return Err(JobError::Lost);
    }
    session.execute_bound("commit", &[]).await?;
    std::mem::swap(now, &mut next);
    Ok((written, until, full))
}

async fn rollback(session: &mut WriteSession) {
    // Without a transaction there is nothing to roll back, and a lost connection has done it.
    let _ = session.execute_bound("rollback", &[]).await;
}

async fn count_left(job: &Job<'_>, session: &mut WriteSession) -> Result<u64, JobError> {
    let left = job.shape.left();
    let rows = session.ask_bound(&left.sql, &left.values).await?;
    let number = rows.into_iter().flatten().next().flatten();
    // An answer that is no number must not look like "none".
    Ok(number.and_then(|number| number.parse().ok()).unwrap_or(u64::MAX))
}

async fn finish(
    session: &mut WriteSession,
    now: &mut State,
    owner: &str,
    word: &str,
) -> Result<(), JobError> {
    now.state = word.to_owned();
    match state::advance(session, now, owner).await? {
        true => Ok(()),
        false => Err(JobError::Lost),
    }
}

async fn stopped(
    session: &mut WriteSession,
    mut now: State,
    owner: &str,
    mut outcome: Outcome,
) -> Result<Outcome, JobError> {
    finish(session, &mut now, owner, "stopped").await?;
    outcome.end = End::Stopped;
    Ok(outcome)
}

impl Outcome {
    fn note(&mut self, sentence: String) {
        if !self.notes.contains(&sentence) {
            self.notes.push(sentence);
        }
    }

    async fn wait(&mut self, because: &str, milliseconds: u64) {
        *self.waited.entry(because.to_owned()).or_default() += milliseconds;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

fn place(row: Texts) -> Place {
    // Columns of the key hold no nulls.
    row.into_iter().map(Option::unwrap_or_default).collect()
}

fn place_of(text: &str) -> Option<Place> {
    serde_json::from_str(text).ok()
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    serde_json::Value::from(texts.collect::<Vec<_>>()).to_string()
}

fn shown(job: &Job<'_>, row: &Texts) -> String {
    let values = job.shape.key.iter().zip(row).map(|(column, value)| {
        let value = value.as_deref().unwrap_or("null");
        let value =
            if job.shape.dialect == Dialect::Sqlite { value.get(1..).unwrap_or_default() } else { value };
        format!("{} = {value}", column.name)
    });
    values.collect::<Vec<_>>().join(", ")
}
