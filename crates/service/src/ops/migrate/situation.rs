//! What operations on a database's migrations look at first: the files, the database, and what it records of them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dbwright_engine::apply::RecordReader;
use dbwright_engine::dsn::Dsn;
use dbwright_model::applied::Applied;
use dbwright_model::catalog::Catalog;
use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{Fact, MigrationHistory};
use dbwright_model::history;
use dbwright_model::migration::Migration;
use dbwright_model::name::QualifiedName;
use dbwright_model::standing::Standing;
use dbwright_sql::files::SourceFile;
use dbwright_sql::standing::{self, Line};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::files;
use super::hold::failed;
use super::up::{self, Running};
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::gather;
use crate::target::Target;
use crate::world::World;

/// Which files and which database.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct Place {
    /// Files and folders of migrations [default: `migrations` in dbwright.toml]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The database: a connection string or an SQLite file [default: DATABASE_URL, then `target` in dbwright.toml]
    #[arg(long, value_name = "TARGET")]
    pub target: Option<String>,
    /// The table that records what was applied [default: dbwright_migrations]
    #[arg(long, value_name = "TABLE")]
    pub history_table: Option<String>,
}

/// Files, database and record side by side.
pub struct Situation {
    /// The database.
    pub dsn: Dsn,
    /// Its engine.
    pub engine: Engine,
    /// Its version.
    pub version: Option<Version>,
    /// The files.
    pub sources: Vec<SourceFile>,
    /// Where each file lies, in the same order.
    pub paths: Vec<PathBuf>,
    /// What the files hold.
    pub migrations: Vec<Migration>,
    /// The history table's name as it was asked for.
    pub table: String,
    /// Whether the history table is there.
    pub has_history: bool,
    /// Its rows.
    pub rows: Vec<Applied>,
    /// How each file and each row stands.
    pub lines: Vec<Line>,
    /// The live catalog, the tables of migration tools left out.
    pub catalog: Catalog,
    /// Tables that were left out because they belong to a migration tool.
    pub left_out: Vec<QualifiedName>,
    /// What other tools record.
    pub histories: Vec<MigrationHistory>,
    /// Why `histories` may not be all there is.
    pub histories_unknown: Option<String>,
}

/// What is read of the database.
const FACTS: [Fact; 7] = [
    Fact::Catalog,
    Fact::Functions,
    Fact::Triggers,
    Fact::Policies,
    Fact::Extensions,
    Fact::Publications,
    Fact::MigrationHistory,
];

impl Situation {
    /// Reads all of it; nothing is changed.
    pub async fn read(place: &Place, config: &Config, world: &World<'_>) -> Result<Self, ServiceError> {
        let scripts = files::read(&files::named(&place.paths, config)?, &world.directory)?;
        let running = Running {
            target: place.target.clone(),
            history_table: place.history_table.clone(),
            ..Running::default()
        };
        let dsn = up::database(&running, config, world)?;
        let gathered =
            gather::gather(Target::Database(dsn.clone()), &FACTS, &[], false, config, world).await?;
        let facts = gathered.facts;
        let engine = facts.source.engine;
        let Some(catalog) = facts.catalog.known().cloned() else {
            let because = facts.catalog.because().unwrap_or_default();
            return Err(ServiceError::new(
                ErrorKind::Permission,
                format!("the catalog could not be read: {because}"),
            ));
        };
        let table = up::table(&running, config);
        let mut session = RecordReader::open(&dsn, &world.limits).await?;
        let (found, rows) = session.history(&table).await.map_err(failed)?;
        session.close().await;
        let has_history = rows.is_some();
        let rows = rows.unwrap_or_default();
        let migrations = scripts.migrations(engine.dialect())?;
        let lines = standing::lines(&migrations, &rows);
        let mut histories = facts.migration_history.known().cloned().unwrap_or_default();
        histories.retain(|history| history.tool != history::OWN);
        let mut situation = Situation {
            dsn,
            engine,
            version: facts.source.version,
            sources: scripts.files,
            paths: scripts.paths,
            migrations,
            table,
            has_history,
            rows,
            lines,
            catalog,
            left_out: Vec::new(),
            histories,
            histories_unknown: facts.migration_history.because(),
        };
        let own = QualifiedName::new(found.schema, found.name);
        situation.leave_out(&own);
        Ok(situation)
    }

    /// Takes the tables of migration tools out of the catalog: no file makes them.
    fn leave_out(&mut self, own: &QualifiedName) {
        let made: BTreeSet<QualifiedName> = self
            .expected(&self.migrations.iter().collect::<Vec<_>>())
            .0
            .tables
            .into_iter()
            .map(|table| table.name)
            .collect();
        let mut gone = BTreeSet::new();
        self.catalog.tables.retain(|table| {
            let name = &table.name;
            let leave =
                name.may_mean(own) || (history::is_tool_table(name.name.as_str()) && !made.contains(name));
            if leave {
                gone.insert(name.clone());
            }
            !leave
        });
        self.catalog
            .sequences
            .retain(|sequence| sequence.owned_by.as_ref().is_none_or(|(table, _)| !gone.contains(table)));
        gone.retain(|name| name.name != own.name);
        self.left_out = gone.into_iter().collect();
    }

    /// The catalog that migrations make of an empty database, and what of them was not analysed.
    pub fn expected(&self, migrations: &[&Migration]) -> (Catalog, Vec<String>) {
        dbwright_sql::squash::catalog_after(self.engine, self.version, migrations.iter().copied())
    }

    /// Migrations that are recorded as applied and have a file, in the order of the files.
    pub fn applied(&self) -> Vec<&Migration> {
        self.with_standing(|standing| {
            matches!(
                standing,
                Standing::Applied
                    | Standing::Reworded
                    | Standing::Edited
                    | Standing::Changed
                    | Standing::Replaces
            )
        })
    }

    /// Migrations whose standing satisfies a condition, in the order of the files.
    pub fn with_standing(&self, is_it: impl Fn(Standing) -> bool) -> Vec<&Migration> {
        let wanted: BTreeSet<usize> =
            self.lines.iter().filter(|line| is_it(line.standing)).filter_map(|line| line.migration).collect();
        wanted.into_iter().map(|at| &self.migrations[at]).collect()
    }
}
