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
    weight: 4,
    needs: &[Fact::Hba],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "a line of pg_hba.conf accepts replication connections from every address",
    then: "One password is all that stands between anyone and a copy of every database of the server.",
    instead: "Name the addresses of the standbys and of the backup machine.",
    source: "PostgreSQL documentation, streaming replication: authentication",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules = &context.hba().rules;
    let listening = hba::listening(context.facts_if_known(Fact::Settings).settings.known());
    for rule in hba::reachable(rules) {
        if !rule.databases.iter().any(|name| *name == "replication") {
            continue;
        }
        findings.examined(1);
        if listening != Listening::Network || rule.method == *"reject" || hba::reach(rule) < Reach::Anywhere {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::hba_line(rule.line),
                "Replication connections, which copy every database, are accepted from every address.",
            )
            .evidence("method", &rule.method)
            .evidence_if("file", rule.file.as_ref())
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
