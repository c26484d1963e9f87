use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a table with policies does not force row security on its owner",
    then: "An application that connects as the owner of its tables sees every row, whatever the policies say.",
    instead: "Connect as a role that owns nothing, or force row security.",
    remedy: Applicability::Review,
    source: "attack matrix over two tenants, run on servers: the owner reads the other tenant's rows",
    convention: Some("tables with policies do not force them on the owner"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables().filter(|table| table.row_security.enabled) {
        if !context.policies().iter().any(|policy| policy.table == table.name) {
            continue;
        }
        findings.examined(1);
        if table.row_security.forced {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("The owner of `{}` is not bound by its policies.", table.name),
            )
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SetRowSecurity {
                    alter: Default::default(),
                    table: table.name.clone(),
                    enabled: None,
                    forced: Some(true),
                }],
            )),
        );
    }
}
