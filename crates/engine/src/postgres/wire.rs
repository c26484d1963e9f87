//! One statement and its answer, from a server or from a recording.

use std::future::poll_fn;
use std::pin::pin;
use std::time::{Duration, Instant};

use dbwright_model::name::Name;
use dbwright_model::observed::Observed;
use futures_util::Stream;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::connect::{Connected, transaction_settings};
use super::{statements, value};
use crate::cassette::{Cassette, Player, Recorder, ServerError};
use crate::row::{DecodeError, Row};
use crate::session::Limits;

/// Takes one row of an answer.
pub(super) type TakeRow<'a> = dyn FnMut(&Row) -> Result<(), DecodeError> + Send + 'a;

/// Answers statements.
pub(super) struct Wire {
    source: Source,
    recorder: Option<Recorder>,
}

enum Source {
    Live(Box<Live>),
    Replay(Player),
}

struct Live {
    client: Client,
    driver: JoinHandle<()>,
    /// What every transaction begins with.
    begin: String,
    /// Since when a transaction is open.
    open: Option<Instant>,
    patience: Duration,
    /// Why no further statement can run.
    lost: Option<String>,
}

/// How long statements share a transaction. One for each would cost more in beginnings and ends than many statements
/// cost themselves; one for all would keep a large catalog's locks for as long as it takes to read it.
const SHARED: Duration = Duration::from_secs(5);

/// Why an answer did not come or could not be read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Trouble {
    /// The server refused.
    Server(ServerError),
    /// A row does not hold what was expected.
    Decode(DecodeError),
    /// The connection is gone.
    Lost(String),
}

impl Wire {
    pub fn live(connected: Connected, limits: &Limits) -> Wire {
        let settings: Vec<String> = transaction_settings(limits)
            .into_iter()
            .map(|(name, value)| {
                format!("pg_catalog.set_config('{name}', {}, true)", statements::literal(&value))
            })
            .collect();
        // The selection takes the snapshot, after which a transaction cannot be made writable any more.
        let begin = format!("begin transaction read only; select {}", settings.join(", "));
        let patience = limits.statement_timeout + Duration::from_secs(5);
        let live = Live {
            client: connected.client,
            driver: connected.driver,
            begin,
            open: None,
            patience,
            lost: None,
        };
        Wire { source: Source::Live(Box::new(live)), recorder: None }
    }

    pub fn replay(player: Player) -> Wire {
        Wire { source: Source::Replay(player), recorder: None }
    }

    pub fn record(&mut self) {
        self.recorder = Some(Recorder::default());
    }

    pub fn recording(&mut self) -> Option<Cassette> {
        self.recorder.take().map(Recorder::finish)
    }

    /// Runs one statement in a read-only transaction and hands over its rows as they come. The transaction stays open
    /// for the next statement until [`Wire::end`].
    pub async fn ask(&mut self, name: &str, sql: &str, take: &mut TakeRow<'_>) -> Result<(), Trouble> {
        let mut recorder = self.recorder.as_mut();
        if let Some(recorder) = &mut recorder {
            recorder.begin(name);
        }
        match &mut self.source {
            Source::Live(live) => {
                let mut keep = |row: &Row| {
                    if let Some(recorder) = &mut recorder {
                        recorder.row(row);
                    }
                    take(row)
                };
                let outcome = live.ask(name, sql, &mut keep).await;
                if let (Some(recorder), Err(Trouble::Server(error))) = (recorder, &outcome) {
                    recorder.error(error);
                }
                outcome
            }
            Source::Replay(player) => {
                let (rows, error) = player.play(name);
                for row in &rows {
                    take(row).map_err(Trouble::Decode)?;
                }
                error.map_or(Ok(()), |error| Err(Trouble::Server(error)))
            }
        }
    }

    /// Ends the transaction, and with it the locks that its statements took.
    pub async fn end(&mut self) {
        if let Source::Live(live) = &mut self.source {
            live.end().await;
        }
    }

    pub async fn close(mut self) {
        self.end().await;
        if let Source::Live(live) = self.source {
            let Live { client, driver, .. } = *live;
            // Dropping the client says goodbye to the server; the driver ends when that is sent.
            drop(client);
            let _ = tokio::time::timeout(Duration::from_secs(2), driver).await;
        }
    }
}

impl Live {
    async fn ask(&mut self, name: &str, sql: &str, take: &mut TakeRow<'_>) -> Result<(), Trouble> {
        if let Some(lost) = &self.lost {
            return Err(Trouble::Lost(lost.clone()));
        }
        let outcome = match tokio::time::timeout(self.patience, self.transaction(name, sql, take)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.open = None;
                let seconds = self.patience.as_secs();
                Err(Trouble::Lost(format!("the server did not answer within {seconds} s")))
            }
        };
        if let Err(Trouble::Lost(because)) = &outcome {
            self.lost = Some(because.clone());
        }
        outcome
    }

    async fn transaction(&mut self, name: &str, sql: &str, take: &mut TakeRow<'_>) -> Result<(), Trouble> {
        if self.open.is_some_and(|since| since.elapsed() > SHARED) {
            self.rollback().await?;
        }
        if self.open.is_none() {
            let begin = format!("/* dbwright:{name} */ {}", self.begin);
            self.open = Some(Instant::now());
            if let Err(error) = self.client.batch_execute(&begin).await {
                let trouble = self.trouble(&error);
                // Only its second half may have failed.
                let _ = self.rollback().await;
                return Err(trouble);
            }
        }
        let outcome = self.stream(&format!("/* dbwright:{name} */ {sql}"), take).await;
        if outcome.is_err() {
            // The server takes no further statement in it. Why this one failed is what is worth telling.
            let _ = self.rollback().await;
        }
        outcome
    }

    async fn rollback(&mut self) -> Result<(), Trouble> {
        if self.open.take().is_none() {
            return Ok(());
        }
        // Nothing was changed, so it does not matter how the transaction ends, only that it does.
        self.client.batch_execute("rollback").await.map_err(|error| self.trouble(&error))
    }

    async fn end(&mut self) {
        if self.open.is_none() || self.lost.is_some() {
            return;
        }
        let outcome = tokio::time::timeout(self.patience, self.rollback()).await;
        if let Ok(Err(Trouble::Lost(because))) = outcome {
            self.lost = Some(because);
        }
    }

    async fn stream(&self, sql: &str, take: &mut TakeRow<'_>) -> Result<(), Trouble> {
        let no_parameters: [(&(dyn ToSql + Sync), Type); 0] = [];
        let rows =
            self.client.query_typed_raw(sql, no_parameters).await.map_err(|error| self.trouble(&error))?;
        let mut rows = pin!(rows);
        let mut columns = None;
        while let Some(row) = poll_fn(|context| rows.as_mut().poll_next(context)).await {
            let row = row.map_err(|error| self.trouble(&error))?;
            let columns = columns.get_or_insert_with(|| value::column_names(&row));
            take(&value::row(&row, columns)).map_err(Trouble::Decode)?;
        }
        Ok(())
    }

    fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        match error.as_db_error() {
            // The server is going away, or somebody ended this session.
            Some(server) if server.code().code().starts_with("57P") => {
                Trouble::Lost(server.message().to_owned())
            }
            Some(server) => Trouble::Server(ServerError {
                code: server.code().code().to_owned(),
                message: server.message().to_owned(),
            }),
            None => Trouble::Lost(format!("the connection was lost: {error}")),
        }
    }
}

impl Trouble {
    /// The trouble in words.
    pub fn message(&self) -> String {
        match self {
            Trouble::Server(error) => format!("{} ({})", error.message, error.code),
            Trouble::Decode(error) => error.to_string(),
            Trouble::Lost(because) => because.clone(),
        }
    }

    /// How a fact is known after this.
    pub fn observed(&self, role: &Name, statement_timeout: Duration) -> Observed<()> {
        let Trouble::Server(ServerError { code, message }) = self else {
            return Observed::Failed(self.message());
        };
        match code.as_str() {
            "42501" => Observed::Denied(format!("{message}: {}", remedy(message, role))),
            "57014" => Observed::Failed(format!(
                "timed out after {} s or was cancelled",
                statement_timeout.as_secs_f64()
            )),
            "55P03" => Observed::Failed(format!("another session holds a lock: {message}")),
            "42P01" | "42703" | "42883" | "0A000" => {
                Observed::Unsupported(format!("this server cannot answer: {message}"))
            }
            // Such as `pg_stat_statements` that was not loaded when the server started.
            "55000" => Observed::Unsupported(message.clone()),
            _ => Observed::Failed(self.message()),
        }
    }
}

/// What would let the role read it.
fn remedy(message: &str, role: &Name) -> String {
    let role = statements::quote(role);
    if message.contains("pg_hba_file_rules") {
        format!(
            "`GRANT SELECT ON pg_hba_file_rules TO {role}; GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO {role}`"
        )
    } else if message.contains("for table") || message.contains("for view") || message.contains("for schema")
    {
        format!("`GRANT pg_read_all_data TO {role}`")
    } else {
        format!("`GRANT pg_monitor TO {role}`")
    }
}
