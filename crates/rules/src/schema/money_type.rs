use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    engines: Engines::only(Engine::Postgres, "it has no type `money`"),
    when: "a column is of type `money`",
    then: "How the amounts are read and printed depends on a setting of the locale, and a dump may restore other amounts.",
    instead: "Keep the amount as `numeric` and its currency beside it.",
    source: "PostgreSQL documentation: monetary types and lc_monetary",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            findings.examined(1);
            if base_type(context.catalog(), &column.data_type).kind != TypeKind::Money {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "What the amounts in `{}.{}` mean depends on `lc_monetary`.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
