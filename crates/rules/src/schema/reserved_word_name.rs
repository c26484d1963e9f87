use dbwright_model::engine::Engine;
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
    instead: "Choose another name.",
    in_prisma: Some(
        "keep the name, and give another one in the database with `@@map` for a model and `@map` for a field",
    ),
    source: "reserved words of PostgreSQL, MySQL 8, MariaDB and SQLite; the last two were tried on servers",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1 + table.columns.len() as u64);
        let name = table.name.name.as_str();
        if reserved::is_reserved(context.engine(), name) {
            findings.add(found(context.engine(), ObjectRef::table(&table.name), "table", name));
        }
        for column in &table.columns {
            let name = column.name.as_str();
            if reserved::is_reserved(context.engine(), name) {
                findings.add(found(
                    context.engine(),
                    ObjectRef::column(&table.name, &column.name),
                    "column",
                    name,
                ));
            }
        }
    }
}

fn found(engine: Engine, object: ObjectRef, kind: &str, name: &str) -> Found {
    let other = if kind == "table" { another_table(name) } else { another(name) };
    let other =
        other.filter(|other| !reserved::is_reserved(engine, other)).map(|other| written_like(name, other));
    Found::at(
        object,
        format!("The {kind} name `{name}` is a reserved word, so a statement without quotes fails."),
    )
    .remedy(Remedy::manual(match other {
        Some(other) => format!("Choose another name, such as `{other}`."),
        None => RULE.instead.to_owned(),
    }))
}

/// A suggestion that begins as the name does.
fn written_like(name: &str, other: &str) -> String {
    match (name.chars().next(), other.chars().next()) {
        (Some(first), Some(own)) if first.is_uppercase() => {
            format!("{}{}", own.to_ascii_uppercase(), &other[own.len_utf8()..])
        }
        _ => other.to_owned(),
    }
}

/// The same for tables, whose rows are things.
fn another_table(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "order" => "orders",
        "user" => "users",
        "group" | "groups" => "teams",
        "key" | "keys" => "access_keys",
        "index" => "entries",
        "check" => "inspections",
        "condition" => "conditions",
        "window" => "periods",
        "values" => "settings",
        "references" => "sources",
        "limit" => "quotas",
        _ => return None,
    })
}

/// A name that says the same for words that are chosen again and again for columns.
fn another(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "order" => "position",
        "user" => "users",
        "group" => "team",
        "key" => "code",
        "index" => "position",
        "rank" => "position",
        "table" => "table_name",
        "column" => "column_name",
        "desc" | "describe" => "description",
        "from" => "starts_at",
        "to" => "ends_at",
        "end" => "ends_at",
        "start" => "starts_at",
        "default" => "is_default",
        "primary" => "is_primary",
        "references" => "reference",
        "values" => "settings",
        "window" => "period",
        "condition" => "state",
        "check" => "verification",
        "limit" => "max_count",
        "left" => "left_side",
        "right" => "right_side",
        _ => return None,
    })
}
