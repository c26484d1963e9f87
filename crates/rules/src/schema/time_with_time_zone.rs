use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 2,
    engines: Engines::only(Engine::Postgres, "it has no such type"),
    when: "a column is of type `time with time zone`",
    then: "An offset without a date cannot follow daylight saving time, so the time is wrong for part of the year.",
    instead: "Keep `time` and the name of the time zone, or the whole instant as `timestamptz`.",
    source: "PostgreSQL documentation discourages the type",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            let kind = base_type(context.catalog(), &column.data_type).kind;
            if !matches!(kind, TypeKind::Time | TypeKind::TimeTz) {
                continue;
            }
            findings.examined(1);
            if kind == TypeKind::TimeTz {
                findings.add(
                    Found::at(
                        ObjectRef::column(&table.name, &column.name),
                        format!(
                            "`{}.{}` keeps an offset without a date, which cannot follow daylight saving time.",
                            table.name, column.name
                        ),
                    )
                    .remedy(Remedy::manual(RULE.instead)),
                );
            }
        }
    }
}
