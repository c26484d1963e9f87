//! Running migrations on MySQL and MariaDB.

use std::sync::Arc;

use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::QualifiedName;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::connect::connect;
use crate::apply::history::{identifier, literal, texts};
use crate::apply::{ApplyError, Refusal};
use crate::dsn::{Dsn, ServerDsn};
use crate::row::Row;
use crate::session::{Limits, SessionError, SessionErrorKind};

/// A session.
pub struct Session {
    conn: Conn,
    engine: Engine,
    version: Version,
    account: String,
    process: i64,
    database: Option<String>,
    /// Settings that migrations like to change, as the session began with them.
    own: Vec<(&'static str, String)>,
    dsn: ServerDsn,
}

/// Stops the statement of a session.
#[derive(Clone)]
pub struct Canceller {
    process: i64,
    dsn: ServerDsn,
}

/// Settings of the session that are given back after a migration.
const SETTINGS: &[&str] = &[
    "sql_mode",
    "foreign_key_checks",
    "unique_checks",
    "autocommit",
    "time_zone",
    "character_set_client",
    "character_set_results",
    "collation_connection",
];

impl Session {
    pub(crate) async fn open(dsn: &ServerDsn, writes: bool) -> Result<Self, SessionError> {
        let target = Dsn::Mysql(dsn.clone()).to_string();
        let conn = connect(dsn, &Limits::default(), &target).await?;
        let mut session = Session {
            process: i64::from(conn.id()),
            conn,
            engine: Engine::Mysql,
            version: Version::default(),
            account: String::new(),
            database: None,
            own: Vec::new(),
            dsn: dsn.clone(),
        };
        session.prepare(writes).await.map_err(|error| SessionError {
            kind: SessionErrorKind::Connection,
            message: format!("`{target}` could not be prepared for writing: {error}"),
            hint: None,
        })?;
        Ok(session)
    }

    async fn prepare(&mut self, writes: bool) -> Result<(), ApplyError> {
        self.execute("set names utf8mb4").await?;
        let sql = "select version() as version, @@version_comment as comment, current_user() as account, \
                   database() as db, @@lock_wait_timeout as lock_wait, @@innodb_lock_wait_timeout as row_wait";
        let rows = self.ask(sql).await?;
        let text = |column: &str| rows.first().and_then(|row| row.opt_text(column).ok().flatten());
        let version = text("version").unwrap_or_default();
        if version.to_ascii_lowercase().contains("mariadb")
            || text("comment").unwrap_or_default().contains("MariaDB")
        {
            self.engine = Engine::Mariadb;
        }
        self.version = Version::parse(version.strip_prefix("5.5.5-").unwrap_or(version)).unwrap_or_default();
        self.account = text("account").unwrap_or_default().to_owned();
        self.database = text("db").map(str::to_owned);
        let mut own = Vec::new();
        let waits = [("lock_wait_timeout", "lock_wait"), ("innodb_lock_wait_timeout", "row_wait")];
        for (setting, column) in waits {
            own.push((setting, text(column).unwrap_or("50").to_owned()));
        }
        let rows = self.ask(&format!("select {}", list(SETTINGS))).await?;
        for setting in SETTINGS {
            let value = rows.first().and_then(|row| row.opt_text(setting).ok().flatten());
            own.extend(value.map(|value| (*setting, value.to_owned())));
        }
        self.own = own;
        if !writes {
            self.execute("set session transaction read only").await?;
        }
        Ok(())
    }

    pub(crate) fn server(&self) -> (Engine, Version) {
        (self.engine, self.version)
    }

    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    pub(crate) fn process(&self) -> i64 {
        self.process
    }

    pub(crate) fn canceller(&self) -> Canceller {
        Canceller { process: self.process, dsn: self.dsn.clone() }
    }

    pub(crate) async fn limits(
        &mut self,
        lock: Option<u64>,
        statement: Option<u64>,
    ) -> Result<(), ApplyError> {
        // The server counts whole seconds, and there is no wait without an end.
        let seconds = |wanted: u64| if wanted == 0 { 31_536_000 } else { wanted.div_ceil(1000) };
        for setting in ["lock_wait_timeout", "innodb_lock_wait_timeout"] {
            let own = self.own.iter().find(|(name, _)| *name == setting).map(|(_, value)| value.clone());
            let value = lock.map(|lock| seconds(lock).to_string()).or(own).unwrap_or("50".to_owned());
            self.execute(&format!("set session {setting} = {value}")).await?;
        }
        let setting = match self.engine {
            Engine::Mariadb => format!(
                "set session max_statement_time = {}",
                statement.map_or("default".to_owned(), |limit| format!(
                    "{}.{:03}",
                    limit / 1000,
                    limit % 1000
                ))
            ),
            _ => format!(
                "set session max_execution_time = {}",
                statement.map_or("default".to_owned(), |limit| limit.to_string())
            ),
        };
        self.execute(&setting).await?;
        Ok(())
    }

    pub(crate) async fn execute(&mut self, sql: &str) -> Result<u64, ApplyError> {
        let mut result = self.conn.query_iter(sql).await.map_err(|error| trouble(&error))?;
        let mut count = result.affected_rows();
        while !result.is_empty() {
            result.for_each(drop).await.map_err(|error| trouble(&error))?;
            count += result.affected_rows();
        }
        result.drop_result().await.map_err(|error| trouble(&error))?;
        Ok(count)
    }

    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ApplyError> {
        let mut result = self.conn.query_iter(sql).await.map_err(|error| trouble(&error))?;
        let columns: Arc<[String]> = result
            .columns_ref()
            .iter()
            .map(|column| column.name_str().trim_start_matches("@@").to_owned())
            .collect();
        let found: Vec<mysql_async::Row> = result.collect().await.map_err(|error| trouble(&error))?;
        result.drop_result().await.map_err(|error| trouble(&error))?;
        Ok(found
            .into_iter()
            .map(|row| texts(&columns, row.unwrap().into_iter().map(text).collect()))
            .collect())
    }

    pub(crate) async fn reset(&mut self) -> Result<(), ApplyError> {
        if let Some(database) = self.database.clone() {
            self.execute(&format!("use {}", identifier(Dialect::Mysql, &database))).await?;
        }
        for (setting, value) in self.own.clone() {
            let number = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty();
            let value = if number { value } else { literal(Dialect::Mysql, &value) };
            self.execute(&format!("set session {setting} = {value}")).await?;
        }
        Ok(())
    }

    pub(crate) async fn structure(&mut self, relations: &[QualifiedName]) -> Result<String, ApplyError> {
        let mut text = String::new();
        for relation in relations {
            let name = identifier(Dialect::Mysql, relation.name.as_str());
            let name = match relation.schema.as_str() {
                "" => name,
                schema => format!("{}.{name}", identifier(Dialect::Mysql, schema)),
            };
            let shown = match self.ask(&format!("show create table {name}")).await {
                Ok(rows) => rows
                    .first()
                    .map(|row| row.values.iter().filter_map(shown).collect::<Vec<_>>().join("\n"))
                    .unwrap_or_default(),
                Err(ApplyError::Refused(refusal)) => format!("absent {}", refusal.code),
                Err(error) => return Err(error),
            };
            text.push_str(&without_counter(&shown));
            text.push('\n');
        }
        let others = "select concat_ws(' ', 'routine', routine_type, routine_name, md5(routine_definition), last_altered) \
             as line from information_schema.routines where routine_schema = database() \
             union all select concat_ws(' ', 'trigger', trigger_name, event_object_table, event_manipulation, \
             action_timing, md5(action_statement)) from information_schema.triggers where trigger_schema = database() \
             union all select concat_ws(' ', 'event', event_name, md5(event_definition), status) \
             from information_schema.events where event_schema = database() \
             union all select concat_ws(' ', 'view', table_name, md5(view_definition)) \
             from information_schema.views where table_schema = database() \
             union all select concat_ws(' ', 'schema', schema_name, default_collation_name) \
             from information_schema.schemata order by line";
        for row in self.ask(others).await? {
            text.push_str(row.opt_text("line").ok().flatten().unwrap_or_default());
            text.push('\n');
        }
        Ok(text)
    }

    pub(crate) async fn close(self) {
        // A failure leaves nothing to do: the server notices.
        let _ = self.conn.disconnect().await;
    }
}

impl Canceller {
    pub(crate) async fn cancel(&self) {
        let target = Dsn::Mysql(self.dsn.clone()).to_string();
        let Ok(mut conn) = connect(&self.dsn, &Limits::default(), &target).await else { return };
        let _ = conn.query_drop(format!("kill query {}", self.process)).await;
        let _ = conn.disconnect().await;
    }
}

fn list(settings: &[&str]) -> String {
    settings.iter().map(|name| format!("@@{name} as {name}")).collect::<Vec<_>>().join(", ")
}

fn shown(value: &crate::row::Value) -> Option<String> {
    match value {
        crate::row::Value::Text(text) => Some(text.to_string()),
        _ => None,
    }
}

/// `SHOW CREATE TABLE` without the number that the next row gets.
fn without_counter(text: &str) -> String {
    let Some((before, after)) = text.split_once(" AUTO_INCREMENT=") else { return text.to_owned() };
    format!("{before}{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A value as a text.
pub(crate) fn text(value: mysql_async::Value) -> Option<String> {
    match value {
        mysql_async::Value::NULL => None,
        mysql_async::Value::Bytes(bytes) => Some(
            String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
        ),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    }
}

/// What an error means for the statement.
pub(crate) fn trouble(error: &mysql_async::Error) -> ApplyError {
    let mysql_async::Error::Server(server) = error else {
        return ApplyError::ConnectionLost(format!("the connection was lost: {error}"));
    };
    let message = server.message.clone();
    match server.code {
        1205 | 1213 | 3572 => ApplyError::LockNotAvailable(message),
        1317 => ApplyError::Cancelled(message),
        1969 | 3024 => ApplyError::TimedOut(message),
        1053 | 1077 | 1079 | 1927 | 2006 | 2013 => ApplyError::ConnectionLost(message),
        code => ApplyError::Refused(Refusal { code: code.to_string(), message, ..Refusal::default() }),
    }
}
