use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, Rule, lint, quantity};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    when: "the file of a migration was edited after it was applied",
    then: "A new database that is built from the files may differ from this one, and the next run is refused.",
    instead: "Give the file its text back and put the edit into a new migration. `dbwright migrate verify` shows whether the database \
              differs.",
    remedy: Applicability::Manual,
    source: "documentation of Flyway, sqlx and refinery: each stops at an applied migration whose checksum has changed",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(standing) = lint::standing(context, findings) else { return };
    findings.examined(context.migrations().files.len().max(1) as u64);
    let edited = &standing.edited;
    if edited.is_empty() {
        return;
    }
    let message = format!(
        "The text of {} is not the one that {} has applied: {}.",
        if edited.len() == 1 { "a file".to_owned() } else { format!("{} files", edited.len()) },
        standing.tool,
        quantity::named(edited.iter()),
    );
    findings.add(Found::at(ObjectRef::table(&standing.table), message).remedy(Remedy::manual(RULE.instead)));
}
