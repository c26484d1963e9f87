use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, Location, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, Rule, lint};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    when: "a migration file holds no statement",
    then: "The tool records it as applied, and what is written into it later is never run.",
    instead: "Delete the file, or write its statements before anybody runs it.",
    remedy: Applicability::Manual,
    source: "common practice of migration tools",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for file in lint::files(context) {
        findings.examined(1);
        if !file.statements.is_empty() {
            continue;
        }
        let name = &file.file.name;
        let location = Location { file: name.clone(), line: 1, column: 1 };
        findings.add(
            Found::at(
                ObjectRef::file(name),
                format!("`{name}` holds no statement, and is recorded as applied."),
            )
            .from_text()
            .located(location)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
