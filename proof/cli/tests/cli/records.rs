//! `migrate status`, `verify`, `repair`, `baseline` and `squash` as their users meet them.

use proof_cli::Sandbox;
use proof_cli::servers::Postgres;

const A: &str = "create table t (id integer not null primary key, a text default 'x');\n";
const B: &str = "create table child (id integer not null primary key);\n";

/// A folder of three files, and a database on which the first two were run by hand.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("m/20260101000000_make_t.sql", A);
    sandbox.file("m/20260102000000_make_child.sql", B);
    sandbox.file("m/20260103000000_add_b.sql", "alter table t add column b integer;\n");
    sandbox.sqlite("shop.sqlite", &format!("{A}{B}"));
    sandbox
}

const TARGET: &[&str] = &["m", "--target", "shop.sqlite"];

fn arguments<'a>(command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["migrate", command].iter().chain(TARGET).chain(more).copied().collect()
}

#[test]
fn a_database_without_a_record_says_what_to_do() {
    let sandbox = sandbox();
    let status = sandbox.run(&arguments("status", &[])).expect(0);
    let text = status.out();
    assert!(text.contains("0 applied, 3 pending"), "{text}");
    assert!(text.contains("`dbwright migrate baseline` says so after comparing"), "{text}");
    sandbox.run(&arguments("status", &["--fail-on", "pending"])).expect(1);
    sandbox.run(&arguments("status", &["--fail-on", "trouble"])).expect(0);
    let verify = sandbox.run(&arguments("verify", &[])).expect(2);
    assert!(verify.err().contains("nothing to verify"), "{}", verify.err());
    sandbox.run(&arguments("repair", &[])).expect(2);
    sandbox.run(&arguments("squash", &["--yes"])).expect(2);
}

#[test]
fn a_baseline_asks_first_and_refuses_a_difference() {
    let sandbox = sandbox();
    let refused = sandbox.run(&arguments("baseline", &["--yes"])).expect(2);
    assert!(refused.out().contains("table `t`, column `b` (INTEGER) is missing"), "{}", refused.out());
    assert!(refused.err().contains("`--force REASON`"), "{}", refused.err());
    let unasked = sandbox.run(&arguments("baseline", &["--to", "20260102000000"])).expect(2);
    assert!(unasked.err().contains("nobody is there to be asked"), "{}", unasked.err());
    sandbox.run(&arguments("baseline", &["--to", "20260102000000", "--dry-run"])).expect(0);
    let status = sandbox.run(&arguments("status", &["--format", "json"])).expect(0).json();
    assert_eq!(status["history_table"], serde_json::Value::Null, "nothing was made yet");
    let done = sandbox.run(&arguments("baseline", &["--to", "20260102000000", "--yes"])).expect(0);
    assert!(done.out().contains("Done: 2 rows of `dbwright_migrations` changed."), "{}", done.out());
    let text = sandbox.run(&arguments("status", &[])).expect(0).out();
    for line in [
        "VERSION         DESCRIPTION  STATE               APPLIED AT (UTC)",
        "20260103000000  add b        pending",
        "2 applied, 1 pending",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}:\n{text}");
    }
    assert!(text.contains("20260101000000  make t       applied (baseline)  20"), "{text}");
    let verify = sandbox.run(&arguments("verify", &[])).expect(0).out();
    assert!(verify.ends_with("\nVerified.\n"), "{verify}");
    sandbox.run(&arguments("verify", &["--fail-on", "pending"])).expect(1);
    sandbox.run(&arguments("baseline", &["--yes"])).expect(2);
    sandbox.run(&arguments("baseline", &["--yes", "--from", "sqlx"])).expect(2);
}

#[test]
fn what_was_edited_is_shown_before_it_is_repaired() {
    let sandbox = sandbox();
    sandbox.run(&arguments("baseline", &["--to", "20260102000000", "--yes"])).expect(0);
    sandbox.file("m/20260101000000_make_t.sql", A.replace("'x'", "'y'"));
    let verify = sandbox.run(&arguments("verify", &[])).expect(1).out();
    assert!(verify.contains("edited after it was applied"), "{verify}");
    assert!(verify.contains("table `t`, column `a`, default is 'x' instead of 'y'"), "{verify}");
    let left = sandbox.run(&arguments("repair", &["--dry-run"])).expect(2).out();
    assert!(left.contains("`--accept 20260101000000` records it as it is now"), "{left}");
    let repair = sandbox.run(&arguments("repair", &["--accept", "20260101000000", "--dry-run"])).expect(0);
    assert!(
        repair.out().contains("The checksum of `m/20260101000000_make_t.sql` becomes "),
        "{}",
        repair.out()
    );
    sandbox.run(&arguments("status", &["--fail-on", "trouble"])).expect(1);
    sandbox.run(&arguments("repair", &["--accept", "20260101000000", "--yes"])).expect(0);
    sandbox.run(&arguments("status", &["--fail-on", "trouble"])).expect(0);
    // The record agrees again; that the table has another default is still told.
    sandbox.run(&arguments("verify", &[])).expect(1);
    let unknown = sandbox.run(&arguments("repair", &["--forget", "1", "--yes"])).expect(2);
    assert!(unknown.err().contains("nothing has the version `1`"), "{}", unknown.err());
}

#[test]
fn a_squash_is_shown_proved_and_done() {
    let sandbox = sandbox();
    sandbox.run(&arguments("baseline", &["--to", "20260102000000", "--yes"])).expect(0);
    let refused = sandbox.run(&arguments("squash", &["--yes"])).expect(2);
    assert!(refused.err().contains("such as `20260103000000`"), "{}", refused.err());
    std::fs::remove_file(sandbox.path("m/20260103000000_add_b.sql")).expect("it was there");
    let shown = sandbox.run(&arguments("squash", &["--dry-run"])).expect(0).out();
    assert!(shown.contains("they make the same catalog of 2 tables"), "{shown}");
    assert!(sandbox.path("m/20260101000000_make_t.sql").is_file(), "nothing was done yet");
    sandbox.run(&arguments("squash", &["--yes"])).expect(0);
    let names: Vec<_> = std::fs::read_dir(sandbox.path("m"))
        .expect("it is there")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["20260102000000_squash.sql"]);
    sandbox.run(&arguments("verify", &["--scratch"])).expect(0);
    assert_eq!(sandbox.leftovers(), [] as [&str; 0]);
}

#[test]
fn what_was_run_is_told_verified_and_squashed() {
    let sandbox = Sandbox::new();
    sandbox.file("m/20260101000000_make_t.sql", A);
    sandbox.file("m/20260102000000_make_child.sql", B);
    sandbox.run(&arguments("up", &["--yes"])).expect(0);
    let status = sandbox.run(&arguments("status", &["--format", "json"])).expect(0).json();
    assert_eq!(
        (&status["applied"], &status["pending"], &status["trouble"]),
        (&2.into(), &0.into(), &0.into())
    );
    assert!(status["migrations"][0]["seconds"].is_number(), "{status:#}");
    sandbox.run(&arguments("verify", &["--scratch"])).expect(0);
    sandbox.run(&arguments("squash", &["--yes", "--name", "The First Two"])).expect(0);
    assert!(sandbox.path("m/20260102000000_the_first_two.sql").is_file());
    let up = sandbox.run(&arguments("up", &["--yes"])).expect(0).out();
    assert!(up.contains("Nothing to do."), "{up}");
    // The one file makes on an empty database what the two made.
    let fresh = ["migrate", "up", "m", "--target", "fresh.sqlite", "--yes"];
    sandbox.run(&fresh).expect(0);
    let verify = sandbox.run(&["migrate", "verify", "m", "--target", "fresh.sqlite"]).expect(0).out();
    assert!(verify.contains("1 applied, 0 pending"), "{verify}");
}

#[test]
fn a_squash_is_not_run_on_a_database_that_has_its_parts() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_make_t.sql", A);
    sandbox.file("m/2_make_child.sql", B);
    for target in ["first.sqlite", "second.sqlite", "half.sqlite"] {
        let up = ["migrate", "up", "m", "--target", target, "--yes"];
        let to: &[&str] = if target == "half.sqlite" { &["--to", "1"] } else { &[] };
        sandbox.run(&[&up, to].concat()).expect(0);
    }
    sandbox.run(&["migrate", "squash", "m", "--target", "first.sqlite", "--yes"]).expect(0);
    sandbox.file("m/3_add_b.sql", "-- Requires: 1\nalter table t add column b integer;\n");
    for target in ["second.sqlite", "half.sqlite"] {
        for command in ["up", "down"] {
            let refused = sandbox.run(&["migrate", command, "m", "--target", target, "--yes"]);
            if command == "down" && target == "half.sqlite" {
                assert!(refused.expect(2).err().contains("no file of `1`"));
                continue;
            }
            let text = refused.expect(2).err();
            assert!(text.contains("`m/2_squash.sql` takes the place of"), "{target} {command}: {text}");
            assert_eq!(text.contains("`dbwright migrate repair`"), command == "up", "{text}");
        }
    }
    let half = sandbox.run(&["migrate", "repair", "m", "--target", "half.sqlite", "--yes"]).expect(2).out();
    assert!(half.contains("Bring their files back"), "{half}");
    sandbox.run(&["migrate", "repair", "m", "--target", "second.sqlite", "--yes"]).expect(0);
    for target in ["first.sqlite", "second.sqlite", "new.sqlite"] {
        sandbox.run(&["migrate", "up", "m", "--target", target, "--yes"]).expect(0);
        sandbox.run(&["migrate", "verify", "m", "--target", target]).expect(0);
    }
}

#[test]
fn an_edited_file_is_neither_run_past_nor_taken_back() {
    let sandbox = Sandbox::new();
    let down = "-- ========== DOWN ==========\n-- drop table t;\n";
    sandbox.file("m/1_make_t.sql", format!("{A}{down}"));
    let run = |command: &str| {
        let lose: &[&str] = if command == "down" { &["--lose-data"] } else { &[] };
        sandbox.run(&[&["migrate", command, "m", "--target", "t.sqlite", "--yes"], lose].concat())
    };
    run("up").expect(0);
    sandbox.file("m/1_make_t.sql", format!("{}{down}", A.replace("'x'", "'y'")));
    for command in ["up", "down"] {
        let text = run(command).expect(2).err();
        assert!(text.contains("was edited after it was applied"), "{text}");
        assert!(text.contains("repair --accept 1"), "{text}");
    }
    // The way back is no part of what was applied.
    sandbox.file("m/1_make_t.sql", format!("{A}{}", down.replace("table t", "table if exists t")));
    run("down").expect(0);
}

#[test]
fn a_password_is_not_told_and_a_record_needs_no_right_to_write() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_t.sql", A);
    let server = Postgres::start(&sandbox, &[]);
    server.database("shop", &format!("{A} create role reader login password '{}';", proof_cli::SECRET));
    let as_reader = server.target(&format!("reader:{}", proof_cli::SECRET), "shop");
    let as_owner = server.target("postgres", "shop");
    sandbox.run(&["migrate", "baseline", "m", "--yes", "--target", &as_owner]).expect(0);
    // What the role may not read is no empty record.
    let denied = sandbox.run(&["migrate", "status", "m", "--target", &as_reader]).expect(2);
    assert!(denied.err().contains("permission denied"), "{}", denied.err());
    runtime_grant(&server);
    let status = sandbox.run(&["migrate", "status", "m", "--target", &as_reader]).expect(0).out();
    assert!(status.contains("applied (baseline)") && status.contains("postgres"), "{status}");
}

fn runtime_grant(server: &Postgres) {
    server.ask("shop", "grant select on dbwright_migrations to reader");
}
