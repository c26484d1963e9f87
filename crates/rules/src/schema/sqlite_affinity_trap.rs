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
            let Some((trap, confidence)) = trap(&column.data_type) else { continue };
            let name = format!("{}.{}", table.name, column.name);
            let found = match trap {
                Trap::TextAsNumber => Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{name}` turns texts that look like numbers into numbers, because SQLite does not know its type."
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
                Trap::FractionAsWhole => Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{name}` keeps 5.0 as the whole number 5, so that a division by 2 gives 2: SQLite sees `INT` in its type."
                    ),
                )
                .remedy(Remedy::manual("Declare the column `REAL`.")),
            };
            findings.add(found.evidence("declared type", &column.data_type.text).confidence(confidence));
        }
    }
}

/// What SQLite makes of values of a type otherwise than people expect.
enum Trap {
    /// Texts that look like numbers become numbers.
    TextAsNumber,
    /// Fractions without a rest become whole numbers, which divide as such.
    FractionAsWhole,
}

/// Parts of invented types that mean text.
const TEXT_WORDS: &[&str] = &[
    "ADDR",
    "CIDR",
    "CODE",
    "ENUM",
    "FINGERPRINT",
    "HASH",
    "INET",
    "MAIL",
    "NAME",
    "PASSW",
    "PHONE",
    "POST",
    "SLUG",
    "STR",
    "TOKEN",
    "URI",
    "URL",
    "XML",
    "ZIP",
];

/// Whether a type that people read as text or as a fraction, or that means nothing to SQLite, is stored as another.
fn trap(data_type: &DataType) -> Option<(Trap, Confidence)> {
    let text = data_type.text.as_str().to_ascii_uppercase();
    let holds = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let affinity = Affinity::of(&text);
    match data_type.kind {
        _ if !matches!(affinity, Affinity::Integer | Affinity::Numeric) => None,
        TypeKind::Text => Some((Trap::TextAsNumber, Confidence::High)),
        // `INT` within another word counts before every other part: `CHARINT`, `FLOATING POINT`, `PRINTABLE TEXT`.
        TypeKind::Other if affinity == Affinity::Integer && holds(&["CHAR", "CLOB", "TEXT"]) => {
            Some((Trap::TextAsNumber, Confidence::High))
        }
        TypeKind::Other if affinity == Affinity::Integer && holds(&["FLOA", "REAL", "DOUB"]) => {
            Some((Trap::FractionAsWhole, Confidence::High))
        }
        TypeKind::Other if holds(TEXT_WORDS) => Some((Trap::TextAsNumber, Confidence::Medium)),
        _ => None,
    }
}
