//! Questions about columns that several rules ask.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Column, Index, Table, TableKind, UserTypeKind};
use dbwright_model::data_type::DataType;
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::name::{Name, QualifiedName};

use crate::Context;

/// The type below any domains; the type itself when it is no domain or the domain is not known.
pub fn base_type<'a>(catalog: &'a Catalog, data_type: &'a DataType) -> &'a DataType {
    let mut found = data_type;
    // Domains over domains are finite, but a catalog read from a file may claim anything.
    for _ in 0..8 {
        let Some(name) = &found.user_type else { return found };
        let below = catalog.types.iter().find(|user_type| user_type.name == *name);
        match below.map(|user_type| &user_type.kind) {
            Some(UserTypeKind::Domain { base, .. }) => found = base,
            _ => return found,
        }
    }
    found
}

/// The table that a partition's rows belong to; the table itself when it is no partition.
pub fn root_table<'a>(context: &Context<'a>, name: &'a QualifiedName) -> &'a QualifiedName {
    let mut found = name;
    // Partitions of partitions are few, but a catalog read from a file may claim anything.
    for _ in 0..8 {
        match context.table(found).map(|table| &table.kind) {
            Some(TableKind::Partition { of, .. }) => found = of,
            _ => break,
        }
    }
    found
}

/// Whether a column belongs to the primary key.
pub fn in_primary_key(table: &Table, column: &Name) -> bool {
    table.primary_key.as_ref().is_some_and(|key| key.columns.contains(column))
}

/// Whether a column belongs to a foreign key.
pub fn in_foreign_key(table: &Table, column: &Name) -> bool {
    table.foreign_keys.iter().any(|key| key.columns.contains(column))
}

/// The column of a primary key of one column.
pub fn single_key(table: &Table) -> Option<&Column> {
    match table.primary_key.as_ref()?.columns.as_slice() {
        [only] => table.column(only.as_str()),
        _ => None,
    }
}

/// Whether the server numbers the column by itself.
pub fn is_numbered(column: &Column) -> bool {
    column.identity.is_some()
        || column.auto_increment
        || column.sequence.is_some()
        || default_calls(column, &["nextval"])
}

/// Whether the default calls one of these functions, anywhere in it.
pub fn default_calls(column: &Column, functions: &[&str]) -> bool {
    let Some(tree) = column.default.as_ref().and_then(|default| default.tree.as_deref()) else {
        return false;
    };
    let mut found = false;
    tree.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            found |= functions.iter().any(|function| call.function().eq_ignore_ascii_case(function));
        }
    });
    found
}

/// The default, when it is a constant string.
pub fn default_string(column: &Column) -> Option<&str> {
    match column.default.as_ref()?.tree.as_deref()?.without_casts() {
        Expr::Literal(Literal::String(text) | Literal::DoubleQuoted(text)) => Some(text),
        _ => None,
    }
}

/// The parts of the name of the sequence that the default takes from: schema, where it is said, and name.
pub fn next_value_of(column: &Column) -> Option<Vec<String>> {
    let Expr::Call(call) = column.default.as_ref()?.tree.as_deref()?.without_casts() else { return None };
    let Expr::Literal(Literal::String(text)) = call.args.first()?.without_casts() else { return None };
    if call.function() != "nextval" {
        return None;
    }
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut()?.push(c),
        }
    }
    Some(parts)
}

/// The sequence that a column takes its numbers from, as `find` knows it: its own, or one that its default names.
pub fn fed_by<T>(find: impl Fn(&QualifiedName) -> Option<T>, table: &Table, column: &Column) -> Option<T> {
    if let Some(sequence) = &column.sequence {
        return find(sequence);
    }
    let parts = next_value_of(column)?;
    match parts.as_slice() {
        // A server leaves out the schema of what is on the search path.
        [name] => find(&table.name.sibling(name)).or_else(|| find(&QualifiedName::new("public", name))),
        [.., schema, name] => find(&QualifiedName::new(schema, name)),
        [] => None,
    }
}

/// Functions that make a UUID whose order says nothing about its age.
pub const RANDOM_UUID: &[&str] =
    &["gen_random_uuid", "uuid_generate_v4", "uuid_v4", "uuidv4", "uuid4", "newid", "randomblob"];

/// Functions that make a UUID of any kind as a default.
pub const ANY_UUID: &[&str] = &[
    "gen_random_uuid",
    "uuid_generate_v4",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_v4",
    "uuidv4",
    "uuid4",
    "newid",
    "uuid",
    "uuidv7",
    "uuid_v7",
    "uuid_generate_v7",
];

/// Whether an index refuses two rows that are equal in exactly these columns, in any order.
pub fn is_unique_over(index: &Index, columns: &[Name]) -> bool {
    index.unique
        && index.valid
        && index.predicate.is_none()
        && index.parts.iter().all(|part| part.prefix.is_none())
        && index.columns().is_some_and(|own| {
            own.into_iter().collect::<BTreeSet<_>>() == columns.iter().collect::<BTreeSet<_>>()
        })
}

/// Whether a check of the table speaks about the column.
pub fn is_checked(table: &Table, column: &Name) -> bool {
    table.checks.iter().any(|check| {
        let tree = check.expression.tree.as_deref();
        // A check that nobody could read may well speak of it.
        tree.is_none_or(|tree| tree.columns().contains(&column))
    })
}

/// Whether a row of the table only ties rows of other tables together: every column that is not a number or a time of
/// its own belongs to one of at least two foreign keys.
pub fn is_join_table(table: &Table) -> bool {
    table.foreign_keys.len() >= 2
        && table.columns.iter().all(|column| {
            in_foreign_key(table, &column.name)
                || is_numbered(column)
                || column.data_type.kind.is_temporal()
                || in_primary_key(table, &column.name)
        })
}

/// The smallest and the largest whole number that a type holds.
pub fn integer_range(data_type: &DataType) -> Option<(i128, i128)> {
    let max = i128::from(data_type.max_integer()?);
    Some(if data_type.unsigned { (0, max) } else { (-max - 1, max) })
}

/// The columns of the index that may be null in a row that it holds.
pub fn nullable_parts<'a>(table: &Table, index: &'a Index) -> Vec<&'a Name> {
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
        .filter(|name| !in_primary_key(table, name) && !excluded(name))
        .collect()
}
