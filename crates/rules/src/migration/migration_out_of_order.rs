use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, Location, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    when: "a migration that was not applied stands before one that was",
    then: "Tools refuse it, skip it for ever, or run it after a later one, so that copies of the database differ.",
    instead: "Give the file a version after the last one that was applied.",
    remedy: Applicability::Manual,
    source: "documentation of Flyway (`outOfOrder`), goose (`-allow-missing`) and golang-migrate, which skips such files",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let chain = context.migrations();
    if lint::standing(context, findings).is_none() {
        return;
    }
    findings.examined(chain.files.len() as u64);
    let Some(last) = chain.files.iter().rposition(|file| file.applied == Some(true)) else { return };
    let after = &chain.files[last].name;
    // Files that are run again whenever they change have no place in the order.
    let ordered = |name: &str| !name.rsplit(['/', '\\']).next().unwrap_or(name).starts_with("R__");
    for file in &chain.files[..last] {
        if file.applied == Some(false) && ordered(&file.name) && ordered(after) {
            let message = format!("`{}` was not applied, but `{after}` was.", file.name);
            let location = Location { file: file.name.clone(), line: 1, column: 1 };
            findings.add(
                Found::at(ObjectRef::file(&file.name), message)
                    .located(location)
                    .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
