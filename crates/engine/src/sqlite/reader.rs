//! A connection that reads rows under time limits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dbwright_model::observed::Observed;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};

use super::file::{Header, Stamp};
use crate::row::{DecodeError, Row, Value};

/// A connection, and until when it may read.
pub(super) struct Reader {
    connection: Connection,
    path: PathBuf,
    header: Header,
    /// How the file looked when it was opened without locks.
    stamp: Option<Stamp>,
    statement_timeout: Duration,
    epoch: Instant,
    /// Nanoseconds after `epoch` at which the running statement must stop.
    deadline: Arc<AtomicU64>,
    /// The same for the whole reading.
    end: AtomicU64,
}

/// Why a fact could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The statement took longer than it may.
    #[error("it took longer than the time limit")]
    TooLong,
    /// SQLite's own words.
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    /// A row that does not hold what was expected.
    #[error("{0}")]
    Decode(#[from] DecodeError),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => ReadError::TooLong,
            _ => ReadError::Sqlite(error),
        }
    }
}

impl Reader {
    pub fn new(
        mut connection: Connection,
        path: PathBuf,
        header: Header,
        stamp: Option<Stamp>,
        statement_timeout: Duration,
    ) -> rusqlite::Result<Self> {
        let epoch = Instant::now();
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let watched = Arc::clone(&deadline);
        // Every few thousand steps of SQLite's machine, well under a millisecond.
        connection.progress_handler(
            4_000,
            Some(move || nanoseconds(epoch.elapsed()) > watched.load(Ordering::Relaxed)),
        )?;
        let end = AtomicU64::new(u64::MAX);
        Ok(Reader { connection, path, header, stamp, statement_timeout, epoch, deadline, end })
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Longest time for one statement.
    pub fn statement_timeout(&self) -> Duration {
        self.statement_timeout
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn header(&self) -> Header {
        self.header
    }

    /// Whether the file was opened as one that nobody changes, and was changed since.
    pub fn is_stale(&self) -> bool {
        self.stamp.is_some() && Stamp::of(&self.path) != self.stamp
    }

    /// Sets when the whole reading has to end.
    pub fn ends_at(&self, end: Instant) {
        self.end.store(nanoseconds(end.saturating_duration_since(self.epoch)), Ordering::Relaxed);
    }

    /// A budget for many statements: the limit of one, cut off by the end of the whole.
    pub fn budget(&self) -> Instant {
        let end = Duration::from_nanos(self.end.load(Ordering::Relaxed));
        (Instant::now() + self.statement_timeout).min(self.epoch + end.min(Duration::from_secs(86_400)))
    }

    /// Runs a statement and gives its rows to `each`, until that says stop.
    pub fn each(
        &self,
        sql: &str,
        parameters: &[&str],
        until: Instant,
        mut each: impl FnMut(Row) -> Result<bool, ReadError>,
    ) -> Result<(), ReadError> {
        let until = nanoseconds(until.min(self.budget()).saturating_duration_since(self.epoch));
        if nanoseconds(self.epoch.elapsed()) >= until {
            return Err(ReadError::TooLong);
        }
        self.deadline.store(until, Ordering::Relaxed);
        let mut statement = self.connection.prepare(sql)?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        while let Some(row) = rows.next()? {
            let values = (0..columns.len()).map(|i| row.get_ref(i).map(value)).collect::<Result<_, _>>()?;
            if !each(Row { columns: Arc::clone(&columns), values })? {
                break;
            }
        }
        Ok(())
    }

    /// All rows of a statement, each under the statement's own limit.
    pub fn rows(&self, sql: &str, parameters: &[&str]) -> Result<Vec<Row>, ReadError> {
        self.rows_until(sql, parameters, self.budget())
    }

    /// All rows of a statement that must end by a time.
    pub fn rows_until(&self, sql: &str, parameters: &[&str], until: Instant) -> Result<Vec<Row>, ReadError> {
        let mut all = Vec::new();
        self.each(sql, parameters, until, |row| {
            all.push(row);
            Ok(true)
        })?;
        Ok(all)
    }

    /// The only row of a statement, with SQLite's own error.
    pub fn one(&self, sql: &str, parameters: &[&str]) -> rusqlite::Result<Row> {
        match self.rows(sql, parameters) {
            Ok(mut rows) => rows.pop().ok_or(rusqlite::Error::QueryReturnedNoRows),
            Err(ReadError::Sqlite(error)) => Err(error),
            Err(ReadError::TooLong | ReadError::Decode(_)) => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT),
                None,
            )),
        }
    }

    /// The value of a pragma.
    pub fn pragma(&self, name: &str) -> Result<Value, ReadError> {
        let row = self.rows(&format!("PRAGMA {name}"), &[])?.into_iter().next();
        Ok(row.and_then(|row| row.values.into_iter().next()).unwrap_or(Value::Null))
    }

    /// Whether one of SQLite's own tables is there.
    pub fn has_table(&self, name: &str) -> Result<bool, ReadError> {
        let row = self.rows(include_str!("../../sql/sqlite/exists.sql"), &[name])?.into_iter().next();
        Ok(row.map(|row| row.int("found")).transpose()?.unwrap_or_default() > 0)
    }

    /// A fact, or why it could not be read.
    pub fn observe<T>(&self, read: impl FnOnce() -> Result<T, ReadError>) -> Observed<T> {
        match read() {
            Ok(value) => Observed::Known(value),
            Err(error) => Observed::Failed(error.to_string()),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Float(number),
        // Names and texts of a file need not be UTF-8.
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::Text(String::from_utf8_lossy(bytes).into()),
    }
}

/// Quotes an identifier for a statement of our own.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
