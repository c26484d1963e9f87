//! Real servers for proofs: one of each version per process, a database per example.

use std::path::PathBuf;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, installations};
use dbwright_engine::session::{Limits, ReadSession, Silent};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{Fact, Facts};

/// Majors of PostgreSQL that are supported.
const POSTGRES_MAJORS: [u16; 6] = [13, 14, 15, 16, 17, 18];

/// The variable that makes an absent server an error instead of a line of output.
const REQUIRE: &str = "DBWRIGHT_REQUIRE_SERVERS";

/// What statements of a schema tell. Statistics are left out: an empty table of a live server has none of its rows, while a
/// file does not say how many there are.
pub const SCHEMA_FACTS: [Fact; 6] =
    [Fact::Catalog, Fact::Functions, Fact::Triggers, Fact::Policies, Fact::Extensions, Fact::Publications];

/// One server, or the place where SQLite files are made.
pub enum Server {
    /// PostgreSQL.
    Postgres(Box<PostgresServer>),
    /// MariaDB.
    Mariadb(MariadbServer),
    /// A folder.
    Sqlite(tempfile::TempDir),
}

/// Starts one server of each version that is installed, and says which.
pub fn servers() -> Vec<Server> {
    let required = std::env::var_os(REQUIRE).is_some();
    let mut servers = Vec::new();
    let mut missing = Vec::new();
    let places = Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
    let installed = installations(&places);
    for major in POSTGRES_MAJORS {
        match installed.iter().find(|one| one.version.major == major) {
            Some(installation) => {
                let server = PostgresServer::start(installation, &ServerOptions::default());
                servers.push(Server::Postgres(Box::new(server.expect("an installed server starts"))));
            }
            None => missing.push(format!("PostgreSQL {major}")),
        }
    }
    match MariadbServer::start(&places, &MariadbOptions::default()) {
        Ok(server) => servers.push(Server::Mariadb(server)),
        Err(error) => missing.push(format!("MariaDB ({error})")),
    }
    servers.push(Server::Sqlite(tempfile::tempdir().expect("a temporary folder")));
    let names: Vec<String> = servers.iter().map(Server::name).collect();
    println!("servers: {}", names.join(", "));
    if !missing.is_empty() {
        println!("not installed: {}; run scripts/install-test-servers", missing.join(", "));
    }
    assert!(
        !required || missing.is_empty(),
        "{REQUIRE} is set and servers are missing: {}",
        missing.join(", ")
    );
    servers
}

impl Server {
    /// Product and version.
    pub fn name(&self) -> String {
        format!("{} {}", self.engine(), self.version())
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        match self {
            Server::Postgres(_) => Engine::Postgres,
            Server::Mariadb(_) => Engine::Mariadb,
            Server::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// The version.
    pub fn version(&self) -> Version {
        match self {
            Server::Postgres(server) => server.version(),
            Server::Mariadb(server) => server.version(),
            Server::Sqlite(_) => dbwright_engine::sqlite::library_version(),
        }
    }

    fn dsn(&self, database: &str) -> Dsn {
        match self {
            Server::Postgres(server) => server.dsn(database),
            Server::Mariadb(server) => server.dsn(database),
            Server::Sqlite(folder) => Dsn::Sqlite(sqlite_path(folder, database)),
        }
    }

    /// The database from which others are made and dropped.
    fn lobby(&self) -> Dsn {
        match self {
            Server::Postgres(server) => server.dsn("postgres"),
            other => other.dsn(""),
        }
    }

    /// Makes a database of a name that is not in use, or empties it.
    pub async fn fresh(&self, name: &str) -> Result<Dsn, String> {
        match self {
            Server::Sqlite(folder) => {
                let path = sqlite_path(folder, name);
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error.to_string());
                    }
                    _ => {}
                }
            }
            Server::Postgres(_) => {
                let mut session = write(&self.lobby()).await?;
                for sql in [
                    format!("drop database if exists {name} with (force)"),
                    format!("create database {name}"),
                ] {
                    session.script(&sql).await.map_err(|error| error.message)?;
                }
            }
            Server::Mariadb(_) => {
                let mut session = write(&self.lobby()).await?;
                let sql =
                    format!("drop database if exists {name}; create database {name} character set utf8mb4");
                session.script(&sql).await.map_err(|error| error.message)?;
            }
        }
        Ok(self.dsn(name))
    }
}

fn sqlite_path(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    folder.path().join(format!("{name}.sqlite"))
}

/// A session that may write, since the servers here are our own.
pub async fn write(dsn: &Dsn) -> Result<WriteSession, String> {
    let consent = Consent::for_scratch(dsn, &std::env::temp_dir()).map_err(|error| error.message)?;
    WriteSession::open(&consent).await.map_err(|error| error.message)
}

/// The facts of a live database, understood.
pub async fn collect(dsn: &Dsn, plan: &[Fact]) -> Result<Facts, String> {
    let mut session = ReadSession::open(dsn, &Limits::default()).await.map_err(|error| error.message)?;
    let mut facts = session.collect(plan, &Silent).await.map_err(|error| error.message)?;
    session.close().await;
    dbwright_sql::understand::understand(&mut facts);
    Ok(facts)
}
