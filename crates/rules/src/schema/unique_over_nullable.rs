use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Index, Table};
use dbwright_model::expression::Expr;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::lexicon::columns::is_deletion;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 4,
    when: "a unique index over several columns has one that may be null",
    then: "Null is never equal to null, so rows that are alike in all the other columns are accepted twice.",
    instead: "Set `NOT NULL`, let nulls be equal, or make the index partial.",
    source: "SQL standard: unique constraints ignore rows with null; two public linters",
    convention: Some("unique indexes over several columns admit duplicates through null"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for index in table.indexes.iter().filter(|index| index.unique && index.parts.len() > 1 && index.valid)
        {
            findings.examined(1);
            let nullable = nullable_parts(table, index);
            if index.nulls_not_distinct || nullable.is_empty() {
                continue;
            }
            let columns: Vec<&Name> = index.parts.iter().filter_map(|part| part.as_column()).collect();
            let listed = join(columns.iter().copied());
            let deletion = nullable.iter().find(|name| is_deletion(name.as_str()));
            let (level, message) = match deletion {
                Some(name) => (
                    Level::Warning,
                    format!(
                        "The unique index over `{}` ({listed}) holds for no row in use: `{name}` is null in all of them.",
                        table.name
                    ),
                ),
                None => (
                    Level::Note,
                    format!(
                        "The unique index over `{}` ({listed}) admits duplicates where {} is null.",
                        table.name,
                        either(&nullable)
                    ),
                ),
            };
            findings.add(
                Found::at(ObjectRef::columns(&table.name, columns), message)
                    .level(level)
                    .evidence("index", &index.name)
                    .remedy(Remedy::manual(remedy(context, deletion.is_some()))),
            );
        }
    }
}

fn either(names: &[&Name]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// The columns of the index that may be null in a row that it holds.
fn nullable_parts<'a>(table: &Table, index: &'a Index) -> Vec<&'a Name> {
    let excluded = |name: &Name| {
        let Some(tree) = index.predicate.as_ref().and_then(|predicate| predicate.tree.as_deref()) else {
            // A condition that could not be read may exclude the nulls.
            return index.predicate.is_some();
        };
        tree.conjuncts().into_iter().any(|term| match term {
            // `IS NULL` on the column itself means that null is the point of the index.
            Expr::IsNull { operand, .. } => {
                matches!(operand.without_casts(), Expr::Column { name: own, .. } if own == name)
            }
            Expr::Binary { op, left, right } if op == "=" => [left, right]
                .into_iter()
                .any(|side| matches!(side.without_casts(), Expr::Column { name: own, .. } if own == name)),
            _ => false,
        })
    };
    index
        .parts
        .iter()
        .filter_map(|part| part.as_column())
        .filter(|name| table.column(name.as_str()).is_some_and(|column| !column.not_null))
        .filter(|name| !crate::columns::in_primary_key(table, name) && !excluded(name))
        .collect()
}

fn remedy(context: &Context<'_>, deletion: bool) -> &'static str {
    match (deletion, context.can(Capability::NullsNotDistinct)) {
        (true, true) => "Make the index unique over the other columns where the row is not deleted.",
        (true, false) => {
            "Make the index unique over the other columns where the row is not deleted, by a condition or a generated column."
        }
        (false, true) => "Set `NOT NULL`, or say `NULLS NOT DISTINCT`.",
        (false, false) => RULE.instead,
    }
}
