use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lexicon::secrets;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Security,
    weight: 4,
    needs: &[Fact::Settings],
    engines: Engines::servers("it has no settings that hold text"),
    when: "the value of a server setting holds a secret",
    then: "Everyone who may read the settings or the configuration file reads it, and backups keep it.",
    instead: "Move it to a password file or a service file that only the server can read.",
    source: "PostgreSQL documentation, the password file; forms of tokens as their makers publish them",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (name, setting) in &context.settings().values {
        findings.examined(1);
        // The value of this one is a connection string by itself.
        let text = if name == "primary_conninfo" {
            format!("host= {}", setting.value)
        } else {
            setting.value.clone()
        };
        if let Some(kind) = secrets::find(&text) {
            findings.add(
                Found::at(
                    ObjectRef::setting(name),
                    format!("The setting `{name}` holds what looks like {kind}."),
                )
                .confidence(Confidence::Medium)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
