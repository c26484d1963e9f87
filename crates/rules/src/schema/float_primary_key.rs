use dbwright_model::data_type::TypeKind;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    when: "a primary key is a floating point number, or nothing but a point in time",
    then: "Rounded keys are not found by the value that was written, and two rows of the same instant collide.",
    instead: "Give the table a whole number or a UUID as its key, or make the number exact.",
    source: "IEEE 754: most decimal fractions have no exact binary form",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let Some(key) = &table.primary_key else { continue };
        findings.examined(1);
        for name in &key.columns {
            let Some(column) = table.column(name.as_str()) else { continue };
            let kind = base_type(context.catalog(), &column.data_type).kind;
            let instant = matches!(kind, TypeKind::Timestamp | TypeKind::TimestampTz);
            let consequence = if kind.is_floating() {
                "is a rounded number, so a row may not be found by the value that was written"
            } else if instant && key.columns.len() == 1 && !crate::columns::in_foreign_key(table, name) {
                "is a point in time, so two rows of the same instant collide"
            } else {
                continue;
            };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, name),
                    format!("The key `{}.{name}` {consequence}.", table.name),
                )
                .evidence("type", &column.data_type.text)
                .remedy(Remedy::manual(RULE.instead)),
            );
            break;
        }
    }
}
