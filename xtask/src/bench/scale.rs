//! How much a large catalog costs: the server's time, our memory, the wall's time, and the locks, beside `pg_dump`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use dbwright_engine::dsn::{Dsn, Host};
use dbwright_engine::scratch::Places;
use dbwright_engine::scratch::postgres::{Installation, PostgresServer, ServerOptions, installations};
use tokio_postgres::Client;

use super::child::{Usage, measure};
use super::{BenchOptions, Measured, Measurement, median, postgres};

/// Measured runs; the middle one counts.
const RUNS: usize = 3;
/// The role of the audit, so that its statements can be told from others.
const AUDITOR: &str = "auditor";
/// The role of the dump.
const DUMPER: &str = "dumper";

/// What the statements of a role took.
struct Charged {
    milliseconds: f64,
    statements: i64,
    control: i64,
    slowest: Vec<(String, f64, i64)>,
}

/// Builds the database and measures an audit of it.
pub fn run(binary: &Path, options: &BenchOptions) -> anyhow::Result<Measured> {
    // The newest that has a peer.
    let installation = &postgres(options, |one| pg_dump(one).is_some())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let settings = [
        ("shared_preload_libraries", "pg_stat_statements"),
        ("pg_stat_statements.track_planning", "on"),
        ("max_locks_per_transaction", "4000"),
        ("shared_buffers", "1GB"),
        ("maintenance_work_mem", "256MB"),
    ];
    let server = PostgresServer::start(
        installation,
        &ServerOptions {
            settings: settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            ..ServerOptions::default()
        },
    )
    .map_err(|error| anyhow!("{error}"))?;
    runtime.block_on(bench(binary, options, &server, installation))
}

async fn bench(
    binary: &Path,
    options: &BenchOptions,
    server: &PostgresServer,
    installation: &Installation,
) -> anyhow::Result<Measured> {
    server.create_database("large").await.map_err(|error| anyhow!("{error}"))?;
    let client = Arc::new(server.client("large").await.map_err(|error| anyhow!("{error}"))?);
    let relations = build(&client, options.tables).await?;

    let mut audits: Vec<(Usage, Charged)> = Vec::new();
    for _ in 0..RUNS {
        reset(&client).await?;
        let usage = measure(&mut audit(binary, server, None)?)?;
        if !matches!(usage.code, 0 | 1) {
            bail!("the audit ended with code {}", usage.code);
        }
        audits.push((usage, charged(&client, AUDITOR).await?));
    }
    // Watching costs time of its own, so that this run is not measured.
    let (strong, samples) = watched(server, &client, audit(binary, server, options.keep.as_deref())?).await?;

    let seconds = |pick: fn(&(Usage, Charged)) -> f64| median(audits.iter().map(pick).collect());
    let database = seconds(|(_, charged)| charged.milliseconds / 1e3);
    let wall = seconds(|(usage, _)| usage.wall.as_secs_f64());
    let processor = seconds(|(usage, _)| usage.processor.as_secs_f64());
    let peak = seconds(|(usage, _)| usage.peak as f64 / 1e6);
    let last = &audits.last().context("an audit ran")?.1;
    let (statements, control) = (last.statements, last.control);

    let mut rows = vec![
        Measurement::new("time of the database", format!("{database:.2} s"))
            .aimed("at most 1.5 s", database <= 1.5),
        Measurement::new("statements", statements.to_string()).at_most(
            "at most 30",
            statements as f64,
            30.0,
            0.0,
        ),
        Measurement::new("beginnings and ends of transactions", control.to_string()),
        Measurement::new("peak resident memory", format!("{peak:.0} MB")).at_most(
            "at most 60 MB",
            peak,
            60.0,
            0.5,
        ),
        Measurement::new("time of our processor", format!("{processor:.2} s")),
        Measurement::new("wall time", format!("{wall:.2} s")),
        Measurement::new(
            "locks above AccessShareLock",
            if strong.is_empty() {
                "none".to_owned()
            } else {
                strong.iter().cloned().collect::<Vec<_>>().join(", ")
            },
        )
        .at_most("none", strong.len() as f64, 0.0, 0.0),
    ];
    let mut notes = vec![format!("Locks were sampled {samples} times during a run of its own.")];
    match pg_dump(installation) {
        Some(program) => {
            let mut walls = Vec::new();
            let mut times = Vec::new();
            for _ in 0..RUNS {
                reset(&client).await?;
                let usage = measure(&mut dump(&program, server)?)?;
                if usage.code != 0 {
                    bail!("pg_dump ended with code {}", usage.code);
                }
                walls.push(usage.wall.as_secs_f64());
                times.push(charged(&client, DUMPER).await?.milliseconds / 1e3);
            }
            let (dump_wall, dump_database) = (median(walls), median(times));
            rows.push(
                Measurement::new("wall time of `pg_dump --schema-only`", format!("{dump_wall:.2} s"))
                    .at_most(
                        format!("ours is {:.2} of it, at most 1", wall / dump_wall),
                        wall / dump_wall,
                        1.0,
                        0.25,
                    ),
            );
            rows.push(Measurement::new("its time of the database", format!("{dump_database:.2} s")).at_most(
                format!("ours is {:.2} of it, at most 1", database / dump_database),
                database / dump_database,
                1.0,
                0.25,
            ));
        }
        None => notes.push(format!(
            "No `pg_dump` that can read PostgreSQL {} is installed.",
            installation.version.major
        )),
    }
    let slowest: Vec<String> =
        last.slowest.iter().map(|(name, ms, calls)| format!("`{name}` {ms:.0} ms in {calls}")).collect();
    notes.push(format!("Slowest statements: {}.", slowest.join(", ")));
    Ok(Measured {
        name: "scale",
        about: format!(
            "`dbwright audit --format json` of a database of {} tables and {relations} relations on PostgreSQL {}; the \
             middle one of {RUNS} runs.",
            options.tables, installation.version
        ),
        rows,
        notes,
    })
}

/// Makes the tables, a part at a time, and returns how many relations there are.
async fn build(client: &Client, tables: usize) -> anyhow::Result<i64> {
    const STEP: usize = 500;
    let begin = Instant::now();
    client
        .batch_execute(&format!(
            "create extension pg_stat_statements; create role {AUDITOR} superuser login; \
             create role {DUMPER} superuser login"
        ))
        .await?;
    for from in (0..tables).step_by(STEP) {
        let to = (from + STEP).min(tables) - 1;
        client.batch_execute(&part(from, to)).await?;
        eprint!("\rtables: {} of {tables}, {} s ", to + 1, begin.elapsed().as_secs());
    }
    eprint!("\ranalysing ");
    client.batch_execute("vacuum analyze").await?;
    client.batch_execute("checkpoint").await?;
    eprintln!("\rthe database was made in {} s", begin.elapsed().as_secs());
    Ok(client
        .query_one(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                     where n.nspname in ('public', 'pg_toast') and c.oid >= 16384",
            &[],
        )
        .await?
        .get(0))
}

/// Tables as applications have them: an identity key, a reference to an older table, three indexes, comments here and
/// there, and as many rows that one in ten is larger than a page.
fn part(from: usize, to: usize) -> String {
    format!(
        "do $do$ begin for i in {from} .. {to} loop
           execute format($sql$create table thing_%1$s (
               id bigint generated always as identity primary key,
               parent_id bigint not null,
               name varchar(200) not null,
               state text not null default 'new' check (state in ('new', 'open', 'done')),
               price numeric(12, 2) not null default 0,
               created_at timestamptz not null default now(),
               updated_at timestamp,
               details jsonb,
               quantity integer)$sql$, i);
           execute format('create index thing_%1$s_parent on thing_%1$s (parent_id)', i);
           execute format('create index thing_%1$s_open on thing_%1$s (created_at desc) where state = ''open''', i);
           execute format('alter table thing_%1$s add constraint thing_%1$s_parent_fk foreign key (parent_id)
                           references thing_%2$s (id) on delete cascade', i, i / 2);
           if i % 20 = 0 then
               execute format('comment on table thing_%1$s is ''Things of one kind.''', i);
               execute format('comment on column thing_%1$s.details is ''What the source said.''', i);
           end if;
           execute format($sql$insert into thing_%1$s (parent_id, name, state, price, updated_at, quantity)
               select 1 + (n - 1) %% 3, 'thing ' || n, (array['new', 'open', 'done'])[1 + n %% 3], n, now(), n %% 7
                 from generate_series(1, %2$s) n$sql$, i, case when i % 10 = 0 then 300 when i % 2 = 0 then 5 else 3 end);
         end loop; end $do$"
    )
}

async fn reset(client: &Client) -> anyhow::Result<()> {
    client.batch_execute("select pg_stat_statements_reset()").await.context("cannot reset the statistics")
}

async fn charged(client: &Client, role: &str) -> anyhow::Result<Charged> {
    const CONTROL: &str = "regexp_replace(query, '^\\s*/\\*.*?\\*/\\s*', '') ~* '^(begin|rollback|commit|select \\$1\\s*$|set )'";
    let rows = client
        .query(
            &format!(
                "select query, total_exec_time + total_plan_time, calls, {CONTROL}
                   from pg_stat_statements where userid = (select oid from pg_roles where rolname = $1)
                  order by 2 desc"
            ),
            &[&role],
        )
        .await?;
    let mut charged = Charged { milliseconds: 0.0, statements: 0, control: 0, slowest: Vec::new() };
    for row in rows {
        let (query, milliseconds, calls, control): (String, f64, i64, bool) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        charged.milliseconds += milliseconds;
        if control {
            charged.control += calls;
            continue;
        }
        charged.statements += calls;
        if charged.slowest.len() < 8 {
            let name = query
                .split_once("dbwright:")
                .and_then(|(_, rest)| rest.split_whitespace().next())
                .map_or_else(
                    || query.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect(),
                    str::to_owned,
                );
            charged.slowest.push((name, milliseconds, calls));
        }
    }
    Ok(charged)
}

/// Runs the audit while another session looks at its locks as often as it can.
async fn watched(
    server: &PostgresServer,
    client: &Arc<Client>,
    mut command: Command,
) -> anyhow::Result<(BTreeSet<String>, u64)> {
    let watcher = server.client("large").await.map_err(|error| anyhow!("{error}"))?;
    let done = Arc::new(AtomicBool::new(false));
    let stop = done.clone();
    let watching = tokio::spawn(async move {
        let mut strong = BTreeSet::new();
        let mut samples = 0u64;
        while !stop.load(Ordering::Relaxed) {
            let rows = watcher
                .query(
                    "select distinct l.mode || ' on ' || coalesce(l.relation::regclass::text, l.locktype)
                       from pg_locks l join pg_stat_activity a on a.pid = l.pid
                      where a.usename = 'auditor' and l.mode <> 'AccessShareLock'
                        -- Every transaction holds its own number.
                        and not (l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock')",
                    &[],
                )
                .await?;
            strong.extend(rows.iter().map(|row| row.get::<_, String>(0)));
            samples += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        anyhow::Ok((strong, samples))
    });
    reset(client).await?;
    let usage = tokio::task::spawn_blocking(move || measure(&mut command)).await?;
    done.store(true, Ordering::Relaxed);
    let seen = watching.await??;
    if !matches!(usage?.code, 0 | 1) {
        bail!("the watched audit failed");
    }
    Ok(seen)
}

fn audit(binary: &Path, server: &PostgresServer, keep: Option<&Path>) -> anyhow::Result<Command> {
    let mut command = Command::new(binary);
    command.args(["audit", &target(server, AUDITOR)?, "--format", "json", "--quiet"]);
    if let Some(path) = keep {
        command.arg("--output").arg(path);
    }
    Ok(command)
}

/// The connection string of the large database.
fn target(server: &PostgresServer, role: &str) -> anyhow::Result<String> {
    let Dsn::Postgres(dsn) = server.dsn("large") else { bail!("not a PostgreSQL server") };
    let Host::Unix(folder) = &dsn.host else { bail!("the server has no socket") };
    Ok(format!("postgres://{role}@/large?host={}&port={}&sslmode=disable", folder.display(), dsn.port))
}

/// A `pg_dump` that is not older than the server.
fn pg_dump(installation: &Installation) -> Option<PathBuf> {
    let candidates = std::iter::once(installation.clone())
        .chain(installations(&Places::for_tests(Path::new(env!("CARGO_MANIFEST_DIR")))));
    candidates
        .filter(|one| one.version.major >= installation.version.major)
        .map(|one| one.binaries.join("pg_dump"))
        .find(|program| program.is_file())
}

fn dump(program: &Path, server: &PostgresServer) -> anyhow::Result<Command> {
    let mut command = Command::new(program);
    command.args(["--schema-only", "--dbname", &target(server, DUMPER)?]);
    Ok(command)
}
