//! Sessions that may change a database. Opening one takes a [`Consent`], which says which: nothing changes by accident.

use std::ffi::OsStr;
use std::path::{Component, Path};

use bytes::Bytes;
use dbwright_model::engine::Dialect;
use futures_util::SinkExt;
use mysql_async::prelude::Queryable;

use crate::dsn::{Dsn, Host, ServerDsn};
use crate::row::Value;
use crate::session::{Limits, SessionError, SessionErrorKind};

/// Somebody's leave to change one database.
#[derive(Clone, Debug)]
pub struct Consent {
    target: Dsn,
}

impl Consent {
    /// Leave that the user gave in words: on a terminal after seeing what will be done, or with `--yes`. Only the service's
    /// `consent` makes one.
    pub fn by_the_users_word(target: &Dsn) -> Self {
        Consent { target: target.clone() }
    }

    /// The database that may be changed.
    pub fn target(&self) -> &Dsn {
        &self.target
    }

    /// Leave to change a database that this process made for itself and will throw away: one of a scratch server that this
    /// process started, or an SQLite file below the folder for temporary files. For anything else there is no such leave.
    pub fn for_scratch(target: &Dsn, temporary: &Path) -> Result<Self, SessionError> {
        let own = match target {
            Dsn::Postgres(server) | Dsn::Mysql(server) => match &server.host {
                Host::Unix(socket) => socket.iter().any(is_own_directory),
                Host::Tcp(_) => false,
            },
            Dsn::Sqlite(file) => {
                let climbs = file.components().any(|part| part == Component::ParentDir);
                file.starts_with(temporary) && !climbs
            }
        };
        if own {
            return Ok(Consent { target: target.clone() });
        }
        Err(SessionError {
            kind: SessionErrorKind::Usage,
            message: format!("`{target}` was not made by this process, so it may not be changed"),
            hint: None,
        })
    }
}

/// Whether a directory is that of a scratch server of this process.
fn is_own_directory(name: &OsStr) -> bool {
    let own = |prefix: &str| {
        let start = format!("{prefix}{}-", std::process::id());
        name.to_str().is_some_and(|name| name.starts_with(&start))
    };
    own(crate::scratch::postgres::DIRECTORY_PREFIX) || own(crate::scratch::mariadb::DIRECTORY_PREFIX)
}

/// A session that may change a database.
pub enum WriteSession {
    /// PostgreSQL.
    Postgres(tokio_postgres::Client),
    /// MySQL or MariaDB.
    Mysql(Box<mysql_async::Conn>),
    /// SQLite.
    Sqlite(rusqlite::Connection),
}

/// Rows to be added to a table.
pub struct Load<'a> {
    /// The table, quoted as the dialect needs it.
    pub table: &'a str,
    /// Its columns, quoted as the dialect needs it, in the order of the values.
    pub columns: &'a [&'a str],
    /// The rows.
    pub rows: &'a mut dyn Iterator<Item = Vec<Value>>,
}

impl WriteSession {
    /// Opens a session on the database that the consent is for. A missing SQLite file is made.
    pub async fn open(consent: &Consent) -> Result<Self, SessionError> {
        let dsn = &consent.target;
        match dsn {
            Dsn::Postgres(dsn) => open_postgres(dsn).await.map(WriteSession::Postgres),
            Dsn::Sqlite(path) => open_sqlite(path).map(WriteSession::Sqlite),
            Dsn::Mysql(server) => {
                let target = dsn.to_string();
                let connection = crate::mysql::connect::connect(server, &Limits::default(), &target).await?;
                Ok(WriteSession::Mysql(Box::new(connection)))
            }
        }
    }

    /// The dialect of the session's statements.
    pub fn dialect(&self) -> Dialect {
        match self {
            WriteSession::Postgres(_) => Dialect::Postgres,
            WriteSession::Mysql(_) => Dialect::Mysql,
            WriteSession::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Runs statements one after the other.
    pub async fn script(&mut self, sql: &str) -> Result<(), SessionError> {
        match self {
            WriteSession::Postgres(client) => client.batch_execute(sql).await.map_err(postgres_error),
            WriteSession::Mysql(connection) => run_mysql(connection, sql).await,
            WriteSession::Sqlite(connection) => connection.execute_batch(sql).map_err(sqlite_error),
        }
    }

    /// The first column of the rows of a query of SQLite, which must be text; nulls are left out.
    pub fn texts(&mut self, sql: &str) -> Result<Vec<String>, SessionError> {
        let WriteSession::Sqlite(connection) = self else {
            return Err(SessionError {
                kind: SessionErrorKind::Unsupported,
                message: "rows are read in this way from SQLite only".to_owned(),
                hint: None,
            });
        };
        let mut statement = connection.prepare(sql).map_err(sqlite_error)?;
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).map_err(sqlite_error)?;
        rows.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(sqlite_error)
    }

    /// Adds rows in one transaction, as quickly as the engine takes them. Returns how many.
    pub async fn load(&mut self, load: Load<'_>) -> Result<u64, SessionError> {
        match self {
            WriteSession::Postgres(client) => load_postgres(client, load).await,
            WriteSession::Mysql(connection) => load_mysql(connection, load).await,
            WriteSession::Sqlite(connection) => load_sqlite(connection, load),
        }
    }
}

async fn open_postgres(dsn: &ServerDsn) -> Result<tokio_postgres::Client, SessionError> {
    let connected = crate::postgres::connect::connect(dsn, &Limits::default()).await?;
    // The connection begins read-only, as every session of dbwright does. What the role and the database set besides stays.
    let writable = "set default_transaction_read_only = off";
    connected.client.batch_execute(writable).await.map_err(postgres_error)?;
    Ok(connected.client)
}

/// Bytes that are sent to the server at a time.
const CHUNK: usize = 48 * 1024;

async fn load_postgres(client: &tokio_postgres::Client, load: Load<'_>) -> Result<u64, SessionError> {
    let copy = format!("copy {} ({}) from stdin", load.table, load.columns.join(", "));
    let sink = client.copy_in::<_, Bytes>(&copy).await.map_err(postgres_error)?;
    let mut sink = std::pin::pin!(sink);
    let mut buffer = Vec::with_capacity(CHUNK + 4 * 1024);
    for row in load.rows {
        copy_line(&row, &mut buffer)?;
        if buffer.len() > CHUNK {
            sink.send(Bytes::from(std::mem::take(&mut buffer))).await.map_err(postgres_error)?;
        }
    }
    sink.send(Bytes::from(buffer)).await.map_err(postgres_error)?;
    sink.finish().await.map_err(postgres_error)
}

/// One line of `COPY`'s text format.
fn copy_line(row: &[Value], buffer: &mut Vec<u8>) -> Result<(), SessionError> {
    for (i, value) in row.iter().enumerate() {
        if i > 0 {
            buffer.push(b'\t');
        }
        match value {
            Value::List(_) => return Err(no_lists()),
            Value::Null => buffer.extend_from_slice(b"\\N"),
            Value::Bool(flag) => buffer.push(if *flag { b't' } else { b'f' }),
            Value::Int(number) => buffer.extend_from_slice(number.to_string().as_bytes()),
            Value::Float(number) => buffer.extend_from_slice(number.to_string().as_bytes()),
            Value::Text(text) => {
                for byte in text.bytes() {
                    match byte {
                        b'\\' => buffer.extend_from_slice(b"\\\\"),
                        b'\t' => buffer.extend_from_slice(b"\\t"),
                        b'\n' => buffer.extend_from_slice(b"\\n"),
                        b'\r' => buffer.extend_from_slice(b"\\r"),
                        byte => buffer.push(byte),
                    }
                }
            }
        }
    }
    buffer.push(b'\n');
    Ok(())
}

/// Arrays are written differently by every engine and type, and a null in their place would be a loss.
fn no_lists() -> SessionError {
    SessionError {
        kind: SessionErrorKind::Unsupported,
        message: "a list cannot be written to a column".to_owned(),
        hint: None,
    }
}

/// Runs every statement of a text and reads every answer, so that an error in a later one is seen.
async fn run_mysql(connection: &mut mysql_async::Conn, sql: &str) -> Result<(), SessionError> {
    let mut result = connection.query_iter(sql).await.map_err(mysql_error)?;
    while !result.is_empty() {
        result.for_each(drop).await.map_err(mysql_error)?;
    }
    result.drop_result().await.map_err(mysql_error)
}

async fn load_mysql(connection: &mut mysql_async::Conn, load: Load<'_>) -> Result<u64, SessionError> {
    let head = format!("insert into {} ({}) values ", load.table, load.columns.join(", "));
    let mut text = String::new();
    let mut count = 0;
    connection.query_drop("start transaction").await.map_err(mysql_error)?;
    for row in load.rows {
        text.push_str(if text.is_empty() { &head } else { ", " });
        let values: Vec<String> = row
            .into_iter()
            .map(|value| Ok(mysql_value(value)?.as_sql(false)))
            .collect::<Result<_, SessionError>>()?;
        text.push('(');
        text.push_str(&values.join(", "));
        text.push(')');
        count += 1;
        if text.len() > CHUNK {
            connection.query_drop(std::mem::take(&mut text)).await.map_err(mysql_error)?;
        }
    }
    if !text.is_empty() {
        connection.query_drop(text).await.map_err(mysql_error)?;
    }
    connection.query_drop("commit").await.map_err(mysql_error)?;
    Ok(count)
}

fn mysql_value(value: Value) -> Result<mysql_async::Value, SessionError> {
    Ok(match value {
        Value::List(_) => return Err(no_lists()),
        Value::Null => mysql_async::Value::NULL,
        Value::Bool(flag) => mysql_async::Value::Int(i64::from(flag)),
        Value::Int(number) => mysql_async::Value::Int(number),
        Value::Float(number) => mysql_async::Value::Double(number),
        Value::Text(text) => mysql_async::Value::Bytes(text.as_bytes().to_vec()),
    })
}

fn mysql_error(error: mysql_async::Error) -> SessionError {
    SessionError {
        kind: SessionErrorKind::Internal,
        message: format!("the server refused a statement: {error}"),
        hint: None,
    }
}

fn open_sqlite(path: &Path) -> Result<rusqlite::Connection, SessionError> {
    rusqlite::Connection::open(path).map_err(sqlite_error)
}

fn load_sqlite(connection: &mut rusqlite::Connection, load: Load<'_>) -> Result<u64, SessionError> {
    let marks = vec!["?"; load.columns.len()].join(", ");
    let insert = format!("insert into {} ({}) values ({marks})", load.table, load.columns.join(", "));
    let transaction = connection.transaction().map_err(sqlite_error)?;
    let mut count = 0;
    {
        let mut statement = transaction.prepare(&insert).map_err(sqlite_error)?;
        for row in load.rows {
            let values: Vec<_> = row.into_iter().map(sqlite_value).collect::<Result<_, _>>()?;
            statement.execute(rusqlite::params_from_iter(values)).map_err(sqlite_error)?;
            count += 1;
        }
    }
    transaction.commit().map_err(sqlite_error)?;
    Ok(count)
}

fn sqlite_value(value: Value) -> Result<rusqlite::types::Value, SessionError> {
    Ok(match value {
        Value::List(_) => return Err(no_lists()),
        Value::Null => rusqlite::types::Value::Null,
        Value::Bool(flag) => rusqlite::types::Value::Integer(i64::from(flag)),
        Value::Int(number) => rusqlite::types::Value::Integer(number),
        Value::Float(number) => rusqlite::types::Value::Real(number),
        Value::Text(text) => rusqlite::types::Value::Text(text.into()),
    })
}

fn postgres_error(error: tokio_postgres::Error) -> SessionError {
    let message = match error.as_db_error() {
        Some(error) => {
            format!("the server refused a statement: {} ({})", error.message(), error.code().code())
        }
        None => error.to_string(),
    };
    SessionError { kind: SessionErrorKind::Internal, message, hint: None }
}

fn sqlite_error(error: rusqlite::Error) -> SessionError {
    SessionError { kind: SessionErrorKind::Internal, message: error.to_string(), hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_escapes_what_would_end_a_field() {
        let mut buffer = Vec::new();
        copy_line(
            &[Value::Null, Value::Text("a\tb\\\n".into()), Value::Int(-1), Value::Bool(true)],
            &mut buffer,
        )
        .expect("nothing of it is a list");
        assert_eq!(String::from_utf8(buffer).as_deref(), Ok("\\N\ta\\tb\\\\\\n\t-1\tt\n"));
    }

    #[test]
    fn a_list_is_refused_and_not_lost() {
        let list = || Value::List(vec![Value::Int(1)]);
        assert!(copy_line(&[list()], &mut Vec::new()).is_err());
        assert!(mysql_value(list()).is_err());
        assert!(sqlite_value(list()).is_err());
    }

    #[test]
    fn only_what_this_process_made_may_be_changed() {
        let temporary = Path::new("/dev/shm/folder");
        let process = std::process::id();
        let check = |target: &str, allowed: bool| {
            let target = Dsn::parse(target).expect("it is a target");
            assert_eq!(Consent::for_scratch(&target, temporary).is_ok(), allowed, "{target}");
        };
        check("postgres://db.example.com/t", false);
        check("postgres://localhost/t", false);
        check("postgres:///t?host=/var/run/postgresql", false);
        check("postgres:///t?host=/dev/shm/dbwright-pg-1-0", false);
        check(&format!("postgres:///t?host=/dev/shm/dbwright-pg-{process}-0"), true);
        check(&format!("mysql://root@localhost/t?socket=/dev/shm/dbwright-maria-{process}-0/s"), true);
        check("mysql://root@localhost/t", false);
        check("sqlite:/dev/shm/folder/t.sqlite", true);
        check("sqlite:/dev/shm/folder/../t.sqlite", false);
        check("sqlite:/srv/shop.sqlite", false);
    }
}
