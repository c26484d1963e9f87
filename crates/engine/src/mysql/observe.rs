//! What a statement does to a MariaDB server, as seen by other sessions: tables that it locks, and what is gone after it.
//!
//! Locks are seen without racing the statement: a second session reads a table in an open transaction, so that whoever
//! wants the table for itself has to wait, and a third one looks at what the waiting session holds by then. A copy holds
//! the lock that keeps writers out while it fills the new table, and waits only at the end; what locks readers out from
//! the beginning waits with nothing in its hands.
//!
//! The plugin `metadata_lock_info` tells about the locks. It is part of MariaDB's server package, and MySQL has other
//! means: nothing here was tried there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use dbwright_model::effect::Lock;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use super::probe::{Clause, ProbeError, ProbeResult, Storage, ask};
use crate::dsn::{Dsn, ServerDsn};
use crate::session::{Limits, SessionError};
use crate::write::Consent;

/// How often the waiting session is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// For how long the server's own work, such as the removal of old rows, may hold a table: who waits for longer waits for the
/// reader.
const INSTANT: Duration = Duration::from_millis(40);

/// How often InnoDB's transactions are looked at: the server answers from memory when asked again within 100 ms.
const TRANSACTION_GLANCE: Duration = Duration::from_millis(130);

/// A session whose statements are watched. It is meant for scratch servers: it installs a plugin, and its statements
/// are for real.
pub struct Observer {
    conn: Conn,
    id: u64,
    dsn: ServerDsn,
}

/// A statement that the server refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct Refusal {
    /// The server's number of the error; 0 when the connection was lost.
    pub code: u16,
    /// Its words.
    pub message: String,
}

impl From<mysql_async::Error> for Refusal {
    fn from(error: mysql_async::Error) -> Self {
        match error {
            mysql_async::Error::Server(error) => Refusal { code: error.code, message: error.message },
            other => Refusal { code: 0, message: other.to_string() },
        }
    }
}

impl Observer {
    /// Opens a session on the target's database.
    pub async fn open(dsn: &ServerDsn, _consent: &Consent) -> Result<Self, SessionError> {
        let conn = connect(dsn).await?;
        let id = u64::from(conn.id());
        Ok(Observer { conn, id, dsn: dsn.clone() })
    }

    /// Loads what tells about locks.
    pub async fn install(&mut self) -> Result<(), Refusal> {
        self.run("INSTALL SONAME 'metadata_lock_info'").await
    }

    /// Whether the server tells about locks.
    pub async fn tells_locks(&mut self) -> bool {
        self.run("SELECT 1 FROM information_schema.METADATA_LOCK_INFO LIMIT 1").await.is_ok()
    }

    /// Runs one statement.
    pub async fn run(&mut self, sql: &str) -> Result<(), Refusal> {
        Ok(self.conn.query_drop(sql).await?)
    }

    /// Asks for the strictest clause; see [`ask`].
    pub async fn ask(
        &mut self,
        write: &(dyn Fn(Option<Clause>) -> String + Sync),
    ) -> Result<ProbeResult, ProbeError> {
        let database = self.dsn.database.clone();
        ask(&mut self.conn, &database, write).await
    }

    /// InnoDB's numbers of the database's tables.
    pub async fn storage(&mut self) -> Option<Storage> {
        Storage::read(&mut self.conn, &self.dsn.database).await
    }

    /// Rows of every table of the database, by name; rows of the past count too.
    pub async fn rows(&mut self) -> Result<BTreeMap<String, u64>, Refusal> {
        let names: Vec<(String, bool)> = self
            .conn
            .query(
                "SELECT TABLE_NAME, TABLE_TYPE = 'SYSTEM VERSIONED' FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                 AND TABLE_TYPE NOT LIKE '%VIEW' AND TABLE_TYPE <> 'SEQUENCE'",
            )
            .await?;
        let mut rows = BTreeMap::new();
        for (name, versioned) in names {
            let all = if versioned { " FOR SYSTEM_TIME ALL" } else { "" };
            let sql = format!("SELECT COUNT(*) FROM `{}`{all}", name.replace('`', "``"));
            rows.insert(name, self.conn.query_first(sql).await?.unwrap_or_default());
        }
        Ok(rows)
    }

    /// Runs a statement while another session reads a table in an open transaction, and tells the lock that the
    /// statement takes on the table: `None` when it did not have to wait for the reader.
    pub async fn locks(&mut self, table: &str, sql: &str) -> Result<Option<Lock>, Refusal> {
        let lost = |error: SessionError| Refusal { code: 0, message: error.message };
        let mut reader = connect(&self.dsn).await.map_err(lost)?;
        let mut watcher = connect(&self.dsn).await.map_err(lost)?;
        reader.query_drop("START TRANSACTION").await?;
        reader.query_drop(format!("SELECT 1 FROM `{}` LIMIT 1", table.replace('`', "``"))).await?;
        let (id, database) = (self.id, self.dsn.database.clone());
        let (mut lock, mut since) = (None, None);
        let mut statement = std::pin::pin!(self.conn.query_drop(sql));
        let outcome = loop {
            tokio::select! {
                outcome = &mut statement => break outcome,
                () = tokio::time::sleep(GLANCE) => {}
            }
            if lock.is_some() {
                continue;
            }
            let Some(seen) = waiting(&mut watcher, id, &database, table).await? else {
                since = None;
                continue;
            };
            if since.get_or_insert_with(Instant::now).elapsed() >= INSTANT {
                lock = Some(seen);
                reader.query_drop("ROLLBACK").await?;
            }
        };
        outcome?;
        let _ = reader.disconnect().await;
        let _ = watcher.disconnect().await;
        Ok(lock)
    }

    /// Runs a statement while another session has locked every row of a table, and tells whether the statement had to
    /// wait for it: what verifies a foreign key locks the parents of all rows until it ends, so that nobody
    /// changes them, and what changes a parent table locks its children for a moment.
    pub async fn locks_out_writers(&mut self, table: &str, sql: &str) -> Result<bool, Refusal> {
        let lost = |error: SessionError| Refusal { code: 0, message: error.message };
        let mut writer = connect(&self.dsn).await.map_err(lost)?;
        let mut watcher = connect(&self.dsn).await.map_err(lost)?;
        writer.query_drop("START TRANSACTION").await?;
        writer.query_drop(format!("SELECT 1 FROM `{}` FOR UPDATE", table.replace('`', "``"))).await?;
        let (id, database) = (self.id, self.dsn.database.clone());
        let mut waited = false;
        let mut statement = std::pin::pin!(self.conn.query_drop(sql));
        let outcome = loop {
            tokio::select! {
                outcome = &mut statement => break outcome,
                () = tokio::time::sleep(TRANSACTION_GLANCE) => {}
            }
            if waited {
                continue;
            }
            // Who keeps writers out of the whole table waits for the table, who locks its rows for a row.
            if waiting(&mut watcher, id, &database, table).await?.is_some()
                || blocked(&mut watcher, id).await?
            {
                waited = true;
                writer.query_drop("ROLLBACK").await?;
            }
        };
        outcome?;
        let _ = writer.disconnect().await;
        let _ = watcher.disconnect().await;
        Ok(waited)
    }
}

/// Whether a session waits for a row that another holds.
async fn blocked(watcher: &mut Conn, id: u64) -> Result<bool, mysql_async::Error> {
    let rows: Option<u64> = watcher
        .query_first(format!(
            "SELECT COUNT(*) FROM information_schema.INNODB_TRX \
             WHERE TRX_MYSQL_THREAD_ID = {id} AND TRX_STATE = 'LOCK WAIT'"
        ))
        .await?;
    Ok(rows.unwrap_or_default() > 0)
}

/// The lock of a session that waits for a metadata lock; `None` when it does not wait.
async fn waiting(
    watcher: &mut Conn,
    id: u64,
    database: &str,
    table: &str,
) -> Result<Option<Lock>, mysql_async::Error> {
    let state: Option<Option<String>> = watcher
        .query_first(format!("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {id}"))
        .await?;
    if !state.flatten().is_some_and(|state| state.ends_with("metadata lock")) {
        return Ok(None);
    }
    let held: Vec<String> = watcher
        .exec(
            "SELECT LOCK_MODE FROM information_schema.METADATA_LOCK_INFO \
             WHERE THREAD_ID = ? AND TABLE_SCHEMA = ? AND TABLE_NAME = ?",
            (id, database, table),
        )
        .await?;
    let keeps_writers_out = |mode: &String| {
        matches!(mode.as_str(), "MDL_SHARED_NO_WRITE" | "MDL_SHARED_READ_ONLY" | "MDL_SHARED_NO_READ_WRITE")
    };
    let shared = held.iter().any(keeps_writers_out);
    Ok(Some(if shared { Lock::MysqlShared } else { Lock::MysqlExclusive }))
}

async fn connect(dsn: &ServerDsn) -> Result<Conn, SessionError> {
    let target = Dsn::Mysql(dsn.clone()).to_string();
    super::connect::connect(dsn, &Limits::default(), &target).await
}
