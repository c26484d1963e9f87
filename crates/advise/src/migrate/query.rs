//! Questions that find the rows a change would fail on.

use dbwright_model::catalog::{Check, ForeignKey, Index, IndexKey, Table};
use dbwright_model::name::Name;
use dbwright_model::plan::CheckQuery;

use super::builder::{Builder, keyset};

/// Rows with a null in a column.
pub(super) fn nulls(builder: &Builder<'_>, table: &Table, column: &Name) -> CheckQuery {
    CheckQuery {
        sql: format!(
            "SELECT * FROM {} WHERE {} IS NULL",
            builder.quoted_name(&table.name),
            builder.quoted(column)
        ),
        rows_mean: format!("These rows have no value in `{column}`; give them one first."),
        keys: keyset(table),
    }
}

/// Rows that do not satisfy a check.
pub(super) fn violations(builder: &Builder<'_>, table: &Table, check: &Check) -> CheckQuery {
    CheckQuery {
        sql: format!(
            "SELECT * FROM {} WHERE NOT ({})",
            builder.quoted_name(&table.name),
            check.expression.text
        ),
        rows_mean: "These rows do not satisfy the check; mend them first.".to_owned(),
        keys: keyset(table),
    }
}

/// Rows without a parent; `None` when the columns referred to are not known.
pub(super) fn orphans(builder: &Builder<'_>, table: &Table, key: &ForeignKey) -> Option<CheckQuery> {
    if key.period || key.columns.is_empty() || key.columns.len() != key.referenced_columns.len() {
        return None;
    }
    let child = |name: &Name| format!("child.{}", builder.quoted(name));
    let said: Vec<String> = key.columns.iter().map(|name| format!("{} IS NOT NULL", child(name))).collect();
    let same: Vec<String> = key
        .columns
        .iter()
        .zip(&key.referenced_columns)
        .map(|(own, other)| format!("parent.{} = {}", builder.quoted(other), child(own)))
        .collect();
    Some(CheckQuery {
        sql: format!(
            "SELECT child.* FROM {} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
            builder.quoted_name(&table.name),
            said.join(" AND "),
            builder.quoted_name(&key.references),
            same.join(" AND ")
        ),
        rows_mean: format!(
            "These rows have no parent in `{}`; give them one or remove them first.",
            key.references
        ),
        keys: keyset(table),
    })
}

/// Values that stand in more than one row.
pub(super) fn duplicates(builder: &Builder<'_>, table: &Table, index: &Index) -> CheckQuery {
    let parts: Vec<String> = index
        .parts
        .iter()
        .map(|part| match &part.key {
            IndexKey::Column(name) => builder.quoted(name),
            IndexKey::Expression(expression) => format!("({})", expression.text),
        })
        .collect();
    let mut filters: Vec<String> = Vec::new();
    if let Some(predicate) = &index.predicate {
        filters.push(format!("({})", predicate.text));
    }
    if !index.nulls_not_distinct {
        filters.extend(parts.iter().map(|part| format!("{part} IS NOT NULL")));
    }
    let filter = if filters.is_empty() { String::new() } else { format!(" WHERE {}", filters.join(" AND ")) };
    let list = parts.join(", ");
    CheckQuery {
        sql: format!(
            "SELECT {list}, count(*) FROM {}{filter} GROUP BY {list} HAVING count(*) > 1",
            builder.quoted_name(&table.name)
        ),
        rows_mean: "These values stand in more than one row; remove the duplicates first.".to_owned(),
        keys: index.parts.iter().filter_map(|part| part.as_column().cloned()).collect(),
    }
}

/// An index that the server cannot use.
pub(super) fn invalid_index(builder: &Builder<'_>, table: &Table, index: &Name) -> CheckQuery {
    let name = builder.quoted_name(&table.name.sibling(index)).replace('\'', "''");
    CheckQuery {
        sql: format!(
            "SELECT indexrelid::regclass FROM pg_index WHERE indexrelid = to_regclass('{name}') AND NOT indisvalid"
        ),
        rows_mean: "The index was not built to the end; drop it and build it again.".to_owned(),
        keys: Vec::new(),
    }
}

/// A constraint that was not checked against all rows.
pub(super) fn not_validated(builder: &Builder<'_>, table: &Table, constraint: &Name) -> CheckQuery {
    let name = builder.quoted_name(&table.name).replace('\'', "''");
    let constraint_text = constraint.as_str().replace('\'', "''");
    CheckQuery {
        sql: format!(
            "SELECT conname FROM pg_constraint WHERE conrelid = to_regclass('{name}') AND conname = '{constraint_text}' AND NOT convalidated"
        ),
        rows_mean: format!("The constraint `{constraint}` is not validated."),
        keys: Vec::new(),
    }
}
