use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Settings],
    wants: &[Fact::Roles],
    engines: Engines::only(Engine::Postgres, "it has no such limit, or MariaDB's is per session"),
    when: "a session may sit in an open transaction without end",
    then: "Its locks keep migrations waiting and vacuum from removing anything, until somebody ends it by hand.",
    instead: "Set `idle_in_transaction_session_timeout` to some minutes.",
    source: "PostgreSQL documentation, client connection defaults",
    check,
    ..Rule::DEFAULT
};

const NAME: &str = "idle_in_transaction_session_timeout";

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(limit) = context.settings().integer(NAME) else {
        findings.unknown(format!("the setting `{NAME}` could not be read"));
        return;
    };
    findings.examined(1);
    let total = context.settings().integer("transaction_timeout").unwrap_or(0);
    let by_role = context.facts_if_known(Fact::Roles).roles.known().is_some_and(|roles| {
        roles.iter().any(|role| role.settings.iter().any(|(key, value)| *key == *NAME && value != "0"))
    });
    if limit == 0 && total == 0 && !by_role {
        findings.add(
            Found::at(ObjectRef::setting(NAME), "Nothing ends a session that sits in an open transaction.")
                .remedy(Remedy::manual_sql(
                    RULE.instead,
                    vec![
                        ManualStatement::alone(format!("ALTER SYSTEM SET {NAME} = '10min'")),
                        "SELECT pg_reload_conf()".into(),
                    ],
                )),
        );
    }
}
