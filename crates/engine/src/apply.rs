//! Sessions that run migrations: statement by statement, with typed refusals, limits, and the history of what was done.
//!
//! Nothing here decides what is run or tried again; it carries out and reports.

pub(crate) mod history;
mod reading;

use dbwright_model::applied::Applied;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::QualifiedName;
use sha2::{Digest, Sha256};

use crate::dsn::Dsn;
use crate::row::Row;
use crate::session::SessionError;
use crate::write::Consent;

pub use reading::RecordReader;

/// Why a statement was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// A lock was not had in time, or the statement was chosen to end a deadlock. The transaction is over.
    #[error("{0}")]
    LockNotAvailable(String),
    /// It ran longer than the statement timeout.
    #[error("{0}")]
    TimedOut(String),
    /// Somebody cancelled it.
    #[error("{0}")]
    Cancelled(String),
    /// The connection is gone, and nobody was told whether the statement was done.
    #[error("{0}")]
    ConnectionLost(String),
    /// The server refuses it.
    #[error("{0}")]
    Refused(Refusal),
}

/// What a server says against a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The server's code: SQLSTATE, MySQL's error number, SQLite's result code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What it adds: the row, the object that is in the way.
    pub detail: Option<String>,
    /// What it advises.
    pub hint: Option<String>,
    /// Character of the statement where it found the trouble, from 1.
    pub position: Option<u32>,
}

impl Refusal {
    /// Whether the server says that a relation, column, routine or schema that the statement names is not there.
    pub fn is_about_nothing(&self, dialect: Dialect) -> bool {
        match dialect {
            // Undefined table, column, function and object; invalid schema name.
            Dialect::Postgres => ["42P01", "42703", "42883", "42704", "3F000"].contains(&self.code.as_str()),
            // Unknown database, column, table and routine.
            Dialect::Mysql => ["1049", "1054", "1146", "1305"].contains(&self.code.as_str()),
            // SQLite has one code for everything and speaks English only.
            Dialect::Sqlite => self.message.starts_with("no such "),
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.message, self.code)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

/// The name of a history table as it is used: resolved once, so that a migration that changes the search path does not
/// lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTable {
    /// Its name, quoted and with its schema.
    pub quoted: String,
    /// Its schema, empty for SQLite.
    pub schema: String,
    /// Its name alone.
    pub name: String,
}

/// A session that runs migrations.
pub enum ApplySession {
    /// PostgreSQL.
    Postgres(crate::postgres::apply::Session),
    /// MySQL or MariaDB.
    Mysql(crate::mysql::apply::Session),
    /// SQLite.
    Sqlite(crate::sqlite::apply::Session),
}

/// Stops the running statement of a session on the server, from anywhere.
#[derive(Clone)]
pub enum Canceller {
    /// PostgreSQL.
    Postgres(Box<crate::postgres::apply::Canceller>),
    /// MySQL or MariaDB.
    Mysql(Box<crate::mysql::apply::Canceller>),
    /// SQLite.
    Sqlite(std::sync::Arc<rusqlite::InterruptHandle>),
}

impl ApplySession {
    /// Opens a session on the database that the consent is for.
    pub async fn open(consent: &Consent) -> Result<Self, SessionError> {
        Ok(match consent.target() {
            Dsn::Postgres(dsn) => {
                ApplySession::Postgres(crate::postgres::apply::Session::open(dsn, true).await?)
            }
            Dsn::Mysql(dsn) => ApplySession::Mysql(crate::mysql::apply::Session::open(dsn, true).await?),
            Dsn::Sqlite(path) => ApplySession::Sqlite(crate::sqlite::apply::Session::open(path, true).await?),
        })
    }

    /// Opens a session that the server keeps from writing, to look at the history without anybody's leave. An SQLite file
    /// must be there.
    pub(super) async fn open_to_read(dsn: &Dsn) -> Result<Self, SessionError> {
        Ok(match dsn {
            Dsn::Postgres(dsn) => {
                ApplySession::Postgres(crate::postgres::apply::Session::open(dsn, false).await?)
            }
            Dsn::Mysql(dsn) => ApplySession::Mysql(crate::mysql::apply::Session::open(dsn, false).await?),
            Dsn::Sqlite(path) => {
                ApplySession::Sqlite(crate::sqlite::apply::Session::open(path, false).await?)
            }
        })
    }

    /// The server's engine and version.
    pub fn server(&self) -> (Engine, Version) {
        match self {
            ApplySession::Postgres(session) => session.server(),
            ApplySession::Mysql(session) => session.server(),
            ApplySession::Sqlite(_) => (Engine::Sqlite, crate::sqlite::library_version()),
        }
    }

    /// The dialect of its statements.
    pub fn dialect(&self) -> Dialect {
        self.server().0.dialect()
    }

    /// The account that it works as; empty for SQLite.
    pub fn account(&self) -> &str {
        match self {
            ApplySession::Postgres(session) => session.account(),
            ApplySession::Mysql(session) => session.account(),
            ApplySession::Sqlite(_) => "",
        }
    }

    /// The server's number of the session; `None` for SQLite.
    pub fn process(&self) -> Option<i64> {
        match self {
            ApplySession::Postgres(session) => Some(session.process()),
            ApplySession::Mysql(session) => Some(session.process()),
            ApplySession::Sqlite(_) => None,
        }
    }

    /// What stops its running statement.
    pub fn canceller(&self) -> Canceller {
        match self {
            ApplySession::Postgres(session) => Canceller::Postgres(Box::new(session.canceller())),
            ApplySession::Mysql(session) => Canceller::Mysql(Box::new(session.canceller())),
            ApplySession::Sqlite(session) => Canceller::Sqlite(session.interrupter()),
        }
    }

    /// Sets the longest wait for one lock and the longest time of one statement for what follows, in milliseconds; 0 is for
    /// ever, `None` gives back what the session began with.
    pub async fn limits(&mut self, lock: Option<u64>, statement: Option<u64>) -> Result<(), ApplyError> {
        match self {
            ApplySession::Postgres(session) => session.limits(lock, statement).await,
            ApplySession::Mysql(session) => session.limits(lock, statement).await,
            ApplySession::Sqlite(session) => session.limits(lock, statement).await,
        }
    }

    /// Opens a transaction; in SQLite one that may write from its begin.
    pub async fn begin(&mut self) -> Result<(), ApplyError> {
        let sql = match self {
            ApplySession::Postgres(_) => "begin",
            ApplySession::Mysql(_) => "start transaction",
            ApplySession::Sqlite(_) => "begin immediate",
        };
        self.execute(sql).await.map(|_| ())
    }

    /// Commits the open transaction.
    pub async fn commit(&mut self) -> Result<(), ApplyError> {
        self.execute("commit").await.map(|_| ())
    }

    /// Rolls the open transaction back; without one nothing happens.
    pub async fn rollback(&mut self) -> Result<(), ApplyError> {
        match self {
            ApplySession::Sqlite(session) => session.rollback().await,
            _ => self.execute("rollback").await.map(|_| ()),
        }
    }

    /// Runs one statement. Returns how many rows it wrote, where the server tells.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, ApplyError> {
        match self {
            ApplySession::Postgres(session) => session.execute(sql).await,
            ApplySession::Mysql(session) => session.execute(sql).await,
            ApplySession::Sqlite(session) => session.execute(sql).await,
        }
    }

    /// Asks one question. Values come as the server's texts, or null.
    pub async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ApplyError> {
        match self {
            ApplySession::Postgres(session) => session.ask(sql).await,
            ApplySession::Mysql(session) => session.ask(sql).await,
            ApplySession::Sqlite(session) => session.ask(sql).await,
        }
    }

    /// Whether the database holds a table that somebody made.
    pub(super) async fn holds_tables(&mut self) -> Result<bool, ApplyError> {
        let sql = match self.dialect() {
            Dialect::Postgres => {
                "select 1 as one from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                 where c.relkind in ('r', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_' limit 1"
            }
            Dialect::Mysql => {
                "select 1 as one from information_schema.tables where table_schema = database() limit 1"
            }
            Dialect::Sqlite => {
                "select 1 as one from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' limit 1"
            }
        };
        Ok(!self.ask(sql).await?.is_empty())
    }

    /// Gives the session's settings back the values they had at its begin, but for limits.
    pub async fn reset(&mut self) -> Result<(), ApplyError> {
        match self {
            ApplySession::Postgres(session) => session.reset().await,
            ApplySession::Mysql(session) => session.reset().await,
            ApplySession::Sqlite(session) => session.reset().await,
        }
    }

    /// A text that changes when the structure of one of some relations changes, or any routine, trigger or other object that
    /// is no relation. Indexes that a broken `CONCURRENTLY` left invalid are not in it.
    pub async fn fingerprint(&mut self, relations: &[QualifiedName]) -> Result<String, ApplyError> {
        let text = match self {
            ApplySession::Postgres(session) => session.structure(relations).await?,
            ApplySession::Mysql(session) => session.structure(relations).await?,
            ApplySession::Sqlite(session) => session.structure().await?,
        };
        Ok(Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Indexes that a broken `CONCURRENTLY` left behind, by name.
    pub async fn invalid_indexes(&mut self) -> Result<Vec<QualifiedName>, ApplyError> {
        match self {
            ApplySession::Postgres(session) => session.invalid_indexes().await,
            _ => Ok(Vec::new()),
        }
    }

    /// Whether the default schema, or the schema that is written before a dot, has a history table of this name; and its
    /// full name.
    pub async fn find_history(&mut self, table: &str) -> Result<(HistoryTable, bool), ApplyError> {
        history::find(self, table).await
    }

    /// Makes the history table where it is missing.
    pub async fn create_history(&mut self, table: &HistoryTable) -> Result<(), ApplyError> {
        let sql = history::create(self.dialect(), table);
        self.execute(&sql).await.map(|_| ())
    }

    /// The rows of the history, by their start.
    pub async fn history(&mut self, table: &HistoryTable) -> Result<Vec<Applied>, ApplyError> {
        let rows = self.ask(&history::select(self.dialect(), table)).await?;
        rows.iter().map(history::decode).collect()
    }

    /// Writes a row of the history, in the transaction that is open or in one of its own. A row of that version is replaced.
    pub async fn record(&mut self, table: &HistoryTable, row: &Applied) -> Result<(), ApplyError> {
        let sql = history::upsert(self.dialect(), table, row);
        self.execute(&sql).await.map(|_| ())
    }

    /// Deletes the row of a version.
    pub async fn forget(&mut self, table: &HistoryTable, version: &str) -> Result<(), ApplyError> {
        let sql = history::delete(self.dialect(), table, version);
        self.execute(&sql).await.map(|_| ())
    }

    /// SQLite only: begins to keep what a rebuild of a table loses, which [`ApplySession::end_rebuild`] gives back. It is called
    /// outside of a transaction, and switches foreign keys off until then.
    pub async fn begin_rebuild(&mut self) -> Result<(), ApplyError> {
        match self {
            ApplySession::Sqlite(session) => session.begin_rebuild().await,
            _ => Ok(()),
        }
    }

    /// SQLite only: called in the transaction before its end. Makes indexes and triggers again that went with a table of the
    /// same name, but for those whose names are in `dropped`; lifts the numbers of `AUTOINCREMENT`; and refuses rows that have
    /// lost their parent. Returns what was given back, as fragments.
    pub async fn end_rebuild(&mut self, dropped: &[String]) -> Result<Vec<String>, ApplyError> {
        match self {
            ApplySession::Sqlite(session) => session.end_rebuild(dropped.to_vec()).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Ends the session politely.
    pub async fn close(self) {
        match self {
            ApplySession::Postgres(session) => session.close().await,
            ApplySession::Mysql(session) => session.close().await,
            ApplySession::Sqlite(session) => session.close().await,
        }
    }
}

/// The name of this machine, for the history; empty where the system does not tell.
pub fn host_name() -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer outlives the call, and its length is given.
    let answered = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len()) } == 0;
    let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
    if answered { String::from_utf8_lossy(&buffer[..end]).into_owned() } else { String::new() }
}

impl Canceller {
    /// Asks the server to stop the running statement. Whether it did, the statement's own answer tells.
    pub async fn cancel(&self) {
        match self {
            Canceller::Postgres(canceller) => canceller.cancel().await,
            Canceller::Mysql(canceller) => canceller.cancel().await,
            Canceller::Sqlite(handle) => handle.interrupt(),
        }
    }

    /// The same for places that cannot wait, such as a drop; returns when the server was told, at most after two seconds.
    pub fn cancel_now(&self) {
        if let Canceller::Sqlite(handle) = self {
            handle.interrupt();
            return;
        }
        let own = self.clone();
        let task = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            let patience = std::time::Duration::from_secs(2);
            let _ = runtime.block_on(async { tokio::time::timeout(patience, own.cancel()).await });
        };
        if let Ok(thread) = std::thread::Builder::new().name("cancel".into()).spawn(task) {
            // It ends by its own limit, and a panic in it is nobody's answer.
            let _ = thread.join();
        }
    }
}
