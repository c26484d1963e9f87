//! `demo`: a shop with the flaws that real shops grow, made on the spot and audited.

mod rows;

use std::path::{Path, PathBuf};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::scratch::mariadb::{MariadbOptions, MariadbServer};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, nearest};
use dbwright_engine::write::{Consent, Load, WriteSession};
use dbwright_model::report::Report;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Suppression};
use crate::error::{ErrorKind, ServiceError};
use crate::ops::audit;
use crate::ops::check::{CheckOptions, EngineName, check_target};
use crate::target::Target;
use crate::world::World;

/// What to demonstrate.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct DemoRequest {
    /// The engine to make the shop in; servers are scratch servers that end with the command [default: sqlite]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,
    /// Keep the SQLite file of the shop at this path
    #[arg(long, value_name = "FILE")]
    pub keep: Option<PathBuf>,
}

/// Rows that are written between two looks at whether the user has had enough.
const BATCH: usize = 5_000;

/// Statements that give the scratch server's statistics something to tell.
const WORKLOAD: &[(&str, u32)] = &[
    ("select * from order_items where order_id = 4711", 25),
    ("select count(*) from orders where lower(status) = 'open'", 20),
    (
        "select o.id from orders o join customers c on c.id = o.customer_id where c.email like '%42@example.com'",
        5,
    ),
    ("select * from orders order by ordered_on limit 20 offset 20000", 10),
];

/// Makes the shop and audits it.
pub async fn demo(request: &DemoRequest, config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    if let Some(engine) = request.engine.filter(|engine| *engine != EngineName::Sqlite)
        && request.keep.is_some()
    {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            format!(
                "`--keep` keeps a file, and the shop on {} is on a scratch server that ends with the command",
                dbwright_model::engine::Engine::from(engine)
            ),
        )
        .hint("leave `--engine` out to keep the shop as an SQLite file"));
    }
    match request.engine {
        None | Some(EngineName::Sqlite) => sqlite(request, config, world).await,
        Some(EngineName::Postgres) => postgres(config, world).await,
        Some(EngineName::Mariadb) => mariadb(config, world).await,
        Some(EngineName::Mysql) => Err(ServiceError::new(
            ErrorKind::Unsupported,
            "there is no demonstration on MySQL: dbwright starts no scratch servers of it",
        )
        .hint("`dbwright demo --engine mariadb` shows the same shop")),
    }
}

async fn sqlite(request: &DemoRequest, config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    let folder = scratch_folder(world)?;
    let path = folder.path().join("shop.sqlite");
    let mut session =
        WriteSession::open(&Consent::for_scratch(&Dsn::Sqlite(path.clone()), &world.temporary)?).await?;
    // Nobody needs the file after a crash, and old programs wrote it without foreign keys being enforced.
    session.script("pragma synchronous = off; pragma foreign_keys = off").await?;
    fill(&mut session, include_str!("schema.sqlite.sql"), world).await?;
    drop(session);
    if let Some(keep) = &request.keep {
        keep_file(&path, &world.directory.join(keep))?;
    }
    audit(Dsn::Sqlite(path), config, world).await
}

fn scratch_folder(world: &World<'_>) -> Result<tempfile::TempDir, ServiceError> {
    tempfile::Builder::new().prefix("dbwright-demo-").tempdir_in(&world.temporary).map_err(|error| {
        ServiceError::new(
            ErrorKind::Permission,
            format!("cannot make a folder in `{}`: {error}", world.temporary.display()),
        )
    })
}

fn keep_file(from: &Path, to: &Path) -> Result<(), ServiceError> {
    if to.exists() {
        return Err(ServiceError::new(ErrorKind::Usage, format!("`{}` exists already", to.display()))
            .hint("name a file that does not exist, or remove it first"));
    }
    std::fs::copy(from, to).map(|_| ()).map_err(|error| {
        ServiceError::new(ErrorKind::Permission, format!("cannot write `{}`: {error}", to.display()))
    })
}

async fn postgres(config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    let newest = nearest(&world.places, None).map_err(|error| {
        ServiceError::new(ErrorKind::Unsupported, error.to_string())
            .hint("install one, for example: apt-get install postgresql")
            .hint("`dbwright demo` without --engine needs nothing")
    })?;
    // Everything the server leaves behind goes away with this folder, after the server.
    let folder = scratch_folder(world)?;
    // The server may run as another account, which has to pass through.
    let _ = std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711));
    let options = ServerOptions {
        settings: vec![("shared_preload_libraries".into(), "pg_stat_statements".into())],
        temporary: folder.path().to_path_buf(),
        ..ServerOptions::default()
    };
    world.progress.step("starting a scratch server", 0, 0);
    let server = PostgresServer::start(&newest, &options)
        .map_err(|error| ServiceError::new(ErrorKind::Unsupported, error.to_string()))?;
    server
        .create_database("shop")
        .await
        .map_err(|error| ServiceError::new(ErrorKind::Internal, error.to_string()))?;
    let dsn = server.dsn("shop");
    let mut session = WriteSession::open(&Consent::for_scratch(&dsn, &world.temporary)?).await?;
    fill(&mut session, include_str!("schema.postgres.sql"), world).await?;
    session.script(include_str!("after.postgres.sql")).await?;
    run_workload(&mut session).await?;
    drop(session);
    let mut config = config.clone();
    config.suppressions.extend(["settings/fsync-off", "settings/full-page-writes-off"].map(|rule| {
        Suppression {
            rule: Some(rule.to_owned()),
            reason: "the scratch server keeps nothing beyond this command".to_owned(),
            ..Suppression::default()
        }
    }));
    audit(dsn, &config, world).await
}

async fn mariadb(config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    let options = MariadbOptions {
        settings: vec![("performance_schema".to_owned(), "ON".to_owned())],
        ..MariadbOptions::default()
    };
    world.progress.step("starting a scratch server", 0, 0);
    let server = MariadbServer::start(&world.places, &options).map_err(|error| {
        ServiceError::new(ErrorKind::Unsupported, error.to_string())
            .hint("`dbwright demo` without --engine needs nothing")
    })?;
    let mut session = WriteSession::open(&Consent::for_scratch(&server.dsn(""), &world.temporary)?).await?;
    session
        .script("create database shop character set utf8mb4; use shop; set foreign_key_checks = 0")
        .await?;
    fill(&mut session, include_str!("schema.mysql.sql"), world).await?;
    run_workload(&mut session).await?;
    drop(session);
    audit(server.dsn("shop"), config, world).await
}

/// Makes the tables and their rows.
async fn fill(session: &mut WriteSession, schema: &str, world: &World<'_>) -> Result<(), ServiceError> {
    session.script(schema).await?;
    let total: u64 = rows::TABLES.iter().map(|table| table.count).sum();
    let mut done = 0;
    for table in rows::TABLES {
        let mut rows = table.rows();
        loop {
            world.progress.step(&format!("filling `{}`", table.table), done, total);
            let mut batch = rows.by_ref().take(BATCH);
            let load = Load { table: table.table, columns: table.columns, rows: &mut batch };
            let count = session.load(load).await?;
            if count == 0 {
                break;
            }
            done += count;
            // Loading SQLite never waits; without this an interrupt would not be noticed.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}

async fn run_workload(session: &mut WriteSession) -> Result<(), ServiceError> {
    for (sql, times) in WORKLOAD {
        for _ in 0..*times {
            session.script(sql).await?;
        }
    }
    Ok(())
}

async fn audit(dsn: Dsn, config: &Config, world: &World<'_>) -> Result<Report, ServiceError> {
    let options = CheckOptions { data: true, ..CheckOptions::default() };
    let mut report = check_target(Target::Database(dsn), &options, audit::SCOPE, config, world).await?;
    report.target.name = "the demonstration shop".to_owned();
    Ok(report)
}
