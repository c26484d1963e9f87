use dbwright_model::engine::Dialect;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table or column has a name that must be quoted in every statement",
    then: "Every statement must quote these names; one that does not fails, or means another object.",
    instead: "Choose names of small letters, digits and underscores.",
    in_prisma: Some(
        "keep the names of models and fields, and give those of the database with `@@map(\"order_items\")` and `@map(\"created_at\")`",
    ),
    source: "the lexical rules of each engine: PostgreSQL folds unquoted names to lower case",
    convention: Some("names must be quoted"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let dialect = context.engine().dialect();
    for table in context.own_tables() {
        findings.examined(1 + table.columns.len() as u64);
        let name = table.name.name.as_str();
        if needs_quoting(dialect, name) {
            findings.add(found(ObjectRef::table(&table.name), "table", name));
        }
        for column in &table.columns {
            let name = column.name.as_str();
            if needs_quoting(dialect, name) {
                findings.add(found(ObjectRef::column(&table.name, &column.name), "column", name));
            }
        }
    }
}

fn found(object: ObjectRef, kind: &str, name: &str) -> Found {
    Found::at(object, format!("The {kind} name `{name}` must be quoted wherever it is used."))
        .remedy(Remedy::manual(RULE.instead))
}

/// Whether an unquoted name would not be read, or would be read as another one.
fn needs_quoting(dialect: Dialect, name: &str) -> bool {
    let folds = dialect == Dialect::Postgres && name.chars().any(char::is_uppercase);
    let starts = name.chars().next().is_some_and(|c| {
        c.is_alphabetic() || c == '_' || (dialect == Dialect::Mysql && (c.is_ascii_digit() || c == '$'))
    });
    let only_digits = name.chars().all(|c| c.is_ascii_digit());
    let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    folds || !starts || !plain || only_digits
}
