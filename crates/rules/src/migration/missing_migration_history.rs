use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lexicon::is_tool_table;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Catalog, Fact::MigrationHistory],
    when: "no migration tool has left a history in the database",
    then: "Nobody can say which changes it has had, or whether two copies of it are the same.",
    instead: "Let a tool make the changes, beginning with a baseline of what is there.",
    options: &[OptionSpec {
        name: "tables",
        default: OptionValue::Number(10.0),
        help: "tables below which nothing is said",
    }],
    source: "the history tables of more than twenty tools are known by name",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    findings.examined(1);
    let tables = context.own_tables().count();
    // A tool's table tells of a tool, even when a copy of the schema came without its rows.
    let has_tool = context.catalog().tables.iter().any(is_tool_table);
    if has_tool || !context.migration_history().is_empty() || (tables as f64) < context.number("tables") {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::database(&context.database()),
            format!("{tables} tables, and no migration tool has left a record of how they came to be."),
        )
        .confidence(Confidence::Medium)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
