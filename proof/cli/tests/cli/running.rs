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

#[test]
fn what_waits_for_a_release_is_run_only_when_that_is_said() {
    let sandbox = Sandbox::new();
    let write = |folder: &str| {
        sandbox.file(&format!("{folder}/1_t.sql"), "create table if not exists t (a int);");
        sandbox.file(
            &format!("{folder}/2_drop.sql"),
            "-- Waits for: Nothing reads `t.old` any more.\nalter table t add column new int;",
        );
        sandbox.file(&format!("{folder}/3_u.sql"), "create table u (a int);");
    };
    write("m");
    sandbox.sqlite("t.sqlite", "create table t (a int);");
    for _ in 0..2 {
        let held = up(&sandbox, &["--yes"]).expect(0).out();
        assert!(held.contains("2_drop.sql` waits for this: Nothing reads `t.old` any more."), "{held}");
        assert!(held.contains("--waited 2"), "{held}");
        assert!(!held.contains("applied: m/2_drop.sql") && !held.contains("applied: m/3_u.sql"), "{held}");
    }
    let json = up(&sandbox, &["--yes", "--json"]).expect(0).json();
    assert_eq!(json["waiting"]["version"], "2", "{json:#}");
    let other = up(&sandbox, &["--yes", "--waited", "3"]).expect(0).out();
    assert!(other.contains("Nothing applied."), "{other}");
    let said = up(&sandbox, &["--yes", "--waited", "2"]).expect(0).out();
    assert!(said.contains("2 migrations applied."), "{said}");
    // Nobody can have used a database that is made by this run.
    let fresh = sandbox.run(&["migrate", "up", "m", "--target", "new.sqlite", "--yes"]).expect(0).out();
    assert!(fresh.contains("3 migrations applied."), "{fresh}");
}

#[test]
fn what_may_have_been_run_before_is_not_run_again() {
    let sandbox = Sandbox::new();
    sandbox.sqlite(
        "t.sqlite",
        "create table t (a int); \
         create table schema_migrations (version varchar(255) primary key); \
         insert into schema_migrations values ('1')",
    );
    sandbox.file("m/1_t.sql", "-- migrate:up\nupdate t set a = a * 2;\n-- migrate:down\n");
    let refused = up(&sandbox, &["--yes"]).expect(2).err();
    for part in ["dbmate records 1 migration", "a second time", "baseline --from dbmate"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let dry = up(&sandbox, &["--dry-run"]).expect(0).out();
    assert!(dry.contains("fail    record"), "{dry}");
    up(&sandbox, &["--yes", "--skip-preflight", "record"]).expect(0);

    let sandbox = Sandbox::new();
    sandbox.sqlite("t.sqlite", "create table t (a int);");
    sandbox.file("m/1_t.sql", "create table t (a int);");
    let refused = up(&sandbox, &["--yes"]).expect(2).err();
    assert!(
        refused.contains("`dbwright migrate baseline`") && refused.contains("1_t.sql` line 1"),
        "{refused}"
    );
    sandbox.run(&["migrate", "baseline", "m", "--target", "t.sqlite", "--yes"]).expect(0);
    assert!(up(&sandbox, &["--yes"]).expect(0).out().contains("Nothing to do"));
}

#[test]
fn a_failure_is_told_to_programs_too() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.sql", "create table t (a int);");
    sandbox.file("m/2_u.sql", "insert into absent values (1);");
    let failed = up(&sandbox, &["--yes", "--json"]).expect(2);
    let reply = failed.json();
    assert_eq!(reply["migrations"][0]["version"], "1", "{reply:#}");
    assert_eq!(reply["error"]["kind"], "unsupported");
    assert!(reply["error"]["message"].as_str().is_some_and(|text| text.contains("no such table: absent")));
    assert!(failed.err().contains("no such table: absent"));
    let nothing = sandbox.run(&["migrate", "up", "absent", "--target", "t.sqlite", "--json"]).expect(2);
    assert!(nothing.json()["error"]["message"].as_str().is_some_and(|text| text.contains("absent")));
}

#[test]
fn a_new_database_is_not_made_without_a_word() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.sql", "create table t (a int);");
    let made = up(&sandbox, &["--yes"]).expect(0);
    assert!(
        made.err().contains("t.sqlite` is not there yet: a new database will be made."),
        "{}",
        made.err()
    );
    sandbox.file("m/2_u.sql", "create table u (a int);");
    assert!(!up(&sandbox, &["--yes"]).expect(0).err().contains("not there yet"));
}

#[test]
fn a_changeset_for_another_database_is_left_out_and_said_to_be() {
    let sandbox = Sandbox::new();
    let text = "--liquibase formatted sql\n--changeset a:1 dbms:mysql\ncreate tabel u;\n\
                --changeset a:2 dbms:sqlite\ncreate table t (a integer primary key);\n";
    sandbox.file("m/a.sql", text);
    let done = up(&sandbox, &["--yes"]).expect(0);
    assert!(done.out().contains("1 migration applied"), "{}", done.out());
    assert!(done.err().contains("Left out of `m/a.sql`: the changeset `a:1` is for `dbms:mysql` only."));
    let lint = ["migrate", "lint", "m", "--engine", "sqlite", "--fail-on", "warning"];
    let told = sandbox.run(&lint).expect(0).out();
    assert!(told.contains("`dbms:mysql` only"), "{told}");
}
