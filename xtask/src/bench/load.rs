//! How long others wait, and whether any of their transactions fails, while plans run on a table that is written to.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions};
use tokio_postgres::Client;

use super::{BenchOptions, Measured, Measurement, postgres};

/// Rows of the table.
const ROWS: u64 = 1_000_000;
/// Connections that work meanwhile.
const WORKERS: u64 = 4;
/// Pause of a connection between two transactions.
const PAUSE: Duration = Duration::from_millis(2);
/// Longest wait of anybody: the lock timeout of the files and a second.
const LONGEST: Duration = Duration::from_secs(3);
/// Longest time of one plan.
const PATIENCE: Duration = Duration::from_secs(240);

const SCHEMA: &str = "
    create table parent (id int primary key);
    insert into parent select generate_series(1, 10000);
    create table t (id bigint primary key, a int, u int, b int, c int, parent_id int, note text);
    create sequence numbers start 1000001;
";

/// What is asked for in words.
const PLANS: [&str; 6] = [
    "set t.a not null",
    "add foreign key on t(parent_id) to parent(id)",
    "add unique on t(u)",
    "change type of t.b to bigint",
    "rename column c to d on t",
    "add index on t(a)",
];

/// What the connections share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// Whether they use the new name of the column that is renamed, as the next release of an application would.
    renamed: AtomicBool,
    transactions: AtomicU64,
    failed: AtomicU64,
    longest_microseconds: AtomicU64,
    first_failure: std::sync::Mutex<Option<String>>,
}

/// What was seen during one plan.
struct Seen {
    transactions: u64,
    failed: u64,
    longest: Duration,
    failure: Option<String>,
}

impl Shared {
    /// Takes what was seen since the last time.
    fn take(&self) -> Seen {
        Seen {
            transactions: self.transactions.swap(0, Ordering::SeqCst),
            failed: self.failed.swap(0, Ordering::SeqCst),
            longest: Duration::from_micros(self.longest_microseconds.swap(0, Ordering::SeqCst)),
            failure: self.first_failure.lock().ok().and_then(|mut first| first.take()),
        }
    }
}

/// Runs each plan under load.
pub fn run(binary: &Path, options: &BenchOptions) -> anyhow::Result<Measured> {
    let installation = &postgres(options, |_| true)?;
    let settings = [("shared_buffers", "512MB"), ("max_wal_size", "2GB")];
    let server = PostgresServer::start(
        installation,
        &ServerOptions {
            settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..ServerOptions::default()
        },
    )
    .map_err(|error| anyhow!("{error}"))?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (rows, notes) = runtime.block_on(bench(binary, &server, folder.path()))?;
    Ok(Measured {
        name: "load",
        about: format!(
            "`dbwright migrate up` of the plan of a change on PostgreSQL {}, on a table of {ROWS} rows at the begin, while \
             {WORKERS} connections insert, update, delete and read rows of it, each in a transaction, with a pause of {} ms \
             between two. The wait is that of the slowest transaction, its own work included.",
            installation.version,
            PAUSE.as_millis()
        ),
        rows,
        notes,
    })
}

async fn bench(
    binary: &Path,
    server: &PostgresServer,
    folder: &Path,
) -> anyhow::Result<(Vec<Measurement>, Vec<String>)> {
    server.create_database("load").await.map_err(|error| anyhow!("{error}"))?;
    let client = server.client("load").await.map_err(|error| anyhow!("{error}"))?;
    client.batch_execute(SCHEMA).await?;
    client
        .batch_execute(&format!(
            "insert into t select n, n, n, n, n, 1 + n % 10000, md5(n::text) from generate_series(1, {ROWS}) n"
        ))
        .await?;
    client.batch_execute("vacuum (analyze) t, parent").await?;
    let data = server.data_directory().to_owned();
    let socket = data.parent().context("the data lie in a folder")?;
    let target = format!("postgres://postgres@/load?host={}", socket.display());
    let shared = Arc::new(Shared::default());
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        let client = server.client("load").await.map_err(|error| anyhow!("{error}"))?;
        workers.push(tokio::spawn(work(client, number, shared.clone())));
    }
    let mut rows = Vec::new();
    let mut notes = vec![
        "A plan that waits for a release of the application is run to that place; then the connections use the new name, \
         and the rest is run."
            .to_owned(),
    ];
    tokio::time::sleep(Duration::from_secs(5)).await;
    rows.push(row("nothing, for 5 s", &shared.take(), Duration::from_secs(5)));
    for wish in PLANS {
        let words = ["new", wish, "--catalog", &target, "--out", "m", "--quiet"];
        migrate(binary, folder, &words).await.with_context(|| format!("`{wish}` is not planned"))?;
        shared.take();
        let begun = Instant::now();
        let outcome = up(binary, folder, &target, &shared).await;
        let took = begun.elapsed();
        let seen = shared.take();
        eprintln!("{wish}: {took:.1?}, longest {:.1?}, {} failed", seen.longest, seen.failed);
        if let Some(failure) = &seen.failure {
            notes.push(format!("During `{wish}` the first failure was: {failure}."));
        }
        rows.push(row(&format!("`{wish}`"), &seen, took));
        outcome.with_context(|| format!("`{wish}` is not carried out"))?;
    }
    shared.stop.store(true, Ordering::SeqCst);
    for worker in workers {
        worker.await?;
    }
    Ok((rows, notes))
}

fn row(what: &str, seen: &Seen, took: Duration) -> Measurement {
    let value = format!(
        "{:.0} ms; {} of {} failed; {:.1} s",
        seen.longest.as_secs_f64() * 1e3,
        seen.failed,
        seen.transactions,
        took.as_secs_f64()
    );
    let reached = seen.failed == 0 && seen.longest <= LONGEST && seen.transactions > 0;
    let mut row = Measurement::new(format!("during {what}: longest wait; transactions; whole time"), value)
        .aimed("at most 3000 ms, none failed", reached);
    row.broken = !reached;
    row
}

/// Runs what is pending, up to each place where a file waits for a release.
async fn up(binary: &Path, folder: &Path, target: &str, shared: &Shared) -> anyhow::Result<()> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("m"))?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    files.sort();
    let mut before: Option<String> = None;
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        if let Some(version) = before.filter(|_| text.contains("\n-- Waits for: ")) {
            migrate(
                binary,
                folder,
                &["up", "m", "--target", target, "--yes", "--quiet", "--waited", "all", "--to", &version],
            )
            .await?;
            shared.renamed.fetch_or(text.contains("_rename_column_c"), Ordering::SeqCst);
            // Transactions that were begun before are over soon.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        before = name.split_once('_').map(|(version, _)| version.to_owned());
    }
    migrate(binary, folder, &["up", "m", "--target", target, "--yes", "--quiet", "--waited", "all"]).await
}

async fn migrate(binary: &Path, folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(binary);
    command.arg("migrate").args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            let mut said = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                std::io::Read::read_to_string(&mut stderr, &mut said)?;
            }
            if !status.success() {
                bail!("`dbwright migrate {}` ended with {status}: {said}", arguments.join(" "));
            }
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            bail!("`dbwright migrate {}` took longer than {PATIENCE:?}", arguments.join(" "));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Works until it is told to stop.
async fn work(client: Client, number: u64, shared: Arc<Shared>) {
    let mut state = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(number + 1);
    let mut turn = number;
    while !shared.stop.load(Ordering::SeqCst) {
        // The sequence of Knuth's generator is as good as chance here, and the same in every run.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let id = (state >> 33) % ROWS + 1;
        let c = if shared.renamed.load(Ordering::SeqCst) { "d" } else { "c" };
        let sql = match turn % 4 {
            0 => format!(
                "insert into t (id, a, u, b, {c}, parent_id, note) select n, n, n, n, n, 1 + n % 10000, 'new' \
                 from (select nextval('numbers')::int as n) as next"
            ),
            1 => format!(
                "update t set a = a + 1, b = {id}, {c} = {id}, parent_id = 1 + {id} % 10000 where id = {id}"
            ),
            2 => format!("delete from t where id = {}", id | 1),
            _ => format!("select a, b, {c}, note from t where id = {id}"),
        };
        turn += 1;
        let begun = Instant::now();
        let result = client.batch_execute(&format!("begin; {sql}; commit")).await;
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        shared.longest_microseconds.fetch_max(took, Ordering::SeqCst);
        shared.transactions.fetch_add(1, Ordering::SeqCst);
        if let Err(error) = result {
            shared.failed.fetch_add(1, Ordering::SeqCst);
            if let Ok(mut first) = shared.first_failure.lock() {
                first.get_or_insert_with(|| match error.as_db_error() {
                    Some(error) => error.message().to_owned(),
                    None => error.to_string(),
                });
            }
            // A failure leaves the transaction open.
            let _ = client.batch_execute("rollback").await;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
