use dbwright_model::capability::Capability;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::default_calls;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    engines: Engines::only(Engine::Postgres, "`serial` is PostgreSQL's"),
    when: "a column is `serial` and not an identity column",
    then: "Its sequence has rights of its own to be granted, and nothing stops an insert from writing a number by hand.",
    instead: "Write `generated always as identity` in new tables.",
    in_prisma: Some(
        "nothing says it; `autoincrement()` is always `serial`, so accept this in `dbwright.toml`",
    ),
    source: "PostgreSQL wiki: do not do this, serial",
    convention: Some("numbered columns are `serial`"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.can(Capability::IdentityColumns) {
        findings.not_applicable("the server has no identity columns");
        return;
    }
    for table in context.own_tables() {
        for column in table.columns.iter().filter(|column| column.sequence.is_some()) {
            findings.examined(1);
            if column.identity.is_some() || !default_calls(column, &["nextval"]) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` is `serial`, so its default can be overwritten and its sequence needs grants of its own.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
