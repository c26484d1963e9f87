use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Index, Table};
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::columns::nullable_parts;
use crate::lexicon::columns::is_deletion;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "a unique index over several columns has one that may be null",
    then: "Null is never equal to null, so rows that are alike in all the other columns are accepted twice.",
    instead: "Set `NOT NULL`, let nulls be equal, or make the index partial.",
    source: "SQL standard: unique constraints ignore rows with null; two public linters",
    convention: Some("unique indexes over several columns admit duplicates through null"),
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
            // A mark of deletion in the key is worse, and the business of `deletion-mark-in-unique-key`.
            let marked = nullable.iter().any(|name| is_deletion(name.as_str()));
            if index.nulls_not_distinct || nullable.is_empty() || marked || is_of_arc(table, index, &nullable)
            {
                continue;
            }
            let columns: Vec<&Name> = index.parts.iter().filter_map(|part| part.as_column()).collect();
            let remedy = match context.can(Capability::NullsNotDistinct) {
                true => "Set `NOT NULL`, or say `NULLS NOT DISTINCT`.",
                false => RULE.instead,
            };
            let either: Vec<String> = nullable.iter().map(|name| format!("`{name}`")).collect();
            let message = format!(
                "The unique index over `{}` ({}) admits duplicates where {} is null.",
                table.name,
                join(columns.iter().copied()),
                either.join(" or ")
            );
            findings.add(
                Found::at(ObjectRef::columns(&table.name, columns), message)
                    .evidence("index", &index.name)
                    .remedy(Remedy::manual(remedy)),
            );
        }
    }
}

/// Whether the index is one of several over the same columns but one, each for rows of another owner:
/// `(user_id, slug)` beside `(team_id, slug)`. Which of the owners is null is then the point of it.
fn is_of_arc(table: &Table, index: &Index, nullable: &[&Name]) -> bool {
    let [owner] = nullable else { return false };
    let rest = |index: &Index, owner: &Name| -> Option<Vec<String>> {
        let columns = index.columns()?;
        columns.contains(&owner).then(|| {
            columns.iter().filter(|name| **name != owner).map(|name| name.as_str().to_owned()).collect()
        })
    };
    let Some(shared) = rest(index, owner) else { return false };
    table.indexes.iter().any(|other| {
        let others = nullable_parts(table, other);
        other.unique && other.name != index.name
            && matches!(others.as_slice(), [another] if *another != *owner && rest(other, another) == Some(shared.clone()))
    })
}
