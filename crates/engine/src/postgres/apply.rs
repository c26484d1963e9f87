//! Running migrations on PostgreSQL.

use std::sync::Arc;

use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::QualifiedName;
use tokio_postgres::{CancelToken, Client, SimpleQueryMessage};

use super::connect::connect;
use crate::apply::history::{literal, texts};
use crate::apply::{ApplyError, Refusal};
use crate::dsn::ServerDsn;
use crate::row::Row;
use crate::session::{Limits, SessionError, SessionErrorKind};

/// A session.
pub struct Session {
    client: Client,
    account: String,
    process: i64,
    version: Version,
    /// `lock_timeout` and `statement_timeout` as the role and the database set them.
    own_limits: [String; 2],
    dsn: ServerDsn,
}

/// Stops the statement of a session.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    dsn: ServerDsn,
}

impl Session {
    pub(crate) async fn open(dsn: &ServerDsn, writes: bool) -> Result<Self, SessionError> {
        let client = connect(dsn, &Limits::default()).await?.client;
        let mut session = Session {
            client,
            account: String::new(),
            process: 0,
            version: Version::default(),
            own_limits: ["0".to_owned(), "0".to_owned()],
            dsn: dsn.clone(),
        };
        session.prepare(writes).await.map_err(|error| SessionError {
            kind: SessionErrorKind::Connection,
            message: format!("`{}` could not be prepared for writing: {error}", super::connect::target(dsn)),
            hint: None,
        })?;
        Ok(session)
    }

    async fn prepare(&mut self, writes: bool) -> Result<(), ApplyError> {
        self.execute(if writes { WRITABLE } else { READING }).await?;
        let rows = self
            .ask(
                "select current_user as account, pg_backend_pid() as process, \
                 current_setting('server_version') as version, \
                 current_setting('lock_timeout') as lock, current_setting('statement_timeout') as statement",
            )
            .await?;
        let text = |column: &str| {
            rows.first().and_then(|row| row.opt_text(column).ok().flatten()).unwrap_or_default().to_owned()
        };
        self.account = text("account");
        self.process = text("process").parse().unwrap_or(0);
        self.version = Version::parse(&text("version")).unwrap_or_default();
        self.own_limits = [text("lock"), text("statement")];
        if self.version.major >= 14 {
            // The server then notices within a second that this process is gone, instead of finishing the statement for
            // nobody. Not every system can watch its connections.
            let _ = self.execute("set client_connection_check_interval = '1s'").await;
        }
        Ok(())
    }

    pub(crate) fn server(&self) -> (Engine, Version) {
        (Engine::Postgres, self.version)
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    pub(crate) fn process(&self) -> i64 {
        self.process
    }

    pub(crate) fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), dsn: self.dsn.clone() }
    }

    pub(crate) async fn limits(
        &mut self,
        lock: Option<u64>,
        statement: Option<u64>,
    ) -> Result<(), ApplyError> {
        let value = |wanted: Option<u64>, own: &str| match wanted {
            Some(milliseconds) => milliseconds.to_string(),
            None => literal(Dialect::Postgres, own),
        };
        let lock = value(lock, &self.own_limits[0]);
        let statement = value(statement, &self.own_limits[1]);
        self.execute(&format!("set lock_timeout = {lock}; set statement_timeout = {statement}")).await?;
        Ok(())
    }

    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64, ApplyError> {
        let messages = self.client.simple_query(sql).await.map_err(|error| trouble(&error))?;
        Ok(messages.iter().fold(0, |sum, message| match message {
            SimpleQueryMessage::CommandComplete(count) => sum + count,
            _ => sum,
        }))
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ApplyError> {
        ask(&self.client, sql).await
    }

    pub(crate) async fn reset(&mut self) -> Result<(), ApplyError> {
        self.execute("reset session authorization; reset all").await?;
        self.execute(WRITABLE).await?;
        if self.version.major >= 14 {
            let _ = self.execute("set client_connection_check_interval = '1s'").await;
        }
        Ok(())
    }

    pub(crate) async fn structure(&mut self, relations: &[QualifiedName]) -> Result<String, ApplyError> {
        let names: Vec<String> = relations
            .iter()
            .map(|name| {
                let text = |name: &str| literal(Dialect::Postgres, name);
                format!("({}, {})", text(name.schema.as_str()), text(name.name.as_str()))
            })
            .chain([String::from("(null, null)")])
            .collect();
        let sql = STRUCTURE.replace("$names", &names.join(", "));
        let rows = self.ask(&sql).await?;
        let lines: Vec<&str> = rows.iter().filter_map(|row| row.opt_text("line").ok().flatten()).collect();
        Ok(lines.join("\n"))
    }

    pub(crate) async fn invalid_indexes(&mut self) -> Result<Vec<QualifiedName>, ApplyError> {
        let sql = "select n.nspname as schema, c.relname as name from pg_catalog.pg_index i \
                   join pg_catalog.pg_class c on c.oid = i.indexrelid \
                   join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
                   where not i.indisvalid and c.relkind = 'i' \
                   and n.nspname not like 'pg\\_t%' order by 1, 2";
        let rows = self.ask(sql).await?;
        let text = |row: &Row, column: &str| row.text(column).unwrap_or_default().to_owned();
        Ok(rows.iter().map(|row| QualifiedName::new(text(row, "schema"), text(row, "name"))).collect())
    }

    pub(crate) async fn close(self) {
        drop(self.client);
    }
}

/// The connection begins read-only, as every session of dbwright does.
const WRITABLE: &str = "set default_transaction_read_only = off";
/// Poolers refuse what a connection begins with, so it is said again.
const READING: &str = "set default_transaction_read_only = on";

/// Everything about some relations that a statement can change, a line each, and what is no relation.
const STRUCTURE: &str = include_str!("../../sql/postgres/structure.sql");

impl Canceller {
    pub(crate) async fn cancel(&self) {
        // A failure leaves the statement running, which its own answer tells.
        let _ = super::connect::cancel(&self.token, &self.dsn).await;
    }
}

/// Asks a question whose values come as texts.
pub(crate) async fn ask(client: &Client, sql: &str) -> Result<Vec<Row>, ApplyError> {
    let messages = client.simple_query(sql).await.map_err(|error| trouble(&error))?;
    let mut rows = Vec::new();
    let mut columns: Arc<[String]> = Arc::from([]);
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(described) => {
                columns = described.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect();
                rows.push(texts(&columns, values));
            }
            _ => {}
        }
    }
    Ok(rows)
}

/// What an error means for the statement.
pub(crate) fn trouble(error: &tokio_postgres::Error) -> ApplyError {
    let Some(server) = error.as_db_error() else {
        return ApplyError::ConnectionLost(format!("the connection was lost: {error}"));
    };
    let message = server.message().to_owned();
    match server.code().code() {
        "55P03" | "40P01" | "40001" => ApplyError::LockNotAvailable(message),
        "57014" if message.contains("timeout") => ApplyError::TimedOut(message),
        "57014" => ApplyError::Cancelled(message),
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => ApplyError::ConnectionLost(message),
        code => {
            let position = match server.position() {
                Some(tokio_postgres::error::ErrorPosition::Original(position)) => Some(*position),
                _ => None,
            };
            ApplyError::Refused(Refusal {
                code: code.to_owned(),
                message,
                detail: server.detail().map(str::to_owned),
                hint: server.hint().map(str::to_owned),
                position,
            })
        }
    }
}
