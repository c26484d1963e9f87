use dbwright_model::catalog::Table;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::lexicon::columns::is_updated_at;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Triggers],
    when: "the server keeps `updated_at` current in most tables and not in this one",
    then: "The column tells when the row was made rather than changed, and whoever copies changed rows misses them.",
    instead: "Give the table the trigger or the `ON UPDATE` clause that the others have.",
    source: "the schema's own custom; frameworks that set the column themselves are left alone",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Fewer tables make no custom.
const LEAST_TABLES: usize = 3;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut kept = Vec::new();
    let mut left = Vec::new();
    for table in context.own_tables() {
        let Some(column) = table.columns.iter().find(|column| is_updated_at(column.name.as_str())) else {
            continue;
        };
        if column.on_update.is_some() || column.generated.is_some() || has_update_trigger(context, table) {
            kept.push(table);
        } else {
            left.push((table, &column.name));
        }
    }
    if kept.len() < LEAST_TABLES || kept.len() < left.len() * 2 {
        findings.not_applicable("the server does not keep such columns current in this schema");
        return;
    }
    findings.examined((kept.len() + left.len()) as u64);
    for (table, column) in left {
        findings.add(
            Found::at(ObjectRef::column(&table.name, column), message(table, column, kept.len()))
                .confidence(Confidence::Low)
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn message(table: &Table, column: &Name, kept: usize) -> String {
    format!("Nothing keeps `{}.{column}` current, as the server does in {kept} other tables.", table.name)
}

fn has_update_trigger(context: &Context<'_>, table: &Table) -> bool {
    context
        .triggers()
        .iter()
        .any(|trigger| trigger.table == table.name && trigger.events.iter().any(|event| *event == "UPDATE"))
}
