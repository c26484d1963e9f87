//! Sessions with a server: reading ones, which cannot write, and writing ones, which need consent.

use std::time::Duration;

use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{DataQuestion, Fact, Facts};

use crate::dsn::Dsn;

/// Limits on what a reading session may ask of a server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Longest time to open a connection.
    pub connect_timeout: Duration,
    /// Longest time for one statement.
    pub statement_timeout: Duration,
    /// Longest wait for a lock.
    pub lock_timeout: Duration,
    /// Longest time for the whole collection; facts not reached by then are reported as such.
    pub total: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(15),
            lock_timeout: Duration::from_secs(2),
            total: Duration::from_secs(120),
        }
    }
}

/// What a session could not do, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SessionError {
    /// What kind of trouble it is.
    pub kind: SessionErrorKind,
    /// What failed, on what, and why, secrets taken out.
    pub message: String,
    /// What to do next, in the imperative.
    pub hint: Option<String>,
}

/// Kinds of trouble with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionErrorKind {
    /// The target is written wrongly.
    Usage,
    /// The server cannot be reached, or the file cannot be opened.
    Connection,
    /// The server refuses this user.
    Authentication,
    /// The server lacks something.
    Unsupported,
    /// The user or the total time limit stopped it.
    Cancelled,
    /// Anything else.
    Internal,
}

/// Told how collection comes along.
pub trait Progress: Send + Sync {
    /// A fact is about to be read: the `index`-th of `of`, from 0.
    fn fact(&self, fact: Fact, index: usize, of: usize);

    /// A longer piece of work has come `done` of `of` units far; 0 of 0 when nobody can tell.
    fn step(&self, _what: &str, _done: u64, _of: u64) {}

    /// Something happened that is to be read later too.
    fn note(&self, _what: &str) {}
}

/// Progress that nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn fact(&self, _fact: Fact, _index: usize, _of: usize) {}
}

/// A session that cannot write: the server itself was told to refuse.
pub enum ReadSession {
    /// PostgreSQL.
    Postgres(Box<crate::postgres::ReadSession>),
    /// MySQL or MariaDB.
    Mysql(crate::mysql::ReadSession),
    /// SQLite.
    Sqlite(crate::sqlite::ReadSession),
}

impl ReadSession {
    /// Opens a reading session.
    pub async fn open(dsn: &Dsn, limits: &Limits) -> Result<Self, SessionError> {
        Ok(match dsn {
            Dsn::Postgres(dsn) => {
                ReadSession::Postgres(Box::new(crate::postgres::ReadSession::open(dsn, limits).await?))
            }
            Dsn::Mysql(dsn) => ReadSession::Mysql(crate::mysql::ReadSession::open(dsn, limits).await?),
            Dsn::Sqlite(dsn) => ReadSession::Sqlite(crate::sqlite::ReadSession::open(dsn, limits).await?),
        })
    }

    /// The server's engine and version.
    pub fn server(&self) -> (Engine, Version) {
        match self {
            ReadSession::Postgres(session) => session.server(),
            ReadSession::Mysql(session) => session.server(),
            ReadSession::Sqlite(session) => session.server(),
        }
    }

    /// Reads the facts of the plan. A fact that cannot be read says so; only a lost connection before the first fact
    /// is an error.
    pub async fn collect(&mut self, plan: &[Fact], progress: &dyn Progress) -> Result<Facts, SessionError> {
        match self {
            ReadSession::Postgres(session) => session.collect(plan, progress).await,
            ReadSession::Mysql(session) => session.collect(plan, progress).await,
            ReadSession::Sqlite(session) => session.collect(plan, progress).await,
        }
    }

    /// Asks questions about rows and adds the answers to the facts.
    pub async fn ask(&mut self, questions: &[DataQuestion], facts: &mut Facts) -> Result<(), SessionError> {
        match self {
            ReadSession::Postgres(session) => session.ask(questions, facts).await,
            ReadSession::Mysql(session) => session.ask(questions, facts).await,
            ReadSession::Sqlite(session) => session.ask(questions, facts).await,
        }
    }

    /// Ends the session politely.
    pub async fn close(self) {
        match self {
            ReadSession::Postgres(session) => session.close().await,
            ReadSession::Mysql(session) => session.close().await,
            ReadSession::Sqlite(session) => session.close().await,
        }
    }
}
