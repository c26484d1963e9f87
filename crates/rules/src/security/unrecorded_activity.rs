use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;
use dbwright_model::settings::Settings;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 1,
    needs: &[Fact::Settings],
    engines: Engines::only(
        Engine::Postgres,
        "its audit logs are plugins that every maker configures by other names",
    ),
    when: "neither logins nor changes of tables and roles are written to the server's log",
    then: "After an incident nobody can tell who came in, from where, and who changed what.",
    instead: "Log connections, and changes of tables and roles.",
    source: "PostgreSQL documentation, log_connections and log_statement; pgdsat checks both",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    match settings.get("log_connections") {
        None => findings.unknown("the setting `log_connections` could not be read"),
        Some(value) => {
            findings.examined(1);
            if is_off(value) {
                let message = "The server's log does not say who logs in, and from where.";
                findings.add(found("log_connections", message, "on"));
            }
        }
    }
    match changes_are_logged(settings) {
        None => findings.unknown("whether changes of tables and roles are logged could not be read"),
        Some(logged) => {
            findings.examined(1);
            if !logged {
                let message = "The server's log does not say who changes tables and roles.";
                findings.add(found("log_statement", message, "'ddl'"));
            }
        }
    }
}

fn found(name: &str, message: &str, value: &str) -> Found {
    Found::at(ObjectRef::setting(name), message).remedy(Remedy::manual_sql(
        RULE.instead,
        vec![
            ManualStatement::alone(format!("ALTER SYSTEM SET {name} = {value}")),
            "SELECT pg_reload_conf()".into(),
        ],
    ))
}

/// From PostgreSQL 18 the setting is a list of what is logged of a connection, empty for nothing.
fn is_off(value: &str) -> bool {
    matches!(value.trim().to_ascii_lowercase().as_str(), "" | "off" | "false" | "no" | "0")
}

/// Whether `log_statement` or pgaudit writes down what changes tables and roles. `None` when that could not be read.
fn changes_are_logged(settings: &Settings) -> Option<bool> {
    if !is_off(settings.get("log_statement")?) && settings.get("log_statement") != Some("none") {
        return Some(true);
    }
    // Its settings are there where it is loaded.
    match settings.get("pgaudit.log") {
        Some(classes) => {
            let mut classes = classes.split(',').map(|class| class.trim().to_ascii_lowercase());
            Some(classes.any(|class| matches!(class.as_str(), "all" | "ddl" | "role")))
        }
        None => match settings.get("shared_preload_libraries") {
            Some(libraries) => (!libraries.contains("pgaudit")).then_some(false),
            None => None,
        },
    }
}
