use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::counting::keeps_rows;
use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 4,
    needs: &[Fact::Catalog, Fact::TableStatistics, Fact::ColumnStatistics],
    engines: Engines::only(
        Engine::Postgres,
        "see `health/statistics-missing` for SQLite; InnoDB samples by itself",
    ),
    when: "the planner has no statistics about a table with rows",
    then: "It guesses how many rows a condition leaves, and picks plans that are wrong by orders of magnitude.",
    instead: "Analyze the table.",
    remedy: Applicability::Safe,
    options: &[OptionSpec {
        name: "rows",
        default: OptionValue::Number(1_000.0),
        help: "live rows below which a table is left alone",
    }],
    source: "PostgreSQL documentation, pg_upgrade and pg_restore: statistics are not carried over before version 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        if !keeps_rows(context, table) {
            continue;
        }
        let statistics = context.statistics_of(&table.name);
        let Some((statistics, rows)) =
            statistics.and_then(|known| Some((known, known.live_rows.max(known.rows)?)))
        else {
            findings.not_seen(1, "tables have rows that nobody counted");
            continue;
        };
        findings.examined(1);
        let known = table
            .columns
            .iter()
            .any(|column| context.column_statistics_of(&table.name, &column.name).is_some());
        if known || statistics.last_analyze.is_some() || (rows as f64) < context.number("rows") {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("The planner knows nothing about the {} rows of `{}`.", grouped(rows), table.name),
            )
            .remedy(Remedy::safe(RULE.instead, vec![Change::Analyze { table: Some(table.name.clone()) }])),
        );
    }
}
