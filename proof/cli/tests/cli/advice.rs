//! What is advised: it must not contradict itself, bring the next finding, or speak of another engine.

use std::io::Write;
use std::process::Stdio;

use proof_cli::Sandbox;
use serde_json::Value;

use super::FLAWED;

/// The finding of a rule in a review of some statements.
fn found(engine: &str, sql: &str, rule: &str) -> Value {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", sql);
    let arguments = ["review", "a.sql", "--engine", engine, "--fail-on", "never", "--format", "json"];
    let report = sandbox.run(&arguments).expect(0).json();
    let findings = report["findings"].as_array().cloned().unwrap_or_default();
    let of_rule = findings.into_iter().find(|finding| finding["rule"] == rule);
    of_rule.unwrap_or_else(|| panic!("{rule} finds nothing: {report:#}"))
}

fn summary(finding: &Value) -> &str {
    finding["remedy"]["summary"].as_str().unwrap_or_default()
}

#[test]
fn a_reference_gets_the_type_of_its_key_first() {
    let sql = "create table orders (id bigint generated always as identity primary key);
        create table payments (id bigint generated always as identity primary key, order_id integer not null);
        create index payments_order_id on payments (order_id);";
    let finding = found("postgres", sql, "schema/missing-foreign-key");
    let steps: Vec<&str> = finding["remedy"]["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| s["sql"].as_str())
        .collect();
    assert!(steps[0].contains("TYPE bigint"), "{finding:#}");
    assert!(steps.iter().any(|sql| sql.contains("NOT VALID")), "{finding:#}");
}

#[test]
fn the_narrower_side_of_a_reference_is_widened() {
    let sql = "create table categories (id integer generated always as identity primary key);
        create table products (id bigint generated always as identity primary key,
            category_id bigint not null references categories (id));";
    let finding = found("postgres", sql, "schema/foreign-key-type-mismatch");
    assert_eq!(summary(&finding), "Give the key the wider type of the column that refers to it.");
}

#[test]
fn a_join_table_is_identified_by_its_references() {
    let sql = "create table posts (id integer primary key);
        create table tags (id integer primary key);
        create table post_tags (post_id integer not null, tag_id integer not null,
            foreign key (post_id) references posts (id), foreign key (tag_id) references tags (id));";
    for engine in ["postgres", "mysql", "sqlite"] {
        let finding = found(engine, sql, "schema/table-without-primary-key");
        assert!(summary(&finding).contains("PRIMARY KEY (post_id, tag_id)"), "{engine}: {finding:#}");
        assert_eq!(summary(&finding).contains("anew"), engine == "sqlite", "{finding:#}");
    }
}

#[test]
fn a_guessed_engine_is_said() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let guessed = sandbox.run(&["review", "a.sql"]).expect(0).out();
    assert!(guessed.contains("`--engine` says otherwise"), "{guessed}");
    let named = sandbox.run(&["review", "a.sql", "--engine", "sqlite"]).expect(0).out();
    assert!(!named.contains("--engine"), "{named}");
}

#[test]
fn standard_input_is_a_target() {
    let sandbox = Sandbox::new();
    for arguments in [&["review", "-"][..], &["migrate", "lint", "-", "--fail-on", "never"]] {
        let mut command = sandbox.dbwright(&[arguments, &["--format", "json"]].concat()).into_command();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("a pipe").write_all(FLAWED.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(report["target"]["tables"], 1, "{arguments:?}: {report:#}");
    }
}

#[test]
fn a_few_checks_have_no_score() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let report = sandbox.run(&["audit", "a.sql", "--only", super::RULE, "--format", "json"]).expect(0).json();
    assert!(report["score"].is_null(), "{report:#}");
}

#[test]
fn a_report_is_no_snapshot() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    sandbox.run(&["audit", "a.sql", "--format", "json", "--output", "report.json"]).expect(0);
    let refused = sandbox.run(&["audit", "report.json"]).expect(2).err();
    assert!(refused.contains("is a report") && refused.contains("score explain"), "{refused}");
    let missing = sandbox.run(&["audit", "a.sql", "--baseline", "gone"]).expect(2).err();
    assert!(missing.contains("there is no such file") && !missing.contains("os error"), "{missing}");
    let mysql = sandbox.run(&["demo", "--engine", "mysql"]).expect(2).err();
    assert!(mysql.contains("--engine mariadb"), "{mysql}");
}

#[test]
fn a_prisma_schema_gets_its_own_words() {
    let sandbox = Sandbox::new();
    let text = "datasource db {\n  provider = \"postgresql\"\n  url = env(\"DATABASE_URL\")\n}
        model User {\n  id BigInt @id\n  posts Post[]\n  price Float\n}
        model Post {\n  id BigInt @id\n  author User @relation(fields: [authorId], references: [id])\n  authorId BigInt\n}\n";
    sandbox.file("schema.prisma", text);
    let report =
        sandbox.run(&["review", "schema.prisma", "--format", "json", "--fail-on", "never"]).expect(0);
    let report = report.json();
    let findings = report["findings"].as_array().expect("a list");
    let said = |rule: &str| {
        let finding = findings.iter().find(|finding| finding["rule"] == rule);
        summary(finding.unwrap_or_else(|| panic!("{rule} finds nothing: {report:#}"))).to_owned()
    };
    let index = said("schema/foreign-key-without-index");
    assert!(
        index.ends_with("In the Prisma schema: add `@@index([authorId])` to the model `Post`."),
        "{index}"
    );
    assert!(said("schema/float-money").contains("@db.Decimal"));
    // Files of statements hear nothing of it.
    let found =
        found("postgres", "create table t (id bigint primary key, price float);", "schema/float-money");
    assert!(!summary(&found).contains("Prisma"));
}
