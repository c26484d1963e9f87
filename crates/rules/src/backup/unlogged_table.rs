use dbwright_model::catalog::Persistence;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quoting::quoted_name;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Backup,
    weight: 2,
    engines: Engines::only(Engine::Postgres, "it has no unlogged tables"),
    when: "a table is unlogged",
    then: "It is emptied by a crash, and neither replicas nor physical backups have its rows.",
    instead: "`ALTER TABLE ... SET LOGGED` if the rows cannot be made again.",
    source: "PostgreSQL documentation, CREATE TABLE: UNLOGGED",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1);
        if table.persistence != Persistence::Unlogged {
            continue;
        }
        let referred = context.children(&table.name).len();
        let mut found = Found::at(
            ObjectRef::table(&table.name),
            format!("`{}` is emptied by a crash and missing from replicas and physical backups.", table.name),
        )
        .remedy(Remedy::manual_sql(
            RULE.instead,
            [format!("ALTER TABLE {} SET LOGGED", quoted_name(&table.name))],
        ));
        if referred > 0 {
            found = found.level(Level::Warning).evidence("tables that refer to it", referred);
        }
        findings.add(found);
    }
}
