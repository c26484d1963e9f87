use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::{in_foreign_key, in_primary_key};
use crate::lexicon::columns::is_not_yet;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    needs: &[Fact::Catalog, Fact::TableStatistics, Fact::ColumnStatistics],
    when: "a column may be null and the statistics have seen no null in it",
    then: "The rule that a value is always there holds by luck, and every query has to expect the null that never comes.",
    instead: "Count the nulls, and set `NOT NULL` if there are none and never should be.",
    options: &[OptionSpec {
        name: "least-rows",
        default: OptionValue::Number(1_000.0),
        help: "Rows that a table must have before anything is concluded from them.",
    }],
    source: "statistics rest on a sample, so it is a hint; columns whose null means `not yet` are left out by name",
    convention: Some("nullable columns hold no null"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let rows = context.statistics_of(&table.name).and_then(|statistics| statistics.rows);
        let Some(rows) = rows.filter(|rows| *rows as f64 >= context.number("least-rows")) else { continue };
        for column in &table.columns {
            if column.not_null || in_primary_key(table, &column.name) || column.generated.is_some() {
                continue;
            }
            let Some(statistics) = context.column_statistics_of(&table.name, &column.name) else { continue };
            findings.examined(1);
            if statistics.null_fraction > 0.0 || is_not_yet(column.name.as_str()) {
                continue;
            }
            // A domain may forbid null; a reference is often optional by intent.
            if column.data_type.user_type.is_some() || in_foreign_key(table, &column.name) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` may be null, but no null was seen in about {rows} rows.",
                        table.name, column.name
                    ),
                )
                .confidence(Confidence::Medium)
                .evidence("rows", rows)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
