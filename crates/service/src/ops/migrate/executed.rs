//! Migrations run on a throw-away server, to see what they make there.

use std::collections::BTreeMap;

use dbwright_engine::apply::RecordReader;
use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, nearest};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::catalog::Catalog;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::facts::Fact;
use dbwright_model::migration::Migration;
use dbwright_model::name::QualifiedName;
use dbwright_model::plan::TransactionMode;

use super::hold::failed;
use crate::config::Config;
use crate::error::ServiceError;
use crate::gather;
use crate::roles;
use crate::target::Target;
use crate::world::World;

/// What migrations made of an empty database.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// The catalog.
    pub catalog: Catalog,
    /// Rows of each table.
    pub rows: BTreeMap<String, u64>,
}

/// Why nothing could be tried, as a lower-case fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unable(pub String);

impl From<ServiceError> for Unable {
    fn from(error: ServiceError) -> Self {
        Unable(error.message)
    }
}

impl From<dbwright_engine::session::SessionError> for Unable {
    fn from(error: dbwright_engine::session::SessionError) -> Self {
        Unable(error.message)
    }
}

/// A server that ends with this value.
pub(super) enum Scratch {
    Postgres(Box<PostgresServer>),
    Mariadb(MariadbServer),
    Sqlite(tempfile::TempDir),
}

impl Scratch {
    /// Starts the server of an engine that is nearest to a version.
    pub fn start(engine: Engine, version: Option<Version>, world: &World<'_>) -> Result<Self, Unable> {
        world.progress.step("starting a scratch server", 0, 0);
        match engine {
            Engine::Postgres => nearest(&world.places, version)
                .and_then(|chosen| PostgresServer::start(&chosen, &ServerOptions::default()))
                .map(|server| Scratch::Postgres(Box::new(server)))
                .map_err(|error| Unable(error.to_string())),
            Engine::Mariadb => MariadbServer::start(&world.places, &MariadbOptions::default())
                .map(Scratch::Mariadb)
                .map_err(|error| Unable(error.to_string())),
            Engine::Mysql => Err(Unable("dbwright starts no scratch servers of MySQL".to_owned())),
            Engine::Sqlite => tempfile::Builder::new()
                .prefix("dbwright-migrate-")
                .tempdir_in(&world.temporary)
                .map(Scratch::Sqlite)
                .map_err(|error| {
                    Unable(format!("no folder could be made in `{}`: {error}", world.temporary.display()))
                }),
        }
    }

    /// Product and version, as evidence is named.
    pub fn name(&self) -> String {
        match self {
            Scratch::Postgres(server) => format!("a scratch PostgreSQL {}", server.version()),
            Scratch::Mariadb(server) => format!("a scratch MariaDB {}", server.version()),
            Scratch::Sqlite(_) => format!("a scratch SQLite {}", dbwright_engine::sqlite::library_version()),
        }
    }

    /// Makes an empty database of a name that is not in use.
    async fn database(&self, name: &str, world: &World<'_>) -> Result<Dsn, Unable> {
        match self {
            Scratch::Postgres(server) => {
                server.create_database(name).await.map_err(|error| Unable(error.to_string()))?;
                Ok(server.dsn(name))
            }
            Scratch::Mariadb(server) => {
                let mut session =
                    WriteSession::open(&Consent::for_scratch(&server.dsn(""), &world.temporary)?).await?;
                session.script(&format!("create database {name} character set utf8mb4")).await?;
                Ok(server.dsn(name))
            }
            Scratch::Sqlite(folder) => Ok(Dsn::Sqlite(folder.path().join(format!("{name}.sqlite")))),
        }
    }

    /// Runs migrations in an empty database of their own and looks at what they made.
    pub async fn run(
        &self,
        name: &str,
        migrations: &[&Migration],
        config: &Config,
        world: &World<'_>,
    ) -> Result<Made, Unable> {
        let dsn = self.database(name, world).await?;
        let mut session = WriteSession::open(&Consent::for_scratch(&dsn, &world.temporary)?).await?;
        for (done, migration) in migrations.iter().enumerate() {
            world.progress.step(
                &format!("trying `{}`", migration.file),
                done as u64,
                migrations.len() as u64,
            );
            self.file(&mut session, migration).await?;
            tokio::task::yield_now().await;
        }
        drop(session);
        let facts = [
            Fact::Catalog,
            Fact::Functions,
            Fact::Triggers,
            Fact::Policies,
            Fact::Extensions,
            Fact::Publications,
        ];
        let gathered =
            gather::gather(Target::Database(dsn.clone()), &facts, &[], false, config, world).await?;
        let Some(catalog) = gathered.facts.catalog.known().cloned() else {
            return Err(Unable("the catalog of the scratch server could not be read".to_owned()));
        };
        let rows = count(&dsn, &catalog, world).await?;
        Ok(Made { catalog, rows })
    }

    async fn file(&self, session: &mut WriteSession, migration: &Migration) -> Result<(), Unable> {
        let together = migration.transaction == TransactionMode::OneTransaction;
        let mut position = 0;
        if together {
            session.script("begin").await?;
        }
        while let Some(statement) = migration.up.get(position) {
            match session.script(&statement.sql).await {
                Ok(()) => position += 1,
                Err(error) if self.has_made_role(&error.message).await => {
                    if together {
                        session.script("rollback; begin").await?;
                        position = 0;
                    }
                }
                Err(error) => {
                    let place = format!("`{}` line {}", migration.file, statement.line);
                    return Err(Unable(format!("{place}: {}", error.message)));
                }
            }
        }
        if together {
            session.script("commit").await?;
        }
        Ok(())
    }

    async fn has_made_role(&self, refusal: &str) -> bool {
        match self {
            Scratch::Postgres(server) => roles::make_missing(server, refusal).await,
            Scratch::Mariadb(_) | Scratch::Sqlite(_) => false,
        }
    }
}

async fn count(dsn: &Dsn, catalog: &Catalog, world: &World<'_>) -> Result<BTreeMap<String, u64>, Unable> {
    let mut session = RecordReader::open(dsn, &world.limits).await?;
    let dialect = session.dialect();
    let mut rows = BTreeMap::new();
    for table in catalog.tables.iter().filter(|table| table.is_own()) {
        let quoted = quoted(dialect, &table.name);
        let answer = session
            .ask(&format!("select count(*) as n from {quoted}"))
            .await
            .map_err(|error| Unable::from(failed(error)))?;
        let n = answer.first().and_then(|row| row.opt_text("n").ok().flatten()).and_then(|n| n.parse().ok());
        rows.insert(table.name.to_string(), n.unwrap_or(0));
    }
    session.close().await;
    Ok(rows)
}

fn quoted(dialect: Dialect, name: &QualifiedName) -> String {
    let own = dbwright_sql::quote_identifier(dialect, name.name.as_str());
    if name.schema.is_empty() {
        return own;
    }
    format!("{}.{own}", dbwright_sql::quote_identifier(dialect, name.schema.as_str()))
}
