use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::columns::default_string;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    when: "the default of a column is the word NULL as text",
    then: "The four letters are stored: `IS NULL` does not find these rows, and people see the word.",
    instead: "Drop the default; without one the value is null.",
    remedy: Applicability::Review,
    source: "two public schema checkers report it; it is always a slip",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in table.columns.iter().filter(|column| column.default.is_some()) {
            findings.examined(1);
            if !default_string(column).is_some_and(|text| text.eq_ignore_ascii_case("null")) {
                continue;
            }
            // SQLite changes a default only by making the table anew.
            let remedy = match context.engine() {
                // Without a default nothing stands in for a value that an insert leaves out.
                _ if column.not_null => Remedy::manual(
                    "Let the column be null and drop the default, or give it a default that means something: without either, inserts that leave the column out fail.",
                ),
                Engine::Sqlite => Remedy::manual(RULE.instead),
                _ => Remedy::review(
                    RULE.instead,
                    vec![Change::SetDefault {
                        alter: Default::default(),
                        table: table.name.clone(),
                        column: column.name.clone(),
                        default: None,
                    }],
                ),
            };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "The default of `{}.{}` is the text `NULL` and not null.",
                        table.name, column.name
                    ),
                )
                .remedy(remedy),
            );
        }
    }
}
