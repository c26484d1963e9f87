//! The score of an audit: what is proven, what could still be, and what limits it.
//!
//! A check's credit is reckoned from the worst of its findings, and a little from how widespread they are: the share
//! enters by its logarithm, so that a database of ten thousand tables is judged like one of ten, and so that adding
//! healthy tables cannot hide a problem. What could not be looked at gives no credit to what is proven and full
//! credit to what is possible.

use std::collections::BTreeMap;

use dbwright_model::finding::{Confidence, Finding, Level};
use dbwright_model::score::{Band, Cap, CheckResult, CheckState, Dimension, DimensionScore, Score};

use crate::rule::Status;
use crate::run::{Checked, Outcome};

/// Credit left by a finding that is sure, by level.
fn floor(level: Level) -> f64 {
    match level {
        Level::Error => 0.0,
        Level::Warning => 0.4,
        Level::Note => 0.75,
    }
}

/// How much of the loss a finding causes, by how sure it is.
fn certainty(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 1.0,
        Confidence::Medium => 0.8,
        Confidence::Low => 0.5,
    }
}

/// Credit for each halving of the share of bad places. With 0.01, doubling the healthy tables cannot move the total by
/// more than one point even if every check has findings.
const PER_HALVING: f64 = 0.01;

/// Halvings that count.
const MOST_HALVINGS: f64 = 20.0;

/// What a finding that its owner accepted leaves at most.
const WAIVED: f64 = 0.5;

/// Name of all rules over migrations together.
pub const MIGRATIONS: &str = "migration";

/// Reckons the score. `waived` counts suppressed findings by rule; the outcome's findings are those that stand, before
/// conventions are folded.
pub fn score(outcome: &Outcome, waived: &BTreeMap<String, Vec<Finding>>) -> Score {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &outcome.findings {
        by_rule.entry(finding.rule).or_default().push(finding);
    }
    let mut checks = Vec::new();
    let mut caps = Vec::new();
    let mut unasked: Option<CheckResult> = None;
    for (entry, checked) in &outcome.checks {
        let rule = entry.rule;
        if rule.status == Status::Preview || rule.weight == 0 {
            continue;
        }
        if let Checked::Unasked { because } = checked {
            let question = unasked.get_or_insert_with(|| not_put(rule.dimension, because));
            question.weight = question.weight.max(rule.weight);
        }
        let findings = by_rule.get(entry.id).map(Vec::as_slice).unwrap_or_default();
        let accepted: Vec<&Finding> =
            waived.get(entry.id).map(|list| list.iter().collect()).unwrap_or_default();
        let Judged { state, credit, possible, examined, because } = judge(checked, findings, &accepted);
        if let Some(limit) = rule.cap {
            let critical = findings.iter().find(|finding| finding.critical);
            if let Some(finding) = critical {
                caps.push(Cap {
                    rule: entry.id.to_owned(),
                    because: finding.message.clone(),
                    limit,
                    seen: true,
                });
            } else if let Checked::Unknown { because }
            | Checked::InPart { because, .. }
            | Checked::Skipped { because } = checked
            {
                caps.push(Cap {
                    rule: entry.id.to_owned(),
                    because: format!("It cannot be ruled out that {} ({because}).", rule.when),
                    limit,
                    seen: false,
                });
            }
        }
        checks.push(CheckResult {
            rule: entry.id.to_owned(),
            dimension: rule.dimension,
            weight: rule.weight,
            state,
            credit,
            trusted: trusted(checked),
            possible,
            findings: findings.iter().map(|finding| finding.count).sum(),
            examined,
            because,
        });
    }
    checks.extend(unasked);
    caps.sort_by(|a, b| (a.limit, !a.seen, &a.rule).cmp(&(b.limit, !b.seen, &b.rule)));
    total(checks, caps)
}

/// The one question that stands for all rules over migrations where none were named: it is as heavy as the heaviest of
/// them, and nothing is known of it.
fn not_put(dimension: Dimension, because: &str) -> CheckResult {
    CheckResult {
        rule: MIGRATIONS.to_owned(),
        dimension,
        weight: 0,
        state: CheckState::Unknown,
        credit: 0.0,
        trusted: 0.0,
        possible: 1.0,
        findings: 0,
        examined: 0,
        because: Some(because.to_owned()),
    }
}

/// The share of a check that is known.
fn trusted(checked: &Checked) -> f64 {
    match checked {
        Checked::Ran { .. }
        | Checked::NotApplicable { .. }
        | Checked::Skipped { .. }
        | Checked::Unasked { .. } => 1.0,
        Checked::InPart { trusted, .. } => f64::from(*trusted) / 1_000.0,
        Checked::Unknown { .. } => 0.0,
    }
}

/// A check's part of the score.
struct Judged {
    state: CheckState,
    credit: f64,
    possible: f64,
    examined: u64,
    because: Option<String>,
}

fn judge(checked: &Checked, findings: &[&Finding], accepted: &[&Finding]) -> Judged {
    let all: Vec<&Finding> = findings.iter().chain(accepted).copied().collect();
    let judged =
        |state, credit, examined, because| Judged { state, credit, possible: credit, examined, because };
    match checked {
        Checked::NotApplicable { because } => {
            judged(CheckState::NotApplicable, 0.0, 0, Some(because.clone()))
        }
        // It is no part of what is judged. A critical one caps what is proven all the same.
        Checked::Skipped { because } => judged(CheckState::NotApplicable, 0.0, 0, Some(because.clone())),
        // One question stands for all of them.
        Checked::Unasked { because } => {
            judged(CheckState::NotApplicable, 0.0, 0, Some((*because).to_owned()))
        }
        Checked::Unknown { because } => {
            Judged { possible: 1.0, ..judged(CheckState::Unknown, 0.0, 0, Some(because.clone())) }
        }
        // What was checked only in part proves something only for the objects that are known for sure, with its findings
        // taken as sure; at best it gives what the findings leave. What was found is found, whatever the rest holds.
        Checked::InPart { examined, trusted, because } => {
            let trusted = f64::from(*trusted) / 1_000.0;
            let credit = credit(&all, *examined, |_| 1.0) * trusted;
            let possible = self::credit(&all, *examined, certainty);
            let state = if findings.is_empty() { CheckState::Unknown } else { found(findings) };
            Judged { possible, ..judged(state, credit, *examined, Some(because.clone())) }
        }
        Checked::Ran { examined } if all.is_empty() => judged(CheckState::Pass, 1.0, *examined, None),
        Checked::Ran { examined } if findings.is_empty() => {
            // What its owner accepts limits the total no more, but a critical fact is still called one.
            let critical = accepted.iter().filter(|finding| finding.critical).count();
            let because = Some(match critical {
                0 => format!("{} accepted by suppression", accepted.len()),
                critical => {
                    format!("{} accepted by suppression, {critical} of them critical", accepted.len())
                }
            });
            let credit = credit(&all, *examined, certainty).max(WAIVED);
            judged(CheckState::Waived, credit, *examined, because)
        }
        Checked::Ran { examined } => {
            judged(found(findings), credit(&all, *examined, certainty), *examined, None)
        }
    }
}

/// What came of a check that has findings which stand.
fn found(findings: &[&Finding]) -> CheckState {
    let failed = findings.iter().any(|finding| finding.level == Level::Error);
    if failed { CheckState::Fail } else { CheckState::Partial }
}

/// Credit left by findings over the places looked at, with each as sure as `certainty` says.
fn credit(findings: &[&Finding], examined: u64, certainty: impl Fn(Confidence) -> f64) -> f64 {
    if findings.is_empty() {
        return 1.0;
    }
    let worst = findings
        .iter()
        .map(|finding| 1.0 - (1.0 - floor(finding.level)) * certainty(finding.confidence))
        .fold(1.0, f64::min);
    let bad = findings.len().max(1) as f64;
    let halvings = (examined as f64 / bad).max(1.0).log2().min(MOST_HALVINGS);
    (worst + PER_HALVING * halvings).min(0.99)
}

fn total(checks: Vec<CheckResult>, caps: Vec<Cap>) -> Score {
    let dimensions: Vec<DimensionScore> =
        Dimension::ALL.iter().map(|dimension| dimension_score(*dimension, &checks)).collect();
    let applicable: u32 =
        dimensions.iter().filter(|d| !d.not_applicable).map(|d| d.weight).sum::<u32>().max(1);
    let weighted = |value: fn(&DimensionScore) -> f64| {
        let sum: f64 = dimensions
            .iter()
            .filter(|dimension| !dimension.not_applicable)
            .map(|dimension| f64::from(dimension.weight) * value(dimension))
            .sum();
        // A hair is added so that sums such as 99.99999999 are not cut to 99.
        (sum / f64::from(applicable) + 1e-9).floor() as u32
    };
    let proven = weighted(|dimension| dimension.proven);
    let ceiling = weighted(|dimension| dimension.ceiling);
    let coverage = weighted(|dimension| dimension.coverage);
    let proven = caps.iter().map(|cap| cap.limit).fold(proven, u32::min);
    let ceiling = caps.iter().filter(|cap| cap.seen).map(|cap| cap.limit).fold(ceiling, u32::min);
    // The question that was not put is no check that could not run.
    let is_unknown = |check: &&CheckResult| check.state == CheckState::Unknown && check.rule != MIGRATIONS;
    let unknown = checks.iter().filter(is_unknown).count() as u32;
    Score { proven, ceiling, coverage, band: Band::of(proven), caps, unknown, dimensions, checks }
}

fn dimension_score(dimension: Dimension, checks: &[CheckResult]) -> DimensionScore {
    let mut score = DimensionScore {
        dimension,
        weight: dimension.weight(),
        proven: 0.0,
        ceiling: 0.0,
        coverage: 0.0,
        passed: 0,
        failed: 0,
        unknown: 0,
        not_applicable: false,
    };
    let (mut all, mut known, mut proven, mut ceiling) = (0.0, 0.0, 0.0, 0.0);
    for check in checks.iter().filter(|check| check.dimension == dimension) {
        let weight = f64::from(check.weight);
        match check.state {
            CheckState::NotApplicable => continue,
            CheckState::Unknown => score.unknown += 1,
            CheckState::Pass => score.passed += 1,
            CheckState::Partial | CheckState::Fail | CheckState::Waived => score.failed += 1,
        }
        // What failed in the part that was seen is known only for that part.
        known += weight * check.trusted;
        proven += weight * check.credit;
        ceiling += weight * check.possible;
        all += weight;
    }
    if all == 0.0 {
        score.not_applicable = true;
        return score;
    }
    // Shares are kept to a thousandth of a point so that equal input gives equal bytes on every machine.
    let share = |part: f64| (part / all * 100_000.0).round() / 1_000.0;
    score.proven = share(proven);
    score.ceiling = share(ceiling);
    score.coverage = share(known);
    score
}
