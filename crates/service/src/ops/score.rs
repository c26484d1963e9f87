//! `score`: what gave or cost how much, and what changed between two reports.

use dbwright_model::report::Report;
use dbwright_model::score::{CheckResult, CheckState, Dimension, Score};
use schemars::JsonSchema;
use serde::Serialize;

/// What one check gives to the total and could give.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Contribution {
    /// The rule.
    pub rule: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// What came of it.
    pub state: CheckState,
    /// Points of the total that it gives.
    pub points: f64,
    /// Points of the total that it could give.
    pub possible: f64,
    /// Findings.
    pub findings: u64,
    /// Why it is unknown or waived.
    pub because: Option<String>,
}

/// Every applicable check with its points, the dearest losses first.
pub fn explain(score: &Score) -> Vec<Contribution> {
    let applicable: u32 =
        score.dimensions.iter().filter(|d| !d.not_applicable).map(|d| d.weight).sum::<u32>().max(1);
    let mut list: Vec<Contribution> = score
        .checks
        .iter()
        .filter(|check| check.state != CheckState::NotApplicable)
        .map(|check| {
            let within: u32 = score
                .checks
                .iter()
                .filter(|other| {
                    other.dimension == check.dimension && other.state != CheckState::NotApplicable
                })
                .map(|other| other.weight)
                .sum();
            let share = f64::from(check.dimension.weight()) / f64::from(applicable) * f64::from(check.weight)
                / f64::from(within.max(1));
            let possible = (share * 100_000.0).round() / 1_000.0;
            Contribution {
                rule: check.rule.clone(),
                dimension: check.dimension,
                state: check.state,
                points: (possible * check.credit * 1_000.0).round() / 1_000.0,
                possible,
                findings: check.findings,
                because: check.because.clone(),
            }
        })
        .collect();
    list.sort_by(|a, b| {
        let lost = |c: &Contribution| c.possible - c.points;
        lost(b).total_cmp(&lost(a)).then_with(|| a.rule.cmp(&b.rule))
    });
    list
}

/// What changed between two reports.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScoreDiff {
    /// Proven before and after.
    pub proven: (u32, u32),
    /// Possible before and after.
    pub ceiling: (u32, u32),
    /// Checks whose state or credit changed: before and after.
    pub checks: Vec<(Option<CheckResult>, Option<CheckResult>)>,
    /// Keys of findings that are new.
    pub appeared: Vec<String>,
    /// Keys of findings that are gone.
    pub disappeared: Vec<String>,
}

/// Compares two reports that both hold a score.
pub fn diff(before: &Report, after: &Report) -> Option<ScoreDiff> {
    let (a, b) = (before.score.as_ref()?, after.score.as_ref()?);
    let mut rules: Vec<&str> = a.checks.iter().chain(&b.checks).map(|check| check.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let find = |score: &Score, rule: &str| score.checks.iter().find(|check| check.rule == rule).cloned();
    let checks = rules
        .into_iter()
        .map(|rule| (find(a, rule), find(b, rule)))
        .filter(|(before, after)| {
            let essence = |check: &Option<CheckResult>| {
                check.as_ref().map(|check| (check.state, (check.credit * 1e6) as i64))
            };
            essence(before) != essence(after)
        })
        .collect();
    let keys = |report: &Report| -> Vec<String> {
        report.findings.iter().flat_map(|finding| finding.keys()).cloned().collect()
    };
    let (old, new) = (keys(before), keys(after));
    Some(ScoreDiff {
        proven: (a.proven, b.proven),
        ceiling: (a.ceiling, b.ceiling),
        checks,
        appeared: new.iter().filter(|key| !old.contains(key)).cloned().collect(),
        disappeared: old.iter().filter(|key| !new.contains(key)).cloned().collect(),
    })
}
