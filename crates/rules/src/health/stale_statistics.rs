use dbwright_model::catalog::Table;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;
use dbwright_model::settings::Settings;

use crate::counting::keeps_rows;
use crate::quantity::{grouped, time};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 3,
    needs: &[Fact::Catalog, Fact::TableStatistics, Fact::Settings],
    engines: Engines::only(
        Engine::Postgres,
        "see `health/statistics-missing` for SQLite; InnoDB samples by itself",
    ),
    when: "far more rows of a table have changed since it was analyzed than autovacuum should let pass",
    then: "The planner reckons with a table that is no longer there, and picks plans for it.",
    instead: "Analyze the table, and find out why autovacuum does not: it is off, too slow, or held back.",
    remedy: Applicability::Safe,
    options: &[
        OptionSpec {
            name: "times",
            default: OptionValue::Number(3.0),
            help: "multiple of the table's own threshold of autovacuum's analyze",
        },
        OptionSpec {
            name: "days",
            default: OptionValue::Number(2.0),
            help: "days since the last analyze; check_postgres is critical at 2",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_000.0),
            help: "changed rows below which a table is left alone",
        },
    ],
    source: "PostgreSQL documentation, the autovacuum daemon: threshold + scale factor * rows; check_postgres, last_analyze",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(now) = context.source().collected_at else {
        findings.unknown("when the facts were read is not known");
        return;
    };
    let settings = context.settings();
    for table in context.own_tables() {
        if !keeps_rows(context, table) {
            continue;
        }
        let counted = context
            .statistics_of(&table.name)
            .and_then(|known| Some((known, known.changed_since_analyze?, known.live_rows?)));
        let Some((statistics, changed, live)) = counted else {
            findings.not_seen(1, "tables have changes that nobody counted");
            continue;
        };
        let Some(threshold) = threshold(settings, table, live) else {
            findings.unknown("the settings of autovacuum could not be read");
            return;
        };
        findings.examined(1);
        // Without a last time it was never analyzed, or the counters were reset: another rule tells which.
        let Some(last) = statistics.last_analyze else { continue };
        let age = now.duration_since(last).as_secs_f64();
        if age < context.number("days") * 86_400.0
            || (changed as f64) < context.number("least")
            || (changed as f64) < threshold * context.number("times")
        {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "{} rows of `{}` have changed since it was analyzed {} ago, and autovacuum should have begun at {}.",
                    grouped(changed),
                    table.name,
                    time(age),
                    grouped(threshold as u64)
                ),
            )
            .evidence("live rows", grouped(live))
            .evidence("last analyze", last)
            .remedy(Remedy::safe(RULE.instead, vec![Change::Analyze { table: Some(table.name.clone()) }])),
        );
    }
}

/// The number of changed rows at which autovacuum analyzes, with the table's own parameters.
fn threshold(settings: &Settings, table: &Table, live: u64) -> Option<f64> {
    let number = |name: &str| {
        let own = table.options.iter().find(|(key, _)| *key == *name).map(|(_, value)| value.as_str());
        own.or_else(|| settings.get(name)).and_then(|value| value.parse::<f64>().ok())
    };
    Some(number("autovacuum_analyze_threshold")? + number("autovacuum_analyze_scale_factor")? * live as f64)
}
