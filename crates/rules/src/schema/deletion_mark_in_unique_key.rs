use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::columns::{is_unique_over, nullable_parts};
use crate::lexicon::columns::is_deletion;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 5,
    when: "a unique index has a column that is null until the row is deleted",
    then: "Null is never equal to null, so the index forbids nothing among the rows in use, only among deleted ones.",
    instead: "Make the index unique over the other columns, for the rows that are not deleted.",
    source: "SQL standard: unique constraints ignore rows with null",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for index in table.indexes.iter().filter(|index| index.unique && index.parts.len() > 1 && index.valid)
        {
            findings.examined(1);
            let nullable = nullable_parts(table, index);
            let Some(mark) = nullable.into_iter().find(|name| is_deletion(name.as_str())) else { continue };
            if index.nulls_not_distinct {
                continue;
            }
            let columns: Vec<&Name> = index.parts.iter().filter_map(|part| part.as_column()).collect();
            // Another index may hold the rule for the rows in use.
            let others: Vec<Name> =
                columns.iter().filter(|name| **name != mark).map(|name| (*name).clone()).collect();
            let held = table.indexes.iter().any(|other| {
                is_unique_over(other, &others)
                    || (other.unique
                        && other.predicate.is_some()
                        && other.columns() == Some(others.iter().collect()))
            });
            if held {
                continue;
            }
            let message = format!(
                "The unique index over `{}` ({}) forbids nothing among rows in use: `{mark}` is null in all of them.",
                table.name,
                join(columns.iter().copied())
            );
            findings.add(
                Found::at(ObjectRef::columns(&table.name, columns), message)
                    .confidence(Confidence::Medium)
                    .evidence("index", &index.name)
                    .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
