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
    weight: 6,
    needs: &[Fact::Roles],
    engines: Engines::mysql_family("every role has a name"),
    when: "there is an account without a user name",
    then: "Any user name is let in by it, and it takes logins away from named accounts with a wider host.",
    instead: "Drop the account.",
    source: "MySQL documentation, access control stage 1: rows are sorted by host, then by user",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for role in context.roles().iter().filter(|role| role.login) {
        findings.examined(1);
        let Some(host) = role.name.as_str().strip_prefix('@') else { continue };
        let proof = if role.password == PasswordStorage::None { ", without a password" } else { "" };
        findings.add(
            Found::at(
                ObjectRef::role(&role.name),
                format!("An account without a name lets any user in from `{host}`{proof}."),
            )
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![format!("DROP USER ''@'{}'", host.replace('\'', "''"))],
            )),
        );
    }
}
