//! What is done almost everywhere is a convention, and is said once. A mere note is said once as soon as it would be said
//! again and again.

use std::collections::BTreeMap;

use dbwright_model::finding::{Confidence, Evidence, Finding, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::Rule;
use crate::run::{Checked, Outcome};

/// A rule that fires on more than this share of its opportunities is reported once. Measured on mature public
/// schemas, such rules describe how the schema was built rather than single mistakes.
const SHARE: f64 = 0.3;

/// Below this many findings each is still shown by itself.
const LEAST: usize = 5;

/// Replaces the findings of rules that fire almost everywhere by one finding each.
pub fn fold(outcome: &mut Outcome) {
    let Outcome { findings, checks } = outcome;
    let mut conventions: BTreeMap<&'static str, Option<Finding>> = BTreeMap::new();
    // The findings of a rule stand together.
    for findings in findings.chunk_by(|a, b| a.rule == b.rule) {
        let Some((entry, checked)) = checks.iter().find(|(entry, _)| entry.id == findings[0].rule) else {
            continue;
        };
        if let (Some(what), Checked::Ran { examined } | Checked::InPart { examined, .. }) =
            (entry.rule.convention, checked)
            && findings.len() >= LEAST
            && (findings.iter().all(|finding| finding.level == Level::Note)
                || findings.len() as f64 > SHARE * *examined as f64)
        {
            conventions.insert(entry.id, Some(once(findings, *examined, what, entry.rule)));
        }
    }
    // In place: of a large catalog there are many.
    findings.retain_mut(|finding| match conventions.get_mut(finding.rule) {
        Some(convention) => convention.take().map(|once| *finding = once).is_some(),
        None => true,
    });
}

/// The place of a finding, and what it points to where that is the heart of it.
fn example(finding: &Finding) -> String {
    match finding.evidence.iter().find(|evidence| evidence.name == "refers to") {
        Some(target) => format!("{} (to {})", finding.object, target.value),
        None => finding.object.to_string(),
    }
}

/// The objects under which a finding may be said once together with the others of its rule: its schema, or all. None
/// where each is said by itself.
pub fn objects(finding: &Finding) -> Vec<ObjectRef> {
    let said_once = crate::find(finding.rule).is_some_and(|entry| entry.rule.convention.is_some());
    match &finding.object.parent {
        Some(parent) if said_once => vec![ObjectRef::schema(&parent.schema), all_schemas()],
        _ => Vec::new(),
    }
}

fn all_schemas() -> ObjectRef {
    ObjectRef::database(&Name::new("all schemas"))
}

fn once(findings: &[Finding], examined: u64, what: &str, rule: &Rule) -> Finding {
    let (then, instead) = (rule.then, rule.instead);
    let first = &findings[0];
    let schema = first.object.parent.as_ref().map(|parent| parent.schema.clone());
    let one_schema = findings
        .iter()
        .all(|finding| finding.object.parent.as_ref().map(|parent| &parent.schema) == schema.as_ref());
    let object = match schema {
        Some(schema) if one_schema => ObjectRef::schema(&schema),
        _ => all_schemas(),
    };
    let mut evidence: Vec<Evidence> = findings
        .iter()
        .take(5)
        .map(|finding| Evidence { name: "for example".to_owned(), value: example(finding) })
        .collect();
    if findings.len() > 5 {
        evidence.push(Evidence { name: "and".to_owned(), value: format!("{} more", findings.len() - 5) });
    }
    let remedies: Vec<&Remedy> = findings.iter().filter_map(|finding| finding.remedy.as_ref()).collect();
    // Remedies in several words are told in those of the rule.
    let alike = remedies.iter().all(|remedy| remedy.summary == remedies[0].summary);
    let remedy = remedies.first().map(|first| Remedy {
        applicability: remedies
            .iter()
            .map(|remedy| remedy.applicability)
            .min()
            .unwrap_or(first.applicability),
        summary: if alike { first.summary.clone() } else { instead.into() },
        changes: remedies.iter().flat_map(|remedy| remedy.changes.clone()).collect(),
        statements: remedies.iter().flat_map(|remedy| remedy.statements.clone()).collect(),
    });
    Finding {
        rule: first.rule,
        level: findings.iter().map(|finding| finding.level).max().unwrap_or(first.level),
        object,
        message: format!("{} of {examined} {what}. {then}", findings.len()),
        evidence,
        evidence_level: first.evidence_level,
        confidence: Confidence::Medium,
        remedy,
        location: first.location.clone(),
        cause: String::new(),
        count: findings.len() as u64,
        critical: findings.iter().any(|finding| finding.critical),
    }
}
