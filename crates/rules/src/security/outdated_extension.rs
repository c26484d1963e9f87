use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 2,
    needs: &[Fact::Extensions],
    engines: Engines::only(Engine::Postgres, "its plugins carry no version in the database"),
    when: "an extension's objects are of an older version than the server has",
    then: "Its library is new and its functions are old: repairs, also of security, are not in force.",
    instead: "Update the extension.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, ALTER EXTENSION UPDATE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for extension in context.extensions() {
        let (Some(version), Some(available)) = (&extension.version, &extension.available) else { continue };
        findings.examined(1);
        if version != available {
            findings.add(
                Found::at(
                    ObjectRef::extension(&extension.name),
                    format!(
                        "Extension `{}` is at {version}, and the server has {available}.",
                        extension.name
                    ),
                )
                .remedy(Remedy::review(
                    RULE.instead,
                    vec![Change::UpdateExtension { to: None, name: extension.name.clone() }],
                )),
            );
        }
    }
}
