//! Statements with values bound to them, for writing sessions: values travel as texts and are never part of a statement.

use std::path::Path;

use mysql_async::prelude::Queryable;
use tokio_postgres::types::{ToSql, Type};

use crate::apply::{ApplyError, Refusal};
use crate::lock::{LockFile, Right};
use crate::mysql::apply as mysql;
use crate::postgres::apply as postgres;
use crate::sqlite::apply as sqlite;
use crate::write::WriteSession;

/// A row of texts and nulls.
pub type Texts = Vec<Option<String>>;

/// The exclusive right to a piece of work, until it is dropped and its session closed.
#[derive(Debug)]
pub struct Owned {
    /// Held where no server gives the right.
    _file: Option<LockFile>,
}

impl WriteSession {
    /// Runs one statement with texts for its placeholders. Returns how many rows it wrote.
    pub async fn execute_bound(&mut self, sql: &str, values: &[String]) -> Result<u64, ApplyError> {
        match self {
            WriteSession::Postgres(client) => {
                client.execute_typed(sql, &typed(values)).await.map_err(|error| postgres::trouble(&error))
            }
            WriteSession::Mysql(connection) => {
                let result = if values.is_empty() {
                    connection.query_drop(sql).await
                } else {
                    connection.exec_drop(sql, positional(values)).await
                };
                result.map_err(|error| mysql::trouble(&error))?;
                Ok(connection.affected_rows())
            }
            WriteSession::Sqlite(connection) => {
                let count = connection
                    .execute(sql, rusqlite::params_from_iter(values))
                    .map_err(|error| sqlite::trouble(&error))?;
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
                    .map_err(|error| postgres::trouble(&error))?;
                let texts = |row: &tokio_postgres::Row| {
                    (0..row.len()).map(|i| row.try_get::<_, Option<String>>(i)).collect::<Result<Texts, _>>()
                };
                rows.iter().map(|row| texts(row).map_err(|error| unreadable(&error))).collect()
            }
            WriteSession::Mysql(connection) => {
                let rows: Vec<mysql_async::Row> = if values.is_empty() {
                    connection.query(sql).await
                } else {
                    connection.exec(sql, positional(values)).await
                }
                .map_err(|error| mysql::trouble(&error))?;
                Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(mysql::text).collect()).collect())
            }
            WriteSession::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).map_err(|error| sqlite::trouble(&error))?;
                let width = statement.column_count();
                let mut rows = statement
                    .query(rusqlite::params_from_iter(values))
                    .map_err(|error| sqlite::trouble(&error))?;
                let mut texts = Vec::new();
                while let Some(row) = rows.next().map_err(|error| sqlite::trouble(&error))? {
                    let row: Result<Texts, _> =
                        (0..width).map(|i| row.get_ref(i).map(sqlite::text)).collect();
                    texts.push(row.map_err(|error| sqlite::trouble(&error))?);
                }
                Ok(texts)
            }
        }
    }

    /// Takes the exclusive right to a piece of work of some name, if nobody has it. It ends with the session, the process
    /// or the connection, whichever is first.
    pub async fn own(&mut self, work: &str) -> Result<Option<Owned>, ApplyError> {
        let right = Right::Work(work);
        if let WriteSession::Sqlite(connection) = self {
            let Some(path) = connection.path().filter(|path| !path.is_empty()) else {
                // A database in memory is nobody else's.
                return Ok(Some(Owned { _file: None }));
            };
            let file = LockFile::try_take(Path::new(path), right)
                .map_err(|message| ApplyError::Refused(Refusal { message, ..Refusal::default() }))?;
            return Ok(file.map(|file| Owned { _file: Some(file) }));
        }
        let rows = self.ask_bound(&right.taking(self.dialect()), &[]).await?;
        let answer = rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
        Ok((answer.as_deref() == Some("1")).then_some(Owned { _file: None }))
    }
}

fn typed(values: &[String]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect()
}

fn positional(values: &[String]) -> mysql_async::Params {
    mysql_async::Params::Positional(
        values.iter().map(|value| mysql_async::Value::Bytes(value.as_bytes().to_vec())).collect(),
    )
}

/// An answer that is no text, which is no trouble of the connection.
fn unreadable(error: &tokio_postgres::Error) -> ApplyError {
    ApplyError::Refused(Refusal { code: "-".to_owned(), message: error.to_string(), ..Refusal::default() })
}
