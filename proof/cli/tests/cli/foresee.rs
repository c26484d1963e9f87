//! What `migrate up` looks at and shows before it runs anything, and how it runs what needs more than one statement.

use std::time::Duration;

use proof_cli::Sandbox;
use proof_cli::pooler::Pooler;
use proof_cli::servers::{Mariadb, Postgres};

const ADD: &str = "alter table t add column b integer;\n";
const CHANGE: &str = "alter table t alter column a type bigint;\n";

fn table(rows: usize) -> String {
    format!(
        "create table t (id integer primary key, a integer, c integer, n integer not null default 0); \
         insert into t select i, i, null, 0 from generate_series(1, {rows}) i; analyze t"
    )
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &table(1_000));
    sandbox.file("migrations/20260101000000_change.sql", CHANGE);
    sandbox.file("migrations/20260101000001_add.sql", ADD);
    let target = server.target("postgres", "shop");
    let structure = "select string_agg(relname || relfilenode || relnatts, ',' order by oid) from pg_class";
    let written = "select pg_current_wal_insert_lsn()::text";
    let before = (
        server.ask("shop", structure),
        server.ask("shop", "checkpoint; select 1"),
        server.ask("shop", written),
    );
    let outcome = sandbox.run(&["migrate", "up", "--dry-run", "--target", &target, "migrations"]).expect(0);
    let out = outcome.out();
    for words in [
        "alter table t alter column a type bigint;",
        "`public.t`: ACCESS EXCLUSIVE, blocks reads and writes; rewrite, under a second",
        "one transaction; lock timeout the runner's",
        "pass    pooler",
        "pass    privileges",
        "Nobody replicates from this server.",
        "Nothing was changed.",
    ] {
        assert!(out.contains(words), "{words} is missing:\n{out}");
    }
    assert_eq!(server.ask("shop", structure), before.0);
    let now = server.ask("shop", written);
    let grown = server.ask("shop", &format!("select pg_wal_lsn_diff('{}', '{}')::text", now[0], before.2[0]));
    // The server itself logs a few words from time to time.
    assert!(grown[0].parse::<u64>().is_ok_and(|bytes| bytes < 2_000), "{grown:?} bytes of log");
}

#[test]
fn a_dry_run_on_a_file_leaves_every_byte() {
    let sandbox = Sandbox::new();
    let path = sandbox.sqlite("shop.db", "create table t (id integer primary key, a integer)");
    sandbox.file("migrations/1_add.sql", ADD);
    let before = std::fs::read(&path).expect("it is there");
    let target = path.display().to_string();
    let outcome = sandbox.run(&["migrate", "up", "--dry-run", "--target", &target, "migrations"]).expect(0);
    assert!(outcome.out().contains("write lock on the file"), "{}", outcome.out());
    assert_eq!(std::fs::read(&path).expect("it is there"), before);
    let new = sandbox.path("new.db");
    sandbox.file("first/1_make.sql", "create table t (id integer primary key);");
    sandbox.run(&["migrate", "up", "--dry-run", "--target", &new.display().to_string(), "first"]).expect(0);
    assert!(!new.exists(), "a dry run made the file");
}

#[test]
fn who_would_be_waited_for_is_told() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &table(10));
    sandbox.file("migrations/1_add.sql", ADD);
    let runtime = proof_cli::runtime();
    let mut holder = runtime.block_on(proof_cli::write(&server.server.dsn("shop")));
    runtime.block_on(holder.script("begin; update t set c = 1")).expect("it is free");
    std::thread::sleep(Duration::from_millis(5_500));
    let target = server.target("postgres", "shop");
    let outcome = sandbox.run(&["migrate", "up", "--dry-run", "--target", &target, "migrations"]).expect(0);
    let line = outcome.out().lines().find(|line| line.contains("long-transactions")).map(str::to_owned);
    let line = line.expect("the check is shown");
    assert!(line.trim().starts_with("warn") && line.contains("locks of tables that it used wait"), "{line}");
    runtime.block_on(holder.script("rollback")).expect("it ends");
}

#[test]
fn a_role_that_may_not_is_stopped_before_anything_is_run() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        &format!(
            "{}; create role clerk login password 'clerk'; grant create on schema public to clerk",
            table(10)
        ),
    );
    sandbox.file("migrations/1_add.sql", ADD);
    let target = server.target("clerk:clerk", "shop");
    let run = |more: &[&str]| {
        let mut all = vec!["migrate", "up", "--yes", "--target", &target, "migrations"];
        all.extend(more);
        sandbox.run(&all).expect(2).err()
    };
    let refused = run(&[]);
    assert!(refused.contains("only their owners may change them: public.t"), "{refused}");
    assert!(refused.contains("--skip-preflight privileges"), "{refused}");
    assert_eq!(server.ask("shop", "select count(*) from pg_class where relname like 'dbwright%'"), ["0"]);
    let skipped = run(&["--skip-preflight", "privileges"]);
    assert!(skipped.contains("must be owner of table t"), "{skipped}");
    assert!(run(&["--skip-preflight", "luck"]).contains("there is no check `luck`"));
}

#[test]
fn a_pooler_of_transactions_is_seen_and_refused() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &table(10));
    sandbox.file("migrations/1_add.sql", ADD);
    let pooler = Pooler::start(&server.socket(), "shop");
    let target = pooler.target("shop");
    let outcome = sandbox.run(&["migrate", "up", "--yes", "--target", &target, "migrations"]).expect(2);
    assert!(outcome.err().contains("A pooler stands between"), "{}", outcome.err());
    assert!(outcome.err().contains("Name the server itself as the target"), "{}", outcome.err());
    assert_eq!(server.ask("shop", "select count(*) from pg_class where relname like 'dbwright%'"), ["0"]);
}

#[test]
fn mariadb_is_told_how_and_is_never_made_to_copy_unasked() {
    let sandbox = Sandbox::new();
    let server = Mariadb::start(
        &[("general_log", "1"), ("log_output", "TABLE")],
        "create database shop; use shop; \
         create table t (id integer primary key, a integer); insert into t select seq, seq from seq_1_to_5000; \
         create table few (id integer primary key, a integer); insert into few values (1, 1); \
         create table child (id integer primary key, t_id integer references t (id))",
    );
    let target = server.target("root", "shop");
    let up = |file: &str, sql: &str, more: &[&str]| {
        sandbox.file(&format!("migrations/{file}.sql"), sql);
        let mut all = vec!["migrate", "up", "--yes", "--target", &target, "migrations"];
        all.extend(more);
        sandbox.run(&all)
    };
    up("1_add", "alter table t add column b integer;", &[]).expect(0);
    up("2_index", "create index i on t (a);", &[]).expect(0);
    up("3_few", "alter table few modify a bigint;", &[]).expect(0);
    let sent = server.ask(
        "select convert(argument using utf8mb4) from mysql.general_log where command_type = 'Query' \
         and user_host like 'root%' and argument regexp '^(alter|create index)' and argument not like '%dbwright_%'",
    );
    let has = |words: &str| sent.iter().any(|sql| sql.eq_ignore_ascii_case(words));
    assert!(has("alter table t ALGORITHM=INSTANT, add column b integer"), "{sent:#?}");
    assert!(has("create index i on t (a) ALGORITHM=NOCOPY LOCK=NONE"), "{sent:#?}");
    assert!(has("alter table few modify a bigint"), "{sent:#?}");
    let refused = up("4_copy", "alter table t modify a bigint;", &[]).expect(2).err();
    for words in [
        "only by copying it",
        "--allow-copy",
        "pt-online-schema-change can do it while the table is in use",
        "--alter 'modify a bigint'",
        "--alter-foreign-keys-method auto",
        "gh-ost cannot do it: `child` refer to the table",
    ] {
        assert!(refused.contains(words), "{words} is missing:\n{refused}");
    }
    assert_eq!(server.ask("select data_type from information_schema.columns where table_schema = 'shop' and table_name = 't' and column_name = 'a'"), ["int"]);
    up("4_copy", "alter table t modify a bigint;", &["--allow-copy"]).expect(0);
    assert_eq!(
        server.ask("select schema_name from information_schema.schemata where schema_name like 'dbwright%'"),
        Vec::<String>::new()
    );
}

/// A migration whose `UPDATE` is written in pieces, killed in the middle and gone on with.
#[test]
fn up_writes_a_marked_update_in_pieces_and_goes_on_after_a_kill() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &table(200_000));
    sandbox.file(
        "migrations/1_fill.sql",
        "-- dbwright: transaction=none\n\
         -- dbwright: backfill table=\"public\".\"t\" keyset=\"id\" rows=200\n\
         update t set c = a * 2, n = n + 1 where (c is null);\n\
         alter table t add column done boolean;\n",
    );
    let target = server.target("postgres", "shop");
    let arguments = ["migrate", "up", "--yes", "--target", &target, "migrations"];
    let running = sandbox.dbwright(&arguments).start();
    let done = || {
        server.ask("shop", "select count(*) from t where c is not null")[0]
            .parse::<usize>()
            .expect("a number")
    };
    while done() < 200 {
        std::thread::sleep(Duration::from_millis(2));
    }
    running.signal(libc::SIGKILL);
    running.finish();
    assert!((200..200_000).contains(&done()), "it was killed too late");
    sandbox.run(&arguments).expect(0);
    assert_eq!(server.ask("shop", "select count(*) from t where c <> a * 2 or c is null or n <> 1"), ["0"]);
    let state = "select state || ' ' || rows_done || ' ' || (select state from dbwright_migrations) from dbwright_backfills";
    assert_eq!(server.ask("shop", state), ["done 200000 applied"]);
}

#[test]
fn up_writes_a_marked_update_in_pieces_on_a_file() {
    let sandbox = Sandbox::new();
    let path = sandbox.sqlite(
        "shop.db",
        "create table t (id integer primary key, a integer, c integer); \
         with recursive s(i) as (select 1 union all select i + 1 from s where i < 20000) insert into t select i, i, null from s",
    );
    sandbox.file(
        "migrations/1_fill.sql",
        "-- dbwright: backfill table=\"t\" keyset=\"id\" rows=500\nupdate t set c = a * 2 where (c is null);\n",
    );
    let target = path.display().to_string();
    sandbox.run(&["migrate", "up", "--yes", "--target", &target, "migrations"]).expect(0);
    let dsn = dbwright_engine::dsn::Dsn::Sqlite(path);
    let rows = proof_cli::runtime().block_on(async {
        let mut session = proof_cli::write(&dsn).await;
        session
            .ask_bound("select cast(count(*) as text) from t where c = a * 2", &[])
            .await
            .expect("it is right")
    });
    assert_eq!(rows, [[Some("20000".to_owned())]]);
}

#[test]
fn who_is_waited_for_is_told_however_short_the_wait() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &table(10));
    sandbox.file("migrations/1_add.sql", ADD);
    let target = server.target("postgres", "shop");
    let up = ["migrate", "up", "--yes", "--lock-timeout", "300ms", "--retries", "1", "--json"];
    std::thread::scope(|scope| {
        let holder = "begin; lock table t; select pg_sleep(8); commit";
        let holding = scope.spawn(|| server.ask("shop", holder));
        let held = "select count(*)::text from pg_locks where mode = 'AccessExclusiveLock' and relation = 't'::regclass";
        while server.ask("shop", held) != ["1"] {
            std::thread::sleep(Duration::from_millis(20));
        }
        let failed = sandbox.run(&[&up[..], &["--target", &target, "migrations"]].concat()).expect(2);
        let message = failed.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("it waited for session") && message.contains("pg_sleep"), "{message}");
        holding.join().expect("it was only waited for");
    });
}
