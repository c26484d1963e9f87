use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::membership;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Roles],
    engines: Engines::only(Engine::Postgres, "it has no predefined roles"),
    when: "a login is a member, directly or through others, of a role that reaches the server's files or programs",
    then: "It can become superuser by way of the operating system, although it is none.",
    instead: "Revoke the membership, or keep it on a role that nobody logs in as.",
    source: "PostgreSQL documentation, predefined roles: they can be used to gain superuser-level access",
    check,
    ..Rule::DEFAULT
};

/// Roles that reach the operating system, and what they do there.
const DANGEROUS: &[(&str, &str)] = &[
    ("pg_execute_server_program", "run programs"),
    ("pg_read_server_files", "read every file"),
    ("pg_write_server_files", "write every file"),
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let roles = context.roles();
    for role in roles.iter().filter(|role| role.login && !role.superuser) {
        findings.examined(1);
        let reached = membership::closure(roles, &role.name);
        for (dangerous, power) in DANGEROUS {
            let Some((_, by)) = reached.iter().find(|(name, _)| ***name == **dangerous) else { continue };
            let way = if **by == role.name { String::new() } else { format!(" through `{by}`") };
            findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!(
                        "`{}` may {power} as the server does, as a member of `{dangerous}`{way}.",
                        role.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
