use std::collections::BTreeMap;

use dbwright_model::catalog::Policy;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName, join};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Policies],
    engines: Engines::only(Engine::Postgres, "it has no row security policies"),
    when: "several permissive policies of a table stand for the same command and role",
    then: "Any one of them lets a row through, and all of them are evaluated for each row.",
    instead: "Join them into one policy with `OR`, or make the ones that should narrow restrictive.",
    source: "PostgreSQL documentation, CREATE POLICY: permissive policies are combined with OR",
    convention: Some("commands of tables have several permissive policies"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut by_command: BTreeMap<(&QualifiedName, &Name), Vec<&Policy>> = BTreeMap::new();
    for policy in context.policies().iter().filter(|policy| policy.permissive) {
        by_command.entry((&policy.table, &policy.command)).or_default().push(policy);
    }
    for ((table, command), policies) in by_command {
        findings.examined(1);
        let together: Vec<&Policy> = policies
            .iter()
            .enumerate()
            .filter(|(i, policy)| {
                policies.iter().enumerate().any(|(j, other)| *i != j && share_a_role(policy, other))
            })
            .map(|(_, policy)| *policy)
            .collect();
        let Some(last) = together.last() else { continue };
        let names = join(together.iter().map(|policy| &policy.name));
        findings.add(
            Found::at(
                ObjectRef::policy(table, &last.name),
                format!(
                    "{} permissive policies of `{table}` add up for `{command}`: {names}.",
                    together.len()
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn share_a_role(a: &Policy, b: &Policy) -> bool {
    let everyone = |policy: &Policy| policy.roles.iter().any(|role| *role == "public");
    everyone(a) || everyone(b) || a.roles.iter().any(|role| b.roles.contains(role))
}
