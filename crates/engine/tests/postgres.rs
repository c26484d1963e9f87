//! The PostgreSQL side against real servers of every major version that is installed.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use dbwright_engine::dsn::Dsn;
use dbwright_engine::postgres::ReadSession;
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions, installations};
use dbwright_engine::session::{Limits, SessionError, SessionErrorKind, Silent};
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::observed::Observed;

#[path = "postgres/catalog.rs"]
mod catalog;
#[path = "postgres/facts.rs"]
mod facts;
#[path = "postgres/sessions.rs"]
mod sessions;

/// Runs a check on a fresh server of each installed major version.
fn on_every_server(check: impl AsyncFn(&PostgresServer)) {
    let installed = installations(&Places::usual());
    let versions: Vec<String> = installed.iter().map(|one| one.version.to_string()).collect();
    println!("PostgreSQL versions found: {}", versions.join(", "));
    assert!(!installed.is_empty(), "no PostgreSQL is installed: run scripts/install-test-servers");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for installation in installed {
        println!("PostgreSQL {}", installation.version);
        let options = ServerOptions {
            settings: vec![
                ("shared_preload_libraries".into(), "pg_stat_statements".into()),
                ("pg_stat_statements.track_utility".into(), "off".into()),
                ("max_prepared_transactions".into(), "5".into()),
                ("wal_level".into(), "logical".into()),
            ],
            ..ServerOptions::default()
        };
        let server = PostgresServer::start(&installation, &options).unwrap();
        runtime.block_on(check(&server));
    }
}

/// Makes a database and runs SQL in it.
async fn database(server: &PostgresServer, name: &str, sql: &str) -> tokio_postgres::Client {
    server.create_database(name).await.unwrap();
    let client = server.client(name).await.unwrap();
    run(&client, sql).await;
    client
}

async fn run(client: &tokio_postgres::Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql).await {
        panic!("{}: {sql}", error.as_db_error().map_or(error.to_string(), |error| error.to_string()));
    }
}

async fn open(dsn: &Dsn, limits: &Limits) -> Result<ReadSession, SessionError> {
    let Dsn::Postgres(dsn) = dsn else { panic!("a scratch PostgreSQL has another kind of target") };
    ReadSession::open(dsn, limits).await
}

async fn collect(server: &PostgresServer, user: &str, database: &str, plan: &[Fact]) -> Facts {
    let mut session = open(&server.dsn_as(user, database), &Limits::default()).await.unwrap();
    let facts = session.collect(plan, &Silent).await.unwrap();
    session.close().await;
    facts
}

#[test]
fn a_scratch_server_is_quick_private_and_gone() {
    let installed = installations(&Places::usual());
    for installation in &installed {
        drop(PostgresServer::start(installation, &ServerOptions::default()).unwrap());
        let before = Instant::now();
        let server = PostgresServer::start(installation, &ServerOptions::default()).unwrap();
        let took = before.elapsed();
        assert!(took < Duration::from_secs(2), "{}: {took:?}", installation.version);
        let data = server.data_directory();
        let process = format!("/proc/{}", server.process_id());
        assert!(data.is_dir());
        drop(server);
        assert!(!data.exists());
        assert!(!std::path::Path::new(&process).exists());
    }
}
