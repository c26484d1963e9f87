//! Statements with values bound to them, for writing sessions: values travel as texts and are never part of a statement.

use std::fs::File;

use mysql_async::prelude::Queryable;
use tokio_postgres::types::{ToSql, Type};

use crate::apply::{ApplyError, Refusal};
use crate::write::WriteSession;

/// A row of texts and nulls.
pub type Texts = Vec<Option<String>>;

/// The exclusive right to a piece of work, until it is dropped and its session closed.
#[derive(Debug)]
pub struct Owned {
    _file: Option<File>,
}

impl WriteSession {
    /// Runs one statement with texts for its placeholders. Returns how many rows it wrote.
    pub async fn execute_bound(&mut self, sql: &str, values: &[String]) -> Result<u64, ApplyError> {
        match self {
            WriteSession::Postgres(client) => {
                client.execute_typed(sql, &typed(values)).await.map_err(|error| postgres_trouble(&error))
            }
            WriteSession::Mysql(connection) => {
                let result = if values.is_empty() {
                    connection.query_drop(sql).await
                } else {
                    connection.exec_drop(sql, positional(values)).await
                };
                result.map_err(|error| mysql_trouble(&error))?;
                Ok(connection.affected_rows())
            }
            WriteSession::Sqlite(connection) => {
                let count = connection
                    .execute(sql, rusqlite::params_from_iter(values))
                    .map_err(|error| sqlite_trouble(&error))?;
                Ok(count as u64)
            }
        }
    }

    /// Asks one question with texts for its placeholders, whose answers must be texts too.
    pub async fn ask_bound(&mut self, sql: &str, values: &[String]) -> Result<Vec<Texts>, ApplyError> {
        match self {
            WriteSession::Postgres(client) => {
                let rows = client
                    .query_typed(sql, &typed(values))
                    .await
                    .map_err(|error| postgres_trouble(&error))?;
                let texts = |row: &tokio_postgres::Row| {
                    (0..row.len()).map(|i| row.try_get::<_, Option<String>>(i)).collect::<Result<Texts, _>>()
                };
                rows.iter().map(|row| texts(row).map_err(|error| postgres_trouble(&error))).collect()
            }
            WriteSession::Mysql(connection) => {
                let rows: Vec<mysql_async::Row> = if values.is_empty() {
                    connection.query(sql).await
                } else {
                    connection.exec(sql, positional(values)).await
                }
                .map_err(|error| mysql_trouble(&error))?;
                Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(mysql_text).collect()).collect())
            }
            WriteSession::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).map_err(|error| sqlite_trouble(&error))?;
                let width = statement.column_count();
                let mut rows = statement
                    .query(rusqlite::params_from_iter(values))
                    .map_err(|error| sqlite_trouble(&error))?;
                let mut texts = Vec::new();
                while let Some(row) = rows.next().map_err(|error| sqlite_trouble(&error))? {
                    let row: Result<Texts, _> = (0..width).map(|i| row.get_ref(i).map(sqlite_text)).collect();
                    texts.push(row.map_err(|error| sqlite_trouble(&error))?);
                }
                Ok(texts)
            }
        }
    }

    /// Takes the exclusive right to a piece of work of some name, if nobody has it. It ends with the session, the process
    /// or the connection, whichever is first.
    pub async fn own(&mut self, work: &str) -> Result<Option<Owned>, ApplyError> {
        let name = format!("dbwright {:016x}", fingerprint(work));
        let sql = match self {
            WriteSession::Postgres(_) => "select pg_try_advisory_lock(hashtextextended($1, 0))::text",
            WriteSession::Mysql(_) => "select cast(get_lock(?, 0) as char)",
            WriteSession::Sqlite(connection) => return own_file(connection),
        };
        let rows = self.ask_bound(sql, &[name]).await?;
        let answer = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        Ok(matches!(answer.as_deref(), Some("true" | "1")).then_some(Owned { _file: None }))
    }
}

/// The right is a lock on a file beside the database, which vanishes with the process.
fn own_file(connection: &rusqlite::Connection) -> Result<Option<Owned>, ApplyError> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else {
        // A database in memory is nobody else's.
        return Ok(Some(Owned { _file: None }));
    };
    let path = format!("{path}.dbwright-backfill-lock");
    let refused = |error: std::io::Error| {
        let message = format!("`{path}` cannot be locked: {error}");
        ApplyError::Refused(Refusal { message, ..Refusal::default() })
    };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Owned { _file: Some(file) })),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// A number of a text that is the same in every process and version.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn typed(values: &[String]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect()
}

fn positional(values: &[String]) -> mysql_async::Params {
    mysql_async::Params::Positional(
        values.iter().map(|value| mysql_async::Value::Bytes(value.as_bytes().to_vec())).collect(),
    )
}

fn mysql_text(value: mysql_async::Value) -> Option<String> {
    match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(false).trim_matches('\'').to_owned()),
    }
}

fn sqlite_text(value: rusqlite::types::ValueRef<'_>) -> Option<String> {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn postgres_trouble(error: &tokio_postgres::Error) -> ApplyError {
    let Some(server) = error.as_db_error() else {
        return match error.is_closed() {
            true => ApplyError::ConnectionLost("the connection was lost".to_owned()),
            false => refused("", &error.to_string()),
        };
    };
    let message = server.message().to_owned();
    match server.code().code() {
        "55P03" | "40P01" | "40001" => ApplyError::LockNotAvailable(message),
        "57014" if message.contains("timeout") => ApplyError::TimedOut(message),
        "57014" => ApplyError::Cancelled(message),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => ApplyError::ConnectionLost(message),
        code => ApplyError::Refused(Refusal {
            code: code.to_owned(),
            message,
            detail: server.detail().map(str::to_owned),
            hint: server.hint().map(str::to_owned),
            position: None,
        }),
    }
}

fn mysql_trouble(error: &mysql_async::Error) -> ApplyError {
    match error {
        mysql_async::Error::Server(server) => match server.code {
            1205 | 1213 | 3572 => ApplyError::LockNotAvailable(server.message.clone()),
            1969 | 3024 => ApplyError::TimedOut(server.message.clone()),
            1317 => ApplyError::Cancelled(server.message.clone()),
            1053 | 1927 => ApplyError::ConnectionLost(server.message.clone()),
            code => refused(&code.to_string(), &server.message),
        },
        mysql_async::Error::Io(_) | mysql_async::Error::Driver(_) => {
            ApplyError::ConnectionLost(format!("the connection was lost: {error}"))
        }
        other => refused("", &other.to_string()),
    }
}

fn sqlite_trouble(error: &rusqlite::Error) -> ApplyError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, OperationInterrupted};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => {
            ApplyError::LockNotAvailable("somebody else writes to the database".to_owned())
        }
        Some(OperationInterrupted) => ApplyError::Cancelled("interrupted".to_owned()),
        _ => refused("", &error.to_string()),
    }
}

fn refused(code: &str, message: &str) -> ApplyError {
    ApplyError::Refused(Refusal { code: code.to_owned(), message: message.to_owned(), ..Refusal::default() })
}
