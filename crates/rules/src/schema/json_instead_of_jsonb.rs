use dbwright_model::catalog::{Column, Table};
use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expression;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::dependants;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::only(Engine::Postgres, "it has one type for JSON"),
    when: "a column is `json` and not `jsonb`",
    then: "The text is parsed again at every access, has no equality, and cannot be indexed by its content.",
    instead: "Change it to `jsonb` unless the exact text matters.",
    wants: dependants::WANTS,
    remedy: Applicability::Review,
    source: "PostgreSQL documentation: JSON types",
    convention: Some("JSON columns are `json`"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            if !matches!(column.data_type.kind, TypeKind::Json | TypeKind::Jsonb) || column.data_type.array {
                continue;
            }
            findings.examined(1);
            if column.data_type.kind == TypeKind::Jsonb {
                continue;
            }
            let found = Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!(
                    "`{}.{}` is `json`: it is parsed at every access and has neither equality nor an index.",
                    table.name, column.name
                ),
            );
            findings.add(found.remedy(remedy(context, table, column)));
        }
    }
}

fn remedy(context: &Context<'_>, table: &Table, column: &Column) -> Remedy {
    // A default of the old type would have to be dropped and set again.
    if column.default.is_some() || column.generated.is_some() {
        return Remedy::manual(RULE.instead);
    }
    if let Some(words) = dependants::in_words(context, table, &column.name, RULE.instead) {
        return words;
    }
    let change = Change::AlterColumnType {
        alter: Default::default(),
        table: table.name.clone(),
        column: column.name.clone(),
        to: DataType::new(TypeKind::Jsonb, "jsonb"),
        collation: None,
        using: Some(Expression::text(format!("\"{}\"::jsonb", column.name.as_str().replace('"', "\"\"")))),
    };
    Remedy::review("Change it to `jsonb`; the table is rewritten.", vec![change])
}
