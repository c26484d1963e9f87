use dbwright_model::catalog::{Index, Table};
use dbwright_model::engine::Dialect;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, join};
use dbwright_model::remedy::Remedy;

use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "rows are marked as deleted, but a unique key still counts them",
    then: "A name that was deleted stays taken: nobody can sign up or create it again.",
    instead: "Make the key unique among living rows only: a partial unique index, or a generated column in the key.",
    source: "soft deletion with plain unique keys; a known cause of refused re-registrations",
    convention: Some("unique keys of tables with soft deletion count deleted rows"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Columns that mark a row as deleted, sorted.
const MARKS: &[&str] = &[
    "deleted",
    "deleted at",
    "deleted on",
    "deleted time",
    "deletion date",
    "discarded at",
    "is deleted",
    "is removed",
    "removed at",
    "soft deleted",
    "trashed at",
];

/// Last words of columns whose values are never given twice, sorted.
const NEVER_AGAIN: &[&str] = &[
    "checksum",
    "fingerprint",
    "guid",
    "hash",
    "id",
    "nonce",
    "number",
    "ref",
    "reference",
    "sha",
    "token",
    "uid",
    "uuid",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let Some(mark) = table.columns.iter().map(|column| &column.name).find(|name| is_mark(name)) else {
            continue;
        };
        for index in table.indexes.iter().filter(|index| index.unique && index.backs != Some(PRIMARY)) {
            let Some(columns) = index.columns().filter(|columns| can_come_back(table, columns)) else {
                continue;
            };
            findings.examined(1);
            if guards_living_only(table, index, mark) {
                continue;
            }
            let instead = match context.engine().dialect() {
                Dialect::Mysql => {
                    "Add a generated column that is null for deleted rows, and make it part of the key."
                }
                Dialect::Postgres | Dialect::Sqlite => {
                    "Replace the key by a unique index with a condition on living rows."
                }
            };
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, columns.iter().copied()),
                    format!(
                        "Deleted rows of `{}` keep their {} taken, because the unique key does not look at `{mark}`.",
                        table.name,
                        join(columns)
                    ),
                )
                .confidence(Confidence::Medium)
                .remedy(Remedy::manual(instead)),
            );
        }
    }
}

const PRIMARY: dbwright_model::catalog::ConstraintKind = dbwright_model::catalog::ConstraintKind::PrimaryKey;

fn is_mark(name: &Name) -> bool {
    MARKS.binary_search(&words(name.as_str()).join(" ").as_str()).is_ok()
}

/// Whether people choose the values: texts that are neither tokens nor numbers of another register.
fn can_come_back(table: &Table, columns: &[&Name]) -> bool {
    columns.iter().any(|name| {
        let words = words(name.as_str());
        let again = words.last().is_some_and(|last| NEVER_AGAIN.binary_search(&last.as_str()).is_err());
        let text = table.column(name.as_str()).is_some_and(|column| column.data_type.kind.is_text());
        again && text && !reference::has_foreign_key(table, name)
    })
}

/// Whether deleted rows are left out: by the index's condition, or by a part of the key that tells them apart.
fn guards_living_only(table: &Table, index: &Index, mark: &Name) -> bool {
    let speaks_of_mark = |name: &&Name| *name == mark;
    let by_part = index.parts.iter().filter_map(|part| part.as_column()).any(|name| {
        name == mark || table.column(name.as_str()).is_some_and(|column| column.generated.is_some())
    });
    // A condition that could not be read may be the right one.
    let by_condition = index.predicate.as_ref().is_some_and(|predicate| {
        predicate.tree.as_ref().is_none_or(|tree| tree.columns().iter().any(speaks_of_mark))
    });
    by_part || by_condition
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(super::MARKS.is_sorted());
        assert!(super::NEVER_AGAIN.is_sorted());
    }
}
