//! What rules say of facts whose names were replaced: they may know less, and never say that all is well.

use std::collections::BTreeMap;

use dbwright_model::facts::Facts;
use dbwright_rules::run::{Checked, run};
use dbwright_rules::{ALL, Options};
use dbwright_service::anonymize::anonymize;
use dbwright_service::snapshot;
use proof_rules::{Body, examples};

/// What came of one rule.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Verdict {
    Found,
    Silent,
    /// Nothing is claimed.
    Unknown,
    NotApplicable,
}

fn verdicts(facts: &Facts) -> BTreeMap<&'static str, Verdict> {
    let outcome = run(facts, ALL, &Options::default());
    let found = |id| outcome.findings.iter().any(|finding| finding.rule == id);
    let verdict = |id, checked: &Checked| match checked {
        _ if found(id) => Verdict::Found,
        Checked::Ran { .. } => Verdict::Silent,
        Checked::NotApplicable { .. } => Verdict::NotApplicable,
        Checked::InPart { .. }
        | Checked::Unknown { .. }
        | Checked::Unasked { .. }
        | Checked::Skipped { .. } => Verdict::Unknown,
    };
    outcome.checks.iter().map(|(entry, checked)| (entry.id, verdict(entry.id, checked))).collect()
}

/// Facts as a snapshot file gives them back.
fn read_back(facts: &Facts) -> Facts {
    let text = snapshot::write(facts).expect("a snapshot is written");
    let mut facts = snapshot::parse(&text).expect("it reads back");
    dbwright_sql::understand::understand(&mut facts);
    facts
}

#[test]
fn no_finding_goes_away_and_none_appears_where_names_are_replaced() {
    let mut complaints: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut found = 0;
    for entry in ALL {
        for example in examples(entry).expect("the text can be read") {
            // Files of migrations are no part of a snapshot.
            if matches!(example.body, Body::Migration(_)) {
                continue;
            }
            for engine in &example.engines {
                let facts = read_back(&example.facts(*engine).expect("the example can be read"));
                let (before, after) = match anonymize(&facts) {
                    Ok(anonymous) => (verdicts(&facts), verdicts(&read_back(&anonymous))),
                    Err(error) => {
                        let place = format!("{} {engine} line {}", entry.id, example.line);
                        complaints.entry(format!("anonymise: {error}")).or_default().push(place);
                        continue;
                    }
                };
                for (id, before) in before {
                    let after = after[id];
                    found += u32::from(before == Verdict::Found && after == Verdict::Found);
                    let fits = match before {
                        Verdict::Found => matches!(after, Verdict::Found | Verdict::Unknown),
                        Verdict::Unknown => after == Verdict::Unknown,
                        Verdict::Silent | Verdict::NotApplicable => after != Verdict::Found,
                    };
                    if !fits {
                        let place = format!("{} {engine} line {}", entry.id, example.line);
                        complaints.entry(format!("{id}: {before:?} -> {after:?}")).or_default().push(place);
                    }
                }
            }
        }
    }
    let list: Vec<String> = complaints
        .iter()
        .map(|(what, places)| {
            format!("{what} in {} examples, first {}", places.len(), places[..places.len().min(3)].join("; "))
        })
        .collect();
    assert!(list.is_empty(), "{} kinds:\n{}", list.len(), list.join("\n"));
    // A rule for which everything is unknown proves nothing.
    assert!(found > 200, "only {found} findings were found again");
}
