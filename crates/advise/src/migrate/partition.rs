//! Partitioned tables: indexes piece by piece, and partitions taken out while the others are used.

use dbwright_model::catalog::{Index, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint, OnlineClauses};
use dbwright_model::name::Name;
use dbwright_model::plan::{Retries, Undo};

use super::builder::Builder;
use super::{Refusal, index};

/// An index on the parent alone, one on each partition, and each attached.
pub(super) fn create_index(builder: &mut Builder<'_>, table: &Table, change: &Change) -> Result<(), Refusal> {
    let after = builder.imagine(std::slice::from_ref(change));
    let new_of = |name: &dbwright_model::name::QualifiedName| -> Option<Index> {
        let old = builder.catalog.table(name)?;
        let indexes = &after.table(name)?.indexes;
        indexes.iter().find(|index| !old.indexes.iter().any(|other| other.name == index.name)).cloned()
    };
    let parent = new_of(&table.name).ok_or("the new index is not known")?;
    let mut parts: Vec<(Table, Index)> = Vec::new();
    for other in &builder.catalog.tables {
        let TableKind::Partition { of, .. } = &other.kind else { continue };
        if *of != table.name {
            continue;
        }
        if other.sub_partitioned.is_some() {
            return Err(format!("`{}` is partitioned further: index it first", other.name));
        }
        let own = new_of(&other.name).ok_or("the index of a partition is not known")?;
        parts.push((other.clone(), Index { partition_of: None, ..own }));
    }
    let alone = Change::CreateIndex {
        table: table.name.clone(),
        index: Box::new(Index { valid: true, ..parent.clone() }),
        concurrently: false,
        if_not_exists: false,
        only: true,
        online: OnlineClauses::default(),
    };
    let drop_parent = Change::DropIndex {
        table: None,
        index: table.name.sibling(&parent.name),
        concurrently: false,
        if_exists: true,
        cascade: false,
        online: OnlineClauses::default(),
    };
    let step = builder.brief(
        format!("Declare the index `{}` on `{}` without its partitions.", parent.name, table.name),
        vec![alone],
    )?;
    step.undo = Undo::Work(vec![drop_parent.clone().into()]);
    for (partition, own) in parts {
        let name = own.name.clone();
        index::build(builder, &partition, own)?;
        let attach = Change::AttachIndex {
            parent: table.name.sibling(&parent.name),
            child: partition.name.sibling(&name),
        };
        let step = builder.brief(format!("Attach `{name}` to `{}`.", parent.name), vec![attach])?;
        // No statement lets go of an attached index: it ends with the index that it was attached to.
        step.undo = Undo::Work(vec![drop_parent.clone().into()]);
    }
    Ok(())
}

/// `DETACH PARTITION ... CONCURRENTLY`, where the server has it.
pub(super) fn detach(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::DetachPartition { table, partition, finalize, .. } = change else { return Ok(()) };
    if *finalize {
        return super::as_it_is(builder, change);
    }
    let parent = builder.table(table)?;
    let is_default = |other: &Table| {
        matches!(&other.kind, TableKind::Partition { of, bound }
            if *of == parent.name && bound.eq_ignore_ascii_case("DEFAULT"))
    };
    if !builder.since(14) {
        return super::as_it_is(builder, change);
    }
    if let Some(default) = builder.catalog.tables.iter().find(|other| is_default(other)) {
        return Err(format!(
            "with the default partition `{}` the server detaches under a strong lock only: detach that one first",
            default.name
        ));
    }
    let mut concurrent = change.clone();
    if let Change::DetachPartition { concurrently, .. } = &mut concurrent {
        *concurrently = true;
    }
    let name = format!(
        "Detach `{partition}` from `{table}`. Broken off, it is ended with `DETACH PARTITION ... FINALIZE`."
    );
    let step = builder.outside(name, concurrent)?;
    step.retries = Retries::default();
    if let Some(check) = left_check(&parent, &partition.name) {
        let drop = Change::DropConstraint {
            table: partition.clone(),
            constraint: DroppedConstraint::Named(check),
            if_exists: true,
            cascade: false,
            alter: AlterClauses::default(),
        };
        let step = builder
            .brief(format!("Drop the check that the server leaves behind on `{partition}`."), vec![drop])?;
        step.undo = Undo::Work(Vec::new());
    }
    Ok(())
}

/// The name of the check that stands in for the bounds after a concurrent detachment.
fn left_check(parent: &Table, partition: &Name) -> Option<Name> {
    let TableKind::Partitioned { key, .. } = &parent.kind else { return None };
    let column = key.trim().trim_matches('"');
    parent.column(column)?;
    Some(Name::from(format!("{partition}_{column}_check")))
}
