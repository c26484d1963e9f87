use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::hba::{self, Listening, Reach};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Hba],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "a line of pg_hba.conf lets clients from public networks in without encryption",
    then: "Queries, rows and cookies of the handshake can be read and changed on the way.",
    instead: "Write `hostssl` instead of `host`, and a `hostnossl ... reject` line before it.",
    source: "PostgreSQL documentation, pg_hba.conf: host fits with and without TLS",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules = &context.hba().rules;
    findings.examined(rules.len() as u64);
    if hba::listening(context.facts_if_known(Fact::Settings).settings.known()) != Listening::Network {
        return;
    }
    // A wide `hostnossl ... reject` before a `host` line leaves only encrypted clients to it.
    let mut plain_rejected = false;
    for rule in hba::reachable(rules) {
        let wide = hba::reach(rule) == Reach::Anywhere
            && rule.databases.iter().any(|name| *name == "all")
            && rule.users.iter().any(|name| *name == "all");
        if rule.method == *"reject" {
            plain_rejected |= wide && hba::allows_plain(rule);
            continue;
        }
        if plain_rejected || !hba::allows_plain(rule) || hba::reach(rule) < Reach::Public {
            continue;
        }
        let address = hba::address(rule).unwrap_or_else(|| "anywhere".to_owned());
        findings.add(
            Found::at(
                ObjectRef::hba_line(rule.line),
                format!("Clients from `{address}` may connect without encryption."),
            )
            .evidence("connection", &rule.connection)
            .evidence("method", &rule.method)
            .evidence_if("file", rule.file.as_ref())
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
