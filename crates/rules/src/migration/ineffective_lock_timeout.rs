use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, JudgedFile, Limit};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::only(
        Engine::Postgres,
        "a setting there has no `LOCAL` form, and 0 is no unlimited wait",
    ),
    when: "a migration sets `lock_timeout` in a way that limits nothing",
    then: "The statements wait for their locks without limit, although the file looks as if they did not.",
    instead: "Set it to a few seconds, before the first statement that locks, and `LOCAL` only inside a transaction.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, SET and lock_timeout; measured on 15",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let sets = file.statements.iter().filter(|judged| setting(judged).is_some()).count();
        findings.examined(sets as u64);
        for (judged, why) in in_file(context, &file) {
            let object = ObjectRef::setting("lock_timeout");
            findings.add(judged.found(object, why).remedy(Remedy::manual(RULE.instead)));
        }
    }
}

/// The value that a statement gives to `lock_timeout`, and whether it says `LOCAL`.
fn setting<'a>(judged: &Judged<'a>) -> Option<(Option<&'a str>, bool)> {
    judged.statement.changes.iter().find_map(|change| match change {
        Change::SetSessionSetting { name, value, local } if name.eq_ignore_case("lock_timeout") => {
            Some((value.as_deref(), *local))
        }
        _ => None,
    })
}

/// The statements of a file that set `lock_timeout` without effect, with the sentence that says why.
pub(crate) fn in_file<'a>(context: &Context<'_>, file: &JudgedFile<'a>) -> Vec<(Judged<'a>, String)> {
    if context.engine() != Engine::Postgres {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (i, judged) in file.statements.iter().enumerate() {
        let Some((value, local)) = setting(judged) else { continue };
        let next = file.statements[i + 1..].iter().position(|later| setting(later).is_some());
        let end = next.map_or(file.statements.len(), |next| i + 1 + next);
        // What the value could hold for: up to where another is set, a `LOCAL` one up to the end of its transaction.
        let transaction = judged.statement.transaction;
        let mut covered = file.statements[i + 1..end]
            .iter()
            .filter(|later| !local || transaction.is_none() || later.statement.transaction == transaction)
            .filter(|later| !later.is_concurrent() && later.locks_out().is_some());
        let locked = covered.next();
        if local && transaction.is_none() {
            let why = "`SET LOCAL lock_timeout` stands outside of a transaction, where it has no effect.";
            found.push((*judged, why.to_owned()));
        } else if value.and_then(lint::milliseconds) == Some(0.0) {
            if let Some(effect) = locked.and_then(Judged::locks_out) {
                let why = format!(
                    "`lock_timeout` of 0 means no limit: the lock on `{}` is waited for as long as it takes.",
                    effect.relation
                );
                found.push((*judged, why));
            }
        } else if value.and_then(lint::milliseconds).is_some() && locked.is_none() {
            let before = file.statements[..i].iter().find(|earlier| {
                !earlier.is_concurrent()
                    && earlier.locks_out().is_some()
                    && earlier.limit(context, "lock_timeout") == Limit::Unset
            });
            if let Some(effect) = before.and_then(Judged::locks_out) {
                let why =
                    format!("`lock_timeout` is set only after the lock on `{}` was taken.", effect.relation);
                found.push((*judged, why));
            }
        }
    }
    found
}
