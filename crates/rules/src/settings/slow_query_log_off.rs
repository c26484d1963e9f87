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
    weight: 3,
    needs: &[Fact::Settings],
    engines: Engines::servers("it keeps no log"),
    when: "slow statements leave no trace in the log",
    then: "When users complain nobody can say which statement it was.",
    instead: "Log statements that take longer than a second.",
    source: "MySQLTuner, pgdsat; PostgreSQL documentation, log_min_duration_statement",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.settings();
    let (name, off) = match context.engine() {
        Engine::Postgres => {
            let any =
                ["log_min_duration_statement", "log_min_duration_sample", "auto_explain.log_min_duration"];
            let logs = any.iter().filter_map(|name| settings.integer(name)).any(|value| value >= 0);
            ("log_min_duration_statement", settings.get(any[0]).map(|_| !logs))
        }
        _ => ("slow_query_log", settings.flag("slow_query_log").map(|on| !on)),
    };
    let Some(off) = off else {
        findings.unknown(format!("the setting `{name}` could not be read"));
        return;
    };
    findings.examined(1);
    if off {
        findings.add(
            Found::at(ObjectRef::setting(name), "Slow statements leave no trace in the log.").remedy(
                match context.engine() {
                    Engine::Postgres => Remedy::manual_sql(
                        RULE.instead,
                        vec![
                            ManualStatement::alone(format!("ALTER SYSTEM SET {name} = '1s'")),
                            "SELECT pg_reload_conf()".into(),
                        ],
                    ),
                    _ => Remedy::manual_sql(
                        "Log statements that take longer than a second, and write both settings into the configuration file (`my.cnf`), too: what `SET GLOBAL` says is gone at the next restart.",
                        vec![
                            "SET GLOBAL long_query_time = 1".to_owned(),
                            "SET GLOBAL slow_query_log = 'ON'".to_owned(),
                        ],
                    ),
                },
            ),
        );
    }
}
