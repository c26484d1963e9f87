use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 1,
    needs: &[Fact::Migrations],
    when: "a statement of a migration is not understood, or runs a program",
    then: "Nothing is known of what the statement locks, and what comes after it is judged without knowing what it did.",
    instead: "Look at the statement yourself, or write what it does as plain statements.",
    source: "the statements that are read, and the programs that no reader looks into",
    check,
    ..Rule::DEFAULT
};

/// Words of a statement that are shown.
const WORDS: usize = 5;
/// The longest beginning of a statement that is shown, in characters.
const LONGEST: usize = 60;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for judged in lint::statements(context) {
        findings.examined(1);
        let Some(because) = &judged.statement.not_analysed else { continue };
        let words: Vec<&str> = judged.statement.sql.split_whitespace().take(WORDS).collect();
        let words: String = words.join(" ").chars().take(LONGEST).collect();
        let message = format!("Nothing is known of what `{words} ...` does: {because}.");
        let found = judged.found(ObjectRef::statement(&words), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
