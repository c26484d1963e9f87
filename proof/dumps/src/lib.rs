//! Catalogs of live databases and of texts, and dumps taken with the servers' own tools.

pub mod tools;

use std::path::{Path, PathBuf};

use dbwright_engine::dsn::Dsn;
use dbwright_model::catalog::Catalog;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::facts::{Fact, SkippedStatement};
use dbwright_sql::files::SourceFile;
use dbwright_sql::split::StatementKind;
use proof_live::write;

/// A schema of the fixtures.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Its file name without folder and extension.
    pub name: String,
    /// Its statements.
    pub sql: String,
}

/// The schemas written for a dialect, by name.
pub fn fixtures(dialect: Dialect) -> Vec<Fixture> {
    let folder = match dialect {
        Dialect::Postgres => "postgres",
        Dialect::Mysql => "mysql",
        Dialect::Sqlite => "sqlite",
    };
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dumps").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{} is read: {error}", folder.display()))
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| Fixture {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            sql: std::fs::read_to_string(path).expect("a fixture is text"),
        })
        .collect()
}

/// Runs a script statement by statement, the client's own commands left out.
pub async fn apply(dsn: &Dsn, dialect: Dialect, sql: &str) -> Result<(), String> {
    let mut session = write(dsn).await?;
    for statement in dbwright_sql::split(dialect, sql) {
        if statement.kind != StatementKind::Sql {
            continue;
        }
        session
            .script(statement.text)
            .await
            .map_err(|error| format!("line {}: {}", statement.line, error.message))?;
    }
    Ok(())
}

/// The catalog of a live database, understood.
pub async fn live(dsn: &Dsn) -> Result<Catalog, String> {
    let plan = [
        Fact::Catalog,
        Fact::Functions,
        Fact::Triggers,
        Fact::Policies,
        Fact::Extensions,
        Fact::Publications,
    ];
    let facts = proof_live::collect(dsn, &plan).await?;
    facts.catalog.known().cloned().ok_or_else(|| format!("the catalog is not known: {:?}", facts.catalog))
}

/// A text folded, and what of it was not understood.
pub fn fold(engine: Engine, version: Option<Version>, sql: &str) -> (Catalog, Vec<SkippedStatement>) {
    let file = SourceFile { name: "dump.sql".to_owned(), text: sql.to_owned() };
    let read = dbwright_sql::files::read(engine, version, "dump.sql", &[file]);
    let catalog = read.facts.catalog.known().cloned().expect("files always give a catalog");
    (catalog, read.facts.source.skipped)
}
