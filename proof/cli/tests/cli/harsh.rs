//! The runner under attack: killed before and inside of every statement, started eight at a time, refused its locks. Each
//! time the database ends as if nothing had happened.
//!
//! Every tenth place is attacked, and every one when `DBWRIGHT_HARSH` is set (`./test --harsh`).

mod chain;
mod killer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proof_cli::servers::{Mariadb, Postgres};
use proof_cli::{Sandbox, runtime};

use killer::{Killer, Protocol};

/// Of how many places one is attacked.
fn stride() -> usize {
    if std::env::var_os("DBWRIGHT_HARSH").is_some() { 1 } else { 10 }
}

/// A sandbox with the chain of an engine in `migrations`.
fn sandbox(files: &[(String, String)]) -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, text) in files {
        sandbox.file(&format!("migrations/{name}"), text);
    }
    assert!(files.len() >= 60, "{}", files.len());
    sandbox
}

fn arguments(target: &str) -> Vec<String> {
    ["migrate", "up", "migrations", "--yes", "--quiet", "--target", target].map(str::to_owned).to_vec()
}

/// Runs until nothing kills the runner any more. Returns how often it was killed.
fn run_to_the_end(sandbox: &Sandbox, target: &str, killer: &Killer) -> usize {
    let mut kills = 0;
    loop {
        let running = sandbox.dbwright(&arguments(target)).start();
        killer.aim(running.process());
        let outcome = running.finish();
        if killer.has_killed() {
            kills += 1;
            assert!(kills < 20_000, "it never ends");
            continue;
        }
        outcome.expect(0);
        return kills;
    }
}

/// What is in a database of PostgreSQL: structure and rows.
fn postgres_state(server: &Postgres, database: &str) -> Vec<String> {
    let mut state = server.ask(
        database,
        "select concat_ws(' ', 'column', table_name, ordinal_position, column_name, data_type, is_nullable, column_default) \
         from information_schema.columns where table_schema = 'public' \
         union all select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = 'public' \
         union all select concat_ws(' ', 'invalid', indexrelid::regclass) from pg_index where not indisvalid \
         union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) \
         from pg_constraint where connamespace = 'public'::regnamespace \
         union all select concat_ws(' ', 'label', enumlabel) from pg_enum \
         union all select concat_ws(' ', 'applied', version, state, statements_done, statements, statement_before) \
         from dbwright_migrations order by 1",
    );
    let tables = server.ask(
        database,
        "select table_name from information_schema.tables where table_schema = 'public' \
         and table_name <> 'dbwright_migrations' order by 1",
    );
    for table in tables {
        state
            .extend(server.ask(database, &format!("select concat('{table} ', r) from {table} r order by 1")));
    }
    state
}

#[test]
fn postgres_survives_kills_at_every_statement() {
    let files = chain::postgres();
    let sandbox = sandbox(&files);
    let server = Postgres::start(&sandbox, &[]);
    server.database("smooth", "");
    server.database("rough", "");
    sandbox.run(&arguments(&server.target("postgres", "smooth"))).expect(0);

    let killer = Killer::start(Protocol::Postgres, &server.socket(), &sandbox.path("proxy"), stride());
    let target = format!("postgres://postgres@/rough?host={}", sandbox.path("proxy").display());
    let kills = run_to_the_end(&sandbox, &target, &killer);
    println!("PostgreSQL {}: killed {kills} times", server.server.version());
    assert!(kills >= 50, "{kills}");
    assert_eq!(postgres_state(&server, "rough"), postgres_state(&server, "smooth"));
}

fn mariadb_state(server: &Mariadb, database: &str) -> Vec<String> {
    let mut state = server.ask(&format!(
        "select concat_ws(' ', 'column', table_name, ordinal_position, column_name, column_type, is_nullable, column_default) \
         from information_schema.columns where table_schema = '{database}' \
         union all select concat_ws(' ', 'index', table_name, index_name, seq_in_index, column_name, non_unique) \
         from information_schema.statistics where table_schema = '{database}' \
         union all select concat_ws(' ', 'constraint', table_name, constraint_name, constraint_type) \
         from information_schema.table_constraints where table_schema = '{database}' \
         union all select concat_ws(' ', 'trigger', trigger_name) from information_schema.triggers where trigger_schema = '{database}' \
         union all select concat_ws(' ', 'applied', version, state, statements_done, statements, statement_before) \
         from {database}.dbwright_migrations order by 1"
    ));
    let tables = server.ask(&format!(
        "select table_name from information_schema.tables where table_schema = '{database}' \
         and table_name <> 'dbwright_migrations' and table_type = 'BASE TABLE' order by 1"
    ));
    for table in tables {
        let columns = server.ask(&format!(
            "select group_concat(concat('coalesce(`', column_name, '`, \\'-\\')') order by ordinal_position) \
             from information_schema.columns where table_schema = '{database}' and table_name = '{table}'"
        ));
        let list = columns.join(", ");
        state
            .extend(server.ask(&format!(
                "select concat_ws(' ', '{table}', {list}) from {database}.{table} order by 1"
            )));
    }
    state
}

#[test]
fn mariadb_survives_kills_at_every_statement() {
    let files = chain::mariadb();
    let sandbox = sandbox(&files);
    let server = Mariadb::start(&[], "create database smooth; create database rough;");
    sandbox.run(&arguments(&server.target("root", "smooth"))).expect(0);

    let killer = Killer::start(Protocol::Mysql, server.socket(), &sandbox.path("proxy"), stride());
    let target = format!("mysql://root@localhost/rough?socket={}", killer.socket().display());
    let kills = run_to_the_end(&sandbox, &target, &killer);
    println!("MariaDB {}: killed {kills} times", server.server.version());
    assert!(kills >= 50, "{kills}");
    assert_eq!(mariadb_state(&server, "rough"), mariadb_state(&server, "smooth"));
}

/// What is in an SQLite file.
fn sqlite_state(path: &Path) -> Vec<String> {
    let database = rusqlite::Connection::open(path).expect("it opens");
    let texts = |sql: &str| -> Vec<String> {
        let mut statement = database.prepare(sql).expect("the query is right");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("it runs");
        rows.map(|row| row.expect("a text")).collect()
    };
    let mut state = texts(
        "select type || ' ' || name || ' ' || coalesce(sql, '') from sqlite_schema where name not like '%dbwright%' order by 1",
    );
    state.extend(texts("select 'applied ' || version || ' ' || state || ' ' || statements_done from dbwright_migrations order by 1"));
    state.extend(texts("select 'sequence ' || name || ' ' || seq from sqlite_sequence order by 1"));
    let tables = texts(
        "select name from sqlite_schema where type = 'table' and name not like '%dbwright%' and name not like 'sqlite%' order by 1",
    );
    for table in tables {
        let columns = texts(&format!(
            "select group_concat('coalesce(' || name || ', ''-'')', ' || '' '' || ') from pragma_table_info('{table}')"
        ));
        state.extend(texts(&format!("select '{table} ' || {} from {table} order by 1", columns[0])));
    }
    assert_eq!(texts("select \"table\" from pragma_foreign_key_check"), Vec::<String>::new());
    assert_eq!(texts("pragma integrity_check"), ["ok"]);
    state
}

#[test]
fn sqlite_survives_kills_at_every_moment() {
    let files = chain::sqlite();
    let sandbox = sandbox(&files);
    sandbox.run(&arguments("smooth.sqlite")).expect(0);
    let expected = sqlite_state(&sandbox.path("smooth.sqlite"));
    // A file has no socket to listen at, so it is killed by the clock, at moments that wander through the time in which it
    // works, until some rounds have come to their end.
    let path = sandbox.path("rough.sqlite");
    let begun = Instant::now();
    sandbox.run(&arguments("smooth.sqlite")).expect(0);
    let first = begun.elapsed() / 2;
    let (step, rounds) =
        if stride() == 1 { (Duration::from_micros(397), 6) } else { (Duration::from_micros(1_970), 2) };
    let span = Duration::from_millis(60);
    let mut after = Duration::ZERO;
    let (mut kills, mut done) = (0, 0);
    while done < rounds {
        let running = sandbox.dbwright(&arguments("rough.sqlite")).start();
        std::thread::sleep(first + after);
        running.signal(libc::SIGKILL);
        after += step;
        if after > span {
            after -= span;
        }
        let outcome = running.finish();
        if outcome.signal.is_some() {
            kills += 1;
            assert!(kills < 200_000, "it never ends");
            continue;
        }
        outcome.expect(0);
        assert_eq!(sqlite_state(&path), expected, "after {kills} kills");
        done += 1;
        remove(&path);
    }
    println!("SQLite: killed {kills} times in {rounds} rounds");
    assert!(kills > rounds, "{kills}");
}

fn remove(path: &Path) {
    for ending in ["", "-journal", "-wal", "-shm", ".dbwright-lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
}

/// Starts eight runners at once; all of them end well.
fn eight(sandbox: &Sandbox, target: &str) {
    let running: Vec<_> = (0..8).map(|_| sandbox.dbwright(&arguments(target)).start()).collect();
    let mut applied: BTreeMap<String, usize> = BTreeMap::new();
    for running in running {
        let outcome = running.finish().expect(0);
        for line in outcome.out().lines().filter(|line| line.starts_with("applied: ")) {
            let file = line["applied: ".len()..].split(" in ").next().unwrap_or(line).to_owned();
            *applied.entry(file).or_insert(0) += 1;
        }
    }
    assert!(applied.len() >= 60, "{}", applied.len());
    let twice: Vec<_> = applied.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn eight_runners_apply_each_file_once() {
    let files = chain::postgres();
    let own = sandbox(&files);
    let server = Postgres::start(&own, &[]);
    server.database("smooth", "");
    server.database("crowd", "");
    own.run(&arguments(&server.target("postgres", "smooth"))).expect(0);
    eight(&own, &server.target("postgres", "crowd"));
    assert_eq!(postgres_state(&server, "crowd"), postgres_state(&server, "smooth"));

    let own = sandbox(&chain::mariadb());
    let server = Mariadb::start(&[], "create database smooth; create database crowd;");
    own.run(&arguments(&server.target("root", "smooth"))).expect(0);
    eight(&own, &server.target("root", "crowd"));
    assert_eq!(mariadb_state(&server, "crowd"), mariadb_state(&server, "smooth"));

    let own = sandbox(&chain::sqlite());
    own.run(&arguments("smooth.sqlite")).expect(0);
    eight(&own, "crowd.sqlite");
    assert_eq!(sqlite_state(&own.path("crowd.sqlite")), sqlite_state(&own.path("smooth.sqlite")));
}

#[test]
fn refused_locks_only_cost_time() {
    let files = chain::postgres();
    let own = sandbox(&files);
    let server = Postgres::start(&own, &[]);
    server.database("smooth", "");
    server.database("busy", "");
    own.run(&arguments(&server.target("postgres", "smooth"))).expect(0);
    // Somebody is in the way again and again, for longer than anybody waits.
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let dsn = server.server.dsn("busy");
    let disturber = std::thread::spawn({
        let stop = stop.clone();
        move || disturb(&dsn, &stop)
    });
    let mut arguments = arguments(&server.target("postgres", "busy"));
    arguments.extend(["--lock-timeout", "100", "--retries", "40", "--json"].map(str::to_owned));
    let outcome = own.run(&arguments).expect(0);
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let held = disturber.join().expect("it ends");
    let reply = outcome.json();
    let retries: u64 = reply["migrations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|done| done["retries"].as_u64())
        .sum();
    println!("{retries} refusals, {held} times in the way");
    assert!(retries > 0, "nothing was ever in the way");
    assert_eq!(postgres_state(&server, "busy"), postgres_state(&server, "smooth"));
}

fn disturb(dsn: &dbwright_engine::dsn::Dsn, stop: &std::sync::atomic::AtomicBool) -> usize {
    let mut held = 0;
    runtime().block_on(async {
        let mut session = proof_cli::write(dsn).await;
        let begun = Instant::now();
        while !stop.load(std::sync::atomic::Ordering::SeqCst) && begun.elapsed() < Duration::from_secs(80) {
            let lock = "do $$ declare r text; begin for r in select quote_ident(tablename) from pg_tables \
                        where schemaname = 'public' and tablename like 'p_' loop \
                        execute 'lock table ' || r || ' in row exclusive mode'; end loop; \
                        if r is null then raise exception 'there is nothing yet'; end if; end $$";
            let _ = session.script("begin; set local lock_timeout = '500ms'").await;
            if session.script(lock).await.is_ok() {
                held += 1;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            let _ = session.script("rollback").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    held
}
