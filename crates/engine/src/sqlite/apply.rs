//! Running migrations on SQLite.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use crate::apply::history::{identifier, literal, texts};
use crate::apply::{ApplyError, Refusal};
use crate::row::Row;
use crate::session::{SessionError, SessionErrorKind};
use dbwright_model::engine::Dialect;

/// A session. The connection is away while a blocking task uses it.
pub struct Session {
    connection: Option<Connection>,
    interrupter: Arc<InterruptHandle>,
    statement_timeout: Option<Duration>,
    before: Option<Before>,
}

/// What a rebuild may lose, as it was.
struct Before {
    foreign_keys: bool,
    /// Indexes and triggers: kind, name, table, statement.
    parts: Vec<(String, String, String, String)>,
    sequences: BTreeMap<String, i64>,
    /// Rows without their parent, by table and parent.
    /// `None` when the check itself fails, because a key refers to what is not there.
    orphans: Option<BTreeMap<(String, String), usize>>,
}

impl Session {
    pub(crate) async fn open(path: &Path, writes: bool) -> Result<Self, SessionError> {
        let path = path.to_owned();
        let opened = super::blocking(move || {
            let connection = if writes { Connection::open(&path)? } else { open_to_read(&path)? };
            // A file that is no database says so at the first reading.
            connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
            Ok::<_, rusqlite::Error>(connection)
        });
        let connection = opened.await?.map_err(|error| SessionError {
            kind: SessionErrorKind::Connection,
            message: format!("the database cannot be opened for writing: {error}"),
            hint: None,
        })?;
        let interrupter = Arc::new(connection.get_interrupt_handle());
        Ok(Session { connection: Some(connection), interrupter, statement_timeout: None, before: None })
    }

    pub(crate) fn interrupter(&self) -> Arc<InterruptHandle> {
        self.interrupter.clone()
    }

    /// Runs blocking work on the connection.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, ApplyError> + Send + 'static,
    ) -> Result<T, ApplyError> {
        let Some(mut connection) = self.connection.take() else {
            return Err(ApplyError::ConnectionLost(
                "the session was abandoned during a statement".to_owned(),
            ));
        };
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&mut connection);
            (connection, result)
        });
        let mut task = task;
        let (joined, late) = match self.statement_timeout {
            None => (task.await, false),
            Some(limit) => match tokio::time::timeout(limit, &mut task).await {
                Ok(joined) => (joined, false),
                Err(_) => {
                    self.interrupter.interrupt();
                    (task.await, true)
                }
            },
        };
        let (connection, result) =
            joined.map_err(|error| ApplyError::ConnectionLost(format!("a task ended early: {error}")))?;
        self.connection = Some(connection);
        match result {
            Err(ApplyError::Cancelled(_)) if late => {
                Err(ApplyError::TimedOut("the statement ran longer than its limit".to_owned()))
            }
            result => result,
        }
    }

    pub(crate) async fn limits(
        &mut self,
        lock: Option<u64>,
        statement: Option<u64>,
    ) -> Result<(), ApplyError> {
        self.statement_timeout = statement.filter(|limit| *limit > 0).map(Duration::from_millis);
        let wait = match lock {
            None => 5_000,
            Some(0) => 31_536_000_000,
            Some(milliseconds) => milliseconds,
        };
        let wait = Duration::from_millis(wait.min(i32::MAX as u64));
        self.with(move |connection| connection.busy_timeout(wait).map_err(|error| trouble(&error))).await
    }

    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64, ApplyError> {
        let sql = sql.to_owned();
        self.with(move |connection| execute(connection, &sql)).await
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ApplyError> {
        let sql = sql.to_owned();
        self.with(move |connection| ask(connection, &sql).map_err(|error| trouble(&error))).await
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), ApplyError> {
        self.with(|connection| {
            if connection.is_autocommit() { Ok(()) } else { execute(connection, "rollback").map(|_| ()) }
        })
        .await
    }

    pub(crate) async fn reset(&mut self) -> Result<(), ApplyError> {
        if let Some(before) = self.before.take() {
            let on = if before.foreign_keys { "on" } else { "off" };
            self.execute(&format!("pragma foreign_keys = {on}")).await?;
        }
        Ok(())
    }

    pub(crate) async fn structure(&mut self) -> Result<String, ApplyError> {
        let rows = self
            .ask("select type || ' ' || name || ' ' || coalesce(sql, '') as line from sqlite_schema")
            .await?;
        let mut lines: Vec<&str> =
            rows.iter().filter_map(|row| row.opt_text("line").ok().flatten()).collect();
        lines.sort_unstable();
        Ok(lines.join("\n"))
    }

    pub(crate) async fn begin_rebuild(&mut self) -> Result<(), ApplyError> {
        let kept = self.before.as_ref().map(|before| before.foreign_keys);
        let mut before = self.with(|connection| keep(connection).map_err(|error| trouble(&error))).await?;
        if let Some(foreign_keys) = kept {
            before.foreign_keys = foreign_keys;
        }
        self.before = Some(before);
        // Dropping a table with foreign keys on deletes the rows that refer to it, and inside of a transaction they cannot be
        // switched off.
        self.execute("pragma foreign_keys = off").await.map(|_| ())
    }

    pub(crate) async fn end_rebuild(&mut self, dropped: Vec<String>) -> Result<Vec<String>, ApplyError> {
        let Some(before) = self.before.take() else { return Ok(Vec::new()) };
        let (before, result) = self
            .with(move |connection| {
                let result = give_back(connection, &before, &dropped);
                Ok((before, result))
            })
            .await?;
        self.before = Some(before);
        result
    }

    pub(crate) async fn close(mut self) {
        let connection = self.connection.take();
        // Closing may touch the disk; a failure leaves nothing to do.
        let _ = super::blocking(move || drop(connection)).await;
    }
}

/// Opens a file that is only read. What a stopped writer left half written must be taken back by somebody first, which
/// SQLite does at the first reading of a connection that may write; that connection is then kept from everything else.
fn open_to_read(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let readable = connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()));
    match readable {
        Err(rusqlite::Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::ReadOnly => {
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.execute_batch("pragma query_only = on")?;
            Ok(connection)
        }
        _ => Ok(connection),
    }
}

fn execute(connection: &Connection, sql: &str) -> Result<u64, ApplyError> {
    let before = connection.total_changes();
    // Statements such as `PRAGMA` answer with rows, which are read to their end.
    let mut statement = connection.prepare(sql).map_err(|error| trouble(&error))?;
    let mut rows = statement.raw_query();
    while rows.next().map_err(|error| trouble(&error))?.is_some() {}
    Ok(connection.total_changes() - before)
}

fn ask(connection: &Connection, sql: &str) -> Result<Vec<Row>, rusqlite::Error> {
    let mut statement = connection.prepare(sql)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|i| row.get_ref(i).map(text)).collect::<Result<_, _>>()?;
        found.push(texts(&columns, values));
    }
    Ok(found)
}

/// A value as a text.
pub(crate) fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn keep(connection: &Connection) -> Result<Before, rusqlite::Error> {
    let foreign_keys = connection.query_row("pragma foreign_keys", [], |row| row.get(0))?;
    let text = |row: &Row, column: &str| row.opt_text(column).ok().flatten().unwrap_or_default().to_owned();
    let parts = ask(
        connection,
        "select type, name, tbl_name, sql from sqlite_schema where type in ('index', 'trigger') and sql is not null \
         order by type, name",
    )?;
    let parts = parts
        .iter()
        .map(|row| (text(row, "type"), text(row, "name"), text(row, "tbl_name"), text(row, "sql")))
        .collect();
    let sequences = sequences(connection)?;
    Ok(Before { foreign_keys, parts, sequences, orphans: orphans(connection).ok() })
}

fn sequences(connection: &Connection) -> Result<BTreeMap<String, i64>, rusqlite::Error> {
    let sql = "select count(*) from sqlite_schema where name = 'sqlite_sequence'";
    let there: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if there == 0 {
        return Ok(BTreeMap::new());
    }
    let mut statement = connection.prepare("select name, seq from sqlite_sequence where name is not null")?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.unwrap_or(0))))?;
    rows.collect()
}

fn orphans(connection: &Connection) -> Result<BTreeMap<(String, String), usize>, rusqlite::Error> {
    let mut found = BTreeMap::new();
    for row in ask(connection, "pragma foreign_key_check")? {
        let text = |column: &str| row.opt_text(column).ok().flatten().unwrap_or_default().to_owned();
        *found.entry((text("table"), text("parent"))).or_insert(0) += 1;
    }
    Ok(found)
}

/// Makes again what went with a table that is back under its name.
fn give_back(
    connection: &Connection,
    before: &Before,
    dropped: &[String],
) -> Result<Vec<String>, ApplyError> {
    let failed = |error: rusqlite::Error| trouble(&error);
    let mut given = Vec::new();
    let names = ask(connection, "select type, name from sqlite_schema").map_err(failed)?;
    let there = |kind: &str, name: &str| {
        names.iter().any(|row| {
            let is = |column: &str, wanted: &str| {
                row.opt_text(column).ok().flatten().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
            };
            is("type", kind) && is("name", name)
        })
    };
    for (kind, name, table, sql) in &before.parts {
        let wanted = there("table", table) || there("view", table);
        if !wanted || there(kind, name) || dropped.iter().any(|gone| gone.eq_ignore_ascii_case(name)) {
            continue;
        }
        execute(connection, sql).map_err(|error| {
            ApplyError::Refused(Refusal {
                code: "rebuild".to_owned(),
                message: format!(
                    "{kind} `{name}` went with the old table `{table}` and cannot be made again: {error}"
                ),
                hint: Some(format!(
                    "write `DROP {} {name};` or its new form into the migration",
                    kind.to_uppercase()
                )),
                ..Refusal::default()
            })
        })?;
        given.push(format!("{kind} `{name}`"));
    }
    let now = sequences(connection).map_err(failed)?;
    for (table, was) in &before.sequences {
        if !there("table", table) || now.get(table).is_some_and(|is| is >= was) || !counts(connection, table)
        {
            continue;
        }
        let name = literal(Dialect::Sqlite, table);
        execute(connection, &format!("delete from sqlite_sequence where name = {name}"))?;
        execute(connection, &format!("insert into sqlite_sequence (name, seq) values ({name}, {was})"))?;
        given.push(format!("the number of the next row of `{table}`"));
    }
    let Some(orphans_before) = &before.orphans else { return Ok(given) };
    for ((table, parent), count) in orphans(connection).map_err(failed)? {
        let known = orphans_before.get(&(table.clone(), parent.clone())).copied().unwrap_or(0);
        if count > known {
            return Err(ApplyError::Refused(Refusal {
                code: "FOREIGN KEY".to_owned(),
                message: format!("{} rows of `{table}` would have no parent in `{parent}`", count - known),
                hint: Some("delete or mend those rows first".to_owned()),
                ..Refusal::default()
            }));
        }
    }
    Ok(given)
}

/// Whether a table has a column that counts up for ever.
fn counts(connection: &Connection, table: &str) -> bool {
    let sql = format!(
        "select count(*) from sqlite_schema where type = 'table' and name = {} and sql like '%autoincrement%'",
        literal(Dialect::Sqlite, table)
    );
    let counted: Result<i64, _> = connection.query_row(&sql, [], |row| row.get(0));
    // The name is used as a name to be sure that it is no other kind of thing.
    let readable =
        connection.prepare(&format!("select * from {}", identifier(Dialect::Sqlite, table))).is_ok();
    counted.is_ok_and(|count| count > 0) && readable
}

/// What an error means for the statement.
pub(crate) fn trouble(error: &rusqlite::Error) -> ApplyError {
    let message = error.to_string();
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                ApplyError::LockNotAvailable("somebody else writes to the database".to_owned())
            }
            ErrorCode::OperationInterrupted => ApplyError::Cancelled(message),
            _ => ApplyError::Refused(Refusal {
                code: failure.extended_code.to_string(),
                message,
                ..Refusal::default()
            }),
        },
        rusqlite::Error::SqlInputError { error, msg, offset, .. } => ApplyError::Refused(Refusal {
            code: error.extended_code.to_string(),
            message: msg.clone(),
            position: u32::try_from(*offset + 1).ok(),
            ..Refusal::default()
        }),
        _ => ApplyError::Refused(Refusal { code: "-".to_owned(), message, ..Refusal::default() }),
    }
}
