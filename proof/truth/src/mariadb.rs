//! The matrix of MariaDB: every case on the server that is installed.
//!
//! A statement that takes `ALGORITHM` and `LOCK` is asked for, strictest first, on tables with rows; any other is run as
//! it is, and its locks are what other sessions see.

use std::collections::BTreeMap;

use dbwright_engine::mysql::observe::Observer;
use dbwright_engine::mysql::probe::{self, Clause, ProbeError, ProbeResult};
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::effect::{Cost, Lock, Loss, LossKind, RelationEffect, TransactionUse};
use dbwright_model::engine::{Dialect, Version};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_sql::mysql::online::OnlineStatement;

use crate::case::{self, Case};
use crate::cell::Cell;
use crate::matrix::{Engine, Observed};

/// The engine.
pub static ENGINE: Engine = Engine { name: "mariadb", dialect: Dialect::Mysql, versions: &VERSIONS, observe };

/// Versions that have cells, as `major * 100 + minor`.
pub const VERSIONS: [u16; 1] = [1011];

/// The database of the cases.
const DATABASE: &str = "truth";

/// A table beside those of the cases that shows whether a statement commits what was open before it.
const MARKER: &str = "marker";

/// Tables of the cases, and those that may be locked with them because a foreign key binds them.
const WATCHED: [(&str, &[&str]); 3] =
    [("t", &["t"]), ("parent", &["parent", "child"]), ("child", &["parent", "child"])];

/// How a version is called in the matrix.
pub fn number(version: Version) -> u16 {
    version.major * 100 + version.minor
}

fn observe(cases: &[Case]) -> Result<Observed, String> {
    let mut observed = Observed { cells: vec![BTreeMap::new(); cases.len()], ..Observed::default() };
    let Some(bench) = Bench::start(&mut observed)? else { return Ok(observed) };
    let version = number(bench.server.version());
    observed.servers.insert(version, format!("MariaDB {}", bench.server.version()));
    let runtime = runtime()?;
    for (index, case) in cases.iter().enumerate() {
        match runtime.block_on(bench.cell(case)) {
            Ok(cell) => {
                observed.cells[index].insert(version, cell);
            }
            Err(complaint) => {
                observed.failures.push(format!("{}/{} on {version}: {complaint}", case.family, case.name));
            }
        }
    }
    Ok(observed)
}

/// What an empty copy tells of each case that takes a clause, beside what the table with rows told; `None` without a
/// server.
pub fn probe_all(cases: &[Case]) -> Result<Option<Vec<Probed>>, String> {
    let Some(bench) = Bench::start(&mut Observed::default())? else { return Ok(None) };
    let version = number(bench.server.version());
    let runtime = runtime()?;
    let mut probed = Vec::new();
    for case in cases {
        let (Some(online), Some(cell)) = (asked(case), case.cells.get(&version)) else { continue };
        let outcome = runtime
            .block_on(bench.probe(case, &online))
            .map_err(|complaint| format!("{}: {complaint}", case.name))?;
        let table = online.table.name.as_str();
        let told = match outcome {
            Ok(result) => Told::Effect(effect(table, &result)),
            Err(ProbeError::Statement { code, .. }) => Told::Error(code.to_string()),
            Err(error) => return Err(format!("{}: {error}", case.name)),
        };
        let seen = match cell {
            Cell::Refused { code } => Told::Error(code.clone()),
            Cell::Done { relations, .. } => {
                let relation = QualifiedName::bare(table);
                match relations.iter().find(|effect| effect.relation == relation) {
                    Some(effect) => Told::Effect(effect.clone()),
                    None => return Err(format!("{}: the cell does not name `{table}`", case.name)),
                }
            }
        };
        probed.push(Probed { case: case.name.clone(), told, seen });
    }
    Ok(Some(probed))
}

/// A case on an empty copy and on the table with rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Its name.
    pub case: String,
    /// What the empty copy told.
    pub told: Told,
    /// What the table with rows did.
    pub seen: Told,
}

/// What a server did with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It carried it out.
    Effect(RelationEffect),
    /// It refused it with this number.
    Error(String),
}

/// The statement of a case that is asked for clauses: one that takes them and does not bring its own.
fn asked(case: &Case) -> Option<OnlineStatement> {
    OnlineStatement::read(&case.statement).filter(|online| !online.has_clause())
}

fn effect(table: &str, result: &ProbeResult) -> RelationEffect {
    RelationEffect {
        relation: QualifiedName::bare(table),
        lock: result.lock,
        cost: result.cost.unwrap_or_default(),
        algorithm: Some(result.algorithm),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}

struct Bench {
    server: MariadbServer,
    base: Vec<String>,
}

impl Bench {
    /// Starts the server; `None`, and a line under what is missing, when there is none.
    fn start(observed: &mut Observed) -> Result<Option<Bench>, String> {
        let base = case::base_sql(ENGINE.name)?;
        let base = dbwright_sql::split(ENGINE.dialect, &base)
            .iter()
            .map(|statement| statement.text.to_owned())
            .collect();
        match MariadbServer::start(
            &Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))),
            &MariadbOptions::default(),
        ) {
            Ok(server) if VERSIONS.contains(&number(server.version())) => Ok(Some(Bench { server, base })),
            Ok(server) => {
                observed.missing.push(format!("MariaDB 10.11 (here is {})", server.version()));
                Ok(None)
            }
            Err(error) => {
                observed.missing.push(format!("MariaDB 10.11 ({error})"));
                Ok(None)
            }
        }
    }

    async fn open(&self, database: &str) -> Result<Observer, String> {
        let target = self.server.dsn(database);
        let consent = Consent::for_scratch(&target, &std::env::temp_dir()).map_err(|error| error.message)?;
        Observer::open(&self.server.server_dsn(database), &consent).await.map_err(|error| error.message)
    }

    /// A database as it is before the case's statement, and the session that made it.
    async fn prepared(&self, case: &Case) -> Result<Observer, String> {
        let mut lobby = self.open("").await?;
        for sql in [
            // Cases may set it, and settings of the server outlive a session.
            "SET GLOBAL innodb_instant_alter_column_allowed = DEFAULT".to_owned(),
            format!("DROP DATABASE IF EXISTS {DATABASE}"),
            format!("CREATE DATABASE {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
        ] {
            lobby.run(&sql).await.map_err(|error| error.to_string())?;
        }
        // A plugin that is loaded already is refused.
        let _ = lobby.install().await;
        let mut session = self.open(DATABASE).await?;
        for sql in self.base.iter().chain(&case.setup) {
            session.run(sql).await.map_err(|error| format!("`{sql}`: {error}"))?;
        }
        session
            .run(&format!("CREATE TABLE IF NOT EXISTS {MARKER} (a int) ENGINE=InnoDB"))
            .await
            .map_err(|error| error.to_string())?;
        Ok(session)
    }

    async fn cell(&self, case: &Case) -> Result<Cell, String> {
        let mut session = self.prepared(case).await?;
        let before = session.rows().await.map_err(|error| error.to_string())?;
        let storage = session.storage().await;
        for sql in ["START TRANSACTION".to_owned(), format!("INSERT INTO {MARKER} VALUES (1)")] {
            session.run(&sql).await.map_err(|error| error.to_string())?;
        }
        let online = asked(case);
        let mut relations = Vec::new();
        let mut statement = case.statement.clone();
        let mut ignored = None;
        let named = match &online {
            Some(online) => {
                let write = |clause: Option<Clause>| {
                    online.write(None, clause.map(|clause| (clause.algorithm, clause.lock)))
                };
                match session.ask(&write).await {
                    Ok(result) => {
                        let accepted = probe::CLAUSES.iter().find(|clause| {
                            clause.algorithm == result.algorithm
                                && clause.lock.unwrap_or(Lock::MysqlNone) == result.lock
                        });
                        statement = write(accepted.copied());
                        ignored = result.ignored.map(|clause| (write(Some(clause)), result.lock));
                        relations.push(effect(online.table.name.as_str(), &result));
                    }
                    Err(ProbeError::Statement { code, .. }) => {
                        return Ok(Cell::Refused { code: code.to_string() });
                    }
                    Err(error) => return Err(error.to_string()),
                }
                Some(online.table.name.as_str().to_owned())
            }
            None => match session.run(&statement).await {
                Ok(()) => None,
                Err(refusal) if refusal.code == 0 => return Err(refusal.message),
                Err(refusal) => return Ok(Cell::Refused { code: refusal.code.to_string() }),
            },
        };
        session.run("ROLLBACK").await.map_err(|error| error.to_string())?;
        let after = session.rows().await.map_err(|error| error.to_string())?;
        let work = match (&storage, session.storage().await) {
            (Some(before), Some(after)) => before.work_until(&after),
            _ => return Err("the storage engine's tables cannot be read".to_owned()),
        };
        let committed = after.get(MARKER).is_some_and(|rows| *rows > 0);
        let losses = lost_rows(&before, &after);
        if let (Some((statement, told)), Some(table)) = (ignored, &named) {
            // The lock behind a clause that is not kept to is what others see.
            let seen = self.prepared(case).await?.locks(table, &statement).await;
            let seen = seen.map_err(|error| error.to_string())?;
            if seen != Some(told) {
                return Err(format!("a clause is ignored, and the lock is {seen:?}"));
            }
        }
        for table in watched(case) {
            if named.as_deref() == Some(table) || !before.contains_key(table) {
                continue;
            }
            let lock = self
                .prepared(case)
                .await?
                .locks(table, &statement)
                .await
                .map_err(|error| error.to_string())?;
            if lock.is_none() && named.is_some() {
                let waits = self.prepared(case).await?.locks_out_writers(table, &statement).await;
                if waits.map_err(|error| error.to_string())? {
                    relations.push(RelationEffect {
                        relation: QualifiedName::bare(table),
                        lock: Lock::MysqlShared,
                        cost: if online.as_ref().is_some_and(|online| online.parents.is_empty()) {
                            Cost::Brief
                        } else {
                            Cost::Scan
                        },
                        algorithm: None,
                    });
                }
            }
            if let Some(lock) = lock {
                // A table that is emptied gets a new file, whose making does not take longer for more rows.
                let emptied = after.get(table).is_none_or(|rows| *rows == 0)
                    || case.statement.to_ascii_lowercase().contains("truncate");
                let cost = if table == "t" && named.is_none() && !emptied { work } else { Cost::Brief };
                let relation = QualifiedName::bare(table);
                relations.push(RelationEffect { relation, lock, cost, algorithm: None });
            }
        }
        let transaction = if committed { TransactionUse::Commits } else { TransactionUse::Inside };
        Ok(Cell::done(transaction, relations).losing(losses))
    }

    async fn probe(
        &self,
        case: &Case,
        online: &OnlineStatement,
    ) -> Result<Result<ProbeResult, ProbeError>, String> {
        // Settings belong to a session, so the session that is probed with makes the database too.
        self.prepared(case).await?;
        let target = self.server.dsn(DATABASE);
        let consent = Consent::for_scratch(&target, &std::env::temp_dir()).map_err(|error| error.message)?;
        let mut session = WriteSession::open(&consent).await.map_err(|error| error.message)?;
        for setting in case.setup.iter().filter(|sql| is_setting(sql)) {
            session.script(setting).await.map_err(|error| error.message)?;
        }
        let write = |database: Option<&Name>, clause: Option<Clause>| {
            online.write(database, clause.map(|clause| (clause.algorithm, clause.lock)))
        };
        Ok(probe::probe(&mut session, &online.table, &online.parents, &write).await)
    }
}

/// The tables that a case may lock: those that it names, and those bound to them.
fn watched(case: &Case) -> impl Iterator<Item = &'static str> {
    let text = format!("{} {}", case.setup.join(" "), case.statement);
    let words: Vec<String> = text
        .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .map(str::to_owned)
        .collect();
    WATCHED
        .into_iter()
        .filter(move |(_, bound)| bound.iter().any(|name| words.iter().any(|word| word == name)))
        .map(|(table, _)| table)
}

fn is_setting(sql: &str) -> bool {
    sql.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("set "))
}

/// Tables that have fewer rows than before or are gone. Rows that are only in another table now are not lost.
fn lost_rows(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<Loss> {
    let total = |tables: &BTreeMap<String, u64>| -> u64 {
        tables.iter().filter(|(name, _)| name.as_str() != MARKER).map(|(_, rows)| rows).sum()
    };
    if total(after) >= total(before) {
        return Vec::new();
    }
    before
        .iter()
        .filter(|(name, rows)| **rows > after.get(*name).copied().unwrap_or_default())
        .map(|(name, _)| Loss { relation: QualifiedName::bare(name), kind: LossKind::Rows })
        .collect()
}
