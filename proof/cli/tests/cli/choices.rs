//! What a user may choose: rules, levels, exit codes, targets, suppressions, baselines, and the file that holds them.

use std::fs;

use proof_cli::{Outcome, Sandbox};
use serde_json::Value;

use super::{FLAWED, RULE, told};

fn rules(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let findings = report["findings"].as_array().expect("a list");
    let mut rules: Vec<String> =
        findings.iter().map(|finding| finding["rule"].as_str().expect("an id").to_owned()).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn list<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

const TWO: &str = "create table parent (id integer primary key);
    create table t (a integer not null, parent_id integer not null references parent (id));";

#[test]
fn rules_are_chosen_by_id_family_and_pattern() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", TWO);
    let with = |arguments: &[&str]| {
        let mut all = vec!["review", "a.sql", "--format", "json", "--fail-on", "never"];
        all.extend(arguments);
        rules(&sandbox.run(&all).expect(0))
    };
    let key = "schema/foreign-key-without-index";
    let all = with(&[]);
    assert!(all.iter().any(|rule| rule == RULE) && all.iter().any(|rule| rule == key), "{all:?}");
    assert_eq!(with(&["--only", RULE]), [RULE]);
    assert_eq!(with(&["--only", &format!("{RULE},{key}")]), [key, RULE]);
    assert_eq!(with(&["--only", RULE, "--only", key]), [key, RULE]);
    assert_eq!(with(&["--only", "*/table-without-primary-key"]), [RULE]);
    assert!(with(&["--only", "schema"]).iter().all(|rule| rule.starts_with("schema/")));
    assert!(!with(&["--skip", RULE]).iter().any(|rule| rule == RULE));
    assert_eq!(with(&["--only", "schema", "--skip", "schema"]), [""; 0]);
}

#[test]
fn an_argument_that_is_no_text_is_refused_and_nothing_panics() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    for arguments in [&[&b"audit"[..], b"--only", b"\xff"][..], &[b"\xff"], &[b"audit", b"--\xff"]] {
        let arguments: Vec<&std::ffi::OsStr> =
            arguments.iter().map(|argument| std::ffi::OsStr::from_bytes(argument)).collect();
        let outcome = sandbox.run(&arguments).expect(2);
        assert!(!outcome.transcript().contains("panicked"), "{}", outcome.transcript());
    }
}

#[test]
fn words_that_mean_nothing_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let outcomes: Vec<Outcome> = [
        &["audit"][..],
        &["audit", "a.sql", "--only", "schema/table-without-primary-keys"],
        &["audit", "a.sql", "--skip", "tables"],
        &["audit", "a.sql", "--preview", "schema/table-without-primray-key"],
        &["explain", "schema/table-without-primary"],
        &["explain", "quite something else"],
        &["audit", "a.sql", "--format", "xml"],
        &["audit", "a.sql", "--level", "fatal"],
        &["audit", "a.sql", "--fail-on", "sometimes"],
        &["audit", "a.sql", "--engine", "oracle"],
        &["audit", "a.sql", "b.sql"],
        &["audit", "a.sql", "--baseline", "gone"],
        &["audit", "a.sql", "--config", "gone.toml"],
        &["audit", "oracle://host/db"],
        &["audit", "postgres://h/d?colour=red"],
        &["aduit", "a.sql"],
        &["score"],
        &["score", "explain", "gone.json"],
        &["score", "explain", "a.sql"],
        &["completions", "tcsh"],
        &["demo", "--keep", "a.sql"],
    ]
    .iter()
    .map(|arguments| sandbox.run(arguments).expect(2))
    .collect();
    told("usage", &outcomes);
}

#[test]
fn levels_choose_what_is_shown_and_what_fails() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let code = |arguments: &[&str]| {
        let mut all = vec!["review", "a.sql", "--only", RULE];
        all.extend(arguments);
        sandbox.run(&all).code
    };
    // The rule finds a warning.
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--fail-on", "error"]), Some(0));
    assert_eq!(code(&["--fail-on", "warning"]), Some(1));
    assert_eq!(code(&["--fail-on", "note"]), Some(1));
    assert_eq!(code(&["--fail-on", "never"]), Some(0));
    // What was found counts, shown or not.
    assert_eq!(code(&["--fail-on", "warning", "--level", "error"]), Some(1));
    assert_eq!(code(&["--fail-on", "warning", "--format", "json", "--output", "r.json"]), Some(1));
    assert!(sandbox.path("r.json").exists(), "a report is written whatever the exit code");
    let shown = |level: &str| {
        list(&sandbox.run(&["review", "a.sql", "--format", "json", "--level", level]).json(), "findings")
            .len()
    };
    assert!(shown("note") >= shown("warning") && shown("warning") >= 1 && shown("warning") > shown("error"));
    sandbox.file("dbwright.toml", "fail_on = \"warning\"\n");
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--fail-on", "never"]), Some(0));
    sandbox.file("dbwright.toml", "level = \"error\"\nfail_on = \"note\"\n");
    assert_eq!(code(&[]), Some(1));
    assert_eq!(code(&["--level", "note"]), Some(1));
}

#[test]
fn findings_that_are_not_shown_count_for_the_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", "create table t (id int);\n");
    let run = |level: &str| {
        let arguments = ["audit", "a.sql", "--engine", "postgres", "--fail-on", "warning", "--level", level];
        sandbox.run(&arguments).code
    };
    assert_eq!((run("note"), run("error")), (Some(1), Some(1)));
}

#[test]
fn what_is_skipped_by_choice_is_said_and_caps_what_is_proven() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", "create table t (id int primary key);\n");
    let audit = |more: &[&str]| {
        let mut arguments = vec!["audit", "a.sql", "--engine", "postgres", "--fail-on", "never"];
        arguments.extend(more);
        sandbox.run(&arguments).expect(0)
    };
    let caps = |more: &[&str]| {
        let report = audit(&[&["--format", "json"], more].concat()).json();
        let caps: Vec<String> =
            list(&report["score"], "caps").iter().map(|cap| cap["rule"].to_string()).collect();
        (caps, report)
    };
    let (all, _) = caps(&[]);
    let (kept, report) = caps(&["--skip", "backup"]);
    assert!(all.iter().any(|rule| rule.contains("backup/restore-unproven")), "{all:?}");
    assert_eq!(all, kept);
    let skipped: Vec<&Value> =
        list(&report, "not_checked").iter().filter(|line| line["skipped"] == true).collect();
    let critical =
        skipped.iter().find(|line| line["rule"] == "backup/restore-unproven").expect("it is listed");
    assert_eq!(critical["because"], "critical, and skipped by `--skip backup`");
    assert!(skipped.len() > 1, "{skipped:?}");
    let text = audit(&["--skip", "backup"]).out();
    assert!(text.contains("critical, and skipped by `--skip backup`"), "{text}");
    assert!(text.contains(&format!("{} checks skipped by choice", skipped.len())), "{text}");
    sandbox.file("dbwright.toml", "skip = [\"backup\"]\n");
    assert_eq!(all, caps(&[]).0);
    assert!(audit(&[]).out().contains("skipped by `skip` in dbwright.toml"));
}

#[test]
fn checks_that_could_not_run_are_an_exit_code_of_their_own() {
    let sandbox = Sandbox::new();
    // What is not understood leaves the table in doubt.
    sandbox
        .file("a.sql", "create table t (id int primary key);\nalter table t frobnicate the whole thing;\n");
    let report = sandbox.run(&["audit", "a.sql", "--format", "json", "--fail-on", "never"]).expect(0).json();
    assert_eq!(list(&report, "skipped_statements").len(), 1, "{report:#}");
    let missing = list(&report, "not_checked").iter().filter(|line| line["out_of_reach"] != true).count();
    let strict = sandbox.run(&["audit", "a.sql", "--require-checks", "--fail-on", "never"]);
    assert_eq!(strict.code, Some(if missing > 0 { 3 } else { 0 }));
    // Findings are worse than checks that are missing.
    sandbox.file("b.sql", FLAWED);
    let both = ["audit", "b.sql", "--require-checks", "--fail-on", "warning", "--engine", "postgres"];
    sandbox.run(&both).expect(1);
}

#[test]
fn the_target_is_the_named_one_then_the_variable_then_the_file() {
    let sandbox = Sandbox::new();
    for name in ["named", "variable", "configured"] {
        sandbox.file(&format!("{name}.sql"), FLAWED);
    }
    sandbox.file("deep/below/here.txt", "");
    sandbox.file("other.toml", "target = \"named.sql\"\n");
    sandbox.file("dbwright.toml", "target = \"configured.sql\"\n");
    let name = |outcome: Outcome| outcome.expect(0).json()["target"]["name"].as_str().map(str::to_owned);
    let audit = ["audit", "--format", "json"];
    let named = ["audit", "--format", "json", "named.sql"];
    assert_eq!(
        name(sandbox.dbwright(&named).env("DATABASE_URL", "variable.sql").run()).as_deref(),
        Some("named.sql")
    );
    let variable = sandbox.dbwright(&audit).env("DATABASE_URL", "variable.sql").run();
    assert_eq!(name(variable).as_deref(), Some("variable.sql"));
    assert_eq!(name(sandbox.run(&audit)).as_deref(), Some("configured.sql"));
    let empty = sandbox.dbwright(&audit).env("DATABASE_URL", "").run();
    assert_eq!(name(empty).as_deref(), Some("configured.sql"));
    let explicit = sandbox.run(&["audit", "--format", "json", "--config", "other.toml"]);
    assert_eq!(name(explicit).as_deref(), Some("named.sql"));
    // The file of a folder above holds below, and what it names lies beside it.
    let below = sandbox.dbwright(&audit).within("deep/below").run().expect(0).json();
    assert!(
        below["target"]["name"].as_str().is_some_and(|name| name.ends_with("configured.sql")),
        "{below:#}"
    );
}

#[test]
fn a_wrong_configuration_is_named_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let outcomes: Vec<Outcome> = [
        "colour = true",
        "level = \"loud\"",
        "target = [1",
        "[rules.\"schema/table-without-primary-keys\"]\nx = 1",
        "[rules.\"schema/table-without-primary-key\"]\nx = 1",
        "[[suppress]]\nrule = \"schema/*\"\nreason = \"\"",
        "[[suppress]]\nreason = \"because\"",
        "[[suppress]]\nrule = \"schema/*\"\nreason = \"r\"\nuntil = \"soon\"",
        "[[backup.restored]]\non = \"yesterday\"",
        "[[backup.restored]]\non = \"2999-01-31\"",
        "skip = [\"schema/table-without-primary-keys\"]",
    ]
    .iter()
    .map(|text| {
        sandbox.file("dbwright.toml", text);
        sandbox.run(&["audit", "a.sql"]).expect(2)
    })
    .collect();
    told("configuration", &outcomes);
    sandbox.file("dbwright.toml", [0xff, 0xfe, 0x00]);
    sandbox.run(&["audit", "a.sql"]).expect(2);
}

#[test]
fn accepted_findings_are_set_aside_until_their_day() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let audit = ["audit", "a.sql", "--only", RULE, "--format", "json", "--fail-on", "warning"];
    let with = |text: &str| {
        sandbox.file("dbwright.toml", text);
        let outcome = sandbox.run(&audit);
        (outcome.code, outcome.json())
    };
    let rule = format!("[[suppress]]\nrule = \"{RULE}\"\nreason = \"it is a log\"\n");
    for accepted in [
        rule.clone(),
        format!("{rule}until = \"2999-12-31\"\n"),
        format!("{rule}object = \"public.*\"\n"),
        format!("[[suppress]]\nkey = \"{RULE}:public.t\"\nreason = \"it is a log\"\n"),
    ] {
        let (code, report) = with(&accepted);
        assert_eq!((code, list(&report, "findings").len()), (Some(0), 0), "{accepted}: {report:#}");
        let suppressed = &list(&report, "suppressed")[0];
        assert_eq!(suppressed["reason"], "it is a log");
        assert_eq!(suppressed["by"], "config");
        assert!(list(&report, "unused_suppressions").is_empty());
    }
    let (code, report) = with(&format!("{rule}until = \"2020-01-31\"\n"));
    assert_eq!((code, list(&report, "findings").len()), (Some(1), 1));
    assert!(
        report["unused_suppressions"][0].as_str().is_some_and(|text| text.ends_with("expired on 2020-01-31"))
    );
    let (code, report) = with(&format!("{rule}object = \"public.other\"\n"));
    assert_eq!((code, list(&report, "findings").len()), (Some(1), 1));
    assert!(report["unused_suppressions"][0].as_str().is_some_and(|text| text.ends_with("matches nothing")));
    for format in ["terminal", "markdown", "html"] {
        let text = sandbox.run(&["audit", "a.sql", "--only", RULE, "--format", format]).expect(0).out();
        assert!(text.contains("matches nothing") && !text.contains("matched nothing"), "{format}");
    }
}

#[test]
fn comments_accept_findings_where_they_stand() {
    let sandbox = Sandbox::new();
    let with = |comment: &str| {
        sandbox.file("a.sql", format!("{comment}\n{FLAWED}\n"));
        let arguments = ["audit", "a.sql", "--only", RULE, "--format", "json", "--fail-on", "warning"];
        let outcome = sandbox.run(&arguments);
        (outcome.code, outcome.json())
    };
    let comment = format!("-- dbwright:ignore {RULE} it is a log");
    let (code, report) = with(&comment);
    assert_eq!((code, list(&report, "findings").len()), (Some(0), 0), "{report:#}");
    assert_eq!(list(&report, "suppressed")[0]["by"], "comment");
    let (code, report) = with(&format!("-- dbwright:ignore {RULE} until=2020-01-31 it is a log"));
    assert_eq!((code, list(&report, "findings").len()), (Some(1), 1), "{report:#}");
    assert!(
        report["unused_suppressions"][0].as_str().is_some_and(|text| text.ends_with("expired on 2020-01-31"))
    );
}

#[test]
fn a_comment_holds_for_its_own_schema_with_a_reason_and_a_real_date() {
    let sandbox = Sandbox::new();
    let with = |script: &str| {
        sandbox.file("a.sql", script);
        let arguments = [
            "audit",
            "a.sql",
            "--engine",
            "postgres",
            "--only",
            RULE,
            "--format",
            "json",
            "--fail-on",
            "never",
        ];
        let report = sandbox.run(&arguments).expect(0).json();
        let found: Vec<String> =
            list(&report, "findings").iter().map(|finding| finding["object"].to_string()).collect();
        (found.join(" "), list(&report, "unused_suppressions").to_vec())
    };
    let ignore = format!("-- dbwright:ignore {RULE}");
    let (found, unused) = with(&format!(
        "create schema audit; create table users (a int not null);\n{ignore} it is a log\n\
         create table audit.users (a int not null);"
    ));
    assert_eq!((found.as_str(), unused.len()), ("\"public.users\"", 0));
    // A comment before a later change of the table speaks for the table, too.
    let (found, unused) =
        with(&format!("create table t (a int);\n{ignore} it is a log\nalter table t add check (a > 0);"));
    assert_eq!((found.as_str(), unused.len()), ("", 0));
    for (words, fault) in [
        ("", "it has no reason"),
        (" until=31.12.2025 legacy", "`until=31.12.2025` is not a date like 2030-01-31"),
    ] {
        let (found, unused) = with(&format!("{ignore}{words}\n{FLAWED}"));
        assert_eq!(found, "\"public.t\"", "{words}");
        assert!(unused[0].as_str().is_some_and(|text| text.ends_with(fault)), "{unused:?}");
    }
}

#[test]
fn a_baseline_holds_what_was_there_before() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let base = ["audit", "a.sql", "--only", RULE, "--fail-on", "warning", "--format", "json"];
    let run = |more: &[&str]| sandbox.run(&[&base[..], more].concat());
    run(&["--write-baseline", "base"]).expect(1);
    let first = fs::read_to_string(sandbox.path("base")).expect("it was written");
    assert!(first.ends_with(&format!("{RULE}:public.t\n")), "{first}");
    let report = run(&["--baseline", "base"]).expect(0).json();
    assert_eq!(list(&report, "suppressed")[0]["by"], "baseline");
    // A new table is new, and joins the others when the baseline is written again.
    sandbox.file("a.sql", format!("{FLAWED}\n{}", FLAWED.replace("table t", "table u")));
    let report = run(&["--baseline", "base", "--write-baseline", "base"]).expect(1).json();
    assert_eq!(list(&report, "findings").len(), 1);
    assert_eq!(report["findings"][0]["object"], "public.u");
    let second = fs::read_to_string(sandbox.path("base")).expect("it was written");
    assert_eq!(second, format!("{first}{RULE}:public.u\n"));
    run(&["--baseline", "base"]).expect(0);
    // What is not shown is still there.
    run(&["--level", "error", "--write-baseline", "high"]).expect(1);
    let high = fs::read_to_string(sandbox.path("high")).expect("it was written");
    assert_eq!(high, second);
    run(&["--baseline", "high"]).expect(0);
}

/// `count` tables that refer to a parent without an index behind the reference.
fn unindexed(count: usize) -> String {
    let mut script = "create table parent (id integer primary key not null);".to_owned();
    for i in 0..count {
        script.push_str(&format!(
            "create table t{i} (id integer primary key not null, parent_id integer not null references parent (id));"
        ));
    }
    script
}

#[test]
fn a_baseline_holds_every_place_of_a_convention() {
    const KEY: &str = "schema/foreign-key-without-index";
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", unindexed(8));
    let base =
        ["audit", "a.sql", "--engine", "sqlite", "--only", KEY, "--fail-on", "note", "--format", "json"];
    let run = |more: &[&str]| sandbox.run(&[&base[..], more].concat());
    let report = run(&["--write-baseline", "base"]).expect(1).json();
    assert_eq!(list(&report, "findings").len(), 1, "{report:#}");
    assert_eq!(list(&report["findings"][0], "places").len(), 8, "{report:#}");
    let held = fs::read_to_string(sandbox.path("base")).expect("it was written");
    assert_eq!(held.lines().filter(|line| line.starts_with(KEY)).count(), 8, "{held}");
    assert_eq!(list(&run(&["--baseline", "base"]).expect(0).json(), "suppressed").len(), 8);
    sandbox.file("a.sql", unindexed(10));
    let report = run(&["--baseline", "base"]).expect(1).json();
    let objects: Vec<&str> =
        list(&report, "findings").iter().filter_map(|finding| finding["object"].as_str()).collect();
    assert_eq!(objects, ["t8(parent_id)", "t9(parent_id)"], "{report:#}");
    // The key that is shown for all of them accepts all of them.
    sandbox
        .file("dbwright.toml", format!("[[suppress]]\nkey = \"{KEY}:schema\"\nreason = \"small tables\"\n"));
    let report = run(&[]).expect(0).json();
    assert_eq!(list(&report, "suppressed").len(), 10, "{report:#}");
    assert!(list(&report, "unused_suppressions").is_empty(), "{report:#}");
}
