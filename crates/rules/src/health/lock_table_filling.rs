use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::ServerStatus, Fact::Settings],
    engines: Engines::only(Engine::Postgres, "its lock table grows with need"),
    when: "a good part of the shared lock table is taken",
    then: "When it is full, statements of all sessions fail with `out of shared memory`.",
    instead: "Find the transactions that lock many tables or partitions, or raise `max_locks_per_transaction`.",
    options: &[
        OptionSpec {
            name: "warning",
            default: OptionValue::Number(20.0),
            help: "per cent of the table; awesome-prometheus-alerts and the exporter's mixin take 20",
        },
        OptionSpec {
            name: "error",
            default: OptionValue::Number(80.0),
            help: "per cent at which it is an error",
        },
    ],
    source: "awesome-prometheus-alerts; PostgreSQL documentation, max_locks_per_transaction",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let number = |name: &str| settings.integer(name).filter(|number| *number >= 0);
    let (Some(taken), Some(each), Some(sessions)) = (
        context.server_status().number("shared_locks"),
        number("max_locks_per_transaction"),
        number("max_connections"),
    ) else {
        findings.unknown("how many locks are held, or how many there is room for, could not be read");
        return;
    };
    findings.examined(1);
    let room = (each * (sessions + number("max_prepared_transactions").unwrap_or(0))).max(1);
    let share = taken / room as f64 * 100.0;
    if share < context.number("warning") {
        return;
    }
    let level = if share >= context.number("error") { Level::Error } else { Level::Warning };
    findings.add(
        Found::at(
            ObjectRef::setting("max_locks_per_transaction"),
            format!(
                "{} locks are held in a table with room for {} ({share:.0} %).",
                grouped(taken as u64),
                grouped(room as u64)
            ),
        )
        .level(level)
        .evidence("max_locks_per_transaction", each)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
