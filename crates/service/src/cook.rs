//! Findings made ready for a report: accepted ones set aside, conventions said once, keys, places and SQL added, sorted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::facts::{Facts, Origin, SkippedStatement};
use dbwright_model::finding::{Finding, Level, ObjectRef};
use dbwright_model::observed::Observed;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::report::{
    FORMAT, NotChecked, RemedyStep, Report, ReportFinding, ReportRemedy, SuppressedFinding, TargetSummary,
};
use dbwright_model::score::Score;
use dbwright_rules::Entry;
use dbwright_rules::run::{Checked, Outcome};
use dbwright_sql::prisma::Words;
use dbwright_sql::suppress::{CommentSuppression, PLANNED};
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
    let not_checked = not_checked(&outcome, &gathered.facts);
    let keys = apply_baseline(&mut outcome, recipe.baseline, &mut suppressed);
    dbwright_rules::convention::fold(&mut outcome);
    let mut findings: Vec<ReportFinding> = report_findings(&outcome.findings, keys, gathered);
    let mut unshown = Vec::new();
    let mut unshown_worst = None;
    findings.retain(|finding| {
        let shown = finding.level >= recipe.level;
        if !shown {
            unshown.extend(finding.keys().iter().cloned());
            unshown_worst = unshown_worst.max(Some(finding.level));
        }
        shown
    });
    unshown.sort();
    findings.sort_by(|a, b| {
        let order = (!a.critical, std::cmp::Reverse(a.level), a.dimension, &a.rule, &a.object, &a.message);
        let other = (!b.critical, std::cmp::Reverse(b.level), b.dimension, &b.rule, &b.object, &b.message);
        order.cmp(&other).then_with(|| a.location.cmp(&b.location))
    });
    suppressed.sort_by(|a, b| a.key.cmp(&b.key));
    Report {
        format: FORMAT,
        dbwright: world.version.to_owned(),
        operation: recipe.operation.to_owned(),
        target: summary(gathered),
        score,
        findings,
        suppressed,
        not_checked,
        skipped_statements: skipped_statements(&gathered.facts),
        statements: Vec::new(),
        trace: None,
        unused_suppressions: book.unused(),
        unshown,
        unshown_worst,
    }
}

/// The stable key of a finding: its rule and its object, on one line whatever the object is called. What is found in a
/// migration is found in that file: the same statement in another one is another finding.
pub fn key(finding: &Finding) -> String {
    let place = finding.location.as_ref().filter(|_| judges_migrations(finding.rule));
    let file = place.map(|location| format!(" in {}", short_name(&location.file)));
    one_line(&format!("{}:{}{}", finding.rule, finding.object, file.unwrap_or_default()))
}

fn key_of(rule: &str, object: &ObjectRef) -> String {
    one_line(&format!("{rule}:{object}"))
}

fn one_line(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { key.extend(c.escape_default()) } else { key.push(c) }
    }
    key
}

fn judges_migrations(rule: &str) -> bool {
    dbwright_rules::find(rule).is_some_and(|entry| entry.rule.judges_migrations())
}

/// What tells a migration from others wherever its folder lies: its name, or its folder's where the tool gives every file
/// the same name.
fn short_name(file: &str) -> &str {
    let separators = ['/', '\\'];
    let start = |text: &str| text.rfind(separators).map_or(0, |at| at + 1);
    let name = start(file);
    match &file[name..] {
        "up.sql" | "migration.sql" if name > 0 => &file[start(&file[..name - 1])..],
        name => name,
    }
}

/// Sets the findings aside that were there before, place by place: a convention that is broken in one more place is news.
/// Gives the keys of the findings that are left, by rule and in their order.
fn apply_baseline(
    outcome: &mut Outcome,
    baseline: Option<&BTreeSet<String>>,
    suppressed: &mut Vec<SuppressedFinding>,
) -> BTreeMap<&'static str, VecDeque<String>> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut keys: BTreeMap<&'static str, VecDeque<String>> = BTreeMap::new();
    outcome.findings.retain(|finding| {
        let mut key = key(finding);
        let count = seen.entry(key.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            key = format!("{key}#{count}");
        }
        let known = baseline.is_some_and(|baseline| baseline.contains(&key));
        if known {
            suppressed.push(SuppressedFinding {
                key,
                rule: finding.rule.to_owned(),
                object: finding.object.to_string(),
                reason: "it was there before".to_owned(),
                until: None,
                by: BASELINE.to_owned(),
            });
        } else {
            keys.entry(finding.rule).or_default().push_back(key);
        }
        !known
    });
    keys
}

/// Findings as reported. A convention takes the keys of all its places, any other finding the next of its rule.
fn report_findings(
    findings: &[Finding],
    mut keys: BTreeMap<&'static str, VecDeque<String>>,
    gathered: &Gathered,
) -> Vec<ReportFinding> {
    findings
        .iter()
        .map(|finding| {
            let mut reported = report_finding(finding, gathered);
            if let Some(left) = keys.get_mut(finding.rule) {
                if finding.count > 1 {
                    reported.places = left.drain(..).collect();
                } else if let Some(key) = left.pop_front() {
                    reported.key = key;
                }
            }
            reported
        })
        .collect()
}

fn report_finding(finding: &Finding, gathered: &Gathered) -> ReportFinding {
    let entry = dbwright_rules::find(finding.rule);
    let location = finding.location.clone().or_else(|| gathered.places.find(&finding.object).cloned());
    let mut remedy = finding.remedy.as_ref().map(|remedy| report_remedy(remedy, &gathered.facts));
    if let (Some(words), Some(remedy), Some(changes)) =
        (gathered.places.prisma(), &mut remedy, finding.remedy.as_ref().map(|remedy| &remedy.changes))
        && let Some(said) = in_prisma(words, changes, entry)
    {
        remedy.summary = format!("{} In the Prisma schema: {said}.", remedy.summary);
    }
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
        remedy,
        location,
        cause: if finding.cause.is_empty() { finding.rule.to_owned() } else { finding.cause.clone() },
        count: finding.count,
        critical: finding.critical,
        key: key(finding),
        places: Vec::new(),
    }
}

/// What to do in the words of a Prisma schema: those of the changes where each has some, or else those of the rule.
fn in_prisma(words: &Words, changes: &[Change], entry: Option<&Entry>) -> Option<String> {
    /// More are not read.
    const MOST: usize = 3;
    let said: Option<Vec<String>> = changes.iter().map(|change| words.say(change)).collect();
    match said {
        Some(said) if !said.is_empty() && said.len() <= MOST => Some(said.join("; ")),
        _ => entry.and_then(|entry| entry.rule.in_prisma).map(str::to_owned),
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
                // MySQL ends a transaction before such a statement and refuses none.
                in_transaction: statement.in_transaction || engine.dialect() == Dialect::Mysql,
            })),
            None => complete = false,
        }
    }
    steps.extend(remedy.statements.iter().map(|statement| RemedyStep {
        sql: format!("{};", statement.sql),
        in_transaction: statement.in_transaction,
    }));
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

/// Statements that were not understood: those of files, and those of the server's statistics that checks could not read.
fn skipped_statements(facts: &Facts) -> Vec<SkippedStatement> {
    let mut skipped = facts.source.skipped.clone();
    let Some(workload) = facts.workload.known() else { return skipped };
    let unread = workload
        .statements
        .iter()
        .filter(|one| dbwright_rules::statements::is_unread(one) && one.location.is_none());
    skipped.extend(unread.map(|statement| SkippedStatement {
        file: match workload.source.as_str() {
            "" => "the server's statistics".to_owned(),
            source => source.to_owned(),
        },
        line: 0,
        statement: dbwright_rules::statements::shortened(&statement.text),
        because: "the text that the server's statistics keep of it could not be read".to_owned(),
    }));
    skipped
}

/// How the reason begins of a check that could look at something.
const IN_PART: &str = "checked in part; ";

fn not_checked(outcome: &Outcome, facts: &Facts) -> Vec<NotChecked> {
    // Files know nothing of servers. What they could have told and did not, such as a statement that was not understood,
    // has another reason.
    let out_of_reach = |entry: &Entry, because: &str| {
        let untold =
            |fact| matches!(facts.status(fact), Observed::Unsupported(why) if because.contains(why.as_str()));
        facts.source.origin == Origin::Files && entry.rule.facts().any(untold)
    };
    let mut list: Vec<NotChecked> = outcome
        .checks
        .iter()
        .filter_map(|(entry, checked)| match checked {
            Checked::Unknown { because } => Some(NotChecked {
                rule: entry.id.to_owned(),
                because: because.clone(),
                out_of_reach: out_of_reach(entry, because),
                unasked: false,
                skipped: false,
            }),
            Checked::InPart { because, .. } => Some(NotChecked {
                rule: entry.id.to_owned(),
                because: if because.starts_with(IN_PART) {
                    because.clone()
                } else {
                    format!("{IN_PART}{because}")
                },
                out_of_reach: out_of_reach(entry, because),
                unasked: false,
                skipped: false,
            }),
            Checked::Skipped { because } => Some(NotChecked {
                rule: entry.id.to_owned(),
                because: match entry.rule.cap {
                    Some(_) => format!("critical, and {because}"),
                    None => because.clone(),
                },
                out_of_reach: false,
                unasked: false,
                skipped: true,
            }),
            // One line stands for all of them, as one question does in the score.
            Checked::Unasked { because } => Some(NotChecked {
                rule: dbwright_rules::score::MIGRATIONS.to_owned(),
                because: (*because).to_owned(),
                out_of_reach: false,
                unasked: true,
                skipped: false,
            }),
            _ => None,
        })
        .collect();
    list.sort();
    list.dedup_by(|a, b| a.unasked && b.unasked);
    list
}

fn summary(gathered: &Gathered) -> TargetSummary {
    let facts = &gathered.facts;
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
        engine_guessed: gathered.engine_guessed,
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
                .map(|suppression| (suppression, suppression.until.is_some_and(|until| until < today), false))
                .collect(),
        }
    }

    fn accepts(&mut self, finding: &Finding) -> Option<SuppressedFinding> {
        // Whoever accepts the key of a convention accepts all its places.
        let conventions: Vec<String> = dbwright_rules::convention::objects(finding)
            .iter()
            .map(|object| key_of(finding.rule, object))
            .collect();
        let key = key(finding);
        let object = finding.object.to_string();
        let accepted = |reason: &str, until: Option<String>, by: &str| SuppressedFinding {
            key: key.clone(),
            rule: finding.rule.to_owned(),
            object: object.clone(),
            reason: reason.to_owned(),
            until,
            by: by.to_owned(),
        };
        for (suppression, expired, used) in &mut self.configured {
            let by_key =
                suppression.key.as_ref().is_some_and(|wanted| *wanted == key || conventions.contains(wanted));
            let by_rule =
                suppression.rule.as_ref().is_some_and(|rule| crate::config::names(rule, finding.rule))
                    && suppression.object.as_ref().is_none_or(|wanted| matches(wanted, &object));
            if by_key || by_rule {
                *used = true;
                if !*expired {
                    return Some(accepted(&suppression.reason, suppression.until.clone(), "config"));
                }
            }
        }
        for (suppression, expired, used) in &mut self.commented {
            let rule_matches = suppression.rules.iter().any(|rule| matches(rule, finding.rule));
            let object_matches = suppression.object.as_ref().is_some_and(|wanted| is_within(&object, wanted));
            // Before a statement, a comment speaks for everything that is found there.
            let place_matches =
                finding.location.as_ref().zip(suppression.location.as_ref()).is_some_and(
                    |(found, accepted)| found.line == accepted.line && found.file == accepted.file,
                );
            if rule_matches && (object_matches || place_matches) {
                *used = true;
                if !*expired && suppression.fault.is_none() {
                    let until = suppression.until.map(|until| until.to_string());
                    return Some(accepted(&suppression.reason, until, "comment"));
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
            let until = suppression.until.map(|until| until.to_string());
            let used = *used || suppression.reason.starts_with(PLANNED);
            match &suppression.fault {
                Some(fault) => list.push(format!("{what}: {fault}")),
                None => list.extend(complaint(&what, *expired, used, until.as_ref())),
            }
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

/// Whether an object is the wanted one or belongs to it.
fn is_within(object: &str, wanted: &str) -> bool {
    object.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '(', ' ']))
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
    fn a_migration_is_told_by_the_name_that_its_tool_gives() {
        assert_eq!(short_name("db/V2__a.sql"), "V2__a.sql");
        assert_eq!(short_name("db/2024_a/up.sql"), "2024_a/up.sql");
        assert_eq!(short_name("2024_a/migration.sql"), "2024_a/migration.sql");
        assert_eq!(short_name("up.sql"), "up.sql");
    }

    #[test]
    fn a_comment_speaks_for_what_it_stands_on() {
        assert!(is_within("public.t.a", "public.t"));
        assert!(is_within("t(a, b)", "t"));
        assert!(!is_within("audit.t", "public.t"));
        assert!(!is_within("public.t2", "public.t"));
        assert!(!is_within("public.t", "public.t.a"));
        // Where names have no schema, a table is not the column of that name.
        assert!(!is_within("t.a", "a"));
    }

    #[test]
    fn statements_for_hands_end_and_say_whether_they_stand_alone() {
        use dbwright_model::engine::Engine;
        use dbwright_model::facts::{FactSource, Origin};
        use dbwright_model::remedy::ManualStatement;
        let source = FactSource {
            origin: Origin::Live,
            engine: Engine::Postgres,
            version: None,
            version_text: String::new(),
            target: "t".to_owned(),
            database: Default::default(),
            role: None,
            superuser: false,
            collected_at: None,
            skipped: Vec::new(),
        };
        let statements =
            [ManualStatement::alone("ALTER SYSTEM SET fsync = on"), "SELECT pg_reload_conf()".into()];
        let remedy = report_remedy(&Remedy::manual_sql("Do it.", statements), &Facts::none(source));
        let steps: Vec<(&str, bool)> =
            remedy.steps.iter().map(|step| (step.sql.as_str(), step.in_transaction)).collect();
        assert_eq!(steps, [("ALTER SYSTEM SET fsync = on;", false), ("SELECT pg_reload_conf();", true)]);
        assert_eq!(remedy.applicability, Applicability::Manual);
    }
}
