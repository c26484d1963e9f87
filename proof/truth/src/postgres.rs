//! The matrix of PostgreSQL: every case on every supported major that is installed.

use std::collections::BTreeMap;

use dbwright_engine::postgres::observe::{Observation, Observer};
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, installations};
use dbwright_model::engine::Dialect;

use crate::case::{self, Case};
use crate::cell::Cell;
use crate::matrix::{Engine, Observed};

/// The engine.
pub static ENGINE: Engine =
    Engine { name: "postgres", dialect: Dialect::Postgres, versions: &MAJORS, observe };

/// Majors that are supported.
pub const MAJORS: [u16; 6] = [13, 14, 15, 16, 17, 18];

/// The database that every other one is copied from.
const TEMPLATE: &str = "base";
/// The database of statements that are rolled back.
const SHARED: &str = "shared";

/// What each case did on one major.
type Column = Vec<Result<Cell, String>>;

fn observe(cases: &[Case]) -> Result<Observed, String> {
    let base = case::base_sql(ENGINE.name)?;
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
    let mut observed = Observed { cells: vec![BTreeMap::new(); cases.len()], ..Observed::default() };
    let columns: Vec<(u16, String, Result<Column, String>)> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for major in MAJORS {
            match installed.iter().find(|one| one.version.major == major) {
                None => observed.missing.push(format!("PostgreSQL {major}")),
                Some(installation) => {
                    let base = &base;
                    threads.push(scope.spawn(move || {
                        let column = PostgresServer::start(installation, &options())
                            .map_err(|error| error.message)
                            .and_then(|server| column(&server, base, cases));
                        (major, installation.version.to_string(), column)
                    }));
                }
            }
        }
        threads.into_iter().map(|thread| thread.join().expect("an observer does not panic")).collect()
    });
    for (major, version, column) in columns {
        let column = column.map_err(|complaint| format!("PostgreSQL {version}: {complaint}"))?;
        observed.servers.insert(major, format!("PostgreSQL {version}"));
        for (index, cell) in column.into_iter().enumerate() {
            match cell {
                Ok(cell) => {
                    observed.cells[index].insert(major, cell);
                }
                Err(complaint) => {
                    let Case { family, name, .. } = &cases[index];
                    observed.failures.push(format!("{family}/{name} on {major}: {complaint}"));
                }
            }
        }
    }
    Ok(observed)
}

/// Every table may be held by two sessions at once.
fn options() -> ServerOptions {
    ServerOptions {
        max_connections: 200,
        settings: vec![("wal_level".to_owned(), "logical".to_owned())],
        ..ServerOptions::default()
    }
}

fn column(server: &PostgresServer, base: &str, cases: &[Case]) -> Result<Column, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let lobby = server.client("postgres").await.map_err(|error| error.message)?;
        let lobby = Lobby { server, client: lobby };
        lobby.run(&format!("create database {TEMPLATE} template template0")).await?;
        let mut maker = Observer::open(server, TEMPLATE).await.map_err(|error| error.message)?;
        maker.script(base).await.map_err(|error| format!("base.sql: {}", error.message))?;
        drop(maker);
        lobby.make(SHARED).await?;
        let mut shared = Observer::open(server, SHARED).await.map_err(|error| error.message)?;
        let mut column = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            let inside = match case.setup.is_empty() {
                true => inside(&mut shared, case).await,
                false => Ok(None),
            };
            column.push(match inside {
                Ok(Some(cell)) => Ok(cell),
                Ok(None) => lobby.alone(&format!("case_{index}"), case).await,
                Err(complaint) => Err(complaint),
            });
        }
        Ok(column)
    })
}

/// A session that makes and drops databases.
struct Lobby<'a> {
    server: &'a PostgresServer,
    client: tokio_postgres::Client,
}

impl Lobby<'_> {
    async fn run(&self, sql: &str) -> Result<(), String> {
        self.client.batch_execute(sql).await.map_err(|error| {
            error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
        })
    }

    async fn make(&self, database: &str) -> Result<(), String> {
        // The session that filled the template may take a moment to be gone.
        for _ in 0..200 {
            // Copying files is the quicker way where there is a choice.
            let strategy = if self.server.version().major >= 15 { " strategy file_copy" } else { "" };
            match self.run(&format!("create database {database} template {TEMPLATE}{strategy}")).await {
                Err(complaint) if complaint.contains("being accessed") => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                outcome => return outcome,
            }
        }
        Err(format!("`{TEMPLATE}` stays in use"))
    }

    /// Observes a case in a database of its own.
    async fn alone(&self, database: &str, case: &Case) -> Result<Cell, String> {
        self.make(database).await?;
        let cell = self.in_database(database, case).await;
        self.run(&format!("drop database {database} with (force)")).await?;
        cell
    }

    async fn in_database(&self, database: &str, case: &Case) -> Result<Cell, String> {
        let mut observer = Observer::open(self.server, database).await.map_err(|error| error.message)?;
        for statement in &case.setup {
            if let Err(error) = observer.script(statement).await {
                // What a version does not know yet cannot be set up there.
                if matches!(error.sqlstate.as_str(), "42601" | "0A000" | "42704" | "42809" | "42883") {
                    return Ok(Cell::Refused { code: error.sqlstate });
                }
                return Err(format!("`{statement}`: {} ({})", error.message, error.sqlstate));
            }
        }
        if let Some(cell) = inside(&mut observer, case).await? {
            return Ok(cell);
        }
        let observation = observer.observe_outside(&case.statement).await.map_err(|error| error.message)?;
        Ok(cell(observation))
    }
}

/// Observes a statement in a transaction and undoes it; `None` when it must run by itself.
async fn inside(observer: &mut Observer<'_>, case: &Case) -> Result<Option<Cell>, String> {
    observer.script("begin").await.map_err(|error| error.message)?;
    let observation = observer.observe(&case.statement).await.map_err(|error| error.message);
    observer.script("rollback").await.map_err(|error| error.message)?;
    let observation = observation?;
    if observation.error.as_ref().is_some_and(|error| error.is_only_outside()) {
        return Ok(None);
    }
    Ok(Some(cell(observation)))
}

fn cell(observation: Observation) -> Cell {
    match observation.error {
        Some(error) => Cell::Refused { code: error.sqlstate },
        None => Cell::done(observation.transaction, observation.relations),
    }
}

/// Shows everything that was seen of one statement on one major, for whoever doubts a cell.
pub fn explain(case: &Case, major: u16) -> Result<String, String> {
    let base = case::base_sql(ENGINE.name)?;
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
    let Some(installation) = installed.iter().find(|one| one.version.major == major) else {
        return Err(format!("PostgreSQL {major} is not installed"));
    };
    let server = PostgresServer::start(installation, &options()).map_err(|error| error.message)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut observer = Observer::open(&server, "postgres").await.map_err(|error| error.message)?;
        for sql in std::iter::once(&base).chain(&case.setup) {
            observer.script(sql).await.map_err(|error| error.message)?;
        }
        observer.script("begin").await.map_err(|error| error.message)?;
        let mut seen = observer.observe(&case.statement).await.map_err(|error| error.message)?;
        observer.script("rollback").await.map_err(|error| error.message)?;
        if seen.error.as_ref().is_some_and(|error| error.is_only_outside()) {
            seen = observer.observe_outside(&case.statement).await.map_err(|error| error.message)?;
        }
        Ok(format!("{seen:#?}"))
    })
}
