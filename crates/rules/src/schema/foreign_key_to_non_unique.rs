use dbwright_model::capability::Capability;
use dbwright_model::catalog::{ForeignKey, Table};
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;

use crate::columns::is_unique_over;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 6,
    engines: Engines::ALL.except(Engine::Postgres, "PostgreSQL refuses such a key when it is made"),
    when: "a foreign key refers to columns that are not unique",
    then: "SQLite fails every write to the child; InnoDB does not say which of several parents a child belongs to.",
    instead: "Make the referenced columns unique, or refer to the primary key.",
    source: "measured: SQLite answers with `foreign key mismatch` at the first write, InnoDB accepts the key",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for key in &table.foreign_keys {
            let Some(parent) = context.table(&key.references) else { continue };
            findings.examined(1);
            if is_key_of(parent, key) {
                continue;
            }
            let (level, consequence) = match context.can(Capability::NonUniqueParentKeys) {
                true => (Level::Warning, "so a child may belong to several parents"),
                false => (Level::Error, "so every write that enforces the key fails"),
            };
            let columns = match key.referenced_columns.is_empty() {
                true => "no columns, and there is no primary key".to_owned(),
                false => join(&key.referenced_columns),
            };
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, &key.columns),
                    format!(
                        "The foreign key of `{}` refers to `{}` ({columns}), which is not unique, {consequence}.",
                        table.name, parent.name
                    ),
                )
                .level(level)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

fn is_key_of(parent: &Table, key: &ForeignKey) -> bool {
    let mut wanted: Vec<_> = key.referenced_columns.iter().collect();
    wanted.sort();
    let same = |columns: &[dbwright_model::name::Name]| {
        let mut own: Vec<_> = columns.iter().collect();
        own.sort();
        own == wanted
    };
    parent.primary_key.as_ref().is_some_and(|own| same(&own.columns))
        || parent.uniques.iter().any(|own| same(&own.columns))
        || parent.indexes.iter().any(|index| is_unique_over(index, &key.referenced_columns))
}
