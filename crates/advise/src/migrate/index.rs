//! Indexes built, dropped and rebuilt while rows are read and written.

use dbwright_model::catalog::{Index, Table, TableKind};
use dbwright_model::change::{Change, OnlineClauses, ReindexTarget};
use dbwright_model::name::{Name, QualifiedName};

use super::builder::{Builder, full_name};
use super::{Refusal, partition, query};

pub(super) fn create(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::CreateIndex { table, index, if_not_exists, only, .. } = change else { return Ok(()) };
    let full = full_name(table);
    if builder.catalog.views.iter().any(|view| view.name == full && view.materialized) {
        if index.name.is_empty() {
            return Err("give the index a name: the one that the server makes up is not known".to_owned());
        }
        let mut concurrent = change.clone();
        if let Change::CreateIndex { concurrently, .. } = &mut concurrent {
            *concurrently = true;
        }
        builder.outside(format!("Build an index on `{full}`."), concurrent)?;
        return Ok(());
    }
    let table = builder.table(table)?;
    if *if_not_exists && table.indexes.iter().any(|other| other.name == index.name && other.valid) {
        return Ok(());
    }
    if matches!(table.kind, TableKind::Partitioned { .. }) || table.sub_partitioned.is_some() {
        if *only {
            return super::as_it_is(builder, change);
        }
        return partition::create_index(builder, &table, change);
    }
    let mut index = index.as_ref().clone();
    if index.name.is_empty() {
        index.name = made_up_name(builder, &table, change)?;
    }
    build(builder, &table, index)
}

/// The name that the server gives to an index that has none.
fn made_up_name(builder: &Builder<'_>, table: &Table, change: &Change) -> Result<Name, Refusal> {
    let after = builder.imagine(std::slice::from_ref(change));
    let indexes = after.table(&table.name).map(|after| after.indexes.as_slice()).unwrap_or_default();
    let made = indexes.iter().find(|index| !table.indexes.iter().any(|old| old.name == index.name));
    made.map(|index| index.name.clone()).ok_or_else(|| "the name of the new index is not known".to_owned())
}

/// Builds an index in a step of its own.
pub(super) fn build(builder: &mut Builder<'_>, table: &Table, index: Index) -> Result<(), Refusal> {
    let pre_check = index.unique.then(|| query::duplicates(builder, table, &index));
    let verify = query::invalid_index(builder, table, &index.name);
    let name = format!("Build the index `{}` on `{}`.", index.name, table.name);
    let create = Change::CreateIndex {
        table: table.name.clone(),
        index: Box::new(index),
        concurrently: true,
        if_not_exists: false,
        only: false,
        online: OnlineClauses::default(),
    };
    let step = builder.outside(name, create)?;
    step.pre_check = pre_check;
    step.verify = Some(verify);
    Ok(())
}

pub(super) fn drop(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::DropIndex { index, if_exists, cascade, .. } = change else { return Ok(()) };
    let full = full_name(index);
    let holder = builder.catalog.tables.iter().find(|table| {
        table.name.schema == full.schema && table.indexes.iter().any(|other| other.name == full.name)
    });
    let Some(table) = holder else {
        if *if_exists {
            return Ok(());
        }
        return super::as_it_is(builder, change);
    };
    let backs = table.indexes.iter().any(|other| other.name == full.name && other.backs.is_some());
    if backs {
        return Err(format!("`{full}` stands behind a constraint: drop the constraint"));
    }
    if matches!(table.kind, TableKind::Partitioned { .. }) {
        // The server knows no concurrent way for it; what it does is brief.
        return super::as_it_is(builder, change);
    }
    if *cascade {
        return Err("name what hangs on the index instead of `CASCADE`".to_owned());
    }
    drop_by_name(builder, &full)
}

/// Drops an index in a step of its own.
pub(super) fn drop_by_name(builder: &mut Builder<'_>, index: &QualifiedName) -> Result<(), Refusal> {
    let drop = Change::DropIndex {
        table: None,
        index: index.clone(),
        concurrently: true,
        if_exists: true,
        cascade: false,
        online: OnlineClauses::default(),
    };
    let step = builder.outside(format!("Drop the index `{index}`."), drop)?;
    // A drop that was broken off is finished by the next try.
    step.retries.undo_first = false;
    Ok(())
}

pub(super) fn rebuild(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let mut concurrent = change.clone();
    match &mut concurrent {
        Change::Reindex { concurrently, .. } => *concurrently = true,
        Change::ReindexAll { target: ReindexTarget::System(_), .. } => {
            return Err("the server rebuilds indexes of its own catalogs under strong locks only".to_owned());
        }
        Change::ReindexAll { concurrently, .. } => *concurrently = true,
        _ => {}
    }
    let step = builder.outside("Rebuild the index.", concurrent)?;
    step.retries.undo_first = false;
    Ok(())
}
