use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 4,
    engines: Engines::only(Engine::Sqlite, "a primary key never takes null"),
    when: "a column of a primary key may be null",
    then: "SQLite takes null in such a key, and since null equals nothing, any number of rows without a key.",
    instead: "Make the table anew with `NOT NULL` on every column of the key.",
    source: "SQLite documentation: a long-standing mistake that is kept for the sake of old files",
    convention: Some("primary keys take null"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables().filter(|table| !table.strict && !table.without_rowid) {
        let Some(key) = &table.primary_key else { continue };
        findings.examined(1);
        let open: Vec<&Name> = key
            .columns
            .iter()
            .filter(|name| table.column(name.as_str()).is_some_and(|column| !column.not_null))
            .collect();
        // A single integer is the row id, or the business of `integer-primary-key-spelling`.
        let integer = open.len() == key.columns.len()
            && key.columns.len() == 1
            && table
                .column(key.columns[0].as_str())
                .is_some_and(|column| column.data_type.kind == TypeKind::BigInt);
        if open.is_empty() || integer {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::columns(&table.name, &key.columns),
                format!("The primary key of `{}` takes rows in which {} is null.", table.name, join(open)),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
