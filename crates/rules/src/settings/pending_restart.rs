use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it does not tell"),
    when: "a changed setting waits for a restart",
    then: "The next restart, which may be a crash, changes how the server behaves, and perhaps whether it starts.",
    instead: "Restart at a time of your choosing, or take the change back.",
    source: "PostgreSQL documentation, pg_settings.pending_restart; pgMonitor alerts on it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (name, setting) in &context.settings().values {
        findings.examined(1);
        if setting.pending_restart {
            findings.add(
                Found::at(
                    ObjectRef::setting(name),
                    format!("`{name}` was changed in the configuration and waits for a restart."),
                )
                .evidence("value in force", &setting.value)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
