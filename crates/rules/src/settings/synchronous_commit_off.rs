use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Backup,
    weight: 2,
    needs: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "see `settings/non-durable-commits`"),
    when: "commits return before they have reached the disk",
    then: "A crash loses the last moments of work that clients were told is safe.",
    instead: "Leave it on for the server, and turn it off for the transactions that can be repeated.",
    source: "PostgreSQL documentation, asynchronous commit",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(value) = context.settings().get("synchronous_commit") else {
        findings.unknown("the setting `synchronous_commit` could not be read");
        return;
    };
    findings.examined(1);
    if context.settings().flag("synchronous_commit") == Some(false) {
        findings.add(
            Found::at(
                ObjectRef::setting("synchronous_commit"),
                "Commits do not wait for the disk: a crash loses the last ones.",
            )
            .evidence("synchronous_commit", value)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
