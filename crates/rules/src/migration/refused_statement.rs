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
    when: "the server refuses a statement in the state that it finds",
    then: "The migration fails, although it may pass on a database that lacks the object in the way.",
    instead: "Change or drop what is in the way first, and bring it back afterwards.",
    remedy: Applicability::Manual,
    source: "refusals measured on PostgreSQL 13 to 18, MariaDB 10.11 and SQLite 3.54",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        findings.examined(1);
        let Some(because) = &judged.statement.effects.refused else { continue };
        // What was tried and failed is told with the server's own words.
        if judged.statement.failed.is_some() {
            continue;
        }
        let words: Vec<&str> = judged.statement.sql.split_whitespace().take(4).collect();
        let object = match judged.statement.effects.relations.first() {
            Some(effect) => ObjectRef::table(&effect.relation),
            None => ObjectRef::file(&judged.statement.location.file),
        };
        let message = format!("`{} ...` fails: {because}.", words.join(" "));
        findings.add(judged.found(object, message).remedy(Remedy::manual(RULE.instead)));
    }
}
