//! Every command once for what it is for.

use std::collections::BTreeSet;
use std::fs;

use proof_cli::Sandbox;
use proof_cli::servers::{Mariadb, Postgres};
use serde_json::Value;

use super::{FLAWED, RULE};

const SHOP: &str = "
    create table parent (id int primary key, name varchar(100));
    create table child (a int not null, parent_id int references parent (id), email varchar(100));
    create table t (id int primary key, created timestamp);
    create index child_a on child (a);
    insert into parent values (1, 'x'), (2, 'y');
    insert into child values (1, 1, 'a@example.com'), (2, 2, 'b@example.com');
";

/// What a report says about a target, how it was read left out.
fn essence(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().expect("a list").iter();
    let findings = findings.map(|finding| {
        format!("{} {} {} {}", finding["key"], finding["level"], finding["message"], finding["remedy"])
    });
    let missing = report["not_checked"].as_array().expect("a list").iter();
    let missing = missing.map(|line| format!("{} not checked: {}", line["rule"], line["because"]));
    let tables = ["tables", "columns", "indexes", "foreign_keys", "engine", "version"];
    let counts = tables.map(|name| format!("{name}: {}", report["target"][name]));
    findings.chain(missing).chain(counts).collect()
}

fn check_snapshot(sandbox: &Sandbox, target: &str) {
    for command in ["audit", "review"] {
        sandbox.run(&["snapshot", target, "--output", "snapshot.json"]).expect(0);
        let run = |target: &str| {
            sandbox.run(&[command, target, "--format", "json", "--fail-on", "never"]).expect(0).json()
        };
        let (live, recorded) = (run(target), run("snapshot.json"));
        assert_eq!(live["target"]["origin"], "live");
        assert_eq!(recorded["target"]["origin"], "snapshot");
        let (seen, told) = (essence(&live), essence(&recorded));
        let only_live: Vec<_> = seen.difference(&told).collect();
        let only_recorded: Vec<_> = told.difference(&seen).collect();
        assert!(
            only_live.is_empty() && only_recorded.is_empty(),
            "{command} {target}: only live {only_live:#?}; only in the snapshot {only_recorded:#?}"
        );
        assert_eq!(live["score"], recorded["score"], "{command} {target}");
    }
}

#[test]
fn a_snapshot_says_what_the_database_says() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("a.sqlite", SHOP);
    check_snapshot(&sandbox, "a.sqlite");
    let postgres = Postgres::start(&sandbox, &[]);
    postgres.database("shop", SHOP);
    check_snapshot(&sandbox, &postgres.target("postgres", "shop"));
    let mariadb = Mariadb::start(&[], &format!("create database shop; use shop; {SHOP}"));
    check_snapshot(&sandbox, &mariadb.target("root", "shop"));
    // A snapshot of a snapshot is the same snapshot.
    let text = fs::read_to_string(sandbox.path("snapshot.json")).expect("it was written");
    let again = sandbox.run(&["snapshot", "snapshot.json"]).expect(0).out();
    let facts = |text: &str| -> Value {
        let mut value: Value = serde_json::from_str(text).expect("it is JSON");
        value["facts"]["source"]["origin"] = Value::Null;
        value
    };
    assert_eq!(facts(&text), facts(&again));
}

#[test]
fn rules_are_listed_and_explained() {
    let sandbox = Sandbox::new();
    let rules = sandbox.run(&["rules", "--json"]).expect(0).json();
    let rules = rules.as_array().expect("a list");
    assert!(!rules.is_empty());
    let listing = sandbox.run(&["rules"]).expect(0).out();
    assert_eq!(listing.lines().count(), rules.len());
    for rule in rules {
        let id = rule["id"].as_str().expect("an id");
        assert!(listing.lines().any(|line| line.starts_with(id)), "{id}");
        for name in ["level", "dimension", "weight", "preview", "when", "engines", "needs"] {
            assert!(!rule[name].is_null(), "{id}: {name}");
        }
    }
    // Starting the program for every rule would take long; a few from all over the list stand for the others.
    for rule in rules.iter().step_by(1 + rules.len() / 8) {
        let id = rule["id"].as_str().expect("an id");
        let text = sandbox.run(&["explain", id]).expect(0).out();
        assert!(text.starts_with("# ") && text.contains(&format!("`{id}`")), "{text}");
        assert!(!text.contains("-- finding") || !text.contains("```facts"), "{text}");
        assert_eq!(text.matches("```").count() % 2, 0, "{text}");
    }
}

#[test]
fn scores_are_explained_and_compared() {
    let sandbox = Sandbox::new();
    sandbox.file("before.sql", FLAWED);
    sandbox.file("after.sql", "create table t (a integer not null primary key, b text);");
    for name in ["before", "after"] {
        let arguments = [
            "audit",
            &format!("{name}.sql"),
            "-f",
            "json",
            "-o",
            &format!("{name}.json"),
            "--fail-on",
            "never",
        ];
        sandbox.run(&arguments).expect(0);
    }
    sandbox.run(&["review", "before.sql", "-f", "json", "-o", "review.json"]).expect(0);
    let text = sandbox.run(&["score", "explain", "before.json"]).expect(0).out();
    assert!(text.contains("proven") && text.contains(RULE), "{text}");
    let list = sandbox.run(&["score", "explain", "before.json", "--json"]).expect(0).json();
    let list = list.as_array().expect("a list").clone();
    let points: f64 = list.iter().filter_map(|line| line["possible"].as_f64()).sum();
    assert!((points - 100.0).abs() < 0.5, "the checks are worth {points} points in all");
    let diff = sandbox.run(&["score", "diff", "before.json", "after.json"]).expect(0).out();
    assert!(diff.contains(&format!("- {RULE}:public.t")), "{diff}");
    let diff = sandbox.run(&["score", "diff", "before.json", "after.json", "--json"]).expect(0).json();
    assert_eq!(diff["disappeared"][0], format!("{RULE}:public.t"), "{diff:#}");
    let same = sandbox.run(&["score", "diff", "after.json", "after.json", "--json"]).expect(0).json();
    assert_eq!(same["appeared"], same["disappeared"]);
    for wrong in [&["score", "explain", "review.json"][..], &["score", "diff", "before.json", "review.json"]]
    {
        let error = sandbox.run(wrong).expect(2).err();
        assert!(error.starts_with("error: "), "{error}");
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    let sandbox = Sandbox::new();
    for (shell, word) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef dbwright"),
        ("fish", "complete -c dbwright"),
        ("powershell", "Register"),
        ("elvish", "edit:"),
    ] {
        let script = sandbox.run(&["completions", shell]).expect(0).out();
        assert!(script.contains(word) && script.contains("snapshot"), "{shell}");
        sandbox.file(&format!("script.{shell}"), &script);
        if let Ok(output) =
            std::process::Command::new(shell).arg("-n").arg(sandbox.path(&format!("script.{shell}"))).output()
            && ["bash", "zsh", "fish"].contains(&shell)
        {
            assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    let page = sandbox.run(&["man"]).expect(0).out();
    assert!(page.contains(".TH dbwright 1"), "{page}");
    sandbox.run(&["man", "--folder", "pages"]).expect(0);
    let pages = fs::read_dir(sandbox.path("pages")).expect("it was made").count();
    assert!(pages >= 10, "{pages} pages");
    sandbox.file("taken", "");
    sandbox.run(&["man", "--folder", "taken"]).expect(2);
}

#[test]
fn the_demonstration_can_be_kept() {
    let sandbox = Sandbox::new();
    let demo = sandbox.run(&["demo", "--keep", "shop.sqlite", "--format", "json"]).expect(0).json();
    let kept = sandbox.run(&["audit", "shop.sqlite", "--data", "--format", "json", "--fail-on", "never"]);
    assert_eq!(essence(&demo), essence(&kept.expect(0).json()));
    sandbox.run(&["demo", "--keep", "shop.sqlite"]).expect(2);
    sandbox.run(&["demo", "--keep", "nowhere/shop.sqlite"]).expect(2);
    assert!(sandbox.leftovers().is_empty());
}
