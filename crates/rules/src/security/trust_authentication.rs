use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::hba::{self, Listening, Reach};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 10,
    needs: &[Fact::Hba],
    wants: &[Fact::Settings],
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
    let listening = hba::listening(context.facts_if_known(Fact::Settings).settings.known());
    findings.examined(rules.len() as u64);
    for rule in hba::reachable(rules).filter(|rule| rule.method == *"trust") {
        let users = match rule.users.iter().any(|user| *user == "all") {
            true => "any role".to_owned(),
            false => format!("any of the roles `{}`", join(&rule.users)),
        };
        let databases = join(&rule.databases);
        let remote = hba::reach(rule) > Reach::Machine;
        let open = remote && listening == Listening::Network;
        let message = match (hba::address(rule), listening) {
            (Some(address), Listening::Sockets) => format!(
                "Clients from `{address}` will become {users} without a password once the server listens on TCP."
            ),
            (Some(address), _) if open => {
                format!("Clients from `{address}` become {users} without a password.")
            }
            _ => format!("Every process on the server's machine becomes {users} without a password."),
        };
        let latent = rule.address.is_some() && listening == Listening::Sockets;
        let found = Found::at(ObjectRef::hba_line(rule.line), message)
            .evidence("databases", databases)
            .evidence_if("file", rule.file.as_ref())
            .evidence_if(
                "listen_addresses",
                (remote && !open).then_some(match listening {
                    Listening::Sockets => "none",
                    _ => "this machine only",
                }),
            )
            .remedy(Remedy::manual(RULE.instead));
        findings.add(match (open, latent) {
            (true, _) => found.critical(),
            (false, true) => found.level(Level::Note),
            (false, false) => found.level(Level::Warning),
        });
    }
}
