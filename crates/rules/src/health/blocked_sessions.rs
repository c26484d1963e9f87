use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::{count, time};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 5,
    needs: &[Fact::Sessions, Fact::LockWaits],
    engines: Engines::servers("waits cannot be seen from outside"),
    when: "sessions have waited for a lock for a minute or more",
    then: "The ones at the root of the waits hold up everyone behind them, also those who only read.",
    instead: "Look at the session at the root first; the others wait for it.",
    options: &[OptionSpec {
        name: "seconds",
        default: OptionValue::Number(60.0),
        help: "seconds of waiting; check_postgres takes 60 and 120",
    }],
    source: "check_postgres, check_pgactivity",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let sessions = context.sessions();
    let mut blockers: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut waited: BTreeMap<i64, f64> = BTreeMap::new();
    for wait in context.lock_waits() {
        blockers.entry(wait.waiting).or_default().insert(wait.blocking);
        if let Some(seconds) = wait.seconds {
            let longest = waited.entry(wait.waiting).or_default();
            *longest = longest.max(seconds);
        }
    }
    for session in sessions.iter().filter(|session| !session.blocked_by.is_empty()) {
        blockers.entry(session.id).or_default().extend(&session.blocked_by);
    }
    for session in sessions.iter().filter(|session| blockers.contains_key(&session.id)) {
        // A wait is no longer than the statement that waits, and the server may not say how long it is.
        if let Some(seconds) = session.statement_seconds {
            waited.entry(session.id).or_insert(seconds);
        }
    }
    findings.examined(sessions.len() as u64);
    let mut behind: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    for waiting in blockers.keys() {
        for root in roots(*waiting, &blockers) {
            behind.entry(root).or_default().insert(*waiting);
        }
    }
    for (root, waiting) in behind {
        let longest = waiting.iter().filter_map(|id| waited.get(id)).copied().fold(0.0, f64::max);
        if longest < context.number("seconds") {
            continue;
        }
        let session = sessions.iter().find(|session| session.id == root);
        let mut found = Found::at(
            ObjectRef::session(root),
            format!(
                "Session {root} holds up {}, the longest for {}.",
                count(waiting.len() as u64, "session"),
                time(longest)
            ),
        )
        .evidence("waiting", waiting.iter().map(i64::to_string).collect::<Vec<_>>().join(", "))
        .remedy(Remedy::manual(RULE.instead));
        if let Some(session) = session {
            found = found
                .evidence("state", &session.state)
                .evidence_if("user", session.user.as_ref())
                .evidence_if("transaction open for", session.transaction_seconds.map(time));
        }
        findings.add(found);
    }
}

/// The sessions that a wait ends at. In a circle, which the server will break, that is its smallest member.
fn roots(waiting: i64, blockers: &BTreeMap<i64, BTreeSet<i64>>) -> BTreeSet<i64> {
    let mut seen = BTreeSet::from([waiting]);
    let mut pending = vec![waiting];
    let mut found = BTreeSet::new();
    while let Some(id) = pending.pop() {
        let Some(next) = blockers.get(&id) else {
            found.insert(id);
            continue;
        };
        pending.extend(next.iter().copied().filter(|id| seen.insert(*id)));
    }
    if found.is_empty() {
        found.extend(seen.first());
    }
    found
}
