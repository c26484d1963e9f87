//! How many bytes of a table a server works through in a second: what expected times of statements are reckoned from.

use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, anyhow};
use dbwright_engine::scratch::postgres::{PostgresServer, ServerOptions};
use dbwright_model::effect::Cost;
use tokio_postgres::Client;

use super::{BenchOptions, Measured, Measurement, median, postgres, root};

/// Bytes of a measured table, roughly.
const BYTES: u64 = 200 << 20;
/// Runs of each statement, each on a table that was made anew and one of them without a cache.
const RUNS: usize = 3;
const MIB: f64 = 1024.0 * 1024.0;

/// A table of rows of one width.
struct Shape {
    name: &'static str,
    /// Bytes that a row takes, roughly.
    row: u64,
    filler: &'static str,
}

const SHAPES: [Shape; 2] = [
    Shape { name: "narrow rows", row: 60, filler: "null" },
    Shape { name: "wide rows", row: 480, filler: "repeat(md5(n::text), 13)" },
];

/// A statement, and what must be there before it.
struct Work {
    cost: Cost,
    name: &'static str,
    before: &'static str,
    sql: &'static str,
}

const WORKS: [Work; 8] = [
    Work {
        cost: Cost::Scan,
        name: "VALIDATE CONSTRAINT of a check",
        before: "alter table t add constraint c check (a >= 0) not valid",
        sql: "alter table t validate constraint c",
    },
    Work {
        cost: Cost::Scan,
        name: "SET NOT NULL",
        before: "",
        sql: "alter table t alter column a set not null",
    },
    Work {
        cost: Cost::Scan,
        name: "VALIDATE CONSTRAINT of a foreign key",
        before: "alter table t add constraint c foreign key (a) references parent not valid",
        sql: "alter table t validate constraint c",
    },
    Work {
        cost: Cost::IndexBuild,
        name: "CREATE INDEX of an integer",
        before: "",
        sql: "create index on t (a)",
    },
    Work { cost: Cost::IndexBuild, name: "CREATE INDEX of a text", before: "", sql: "create index on t (b)" },
    Work {
        cost: Cost::IndexBuild,
        name: "CREATE INDEX CONCURRENTLY",
        before: "",
        sql: "create index concurrently on t (a)",
    },
    Work {
        cost: Cost::Rewrite,
        name: "ALTER COLUMN TYPE without an index",
        before: "",
        sql: "alter table t alter column a type bigint",
    },
    Work {
        cost: Cost::Rewrite,
        name: "ALTER COLUMN TYPE with two indexes",
        before: "create index on t (a); create index on t (b)",
        sql: "alter table t alter column a type bigint",
    },
];

/// Measures each kind of work on each shape of table.
pub fn run(_binary: &Path, options: &BenchOptions) -> anyhow::Result<Measured> {
    let installation = &postgres(options, |_| true)?;
    // On a disk, not in memory, and with the promises that a server in use keeps.
    let temporary = root()?.join("target/bench");
    std::fs::create_dir_all(&temporary)?;
    let settings = [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("wal_level", "replica"),
        ("max_wal_senders", "2"),
        ("max_wal_size", "1GB"),
        ("shared_buffers", "128MB"),
        ("maintenance_work_mem", "64MB"),
    ];
    let server = PostgresServer::start(
        installation,
        &ServerOptions {
            settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            temporary,
            ..ServerOptions::default()
        },
    )
    .map_err(|error| anyhow!("{error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let rows = runtime.block_on(bench(&server))?;
    Ok(Measured {
        name: "throughput",
        about: format!(
            "Bytes of a table of {} MiB that PostgreSQL {} works through in a second with `fsync` on and 128 MB of \
             `shared_buffers`: the middle one of {RUNS} runs, and the slowest and the quickest. The first run of each finds \
             nothing of the table in a cache. Expected times are reckoned from the bounds in `Cost::throughput`, which \
             every run is to lie between; a network disk, a busy server or a larger memory may lie beyond.",
            BYTES >> 20,
            installation.version
        ),
        rows,
        notes: vec![
            "A rewrite and an index build write as much log as data: what the disk takes bounds them."
                .to_owned(),
        ],
    })
}

async fn bench(server: &PostgresServer) -> anyhow::Result<Vec<Measurement>> {
    server.create_database("bench").await.map_err(|error| anyhow!("{error}"))?;
    let client = server.client("bench").await.map_err(|error| anyhow!("{error}"))?;
    let mut rows = Vec::new();
    let mut by_cost: Vec<(Cost, f64)> = Vec::new();
    client
        .batch_execute("create table parent (id integer primary key); insert into parent select generate_series(0, 99999); analyze parent")
        .await?;
    for shape in &SHAPES {
        let count = BYTES / shape.row;
        client
            .batch_execute(&format!(
                "create table source as select (n::bigint * 7919 % 100000)::integer as a, md5((n / 3)::text)::varchar(32) as b, \
                 {} as c from generate_series(1, {count}) n",
                shape.filler
            ))
            .await?;
        for work in &WORKS {
            let mut speeds = Vec::new();
            for turn in 0..RUNS {
                let speed = measure(server, &client, work, turn == 0).await?;
                eprintln!("{} of {}: {speed:.0} MiB/s", work.name, shape.name);
                speeds.push(speed);
                by_cost.push((work.cost, speed));
            }
            let (least, most) = bounds(&speeds);
            rows.push(Measurement::new(
                format!("{}: `{}`, {}", work.cost.as_str(), work.name, shape.name),
                format!("{:.0} MiB/s ({least:.0} to {most:.0})", median(speeds)),
            ));
        }
        client.batch_execute("drop table source").await?;
    }
    for cost in Cost::ALL {
        let speeds: Vec<f64> =
            by_cost.iter().filter(|(other, _)| *other == cost).map(|(_, speed)| *speed).collect();
        let Some((rate, factor)) = cost.throughput() else { continue };
        let (slow, fast) = (rate / factor / MIB, rate * factor / MIB);
        let (least, most) = bounds(&speeds);
        rows.push(
            Measurement::new(
                format!("{}: every run", cost.as_str()),
                format!("{least:.0} to {most:.0} MiB/s"),
            )
            .aimed(
                format!("within {slow:.0} to {fast:.0} MiB/s, as is reckoned with"),
                slow <= least && most <= fast,
            ),
        );
    }
    Ok(rows)
}

fn bounds(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, 0.0), |(least, most), value| (least.min(*value), most.max(*value)))
}

/// Mebibytes in a second that a statement takes on a table that was just filled.
async fn measure(server: &PostgresServer, client: &Client, work: &Work, cold: bool) -> anyhow::Result<f64> {
    client
        .batch_execute(
            "drop table if exists t; create table t (like source); insert into t select * from source",
        )
        .await?;
    client.batch_execute("vacuum (analyze) t").await?;
    if !work.before.is_empty() {
        client.batch_execute(work.before).await?;
    }
    client.batch_execute("checkpoint").await?;
    let row = client.query_one("select pg_table_size('t'), pg_relation_filepath('t')", &[]).await?;
    let (bytes, path): (i64, String) = (row.get(0), row.get(1));
    if cold {
        forget(&server.data_directory().join(path))?;
    } else {
        client.query_one("select count(*) from t", &[]).await?;
    }
    let begin = Instant::now();
    client.batch_execute(work.sql).await?;
    Ok(bytes as f64 / MIB / begin.elapsed().as_secs_f64())
}

/// Has the system drop what it keeps of a table's files in memory.
fn forget(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().context("a table lies in a folder")?;
    let name = path.file_name().context("a table has a file")?.to_string_lossy().into_owned();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name().to_string_lossy().into_owned();
        if other != name && !other.starts_with(&format!("{name}.")) {
            continue;
        }
        let file = std::fs::File::open(entry.path())?;
        // Only what is on the disk can be dropped from memory.
        file.sync_all()?;
        // SAFETY: the descriptor is open; the call reads no memory of ours.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    }
    Ok(())
}
