//! Queries on the wire, and what the server's refusals mean.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbwright_model::observed::Observed;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Value as Wire};

use crate::row::{DecodeError, Row, Value};

/// Why a query gave no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server refused: a privilege is missing.
    Denied(String),
    /// The server lacks the view or command.
    Unsupported(String),
    /// Anything else.
    Failed(String),
}

impl Trouble {
    /// The reason, as a lower-case fragment.
    pub(super) fn because(&self) -> &str {
        let (Trouble::Denied(because) | Trouble::Unsupported(because) | Trouble::Failed(because)) = self;
        because
    }

    pub(super) fn observed<T>(self) -> Observed<T> {
        match self {
            Trouble::Denied(because) => Observed::Denied(because),
            Trouble::Unsupported(because) => Observed::Unsupported(because),
            Trouble::Failed(because) => Observed::Failed(because),
        }
    }
}

impl From<DecodeError> for Trouble {
    fn from(error: DecodeError) -> Self {
        Trouble::Failed(error.to_string())
    }
}

/// A query that says whose it is: to people in a comment, and to the server's statistics, which keep no comments and cut
/// long texts at the end, in its first words.
fn marked(fact: &str, sql: &str) -> String {
    let mark = if sql.starts_with("SELECT") { "WITH dbwright AS (SELECT 1) " } else { "" };
    format!("/* dbwright:{fact} */ {mark}{sql}")
}

/// A result as a fact.
pub(super) fn observed<T>(result: Result<T, Trouble>) -> Observed<T> {
    match result {
        Ok(value) => Observed::Known(value),
        Err(trouble) => trouble.observed(),
    }
}

/// One connection that asks questions in the scope of one database, or of all that are not the system's.
pub(super) struct Asker {
    pub(super) conn: Conn,
    pub(super) database: String,
    pub(super) statement_timeout: Duration,
    pub(super) deadline: Instant,
    pub(super) lost: bool,
    /// Columns of the system's views as `view.column`, upper case.
    pub(super) known_columns: BTreeSet<String>,
}

impl Asker {
    /// Runs one `.sql` file; `privilege` is what to grant when the server refuses it.
    pub(super) async fn ask(&mut self, fact: &str, sql: &str, privilege: &str) -> Result<Vec<Row>, Trouble> {
        let sql = marked(fact, &self.filled(sql));
        self.run(&sql, privilege).await
    }

    /// Runs a statement as it is.
    pub(super) async fn run(&mut self, sql: &str, privilege: &str) -> Result<Vec<Row>, Trouble> {
        if self.lost {
            return Err(Trouble::Failed("the connection was lost".to_owned()));
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Failed("the total time limit was reached before".to_owned()));
        }
        // The server stops the statement itself; the client waits a little longer for its word.
        let patience = left.min(self.statement_timeout + Duration::from_secs(2));
        match tokio::time::timeout(patience, rows(&mut self.conn, sql)).await {
            Ok(Ok(rows)) => Ok(rows),
            Ok(Err(error)) => Err(self.trouble(error, privilege)),
            Err(_) => {
                self.lost = true;
                Err(Trouble::Failed("the server did not answer in time".to_owned()))
            }
        }
    }

    fn trouble(&mut self, error: mysql_async::Error, privilege: &str) -> Trouble {
        match error {
            mysql_async::Error::Server(error) => match error.code {
                1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698 => {
                    Trouble::Denied(format!("the account lacks a privilege: grant {privilege}"))
                }
                1049 | 1054 | 1064 | 1109 | 1146 | 1193 | 1235 => {
                    Trouble::Unsupported(format!("this server lacks it: {}", error.message))
                }
                1969 | 3024 => Trouble::Failed(format!(
                    "it took longer than the statement timeout of {} s",
                    self.statement_timeout.as_secs_f64()
                )),
                1205 | 3572 => Trouble::Failed("a lock was not granted in time".to_owned()),
                code => Trouble::Failed(format!("the server answered: {} ({code})", error.message)),
            },
            error => {
                self.lost = true;
                Trouble::Failed(format!("the connection was lost: {error}"))
            }
        }
    }

    /// Whether the server has a view at all.
    pub(super) fn has_view(&self, view: &str) -> bool {
        let start = format!("{}.", view.to_ascii_uppercase());
        self.known_columns.range(start.clone()..).next().is_some_and(|known| known.starts_with(&start))
    }

    /// A `.sql` file with its scope and its optional columns filled in: `{scope:COLUMN}` becomes the condition on the
    /// database, `{VIEW.COLUMN}` the column under its lower-case name or a null of that name.
    fn filled(&self, sql: &str) -> String {
        let mut out = String::with_capacity(sql.len());
        let mut rest = sql.trim_end();
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((mark, behind)) = after.split_once('}') else { break };
            if let Some(column) = mark.strip_prefix("scope:") {
                out.push_str(&scope(column, &self.database));
            } else if let Some((_, column)) = mark.split_once('.') {
                let alias = column.to_ascii_lowercase();
                let known = self.known_columns.contains(&mark.to_ascii_uppercase());
                out.push_str(&format!("{} AS {alias}", if known { column } else { "NULL" }));
            }
            rest = behind;
        }
        out.push_str(rest);
        out
    }
}

fn scope(column: &str, database: &str) -> String {
    if database.is_empty() {
        format!("{column} NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')")
    } else {
        format!("{column} = {}", literal(database))
    }
}

/// A string constant that means the same under every `sql_mode`.
pub(super) fn literal(text: &str) -> String {
    if text.contains('\\') {
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        return format!("CONVERT(x'{hex}' USING utf8mb4)");
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// An identifier in quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

async fn rows(conn: &mut Conn, sql: &str) -> Result<Vec<Row>, mysql_async::Error> {
    let mut result = conn.query_iter(sql).await?;
    let found: Vec<mysql_async::Row> = result.collect().await?;
    let Some(first) = found.first() else { return Ok(Vec::new()) };
    let described = first.columns();
    let names: Arc<[String]> =
        described.iter().map(|column| column.name_str().to_ascii_lowercase()).collect();
    let kinds: Vec<_> = described.iter().map(|column| (column.column_type(), column.flags())).collect();
    Ok(found
        .into_iter()
        .map(|row| Row {
            columns: Arc::clone(&names),
            values: row.unwrap().into_iter().zip(&kinds).map(|(value, kind)| read(value, *kind)).collect(),
        })
        .collect())
}

/// Values of the text protocol come as bytes whatever their type; numbers become numbers again.
fn read(value: Wire, (kind, _): (ColumnType, ColumnFlags)) -> Value {
    match value {
        Wire::NULL => Value::Null,
        Wire::Int(number) => Value::Int(number),
        Wire::UInt(number) => match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Text(number.to_string().into()),
        },
        Wire::Float(number) => Value::Float(number.into()),
        Wire::Double(number) => Value::Float(number),
        Wire::Bytes(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let whole = matches!(
                kind,
                ColumnType::MYSQL_TYPE_TINY
                    | ColumnType::MYSQL_TYPE_SHORT
                    | ColumnType::MYSQL_TYPE_INT24
                    | ColumnType::MYSQL_TYPE_LONG
                    | ColumnType::MYSQL_TYPE_LONGLONG
                    | ColumnType::MYSQL_TYPE_YEAR
            );
            let fraction = matches!(
                kind,
                ColumnType::MYSQL_TYPE_FLOAT
                    | ColumnType::MYSQL_TYPE_DOUBLE
                    | ColumnType::MYSQL_TYPE_DECIMAL
                    | ColumnType::MYSQL_TYPE_NEWDECIMAL
            );
            match (whole, fraction) {
                (true, _) => text.parse().map_or_else(|_| Value::Text(text.as_ref().into()), Value::Int),
                (_, true) => text.parse().map_or_else(|_| Value::Text(text.as_ref().into()), Value::Float),
                _ => Value::Text(text.as_ref().into()),
            }
        }
        other => Value::Text(other.as_sql(true).trim_matches('\'').into()),
    }
}
