use dbwright_model::capability::Capability;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quoting::quoted;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 3,
    needs: &[Fact::Roles],
    engines: Engines::only(Engine::Postgres, "its roles have no such attributes"),
    when: "a role that may log in, and is no superuser, may make roles or passes by row security",
    then: "It is more powerful than its grants tell.",
    instead: "Take the attribute away, or move it to a role that nobody logs in as.",
    source: "PostgreSQL documentation, role attributes; CREATEROLE reached every other role until PostgreSQL 16",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for role in context.roles().iter().filter(|role| role.login && !role.superuser) {
        findings.examined(1);
        if role.create_role {
            let limited = context.can(Capability::LimitedCreateRole);
            let (level, what) = if limited {
                (Level::Note, "make roles and give them away")
            } else {
                (Level::Warning, "make itself a member of every role that is no superuser")
            };
            findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!("`{}` can {what}: it has `CREATEROLE`.", role.name),
                )
                .level(level)
                .remedy(Remedy::manual_sql(
                    RULE.instead,
                    vec![format!("ALTER ROLE {} NOCREATEROLE", quoted(role.name.as_str()))],
                )),
            );
        }
        if role.bypass_row_security {
            findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!("No row security policy binds `{}`: it has `BYPASSRLS`.", role.name),
                )
                .remedy(Remedy::manual_sql(
                    RULE.instead,
                    vec![format!("ALTER ROLE {} NOBYPASSRLS", quoted(role.name.as_str()))],
                )),
            );
        }
    }
}
