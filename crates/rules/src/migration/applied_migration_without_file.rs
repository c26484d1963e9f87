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
    when: "the database has had a migration that no file holds",
    then: "A new database that is built from the files differs from this one, and most tools refuse to go on.",
    instead: "Bring the file back from the branch it was applied from, or take what it did over as a baseline.",
    remedy: Applicability::Manual,
    source: "documentation of Flyway, sqlx and refinery: each stops at an applied migration whose file is missing",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(standing) = lint::standing(context, findings) else { return };
    findings.examined(context.migrations().files.len().max(1) as u64);
    let without = &standing.without_file;
    if without.is_empty() {
        return;
    }
    let message = format!(
        "{} records {} that no file holds: {}.",
        standing.tool,
        if without.len() == 1 { "a migration".to_owned() } else { format!("{} migrations", without.len()) },
        quantity::named(without.iter().rev()),
    );
    findings.add(Found::at(ObjectRef::table(&standing.table), message).remedy(Remedy::manual(RULE.instead)));
}
