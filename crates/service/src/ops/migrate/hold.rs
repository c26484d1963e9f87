//! Getting hold of a database: one runner at a time, by asking again and again and never by waiting inside of the server.

use std::time::Duration;

use dbwright_engine::apply::{ApplyError, ApplySession, HistoryTable, RecordReader};
use dbwright_engine::guard::{Guard, Waiting};
use dbwright_engine::session::Limits;
use dbwright_engine::write::Consent;
use dbwright_model::applied::{Applied, AppliedState};
use tokio::time::Instant;

use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// A database of which this process is the only runner.
pub(super) struct Hold {
    /// The lock.
    pub guard: Guard,
    /// The session that works.
    pub worker: ApplySession,
    /// The history table, which is there.
    pub table: HistoryTable,
    /// Its rows.
    pub history: Vec<Applied>,
}

/// Takes hold of a database, waiting at most so long for another runner to end. The history table is made where it is
/// missing, with at most `lock_timeout` milliseconds of waiting for a lock at a time.
pub(super) async fn take(
    consent: &Consent,
    table: &str,
    patience: Duration,
    lock_timeout: u64,
    world: &World<'_>,
) -> Result<Hold, ServiceError> {
    let end = Instant::now() + patience;
    let mut waiting = Waiting::new(consent, table);
    let mut told = false;
    let guard = loop {
        if let Some(guard) = waiting.try_take().await? {
            break guard;
        }
        if !std::mem::replace(&mut told, true) {
            let who =
                holder(consent, table, &world.limits).await.unwrap_or_else(|| "another runner".to_owned());
            world.progress.note(&format!("{who} is at work on this database; waiting for it to end"));
        }
        pause(end, "another runner is at work on this database").await?;
    };
    let mut worker = ApplySession::open(consent).await?;
    while !guard.lock_worker(&mut worker).await.map_err(failed)? {
        world.progress.step("a runner was stopped, and the server still finishes its statement", 0, 0);
        pause(end, "the server still finishes a statement of a runner that was stopped").await?;
    }
    worker.limits(Some(lock_timeout), None).await.map_err(failed)?;
    let (table, history) = loop {
        match record(&mut worker, table).await {
            Err(ApplyError::LockNotAvailable(message)) => {
                world.progress.step(&format!("waiting for the record of migrations: {message}"), 0, 0);
                pause(end, &format!("the record of migrations cannot be made: {message}")).await?;
            }
            other => break other.map_err(failed)?,
        }
    };
    Ok(Hold { guard, worker, table, history })
}

/// The history table, made where it is missing, and its rows.
async fn record(worker: &mut ApplySession, table: &str) -> Result<(HistoryTable, Vec<Applied>), ApplyError> {
    let (table, there) = worker.find_history(table).await?;
    if !there {
        worker.create_history(&table).await?;
    }
    let history = worker.history(&table).await?;
    Ok((table, history))
}

async fn pause(end: Instant, because: &str) -> Result<(), ServiceError> {
    if Instant::now() >= end {
        return Err(ServiceError::new(ErrorKind::Connection, because.to_owned())
            .hint("wait until it is done, or wait longer with `--wait SECONDS`"));
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// Who is at work, as far as the history tells.
async fn holder(consent: &Consent, table: &str, limits: &Limits) -> Option<String> {
    let mut session = RecordReader::open(consent.target(), limits).await.ok()?;
    let (_, rows) = session.history(table).await.ok()?;
    session.close().await;
    let rows = rows.unwrap_or_default();
    let row = rows.iter().rev().find(|row| row.state == AppliedState::Running)?;
    let since =
        row.started_at.map(|at| format!(" since {}", at.strftime("%H:%M:%S UTC"))).unwrap_or_default();
    Some(format!("process {} on `{}`{since}", row.process, row.host))
}

/// An error of the engine that no policy is known for.
pub(super) fn failed(error: ApplyError) -> ServiceError {
    let kind = match &error {
        ApplyError::ConnectionLost(_) => ErrorKind::Connection,
        ApplyError::Cancelled(_) => ErrorKind::Cancelled,
        _ => ErrorKind::Unsupported,
    };
    let hint = match &error {
        ApplyError::Refused(refusal) => refusal.hint.clone(),
        ApplyError::ConnectionLost(_) => {
            Some("run the same command again: it goes on where it stopped".to_owned())
        }
        _ => None,
    };
    let made = ServiceError::new(kind, error.to_string());
    match hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}
