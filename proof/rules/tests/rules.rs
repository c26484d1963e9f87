//! Every example of every rule, offline; and what every rule must have.

use std::collections::BTreeSet;

use dbwright_model::engine::Engine;
use dbwright_rules::run::run;
use dbwright_rules::{ALL, Applies, Options, Status};
use dbwright_sql::files::SourceFile;
use proof_rules::examples;

#[test]
fn every_example_is_found_where_it_says_and_nowhere_else() {
    let mut complaints = Vec::new();
    let mut checked = 0;
    for entry in ALL {
        let examples = match examples(entry) {
            Ok(examples) => examples,
            Err(complaint) => {
                complaints.push(complaint);
                continue;
            }
        };
        for example in &examples {
            for engine in &example.engines {
                checked += 1;
                complaints.extend(example.check(*engine).err());
            }
        }
    }
    println!("{checked} examples of {} rules", ALL.len());
    assert!(checked > ALL.len(), "there must be examples");
    assert!(complaints.is_empty(), "{} of {checked}:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn one_cause_is_told_once() {
    let sql = "create table t (id integer not null primary key, a integer, b integer);
               create index t_a on t (a);
               create index t_a_again on t (a);
               create index t_ab on t (a, b);";
    for engine in Engine::ALL {
        let file = SourceFile { name: "example.sql".to_owned(), text: sql.to_owned() };
        let facts = dbwright_sql::files::read(engine, None, "example.sql", &[file]).facts;
        let rules = ["index/duplicate-index", "index/redundant-index"];
        let rules = rules.into_iter().filter_map(dbwright_rules::find);
        let outcome = run(&facts, rules, &Options::default());
        let found: Vec<(&str, &str)> =
            outcome.findings.iter().map(|one| (one.rule, one.object.name.trim())).collect();
        let expected = [("index/duplicate-index", "index t_a_again"), ("index/redundant-index", "index t_a")];
        assert_eq!(found, expected, "{engine}");
    }
}

#[test]
fn every_rule_has_a_finding_and_a_silent_example_for_each_of_its_engines() {
    let mut complaints = Vec::new();
    for entry in ALL {
        let examples = examples(entry).unwrap_or_default();
        for engine in Engine::ALL {
            if entry.rule.engines.of(engine) != Applies::Yes {
                continue;
            }
            let of_engine = || examples.iter().filter(|example| example.engines.contains(&engine));
            if !of_engine().any(|example| example.expects_findings()) {
                complaints.push(format!("{} has no example with a finding for {engine}", entry.id));
            }
            if !of_engine().any(|example| !example.expects_findings()) {
                complaints.push(format!("{} has no silent example for {engine}", entry.id));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn ids_are_unique_and_name_the_problem() {
    let mut seen = BTreeSet::new();
    for entry in ALL {
        assert!(seen.insert(entry.id), "{} stands twice in the list", entry.id);
        let name = entry.id.rsplit('/').next().unwrap_or_default();
        for cure in ["avoid-", "prefer-", "use-", "require-", "no-", "missing-rule"] {
            assert!(!name.starts_with(cure), "{}: a name states the problem, not the cure", entry.id);
        }
    }
}

#[test]
fn records_are_complete_and_worded_alike() {
    let mut complaints = Vec::new();
    for entry in ALL {
        let rule = entry.rule;
        let mut must = |holds: bool, what: &str| {
            if !holds {
                complaints.push(format!("{}: {what}", entry.id));
            }
        };
        must(!rule.when.is_empty() && !rule.when.ends_with('.'), "`when` is a fragment without a full stop");
        must(rule.when.starts_with(|c: char| c.is_lowercase() || c == '`'), "`when` starts in lower case");
        must(
            rule.then.ends_with('.') && rule.then.starts_with(|c: char| c.is_uppercase() || c == '`'),
            "`then` is a sentence",
        );
        must(rule.instead.ends_with('.'), "`instead` is a sentence");
        must((1..=10).contains(&rule.weight), "a weight is between 1 and 10");
        must(!rule.source.is_empty() || rule.status == Status::Preview, "say where the knowledge comes from");
        for option in rule.options {
            must(!option.help.is_empty(), "an option says what it means");
        }
        for heading in ["## What it finds", "## Why it matters", "## What to do", "## When to ignore it"] {
            must(entry.text.contains(heading), &format!("the text lacks `{heading}`"));
        }
        must(entry.text.starts_with("# "), "the text begins with its title");
        must(
            entry.text.lines().all(|line| line.len() <= 130 || line.contains("](http")),
            "a line of the text is too long",
        );
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
