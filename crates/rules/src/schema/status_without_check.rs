use dbwright_model::capability::Capability;
use dbwright_model::catalog::Table;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::columns::{in_foreign_key, in_primary_key, is_checked};
use crate::lexicon::columns::is_status;
use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    wants: &[Fact::ColumnStatistics],
    when: "a text column named like a choice from a short list takes any text",
    then: "A misspelt value is stored, and the rows that have it are found by no query.",
    instead: "Add a check of the allowed values, or refer to a table of them.",
    in_prisma: Some("make the values an `enum`"),
    source: "base rates of seven public schemas: between 0 and 32 of them per schema",
    convention: Some("columns of choices take any text"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// More distinct values than this are no short list.
const LONGEST_LIST: f64 = 50.0;

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            if !column.data_type.kind.is_text() || column.data_type.array || !is_status(column.name.as_str())
            {
                continue;
            }
            let statistics = context.column_statistics_of(&table.name, &column.name);
            // The server keeps the number of values, or its share of the rows as a negative number.
            let long = statistics
                .is_some_and(|statistics| statistics.distinct > LONGEST_LIST || statistics.distinct < -0.1);
            if long || is_of_address(table, &column.name) || is_of_pair(table, &column.name) {
                continue;
            }
            findings.examined(1);
            let free = !in_foreign_key(table, &column.name)
                && !in_primary_key(table, &column.name)
                && column.generated.is_none()
                && !is_checked(table, &column.name);
            if !free {
                continue;
            }
            let remedy = match context.can(Capability::EnforcedChecks) {
                true => RULE.instead,
                false => "Refer to a table of the allowed values.",
            };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` takes any text, so a misspelt value is stored.",
                        table.name, column.name
                    ),
                )
                .confidence(Confidence::Low)
                .evidence_if("values seen", statistics.map(|s| s.distinct).filter(|n| *n > 0.0))
                .remedy(Remedy::manual(remedy)),
            );
        }
    }
}

/// Whether the column is the state of a country in an address.
fn is_of_address(table: &Table, column: &Name) -> bool {
    let address = |word: &String| {
        matches!(
            word.as_str(),
            "city" | "zip" | "zipcode" | "country" | "postcode" | "postal" | "street" | "county"
        )
    };
    words(column.as_str()).last().is_some_and(|word| word == "state")
        && table.columns.iter().any(|column| words(column.name.as_str()).iter().any(address))
}

/// Whether the column names the table that a column beside it points into: `owner_type` with `owner_id`.
fn is_of_pair(table: &Table, column: &Name) -> bool {
    let words = words(column.as_str());
    let [stem @ .., last] = words.as_slice() else { return false };
    if last != "type" {
        return false;
    }
    // A single-table hierarchy keeps its class in a bare `type`.
    stem.is_empty()
        || table.columns.iter().any(|other| {
            let other = crate::lexicon::words(other.name.as_str());
            other.len() == words.len()
                && other.starts_with(stem)
                && other.last().is_some_and(|word| word == "id")
        })
}
