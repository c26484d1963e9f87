//! One runner at a time: a lock that is polled and never waited for, and that ends with the process that holds it.
//!
//! A blocking wait for an advisory lock holds a snapshot, for which `CREATE INDEX CONCURRENTLY` of the holder waits: a
//! deadlock. So the lock is tried, and between two tries nothing is open. The guard has a connection of its own, which is
//! idle outside of transactions; it serves to look at what the working session waits for.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dbwright_model::applied::Blocker;
use dbwright_model::engine::Dialect;
use sha2::{Digest, Sha256};

use crate::apply::history::literal;
use crate::apply::{ApplyError, ApplySession};
use crate::dsn::Dsn;
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

/// A locked file beside the database.
struct LockFile {
    file: File,
    path: PathBuf,
}

/// A guard that is not held: a connection that tries.
pub struct Waiting {
    consent: Consent,
    name: String,
    session: Option<Box<ApplySession>>,
}

/// First half of the keys of PostgreSQL's advisory locks: the guard's, and the working session's.
const CLASSES: [i32; 2] = [0x6462_7267, 0x6462_7277];

impl Waiting {
    /// Prepares to try. `history` is the name of the history table: runners with different ones do not mind each other.
    pub fn new(consent: &Consent, history: &str) -> Self {
        Waiting { consent: consent.clone(), name: history.to_owned(), session: None }
    }

    /// Tries once, without waiting. `None` when another process holds the lock.
    pub async fn try_take(&mut self) -> Result<Option<Guard>, SessionError> {
        if let Dsn::Sqlite(path) = self.consent.target() {
            let held = try_file(path)?;
            return Ok(held.map(|held| Guard { held, name: self.name.clone() }));
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Box::new(ApplySession::open(&self.consent).await?),
        };
        let taken = try_lock(&mut session, 0, &self.name).await.map_err(|error| SessionError {
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
            Held::File(lock) => is_same(&lock.file, &lock.path),
            Held::Session(session) => {
                let sql = held_question(session.dialect(), 0, &self.name);
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
            Held::Session(_) => try_lock(worker, 1, &self.name).await,
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

impl Drop for LockFile {
    fn drop(&mut self) {
        // The file is removed while its lock is held, so that nobody gets the lock of a file that is gone.
        let _ = std::fs::remove_file(&self.path);
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

/// A number that two runners of one history table have in common.
fn key(name: &str) -> i32 {
    let digest = Sha256::digest(name.as_bytes());
    i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

async fn try_lock(session: &mut ApplySession, class: usize, name: &str) -> Result<bool, ApplyError> {
    let sql = match session.dialect() {
        Dialect::Postgres => {
            format!(
                "select case when pg_catalog.pg_try_advisory_lock({}, {}) then 1 else 0 end as got",
                CLASSES[class],
                key(name)
            )
        }
        Dialect::Mysql => format!("select get_lock({}, 0) as got", mysql_name(class, name)),
        Dialect::Sqlite => return Ok(true),
    };
    let rows = session.ask(&sql).await?;
    Ok(rows.first().and_then(|row| row.opt_text("got").ok().flatten()) == Some("1"))
}

/// The question whether this session still holds its lock.
fn held_question(dialect: Dialect, class: usize, name: &str) -> String {
    match dialect {
        Dialect::Mysql => {
            let name = mysql_name(class, name);
            format!("select case when is_used_lock({name}) = connection_id() then 1 else 0 end as held")
        }
        _ => format!(
            "select count(*) as held from pg_catalog.pg_locks where locktype = 'advisory' and granted \
             and pid = pg_catalog.pg_backend_pid() and classid = {} and objid = ({})::bigint::int::oid and objsubid = 2",
            CLASSES[class],
            key(name)
        ),
    }
}

/// MySQL's names of locks hold for the whole server, so the database is part of them.
fn mysql_name(class: usize, name: &str) -> String {
    let name = literal(Dialect::Mysql, name);
    format!("concat('dbwright{class}:', left(md5(concat(coalesce(database(), ''), '/', {name})), 32))")
}

fn try_file(database: &Path) -> Result<Option<Held>, SessionError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".dbwright-lock");
    let path = PathBuf::from(name);
    let trouble = |error: &std::io::Error| SessionError {
        kind: SessionErrorKind::Connection,
        message: format!("the lock file `{}` cannot be used: {error}", path.display()),
        hint: Some("the runner needs to write beside the database".to_owned()),
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| trouble(&error))?;
    match file.try_lock() {
        Ok(()) if is_same(&file, &path) => Ok(Some(Held::File(LockFile { file, path }))),
        // Its holder has just removed it.
        Ok(()) | Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(trouble(&error)),
    }
}

/// Whether a path still leads to an open file.
fn is_same(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}
