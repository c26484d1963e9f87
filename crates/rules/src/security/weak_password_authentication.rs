use dbwright_model::access::{HbaRule, PasswordStorage};
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
    wants: &[Fact::Roles, Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no pg_hba.conf"),
    when: "a line of pg_hba.conf takes passwords over the network in clear text or as MD5",
    then: "Who listens on the way learns the password, or a hash that is as good as it.",
    instead: "Set the passwords again under `password_encryption = 'scram-sha-256'` and ask for `scram-sha-256`.",
    source: "PostgreSQL documentation, password authentication; MD5 is deprecated since PostgreSQL 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let rules = &context.hba().rules;
    findings.examined(rules.len() as u64);
    if hba::listening(context.facts_if_known(Fact::Settings).settings.known()) != Listening::Network {
        return;
    }
    // The method `md5` speaks SCRAM with roles whose password is kept that way.
    let all_strong = context.facts_if_known(Fact::Roles).roles.known().is_some_and(|roles| {
        roles.iter().filter(|role| role.login).all(|role| {
            matches!(
                role.password,
                PasswordStorage::Strong | PasswordStorage::None | PasswordStorage::External
            )
        })
    });
    for rule in hba::reachable(rules).filter(|rule| hba::reach(rule) > Reach::Machine) {
        let (level, message) = match rule.method.as_str() {
            "password" if hba::allows_plain(rule) => (
                Level::Error,
                format!("Clients from {} send their passwords in clear text over the network.", place(rule)),
            ),
            "password" => (
                Level::Note,
                format!(
                    "Clients from {} hand their passwords to the server in clear text, inside TLS.",
                    place(rule)
                ),
            ),
            "md5" if !all_strong => (
                Level::Warning,
                format!("Clients from {} prove their passwords with MD5, which can be broken.", place(rule)),
            ),
            _ => continue,
        };
        findings.add(
            Found::at(ObjectRef::hba_line(rule.line), message)
                .level(level)
                .evidence("connection", &rule.connection)
                .evidence_if("file", rule.file.as_ref())
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn place(rule: &HbaRule) -> String {
    match hba::address(rule) {
        Some(address) => format!("`{address}`"),
        None => "this machine".to_owned(),
    }
}
