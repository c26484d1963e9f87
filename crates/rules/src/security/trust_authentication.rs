use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::hba::{self, Reach};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 10,
    needs: &[Fact::Hba],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "a reachable line of pg_hba.conf lets clients in without any proof",
    then: "Who can reach the port becomes any role, superusers included, by naming it.",
    instead: "Ask for `scram-sha-256`, or for `peer` on sockets, and reload.",
    source: "PostgreSQL documentation, trust authentication; the first line that fits decides",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules = &context.hba().rules;
    findings.examined(rules.len() as u64);
    for rule in hba::reachable(rules).filter(|rule| rule.method == *"trust") {
        let users = match rule.users.iter().any(|user| *user == "all") {
            true => "any role".to_owned(),
            false => format!("any of the roles `{}`", join(&rule.users)),
        };
        let databases = join(&rule.databases);
        let remote = hba::reach(rule) > Reach::Machine;
        let message = match &rule.address {
            Some(address) if remote => {
                format!("Clients from `{address}` become {users} without a password.")
            }
            _ => format!("Every process on the server's machine becomes {users} without a password."),
        };
        let found = Found::at(ObjectRef::hba_line(rule.line), message)
            .evidence("databases", databases)
            .evidence_if("file", rule.file.as_ref())
            .remedy(Remedy::manual(RULE.instead));
        findings.add(if remote { found.critical() } else { found.level(Level::Warning) });
    }
}
