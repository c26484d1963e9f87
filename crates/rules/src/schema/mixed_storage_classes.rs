use std::collections::BTreeSet;

use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Integrity],
    engines: Engines::only(Engine::Sqlite, "every value has the type of its column"),
    when: "the values of a column are partly numbers and partly text or bytes",
    then: "Numbers sort before text and never equal it, so searches miss rows and sorting breaks in two.",
    instead: "Convert the values to one type, and make the table `STRICT` or add a check of `typeof`.",
    source: "counted in the rows: typeof() by column",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables = || context.own_tables().filter(|table| !table.strict);
    findings.examined(tables().map(|table| table.columns.len() as u64).sum());
    for mixed in &context.integrity().mixed_columns {
        let Some(table) = tables().find(|table| table.name == mixed.table) else { continue };
        let Some(column) = table.column(mixed.column.as_str()) else { continue };
        // Whole numbers and fractions are both numbers, and null belongs to every type.
        let classes: BTreeSet<&str> = mixed
            .classes
            .iter()
            .map(|(class, _)| match class.as_str() {
                "integer" | "real" => "number",
                other => other,
            })
            .filter(|class| *class != "null")
            .collect();
        if classes.len() < 2 {
            continue;
        }
        // A column without a type was made to take anything.
        let level = match column.data_type.kind {
            TypeKind::Untyped => Level::Note,
            _ => Level::Warning,
        };
        let mut found = Found::at(
            ObjectRef::column(&table.name, &column.name),
            format!(
                "`{}.{}` holds {} side by side: they never equal each other and sort apart.",
                table.name,
                column.name,
                classes.into_iter().collect::<Vec<_>>().join(" and ")
            ),
        )
        .level(level)
        .traced()
        .remedy(Remedy::manual(RULE.instead));
        for (class, values) in &mixed.classes {
            found = found.evidence(class.as_str(), values);
        }
        findings.add(found);
    }
}
