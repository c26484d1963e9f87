use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::whole_percent;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 5,
    needs: &[Fact::Settings],
    wants: &[Fact::Sessions, Fact::ServerStatus],
    engines: Engines::servers("it has no connections to count"),
    when: "most of the allowed connections are taken",
    then: "The next clients are refused, first of all in a rush.",
    instead: "Put a pool in front of the server, or find out who keeps connections open.",
    options: &[
        OptionSpec {
            name: "warning",
            default: OptionValue::Number(80.0),
            help: "per cent of the connections open to ordinary roles; peers take 75 to 90",
        },
        OptionSpec {
            name: "error",
            default: OptionValue::Number(95.0),
            help: "per cent at which it is an error; check_postgres takes 95",
        },
    ],
    source: "check_postgres, pgMonitor, MySQLTuner; reserved connections are taken off, and only clients are counted",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let Some(limit) = settings.integer("max_connections") else {
        findings.unknown("the setting `max_connections` could not be read");
        return;
    };
    let reserved = match context.engine() {
        Engine::Postgres => ["superuser_reserved_connections", "reserved_connections"]
            .into_iter()
            .filter_map(|name| settings.integer(name))
            .sum(),
        _ => 0,
    };
    let taken = match context.engine() {
        Engine::Postgres => context.facts_if_known(Fact::Sessions).sessions.known().map(|sessions| {
            sessions.iter().filter(|session| session.backend == *"client backend").count() as f64
        }),
        _ => context.facts_if_known(Fact::ServerStatus).server_status.known().and_then(|status| {
            status
                .number("threads_connected")
                .map(|now| now.max(status.number("max_used_connections").unwrap_or(0.0)))
        }),
    };
    let Some(taken) = taken else {
        findings.unknown("how many clients are connected could not be read");
        return;
    };
    findings.examined(1);
    let open = (limit - reserved).max(1);
    let share = taken / open as f64 * 100.0;
    if share < context.number("warning") {
        return;
    }
    let level = if share >= context.number("error") { Level::Error } else { Level::Warning };
    findings.add(
        Found::at(
            ObjectRef::setting("max_connections"),
            format!("{taken:.0} of {open} connections are or were taken ({:.0} %).", whole_percent(share)),
        )
        .level(level)
        .evidence("max_connections", limit)
        .evidence("reserved", reserved)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
