//! JUnit XML: a check is a test case, a dimension a suite, and what could not be checked is skipped with its reason.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::report::{Report, ReportFinding};
use dbwright_model::score::{CheckResult, CheckState, Dimension};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite, XmlString};

use crate::Options;
use crate::shape::{shown, sql};
use crate::text::{count, visible};

/// Writes the report as JUnit XML. Checks whose findings all lie below the level shown pass.
pub fn render(report: &Report, options: &Options) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&ReportFinding>> = BTreeMap::new();
    for finding in shown(report, options.level) {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }

    let mut cases: BTreeMap<Suite, Vec<TestCase>> = BTreeMap::new();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for check in report.score.iter().flat_map(|score| &score.checks) {
        named.insert(&check.rule);
        let findings = by_rule.remove(check.rule.as_str()).unwrap_or_default();
        cases.entry(Suite::Dimension(check.dimension)).or_default().push(checked(check, &findings));
    }
    // What is left has no check in a score: reviews, and advisors, which are not scored.
    for findings in by_rule.into_values() {
        for finding in findings {
            let case = cases.entry(Suite::Dimension(finding.dimension)).or_default();
            case.push(failed(&format!("{} {}", finding.rule, finding.object), &[finding]));
        }
    }
    for line in report.not_checked.iter().filter(|line| !named.contains(line.rule.as_str())) {
        cases.entry(Suite::NotChecked).or_default().push(skipped(&line.rule, &line.because));
    }
    if cases.is_empty() {
        let case = TestCase::new(visible(&report.operation), TestCaseStatus::success());
        cases.insert(Suite::NotChecked, vec![case]);
    }

    let mut out = quick_junit::Report::new(format!("dbwright {}", visible(&report.operation)));
    for (suite, mut cases) in cases {
        let name = match suite {
            Suite::Dimension(dimension) => dimension.to_string(),
            Suite::NotChecked => "other".to_owned(),
        };
        for case in &mut cases {
            case.set_classname(format!("dbwright.{name}"));
        }
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(cases);
        out.add_test_suite(suite);
    }
    // Writing to memory cannot fail, and names were made valid XML above.
    out.to_string().expect("memory takes all")
}

/// Where a test case goes, in the order of suites.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Suite {
    Dimension(Dimension),
    NotChecked,
}

fn checked(check: &CheckResult, findings: &[&ReportFinding]) -> TestCase {
    if !findings.is_empty() && check.state != CheckState::Waived {
        return failed(&check.rule, findings);
    }
    let because = check.because.as_deref().unwrap_or("no reason was given");
    match check.state {
        // What it found is not shown, and it could look at a part only.
        CheckState::Partial | CheckState::Fail if check.because.is_some() => skipped(&check.rule, because),
        CheckState::Pass | CheckState::Partial | CheckState::Fail => {
            TestCase::new(visible(&check.rule), TestCaseStatus::success())
        }
        CheckState::Unknown => skipped(&check.rule, because),
        CheckState::NotApplicable => skipped(&check.rule, &format!("not applicable: {because}")),
        CheckState::Waived => skipped(&check.rule, &format!("accepted: {because}")),
    }
}

fn skipped(name: &str, because: &str) -> TestCase {
    let mut status = TestCaseStatus::skipped();
    status.set_message(visible(because));
    TestCase::new(visible(name), status)
}

fn failed(name: &str, findings: &[&ReportFinding]) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let Some(first) = findings.first() else { return skipped(name, "nothing was found") };
    let message = match findings.len() {
        1 => visible(&first.message),
        number => format!("{}: {}", count(number as u64, "finding"), visible(&first.message)),
    };
    status.set_message(message);
    status.set_type(first.level.to_string());
    status.set_description(findings.iter().map(|finding| describe(finding)).collect::<Vec<_>>().join("\n"));
    let mut case = TestCase::new(visible(name), status);
    if let Some(location) = &first.location {
        case.extra.insert(XmlString::new("file"), XmlString::new(visible(&location.file)));
        case.extra.insert(XmlString::new("line"), XmlString::new(location.line.to_string()));
    }
    case
}

fn describe(finding: &ReportFinding) -> String {
    let mut text =
        format!("{}: {}: {}\n", finding.level, visible(&finding.object), visible(&finding.message));
    if let Some(location) = &finding.location {
        text.push_str(&format!("  at {}:{}:{}\n", visible(&location.file), location.line, location.column));
    }
    for evidence in &finding.evidence {
        text.push_str(&format!("  {}: {}\n", visible(&evidence.name), visible(&evidence.value)));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("  Fix: {}\n", visible(&remedy.summary)));
        for line in sql(remedy).lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text.push_str(&format!("  key: {}\n", visible(&finding.key)));
    text
}
