use dbwright_model::catalog::Table;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;
use dbwright_model::settings::Settings;

use crate::counting::keeps_rows;
use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 4,
    needs: &[Fact::Catalog, Fact::TableStatistics, Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it removes old row versions by itself"),
    when: "a table has many more dead rows than autovacuum should let it have",
    then: "Scans read them all, and the table and its indexes keep growing.",
    instead: "Vacuum the table, and find out why autovacuum does not: it is off, too slow, or held back.",
    remedy: Applicability::Safe,
    options: &[
        OptionSpec {
            name: "times",
            default: OptionValue::Number(2.0),
            help: "multiple of the table's own autovacuum threshold",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_000.0),
            help: "dead rows below which a table is left alone; awesome-prometheus-alerts takes 10000",
        },
    ],
    source: "PostgreSQL documentation, the autovacuum daemon: threshold + scale factor * rows, with the table's own values",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    for table in context.catalog().tables.iter().filter(|table| table.extension.is_none()) {
        if !keeps_rows(context, table) {
            continue;
        }
        let statistics = context.statistics_of(&table.name);
        let Some((statistics, dead, live)) =
            statistics.and_then(|known| Some((known, known.dead_rows?, known.live_rows?)))
        else {
            findings.not_seen(1, "tables have dead rows that nobody counted");
            continue;
        };
        findings.examined(1);
        let Some(threshold) = threshold(settings, table, live) else {
            findings.unknown("the settings of autovacuum could not be read");
            return;
        };
        let dead_rows = dead as f64;
        if dead_rows < context.number("least") || dead_rows < threshold * context.number("times") {
            continue;
        }
        let off =
            option(table, "autovacuum_enabled").is_some_and(|value| matches!(value, "false" | "off" | "0"));
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` has {} dead rows, and autovacuum {}.",
                    table.name,
                    grouped(dead),
                    if off {
                        "is turned off for it".to_owned()
                    } else {
                        format!("should have begun at {}", grouped(threshold as u64))
                    }
                ),
            )
            .evidence("live rows", grouped(live))
            .evidence_if("last vacuum", statistics.last_vacuum)
            .remedy(Remedy::safe(
                RULE.instead,
                vec![Change::Vacuum {
                    analyze: false,
                    table: Some(table.name.clone()),
                    full: false,
                    freeze: false,
                }],
            )),
        );
    }
}

/// The number of dead rows at which autovacuum begins, with the table's own parameters.
fn threshold(settings: &Settings, table: &Table, live: u64) -> Option<f64> {
    let number = |name: &str| {
        option(table, name).or_else(|| settings.get(name)).and_then(|value| value.parse::<f64>().ok())
    };
    let base = number("autovacuum_vacuum_threshold")?;
    let scale = number("autovacuum_vacuum_scale_factor")?;
    let sum = base + scale * live as f64;
    Some(match number("autovacuum_vacuum_max_threshold") {
        Some(most) if most >= 0.0 => sum.min(most),
        _ => sum,
    })
}

fn option<'a>(table: &'a Table, name: &str) -> Option<&'a str> {
    table.options.iter().find(|(key, _)| *key == *name).map(|(_, value)| value.as_str())
}
