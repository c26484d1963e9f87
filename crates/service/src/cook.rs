//! Findings made ready for a report: accepted ones set aside, conventions said once, keys, places and SQL added, sorted.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::facts::Facts;
use dbwright_model::finding::{Finding, Level};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::report::{
    FORMAT, NotChecked, RemedyStep, Report, ReportFinding, ReportRemedy, SuppressedFinding, TargetSummary,
};
use dbwright_model::score::Score;
use dbwright_rules::run::{Checked, Outcome};
use dbwright_sql::suppress::CommentSuppression;
use jiff::civil::Date;

use crate::config::{Config, Suppression};
use crate::gather::Gathered;
use crate::world::World;

/// Who accepted a finding that was there before.
pub(crate) const BASELINE: &str = "baseline";

/// How to cook.
pub struct Recipe<'a> {
    /// Name of the operation.
    pub operation: &'static str,
    /// Whether the score is reckoned.
    pub score: bool,
    /// Lowest level that is reported.
    pub level: Level,
    /// Keys of findings that were there before; `None` without a baseline.
    pub baseline: Option<&'a BTreeSet<String>>,
}

/// Makes the report.
pub fn cook(
    mut outcome: Outcome,
    gathered: &Gathered,
    config: &Config,
    recipe: &Recipe<'_>,
    world: &World<'_>,
) -> Report {
    let today = world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut book = SuppressionBook::new(gathered, config, today);
    let mut waived: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    let mut suppressed = Vec::new();
    outcome.findings.retain(|finding| match book.accepts(finding) {
        Some(accepted) => {
            suppressed.push(accepted);
            waived.entry(finding.rule.to_owned()).or_default().push(finding.clone());
            false
        }
        None => true,
    });
    let score: Option<Score> = recipe.score.then(|| dbwright_rules::score::score(&outcome, &waived));
    let not_checked = not_checked(&outcome);
    dbwright_rules::convention::fold(&mut outcome);
    let mut findings: Vec<ReportFinding> =
        outcome.findings.iter().map(|finding| report_finding(finding, gathered)).collect();
    number_equal_keys(&mut findings);
    if let Some(baseline) = recipe.baseline {
        findings.retain(|finding| {
            let known = baseline.contains(&finding.key);
            if known {
                suppressed.push(SuppressedFinding {
                    key: finding.key.clone(),
                    rule: finding.rule.clone(),
                    object: finding.object.clone(),
                    reason: "it was there before".to_owned(),
                    until: None,
                    by: BASELINE.to_owned(),
                });
            }
            !known
        });
    }
    findings.retain(|finding| finding.level >= recipe.level);
    findings.sort_by(|a, b| {
        (!a.critical, std::cmp::Reverse(a.level), a.dimension, &a.rule, &a.object, &a.message).cmp(&(
            !b.critical,
            std::cmp::Reverse(b.level),
            b.dimension,
            &b.rule,
            &b.object,
            &b.message,
        ))
    });
    suppressed.sort_by(|a, b| a.key.cmp(&b.key));
    Report {
        format: FORMAT,
        dbwright: world.version.to_owned(),
        operation: recipe.operation.to_owned(),
        target: summary(&gathered.facts),
        score,
        findings,
        suppressed,
        not_checked,
        skipped_statements: gathered.facts.source.skipped.clone(),
        unused_suppressions: book.unused(),
    }
}

/// The stable key of a finding: its rule and its object, on one line whatever the object is called.
pub fn key(finding: &Finding) -> String {
    let object = finding.object.to_string();
    let mut key = format!("{}:", finding.rule);
    for c in object.chars() {
        if c.is_control() { key.extend(c.escape_default()) } else { key.push(c) }
    }
    key
}

fn number_equal_keys(findings: &mut [ReportFinding]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for finding in findings {
        let count = seen.entry(finding.key.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            finding.key = format!("{}#{count}", finding.key);
        }
    }
}

fn report_finding(finding: &Finding, gathered: &Gathered) -> ReportFinding {
    let entry = dbwright_rules::find(finding.rule);
    ReportFinding {
        rule: finding.rule.to_owned(),
        level: finding.level,
        dimension: entry.map_or(dbwright_model::score::Dimension::Schema, |entry| entry.rule.dimension),
        object_kind: finding.object.kind,
        object: finding.object.to_string(),
        message: finding.message.clone(),
        evidence: finding.evidence.clone(),
        evidence_level: finding.evidence_level,
        confidence: finding.confidence,
        remedy: finding.remedy.as_ref().map(|remedy| report_remedy(remedy, &gathered.facts)),
        location: finding.location.clone().or_else(|| gathered.places.find(&finding.object).cloned()),
        cause: if finding.cause.is_empty() { finding.rule.to_owned() } else { finding.cause.clone() },
        count: finding.count,
        critical: finding.critical,
        key: key(finding),
    }
}

/// Writes a remedy's changes for the target. A change that cannot be written makes the remedy one for hands.
pub fn report_remedy(remedy: &Remedy, facts: &Facts) -> ReportRemedy {
    let engine = facts.source.engine;
    let version = facts.source.version;
    let mut steps = Vec::new();
    let mut complete = true;
    for change in &remedy.changes {
        match dbwright_sql::write(engine, version, change) {
            Some(written) => steps.extend(written.into_iter().map(|statement| RemedyStep {
                sql: format!("{};", statement.sql),
                in_transaction: statement.in_transaction,
            })),
            None => complete = false,
        }
    }
    steps.extend(remedy.statements.iter().map(|sql| RemedyStep { sql: sql.clone(), in_transaction: true }));
    if !complete {
        steps.clear();
    }
    let applicability = if complete && remedy.statements.is_empty() && !steps.is_empty() {
        remedy.applicability
    } else {
        Applicability::Manual
    };
    ReportRemedy { applicability, summary: remedy.summary.to_string(), steps }
}

fn not_checked(outcome: &Outcome) -> Vec<NotChecked> {
    let mut list: Vec<NotChecked> = outcome
        .checks
        .iter()
        .filter_map(|(entry, checked)| match checked {
            Checked::Unknown { because } | Checked::InPart { because, .. } => {
                Some(NotChecked { rule: entry.id.to_owned(), because: because.clone() })
            }
            _ => None,
        })
        .collect();
    list.sort();
    list
}

fn summary(facts: &Facts) -> TargetSummary {
    let catalog = facts.catalog.known();
    let tables = catalog.map(|catalog| catalog.tables.as_slice()).unwrap_or_default();
    let bytes = facts.table_statistics.known().map(|statistics| {
        statistics
            .iter()
            .map(|table| {
                table.table_bytes.unwrap_or(0)
                    + table.index_bytes.unwrap_or(0)
                    + table.toast_bytes.unwrap_or(0)
            })
            .sum()
    });
    let source = &facts.source;
    TargetSummary {
        name: source.target.clone(),
        origin: source.origin,
        engine: source.engine,
        version: source.version.map(|version| version.to_string()).unwrap_or_default(),
        collected_at: source.collected_at,
        role: source.role.as_ref().map(|role| role.to_string()),
        tables: tables.len() as u64,
        columns: tables.iter().map(|table| table.columns.len() as u64).sum(),
        indexes: tables.iter().map(|table| table.indexes.len() as u64).sum(),
        foreign_keys: tables.iter().map(|table| table.foreign_keys.len() as u64).sum(),
        views: catalog.map_or(0, |catalog| catalog.views.len() as u64),
        bytes,
    }
}

/// Every suppression, and which of them matched.
struct SuppressionBook<'a> {
    configured: Vec<(&'a Suppression, bool, bool)>,
    commented: Vec<(&'a CommentSuppression, bool, bool)>,
}

impl<'a> SuppressionBook<'a> {
    fn new(gathered: &'a Gathered, config: &'a Config, today: Date) -> Self {
        let expired = |until: Option<&String>| {
            until.and_then(|until| until.parse::<Date>().ok()).is_some_and(|until| until < today)
        };
        SuppressionBook {
            configured: config
                .suppressions
                .iter()
                .map(|suppression| (suppression, expired(suppression.until.as_ref()), false))
                .collect(),
            commented: gathered
                .suppressions
                .iter()
                .map(|suppression| (suppression, expired(suppression.until.as_ref()), false))
                .collect(),
        }
    }

    fn accepts(&mut self, finding: &Finding) -> Option<SuppressedFinding> {
        let key = key(finding);
        let object = finding.object.to_string();
        let accepted = |reason: &str, until: Option<&String>, by: &str| SuppressedFinding {
            key: key.clone(),
            rule: finding.rule.to_owned(),
            object: object.clone(),
            reason: reason.to_owned(),
            until: until.cloned(),
            by: by.to_owned(),
        };
        for (suppression, expired, used) in &mut self.configured {
            let by_key = suppression.key.as_ref().is_some_and(|wanted| *wanted == key);
            let by_rule = suppression.rule.as_ref().is_some_and(|rule| matches(rule, finding.rule))
                && suppression.object.as_ref().is_none_or(|wanted| matches(wanted, &object));
            if by_key || by_rule {
                *used = true;
                if !*expired {
                    return Some(accepted(&suppression.reason, suppression.until.as_ref(), "config"));
                }
            }
        }
        for (suppression, expired, used) in &mut self.commented {
            let rule_matches = suppression.rules.iter().any(|rule| matches(rule, finding.rule));
            let object_matches = suppression.object.as_ref().is_some_and(|wanted| is_within(&object, wanted));
            if rule_matches && object_matches {
                *used = true;
                if !*expired {
                    return Some(accepted(&suppression.reason, suppression.until.as_ref(), "comment"));
                }
            }
        }
        None
    }

    fn unused(&self) -> Vec<String> {
        let mut list = Vec::new();
        for (suppression, expired, used) in &self.configured {
            let what = suppression.key.clone().unwrap_or_else(|| {
                format!(
                    "{} on {}",
                    suppression.rule.as_deref().unwrap_or("*"),
                    suppression.object.as_deref().unwrap_or("*")
                )
            });
            list.extend(complaint(&what, *expired, *used, suppression.until.as_ref()));
        }
        for (suppression, expired, used) in &self.commented {
            let place = suppression
                .location
                .as_ref()
                .map(|location| format!("{}:{}", location.file, location.line))
                .or_else(|| suppression.object.clone())
                .unwrap_or_default();
            let what = format!("{} at {place}", suppression.rules.join(", "));
            list.extend(complaint(&what, *expired, *used, suppression.until.as_ref()));
        }
        list
    }
}

fn complaint(what: &str, expired: bool, used: bool, until: Option<&String>) -> Option<String> {
    match (expired, used) {
        (true, _) => Some(format!("{what}: expired on {}", until.map_or("", String::as_str))),
        (false, false) => Some(format!("{what}: matches nothing")),
        (false, true) => None,
    }
}

/// Whether an object is the wanted one or belongs to it; the schema may be left out of what is wanted.
fn is_within(object: &str, wanted: &str) -> bool {
    let starts = |object: &str| {
        object.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(', ' ']))
    };
    starts(object) || object.split_once('.').is_some_and(|(_, rest)| starts(rest))
}

/// Whether a text matches a pattern in which `*` stands for any text.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("public.t*", "public.t_1"));
        assert!(matches("*", "anything"));
        assert!(matches("a*c*e", "abcde"));
        assert!(!matches("a*c*e", "abcd"));
        assert!(!matches("public.t", "public.t2"));
        assert!(!matches("ab*b", "ab"));
    }

    #[test]
    fn a_comment_speaks_for_what_it_stands_on() {
        assert!(is_within("public.t.a", "t"));
        assert!(is_within("public.t.a", "public.t"));
        assert!(is_within("t(a, b)", "t"));
        assert!(!is_within("public.t2", "t"));
        assert!(!is_within("public.t", "t.a"));
    }
}
