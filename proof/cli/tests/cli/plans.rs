//! `migrate plan` and `migrate new`: safe forms of changes as files, and clear words where there are none.

use std::fs;

use proof_cli::Sandbox;
use serde_json::Value;

const SCHEMA: &str = "-- Dumped from database version 15.0\n\
    create table parent (id bigint primary key);\n\
    create table t (id bigint primary key, a int, parent_id bigint);\n";

/// The names of the files in a folder, sorted, versions left out.
fn files(sandbox: &Sandbox, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(sandbox.path(folder))
        .expect("it was made")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names.iter().map(|name| name.split_once('_').expect("a version and words").1.to_owned()).collect()
}

fn new(sandbox: &Sandbox, words: &str, more: &[&str]) -> Value {
    let mut all = vec!["migrate", "new", words, "--catalog", "schema.sql", "--format", "json"];
    all.extend(more);
    sandbox.run(&all).expect(0).json()
}

#[test]
fn words_become_files_that_other_checks_accept() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    let planned = new(&sandbox, "set t.a not null", &["--out", "m", "--ticket", "SHOP-12"]);
    let expected = [
        "set_t_a_not_null_1_refuse_new_nulls_in_a_of_t.sql",
        "set_t_a_not_null_2_check_that_no_row_of_t_has_a_null_in_a.sql",
        "set_t_a_not_null_3_set_a_of_t_not_null_the_validated_check_spares_the_scan.sql",
    ];
    assert_eq!(files(&sandbox, "m"), expected);
    assert_eq!(planned["steps"].as_array().map(Vec::len), Some(3));
    let text = planned["steps"][1]["text"].as_str().expect("a text");
    for part in [
        "-- Ticket: SHOP-12",
        "-- Risk: medium",
        "== PRE-CHECK ==",
        "== UP ==",
        "VALIDATE CONSTRAINT",
        "== DOWN ==",
        "== VERIFY ==",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let first = planned["steps"][0]["file"].as_str().expect("a name");
    assert!(text.contains(&format!("-- Requires: {}", &first[..14])), "{text}");
    // Neither a finding nor an effect that blocks.
    let lint = ["migrate", "lint", "m", "--catalog", "schema.sql", "--format", "json", "--fail-on", "never"];
    let report = sandbox.run(&lint).expect(0).json();
    let findings = report["findings"].as_array().expect("a list");
    let bad: Vec<&Value> = findings.iter().filter(|finding| finding["level"] == "error").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // The next plan comes after, and nothing is written over.
    new(&sandbox, "add index on t(parent_id)", &["--out", "m"]);
    let found = files(&sandbox, "m");
    assert_eq!((found.len(), found[3].as_str()), (4, "add_index_on_t_parent_id.sql"));
}

#[test]
fn a_column_that_demands_a_value_gets_the_one_that_is_said() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    let check = |value: &[&str], update: Option<&str>| {
        let planned =
            new(&sandbox, "add column phone varchar(20) not null to t", &[value, &["--stdout"]].concat());
        let texts: String = planned["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|step| step["text"].as_str())
            .collect();
        assert!(texts.contains("== PRE-CHECK ==") && texts.contains("WHERE phone IS NULL"), "{texts}");
        let written = texts.lines().find(|line| line.starts_with("UPDATE "));
        assert_eq!(written, update, "{texts}");
        let says = planned["summary"].as_str().is_some_and(|summary| summary.contains("`--value phone=...`"));
        assert_eq!(says, update.is_none(), "{planned:#}");
        assert_ne!(planned["proof"]["outcome"]["state"], "failed", "{planned:#}");
    };
    check(&[], None);
    let updates = "UPDATE public.t SET phone = '' WHERE (phone IS NULL);";
    check(&["--value", "phone=''"], Some(updates));
    check(&["--value", "public.t.phone=''"], Some(updates));
    sandbox.file("file.sql", "create table t (id integer primary key, b text);");
    let words =
        ["migrate", "new", "add column c text not null to t", "--engine", "sqlite", "--catalog", "file.sql"];
    let err = sandbox.run(&[&words[..], &["--stdout"]].concat()).expect(2).err();
    assert!(err.contains("say it with `--value c=...`"), "{err}");
    let out =
        sandbox.run(&[&words[..], &["--stdout", "--value", "c=coalesce(b, '')"]].concat()).expect(0).out();
    assert!(out.contains("-- Proven on SQLite") && out.contains("SELECT id, b, (coalesce(b, ''))"), "{out}");
}

#[test]
fn a_plan_says_whether_it_is_proven() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    sandbox.file("change.sql", "alter table t add foreign key (parent_id) references parent;\n");
    let run = ["migrate", "plan", "change.sql", "--catalog", "schema.sql", "--stdout"];
    let text = sandbox.run(&run).expect(0).out();
    assert!(text.contains("NOT VALID") && text.contains("VALIDATE CONSTRAINT"), "{text}");
    assert!(text.contains("-- Proven on PostgreSQL") || text.contains("-- Not proven: "), "{text}");
    assert!(text.contains("blocks writes"), "{text}");
    assert_eq!(fs::read_dir(sandbox.path("")).expect("a folder").count(), 3, "nothing was written");
}

#[test]
fn the_statement_of_a_finding_is_planned() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    sandbox.file("m/1.sql", "create index t_a on t (a);\n");
    let lint = [
        "migrate",
        "lint",
        "m",
        "--catalog",
        "schema.sql",
        "--format",
        "json",
        "--fail-on",
        "never",
        "--output",
        "report.json",
    ];
    sandbox.run(&lint).expect(0);
    let report: Value =
        serde_json::from_slice(&fs::read(sandbox.path("report.json")).expect("a report")).expect("json");
    let findings = report["findings"].as_array().expect("a list");
    let finding = findings.iter().find(|finding| finding["rule"] == "migration/blocking-index-build");
    let key = finding.and_then(|finding| finding["key"].as_str()).expect("it is found");
    let run = [
        "migrate",
        "plan",
        "--finding",
        key,
        "--report",
        "report.json",
        "--catalog",
        "schema.sql",
        "--stdout",
    ];
    let text = sandbox.run(&run).expect(0).out();
    assert!(text.contains("CREATE INDEX CONCURRENTLY t_a"), "{text}");
    let run = [
        "migrate",
        "plan",
        "--finding",
        "none",
        "--report",
        "report.json",
        "--catalog",
        "schema.sql",
        "--stdout",
    ];
    assert!(sandbox.run(&run).expect(2).err().contains("there is no finding `none`"));
}

#[test]
fn what_cannot_be_planned_is_said_with_a_way_on() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    let check = |arguments: &[&str], words: &[&str]| {
        let mut all = vec!["migrate", "new"];
        all.extend(arguments);
        let err = sandbox.run(&all).expect(2).err();
        for word in words {
            assert!(err.contains(word), "{arguments:?}: {err}");
        }
    };
    check(
        &["make it fast", "--catalog", "schema.sql", "--stdout"],
        &["not clear", "hint: dbwright migrate new \"add column"],
    );
    check(&["set t.a not null", "--catalog", "schema.sql"], &["no folder", "--out", "--stdout"]);
    check(&["set t.a not null", "--stdout"], &["no target was named"]);
    check(
        &["add column e int generated always as (a + 1) stored to t", "--catalog", "schema.sql", "--stdout"],
        &["no safe plan", "stored generated column"],
    );
    check(
        &["add column e int not null to t", "--value", "f=1", "--catalog", "schema.sql", "--stdout"],
        &["no column `f` is added", "hint: a value is said as"],
    );
    check(
        &["add column e int not null to t", "--value", "e", "--catalog", "schema.sql", "--stdout"],
        &["`e` says no value"],
    );
    check(&["drop table none", "--catalog", "schema.sql", "--stdout"], &["there is no table `none`"]);
}

#[test]
fn what_a_plan_has_proven_passes_the_checks_of_its_files() {
    let sandbox = Sandbox::new();
    sandbox.file("schema.sql", SCHEMA);
    sandbox.file(
        "file.sql",
        "create table parent (id integer primary key, a int); create table child (parent_id int references parent (id));",
    );
    let check = |words: &str, more: &[&str], accepted: &[&str]| {
        let folder = format!("m_{}", words.replace([' ', '.'], "_"));
        let planned =
            sandbox.run(&[&["migrate", "new", words, "--out", &folder, "--format", "json"], more].concat());
        let planned = planned.expect(0).json();
        if planned["proof"]["outcome"]["state"] != "proven" {
            // Where there is no server, nothing is accepted.
            return;
        }
        for catalog in [&more[1..], &[]] {
            let lint = ["migrate", "lint", folder.as_str(), "--format", "json"];
            let engine: &[&str] =
                if more.contains(&"sqlite") { &["--engine", "sqlite"] } else { &["--engine", "postgres"] };
            let target: &[&str] = if catalog.is_empty() { &[] } else { &["--catalog", catalog[0]] };
            let report = sandbox.run(&[&lint[..], engine, target].concat()).expect(0).json();
            let mut rules: Vec<&str> = report["suppressed"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|one| one["rule"].as_str())
                .collect();
            rules.sort_unstable();
            rules.dedup();
            assert_eq!(rules, accepted, "{words}: {report:#}");
            let reasons = report["suppressed"].as_array().into_iter().flatten();
            assert!(
                reasons.into_iter().all(|one| one["reason"]
                    .as_str()
                    .is_some_and(|reason| reason.starts_with("planned: proven on"))),
                "{report:#}"
            );
            assert_eq!(report["unused_suppressions"].as_array().map_or(0, Vec::len), 0, "{report:#}");
        }
    };
    let postgres = ["--catalog", "schema.sql"];
    check(
        "change type of t.a to bigint",
        &postgres,
        &["migration/dropped-column", "migration/renamed-while-in-use"],
    );
    check("drop column a from t", &postgres, &["migration/dropped-column"]);
    check("drop table t", &postgres, &["migration/dropped-table", "migration/renamed-while-in-use"]);
    let sqlite = ["--catalog", "file.sql", "--engine", "sqlite"];
    check("change type of parent.a to text", &sqlite, &[]);
}
