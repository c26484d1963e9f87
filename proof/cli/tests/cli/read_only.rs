//! What is looked at does not change, by one byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proof_cli::Sandbox;
use proof_cli::servers::{Mariadb, Postgres};

const SHOP: &str = "
    create table parent (id int primary key, name varchar(100));
    create table child (id int primary key, parent_id int references parent (id), email varchar(100));
    create view v as select name from parent;
    insert into parent values (1, 'x'), (2, 'y');
    insert into child values (1, 1, 'a@example.com'), (2, 2, 'a@example.com');
";

/// Every command that reads a target.
fn commands(target: &str) -> Vec<Vec<String>> {
    let words = |line: &str| -> Vec<String> {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        words.insert(1, target.to_owned());
        words
    };
    [
        "audit --fail-on never",
        "audit --data --preview all --fail-on never",
        "review --fail-on never",
        "snapshot",
    ]
    .map(words)
    .into()
}

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let bytes = fs::read(entry.path()).expect("it may be read");
            (entry.file_name().to_string_lossy().into_owned(), bytes)
        })
        .collect()
}

#[test]
fn sqlite_files_keep_every_byte() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("plain.sqlite", SHOP);
    sandbox.sqlite("wal.sqlite", &format!("pragma journal_mode = wal; {SHOP}"));
    sandbox.sqlite("empty.sqlite", "pragma user_version = 1");
    let before = content(&sandbox.path(""));
    let stamp =
        |name: &str| fs::metadata(sandbox.path(name)).and_then(|m| m.modified()).expect("it is there");
    for name in ["plain.sqlite", "wal.sqlite", "empty.sqlite"] {
        let changed = stamp(name);
        for command in commands(name) {
            sandbox.run(&command).expect(0);
        }
        assert_eq!(changed, stamp(name), "{name}");
    }
    let after = content(&sandbox.path(""));
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    assert!(before == after, "a file changed");
    assert!(sandbox.leftovers().is_empty());
}

/// Nothing but our own sessions writes to this server: no autovacuum, no timed checkpoint, no records for standbys.
/// Freezing beforehand leaves readers nothing to prune, since pruning a page on the way is logged and is the server's
/// own housekeeping. So the end of the log must stay exactly where it was, and no transaction may get a number.
#[test]
fn postgres_writes_nothing() {
    let sandbox = Sandbox::new();
    let settings =
        [("wal_level", "minimal"), ("max_wal_senders", "0"), ("checkpoint_timeout", "1d"), ("jit", "off")];
    let postgres = Postgres::start(&sandbox, &settings);
    postgres.database("shop", SHOP);
    postgres.ask("shop", "vacuum (freeze, analyze)");
    postgres.ask("postgres", "vacuum (freeze, analyze)");
    postgres.ask("shop", "checkpoint");
    let catalogs = [
        "pg_class",
        "pg_attribute",
        "pg_constraint",
        "pg_index",
        "pg_proc",
        "pg_type",
        "pg_namespace",
        "pg_authid",
        "pg_database",
        "pg_db_role_setting",
        "pg_statistic",
        "parent",
        "child",
    ]
    .map(|table| {
        format!("select '{table} ' || md5(string_agg(x::text, ',' order by x::text)) from {table} x")
    })
    .join(" union all ");
    let look = || {
        let mut seen = postgres.ask("shop", &catalogs);
        seen.extend(postgres.ask(
            "shop",
            "select 'log ' || pg_current_wal_insert_lsn()
             union all select 'next transaction ' || pg_snapshot_xmax(pg_current_snapshot())
             union all select 'temporary ' || count(*) from pg_class where relpersistence = 't'
             union all select 'temporary schemas ' || count(*) from pg_namespace where nspname like 'pg%temp%'
             union all select 'locks ' || count(*) from pg_locks where locktype = 'advisory'",
        ));
        seen
    };
    look();
    let before = look();
    assert_eq!(look(), before, "looking must not change what is compared");
    for command in commands(&postgres.target("postgres", "shop")) {
        sandbox.run(&command).expect(0);
        assert_eq!(look(), before, "{command:?}");
    }
    let sessions = "select count(*) from pg_stat_activity where application_name = 'dbwright'";
    assert_eq!(postgres.ask("shop", sessions), ["0"], "a session stayed open");
}

#[test]
fn mariadb_writes_nothing() {
    let sandbox = Sandbox::new();
    let mariadb = Mariadb::start(
        &[("log-bin", "log"), ("server-id", "1"), ("performance_schema", "ON")],
        &format!("create database shop; use shop; {SHOP} analyze table parent; analyze table child"),
    );
    let look = || {
        let mut seen = mariadb.ask("show master status");
        seen.extend(mariadb.ask(
            "select concat(variable_name, ' ', variable_value) from information_schema.global_status
             where variable_name regexp '^COM_(INSERT|UPDATE|DELETE|REPLACE|LOAD|TRUNCATE|CREATE|ALTER|DROP|RENAME|GRANT|REVOKE|LOCK|FLUSH|ANALYZE|OPTIMIZE|CALL|SET_PASSWORD)'
                or variable_name in ('HANDLER_WRITE', 'HANDLER_UPDATE', 'HANDLER_DELETE', 'INNODB_ROWS_INSERTED')
             order by 1",
        ));
        seen.extend(mariadb.ask("checksum table shop.parent, shop.child"));
        seen
    };
    look();
    let before = look();
    assert!(before.len() > 20, "{before:?}");
    assert_eq!(look(), before, "looking must not change what is compared");
    for command in commands(&mariadb.target("root", "shop")) {
        sandbox.run(&command).expect(0);
        assert_eq!(look(), before, "{command:?}");
    }
}
