//! How hard a PostgreSQL server works.

use dbwright_model::observed::Observed;
use dbwright_model::pressure::{DeadRows, Pressure};

use super::ReadSession;
use crate::pressure::Look;
use crate::row::{DecodeError, Row};

const QUESTION: &str = include_str!("../../sql/postgres/pressure.sql");

/// One look, with regard to a table, whose name is quoted.
pub(crate) async fn look(session: &mut ReadSession, table: &str) -> Look {
    let quoted = format!("'{}'", table.replace('\'', "''"));
    let failed = |because: String| Look {
        pressure: Pressure {
            lag_seconds: Observed::Failed(because.clone()),
            log_position: Observed::Failed(because.clone()),
            dead_rows: Observed::Failed(because.clone()),
            vacuum_running: Observed::Failed(because.clone()),
            waiting: Observed::Failed(because),
        },
        replica_position: None,
    };
    let rows = match session.query(&QUESTION.replace("$table", &quoted)).await {
        Ok(rows) => rows,
        Err(error) => return failed(error.message),
    };
    match rows.first().map(decode) {
        Some(Ok(look)) => look,
        Some(Err(error)) => failed(error.to_string()),
        None => failed("the server gave no answer".to_owned()),
    }
}

fn decode(row: &Row) -> Result<Look, DecodeError> {
    let hidden = "the role may not see other sessions: grant it `pg_read_all_stats`";
    let lag_seconds = if row.int("hidden_replicas")? > 0 {
        Observed::Denied(hidden.to_owned())
    } else if row.int("replicas")? == 0 {
        Observed::Known(None)
    } else {
        // No delay is reported of a replica that has nothing to do.
        Observed::Known(Some(row.opt_float("lag")?.unwrap_or(0.0)))
    };
    let log_position = match row.opt_count("log_position")? {
        Some(position) => Observed::Known(position),
        None => Observed::Unsupported("the server replays the log of another".to_owned()),
    };
    let dead_rows = match (row.opt_count("live")?, row.opt_count("dead")?) {
        (Some(live), Some(dead)) => Observed::Known(DeadRows { live, dead }),
        _ => Observed::Unsupported("the server keeps no counts of the table".to_owned()),
    };
    let vacuum_running = match (row.int("vacuums")?, row.int("hidden_vacuums")?) {
        (0, 1..) => Observed::Denied(hidden.to_owned()),
        (vacuums, _) => Observed::Known(vacuums > 0),
    };
    let waiting = Observed::Known(row.opt_count("waiting")?.unwrap_or(0));
    Ok(Look {
        pressure: Pressure { lag_seconds, log_position, dead_rows, vacuum_running, waiting },
        replica_position: row.opt_count("replica_position")?,
    })
}
