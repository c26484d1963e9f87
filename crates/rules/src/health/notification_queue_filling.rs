use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::ServerStatus],
    engines: Engines::only(Engine::Postgres, "it has no `NOTIFY`"),
    when: "the queue of `NOTIFY` is half full",
    then: "When it is full, transactions that notify fail at their commit.",
    instead: "Find the session that listens and stays in a transaction: it holds the queue back.",
    options: &[OptionSpec {
        name: "share",
        default: OptionValue::Number(50.0),
        help: "per cent of the queue; the server itself warns at 50",
    }],
    source: "PostgreSQL documentation, NOTIFY: a warning is logged once the queue is half full",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(taken) = context.server_status().number("notification_queue") else {
        findings.unknown("how full the queue of notifications is could not be read");
        return;
    };
    findings.examined(1);
    let share = taken * 100.0;
    if share >= context.number("share") {
        findings.add(
            Found::at(ObjectRef::server(), format!("The queue of `NOTIFY` is {share:.0} % full."))
                .level(if share >= 90.0 { Level::Error } else { Level::Warning })
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
