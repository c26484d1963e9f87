use dbwright_model::access::PasswordStorage;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Security,
    weight: 8,
    needs: &[Fact::Roles],
    engines: Engines::mysql_family("a role without password cannot log in with one"),
    when: "an account has no password and no other proof is asked of it",
    then: "Anyone who reaches the port from the account's host is let in.",
    instead: "Set a password, or lock the account.",
    source: "MySQL documentation, securing the initial accounts",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut unknown = 0;
    for role in context.roles().iter().filter(|role| role.login) {
        findings.examined(1);
        match role.password {
            // That it has no name is said of it, and is worse.
            PasswordStorage::None if role.name.as_str().starts_with('@') => {}
            PasswordStorage::None => findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!("`{}` is let in without a password.", role.name),
                )
                .remedy(Remedy::manual(RULE.instead)),
            ),
            PasswordStorage::Unknown => unknown += 1,
            PasswordStorage::Weak | PasswordStorage::Strong | PasswordStorage::External => {}
        }
    }
    if unknown > 0 {
        findings.unknown(format!("whether {unknown} accounts have passwords could not be read"));
    }
}
