//! What the files of steps look like.

use dbwright_model::migration::Risk;
use dbwright_model::plan::Retries;

use super::*;

fn change(dialect: Dialect, sql: &str) -> Vec<Work> {
    crate::parse_statement(dialect, sql).into_iter().map(Work::from).collect()
}

fn check(engine: Engine, step: &Step, expected: &str) {
    let header = Header { author: "Jane Doe".to_owned(), risk: Some(Risk::Low), ..Header::default() };
    let text = write(engine, None, "1_a.sql", &header, step).expect("it can be written");
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("-- dbwright")).collect();
    assert_eq!(lines.join("\n"), expected.trim_matches('\n'), "{text}");
    assert!(
        text.starts_with("-- Migration: 1_a.sql\n-- Author: Jane Doe\n-- Ticket: -\n-- Risk: low\n"),
        "{text}"
    );
    // Whoever knows nothing of the sections runs UP alone.
    let run: Vec<&str> = crate::split(engine.dialect(), &text).into_iter().map(|it| it.text).collect();
    let up = text
        .split("== UP ==========\n")
        .nth(1)
        .unwrap_or_default()
        .split("\n\n-- ==")
        .next()
        .unwrap_or_default();
    let ours: Vec<&str> = crate::split(engine.dialect(), up).into_iter().map(|it| it.text).collect();
    assert_eq!(run, ours, "{text}");
}

#[test]
fn a_step_in_a_transaction_has_limits_a_way_back_and_questions() {
    let step = Step {
        work: change(Dialect::Postgres, "alter table public.t alter a set not null"),
        undo: Undo::Work(change(Dialect::Postgres, "alter table public.t alter a drop not null")),
        lock_timeout: Some(2_000),
        statement_timeout: Some(10_500),
        retries: Retries { attempts: 3, first_wait: 500, longest_wait: 30_000, undo_first: false },
        verify: Some(CheckQuery {
            sql: "SELECT *\nFROM t WHERE a IS NULL".to_owned(),
            rows_mean: "These rows\nhave no `a`.".to_owned(),
            keys: vec![Name::new("id"), Name::new("B")],
        }),
        ..Step::default()
    };
    check(
        Engine::Postgres,
        &step,
        r#"
-- dbwright: transaction=one lock_timeout=2s statement_timeout=10500ms retries=3 first_wait=500ms longest_wait=30s

-- ========== UP ==========
begin;
set local lock_timeout = '2s';
set local statement_timeout = '10500ms';
ALTER TABLE public.t ALTER COLUMN a SET NOT NULL;
commit;

-- ========== DOWN ==========
-- begin;
-- set local lock_timeout = '2s';
-- set local statement_timeout = '10500ms';
-- ALTER TABLE public.t ALTER COLUMN a DROP NOT NULL;
-- commit;

-- ========== VERIFY ==========
-- Rows mean: These rows have no `a`.
-- Keys: id, "B"
-- SELECT *
-- FROM t WHERE a IS NULL;
"#,
    );
}

#[test]
fn a_concurrent_build_stands_outside_without_limits() {
    let step = Step {
        work: change(Dialect::Postgres, "create index concurrently i on public.t (a)"),
        undo: Undo::Work(change(Dialect::Postgres, "drop index concurrently public.i")),
        transaction: TransactionMode::NoTransaction,
        lock_timeout: Some(0),
        statement_timeout: Some(0),
        retries: Retries { attempts: 2, first_wait: 5_000, longest_wait: 60_000, undo_first: true },
        ..Step::default()
    };
    check(
        Engine::Postgres,
        &step,
        "
-- dbwright: transaction=none lock_timeout=0 statement_timeout=0 retries=2 first_wait=5s longest_wait=60s undo_first

-- ========== UP ==========
set lock_timeout = 0;
set statement_timeout = 0;
CREATE INDEX CONCURRENTLY i ON public.t (a);

-- ========== DOWN ==========
-- set lock_timeout = 0;
-- set statement_timeout = 0;
-- DROP INDEX CONCURRENTLY public.i;
",
    );
}

#[test]
fn a_backfill_is_an_update_that_anyone_may_run_whole() {
    let step = Step {
        repeat: Some(Batches {
            table: QualifiedName::new("public", "Order"),
            keyset: vec![Name::new("id"), Name::new("n")],
            set: vec![(Name::new("a"), "b + 1".to_owned())],
            filter: "a IS NULL".to_owned(),
            rows: 1000,
        }),
        lock_timeout: Some(2_000),
        ..Step::default()
    };
    check(
        Engine::Postgres,
        &step,
        r#"
-- dbwright: transaction=none lock_timeout=2s

-- ========== UP ==========
-- dbwright: backfill table="public"."Order" keyset="id","n" rows=1000
UPDATE public."Order" SET a = b + 1 WHERE (a IS NULL);

-- ========== DOWN ==========
-- nothing: an earlier migration's DOWN takes it along
"#,
    );
}

#[test]
fn other_engines_are_opened_in_their_own_way() {
    let drop = |dialect| Step {
        work: change(dialect, "drop table t"),
        undo: Undo::Irreversible("the rows\nare gone".to_owned()),
        lock_timeout: Some(1_500),
        ..Step::default()
    };
    let rebuild = Step { foreign_keys_off: true, ..drop(Dialect::Sqlite) };
    check(
        Engine::Sqlite,
        &rebuild,
        "
-- dbwright: transaction=one lock_timeout=1500ms foreign_keys=off

-- ========== UP ==========
pragma foreign_keys = off;
begin immediate;
DROP TABLE t;
commit;
pragma foreign_keys = on;

-- ========== DOWN ==========
-- irreversible: the rows are gone
",
    );
    check(
        Engine::Mariadb,
        &drop(Dialect::Mysql),
        "
-- dbwright: transaction=none lock_timeout=1500ms

-- ========== UP ==========
set session lock_wait_timeout = 2;
DROP TABLE t;

-- ========== DOWN ==========
-- irreversible: the rows are gone
",
    );
}

#[test]
fn what_cannot_be_written_is_refused_by_its_kind() {
    let step = Step { work: change(Dialect::Postgres, "alter table t alter a type text"), ..Step::default() };
    let refusal = write(Engine::Sqlite, None, "1.sql", &Header::default(), &step);
    assert_eq!(refusal, Err("the change `alter column type` cannot be written for SQLite".to_owned()));
}
