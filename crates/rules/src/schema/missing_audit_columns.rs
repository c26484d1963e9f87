use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::is_join_table;
use crate::lexicon::columns::is_created_at;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "most tables say when a row was made and this one does not",
    then: "When a row of this table came to be cannot be told afterwards.",
    instead: "Add the column that the other tables have.",
    options: &[OptionSpec {
        name: "majority-percent",
        default: OptionValue::Number(60.0),
        help: "Share of the tables, in per cent, that must have the column for it to be the custom of the schema.",
    }],
    source: "the schema's own custom; nothing is said where there is none",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Fewer tables make no custom.
const LEAST_TABLES: usize = 5;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let column =
        |table: &Table| table.columns.iter().find(|column| is_created_at(column.name.as_str())).cloned();
    let tables: Vec<&Table> = context
        .own_tables()
        .filter(|table| {
            !is_join_table(table) && !is_part(table) && !is_of_rails(table) && table.columns.len() > 2
        })
        .collect();
    let with: Vec<_> = tables.iter().filter_map(|table| column(table)).collect();
    let share = with.len() as f64 * 100.0;
    let custom =
        with.len() >= LEAST_TABLES && share >= context.number("majority-percent") * tables.len() as f64;
    let Some(example) = with.first().filter(|_| custom) else {
        findings.not_applicable("the schema has no custom of saying when a row was made");
        return;
    };
    for table in &tables {
        findings.examined(1);
        if column(table).is_some() {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` has no column such as `{}`, which {} of {} tables have.",
                    table.name,
                    example.name,
                    with.len(),
                    tables.len()
                ),
            )
            .confidence(Confidence::Low)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// Whether Rails made the table in a form of its own.
fn is_of_rails(table: &Table) -> bool {
    let name = table.name.name.as_str();
    ["active_storage_", "action_text_", "action_mailbox_"].iter().any(|start| name.starts_with(start))
}

/// Whether a row is a part of another table's row, whose key is in its own.
fn is_part(table: &Table) -> bool {
    table
        .primary_key
        .as_ref()
        .is_some_and(|key| key.columns.iter().any(|column| crate::columns::in_foreign_key(table, column)))
}
