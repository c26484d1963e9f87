//! The query that counts rows without a parent, for rules over foreign keys that migrations add.

use dbwright_model::catalog::ForeignKey;
use dbwright_model::name::{Name, QualifiedName};

use crate::Context;
use crate::lint::{self, Judged};

/// The query, where the columns that the key refers to are known.
pub fn query(
    context: &Context<'_>,
    judged: &Judged<'_>,
    table: &QualifiedName,
    key: &ForeignKey,
) -> Option<String> {
    let parent = &key.references;
    let referenced = match key.referenced_columns.as_slice() {
        [] => judged.statement.table(parent)?.primary_key.as_ref()?.columns.as_slice(),
        columns => columns,
    };
    let spell = |name: &Name| lint::spelled(context, name.as_str());
    let filled: Vec<String> =
        key.columns.iter().map(|name| format!("child.{} IS NOT NULL", spell(name))).collect();
    let equal: Vec<String> = key
        .columns
        .iter()
        .zip(referenced)
        .map(|(own, other)| format!("parent.{} = child.{}", spell(other), spell(own)))
        .collect();
    Some(format!(
        "SELECT count(*) FROM {} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
        lint::spelled_table(context, table),
        filled.join(" AND "),
        lint::spelled_table(context, parent),
        equal.join(" AND ")
    ))
}
