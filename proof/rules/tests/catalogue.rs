//! `docs/migration-rules.md`: every hazard has an answer, every rule that it names exists, and it names every rule over
//! migrations.

use std::collections::BTreeSet;

use dbwright_rules::rule::Status;
use dbwright_rules::{ALL, find};

const TEXT: &str = include_str!("../../../docs/migration-rules.md");

#[test]
fn every_hazard_has_an_answer_and_every_rule_a_hazard() {
    let mut complaints = Vec::new();
    let mut named = BTreeSet::new();
    let mut hazards = BTreeSet::new();
    let mut section = "";
    for line in TEXT.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else { continue };
        let Some((hazard, answer)) = row.split_once(" | ") else {
            complaints.push(format!("`{line}` is no row of two cells"));
            continue;
        };
        if hazard == "hazard" {
            continue;
        }
        if !hazards.insert((section, hazard)) {
            complaints.push(format!("`{hazard}` stands twice"));
        }
        let rules: Vec<&str> = answer.split('`').filter(|word| find(word).is_some()).collect();
        let ids = answer.split('`').filter(|word| word.contains('/') && !word.contains(' '));
        complaints.extend(ids.filter(|id| find(id).is_none()).map(|id| format!("there is no rule `{id}`")));
        for rule in rules.iter().filter_map(|id| find(id)) {
            let marked = answer.contains(&format!("`{}` (preview)", rule.id));
            if marked != (rule.rule.status == Status::Preview) {
                complaints.push(format!("whether `{}` is in preview is told wrongly", rule.id));
            }
        }
        let told = answer.starts_with("silent") || answer.starts_with("no rule");
        if rules.is_empty() && !told {
            complaints.push(format!("`{hazard}` has no answer"));
        }
        named.extend(rules);
    }
    for entry in ALL.iter().filter(|entry| entry.id.starts_with("migration/")) {
        if !named.contains(entry.id) {
            complaints.push(format!("`{}` finds no hazard of the list", entry.id));
        }
    }
    println!("{} hazards, {} rules", hazards.len(), named.len());
    assert!(hazards.len() > 100, "the list is long");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
