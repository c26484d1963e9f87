use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{ManualStatement, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 8,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no autovacuum"),
    when: "autovacuum is turned off, or cannot work because nothing is counted",
    then: "Tables grow without end, the planner works with old statistics, and wraparound comes near.",
    instead: "Turn `autovacuum` and `track_counts` on, and tune single tables instead.",
    source: "PostgreSQL documentation, the autovacuum daemon",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for name in ["autovacuum", "track_counts"] {
        let Some(on) = context.settings().flag(name) else {
            findings.unknown(format!("the setting `{name}` could not be read"));
            continue;
        };
        findings.examined(1);
        if !on {
            findings.add(
                Found::at(
                    ObjectRef::setting(name),
                    format!("`{name}` is off, so dead rows are not removed and statistics are not kept."),
                )
                .cause("autovacuum")
                .remedy(Remedy::manual_sql(
                    RULE.instead,
                    vec![
                        ManualStatement::alone(format!("ALTER SYSTEM SET {name} = on")),
                        "SELECT pg_reload_conf()".into(),
                    ],
                )),
            );
        }
    }
}
