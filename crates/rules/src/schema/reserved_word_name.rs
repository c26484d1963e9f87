use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::reserved;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table or column is named by a reserved word",
    then: "A statement that forgets the quotes fails, or reads something else: `user` is a function in PostgreSQL.",
    instead: "Choose another name: `users` for `user`, `position` for `index`, `description` for `desc`.",
    source: "reserved words of PostgreSQL, MySQL 8, MariaDB and SQLite; the last two were tried on servers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1 + table.columns.len() as u64);
        let name = table.name.name.as_str();
        if reserved::is_reserved(context.engine(), name) {
            findings.add(found(ObjectRef::table(&table.name), "table", name));
        }
        for column in &table.columns {
            let name = column.name.as_str();
            if reserved::is_reserved(context.engine(), name) {
                findings.add(found(ObjectRef::column(&table.name, &column.name), "column", name));
            }
        }
    }
}

fn found(object: ObjectRef, kind: &str, name: &str) -> Found {
    Found::at(
        object,
        format!("The {kind} name `{name}` is a reserved word, so a statement without quotes fails."),
    )
    .remedy(Remedy::manual(RULE.instead))
}
