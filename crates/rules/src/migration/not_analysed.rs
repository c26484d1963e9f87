use std::collections::BTreeSet;

use dbwright_model::chain::LeftOut;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, Location, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, JudgedFile};
use crate::{Context, Findings, Found, Rule};

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
    for JudgedFile { file, .. } in lint::files(context) {
        let Some(LeftOut { line, because }) = &file.left_out else { continue };
        let place = Location { file: file.name.clone(), line: *line, column: 1 };
        let message = format!("Nothing is said of a part of `{}`: {because}.", file.name);
        let found = Found::at(ObjectRef::statement(because), message).located(place).from_text();
        let instead = "Nothing is to be done where the part is meant for other databases.";
        findings.add(found.remedy(Remedy::manual(instead)));
    }
    let mut named = BTreeSet::new();
    for JudgedFile { file, .. } in lint::files(context) {
        let Some(looks) = file.looks_like.as_ref().filter(|_| named.insert(file.name.as_str())) else {
            continue;
        };
        let message = format!(
            "`{}` looks like {} ({}) and is read as {}, so that what is said of it may be wrong.",
            file.name,
            looks.engine,
            looks.mark,
            context.engine()
        );
        let place = Location { file: file.name.clone(), line: 1, column: 1 };
        let found = Found::at(ObjectRef::file(&file.name), message).located(place).from_text();
        let instead = "Name the files of one engine only, or say which one is meant with `--engine`.";
        findings.add(found.level(Level::Warning).remedy(Remedy::manual(instead)));
    }
    for judged in lint::statements(context) {
        findings.examined(1);
        // Of a file for another engine everything was said.
        if judged.chain.file_of(judged.statement).is_some_and(|file| file.looks_like.is_some()) {
            continue;
        }
        let Some(because) = &judged.statement.not_analysed else { continue };
        let words: Vec<&str> = judged.statement.sql.split_whitespace().take(WORDS).collect();
        let words: String = words.join(" ").chars().take(LONGEST).collect();
        let message = format!("Nothing is known of what `{words} ...` does: {because}.");
        let found = judged.found(ObjectRef::statement(&words), message);
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
}
