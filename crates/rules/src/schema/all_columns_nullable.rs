use dbwright_model::catalog::UserTypeKind;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::in_primary_key;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "no column of a table but the key must have a value",
    then: "A row may say nothing at all, and every query has to expect null in every column.",
    instead: "Set `NOT NULL` on the columns without which a row makes no sense.",
    source: "agreement of three public linters; tables with fewer than three columns of their own are left out",
    convention: Some("tables require no value but the key"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let never_null = |data_type: &dbwright_model::data_type::DataType| {
        data_type.user_type.as_ref().is_some_and(|name| {
            context.catalog().types.iter().any(|user_type| {
                user_type.name == *name
                    && matches!(user_type.kind, UserTypeKind::Domain { not_null: true, .. })
            })
        })
    };
    for table in context.own_tables() {
        let own: Vec<_> = table
            .columns
            .iter()
            .filter(|column| !in_primary_key(table, &column.name) && column.generated.is_none())
            .collect();
        if own.len() < 3 {
            continue;
        }
        findings.examined(1);
        if own.iter().any(|column| column.not_null || never_null(&column.data_type)) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "A row of `{}` may be empty: none of its {} columns must have a value.",
                    table.name,
                    own.len()
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
