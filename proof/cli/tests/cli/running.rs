//! `migrate up` and `migrate down` as their users meet them.

use proof_cli::{Outcome, Sandbox};

fn up(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let arguments = [&["migrate", "up", "m", "--target", "t.sqlite"], more].concat();
    sandbox.run(&arguments)
}

fn down(sandbox: &Sandbox, more: &[&str]) -> Outcome {
    let arguments = [&["migrate", "down", "m", "--target", "t.sqlite"], more].concat();
    sandbox.run(&arguments)
}

#[test]
fn nothing_is_run_before_somebody_agrees() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.sql", "create table t (a int);");
    let refused = up(&sandbox, &[]).expect(2);
    assert!(refused.err().contains("--yes"), "{}", refused.err());
    let dry = up(&sandbox, &["--dry-run"]).expect(0);
    assert!(dry.out().contains("1_t.sql"), "{}", dry.out());
    assert!(!sandbox.path("t.sqlite").exists());
    assert!(up(&sandbox, &["--yes"]).expect(0).out().contains("1 migration applied"));
    assert!(up(&sandbox, &["--yes"]).expect(0).out().contains("Nothing to do"));
}

#[test]
fn edited_and_late_files_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("m/2_t.sql", "create table t (a int);");
    up(&sandbox, &["--yes"]).expect(0);
    sandbox.file("m/2_t.sql", "-- why\ncreate table t (a  int);");
    assert!(up(&sandbox, &["--yes"]).expect(0).err().contains("Only blanks or comments"));
    sandbox.file("m/1_late.sql", "create table late (a int);");
    assert!(up(&sandbox, &["--yes"]).expect(2).err().contains("--out-of-order"));
    up(&sandbox, &["--yes", "--out-of-order"]).expect(0);
    sandbox.file("m/2_t.sql", "create table t (a int, b int);");
    assert!(up(&sandbox, &["--yes"]).expect(2).err().contains("was edited after it was applied"));
}

#[test]
fn a_refused_statement_is_named_and_the_rest_waits() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.sql", "create table t (a int);\n\ninsert into absent values (1);");
    sandbox.file("m/2_u.sql", "create table u (a int);");
    let failed = up(&sandbox, &["--yes"]).expect(2);
    assert!(failed.err().contains("`m/1_t.sql`, line 3: no such table: absent"), "{}", failed.err());
    sandbox.file("m/1_t.sql", "create table t (a int);");
    assert!(up(&sandbox, &["--yes"]).expect(0).out().contains("2 migrations applied"));
}

#[test]
fn going_back_loses_rows_only_when_told_twice() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.up.sql", "create table t (a int);");
    sandbox.file("m/1_t.down.sql", "drop table t;");
    sandbox.file("m/2_i.sql", "-- migrate:up\ncreate index i on t (a);\n-- migrate:down\ndrop index i;");
    up(&sandbox, &["--yes"]).expect(0);
    assert!(down(&sandbox, &["--yes"]).expect(0).out().contains("2_i.sql"));
    let refused = down(&sandbox, &["--yes"]).expect(2);
    assert!(refused.err().contains("--lose-data"), "{}", refused.err());
    down(&sandbox, &["--yes", "--lose-data"]).expect(0);
    assert!(up(&sandbox, &["--yes"]).expect(0).out().contains("2 migrations applied"));
}
