use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::counting::keeps_rows;
use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::Catalog, Fact::TableStatistics],
    engines: Engines::only(Engine::Postgres, "see `health/free-pages` for SQLite"),
    when: "more than half of a large table is empty space",
    then: "Scans read the space, caches hold it and backups copy it.",
    instead: "Rewrite the table with `pg_repack` or, when it may be locked for a while, `VACUUM FULL`.",
    options: &[
        OptionSpec {
            name: "share",
            default: OptionValue::Number(50.0),
            help: "per cent of the table; peers take 40 to 90",
        },
        OptionSpec {
            name: "least_mb",
            default: OptionValue::Number(200.0),
            help: "wasted megabytes below which a table is left alone; awesome-prometheus-alerts takes 200",
        },
    ],
    source: "postgres-checkup, awesome-prometheus-alerts; the size of rows is estimated with padding, within some per cent",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.catalog().tables.iter().filter(|table| table.extension.is_none()) {
        if !keeps_rows(context, table) {
            continue;
        }
        let statistics = context.statistics_of(&table.name);
        let least = context.number("least_mb") * 1_048_576.0;
        let (all, wasted) = match statistics
            .map(|statistics| (statistics.table_bytes, statistics.bloat_bytes))
        {
            Some((Some(all), Some(wasted))) => (all, wasted),
            // No more can be wasted than there is.
            Some((Some(all), None)) if (all as f64) < least => {
                findings.examined(1);
                continue;
            }
            _ => {
                findings
                    .not_seen(1, "tables are large or of unknown size, and their empty space is not known");
                continue;
            }
        };
        findings.examined(1);
        let share = wasted as f64 / all.max(1) as f64 * 100.0;
        if share < context.number("share") || (wasted as f64) < least {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("About {share:.0} % of `{}` is empty space ({}).", table.name, size(wasted)),
            )
            .confidence(Confidence::Medium)
            .evidence("size", size(all))
            .evidence_if("last vacuum", statistics.and_then(|statistics| statistics.last_vacuum))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
