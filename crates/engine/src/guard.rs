//! One runner at a time: a lock that is polled and never waited for, and that ends with the process that holds it.
//!
//! A blocking wait for an advisory lock holds a snapshot, for which `CREATE INDEX CONCURRENTLY` of the holder waits: a
//! deadlock. So the lock is tried, and between two tries nothing is open. The guard has a connection of its own, which is
//! idle outside of transactions; it serves to look at what the working session waits for.

use dbwright_model::applied::Blocker;
use dbwright_model::engine::Dialect;

use crate::apply::{ApplyError, ApplySession};
use crate::dsn::Dsn;
use crate::lock::{LockFile, Right};
use crate::row::Row;
use crate::session::{SessionError, SessionErrorKind};
use crate::write::Consent;

/// A lock that was got. It is given back when this is dropped or the process ends.
pub struct Guard {
    held: Held,
    name: String,
}

enum Held {
    Session(Box<ApplySession>),
    File(LockFile),
}

/// A guard that is not held: a connection that tries.
pub struct Waiting {
    consent: Consent,
    name: String,
    session: Option<Box<ApplySession>>,
}

impl Waiting {
    /// Prepares to try. `history` is the name of the history table: runners with different ones do not mind each other.
    pub fn new(consent: &Consent, history: &str) -> Self {
        Waiting { consent: consent.clone(), name: history.to_owned(), session: None }
    }

    /// Tries once, without waiting. `None` when another process holds the lock.
    pub async fn try_take(&mut self) -> Result<Option<Guard>, SessionError> {
        if let Dsn::Sqlite(path) = self.consent.target() {
            let taken =
                LockFile::try_take(path, Right::Runner(&self.name)).map_err(|message| SessionError {
                    kind: SessionErrorKind::Connection,
                    message,
                    hint: Some("the runner needs to write beside the database".to_owned()),
                })?;
            return Ok(taken.map(|lock| Guard { held: Held::File(lock), name: self.name.clone() }));
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Box::new(ApplySession::open(&self.consent).await?),
        };
        let taken =
            try_lock(&mut session, Right::Runner(&self.name)).await.map_err(|error| SessionError {
                kind: SessionErrorKind::Connection,
                message: format!("the lock of the runner could not be tried: {error}"),
                hint: None,
            })?;
        if taken {
            return Ok(Some(Guard { held: Held::Session(session), name: self.name.clone() }));
        }
        self.session = Some(session);
        Ok(None)
    }
}

impl Guard {
    /// Whether the lock is still held; asked from time to time and before every statement.
    pub async fn beat(&mut self) -> bool {
        match &mut self.held {
            Held::File(lock) => lock.is_held(),
            Held::Session(session) => {
                let sql = Right::Runner(&self.name).held(session.dialect());
                let Ok(rows) = session.ask(&sql).await else { return false };
                rows.first().and_then(|row| row.opt_text("held").ok().flatten()).is_some_and(|n| n != "0")
            }
        }
    }

    /// Locks the working session too, without waiting. A server finishes a statement whose runner was killed; until then its
    /// session holds this lock. `false` while such a one is there.
    pub async fn lock_worker(&self, worker: &mut ApplySession) -> Result<bool, ApplyError> {
        match self.held {
            Held::File(_) => Ok(true),
            Held::Session(_) => try_lock(worker, Right::Worker(&self.name)).await,
        }
    }

    /// The sessions that a session waits for. For MySQL and MariaDB, which do not tell everybody: those with an open
    /// transaction.
    pub async fn blockers(&mut self, process: i64) -> Vec<Blocker> {
        let Held::Session(session) = &mut self.held else { return Vec::new() };
        let sql = match session.dialect() {
            Dialect::Postgres => format!(
                "select a.pid as process, coalesce(a.usename, '') as account, a.application_name as application, \
                 coalesce(a.state, a.backend_type) as state, \
                 extract(epoch from clock_timestamp() - a.xact_start)::bigint as seconds, left(a.query, 200) as query \
                 from pg_catalog.pg_stat_activity a \
                 where a.pid = any (pg_catalog.pg_blocking_pids({process})) order by a.xact_start nulls last, a.pid"
            ),
            Dialect::Mysql => format!(
                "select p.id as process, p.user as account, p.host as application, lower(p.command) as state, \
                 timestampdiff(second, t.trx_started, now()) as seconds, left(coalesce(p.info, ''), 200) as query \
                 from information_schema.innodb_trx t \
                 join information_schema.processlist p on p.id = t.trx_mysql_thread_id \
                 where p.id not in ({process}, connection_id()) order by t.trx_started, p.id"
            ),
            Dialect::Sqlite => return Vec::new(),
        };
        let Ok(rows) = session.ask(&sql).await else { return Vec::new() };
        rows.iter().map(blocker).collect()
    }

    /// How far the index that a session builds has come: units done and units in all.
    pub async fn index_progress(&mut self, process: i64) -> Option<(u64, u64)> {
        let Held::Session(session) = &mut self.held else { return None };
        if session.dialect() != Dialect::Postgres {
            return None;
        }
        let sql = format!(
            "select greatest(blocks_done, tuples_done) as done, greatest(blocks_total, tuples_total) as total \
             from pg_catalog.pg_stat_progress_create_index where pid = {process}"
        );
        let rows = session.ask(&sql).await.ok()?;
        let number = |column: &str| rows.first()?.opt_text(column).ok()??.parse().ok();
        Some((number("done")?, number("total")?))
    }

    /// Gives the lock back.
    pub async fn release(self) {
        if let Held::Session(session) = self.held {
            session.close().await;
        }
    }
}

fn blocker(row: &Row) -> Blocker {
    let text = |column: &str| row.opt_text(column).ok().flatten().unwrap_or_default().to_owned();
    Blocker {
        process: text("process").parse().unwrap_or(0),
        user: text("account"),
        application: text("application"),
        state: text("state"),
        transaction_seconds: text("seconds").parse().ok(),
        query: text("query"),
    }
}

async fn try_lock(session: &mut ApplySession, right: Right<'_>) -> Result<bool, ApplyError> {
    let rows = session.ask(&right.taking(session.dialect())).await?;
    Ok(rows.first().and_then(|row| row.opt_text("got").ok().flatten()) == Some("1"))
}
