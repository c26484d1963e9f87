//! How hard a server works, read between the pieces of a long write.

use std::collections::VecDeque;
use std::time::Instant;

use dbwright_model::observed::Observed;
use dbwright_model::pressure::Pressure;

use crate::dsn::Dsn;
use crate::session::{Limits, ReadSession, SessionError};

/// Reads the pressure on one table over a session of its own, which cannot write.
pub struct Gauge {
    session: ReadSession,
    table: String,
    /// Where the log was when, oldest first.
    log: VecDeque<(Instant, u64)>,
}

/// What one look at a server told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    pub(crate) pressure: Pressure,
    /// Where in the log the slowest replica is, when there is one.
    pub(crate) replica_position: Option<u64>,
}

/// Places in the log that are remembered.
const REMEMBERED: usize = 4_096;

impl Gauge {
    /// Opens the session. `table` is quoted as the dialect needs it.
    pub async fn open(dsn: &Dsn, table: &str, limits: &Limits) -> Result<Self, SessionError> {
        let session = ReadSession::open(dsn, limits).await?;
        Ok(Gauge { session, table: table.to_owned(), log: VecDeque::new() })
    }

    /// Reads once. What cannot be read says why.
    pub async fn read(&mut self) -> Pressure {
        let look = match &mut self.session {
            ReadSession::Postgres(session) => crate::postgres::pressure::look(session, &self.table).await,
            ReadSession::Mysql(session) => crate::mysql::pressure::look(session).await,
            // A file has no replicas that it knows of, and whoever waits for it waits alone.
            ReadSession::Sqlite(_) => Look {
                pressure: Pressure { lag_seconds: Observed::Known(None), ..Pressure::default() },
                replica_position: None,
            },
        };
        let mut pressure = look.pressure;
        if let Some(position) = pressure.log_position.known() {
            self.log.push_back((Instant::now(), *position));
            if self.log.len() > REMEMBERED {
                self.log.pop_front();
            }
        }
        if let (Observed::Known(Some(said)), Some(replica)) =
            (&mut pressure.lag_seconds, look.replica_position)
        {
            *said = said.max(self.seconds_behind(replica));
        }
        pressure
    }

    /// Seconds since the log was first seen beyond a place. A replica whose replay is paused reports an old delay or none;
    /// where it is in the log it cannot hide.
    fn seconds_behind(&self, place: u64) -> f64 {
        let beyond = self.log.iter().find(|(_, position)| *position > place);
        beyond.map_or(0.0, |(then, _)| then.elapsed().as_secs_f64())
    }

    /// Ends the session politely.
    pub async fn close(self) {
        self.session.close().await;
    }
}
