use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::{Context, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table has more than fifty columns",
    then: "Rows are wide, every update writes all of them anew, and columns of several things tend to share the table.",
    instead: "Move columns that are used together, or are mostly empty together, to tables of their own.",
    source: "mature public schemas average twelve columns a table; above fifty nearly all hold several things",
    options: &[OptionSpec {
        name: "columns",
        default: OptionValue::Number(50.0),
        help: "columns that a table may have",
    }],
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let most = context.number("columns");
    for table in context.own_tables() {
        findings.examined(1);
        let columns = table.columns.len();
        if columns as f64 <= most {
            continue;
        }
        let nullable = table.columns.iter().filter(|column| !column.not_null).count();
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("`{}` has {columns} columns, so each update writes a wide row anew.", table.name),
            )
            .confidence(Confidence::Medium)
            .evidence("columns", columns)
            .evidence("nullable columns", nullable)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
