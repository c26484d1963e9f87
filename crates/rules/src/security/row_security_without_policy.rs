use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "row security is enabled on a table that has no permissive policy",
    then: "Every role but the owner sees no rows and can write none.",
    instead: "Create the policy that is missing, or disable row security, or revoke the rights that cannot be used.",
    source: "PostgreSQL documentation, row security policies: without a policy the default is to deny",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables().filter(|table| table.row_security.enabled) {
        findings.examined(1);
        let permissive =
            context.policies().iter().any(|policy| policy.table == table.name && policy.permissive);
        if permissive {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("`{}` has row security but no policy that lets rows through.", table.name),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
