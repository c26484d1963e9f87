use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 6,
    needs: &[Fact::Roles],
    engines: Engines::mysql_family("where a role may come from stands in pg_hba.conf"),
    when: "an account with all privileges may log in from every host",
    then: "One guessed password is the whole server.",
    instead: "Narrow the account's host, and its privileges to the databases it works on.",
    source: "measured: MySQLTuner gives full marks to a server with all privileges for 'app'@'%'",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for role in context.roles().iter().filter(|role| role.login) {
        findings.examined(1);
        let Some((_, host)) = role.name.as_str().rsplit_once('@') else { continue };
        if role.superuser && matches!(host, "%" | "" | "0.0.0.0/0.0.0.0" | "::/0") {
            findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!("`{}` has all privileges and may log in from anywhere.", role.name),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
