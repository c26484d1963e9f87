use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::base_type;
use crate::lexicon::words;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::only(Engine::Postgres, "its types for points in time are others"),
    when: "a point in time is kept as `timestamp` without time zone",
    then: "What instant the value means is known to the application only, and comparing it with `now()` follows the session.",
    instead: "Keep points in time as `timestamptz`; write `AT TIME ZONE 'UTC'` when changing the type.",
    in_prisma: Some("add `@db.Timestamptz(3)` to the field"),
    source: "PostgreSQL wiki; all seven mature public schemas that were measured do it throughout, so it is a convention",
    convention: Some("columns of points in time have no time zone"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            let kind = base_type(context.catalog(), &column.data_type).kind;
            if !matches!(kind, TypeKind::Timestamp | TypeKind::TimestampTz) {
                continue;
            }
            findings.examined(1);
            // A time on the wall of some place is rightly kept without a zone.
            let local =
                words(column.name.as_str()).iter().any(|word| matches!(word.as_str(), "local" | "wall"));
            if kind == TypeKind::TimestampTz || local {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` does not say in which time zone its times are.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
