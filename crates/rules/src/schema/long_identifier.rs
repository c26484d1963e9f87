use dbwright_model::engine::Engine;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    engines: Engines::only(Engine::Postgres, "names that are too long are refused rather than cut"),
    when: "the name of a table or column is as long as names can be",
    then: "The name was probably cut off in silence: another name with the same beginning would mean the same object.",
    instead: "Choose a shorter name.",
    source: "PostgreSQL documentation: identifiers of more than 63 bytes are truncated with a notice",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Bytes of the longest name that PostgreSQL keeps.
const LIMIT: usize = 63;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1 + table.columns.len() as u64);
        if table.name.name.as_str().len() >= LIMIT {
            findings.add(found(ObjectRef::table(&table.name), "table", table.name.name.as_str()));
        }
        for column in table.columns.iter().filter(|column| column.name.as_str().len() >= LIMIT) {
            findings.add(found(ObjectRef::column(&table.name, &column.name), "column", column.name.as_str()));
        }
    }
}

fn found(object: ObjectRef, kind: &str, name: &str) -> Found {
    Found::at(
        object,
        format!("The {kind} name `{name}` has {LIMIT} bytes, the most there can be, and may be cut off."),
    )
    .confidence(Confidence::Medium)
    .evidence("bytes", name.len())
    .remedy(Remedy::manual(RULE.instead))
}
