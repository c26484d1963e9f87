use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Security,
    weight: 1,
    needs: &[Fact::Extensions],
    engines: Engines::only(Engine::Postgres, "it has no extensions that live in a schema"),
    when: "an extension puts its objects into schema `public`",
    then: "Its functions and types stand among the application's, and an exposed `public` exposes them.",
    instead: "Install extensions into a schema of their own that is on the search path.",
    source: "splinter lint 0014",
    convention: Some("extensions live in `public`"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for extension in context.extensions().iter().filter(|extension| extension.name != *"plpgsql") {
        findings.examined(1);
        if extension.schema == *"public" {
            findings.add(
                Found::at(
                    ObjectRef::extension(&extension.name),
                    format!("Extension `{}` keeps its objects in `public`.", extension.name),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
