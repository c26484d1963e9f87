//! Statements executed on a scratch server and each observed: what it locked, what work it did, why it was refused.
//!
//! A [`Bench`] is the server, a [`Tracer`] goes through statements on a fresh database of it. Only what this process made
//! for itself is touched. What cannot be observed keeps what was foretold of it and says why.

mod build;
mod failure;
mod mariadb;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::mariadb::{MariadbError, MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, nearest};
use dbwright_model::catalog::Catalog;
use dbwright_model::change::{Change, DataKind, TransactionControl};
use dbwright_model::effect::Effects;
use dbwright_model::engine::{Engine, Version};
use dbwright_model::name::QualifiedName;

use build::Making;
pub use failure::{Failure, Fault};

use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// Longest time for one statement on the scratch server.
pub const STATEMENT_LIMIT: Duration = Duration::from_secs(30);

/// A scratch server that is gone when this is dropped; for SQLite a folder.
pub struct Bench {
    machine: Machine,
    engine: Engine,
    version: Version,
    asked: Option<Version>,
    temporary: PathBuf,
    databases: AtomicU32,
    /// What the server keeps in files besides, removed after it.
    _folder: Option<tempfile::TempDir>,
}

enum Machine {
    Postgres(Box<PostgresServer>),
    Mariadb(MariadbServer),
    Sqlite(tempfile::TempDir),
}

/// A statement to be tried.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its text without the terminator.
    pub sql: &'a str,
    /// What it was read as; empty when it could not be read.
    pub changes: &'a [Change],
    /// What is foretold of it.
    pub foretold: &'a Effects,
    /// The transaction that it runs in; `None` when it stands by itself. Neighbours of one number share one. The tracer
    /// opens and ends it where the statements do not do so themselves.
    pub transaction: Option<u32>,
}

/// What came of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was carried out and observed.
    Seen,
    /// The server refused it.
    Failed(Failure),
    /// It was carried out and could not be observed: why, as a lower-case fragment.
    Unseen(String),
    /// It could not be carried out at all: why, as a lower-case fragment.
    Untried(String),
}

/// What a statement did.
#[derive(Clone, Debug, PartialEq)]
pub struct Traced {
    /// Whether what follows was observed.
    pub outcome: Outcome,
    /// What it did when it was seen, otherwise what was foretold.
    pub effects: Effects,
    /// Relations of the effects that were made since [`Tracer::mark`].
    pub made: Vec<QualifiedName>,
    /// Why the transaction before this statement could not be committed.
    pub commit_failed: Option<Failure>,
}

/// Something of a catalog that is missing on the scratch server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmade {
    /// What it is: "table `public.t`".
    pub object: String,
    /// The relation that is not as it should be without it.
    pub relation: Option<QualifiedName>,
    /// Why, as a lower-case fragment.
    pub because: String,
}

/// Goes through statements on a fresh database of a scratch server.
pub struct Tracer<'a> {
    session: Session<'a>,
    open: Option<u32>,
    /// Why nothing can be tried any more.
    dead: Option<String>,
    limit: Duration,
}

enum Session<'a> {
    Postgres(Box<postgres::Session<'a>>),
    Mariadb(Box<mariadb::Session<'a>>),
    Sqlite(Box<sqlite::Session>),
}

impl Bench {
    /// Starts a scratch server of the version that is nearest to the wanted one. Without any installed the error says
    /// what to install.
    pub fn start(engine: Engine, wanted: Option<Version>, world: &World<'_>) -> Result<Self, ServiceError> {
        world.progress.step("starting a scratch server", 0, 0);
        let (machine, version, folder) = match engine {
            Engine::Postgres => postgres(wanted, world)?,
            Engine::Mariadb => {
                let server = MariadbServer::start(&world.places, &MariadbOptions::default())
                    .map_err(|error| no_mariadb(&error))?;
                let version = server.version();
                (Machine::Mariadb(server), version, None)
            }
            Engine::Mysql => {
                return Err(ServiceError::new(
                    ErrorKind::Unsupported,
                    "statements of MySQL cannot be traced: dbwright starts no scratch servers of it",
                )
                .hint("leave the tracing out: then what statements do is foretold")
                .hint("where MariaDB runs the statements, say `--engine mariadb`"));
            }
            Engine::Sqlite => {
                let version = dbwright_engine::sqlite::library_version();
                (Machine::Sqlite(folder_in(world)?), version, None)
            }
        };
        Ok(Bench {
            machine,
            engine,
            version,
            asked: wanted,
            temporary: world.temporary.clone(),
            databases: AtomicU32::new(0),
            _folder: folder,
        })
    }

    /// The version that runs.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Product and version: `PostgreSQL 17.2`.
    pub fn server(&self) -> String {
        format!("{} {}", self.engine, self.version)
    }

    /// The version that was wanted, when another one runs whose statements may do other things.
    pub fn instead_of(&self) -> Option<Version> {
        let release = |version: Version| match self.engine {
            Engine::Postgres => (version.major, 0),
            _ => (version.major, version.minor),
        };
        self.asked.filter(|asked| release(*asked) != release(self.version))
    }

    /// A tracer on a fresh, empty database. Names of databases that statements use are those of the target: where one is
    /// known, the database gets it.
    pub async fn tracer(&self, database: Option<&str>) -> Result<Tracer<'_>, ServiceError> {
        let number = self.databases.fetch_add(1, Ordering::Relaxed) + 1;
        let made_up = format!("dbwright_trace_{number}");
        let name = database.filter(|name| !name.is_empty() && number == 1).unwrap_or(&made_up);
        let session = match &self.machine {
            Machine::Postgres(server) => {
                Session::Postgres(Box::new(postgres::Session::open(server, &made_up).await?))
            }
            Machine::Mariadb(server) => {
                Session::Mariadb(Box::new(mariadb::Session::open(server, name, &self.temporary).await?))
            }
            Machine::Sqlite(folder) => {
                let path = folder.path().join(format!("{made_up}.sqlite"));
                Session::Sqlite(Box::new(sqlite::Session::open(path, &self.temporary)?))
            }
        };
        Ok(Tracer { session, open: None, dead: None, limit: STATEMENT_LIMIT })
    }
}

impl Tracer<'_> {
    /// The database, for reading its catalog.
    pub fn dsn(&self) -> Dsn {
        match &self.session {
            Session::Postgres(session) => session.dsn(),
            Session::Mariadb(session) => session.dsn(),
            Session::Sqlite(session) => session.dsn(),
        }
    }

    /// Why nothing can be tried any more, as a lower-case fragment.
    pub fn dead(&self) -> Option<&str> {
        self.dead.as_deref()
    }

    /// Ends the open transaction and begins a new session, as a tool does with the next file.
    pub async fn new_session(&mut self) -> Result<(), Failure> {
        let ended = self.settle().await;
        let begun = match &mut self.session {
            Session::Postgres(session) => session.reopen().await,
            Session::Mariadb(session) => session.reopen().await,
            Session::Sqlite(session) => session.reopen(),
        };
        if let Err(error) = begun {
            self.dead = Some(error.message);
        }
        ended
    }

    /// From now on relations that are not there yet count as made by the statements. No transaction is open.
    pub async fn mark(&mut self) {
        let marked = match &mut self.session {
            Session::Postgres(session) => session.mark().await,
            Session::Mariadb(session) => session.mark().await,
            Session::Sqlite(session) => session.mark(),
        };
        if let Err(because) = marked {
            self.dead = Some(because);
        }
    }

    /// Makes what a catalog holds. Returns what could not be made, each with the reason as a lower-case fragment.
    pub async fn build(&mut self, catalog: &Catalog, version: Version) -> Vec<Unmade> {
        if catalog.engine == Engine::Postgres {
            // Bodies name what is made later.
            let _ = self.set_up("set check_function_bodies = off").await;
        }
        let mut pending: Vec<(Making, usize, String)> = build::statements_of(catalog, version)
            .into_iter()
            .map(|making| (making, 0, String::new()))
            .collect();
        loop {
            let before = pending.len();
            let mut later = Vec::new();
            for (making, mut done, mut because) in pending {
                let statements = making.statements.as_deref().unwrap_or_default();
                because = match making.statements {
                    None => "it cannot be written as statements".to_owned(),
                    Some(_) => because,
                };
                while let Some(sql) = statements.get(done) {
                    if let Err(failure) = self.set_up(sql).await {
                        because = failure.message;
                        break;
                    }
                    done += 1;
                }
                if making.statements.is_none() || done < statements.len() {
                    later.push((making, done, because));
                }
            }
            pending = later;
            if pending.is_empty() || pending.len() == before {
                break;
            }
        }
        let unmade = |(making, _, because): (Making, usize, String)| Unmade {
            object: making.object,
            relation: making.relation,
            because,
        };
        pending.into_iter().map(unmade).collect()
    }

    /// Ends the open transaction, if any.
    pub async fn settle(&mut self) -> Result<(), Failure> {
        if self.open.take().is_none() {
            return Ok(());
        }
        self.commit().await
    }

    /// Runs a statement that is not looked at.
    pub async fn pass(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        if let Some(because) = &self.dead {
            return Err(Failure::of_scratch(because.clone()));
        }
        let ended = self.enter(step).await;
        let shape = Shape::of(step);
        let limit = self.limit;
        let run = match &mut self.session {
            Session::Postgres(session) => within(limit, session.pass(step, shape)).await,
            Session::Mariadb(session) => within(limit, session.run(step.sql)).await,
            Session::Sqlite(session) => Some(session.pass(step, limit)),
        };
        self.leave(step);
        let outcome = self.alive(run).unwrap_or_else(|because| Err(Failure::of_scratch(because)));
        ended.and(outcome)
    }

    /// Runs a statement and observes it.
    pub async fn watch(&mut self, step: &Step<'_>) -> Traced {
        let mut traced = Traced {
            outcome: Outcome::Seen,
            effects: step.foretold.clone(),
            made: Vec::new(),
            commit_failed: None,
        };
        if let Some(because) = &self.dead {
            traced.outcome = Outcome::Untried(because.clone());
            return traced;
        }
        traced.commit_failed = self.enter(step).await.err();
        let shape = Shape::of(step);
        if let Shape::Unfit(because) = shape {
            traced.outcome = Outcome::Untried(because.to_owned());
            return traced;
        }
        let limit = self.limit;
        let run = match &mut self.session {
            Session::Postgres(session) => within(limit, session.watch(step, shape, &mut traced)).await,
            Session::Mariadb(session) => within(limit, session.watch(step, shape, &mut traced)).await,
            Session::Sqlite(session) => Some(session.watch(step, shape, limit, &mut traced)),
        };
        self.leave(step);
        match self.alive(run) {
            Ok(outcome) => traced.outcome = outcome,
            Err(because) => traced.outcome = Outcome::Untried(because),
        }
        // What runs without waiting would not let an interrupt be noticed.
        tokio::task::yield_now().await;
        if let Outcome::Failed(failure) = &traced.outcome
            && failure.fault == Fault::Connection
        {
            self.dead = Some(format!("an earlier statement ended the session: {}", failure.message));
        }
        traced
    }

    /// Opens the transaction of a statement, after the one before is ended.
    async fn enter(&mut self, step: &Step<'_>) -> Result<(), Failure> {
        if self.open == step.transaction {
            return Ok(());
        }
        let ended = self.settle().await;
        self.open = step.transaction;
        if self.open.is_some() && control_of(step) != Some(TransactionControl::Begin) {
            self.begin().await?;
        }
        ended
    }

    fn leave(&mut self, step: &Step<'_>) {
        if matches!(control_of(step), Some(TransactionControl::Commit | TransactionControl::Rollback)) {
            self.open = None;
        }
    }

    async fn begin(&mut self) -> Result<(), Failure> {
        match &mut self.session {
            Session::Postgres(session) => session.set_up("begin").await,
            Session::Mariadb(session) => session.run("start transaction").await,
            Session::Sqlite(session) => session.begin(self.limit),
        }
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        match &mut self.session {
            Session::Postgres(session) => session.set_up("commit").await,
            Session::Mariadb(session) => session.run("commit").await,
            Session::Sqlite(session) => session.commit(self.limit),
        }
    }

    async fn set_up(&mut self, sql: &str) -> Result<(), Failure> {
        match &mut self.session {
            Session::Postgres(session) => session.set_up(sql).await,
            Session::Mariadb(session) => session.run(sql).await,
            Session::Sqlite(session) => session.set_up(sql, self.limit),
        }
    }

    /// Notes when a statement took too long, after which its session is of no use.
    fn alive<T>(&mut self, run: Option<T>) -> Result<T, String> {
        run.ok_or_else(|| {
            let limit = self.limit.as_secs();
            self.dead =
                Some(format!("an earlier statement did not end within {limit} s on the scratch server"));
            format!("it did not end within {limit} s on the scratch server")
        })
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}

/// How a statement is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `BEGIN`, `COMMIT` and their like.
    Control,
    /// It only sets something up for the session.
    Setting,
    /// It reads and writes rows and nothing else, so how much it reads depends on the rows.
    Rows,
    /// Anything else.
    Plain,
    /// It cannot be tried at all.
    Unfit(&'static str),
}

impl Shape {
    fn of(step: &Step<'_>) -> Shape {
        let text = step.sql.trim_start().get(..40).unwrap_or(step.sql).to_ascii_lowercase();
        let all = |is: fn(&Change) -> bool| !step.changes.is_empty() && step.changes.iter().all(is);
        if all(|change| matches!(change, Change::Transaction { .. })) {
            return Shape::Control;
        }
        if text.starts_with("set transaction") {
            return Shape::Control;
        }
        if all(|change| matches!(change, Change::SetSessionSetting { .. } | Change::Prepare { .. })) {
            return Shape::Setting;
        }
        if all(|change| matches!(change, Change::Data { kind: DataKind::Copy, .. }))
            && step.sql.to_ascii_lowercase().contains("stdin")
        {
            return Shape::Unfit("its rows stand in the file");
        }
        let rows =
            |change: &Change| matches!(change, Change::Data { kind, .. } if *kind != DataKind::Truncate);
        if all(rows) { Shape::Rows } else { Shape::Plain }
    }
}

fn control_of(step: &Step<'_>) -> Option<TransactionControl> {
    step.changes.iter().find_map(|change| match change {
        Change::Transaction { control, .. } => Some(*control),
        _ => None,
    })
}

fn folder_in(world: &World<'_>) -> Result<tempfile::TempDir, ServiceError> {
    tempfile::Builder::new().prefix("dbwright-trace-").tempdir_in(&world.temporary).map_err(|error| {
        ServiceError::new(
            ErrorKind::Permission,
            format!("cannot make a folder in `{}`: {error}", world.temporary.display()),
        )
    })
}

type Started = (Machine, Version, Option<tempfile::TempDir>);

fn postgres(wanted: Option<Version>, world: &World<'_>) -> Result<Started, ServiceError> {
    let chosen = nearest(&world.places, wanted).map_err(|error| {
        ServiceError::new(ErrorKind::Unsupported, format!("nothing can be traced: {error}"))
            .hint("install one, for example: apt-get install postgresql")
            .hint("leave the tracing out: then what statements do is foretold")
    })?;
    // Everything the server leaves behind goes away with this folder, after the server.
    let folder = folder_in(world)?;
    // The server may run as another account, which has to pass through.
    let _ = std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711));
    let options = ServerOptions {
        temporary: folder.path().to_path_buf(),
        // Every table may be held by two sessions at once.
        max_connections: 500,
        settings: vec![
            ("wal_level".to_owned(), "logical".to_owned()),
            ("max_prepared_transactions".to_owned(), "10".to_owned()),
        ],
        ..ServerOptions::default()
    };
    let server = PostgresServer::start(&chosen, &options)
        .map_err(|error| ServiceError::new(ErrorKind::Unsupported, error.to_string()))?;
    Ok((Machine::Postgres(Box::new(server)), chosen.version, Some(folder)))
}

fn no_mariadb(error: &MariadbError) -> ServiceError {
    ServiceError::new(ErrorKind::Unsupported, format!("nothing can be traced: {error}"))
        .hint("install one, for example: apt-get install mariadb-server")
        .hint("leave the tracing out: then what statements do is foretold")
}
