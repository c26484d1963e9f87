use dbwright_model::effect::Demand;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS_LIMITS,
    engines: Engines::mysql_family("a value that a column does not take is an error there"),
    when: "a column of a table in use is narrowed, or may no longer be null, under an `sql_mode` that is not strict",
    then: "Values that have no place are cut off, and nulls become 0 or an empty text; a warning is all that is left of them.",
    instead: "Set a strict `sql_mode` before the statement, and mend the rows that it then complains of.",
    remedy: Applicability::Manual,
    source: "measured on MariaDB 10.11; MySQL manual, \"Server SQL Modes\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        for demand in &judged.statement.effects.demands {
            let (table, column, what) = match demand {
                Demand::NotNull { table, column } => (table, column, "Nulls of"),
                Demand::Convertible { table, column } => (table, column, "Values that have no place in"),
                _ => continue,
            };
            if judged.effect(table).is_none() || judged.new_column(table, column).is_some() {
                continue;
            }
            findings.examined(1);
            if !lint::is_loose(context, &judged) {
                continue;
            }
            let becomes = match demand {
                Demand::NotNull { .. } => "become 0 or an empty text",
                _ => "are cut off or become 0",
            };
            let message = format!(
                "{what} `{table}.{column}` {becomes} without an error, because `sql_mode` is not strict."
            );
            let found = judged.found(ObjectRef::column(table, column), message);
            findings.add(found.remedy(Remedy::manual_sql(
                RULE.instead,
                [String::from("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")],
            )));
        }
    }
}
