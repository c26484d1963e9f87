use dbwright_model::engine::Dialect;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 5,
    needs: &[Fact::Roles],
    raised_by: &[Fact::Sessions],
    engines: Engines::servers("it has no roles"),
    when: "an application works as a superuser, or more roles than needed are superusers that may log in",
    then: "No grant and no policy binds them, and on PostgreSQL they can run programs on the server's machine.",
    instead: "Give the application a role with the rights it needs, and take the power from the others.",
    options: &[OptionSpec {
        name: "most",
        default: OptionValue::Number(3.0),
        help: "superusers that may log in, at most; pgwatch warns from 10",
    }],
    source: "pgwatch, pgdsat and MySQLTuner count superusers; the lowest of their thresholds is taken",
    check,
    ..Rule::DEFAULT
};

/// Programs that administrators use by hand, and those that make copies.
const TOOLS: &[&str] =
    &["dbeaver", "datagrip", "dbwright", "mysqldump", "pgadmin", "pg_basebackup", "pg_dump", "psql"];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let roles = context.roles();
    findings.examined(roles.iter().filter(|role| role.login).count() as u64);
    let superusers: Vec<_> = roles.iter().filter(|role| role.login && role.superuser).collect();
    if superusers.len() as f64 > context.number("most") {
        let server = match context.engine() {
            Engine::Mysql | Engine::Mariadb => "accounts with all privileges",
            _ => "superusers",
        };
        findings.add(
            Found::at(
                ObjectRef::server(),
                format!("{} {server} may log in, more than anyone can keep an eye on.", superusers.len()),
            )
            .evidence("who", join(superusers.iter().map(|role| &role.name)))
            .remedy(remedy(context)),
        );
    }
    let Some(sessions) = context.facts_if_known(Fact::Sessions).sessions.known() else { return };
    for role in superusers {
        let working = sessions.iter().filter(|session| {
            let program = session.application.to_ascii_lowercase();
            session.user.as_ref() == Some(&role.name)
                && session.remote == Some(true)
                && session.backend == *"client backend"
                && !program.is_empty()
                && !TOOLS.iter().any(|tool| program.contains(tool))
        });
        let applications: std::collections::BTreeSet<&str> =
            working.map(|session| session.application.as_str()).collect();
        if let Some(first) = applications.first() {
            findings.add(
                Found::at(
                    ObjectRef::role(&role.name),
                    format!("`{first}` works as the superuser `{}`, whom nothing binds.", role.name),
                )
                .evidence("applications", applications.iter().copied().collect::<Vec<_>>().join(", "))
                .remedy(remedy(context)),
            );
        }
    }
}

fn remedy(context: &Context<'_>) -> Remedy {
    Remedy::manual(format!(
        "Give the application a role with the rights it needs, and take {} from the others.",
        match context.engine().dialect() {
            Dialect::Postgres => "`SUPERUSER`",
            _ => "`ALL PRIVILEGES ON *.*` and `SUPER`",
        }
    ))
}
