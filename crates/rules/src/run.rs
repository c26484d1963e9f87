//! Runs rules over facts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use dbwright_model::facts::{DataQuestion, Fact, Facts};
use dbwright_model::finding::{Confidence, Finding};
use dbwright_model::observed::Observed;
use dbwright_model::score::Dimension;

use crate::context::{Context, Lookup};
use crate::doubts::Doubts;
use crate::findings::Findings;
use crate::rule::{Applies, Options};
use crate::{Entry, counting, rule};

/// What came of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It ran over this many places.
    Ran {
        /// Places looked at.
        examined: u64,
    },
    /// It ran over this many places, but something that could have made it find more is not known.
    InPart {
        /// Places looked at.
        examined: u64,
        /// Thousandths of the objects that are known for sure. It is 0 where what is missing may be anything.
        trusted: u32,
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
    /// It was left out by choice.
    Skipped {
        /// By whose, as a lower-case fragment.
        because: String,
    },
    /// Nobody named what it looks at. All such rules are one question that was not put, however many they are.
    Unasked {
        /// How it is put, as a lower-case fragment.
        because: &'static str,
    },
}

/// Why rules over migrations do not run where none were named.
const NO_MIGRATIONS: &str = "no folder of migrations was named: `--migrations DIR`";

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
    let selected: Vec<&'static Entry> = selected.into_iter().collect();
    let next = AtomicUsize::new(0);
    // Each takes the next rule that nobody has, because some take much longer than others.
    let work = || {
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(entry) = selected.get(position) else { return done };
            let mut findings = Vec::new();
            let checked = check(facts, &lookup, entry, options, &mut findings);
            done.push((position, findings, (*entry, checked)));
        }
    };
    let mut done = match is_much(facts) {
        false => work(),
        true => std::thread::scope(|scope| {
            // Without a second thread, the first one does it all.
            let other = std::thread::Builder::new().spawn_scoped(scope, work).ok();
            let mut done = work();
            match other.map(ScopedJoinHandle::join) {
                None => {}
                Some(Ok(more)) => done.extend(more),
                Some(Err(panic)) => std::panic::resume_unwind(panic),
            }
            done
        }),
    };
    done.sort_unstable_by_key(|(position, ..)| *position);
    let mut outcome = Outcome { findings: Vec::new(), checks: Vec::new() };
    for (_, findings, check) in done {
        outcome.findings.extend(findings);
        outcome.checks.push(check);
    }
    outcome
}

/// Whether there is so much to look at that a second thread is worth its start.
fn is_much(facts: &Facts) -> bool {
    const MUCH: usize = 500;
    let tables = facts.catalog.known().map_or(0, |catalog| catalog.tables.len());
    let statements = facts.migrations.known().map_or(0, |chain| chain.statements.len());
    tables.max(statements) >= MUCH
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
    if matches!(facts.migrations, Observed::NotAsked) && entry.rule.judges_migrations() {
        return Checked::Unasked { because: NO_MIGRATIONS };
    }
    if entry.rule.reads_names && facts.source.is_anonymised() {
        return Checked::Unknown {
            because: "the names and texts are anonymised, and this check reads them".to_owned(),
        };
    }
    for need in entry.rule.needs {
        if let Some(because) = why_unknown(facts, *need) {
            return Checked::Unknown { because: format!("{}: {because}", need.describe()) };
        }
    }
    let mut collected = Findings::after(entry, std::mem::take(findings));
    let context = Context::new(facts, lookup, entry, options);
    (entry.rule.check)(&context, &mut collected);
    if entry.rule.dimension == Dimension::Queries
        && entry.rule.needs.contains(&Fact::Workload)
        && let Some(because) = counting::why_too_few_statements(facts)
    {
        collected.unknown(because);
    }
    let checked = judge(facts, lookup, entry, &collected);
    for finding in collected.own_mut() {
        if finding.object.parent.as_ref().is_some_and(|object| context.is_doubtful(object)) {
            finding.confidence = Confidence::Low;
        }
    }
    *findings = collected.found;
    checked
}

/// What came of a rule that ran.
fn judge(facts: &Facts, lookup: &Lookup<'_>, entry: &Entry, collected: &Findings) -> Checked {
    let blind = entry.rule.raised_by.iter().find_map(|fact| Some((*fact, why_unknown(facts, *fact)?)));
    let blind = blind.or_else(|| why_in_part(facts, entry.rule));
    if let Some((fact, because)) = blind
        && collected.why_unknown().is_none()
        && collected.not_applicable.is_none()
    {
        let because = format!("checked in part; {}: {because}", fact.describe());
        return Checked::InPart { examined: collected.examined, trusted: 0, because };
    }
    of(collected, lookup.doubts(), entry)
}

/// What came of a rule for which every fact was known.
fn of(collected: &Findings, doubts: Option<&Doubts>, entry: &Entry) -> Checked {
    let examined = collected.examined;
    if let Some(because) = collected.why_unknown() {
        return match collected.saw_some() {
            true => Checked::InPart { examined, trusted: 0, because },
            false => Checked::Unknown { because },
        };
    }
    if let Some(because) = &collected.not_applicable {
        return Checked::NotApplicable { because: because.clone() };
    }
    if examined == 0 && collected.own().is_empty() {
        return Checked::NotApplicable { because: "there was nothing to look at".to_owned() };
    }
    match doubts.filter(|_| entry.rule.needs.contains(&Fact::Catalog)) {
        Some(doubts) => Checked::InPart { examined, trusted: doubts.trusted(), because: doubts.to_string() },
        None => Checked::Ran { examined },
    }
}

/// Why a fact is not known, in words for the report.
fn why_unknown(facts: &Facts, fact: Fact) -> Option<String> {
    if fact == Fact::Data && facts.data == Observed::NotAsked {
        return Some("rows are counted only with `--data`".to_owned());
    }
    facts.status(fact).because()
}

/// Why a fact that could make the rule find more is known for a part of the objects only, and which it is.
fn why_in_part(facts: &Facts, rule: &rule::Rule) -> Option<(Fact, String)> {
    let looked_at = || rule.needs.iter().chain(rule.raised_by).copied();
    if let Some(found) = looked_at().find_map(|fact| Some((fact, facts.in_part.get(&fact)?.clone()))) {
        return Some(found);
    }
    // Doubts on tables are weighed by their share; a view is only missed by rules that read its query.
    let catalog = facts.catalog.known().filter(|_| rule.reads_views)?;
    let hidden = catalog.doubts.iter().find_map(|doubt| {
        let object = doubt.object.as_ref()?;
        catalog
            .views
            .iter()
            .any(|view| view.name == *object)
            .then(|| format!("`{object}`: {}", doubt.because))
    })?;
    Some((Fact::Catalog, hidden))
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

#[cfg(test)]
mod tests {
    use super::*;
    use dbwright_model::finding::ObjectRef;

    use crate::Found;

    fn check(fill: impl FnOnce(&mut Findings), expected: Checked) {
        let entry = crate::find("schema/float-money").expect("the rule exists");
        let mut collected = Findings::new(entry);
        fill(&mut collected);
        assert_eq!(of(&collected, None, entry), expected);
    }

    fn found() -> Found {
        Found::at(ObjectRef::server(), "It is so.")
    }

    #[test]
    fn what_could_not_be_looked_at_never_counts_as_looked_at() {
        let nothing = "there was nothing to look at".to_owned();
        check(|_| {}, Checked::NotApplicable { because: nothing });
        check(|findings| findings.examined(2), Checked::Ran { examined: 2 });
        check(
            |findings| {
                findings.examined(28);
                findings.not_seen(5, "tables are hidden");
                findings.not_seen(7, "tables are hidden");
            },
            Checked::InPart { examined: 28, trusted: 0, because: "12 of 40 tables are hidden".to_owned() },
        );
        check(
            |findings| findings.not_seen(3, "tables are hidden"),
            Checked::Unknown { because: "3 of 3 tables are hidden".to_owned() },
        );
    }

    #[test]
    fn findings_stand_although_something_is_unknown_and_the_first_reason_is_said() {
        check(
            |findings| {
                findings.examined(4);
                findings.add(found());
                findings.unknown("`a` is hidden");
                findings.unknown("`b` is hidden");
                findings.unknown("`c` is hidden");
            },
            Checked::InPart {
                examined: 4,
                trusted: 0,
                because: "`a` is hidden (and 2 more reasons)".to_owned(),
            },
        );
        check(
            |findings| {
                findings.examined(4);
                findings.unknown("`a` is hidden");
            },
            Checked::Unknown { because: "`a` is hidden".to_owned() },
        );
    }
}
