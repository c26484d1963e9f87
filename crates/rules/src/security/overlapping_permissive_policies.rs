use std::collections::{BTreeMap, BTreeSet};

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

/// The commands that a policy may stand for; one `FOR ALL` stands for each of them.
const COMMANDS: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut by_table: BTreeMap<&QualifiedName, Vec<&Policy>> = BTreeMap::new();
    for policy in context.policies().iter().filter(|policy| policy.permissive) {
        by_table.entry(&policy.table).or_default().push(policy);
    }
    for (table, policies) in by_table {
        // Policies that meet for several commands are one problem.
        let mut commands_of: BTreeMap<Vec<&Name>, Vec<&str>> = BTreeMap::new();
        for command in COMMANDS {
            let standing: Vec<&Policy> = policies
                .iter()
                .copied()
                .filter(|policy| is_for(policy, command) || is_for(policy, "ALL"))
                .collect();
            if standing.is_empty() {
                continue;
            }
            findings.examined(1);
            let together = standing.iter().enumerate().filter(|(i, policy)| {
                standing.iter().enumerate().any(|(j, other)| *i != j && share_a_role(policy, other))
            });
            let mut names: Vec<&Name> = together.map(|(_, policy)| &policy.name).collect();
            names.sort();
            if !names.is_empty() {
                commands_of.entry(names).or_default().push(command);
            }
        }
        let mut named: BTreeSet<&Name> = BTreeSet::new();
        for (names, commands) in &commands_of {
            // What holds for more policies of a command says it for the fewer of another, too.
            let within = |other: &Vec<&Name>| {
                other.len() > names.len() && names.iter().all(|name| other.contains(name))
            };
            if commands_of.keys().any(within) {
                continue;
            }
            // Each finding is about a policy of its own.
            let Some(last) = names.iter().rev().find(|name| !named.contains(**name)) else { continue };
            named.insert(last);
            let commands = match commands.len() {
                4 => "every command".to_owned(),
                _ => format!("`{}`", commands.join("`, `")),
            };
            findings.add(
                Found::at(
                    ObjectRef::policy(table, last),
                    format!(
                        "{} permissive policies of `{table}` add up for {commands}: {}.",
                        names.len(),
                        join(names.iter().copied())
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

fn is_for(policy: &Policy, command: &str) -> bool {
    policy.command.as_str().eq_ignore_ascii_case(command)
}

fn share_a_role(a: &Policy, b: &Policy) -> bool {
    let everyone = |policy: &Policy| policy.roles.iter().any(|role| *role == "public");
    everyone(a) || everyone(b) || a.roles.iter().any(|role| b.roles.contains(role))
}
