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
#[path = "postgres/scale.rs"]
mod scale;
#[path = "postgres/sessions.rs"]
mod sessions;

/// Runs a check on a fresh server of each installed major version.
fn on_every_server(check: impl AsyncFn(&PostgresServer)) {
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
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
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
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

/// Where the test below, run again as a child, leaves word of its server.
const CHILD: &str = "DBWRIGHT_TEST_SCRATCH_CHILD";

#[test]
fn a_scratch_server_ends_with_a_process_that_is_killed() {
    if let Ok(word) = std::env::var(CHILD) {
        let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
        // The thread that starts the server ends at once, which must not end the server.
        let start = move || PostgresServer::start(&installed[0], &ServerOptions::default()).unwrap();
        let server = std::thread::spawn(start).join().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(std::path::Path::new(&format!("/proc/{}", server.process_id())).exists());
        std::fs::write(&word, format!("{} {}", server.process_id(), server.data_directory().display()))
            .unwrap();
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    let word = std::env::temp_dir().join(format!("dbwright-child-{}", std::process::id()));
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_scratch_server_ends_with_a_process_that_is_killed"])
        .env(CHILD, &word)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let wait_for = |what: &str, done: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            assert!(Instant::now() < deadline, "{what} did not come about");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for("the server", &|| std::fs::read_to_string(&word).is_ok_and(|text| text.contains(' ')));
    let text = std::fs::read_to_string(&word).unwrap();
    std::fs::remove_file(&word).unwrap();
    let (process, data) = text.split_once(' ').unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("the end", &|| !std::path::Path::new(&format!("/proc/{process}")).exists());
    // The next server to start sweeps up.
    let installed = installations(&Places::for_tests(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))));
    drop(PostgresServer::start(&installed[0], &ServerOptions::default()).unwrap());
    assert!(!std::path::Path::new(data).exists());
}
