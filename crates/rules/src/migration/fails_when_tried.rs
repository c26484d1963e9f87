use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    when: "a statement failed when it was tried on a scratch server",
    then: "The migration fails, and what comes after it is not run.",
    instead: "Change the statement, or what it finds, until the server takes it.",
    remedy: Applicability::Manual,
    source: "the server itself, asked with `--trace`",
    check,
    ..Rule::DEFAULT
};

/// Words of the statement that are shown.
const WORDS: usize = 4;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        findings.examined(1);
        let Some(because) = &judged.statement.failed else { continue };
        let words: Vec<&str> = judged.statement.sql.split_whitespace().take(WORDS).collect();
        let object = match judged.statement.effects.relations.first() {
            Some(effect) => ObjectRef::table(&effect.relation),
            None => ObjectRef::file(&judged.statement.location.file),
        };
        let message = format!("`{} ...` fails: {because}.", words.join(" "));
        let found = judged.found(object, message).traced();
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
