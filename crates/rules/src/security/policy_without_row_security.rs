use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 8,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "a table has policies but row security is not enabled on it",
    then: "The policies do nothing: everyone with rights on the table sees and changes every row.",
    instead: "Enable row security on the table, or drop the policies.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, CREATE POLICY: policies apply only where row security is enabled",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in &context.catalog().tables {
        let policies = context.policies().iter().filter(|policy| policy.table == table.name).count();
        if policies == 0 {
            continue;
        }
        findings.examined(1);
        if table.row_security.enabled {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("`{}` has policies, but row security is off, so none of them applies.", table.name),
            )
            .evidence("policies", policies)
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SetRowSecurity {
                    alter: Default::default(),
                    table: table.name.clone(),
                    enabled: Some(true),
                    forced: None,
                }],
            )),
        );
    }
}
