//! What is read from files.

use super::*;
use dbwright_model::migration::Risk;

fn one(name: &str, text: &str) -> Migration {
    all(&[(name, text)]).pop().expect("one file is one migration")
}

fn all(files: &[(&str, &str)]) -> Vec<Migration> {
    in_dialect(Dialect::Postgres, files)
}

fn in_dialect(dialect: Dialect, files: &[(&str, &str)]) -> Vec<Migration> {
    let files: Vec<SourceFile> = files
        .iter()
        .map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() })
        .collect();
    let around = Around { names: files.iter().map(|file| file.name.clone()).collect(), ..Around::default() };
    read(dialect, &files, &around)
}

fn texts(statements: &[Statement]) -> Vec<&str> {
    statements.iter().map(|statement| statement.sql.as_str()).collect()
}

const OWN: &str = r#"-- Migration: 20261121120001_t_a_not_null_1_add_check.sql
-- Author: Jane Doe <jane@example.com>
-- Ticket: -
-- Risk: low
-- Rollback: see DOWN
-- Estimated time: under a second
-- Requires: 20261121120000
-- Waits for: Every server runs the release that writes `t.a`.
-- dbwright: transaction=one lock_timeout=2s statement_timeout=30s retries=3 first_wait=500ms longest_wait=1min undo_first

-- ========== PRE-CHECK ==========
-- Rows mean: Rows of `t` hold no `a`.
-- Keys: id, "Odd"
-- select * from t
-- where a is null;
-- Rows mean: Another.
-- select 1;

-- ========== UP ==========
begin;
set local lock_timeout = '2s';
set local statement_timeout = '30s';
alter table t add constraint c check (a is not null) not valid;
commit;

-- ========== DOWN ==========
-- begin;
-- alter table t drop constraint c;
-- commit;

-- ========== VERIFY ==========
-- Rows mean: The constraint is missing.
-- select 1 where false;
"#;

#[test]
fn an_own_file_tells_everything() {
    let read = one("m/20261121120001_t_a_not_null_1_add_check.sql", OWN);
    assert_eq!(
        (read.version.as_str(), read.description.as_str()),
        ("20261121120001", "t a not null 1 add check")
    );
    assert_eq!(read.header.author, "Jane Doe <jane@example.com>");
    assert_eq!((read.header.ticket.as_str(), read.header.risk), ("", Some(Risk::Low)));
    assert_eq!(read.header.requires, ["20261121120000"]);
    assert_eq!(read.header.waits_for.as_deref(), Some("Every server runs the release that writes `t.a`."));
    assert_eq!(read.transaction, TransactionMode::OneTransaction);
    assert_eq!((read.lock_timeout, read.statement_timeout), (Some(2000), Some(30_000)));
    let retries = read.retries.expect("they are written");
    assert_eq!((retries.attempts, retries.first_wait, retries.longest_wait), (3, 500, 60_000));
    assert!(retries.undo_first);
    let checks: Vec<(&str, usize)> =
        read.pre_checks.iter().map(|check| (check.sql.as_str(), check.keys.len())).collect();
    assert_eq!(checks, [("select * from t\nwhere a is null", 2), ("select 1", 0)]);
    assert_eq!(read.pre_checks[0].keys[1].as_str(), "Odd");
    assert_eq!(texts(&read.up), ["alter table t add constraint c check (a is not null) not valid"]);
    assert_eq!(read.up[0].line, 23);
    let Down::Statements(down) = &read.down else { panic!("{:?}", read.down) };
    assert_eq!((texts(down), down[0].line), (vec!["alter table t drop constraint c"], 28));
    assert_eq!(read.verify[0].rows_mean, "The constraint is missing.");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn line_ends_and_a_byte_order_mark_do_not_change_the_checksum() {
    let with_returns = format!("\u{feff}{}", OWN.replace('\n', "\r\n"));
    let (unix, dos) = (one("1_a.sql", OWN), one("1_a.sql", &with_returns));
    assert_eq!(unix.checksum, dos.checksum);
    assert_eq!(unix.up, dos.up);
    assert_eq!(unix.pre_checks.len(), dos.pre_checks.len());
    assert_ne!(unix.checksum, one("1_a.sql", &OWN.replace("not valid", "")).checksum);
    assert_eq!(
        one("1_a.sql", "abc").checksum,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn versions_come_from_names() {
    let check = |name: &str, version: &str, description: &str, repeatable: bool| {
        assert_eq!(version_of(name), (version.to_owned(), description.to_owned(), repeatable), "{name}");
    };
    check("V2_1__add_c.sql", "2.1", "add c", false);
    check("V2.1__add_c.sql", "2.1", "add c", false);
    check("db/R__views.sql", "R__views", "views", true);
    check("migrations/0007_add_users.up.sql", "0007", "add users", false);
    check("2020-01-02-030405_create_t/up.sql", "20200102030405", "create t", false);
    check("prisma/migrations/20200102030405_init/migration.sql", "20200102030405", "init", false);
    check("schema.sql", "schema", "schema", false);
    check("20261121120001_a.sql", "20261121120001", "a", false);
}

#[test]
fn the_way_back_is_found_where_each_tool_keeps_it() {
    let check = |files: &[(&str, &str)], up: &str, down: &str| {
        let read = all(files);
        assert_eq!(read.len(), 1, "{files:?}");
        assert_eq!(texts(&read[0].up), [up], "{files:?}");
        let Down::Statements(found) = &read[0].down else { panic!("{files:?}: {:?}", read[0].down) };
        assert_eq!(texts(found), [down], "{files:?}");
        assert!(read[0].problems.is_empty(), "{files:?}: {:?}", read[0].problems);
    };
    check(&[("1_a.sql", "-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;\n")], "select 1", "select 2");
    check(&[("1_a.sql", "-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;\n")], "select 1", "select 2");
    check(&[("1_a.up.sql", "select 1;"), ("1_a.down.sql", "select 2;")], "select 1", "select 2");
    check(&[("2020_a/down.sql", "select 2;"), ("2020_a/up.sql", "select 1;")], "select 1", "select 2");
    check(&[("V1__a.sql", "select 1;"), ("U1__b.sql", "select 2;")], "select 1", "select 2");
    assert_eq!(one("1_a.sql", "select 1").down, Down::Missing);
    let said =
        one("1_a.sql", "-- ===== UP =====\nselect 1;\n-- ===== DOWN =====\n-- irreversible: rows are gone\n");
    assert_eq!(said.down, Down::Irreversible("rows are gone".to_owned()));
    let said = one("1_a.sql", "-- ===== UP =====\nselect 1;\n-- ===== DOWN =====\n-- nothing: see before\n");
    assert_eq!(said.down, Down::Statements(Vec::new()));
}

#[test]
fn transactions_are_those_of_the_tool_unless_a_statement_refuses() {
    use TransactionMode::{NoTransaction, OneTransaction};
    let check = |name: &str, text: &str, mode: TransactionMode, statements: usize| {
        let read = one(name, text);
        assert_eq!((read.transaction, read.up.len()), (mode, statements), "{text}");
    };
    check("1_a.sql", "select 1; select 2;", OneTransaction, 2);
    check("1_a.sql", "begin; select 1; commit;", OneTransaction, 1);
    check("1_a.sql", "create index concurrently i on t (a);", NoTransaction, 1);
    check("1_a.sql", "begin; select 1; commit; select 2;", NoTransaction, 4);
    check("1_a.sql", "-- dbwright: transaction=none\nselect 1;", NoTransaction, 1);
    check("1_a.sql", "-- migrate:up transaction:false\nselect 1;", NoTransaction, 1);
    let inside = one("1_a.sql", "-- migrate:up\nbegin; select 1; commit; select 2;");
    assert_eq!(inside.problems.len(), 2, "{:?}", inside.problems);
}

#[test]
fn what_only_a_client_understands_is_a_problem() {
    let check = |dialect, text: &str, line: u32| {
        let read = in_dialect(dialect, &[("1_a.sql", text)]).pop().expect("one file is one migration");
        assert_eq!(read.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [line], "{text}");
    };
    check(Dialect::Postgres, "select 1;\n\\connect other\n", 2);
    check(Dialect::Postgres, "select 1;\ncreate table ${name} (a int);", 2);
    check(Dialect::Postgres, "select 1;\n\nselect 'a", 3);
    check(Dialect::Postgres, "-- dbwright: transaction=maybe\nselect 1;", 1);
    check(Dialect::Sqlite, ".mode csv\nselect 1;", 1);
    let fine = "delimiter //\ncreate procedure p() begin select 1; select 2; end//\ndelimiter ;\nselect 3;";
    let read = in_dialect(Dialect::Mysql, &[("1_a.sql", fine)]);
    assert_eq!((read[0].problems.len(), read[0].up.len()), (0, 2), "{read:?}");
}

#[test]
fn a_backfill_is_marked_before_its_update() {
    let text = "-- dbwright: transaction=none\n\n-- ========== UP ==========\n\
        -- dbwright: backfill table=\"public\".\"odd name\" keyset=\"id\",\"b\" rows=500\n\
        update \"odd name\" set a = coalesce(b, (1)) where (a is null and b <> ')');\n";
    let read = one("1_a.sql", text);
    let backfill = read.up[0].backfill.as_ref().expect("it is marked");
    assert_eq!(backfill.table, "\"public\".\"odd name\"");
    assert_eq!(backfill.keyset.iter().map(|key| key.as_str()).collect::<Vec<_>>(), ["id", "b"]);
    assert_eq!((backfill.filter.as_str(), backfill.rows), ("a is null and b <> ')'", 500));
    let wrong =
        one("1_a.sql", "-- dbwright: backfill table=t keyset=id\nupdate t set a = 1 where a is null;");
    assert_eq!(wrong.problems.len(), 1);
    let plain = one("1_a.sql", "update t set a = 1 where (a is null);");
    assert!(plain.up[0].backfill.is_none() && plain.problems.is_empty());
}

#[test]
fn a_changeset_of_liquibase_is_a_migration_of_its_own() {
    let text = "--liquibase formatted sql\n\n--changeset ann:1\nselect 1;\n--rollback select 2;\n\n\
        --changeset bob:2 runInTransaction:false\nselect 3;\n";
    let read = all(&[("001.sql", text)]);
    let versions: Vec<&str> = read.iter().map(|migration| migration.version.as_str()).collect();
    assert_eq!(versions, ["001:ann:1", "001:bob:2"]);
    assert_eq!(read[1].transaction, TransactionMode::NoTransaction);
    assert!(matches!(&read[0].down, Down::Statements(down) if down[0].sql == "select 2"));
    assert_ne!(read[0].checksum, read[1].checksum);
}

#[test]
fn the_looks_of_a_file_do_not_change_its_content() {
    let content = |text: &str| one("1_a.sql", text).content;
    let plain = content("select 'a  b', 1;");
    assert_eq!(plain, content("-- why\nselect  'a  b', /* c */\n1 ;"));
    assert_ne!(plain, content("select 'a b', 1;"));
}
