//! How hard a MySQL or MariaDB server works.

use std::time::Instant;

use dbwright_model::observed::Observed;
use dbwright_model::pressure::Pressure;

use super::ReadSession;
use super::wire::{Trouble, observed};
use crate::pressure::Look;
use crate::row::Row;

/// Threads that send the binary log to replicas. `INNODB_TRX` is there for accounts with the privilege `PROCESS` only, so that
/// asking it first tells an account that sees all threads from one that sees its own.
const SENDERS: &str = "SELECT COUNT(*) AS number FROM information_schema.PROCESSLIST \
                       WHERE COMMAND LIKE 'Binlog Dump%'";
const WRITTEN: &str = "SHOW GLOBAL STATUS LIKE 'Innodb\\_os\\_log\\_written'";
const ROW_WAITS: &str =
    "SELECT COUNT(*) AS number FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'";
const TABLE_WAITS: &str = "SELECT COUNT(*) AS number FROM information_schema.PROCESSLIST \
                           WHERE STATE LIKE 'Waiting for%lock' AND DB = DATABASE()";

/// One look.
pub(crate) async fn look(session: &mut ReadSession) -> Look {
    // The total limit is meant for a collection; this goes on for as long as somebody writes.
    session.asker.deadline = Instant::now() + session.limits.total;
    let row_waits = number(session, ROW_WAITS).await;
    let sees_all = row_waits.as_ref().map(|_| ()).map_err(Clone::clone);
    let waiting = match (row_waits, number(session, TABLE_WAITS).await) {
        (Ok(rows), Ok(tables)) => Ok(rows + tables),
        (Err(trouble), _) | (_, Err(trouble)) => Err(trouble),
    };
    let lag_seconds = match (sees_all, number(session, SENDERS).await) {
        (Ok(()), Ok(0)) => Observed::Known(None),
        (Ok(()), Ok(replicas)) => {
            let replicas = if replicas == 1 {
                "its replica is".to_owned()
            } else {
                format!("its {replicas} replicas are")
            };
            Observed::Unsupported(format!(
                "the server is not told how far behind {replicas}: name one with `--replica`"
            ))
        }
        (Err(trouble), _) | (_, Err(trouble)) => trouble.observed(),
    };
    let written = session.asker.run(WRITTEN, "").await.and_then(|rows| {
        let none = || Trouble::Unsupported("this server does not count it".to_owned());
        let row = rows.first().ok_or_else(none)?;
        Ok(row.opt_count("value")?.unwrap_or(0))
    });
    let pressure = Pressure {
        lag_seconds,
        log_position: observed(written),
        waiting: observed(waiting),
        // InnoDB cleans up by itself and keeps no count per table.
        ..Pressure::default()
    };
    Look { pressure, replica_position: None }
}

async fn number(session: &mut ReadSession, sql: &str) -> Result<u64, Trouble> {
    let rows: Vec<Row> = session.asker.run(sql, "`PROCESS`").await?;
    let row = rows.first().ok_or_else(|| Trouble::Failed("the server gave no answer".to_owned()))?;
    Ok(row.opt_count("number")?.unwrap_or(0))
}
