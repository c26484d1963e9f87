//! Runs rules over facts.

use dbwright_model::facts::{DataQuestion, Fact, Facts};
use dbwright_model::finding::Finding;
use dbwright_model::observed::Observed;

use crate::context::{Context, Lookup};
use crate::findings::Findings;
use crate::rule::{Applies, Options};
use crate::{Entry, rule};

/// What came of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It ran over this many places.
    Ran {
        /// Places looked at.
        examined: u64,
    },
    /// It ran over this many places, but a fact that could have made it find more is not known.
    InPart {
        /// Places looked at.
        examined: u64,
        /// What is missing, as a lower-case fragment.
        because: String,
    },
    /// It makes no sense here.
    NotApplicable {
        /// Why, as a lower-case fragment.
        because: String,
    },
    /// It could not run.
    Unknown {
        /// Why, as a lower-case fragment.
        because: String,
    },
}

/// What came of all rules.
#[derive(Debug)]
pub struct Outcome {
    /// Every finding, in the order of the rules.
    pub findings: Vec<Finding>,
    /// Every selected rule and what came of it, in the same order.
    pub checks: Vec<(&'static Entry, Checked)>,
}

/// Runs the selected rules. A rule whose needs are not all known is not run and says why.
pub fn run(facts: &Facts, selected: impl IntoIterator<Item = &'static Entry>, options: &Options) -> Outcome {
    let lookup = Lookup::new(facts);
    let mut outcome = Outcome { findings: Vec::new(), checks: Vec::new() };
    for entry in selected {
        let checked = check(facts, &lookup, entry, options, &mut outcome.findings);
        outcome.checks.push((entry, checked));
    }
    outcome
}

fn check(
    facts: &Facts,
    lookup: &Lookup<'_>,
    entry: &'static Entry,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Checked {
    if let Applies::No(because) = entry.rule.engines.of(facts.source.engine) {
        return Checked::NotApplicable { because: because.to_owned() };
    }
    for need in entry.rule.needs {
        if let Some(because) = why_unknown(facts, *need) {
            return Checked::Unknown { because: format!("{}: {because}", need.describe()) };
        }
    }
    let mut collected = Findings::after(entry, std::mem::take(findings));
    (entry.rule.check)(&Context::new(facts, lookup, entry, options), &mut collected);
    *findings = collected.found;
    match (collected.unknown, collected.not_applicable) {
        (Some(because), _) => Checked::Unknown { because },
        (None, Some(because)) => Checked::NotApplicable { because },
        (None, None) => {
            let blind = entry.rule.raised_by.iter().find_map(|fact| Some((fact, why_unknown(facts, *fact)?)));
            match blind {
                Some((fact, because)) => Checked::InPart {
                    examined: collected.examined,
                    because: format!("checked in part; {}: {because}", fact.describe()),
                },
                None => Checked::Ran { examined: collected.examined },
            }
        }
    }
}

/// Why a fact is not known, in words for the report.
fn why_unknown(facts: &Facts, fact: Fact) -> Option<String> {
    if fact == Fact::Data && facts.data == Observed::NotAsked {
        return Some("rows are counted only with `--data`".to_owned());
    }
    facts.status(fact).because()
}

/// The rules that run by default: all that are not in preview.
pub fn default_rules() -> impl Iterator<Item = &'static Entry> {
    crate::ALL.iter().filter(|entry| entry.rule.status == rule::Status::Stable)
}

/// What the selected rules would like to have counted in the rows.
pub fn questions(
    facts: &Facts,
    selected: impl IntoIterator<Item = &'static Entry>,
    options: &Options,
) -> Vec<DataQuestion> {
    let lookup = Lookup::new(facts);
    let mut questions = Vec::new();
    for entry in selected {
        let Some(ask) = entry.rule.questions else { continue };
        let applies = entry.rule.engines.of(facts.source.engine) == Applies::Yes;
        let known = entry
            .rule
            .needs
            .iter()
            .filter(|need| **need != Fact::Data)
            .all(|need| facts.status(*need).is_known());
        if applies && known {
            questions.extend(ask(&Context::new(facts, &lookup, entry, options)));
        }
    }
    questions
}
