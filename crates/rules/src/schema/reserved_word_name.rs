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
    .remedy(Remedy::manual(match another(name) {
        Some(other) => format!("Choose another name, such as `{other}`."),
        None => RULE.instead.to_owned(),
    }))
}

/// A name that says the same for words that are chosen again and again.
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
