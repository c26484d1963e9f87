//! What every readable format shows in the same order: groups of findings, totals, and what was not checked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::facts::{Origin, SkippedStatement};
use dbwright_model::finding::{Level, ObjectKind};
use dbwright_model::quantity;
use dbwright_model::report::{
    NotChecked, RemedyStep, Report, ReportFinding, ReportRemedy, ReportTrace, TargetSummary,
};
use dbwright_model::score::{Cap, DimensionScore, Score};
use jiff::Timestamp;

use crate::text::{count, visible, visible_block};

/// How many findings of one rule a group shows unless all are asked for.
pub const EXAMPLES: usize = 5;

/// Findings shown together: they have the same cause, or they come from the same rule.
pub struct Group<'a> {
    /// One part for each rule, the first finding's first. Never empty.
    pub parts: Vec<Part<'a>>,
}

/// The findings of one rule in a group.
pub struct Part<'a> {
    /// The first finding, shown in full.
    pub first: &'a ReportFinding,
    /// The others.
    pub others: Vec<&'a ReportFinding>,
}

impl<'a> Group<'a> {
    /// Every finding, part by part.
    pub fn findings(&self) -> impl Iterator<Item = &'a ReportFinding> + '_ {
        self.parts.iter().flat_map(Part::findings)
    }

    /// The worst level.
    pub fn worst(&self) -> Level {
        self.findings().map(|finding| finding.level).max().unwrap_or(Level::Note)
    }

    fn rank(&self) -> Reverse<(bool, Level)> {
        Reverse((self.findings().any(|finding| finding.critical), self.worst()))
    }
}

impl<'a> Part<'a> {
    /// Every finding in order.
    pub fn findings(&self) -> impl Iterator<Item = &'a ReportFinding> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

/// The findings at or above a level.
pub fn shown(report: &Report, level: Level) -> impl Iterator<Item = &ReportFinding> {
    report.findings.iter().filter(move |finding| finding.level >= level)
}

/// The findings at or above a level in groups, the worst first. Findings of one cause form a group; causes that speak
/// of one and the same rule only are folded into one group, so that forty tables with one flaw are one entry.
pub fn groups(report: &Report, level: Level) -> Vec<Group<'_>> {
    let mut causes: Vec<Vec<&ReportFinding>> = Vec::new();
    let mut by_cause: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in shown(report, level) {
        if finding.cause.is_empty() {
            causes.push(vec![finding]);
            continue;
        }
        let at = *by_cause.entry(&finding.cause).or_insert(causes.len());
        match causes.get_mut(at) {
            Some(cause) => cause.push(finding),
            None => causes.push(vec![finding]),
        }
    }

    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut by_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in causes {
        let mut group = Group { parts: parts(cause) };
        if let [part] = group.parts.as_mut_slice() {
            let at = *by_rule.entry(&part.first.rule).or_insert(groups.len());
            if let Some(earlier) = groups.get_mut(at) {
                earlier.parts[0].others.extend(part.findings());
                continue;
            }
        }
        groups.push(group);
    }
    groups.sort_by_key(Group::rank);
    groups
}

fn parts<'a>(findings: Vec<&'a ReportFinding>) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for finding in findings {
        match parts.iter_mut().find(|part| part.first.rule == finding.rule) {
            Some(part) => part.others.push(finding),
            None => parts.push(Part { first: finding, others: Vec::new() }),
        }
    }
    parts
}

/// Whether a report is one of migrations: its findings stand in files, in the order of statements.
pub fn is_of_migrations(report: &Report) -> bool {
    !report.statements.is_empty()
}

/// What was linted: `12 statements in 3 files, 11 of them analysed`.
fn linted(report: &Report) -> String {
    let analysed = report.statements.iter().filter(|statement| statement.analysed).count() as u64;
    let files: BTreeSet<&str> = report.statements.iter().map(|statement| statement.file.as_str()).collect();
    let all = report.statements.len() as u64;
    let mut line = format!("{} in {}", count(all, "statement"), count(files.len() as u64, "file"));
    line.push_str(&match analysed == all {
        true => ", all analysed".to_owned(),
        false => format!(", {analysed} of them analysed"),
    });
    line
}

/// The findings of each file, files and findings in the order of the statements. Findings without a place stand last.
pub fn by_file(report: &Report, level: Level) -> Vec<(&str, Vec<&ReportFinding>)> {
    let mut order: BTreeMap<&str, usize> = BTreeMap::new();
    for statement in &report.statements {
        let next = order.len();
        order.entry(&statement.file).or_insert(next);
    }
    let mut files: BTreeMap<(usize, &str), Vec<&ReportFinding>> = BTreeMap::new();
    for finding in shown(report, level) {
        let file = finding.location.as_ref().map_or("", |location| location.file.as_str());
        let at = order.get(file).copied().unwrap_or(usize::MAX);
        files.entry((at, file)).or_default().push(finding);
    }
    let mut files: Vec<(&str, Vec<&ReportFinding>)> =
        files.into_iter().map(|((_, file), findings)| (file, findings)).collect();
    for (_, findings) in &mut files {
        findings.sort_by_key(|finding| {
            finding.location.as_ref().map(|location| (location.line, location.column))
        });
    }
    files
}

/// Statements that were not understood and that no finding speaks of.
pub fn skipped(report: &Report) -> Vec<&SkippedStatement> {
    let mut messages: BTreeMap<(&str, u32), Vec<&str>> = BTreeMap::new();
    if is_of_migrations(report) {
        for finding in &report.findings {
            let Some(location) = &finding.location else { continue };
            messages.entry((&location.file, location.line)).or_default().push(&finding.message);
        }
    }
    let said = |statement: &SkippedStatement| {
        let place = (statement.file.as_str(), statement.line);
        let messages = messages.get(&place).map(Vec::as_slice).unwrap_or_default();
        messages.iter().any(|message| message.contains(&statement.because))
    };
    report.skipped_statements.iter().filter(|statement| !said(statement)).collect()
}

/// Where a statement stands that was not understood: `a.sql:3`, or what keeps it where that has no lines.
pub fn skipped_at(statement: &SkippedStatement) -> String {
    match statement.line {
        0 => statement.file.clone(),
        line => format!("{}:{line}", statement.file),
    }
}

/// On what migrations were tried: `5 of 6 statements were executed and observed on PostgreSQL 17.2.`
pub fn traced(trace: &ReportTrace) -> String {
    let ReportTrace { server, traced, statements, .. } = trace;
    let mut text = format!(
        "{traced} of {} {} executed and observed on {server}",
        count(*statements, "statement"),
        if *statements == 1 { "was" } else { "were" }
    );
    if let Some(wanted) = &trace.instead_of {
        text.push_str(&format!(", since {wanted} is not installed: there it may be otherwise"));
    }
    text.push('.');
    text
}

/// What was missing for it, and the statements that were left out, each with its reason.
pub fn not_traced(report: &Report) -> Vec<String> {
    let missing = report.trace.iter().flat_map(|trace| &trace.missing);
    let mut lines: Vec<String> = missing.map(|missing| format!("missing there: {missing}")).collect();
    lines.extend(report.statements.iter().filter_map(|statement| {
        let because = statement.not_traced.as_ref()?;
        Some(format!("not traced: {}:{}, because {because}", statement.file, statement.line))
    }));
    lines
}

/// The rules not checked, by reason: the reason with the most rules first. What a target of this kind can never tell has
/// one reason, the last.
pub fn not_checked(report: &Report) -> Vec<(&str, Vec<&str>)> {
    let mut by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for NotChecked { rule, because, .. } in report.not_checked.iter().filter(|line| !line.out_of_reach) {
        by_reason.entry(because).or_default().insert(rule);
    }
    let mut reasons: Vec<_> = by_reason
        .into_iter()
        .map(|(because, rules)| (because, rules.into_iter().collect::<Vec<_>>()))
        .collect();
    reasons.sort_by_key(|(_, rules)| Reverse(rules.len()));
    let beyond: BTreeSet<&str> =
        report.not_checked.iter().filter(|line| line.out_of_reach).map(|line| line.rule.as_str()).collect();
    if !beyond.is_empty() {
        reasons.push((OUT_OF_REACH, beyond.into_iter().collect()));
    }
    reasons
}

/// Why files cannot answer a check.
pub const OUT_OF_REACH: &str = "files do not tell it; audit the live database or a snapshot";

/// How many checks, and why they were not run or only in part: `2 checks: the role may not read it`.
pub fn because(number: u64, because: &str) -> String {
    match because.strip_prefix("checked in part; ") {
        Some(rest) => format!("{} in part only: {}", count(number, "check"), visible(rest)),
        None => format!("{}: {}", count(number, "check"), visible(because)),
    }
}

/// The object of a finding as its title: a statement by its first words, since its identifier says nothing to anybody.
pub fn about(finding: &ReportFinding) -> String {
    let object = crate::text::object(finding.object_kind, &finding.object);
    let text = finding.evidence.iter().find(|evidence| evidence.name == "statement");
    match text.filter(|_| finding.object_kind == ObjectKind::Statement && finding.location.is_none()) {
        Some(text) => {
            let mut words = text.value.split_whitespace();
            let first: Vec<&str> = words.by_ref().take(6).collect();
            let more = if words.next().is_some() { " …" } else { "" };
            format!("{object}: {}{more}", visible(&first.join(" ")))
        }
        None => object,
    }
}

/// How many findings were accepted, and how many were there before: `2 findings were accepted, 35 were there before`.
pub fn set_aside(report: &Report) -> String {
    let old = report.suppressed.iter().filter(|finding| finding.by == "baseline").count() as u64;
    let accepted = report.suppressed.len() as u64 - old;
    let were = |number: u64| if number == 1 { "was" } else { "were" };
    match (accepted, old) {
        (0, old) => format!("{} {} there before, says the baseline", count(old, "finding"), were(old)),
        (accepted, 0) => format!("{} {} accepted", count(accepted, "finding"), were(accepted)),
        (accepted, old) => format!(
            "{} {} accepted, and {old} {} there before, says the baseline",
            count(accepted, "finding"),
            were(accepted),
            were(old)
        ),
    }
}

/// How many checks a target of this kind can never answer.
pub fn out_of_reach(report: &Report) -> u64 {
    report.not_checked.iter().filter(|line| line.out_of_reach).count() as u64
}

/// How many rules were not checked although a target of this kind can answer them.
pub fn not_checked_count(report: &Report) -> u64 {
    let lines = report.not_checked.iter().filter(|line| line.could_not_run());
    lines.map(|line| &line.rule).collect::<BTreeSet<_>>().len() as u64
}

/// How many of them found something in the part that they could look at. The headline of the score does not count them
/// among the unknown ones.
fn found_in_part(report: &Report) -> u64 {
    let Some(score) = &report.score else { return 0 };
    let found: BTreeSet<&str> = score
        .checks
        .iter()
        .filter(|check| {
            use dbwright_model::score::CheckState as State;
            matches!(check.state, State::Partial | State::Fail | State::Waived)
        })
        .map(|check| check.rule.as_str())
        .collect();
    let lines = report.not_checked.iter().filter(|line| line.could_not_run());
    lines.map(|line| line.rule.as_str()).filter(|rule| found.contains(rule)).collect::<BTreeSet<_>>().len()
        as u64
}

/// How many rules were left out by choice.
pub fn left_out(report: &Report) -> u64 {
    report.not_checked.iter().filter(|line| line.skipped).count() as u64
}

/// Findings of one level.
pub fn of_level(report: &Report, level: Level) -> u64 {
    report.findings.iter().filter(|finding| finding.level == level).count() as u64
}

/// Findings below the level shown.
pub fn hidden(report: &Report, level: Level) -> u64 {
    report.findings.iter().filter(|finding| finding.level < level).count() as u64
}

/// The last line: `3 errors, 12 warnings, 4 notes; 9 checks could not run`.
pub fn summary(report: &Report, level: Level) -> String {
    let mut line = format!(
        "{}, {}, {}; {} could not run",
        count(of_level(report, Level::Error), "error"),
        count(of_level(report, Level::Warning), "warning"),
        count(of_level(report, Level::Note), "note"),
        count(not_checked_count(report) - found_in_part(report), "check"),
    );
    let in_part = found_in_part(report);
    if in_part > 0 {
        line.push_str(&format!("; {in_part} could look at a part only"));
    }
    let beyond = out_of_reach(report);
    if beyond > 0 {
        line.push_str(&format!("; {} a live database", needs(beyond)));
    }
    let left_out = left_out(report);
    if left_out > 0 {
        line.push_str(&format!("; {} skipped by choice", count(left_out, "check")));
    }
    if is_of_migrations(report) {
        line.push_str(&format!("; {}", linted(report)));
    }
    let hidden = hidden(report, level);
    if hidden > 0 {
        line.push_str(&format!("; {} below `{level}` not shown", count(hidden, "finding")));
    }
    line
}

/// What to say when there is nothing to show.
pub fn nothing_found(report: &Report, level: Level) -> String {
    let hidden = hidden(report, level);
    let mut text = match hidden {
        0 => "Nothing was found in what was checked.".to_owned(),
        _ => format!("Nothing was found at or above `{level}`; {} below it.", count(hidden, "finding")),
    };
    let missing = not_checked_count(report);
    let skipped = report.skipped_statements.len() as u64;
    if missing > 0 {
        text.push_str(&format!(
            " But {} could not run: what {} for may be there.",
            count(missing, "check"),
            if missing == 1 { "it looks" } else { "they look" }
        ));
    }
    if skipped > 0 {
        text.push_str(&format!(" {} not understood or could not be carried out.", statements(skipped)));
    }
    let left_out = left_out(report);
    if left_out > 0 {
        text.push_str(&format!(" {} skipped by choice.", count(left_out, "check")));
    }
    if missing + skipped + left_out == 0 {
        text.push_str(" Every check that applies was made.");
    }
    let beyond = out_of_reach(report);
    if beyond > 0 {
        text.push_str(&format!(" {} a live database or a snapshot.", needs(beyond)));
    }
    text
}

fn needs(number: u64) -> String {
    if number == 1 { "1 check needs".to_owned() } else { format!("{number} checks need") }
}

fn statements(number: u64) -> String {
    if number == 1 { "1 statement was".to_owned() } else { format!("{number} statements were") }
}

/// The target in short pieces: name, engine and version, counts, size, how and when the facts were got.
pub fn target(target: &TargetSummary) -> Vec<String> {
    let mut pieces = vec![visible(&target.name)];
    pieces.push(engine(target));
    pieces.push(count(target.tables, "table"));
    if let Some(size) = target.bytes {
        pieces.push(quantity::size(size));
    }
    pieces.push(origin(target));
    pieces
}

/// The engine and its version.
pub fn engine(target: &TargetSummary) -> String {
    match target.version.as_str() {
        "" if target.engine_guessed => format!("read as {} (`--engine` says otherwise)", target.engine),
        "" if target.origin == Origin::Files => format!("read as {}", target.engine),
        "" => format!("{}, version not known", target.engine),
        version => format!("{} {}", target.engine, visible(version)),
    }
}

/// How, by whom and when the facts were got.
pub fn origin(target: &TargetSummary) -> String {
    let mut text = match target.origin {
        Origin::Live => "read live",
        Origin::Snapshot => "from a snapshot",
        Origin::Files => "from files",
    }
    .to_owned();
    if let Some(role) = &target.role {
        text.push_str(&format!(" as `{}`", visible(role)));
    }
    if let Some(at) = target.collected_at {
        text.push_str(&format!(" at {}", moment(at)));
    }
    text
}

/// A moment to the second.
pub fn moment(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// The statements of a remedy to paste, those that refuse a transaction marked. Empty when only words help.
pub fn sql(remedy: &ReportRemedy) -> String {
    if remedy.steps.len() > 1 && remedy.steps.iter().all(|step| !step.in_transaction) {
        let steps: Vec<String> = remedy.steps.iter().map(|step| visible_block(&step.sql)).collect();
        return format!("-- each outside a transaction:\n{}", steps.join("\n"));
    }
    let step = |step: &RemedyStep| match step.in_transaction {
        true => visible_block(&step.sql),
        false => format!("-- outside a transaction:\n{}", visible_block(&step.sql)),
    };
    remedy.steps.iter().map(step).collect::<Vec<_>>().join("\n")
}

/// A value of the score as a whole number between 0 and 100; values that are no number count as 0.
pub fn percent(value: f64) -> u32 {
    // A cast from a float saturates and turns "not a number" into 0.
    value.round().clamp(0.0, 100.0) as u32
}

/// The checks of a dimension in words.
pub fn checks(dimension: &DimensionScore) -> String {
    if dimension.not_applicable {
        return "not applicable".to_owned();
    }
    let mut text = format!("{} passed, {} failed", dimension.passed, dimension.failed);
    if dimension.unknown > 0 {
        text.push_str(&format!(", {} unknown", dimension.unknown));
    }
    text
}

/// The limit that critical facts set which nobody could look at, and one sentence about all of them.
pub fn unseen_caps(score: &Score) -> Option<(u32, String)> {
    let unseen: Vec<&Cap> = score.caps.iter().filter(|cap| !cap.seen).collect();
    let limit = unseen.iter().map(|cap| cap.limit).min()?;
    let rules: Vec<&str> = unseen.iter().map(|cap| cap.rule.as_str()).collect();
    let facts = if rules.len() == 1 { "a critical fact is" } else { "critical facts are" };
    Some((
        limit,
        format!("What is proven stays at {limit} or below while {facts} not known: {}.", rules.join(", ")),
    ))
}
