use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Limit};
use crate::rule::Status;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    status: Status::Preview,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::only(Engine::Postgres, "no limit of time ends a change of the schema there"),
    when: "a statement keeps others out of a table in use, and nothing limits how long it runs",
    then: "A statement that turns out to be slow keeps them out until somebody notices and cancels it.",
    instead: "Set `statement_timeout` to what the application bears, and `0` for statements that keep nobody out.",
    remedy: Applicability::Manual,
    source: "PostgreSQL manual, statement_timeout, transaction_timeout",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        let mut locking =
            file.statements.iter().filter(|judged| judged.locks_out().is_some() && !judged.is_concurrent());
        let limited = |judged: &&Judged<'_>| {
            ["statement_timeout", "transaction_timeout"]
                .iter()
                .any(|name| matches!(judged.limit(context, name), Limit::Milliseconds(_)))
        };
        findings.examined(1);
        let Some(judged) = locking.find(|judged| !limited(judged)) else { continue };
        let Some(effect) = judged.locks_out() else { continue };
        let name = &effect.relation;
        let message = format!(
            "Nothing limits how long `{}` keeps {} of `{name}` waiting.",
            lint::verb(judged.statement),
            lint::waiting(effect)
        );
        findings.add(
            judged
                .found(ObjectRef::table(name), message)
                .remedy(Remedy::manual_sql(RULE.instead, [String::from("SET statement_timeout = '30s'")])),
        );
    }
}
