//! `migrate backfill` on real servers: every row once, gone on with after a kill, gentle to others, refused with reasons.

use std::time::{Duration, Instant};

use proof_cli::servers::{Mariadb, Postgres, Standby};
use proof_cli::{Outcome, Sandbox};

/// Rows of the large tables.
const ROWS: usize = 200_000;

/// Asks a database and gives the rows of the answer.
type Ask<'a> = Box<dyn Fn(&str) -> Vec<String> + 'a>;

/// A database of some engine with a table `t` and a way to ask it.
struct Place<'a> {
    target: String,
    ask: Ask<'a>,
}

fn arguments<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["migrate", "backfill", "--yes", "--target", target, "--table", "t"];
    arguments.extend(more);
    arguments
}

const WORK: [&str; 4] = ["--set", "a = id * 2, n = n + 1", "--where", "a is null"];

fn sqlite_ask(path: std::path::PathBuf) -> Ask<'static> {
    Box::new(move |sql| {
        let output = proof_cli::runtime().block_on(async {
            let mut session = proof_cli::write(&dbwright_engine::dsn::Dsn::Sqlite(path.clone())).await;
            session.ask_bound(sql, &[]).await.expect("the query is right")
        });
        output
            .into_iter()
            .map(|row| {
                row.into_iter().map(|text| text.unwrap_or("null".into())).collect::<Vec<_>>().join(" ")
            })
            .collect()
    })
}

/// Runs the work, kills it with no warning in the middle, and runs it again: each row is written once.
fn check_killed_and_gone_on_with(sandbox: &Sandbox, place: &Place<'_>, number: &dyn Fn(&str) -> String) {
    let small: Vec<&str> = WORK.iter().copied().chain(["--target-time", "20ms", "--rows", "200"]).collect();
    let running = sandbox.dbwright(&arguments(&place.target, &small)).start();
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < Duration::from_secs(30), "no piece was committed");
        let done = (place.ask)(&number("count(*)").replace("$where", "a is not null"));
        if done.first().and_then(|done| done.parse::<usize>().ok()).is_some_and(|done| done > 2_000) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal(libc::SIGKILL);
    let killed = running.finish();
    assert_eq!(killed.signal, Some(libc::SIGKILL), "it ended before it was killed: {}", killed.out());
    let at_rest = (place.ask)(&number("count(*)").replace("$where", "a is not null"));
    let done: usize = at_rest[0].parse().expect("a number");
    assert!(done < ROWS, "nothing was left to be gone on with");
    let again = run_when_free(sandbox, &arguments(&place.target, &WORK));
    assert!(again.out().contains("went on where an earlier one had stopped"), "{}", again.out());
    assert!(again.out().contains(&format!("{ROWS} rows")), "{}", again.out());
    // A row that was written twice would have counted twice.
    let wrong = (place.ask)(&number("count(*)").replace("$where", "a is null or a <> id * 2 or n <> 1"));
    assert_eq!(wrong, ["0"]);
    let more = sandbox.run(&arguments(&place.target, &WORK)).expect(0);
    assert!(more.out().starts_with("It was done before"), "{}", more.out());
}

/// A server may need a moment to see that a killed process is gone.
fn run_when_free(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let begun = Instant::now();
    loop {
        let outcome = sandbox.run(arguments);
        let taken = outcome.err().contains("another process does this work right now");
        if !taken || begun.elapsed() > Duration::from_secs(10) {
            return outcome.expect(0);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn count(text: &str) -> String {
    format!("select cast({text} as char(20)) from t where $where")
}

#[test]
fn postgres_goes_on_after_a_kill() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        &format!(
            "create table t (id bigint primary key, a bigint, n integer not null default 0); \
             insert into t select i * 7, null, 0 from generate_series(1, {ROWS}) i; analyze t"
        ),
    );
    let place = Place {
        target: server.target("postgres", "shop"),
        ask: Box::new(|sql| server.ask("shop", sql).iter().map(|text| text.trim().to_owned()).collect()),
    };
    check_killed_and_gone_on_with(&sandbox, &place, &count);
}

#[test]
fn mariadb_goes_on_after_a_kill() {
    let sandbox = Sandbox::new();
    let server = Mariadb::start(
        &[],
        &format!(
            "create database shop; use shop; \
             create table t (id bigint primary key, a bigint, n integer not null default 0); \
             insert into t select seq * 7, null, 0 from seq_1_to_{ROWS}"
        ),
    );
    let place = Place {
        target: server.target("root", "shop"),
        ask: Box::new(|sql| server.ask(&sql.replace("from t ", "from shop.t "))),
    };
    check_killed_and_gone_on_with(&sandbox, &place, &count);
}

#[test]
fn sqlite_goes_on_after_a_kill() {
    let sandbox = Sandbox::new();
    let path = sandbox.sqlite(
        "shop.db",
        &format!(
            "create table t (id integer primary key, a integer, n integer not null default 0); \
             with recursive s(i) as (select 1 union all select i + 1 from s where i < {ROWS}) \
             insert into t select i * 7, null, 0 from s"
        ),
    );
    let place = Place { target: path.display().to_string(), ask: sqlite_ask(path) };
    check_killed_and_gone_on_with(&sandbox, &place, &|text| {
        format!("select cast({text} as text) from t where $where")
    });
}

/// Keys of every usual kind, in random order and with rows that need nothing between those that do.
#[test]
fn every_kind_of_key_meets_every_row_once() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    let keys = [
        ("uuid", "md5(i::text)::uuid", "k"),
        ("text", "md5(i::text) || '''\\ ü'", "k"),
        ("text collate \"C\"", "upper(md5(i::text))", "k"),
        ("timestamptz", "now() + i * interval '1.000001 s'", "k"),
        ("numeric(20, 4)", "i * 1.0001", "k"),
        ("double precision", "sqrt(i::float8)", "k"),
        ("bytea", "decode(md5(i::text), 'hex')", "k"),
        ("char(12)", "i::text", "k"),
        ("integer", "i / 7", "k, id"),
    ];
    for (i, (data_type, value, key)) in keys.iter().enumerate() {
        let database = format!("k{i}");
        server.database(
            &database,
            &format!(
                "create table t (id integer not null, k {data_type} not null, a int, n int not null default 0, unique ({key})); \
                 insert into t select i, {value}, case when i % 3 = 0 then i * 2 end, 0 from generate_series(1, 5000) i"
            ),
        );
        let target = server.target("postgres", &database);
        let own: Vec<&str> = WORK.iter().copied().chain(["--rows", "70", "--target-time", "1ms"]).collect();
        let outcome = sandbox.run(&arguments(&target, &own)).expect(0);
        assert!(outcome.out().contains("3334 rows"), "{data_type}: {}", outcome.out());
        let wrong = "select count(*) from t where a <> id * 2 or a is null or n <> case when id % 3 = 0 then 0 else 1 end";
        assert_eq!(server.ask(&database, wrong), ["0"], "{data_type}");
    }
}

#[test]
fn every_kind_of_key_of_mariadb_meets_every_row_once() {
    let sandbox = Sandbox::new();
    let server = Mariadb::start(&[], "create database shop");
    let keys = [
        ("varchar(80)", "concat(md5(seq), '''\\\\ ü')", "k"),
        ("varbinary(16)", "unhex(md5(seq))", "k"),
        ("binary(16)", "unhex(md5(seq))", "k"),
        ("bigint unsigned", "18446744073709551615 - seq", "k"),
        ("decimal(20, 4)", "seq * 1.0001", "k"),
        ("datetime(6)", "'2026-01-01' + interval seq * 1000001 microsecond", "k"),
        ("date", "'1900-01-01' + interval seq day", "k"),
        ("uuid", "cast(concat(substr(md5(seq), 1, 8), '-0000-4000-8000-', lpad(seq, 12, '0')) as uuid)", "k"),
        ("integer", "seq div 7", "k, id"),
    ];
    for (i, (data_type, value, key)) in keys.iter().enumerate() {
        let database = format!("k{i}");
        server.ask(&format!("create database {database} character set utf8mb4"));
        server.ask(&format!(
            "create table {database}.t (id integer not null, k {data_type} not null, a int, n int not null default 0, unique (k{}))",
            if key.contains("id") { ", id" } else { "" }
        ));
        server.ask(&format!(
            "insert into {database}.t select seq, {value}, if(seq % 3 = 0, seq * 2, null), 0 from {database}.seq_1_to_5000"
        ));
        let target = server.target("root", &database);
        let own: Vec<&str> = WORK.iter().copied().chain(["--rows", "70", "--target-time", "1ms"]).collect();
        let outcome = sandbox.run(&arguments(&target, &own)).expect(0);
        assert!(outcome.out().contains("3334 rows"), "{data_type}: {}", outcome.out());
        let wrong = format!(
            "select cast(count(*) as char) from {database}.t \
             where a <> id * 2 or a is null or n <> if(id % 3 = 0, 0, 1)"
        );
        assert_eq!(server.ask(&wrong), ["0"], "{data_type}");
    }
}

#[test]
fn every_kind_of_key_of_sqlite_meets_every_row_once() {
    let sandbox = Sandbox::new();
    let keys = [
        ("k text not null unique", "hex(randomblob(8)) || ''' ü' || i"),
        ("k blob not null unique", "randomblob(8)"),
        ("k real not null unique", "i / 7.0"),
        ("k not null unique", "case i % 3 when 0 then i when 1 then 'x' || i else randomblob(6) end"),
        ("k", "null"),
        ("k integer not null, unique (k, id)", "i / 7"),
    ];
    for (i, (column, value)) in keys.iter().enumerate() {
        let (column, constraint) =
            column.split_once(", ").map_or((*column, ""), |(column, rest)| (column, rest));
        let constraint = if constraint.is_empty() { String::new() } else { format!(", {constraint}") };
        let path = sandbox.sqlite(
            &format!("k{i}.db"),
            &format!(
                "create table t (id int not null, {column}, a int, n int not null default 0{constraint}); \
                 with recursive s(i) as (select 1 union all select i + 1 from s where i < 5000) \
                 insert into t select i, {value}, case when i % 3 = 0 then i * 2 end, 0 from s order by random()"
            ),
        );
        let target = path.display().to_string();
        let own: Vec<&str> = WORK.iter().copied().chain(["--rows", "70", "--target-time", "1ms"]).collect();
        let outcome = sandbox.run(&arguments(&target, &own)).expect(0);
        assert!(outcome.out().contains("3334 rows"), "{column}: {}", outcome.out());
        let wrong = "select cast(count(*) as text) from t \
                     where a <> id * 2 or a is null or n <> case when id % 3 = 0 then 0 else 1 end";
        assert_eq!(sqlite_ask(path)(wrong), ["0"], "{column}");
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let sandbox = Sandbox::new();
    let path = sandbox.sqlite(
        "shop.db",
        "create table t (id integer primary key, a integer, n integer); insert into t (id) values (1), (2); \
         create table keyless (a text, b text, primary key (a)) without rowid; \
         create table child (id integer, a integer, rowid integer)",
    );
    let target = path.display().to_string();
    let check = |more: &[&str], words: &str| {
        let mut all = vec!["migrate", "backfill", "--target", &target, "--table"];
        all.extend(more);
        let outcome = sandbox.run(&all).expect(2);
        assert!(outcome.err().contains(words), "{}", outcome.err());
    };
    check(&["child", "--set", "a = 1", "--where", "a is null"], "`child` has no unique key");
    check(&["parent", "--set", "a = 1", "--where", "a is null"], "there is no table `parent`");
    check(&["t", "--set", "id = id + 1", "--where", "a is null"], "orders the pieces and is changed by them");
    check(&["t", "--set", "a = 1", "--where", "a is null) or (1"], "no complete condition");
    check(&["t", "--set", "a = 1", "--where", "a is null"], "nobody can be asked");
    check(
        &["t", "--set", "a = 1", "--where", "a is null", "--key", "n"],
        "no unique key of `n` without nulls",
    );
    check(&["t", "--set", "nope = 1", "--where", "a is null", "--yes"], "nope");
    let shown = sandbox
        .run(&[
            "migrate",
            "backfill",
            "--dry-run",
            "--target",
            &target,
            "--table",
            "t",
            "--set",
            "a = 1",
            "--where",
            "a is null",
        ])
        .expect(0);
    assert!(shown.out().contains("Nothing was changed."), "{}", shown.out());
    assert_eq!(sqlite_ask(path.clone())("select cast(count(*) as text) from t where a is null"), ["2"]);
    check_refused_when_rows_stay(
        &sandbox,
        &Place { target: target.clone(), ask: sqlite_ask(path) },
        "select cast(count(*) as text) from t where n is not null",
    );
}

/// A condition that the write does not end is noticed before a piece is committed, and does not stand in the way of a
/// better one.
fn check_refused_when_rows_stay(sandbox: &Sandbox, place: &Place<'_>, written: &str) {
    let work = |filter| {
        let more = ["--set", "n = coalesce(n, 0) + 1", "--where", filter, "--name", "work", "--rows", "20"];
        arguments(&place.target, &more).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |filter| {
        let words = work(filter);
        sandbox.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refused = run("id > 0").expect(2).err();
    for words in ["would be written again", "id = 1; id = 2", "that the write itself ends"] {
        assert!(refused.contains(words), "{refused}");
    }
    assert_eq!((place.ask)(written), ["0"]);
    let done = run("n is null").expect(0).out();
    assert!(done.contains("No row satisfies the condition any more"), "{done}");
}

#[test]
fn a_condition_that_stays_true_writes_nothing() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        "create table t (id bigint primary key, n integer); insert into t select i, null from generate_series(1, 100) i",
    );
    let place = Place {
        target: server.target("postgres", "shop"),
        ask: Box::new(|sql| server.ask("shop", sql).iter().map(|text| text.trim().to_owned()).collect()),
    };
    check_refused_when_rows_stay(&sandbox, &place, "select count(*)::text from t where n is not null");
    let server = Mariadb::start(
        &[],
        "create database shop; use shop; create table t (id bigint primary key, n integer); \
         insert into t select seq, null from seq_1_to_100",
    );
    let place = Place { target: server.target("root", "shop"), ask: Box::new(|sql| server.ask(sql)) };
    check_refused_when_rows_stay(
        &sandbox,
        &place,
        "select cast(count(*) as char) from shop.t where n is not null",
    );
}

#[test]
fn an_interrupt_ends_it_after_a_whole_piece() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        &format!(
            "create table t (id bigint primary key, a bigint, n integer not null default 0); \
             insert into t select i, null, 0 from generate_series(1, {ROWS}) i"
        ),
    );
    let target = server.target("postgres", "shop");
    let small: Vec<&str> = WORK.iter().copied().chain(["--target-time", "10ms", "--rows", "100"]).collect();
    let running = sandbox.dbwright(&arguments(&target, &small)).start();
    let done = || {
        server.ask("shop", "select count(*) from t where a is not null")[0].parse::<u64>().expect("a number")
    };
    while done() < 1_000 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal(libc::SIGINT);
    let outcome = running.finish().expect(2);
    assert!(outcome.err().contains("stopped after a whole piece"), "{}", outcome.err());
    assert!(outcome.err().contains("run the same command again to go on"), "{}", outcome.err());
    let row = server.ask("shop", "select state || ' ' || rows_done from dbwright_backfills");
    assert_eq!(row, [format!("stopped {}", done())]);
    // What another has begun is not done by two.
    let locker = "select pg_advisory_lock(1)";
    assert_eq!(server.ask("shop", locker).len(), 1);
    sandbox.run(&arguments(&target, &WORK)).expect(0);
    assert_eq!(done() as usize, ROWS);
}

#[test]
fn a_locked_row_delays_its_piece_and_no_other_session() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        "create table t (id bigint primary key, a bigint, n integer not null default 0); \
         insert into t select i, null, 0 from generate_series(1, 2000) i",
    );
    let runtime = proof_cli::runtime();
    let mut holder = runtime.block_on(proof_cli::write(&server.server.dsn("shop")));
    runtime.block_on(holder.script("begin; update t set n = n where id = 1500")).expect("it is free");
    let target = server.target("postgres", "shop");
    let own: Vec<&str> = WORK.iter().copied().chain(["--lock-timeout", "100ms", "--rows", "500"]).collect();
    let running = sandbox.dbwright(&arguments(&target, &own)).start();
    std::thread::sleep(Duration::from_millis(900));
    runtime.block_on(holder.script("commit")).expect("it commits");
    let outcome = running.finish().expect(0);
    assert!(outcome.out().contains("because a lock was not had in time"), "{}", outcome.out());
    assert_eq!(server.ask("shop", "select count(*) from t where n <> 1"), ["0"]);
}

#[test]
fn a_replica_that_falls_behind_is_waited_for() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[("wal_level", "replica"), ("max_wal_senders", "4")]);
    server.database(
        "shop",
        "create table t (id bigint primary key, a bigint, n integer not null default 0); \
         insert into t select i, null, 0 from generate_series(1, 300000) i",
    );
    let Some(standby) = Standby::follow(&server) else {
        proof_cli::not_installed("`pg_basebackup`");
        return;
    };
    let on_standby = |sql: &str| {
        let dsn = dbwright_engine::dsn::Dsn::parse(&standby.target("postgres")).expect("it is a target");
        proof_cli::runtime().block_on(async {
            let mut session = proof_cli::write(&dsn).await;
            session.script(sql).await.expect("the query is right");
        });
    };
    on_standby("select pg_wal_replay_pause()");
    let target = server.target("postgres", "shop");
    let own: Vec<&str> =
        WORK.iter().copied().chain(["--max-lag", "1s", "--rows", "50", "--target-time", "2ms"]).collect();
    let running = sandbox.dbwright(&arguments(&target, &own)).start();
    std::thread::sleep(Duration::from_secs(5));
    let at = || server.ask("shop", "select count(*) from t where a is not null")[0].clone();
    let (one, other) = (at(), {
        std::thread::sleep(Duration::from_millis(1500));
        at()
    });
    assert_eq!(one, other, "it goes on although the replica does not");
    assert_ne!(one, "300000", "it was done before the replica fell behind");
    on_standby("select pg_wal_replay_resume()");
    let outcome = running.finish().expect(0);
    assert!(outcome.out().contains("because a replica is … s behind"), "{}", outcome.out());
    assert_eq!(at(), "300000");
}

#[test]
fn dead_rows_are_vacuumed_when_asked_and_told_otherwise() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[("autovacuum", "off")]);
    let script = format!(
        "create table t (id bigint primary key, a bigint, n integer not null default 0); create index on t (a); \
         insert into t select i, null, 0 from generate_series(1, {ROWS}) i; analyze t"
    );
    let pieces = ["--rows", "2000", "--target-time", "30ms"];
    for (database, vacuum) in [("told", false), ("done", true)] {
        server.database(database, &script);
        let target = server.target("postgres", database);
        let mut own: Vec<&str> = WORK.iter().chain(&pieces).copied().collect();
        if vacuum {
            own.push("--vacuum");
        }
        let outcome = sandbox.run(&arguments(&target, &own)).expect(0);
        assert_eq!(outcome.out().contains("It vacuumed"), vacuum, "{}", outcome.out());
        assert_eq!(outcome.out().contains("should be vacuumed"), !vacuum, "{}", outcome.out());
    }
}

#[test]
fn pieces_have_the_rows_that_were_asked_for_in_the_order_of_the_key() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    // Keys of one to five digits, so that their order as text is another one.
    server.database(
        "shop",
        "create table t (id bigint primary key, a bigint, n integer not null default 0); \
         insert into t select i, null, 0 from generate_series(1, 20000) i; analyze t; \
         create table pieces (number bigserial, rows bigint, first bigint, last bigint); \
         create function noted() returns trigger language plpgsql as \
         $$ begin insert into pieces (rows, first, last) select count(*), min(id), max(id) from written; return null; end $$; \
         create trigger noted after update on t referencing new table as written for each statement \
         execute function noted()",
    );
    let target = server.target("postgres", "shop");
    let own: Vec<&str> = WORK.iter().copied().chain(["--rows", "100", "--target-time", "50ms"]).collect();
    sandbox.run(&arguments(&target, &own)).expect(0);
    let first = server.ask("shop", "select rows || ' to ' || last from pieces order by number limit 1");
    assert_eq!(first, ["100 to 100"]);
    let wrong = server.ask(
        "shop",
        "select number || ': ' || rows || ' rows from ' || first from (select *, lag(rows) over w as rows_before, \
         lag(last) over w as last_before from pieces where rows > 0 window w as (order by number)) as piece \
         where rows > 2 * rows_before or first <> last_before + 1",
    );
    assert_eq!(wrong, [] as [String; 0]);
    assert_eq!(server.ask("shop", "select sum(rows) from pieces"), ["20000"]);
}

/// Rows that cost a millisecond each, and a first piece of all of them, which may take a second: it is taken back.
fn check_cut(outcome: &Outcome, wrong: &[String]) {
    assert!(outcome.out().contains("took too long; they were taken back"), "{}", outcome.out());
    assert_eq!(wrong, ["0"], "{}", outcome.out());
}

const SLOW: [&str; 6] = ["--rows", "1500", "--target-time", "300ms", "--lock-timeout", "1s"];

#[test]
fn a_piece_that_keeps_others_waiting_is_taken_back_and_made_smaller() {
    let sandbox = Sandbox::new();
    let own: Vec<&str> = WORK.iter().chain(&SLOW).copied().collect();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        "create table t (id bigint primary key, a bigint, n integer not null default 0); \
         insert into t select i, null, 0 from generate_series(1, 1500) i; analyze t; \
         create function slow() returns trigger language plpgsql as \
         $$ begin perform pg_sleep(0.001); return new; end $$; \
         create trigger slow before update on t for each row execute function slow()",
    );
    let outcome = sandbox.run(&arguments(&server.target("postgres", "shop"), &own)).expect(0);
    check_cut(&outcome, &server.ask("shop", "select count(*) from t where a is null or n <> 1"));

    let server = Mariadb::start(
        &[],
        "create database shop; use shop; \
         create table t (id bigint primary key, a bigint, n integer not null default 0); \
         insert into t select seq, null, 0 from seq_1_to_1500; \
         create trigger slow before update on t for each row set @slept = sleep(0.001)",
    );
    let outcome = sandbox.run(&arguments(&server.target("root", "shop"), &own)).expect(0);
    check_cut(&outcome, &server.ask("select cast(count(*) as char) from shop.t where a is null or n <> 1"));
}
