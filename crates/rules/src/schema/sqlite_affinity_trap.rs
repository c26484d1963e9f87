use dbwright_model::data_type::{Affinity, DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 5,
    engines: Engines::only(Engine::Sqlite, "a type that the server does not know is refused"),
    when: "the declared type of a column means something else to SQLite than to people",
    then: "Texts that look like numbers are stored as numbers: `01234` comes back as 1234.",
    instead: "Declare the column `TEXT`, or make the table `STRICT`.",
    source: "measured on SQLite: `STRING` has numeric affinity",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables().filter(|table| !table.strict) {
        for column in &table.columns {
            findings.examined(1);
            let Some(confidence) = trap(&column.data_type) else { continue };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` turns texts that look like numbers into numbers, because SQLite does not know its type.",
                        table.name, column.name
                    ),
                )
                .evidence("declared type", &column.data_type.text)
                .confidence(confidence)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Parts of invented types that mean text.
const TEXT_WORDS: &[&str] = &[
    "ADDR", "CIDR", "CODE", "ENUM", "HASH", "INET", "MAIL", "NAME", "PASSW", "PHONE", "POST", "SLUG", "STR",
    "TOKEN", "URI", "URL", "XML", "ZIP",
];

/// Whether a type that people read as text, or that means nothing to SQLite, makes numbers of what looks like one.
fn trap(data_type: &DataType) -> Option<Confidence> {
    let text = data_type.text.as_str().to_ascii_uppercase();
    let holds = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    match data_type.kind {
        _ if !matches!(Affinity::of(&text), Affinity::Integer | Affinity::Numeric) => None,
        TypeKind::Text => Some(Confidence::High),
        TypeKind::Other if holds(TEXT_WORDS) => Some(Confidence::Medium),
        _ => None,
    }
}
