use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::reserved;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table or column is named by a reserved word of another server",
    then: "Statements that several servers should read, in tests or after a move, fail where the name is not quoted.",
    instead: "Choose another name while that is cheap.",
    in_prisma: Some(
        "keep the name, and give another one in the database with `@@map` for a model and `@map` for a field",
    ),
    source: "reserved words of PostgreSQL, MySQL 8, MariaDB and SQLite; the last two were tried on servers",
    reads_names: true,
    convention: Some("names are reserved words of other servers"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1 + table.columns.len() as u64);
        let name = table.name.name.as_str();
        if let Some(found) = found(context.engine(), ObjectRef::table(&table.name), "table", name) {
            findings.add(found);
        }
        for column in &table.columns {
            let object = ObjectRef::column(&table.name, &column.name);
            if let Some(found) = found(context.engine(), object, "column", column.name.as_str()) {
                findings.add(found);
            }
        }
    }
}

fn found(engine: Engine, object: ObjectRef, kind: &str, name: &str) -> Option<Found> {
    if reserved::is_reserved(engine, name) {
        return None;
    }
    let others: Vec<String> = Engine::ALL
        .into_iter()
        .filter(|other| *other != engine && reserved::is_reserved(*other, name))
        .map(|other| other.to_string())
        .collect();
    let (last, first) = others.split_last()?;
    let servers = match first.is_empty() {
        true => last.clone(),
        false => format!("{} and {last}", first.join(", ")),
    };
    Some(
        Found::at(object, format!("The {kind} name `{name}` is a reserved word of {servers}."))
            .remedy(Remedy::manual(RULE.instead)),
    )
}
