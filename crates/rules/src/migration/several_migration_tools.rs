use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::MigrationHistory],
    when: "several migration tools have changed one database",
    then: "No tool knows the whole order, so the schema cannot be built anew from either.",
    instead: "Keep one tool and take the other's changes over as a baseline.",
    source: "history tables of two tools with applied migrations in one database",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(1);
    let mut tools: Vec<&str> = context
        .migration_history()
        .iter()
        .filter(|history| !history.applied.is_empty())
        .map(|history| history.tool.as_str())
        .collect();
    tools.sort_unstable();
    tools.dedup();
    if tools.len() > 1 {
        findings.add(
            Found::at(
                ObjectRef::database(&context.database()),
                format!("{} migration tools have changed this database: {}.", tools.len(), tools.join(", ")),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
