use dbwright_model::access::PasswordStorage;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Roles],
    engines: Engines::servers("it has no passwords"),
    when: "the password of a login is kept as MD5 or SHA-1",
    then: "A stolen hash can be guessed quickly, and with MD5 it can be used as it is.",
    instead: "Set the password again with the server's strong method.",
    source: "PostgreSQL documentation, password authentication; MySQL documentation, mysql_native_password (removed in 9.0)",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut unknown = 0;
    for role in context.roles().iter().filter(|role| role.login) {
        findings.examined(1);
        match role.password {
            PasswordStorage::Unknown => unknown += 1,
            PasswordStorage::Weak => {
                let kept = if context.engine() == Engine::Postgres { "MD5" } else { "SHA-1" };
                findings.add(
                    Found::at(
                        ObjectRef::role(&role.name),
                        format!("The password of `{}` is kept as {kept}.", role.name),
                    )
                    .remedy(Remedy::manual(match context.engine() {
                        Engine::Postgres => {
                            "Set `password_encryption` to `scram-sha-256`, then let the role set its password again."
                        }
                        Engine::Mariadb => {
                            "Load the plugin with `INSTALL SONAME 'auth_ed25519'`, then set the password again with `ALTER USER ... IDENTIFIED VIA ed25519 USING PASSWORD('...')`."
                        }
                        _ => {
                            "Set the password again with `ALTER USER ... IDENTIFIED WITH caching_sha2_password BY '...'`."
                        }
                    })),
                );
            }
            PasswordStorage::None | PasswordStorage::Strong | PasswordStorage::External => {}
        }
    }
    if unknown > 0 {
        findings.unknown(format!("how the passwords of {unknown} roles are kept could not be read"));
    }
}
