use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 1,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no such setting"),
    when: "checkpoints, lock waits or temporary files are not logged",
    then: "The usual causes of sudden slowness leave no trace.",
    instead: "Turn on `log_checkpoints` and `log_lock_waits`; both write little.",
    source: "PostgreSQL documentation: log_checkpoints is on by default since version 15",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in ["log_checkpoints", "log_lock_waits"] {
        let Some(on) = context.settings().flag(name) else {
            findings.unknown(format!("the setting `{name}` could not be read"));
            continue;
        };
        findings.examined(1);
        if !on {
            findings.add(Found::at(ObjectRef::setting(name), format!("`{name}` is off.")).remedy(
                Remedy::manual_sql(
                    RULE.instead,
                    vec![
                        ManualStatement::alone(format!("ALTER SYSTEM SET {name} = on")),
                        "SELECT pg_reload_conf()".into(),
                    ],
                ),
            ));
        }
    }
}
