//! What an index is and what hangs on it, for rules that compare indexes or would drop one.

use std::collections::BTreeSet;

use dbwright_model::capability::Capability;
use dbwright_model::catalog::{
    ConstraintKind, Index, IndexKey, IndexPart, ReplicaIdentity, Table, TableKind,
};
use dbwright_model::change::{Change, OnlineClauses};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use crate::Context;
use crate::free_names::free_name;

/// Whether two expressions say the same: their trees are equal, or their texts when one was not read.
pub fn equal_expressions(a: &Expression, b: &Expression) -> bool {
    match (&a.tree, &b.tree) {
        (Some(a), Some(b)) => a == b,
        _ => a.text == b.text,
    }
}

/// Whether two indexes hold the same rows.
pub fn equal_predicates(a: &Index, b: &Index) -> bool {
    match (&a.predicate, &b.predicate) {
        (None, None) => true,
        (Some(a), Some(b)) => equal_expressions(a, b),
        _ => false,
    }
}

/// Whether two key parts order rows alike.
pub fn equal_parts(a: &IndexPart, b: &IndexPart) -> bool {
    let key = match (&a.key, &b.key) {
        (IndexKey::Column(a), IndexKey::Column(b)) => a == b,
        (IndexKey::Expression(a), IndexKey::Expression(b)) => equal_expressions(a, b),
        _ => false,
    };
    key && a.descending == b.descending
        && a.nulls_first == b.nulls_first
        && a.operator_class == b.operator_class
        && a.collation == b.collation
        && a.prefix == b.prefix
}

/// Whether the first parts of one index are all the parts of another.
pub fn begins_with(index: &Index, parts: &[IndexPart]) -> bool {
    index.parts.len() >= parts.len() && index.parts.iter().zip(parts).all(|(a, b)| equal_parts(a, b))
}

/// Whether the table's rows are named by this index to logical replicas.
pub fn is_replica_identity(table: &Table, index: &Index) -> bool {
    table.replica_identity == ReplicaIdentity::Index(index.name.clone())
}

/// Which of several equal indexes is kept first: the one with the lowest number, and of those the first by name.
pub fn rank(table: &Table, index: &Index) -> u8 {
    use dbwright_model::catalog::ConstraintKind::PrimaryKey;
    match index.backs {
        Some(PrimaryKey) => 0,
        Some(_) => 1,
        None if is_replica_identity(table, index) => 2,
        None if table.clustered_on.as_ref() == Some(&index.name) => 3,
        None => 4,
    }
}

/// The index that is kept where this one is the same in everything but the name, if there is one.
pub fn equal_to<'a>(table: &'a Table, index: &Index) -> Option<&'a Index> {
    let order = |index: &'a Index| (rank(table, index), &index.name);
    let own = (rank(table, index), &index.name);
    let earlier = table.indexes.iter().filter(|other| {
        other.valid && other.visible && (rank(table, other), &other.name) < own && same(other, index)
    });
    earlier.min_by_key(|other| order(other))
}

/// Whether two indexes do the same.
fn same(a: &Index, b: &Index) -> bool {
    // A part of a partitioned index cannot be dropped by itself, and an exclusion says more than its columns.
    let comparable = a.partition_of.is_none()
        && b.partition_of.is_none()
        && a.backs != Some(ConstraintKind::Exclusion)
        && b.backs != Some(ConstraintKind::Exclusion);
    let mut includes = [a.include.clone(), b.include.clone()];
    includes.iter_mut().for_each(|columns| columns.sort());
    comparable
        && a.method == b.method
        && a.unique == b.unique
        && (!a.unique || a.nulls_not_distinct == b.nulls_not_distinct)
        && includes[0] == includes[1]
        && a.parts.len() == b.parts.len()
        && a.parts.iter().zip(&b.parts).all(|(a, b)| equal_parts(a, b))
        && equal_predicates(a, b)
}

/// Whether more than speed hangs on the index: it refuses duplicates, stands behind a constraint, names rows to
/// replicas, or is a part of another index.
pub fn holds_a_promise(table: &Table, index: &Index) -> bool {
    index.unique || index.backs.is_some() || index.partition_of.is_some() || is_replica_identity(table, index)
}

/// Whether the index finds the children of one parent: its first columns are the key's, in any order, and it holds
/// every row whose key is not null.
pub fn finds_children(index: &Index, columns: &[Name]) -> bool {
    let searchable = index.is_btree() || (*index.method.as_str() == *"hash" && columns.len() == 1);
    if !searchable || !index.valid {
        return false;
    }
    let leading: Option<BTreeSet<&Name>> =
        index.parts.iter().take(columns.len()).map(IndexPart::as_column).collect();
    if leading != Some(columns.iter().collect()) {
        return false;
    }
    let Some(predicate) = &index.predicate else { return true };
    let Some(tree) = &predicate.tree else { return false };
    tree.conjuncts().into_iter().all(|term| {
        matches!(term, Expr::IsNull { operand, negated: true }
            if matches!(operand.as_ref(), Expr::Column { name, .. } if columns.contains(name)))
    })
}

/// Whether a foreign key of the table would be left without an index if this one went.
pub fn serves_foreign_key(table: &Table, index: &Index) -> bool {
    let serves = |index: &Index, columns: &[Name]| {
        index.valid
            && index.predicate.is_none()
            && index.parts.len() >= columns.len()
            && index
                .parts
                .iter()
                .take(columns.len())
                .all(|part| part.as_column().is_some_and(|name| columns.contains(name)))
    };
    table.foreign_keys.iter().any(|key| {
        serves(index, &key.columns)
            && !table.indexes.iter().any(|other| other.name != index.name && serves(other, &key.columns))
    })
}

/// How messages name an index: one made for a constraint by what it stands for, since its name is seldom chosen.
pub fn name_of(index: &Index) -> String {
    use dbwright_model::catalog::ConstraintKind::{Exclusion, ForeignKey, PrimaryKey, Unique};
    match index.backs {
        Some(PrimaryKey) => "the primary key".to_owned(),
        Some(Unique) => format!("the unique constraint `{}` on ({})", index.name, columns_of(index)),
        Some(Exclusion) => "the exclusion constraint".to_owned(),
        Some(ForeignKey) => format!("the index of the foreign key on ({})", columns_of(index)),
        None => format!("`{}`", index.name),
    }
}

/// The key columns for messages; expressions are only called so.
pub fn columns_of(index: &Index) -> String {
    let parts: Vec<&str> =
        index.parts.iter().map(|part| part.as_column().map_or("an expression", Name::as_str)).collect();
    parts.join(", ")
}

/// The qualified name of an index: it lives in its table's schema.
pub fn qualified(table: &QualifiedName, index: &Name) -> QualifiedName {
    table.sibling(index)
}

/// The change that drops an index, without blocking where the server can do that.
pub fn drop_index(context: &Context<'_>, table: &Table, index: &Index) -> Change {
    let partitioned = matches!(table.kind, TableKind::Partitioned { .. });
    Change::DropIndex {
        online: Default::default(),
        table: (context.engine().dialect() == Dialect::Mysql).then(|| table.name.clone()),
        index: qualified(&table.name, &index.name),
        concurrently: context.can(Capability::ConcurrentIndex) && !partitioned,
        if_exists: false,
        cascade: false,
    }
}

/// The changes that make an index over columns, without blocking where the server can do that. A partitioned table
/// takes no concurrent build: its partitions are indexed one by one, and their indexes joined under one. `taken` are the
/// names that other remedies of the report use, and it gets the new ones.
pub fn create_index(
    context: &Context<'_>,
    table: &Table,
    columns: &[Name],
    taken: &mut BTreeSet<QualifiedName>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    add_index(context, table, columns, taken, &mut changes);
    changes
}

/// Adds the changes that make an index over columns of a table and of its partitions, and gives the index's name.
fn add_index(
    context: &Context<'_>,
    table: &Table,
    columns: &[Name],
    taken: &mut BTreeSet<QualifiedName>,
    changes: &mut Vec<Change>,
) -> Name {
    let whole = Index {
        name: free_name(context, table, columns, "_idx", taken),
        parts: columns.iter().map(IndexPart::column).collect(),
        ..Index::default()
    };
    taken.insert(qualified(&table.name, &whole.name));
    let split = context.engine() == Engine::Postgres && is_split(table);
    let concurrently = context.can(Capability::ConcurrentIndex);
    let stepwise = concurrently && split;
    changes.push(Change::CreateIndex {
        online: OnlineClauses::default(),
        table: table.name.clone(),
        index: Box::new(whole.clone()),
        concurrently: concurrently && !split,
        if_not_exists: false,
        only: stepwise,
    });
    if !stepwise {
        return whole.name;
    }
    for part in context.catalog().tables.iter().filter(|part| is_part_of(part, table)) {
        let same = |index: &&Index| {
            index.valid
                && !index.unique
                && index.is_btree()
                && index.predicate.is_none()
                && index.include.is_empty()
                && index.partition_of.is_none()
                && index.parts == whole.parts
        };
        let child = match part.indexes.iter().find(same) {
            Some(index) => index.name.clone(),
            None => add_index(context, part, columns, taken, changes),
        };
        changes.push(Change::AttachIndex {
            parent: qualified(&table.name, &whole.name),
            child: qualified(&part.name, &child),
        });
    }
    whole.name
}

/// Whether the rows of a table are in partitions, which are tables of their own in PostgreSQL.
fn is_split(table: &Table) -> bool {
    matches!(table.kind, TableKind::Partitioned { .. }) || table.sub_partitioned.is_some()
}

fn is_part_of(part: &Table, table: &Table) -> bool {
    matches!(&part.kind, TableKind::Partition { of, .. } if *of == table.name)
}

/// Scans of an index; those of its parts are summed up, because a partitioned index is never scanned itself. `None`
/// when one of the numbers is not known.
pub fn scans_of(context: &Context<'_>, table: &Table, index: &Index) -> Option<u64> {
    if context.engine() == Engine::Postgres && is_split(table) {
        let mut scans = 0;
        for (part, part_index) in parts_of(context, table, index) {
            scans += scans_of(context, part, part_index)?;
        }
        return Some(scans);
    }
    context.index_statistics_of(&table.name, &index.name)?.scans
}

/// Bytes of an index, those of its parts summed up.
pub fn bytes_of(context: &Context<'_>, table: &Table, index: &Index) -> Option<u64> {
    if context.engine() == Engine::Postgres && is_split(table) {
        let mut bytes = 0;
        for (part, part_index) in parts_of(context, table, index) {
            bytes += bytes_of(context, part, part_index)?;
        }
        return Some(bytes);
    }
    context.index_statistics_of(&table.name, &index.name)?.bytes
}

fn parts_of<'a>(
    context: &Context<'a>,
    table: &'a Table,
    index: &'a Index,
) -> impl Iterator<Item = (&'a Table, &'a Index)> {
    context
        .catalog()
        .tables
        .iter()
        .filter(|part| matches!(&part.kind, TableKind::Partition { of, .. } if *of == table.name))
        .filter_map(|part| {
            let own = part.indexes.iter().find(|own| own.partition_of.as_ref() == Some(&index.name))?;
            Some((part, own))
        })
}
