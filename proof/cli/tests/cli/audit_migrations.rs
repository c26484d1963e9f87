//! What a folder of migrations adds to an audit and a review.

use proof_cli::Sandbox;
use serde_json::Value;

const HISTORY: &str = "create table t (id integer primary key, a integer not null);
    create table _sqlx_migrations (version integer primary key, success boolean, installed_on timestamp);";
const TABLE: &str = "create table t (id integer primary key, a integer not null);\n";
const DROP: &str = "drop table t;\n";
const DROPPED: &str = "migration/dropped-table";

fn rules(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list");
    let mut list: Vec<String> = findings
        .iter()
        .filter_map(|finding| finding["rule"].as_str())
        .filter(|rule| rule.starts_with("migration/"))
        .map(str::to_owned)
        .collect();
    list.sort();
    list.dedup();
    list
}

/// The audit of a database whose history holds some versions, beside a folder with `1_a.sql` and `2_b.sql`.
fn audit(rows: &str, folder: bool) -> Value {
    let sandbox = Sandbox::new();
    sandbox.sqlite("t.db", &format!("{HISTORY} {rows}"));
    sandbox.file("m/1_a.sql", TABLE);
    sandbox.file("m/2_b.sql", DROP);
    let mut arguments = vec!["audit", "t.db", "--format", "json", "--fail-on", "never"];
    if folder {
        arguments.extend(["--migrations", "m"]);
    }
    sandbox.run(&arguments).expect(0).json()
}

fn proven(report: &Value) -> f64 {
    let dimensions = report["score"]["dimensions"].as_array().expect("a list");
    let migrations = dimensions.iter().find(|one| one["dimension"] == "migrations").expect("it is scored");
    migrations["proven"].as_f64().expect("a number")
}

fn unknown(report: &Value) -> Option<String> {
    let lines = report["not_checked"].as_array().expect("a list");
    let line = lines
        .iter()
        .find(|line| line["rule"].as_str().is_some_and(|rule| rule.split(' ').next() == Some("migration")))?;
    Some(line["because"].as_str().expect("a text").to_owned())
}

#[test]
fn what_was_not_applied_is_judged_and_what_was_is_not() {
    let one = audit("insert into _sqlx_migrations values (1, 1, '2024-01-02')", true);
    assert!(rules(&one).contains(&DROPPED.to_owned()), "{one:#}");
    assert_eq!(unknown(&one), None);
    let both = audit("insert into _sqlx_migrations values (1, 1, '2024-01-02'), (2, 1, '2024-01-02')", true);
    assert!(!rules(&both).contains(&DROPPED.to_owned()), "{both:#}");
    assert!(proven(&both) > proven(&one));
}

#[test]
fn files_and_history_that_disagree_are_found() {
    let later = audit("insert into _sqlx_migrations values (2, 1, '2024-01-02'), (3, 1, '2024-01-02')", true);
    let found = rules(&later);
    for rule in ["migration/applied-migration-without-file", "migration/migration-out-of-order"] {
        assert!(found.contains(&rule.to_owned()), "{rule}: {later:#}");
    }
}

#[test]
fn what_dbwright_has_applied_is_known() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_a.sql", TABLE);
    sandbox.file("m/2_b.sql", "create table child (id integer primary key);\n");
    sandbox.run(&["migrate", "up", "m", "--target", "t.db", "--yes"]).expect(0);
    let audit = || {
        let arguments = ["audit", "t.db", "--format", "json", "--fail-on", "never", "--migrations", "m"];
        sandbox.run(&arguments).expect(0).json()
    };
    let whole = audit();
    assert_eq!(rules(&whole), [] as [&str; 0], "{whole:#}");
    assert_eq!(unknown(&whole), None);
    sandbox.file("m/1_a.sql", TABLE.replace("integer not null", "text not null"));
    sandbox.file("m/3_c.sql", DROP);
    std::fs::remove_file(sandbox.path("m/2_b.sql")).expect("it was there");
    let found = rules(&audit());
    for rule in ["migration/applied-migration-without-file", "migration/edited-migration", DROPPED] {
        assert!(found.contains(&rule.to_owned()), "{rule}: {found:?}");
    }
}

#[test]
fn what_nobody_can_know_proves_nothing() {
    let rows = "insert into _sqlx_migrations values (1, 1, '2024-01-02'), (2, 1, '2024-01-02')";
    let named = audit(rows, true);
    let unnamed = audit(rows, false);
    assert!(unknown(&unnamed).is_some_and(|because| because.contains("--migrations")), "{unnamed:#}");
    assert!(proven(&unnamed) < proven(&named));
    let empty = audit("", true);
    assert!(unknown(&empty).is_some_and(|because| because.contains("no history")), "{empty:#}");
    assert!(proven(&empty) < proven(&named));
    let others = audit("insert into _sqlx_migrations values (77, 1, '2024-01-02')", true);
    assert!(
        unknown(&others).is_some_and(|because| because.contains("names none of the files")),
        "{others:#}"
    );
}

#[test]
fn migrations_that_nobody_named_are_one_question_and_one_line() {
    let unnamed = audit("insert into _sqlx_migrations values (1, 1, '2024-01-02')", false);
    let count = |state: &str| {
        let checks = unnamed["score"]["checks"].as_array().expect("a list");
        let is_one = |rule: &str| rule == "migration" || rule == DROPPED;
        let of_state = checks.iter().filter(|check| check["state"] == state);
        of_state.filter(|check| check["rule"].as_str().is_some_and(is_one)).count()
    };
    assert_eq!((count("unknown"), count("not_applicable")), (1, 1), "{unnamed:#}");
    let lines = unnamed["not_checked"].as_array().expect("a list");
    let lines: Vec<&Value> = lines.iter().filter(|line| line["unasked"] == true).collect();
    let [line] = lines.as_slice() else { panic!("one line: {lines:?}") };
    assert_eq!(line["rule"], "migration");
    assert_eq!(line["because"], "no folder of migrations was named: `--migrations DIR`");
    let sandbox = Sandbox::new();
    sandbox.sqlite("t.db", HISTORY);
    let text = sandbox.run(&["audit", "t.db", "--fail-on", "never"]).expect(0).out();
    assert!(text.contains("no folder of migrations was named"), "{text}");
    assert!(!text.contains("a live database"), "{text}");
    sandbox.file("t.sql", TABLE);
    let files = sandbox.run(&["audit", "t.sql", "--fail-on", "never"]).expect(0).out();
    assert!(files.contains("no folder of migrations was named"), "{files}");
    // Who leaves the rules out has nothing to name.
    let skipped =
        sandbox.run(&["audit", "t.db", "--fail-on", "never", "--skip", "migration"]).expect(0).out();
    assert!(!skipped.contains("no folder of migrations was named"), "{skipped}");
}

#[test]
fn a_folder_of_migrations_is_judged_as_such_in_a_review() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1_a.sql", TABLE);
    sandbox.file("m/2_b.sql", DROP);
    sandbox.file("schema/tables.sql", TABLE);
    sandbox.file("schema/views.sql", DROP);
    let review = |name: &str| {
        sandbox
            .run(&["review", name, "--engine", "postgres", "--format", "json", "--fail-on", "never"])
            .expect(0)
            .json()
    };
    assert!(rules(&review("m")).contains(&DROPPED.to_owned()));
    assert!(rules(&review("schema")).is_empty());
}
