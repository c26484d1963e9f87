//! The record of migrations, and questions of migrations, read in sessions that the server keeps from writing.

use dbwright_model::applied::Applied;
use dbwright_model::engine::Dialect;

use super::{ApplyError, ApplySession, HistoryTable};
use crate::dsn::Dsn;
use crate::row::Row;
use crate::session::{Limits, SessionError};

/// A session that reads the record. It needs no consent, because it cannot write.
pub struct RecordReader {
    session: ApplySession,
}

impl RecordReader {
    /// Opens one.
    pub async fn open(dsn: &Dsn, limits: &Limits) -> Result<Self, SessionError> {
        let mut session = ApplySession::open_to_read(dsn).await?;
        let milliseconds = |limit: std::time::Duration| u64::try_from(limit.as_millis()).ok();
        // A server that knows no such limit answers all the same.
        let _ =
            session.limits(milliseconds(limits.lock_timeout), milliseconds(limits.statement_timeout)).await;
        Ok(RecordReader { session })
    }

    /// The dialect of its statements.
    pub fn dialect(&self) -> Dialect {
        self.session.dialect()
    }

    /// The full name of the record's table, and its rows where it is there.
    pub async fn history(&mut self, table: &str) -> Result<(HistoryTable, Option<Vec<Applied>>), ApplyError> {
        self.begin().await?;
        let read = async {
            let (table, there) = self.session.find_history(table).await?;
            let rows = if there { Some(self.session.history(&table).await?) } else { None };
            Ok((table, rows))
        }
        .await;
        self.session.rollback().await?;
        read
    }

    /// Whether the database holds a table that somebody made.
    pub async fn holds_tables(&mut self) -> Result<bool, ApplyError> {
        self.begin().await?;
        let holds = self.session.holds_tables().await;
        self.session.rollback().await?;
        holds
    }

    /// Asks one question. Values come as the server's texts, or null.
    pub async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, ApplyError> {
        self.begin().await?;
        let rows = self.session.ask(sql).await;
        self.session.rollback().await?;
        rows
    }

    /// Begins a transaction that cannot write. PostgreSQL's can be made to until its first selection.
    async fn begin(&mut self) -> Result<(), ApplyError> {
        let statements: &[&str] = match self.session.dialect() {
            Dialect::Postgres => &["begin transaction read only", "select 1"],
            Dialect::Mysql => &["start transaction read only"],
            // The file itself was opened for reading.
            Dialect::Sqlite => &["begin"],
        };
        for sql in statements {
            self.session.execute(sql).await?;
        }
        Ok(())
    }

    /// Ends the session politely.
    pub async fn close(self) {
        self.session.close().await;
    }
}
