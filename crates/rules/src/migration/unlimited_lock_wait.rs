use std::collections::BTreeSet;

use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Limit};
use crate::migration::ineffective_lock_timeout;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::servers(
        "a statement that finds the file locked fails at once, or waits as the connection says",
    ),
    when: "a statement that keeps others out of a table in use waits for its lock without limit",
    then: "While it waits behind one long transaction, every later statement on the table waits behind it.",
    instead: "Set a limit of a few seconds before the statement, and let the migration try again when it runs out.",
    remedy: Applicability::Manual,
    source: "measured on PostgreSQL 15 and 18: a SELECT waits behind a waiting ALTER; MySQL manual, lock_wait_timeout",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        // Limits that were meant and do nothing have a rule of their own.
        let meant = ineffective_lock_timeout::in_file(context, &file);
        let mut first: Option<(Judged<'_>, String, ObjectRef)> = None;
        let mut further = BTreeSet::new();
        for judged in &file.statements {
            let Some((object, message)) = waits(context, judged) else { continue };
            findings.examined(1);
            if is_limited(context, judged) || !meant.is_empty() {
                continue;
            }
            match first {
                None => first = Some((*judged, message, object)),
                Some(_) => {
                    further.insert(judged.statement.location.line);
                }
            }
        }
        let Some((judged, message, object)) = first else { continue };
        let further = (!further.is_empty()).then_some(further.len());
        let remedy = match context.engine() {
            Engine::Postgres => Remedy::manual_sql(RULE.instead, [String::from("SET lock_timeout = '5s'")]),
            _ => Remedy::manual_sql(RULE.instead, [String::from("SET SESSION lock_wait_timeout = 5")]),
        };
        findings.add(
            judged.found(object, message).evidence_if("further statements like it", further).remedy(remedy),
        );
    }
}

/// What waits for the statement while it waits itself: the object, and the sentence that says so.
fn waits(context: &Context<'_>, judged: &Judged<'_>) -> Option<(ObjectRef, String)> {
    if judged.is_concurrent() {
        return None;
    }
    let verb = lint::verb(judged.statement);
    if context.engine() == Engine::Postgres {
        let effect = judged.locks_out()?;
        let name = &effect.relation;
        let message = format!(
            "`{verb}` may wait for its lock on `{name}` for as long as it takes, and {} of the table wait behind it.",
            lint::waiting(effect)
        );
        return Some((ObjectRef::table(name), message));
    }
    // Every change of a definition needs the lock of the definition for an instant.
    let mut targets = judged.statement.changes.iter().filter_map(Change::target);
    let name = targets.find(|name| judged.is_in_use(name))?;
    let message = format!(
        "`{verb}` may wait a year for the definition of `{name}`, and reads and writes of the table wait behind it."
    );
    Some((ObjectRef::table(name), message))
}

fn is_limited(context: &Context<'_>, judged: &Judged<'_>) -> bool {
    if context.engine() == Engine::Postgres {
        // The time of a statement holds its waiting, too.
        return matches!(judged.limit(context, "lock_timeout"), Limit::Milliseconds(_))
            || matches!(judged.limit(context, "statement_timeout"), Limit::Milliseconds(most) if most <= SHORT);
    }
    // MariaDB lets a statement say `WAIT 5` and `NOWAIT`.
    if lint::has_word(&judged.statement.sql, "nowait") || lint::has_word(&judged.statement.sql, "wait") {
        return true;
    }
    let seconds = |text: &str| text.parse::<f64>().is_ok_and(|seconds| seconds <= LONGEST);
    match judged.statement.setting("lock_wait_timeout") {
        Some(value) => seconds(value),
        None => {
            let settings = context.facts_if_known(Fact::Settings).settings.known();
            settings.and_then(|settings| settings.get("lock_wait_timeout")).is_some_and(seconds)
        }
    }
}

/// Milliseconds of a whole statement that are short enough to be a limit of its waiting: a minute.
const SHORT: f64 = 60_000.0;

/// Seconds that are still taken as a limit: an hour.
const LONGEST: f64 = 3600.0;
