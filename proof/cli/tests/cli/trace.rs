//! `migrate lint --trace`: scratch servers run the migrations, and nothing else is touched or left behind.

use std::time::Duration;

use proof_cli::Sandbox;

const TABLE: &str = "create table t (id integer primary key, a integer);\n";

/// Evidence levels of the statements, and the rules that found something.
fn traced(sandbox: &Sandbox, arguments: &[&str]) -> (Vec<String>, Vec<String>, serde_json::Value) {
    let mut all = vec!["migrate", "lint", "m", "--trace", "--format", "json", "--fail-on", "never"];
    all.extend(arguments);
    let report = sandbox.run(&all).expect(0).json();
    let texts = |list: &str, field: &str| -> Vec<String> {
        let all = report[list].as_array().expect("a list").iter();
        all.map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
    };
    (texts("statements", "evidence_level"), texts("findings", "rule"), report)
}

#[test]
fn a_program_is_seen_through() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    sandbox.file("m/2.sql", "do $$ begin execute 'alter table t alter a type bigint'; end $$;\n");
    let (levels, rules, report) = traced(&sandbox, &["--engine", "postgres"]);
    assert_eq!(levels, ["traced", "traced"]);
    assert!(rules.iter().any(|rule| rule == "migration/blocking-program"), "{report:#}");
    assert!(report["trace"]["server"].as_str().is_some_and(|server| server.starts_with("PostgreSQL ")));
    assert_eq!(report["statements"][1]["effects"][0]["cost"], "rewrite");
    let text = sandbox.run(&["migrate", "lint", "m", "--trace", "--engine", "postgres"]).expect(1).out();
    for part in ["evidence: traced", "2 of 2 statements were executed and observed on PostgreSQL "] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // A version that nobody has is replaced by the nearest, and that is said.
    let old = ["--engine", "postgres", "--server-version", "9.6"];
    let (_, _, report) = traced(&sandbox, &old);
    assert_eq!(report["trace"]["instead_of"], "9.6");
    assert_eq!(sandbox.leftovers(), [""; 0]);
}

#[test]
fn the_database_of_the_catalog_is_only_read() {
    let sandbox = Sandbox::new();
    let path = sandbox.sqlite("t.db", &format!("{TABLE}insert into t values (1, 2);"));
    let before = std::fs::read(&path).expect("the database");
    sandbox.file("m/1.sql", "create index t_a on t (a);\nalter table t add a text;\n");
    let (levels, rules, report) = traced(&sandbox, &["--catalog", "t.db"]);
    assert_eq!(levels[0], "traced", "{report:#}");
    assert_eq!(report["statements"][1]["failed"], "duplicate column name: a");
    assert!(rules.iter().any(|rule| rule == "migration/fails-when-tried"), "{report:#}");
    assert_eq!(report["trace"]["missing"], serde_json::Value::Null);
    assert!(std::fs::read(&path).expect("the database") == before);
    assert_eq!(sandbox.leftovers(), [""; 0]);
}

#[test]
fn what_cannot_be_traced_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    let outcome = sandbox.run(&["migrate", "lint", "m", "--trace", "--engine", "mysql"]).expect(2);
    assert!(outcome.err().contains("--engine mariadb"), "{}", outcome.err());
    assert!(outcome.stdout.is_empty());
}

#[test]
fn a_trace_can_be_interrupted() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    sandbox.file("m/2.sql", "select pg_sleep(20);\n");
    for delay in [100, 600, 2_500] {
        let running = sandbox.dbwright(&["migrate", "lint", "m", "--trace", "--engine", "postgres"]).start();
        std::thread::sleep(Duration::from_millis(delay));
        running.signal(libc::SIGINT);
        let outcome = running.finish();
        assert_eq!(outcome.code, Some(2), "{}", outcome.transcript());
        assert_eq!(outcome.err(), "error: interrupted\n");
        assert_eq!(sandbox.leftovers(), [""; 0], "after {delay} ms");
    }
}
