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
    needs: &[Fact::Databases, Fact::Counters],
    engines: Engines::only(Engine::Postgres, "it keeps the last deadlock only"),
    when: "transactions of a database regularly lock each other out",
    then: "One of each pair is thrown away after a wait, and its work must be done again.",
    instead: "Let all code lock rows in the same order, and keep transactions short.",
    options: &[OptionSpec {
        name: "per_day",
        default: OptionValue::Number(10.0),
        help: "deadlocks per day on average",
    }],
    source: "PostgreSQL documentation, deadlocks; the rate is taken over the counters' own age",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(since), Some(now)) = (context.counters().since, context.source().collected_at) else {
        findings.unknown("since when deadlocks are counted is not known");
        return;
    };
    // Counters younger than a day are taken as a whole one.
    let days = (now.duration_since(since).as_secs_f64() / 86_400.0).max(1.0);
    for database in context.databases() {
        let Some(deadlocks) = database.deadlocks else {
            findings.not_seen(1, "databases have deadlocks that nobody counted");
            continue;
        };
        findings.examined(1);
        let rate = deadlocks as f64 / days;
        if rate >= context.number("per_day") {
            findings.add(
                Found::at(
                    ObjectRef::database(&database.name),
                    format!("`{}` sees {rate:.0} deadlocks a day.", database.name),
                )
                .evidence("deadlocks", deadlocks)
                .evidence("since", since)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
