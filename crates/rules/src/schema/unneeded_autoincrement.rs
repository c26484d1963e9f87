use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::single_key;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    engines: Engines::only(Engine::Sqlite, "it is the only way to number rows"),
    when: "a key says `AUTOINCREMENT`",
    then: "Every insert also reads and writes a table of counters; without the word, keys are numbered all the same.",
    instead: "Leave the word out unless the number of a deleted row must never be used again.",
    source: "SQLite documentation: AUTOINCREMENT imposes extra work and should be avoided if not strictly needed",
    convention: Some("integer keys say `AUTOINCREMENT`"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let Some(column) = single_key(table).filter(|column| column.data_type.text == "INTEGER") else {
            continue;
        };
        findings.examined(1);
        if !column.auto_increment {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!(
                    "Every insert into `{}` also writes a counter, which `AUTOINCREMENT` asks for.",
                    table.name
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
