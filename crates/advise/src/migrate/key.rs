//! Primary keys and unique constraints over an index that was built before.

use dbwright_model::catalog::{Index, Key, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, OnlineClauses};
use dbwright_model::name::Name;
use dbwright_model::plan::Undo;

use super::builder::Builder;
use super::{Refusal, index, not_null};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let (Change::AddPrimaryKey { table, key, using_index, .. }
    | Change::AddUnique { table, key, using_index, .. }) = change
    else {
        return Ok(());
    };
    let is_primary = matches!(change, Change::AddPrimaryKey { .. });
    let table = builder.table(table)?;
    if matches!(table.kind, TableKind::Partitioned { .. }) {
        return Err(
            "on a partitioned table the server cannot take an index that is there as the key: build the key on each partition first"
                .to_owned(),
        );
    }
    if is_primary && let Some(present) = &table.primary_key {
        let columns = builder.list(&present.columns);
        return Err(format!(
            "`{}` has a primary key already, on ({columns}): drop that one first",
            table.name
        ));
    }
    if key.without_overlaps {
        return Err("the index of a key `WITHOUT OVERLAPS` cannot be built ahead".to_owned());
    }
    if let Some(name) = using_index {
        let columns: Vec<Name> = table
            .indexes
            .iter()
            .find(|index| index.name == *name)
            .and_then(|index| index.columns().map(|columns| columns.into_iter().cloned().collect()))
            .unwrap_or_default();
        if is_primary {
            demand_not_null(builder, &table, &columns)?;
        }
        return builder.direct(change);
    }
    let after = builder.imagine(std::slice::from_ref(change));
    let after = after.table(&table.name).ok_or("the table is not known after the change")?;
    let made = after
        .indexes
        .iter()
        .find(|index| index.backs.is_some() && !table.indexes.iter().any(|old| old.name == index.name));
    let mut made = made.cloned().ok_or("the table has such a key already")?;
    if is_primary {
        demand_not_null(builder, &table, &key.columns)?;
    }
    made.backs = None;
    let name = made.name.clone();
    let table = builder.table(&table.name)?;
    index::build(builder, &table, made)?;
    add_using(builder, &table, key, &name, is_primary)
}

fn demand_not_null(builder: &mut Builder<'_>, table: &Table, columns: &[Name]) -> Result<(), Refusal> {
    for column in columns {
        if table.column(column.as_str()).is_some_and(|column| !column.not_null) {
            not_null::on_column(builder, table, column)?;
        }
    }
    Ok(())
}

fn add_using(
    builder: &mut Builder<'_>,
    table: &Table,
    key: &Key,
    index: &Name,
    is_primary: bool,
) -> Result<(), Refusal> {
    let add = using(table, key, index, is_primary);
    let built = builder.table(&table.name)?.indexes.into_iter().find(|other| other.name == *index);
    let step = builder.brief(format!("Make the index `{index}` the key of `{}`.", table.name), vec![add])?;
    // The index goes with the key, and is what the step begins with.
    if let (Undo::Work(work), Some(built)) = (&mut step.undo, built) {
        work.push(build_again(table, &built).into());
    }
    Ok(())
}

/// Builds an index that has gone with its key, while rows are read and written.
pub(super) fn build_again(table: &Table, index: &Index) -> Change {
    Change::CreateIndex {
        table: table.name.clone(),
        index: Box::new(Index { backs: None, valid: true, ..index.clone() }),
        concurrently: true,
        if_not_exists: false,
        only: false,
        online: OnlineClauses::default(),
    }
}

/// The change that makes a key of an index with the name of the key.
pub(super) fn using(table: &Table, key: &Key, index: &Name, is_primary: bool) -> Change {
    let key = Key {
        name: Some(index.clone()),
        deferrable: key.deferrable,
        initially_deferred: key.initially_deferred,
        ..Key::default()
    };
    let (table, using_index, alter) = (table.name.clone(), Some(index.clone()), AlterClauses::default());
    if is_primary {
        Change::AddPrimaryKey { table, key, using_index, alter }
    } else {
        Change::AddUnique { table, key, using_index, alter }
    }
}
