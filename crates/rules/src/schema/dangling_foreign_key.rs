use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 6,
    engines: Engines::only(Engine::Sqlite, "a foreign key to a table that is not there is refused"),
    when: "a foreign key refers to a table that does not exist",
    then: "Every insert into the child fails where foreign keys are enforced, and nothing is checked where they are not.",
    instead: "Create the parent table, or make the child anew with a key to the right one.",
    source: "measured: SQLite takes the definition and answers `no such table` at the first insert",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for key in &table.foreign_keys {
            findings.examined(1);
            // A statement that was not understood may have made the parent.
            if context.table(&key.references).is_some() || context.is_doubtful(&key.references) {
                continue;
            }
            let view = context
                .catalog()
                .views
                .iter()
                .any(|view| view.name.name.eq_ignore_case(key.references.name.as_str()));
            let what = match view {
                true => "is a view and holds no key",
                false => "does not exist",
            };
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, &key.columns),
                    format!(
                        "`{}` ({}) refers to `{}`, which {what}, so every insert that enforces the key fails.",
                        table.name,
                        join(&key.columns),
                        key.references
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
