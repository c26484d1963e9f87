//! Partitioned tables: indexes piece by piece, and partitions put in and taken out while the others are used.

use dbwright_model::catalog::{Check, ConstraintKind, Index, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint, OnlineClauses};
use dbwright_model::effect::{Demand, Effects};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Retries, Undo};

use super::builder::{Builder, full_name};
use super::{Refusal, constraint, index, key, query};

/// An index on the parent alone, one on each partition, and each attached.
pub(super) fn create_index(builder: &mut Builder<'_>, table: &Table, change: &Change) -> Result<(), Refusal> {
    let after = builder.imagine(std::slice::from_ref(change));
    let new_of = |name: &QualifiedName| -> Option<Index> {
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

/// `ATTACH PARTITION`: what the server would build and look for under its lock is there before.
pub(super) fn attach(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::AttachPartition { table, partition, bound, .. } = change else { return Ok(()) };
    let effects = builder.effects(change);
    if effects.refused.is_some() || super::harmless(&effects).is_ok() {
        return super::as_it_is(builder, change);
    }
    let (parent, child) = (builder.table(table)?, builder.table(partition)?);
    let after = builder.imagine(std::slice::from_ref(change));
    let attached = after.table(&child.name).ok_or("the partition is not known after the change")?;
    build_missing_indexes(builder, &child, attached)?;
    for key in &attached.foreign_keys {
        if !child.foreign_keys.iter().any(|own| own.name == key.name) {
            let table = child.name.clone();
            let (foreign_key, alter) = (Box::new(key.clone()), AlterClauses::default());
            constraint::plan(builder, &Change::AddForeignKey { table, foreign_key, alter })?;
        }
    }
    let mut drops = Vec::new();
    if demands_check(&builder.effects(change), &child.name) {
        let within = within(builder, &parent, &child, bound)?;
        drops.push(hold(builder, &child, "bounds", within)?);
    }
    keep_out_of_default(builder, &parent, bound, change, &mut drops)?;
    super::harmless(&builder.effects(change))?;
    let spared = if drops.is_empty() { "" } else { "; the checks spare the scan" };
    let name = format!("Attach `{}` to `{}`{spared}.", child.name, parent.name);
    builder.brief(name, std::iter::once(change.clone()).chain(drops).collect())?;
    Ok(())
}

/// `CREATE TABLE ... PARTITION OF`: rows of the default partition are looked through before, if there is one.
pub(super) fn create(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::CreateTable { table, .. } = change else { return Ok(()) };
    let effects = builder.effects(change);
    let TableKind::Partition { of, bound } = &table.kind else { return super::as_it_is(builder, change) };
    if effects.refused.is_some() || super::harmless(&effects).is_ok() {
        return super::as_it_is(builder, change);
    }
    let parent = builder.table(of)?;
    let mut drops = Vec::new();
    keep_out_of_default(builder, &parent, bound, change, &mut drops)?;
    super::harmless(&builder.effects(change))?;
    let work = std::iter::once(change.clone()).chain(drops).collect();
    let name = format!("Make `{}`; the check of the default partition spares the scan.", table.name);
    builder.brief(name, work)?;
    builder.note_created(change);
    Ok(())
}

/// Indexes and keys that a partition is to have as a part of those of the table above.
fn build_missing_indexes(builder: &mut Builder<'_>, child: &Table, attached: &Table) -> Result<(), Refusal> {
    let missing = attached.indexes.iter().filter(|new| !child.indexes.iter().any(|own| own.name == new.name));
    for new in missing {
        if child.sub_partitioned.is_some() || matches!(child.kind, TableKind::Partitioned { .. }) {
            return Err(format!(
                "`{}` is partitioned itself and lacks an index like `{}`: build that one first",
                child.name, new.name
            ));
        }
        let (table, alter) = (child.name.clone(), AlterClauses::default());
        let keys = attached.primary_key.iter().chain(&attached.uniques);
        let key = keys.into_iter().find(|key| key.name.as_ref() == Some(&new.name)).cloned();
        match (new.backs, key) {
            (None, _) => index::build(builder, child, Index { partition_of: None, ..new.clone() })?,
            (Some(ConstraintKind::PrimaryKey), Some(key)) => {
                key::plan(builder, &Change::AddPrimaryKey { table, key, using_index: None, alter })?;
            }
            (Some(ConstraintKind::Unique), Some(key)) => {
                key::plan(builder, &Change::AddUnique { table, key, using_index: None, alter })?;
            }
            _ => {
                return Err(format!(
                    "`{}` lacks the constraint `{}`, which cannot be built ahead",
                    child.name, new.name
                ));
            }
        }
    }
    Ok(())
}

fn demands_check(effects: &Effects, table: &QualifiedName) -> bool {
    effects.demands.iter().any(|demand| matches!(demand, Demand::Check { table: other } if other == table))
}

/// What holds for the rows of a partition, and of the partitions that it becomes a part of.
fn within(builder: &Builder<'_>, parent: &Table, child: &Table, bound: &str) -> Result<Expression, Refusal> {
    let (mut texts, mut trees) = (Vec::new(), Vec::new());
    let (mut above, mut bound) = (parent.clone(), bound.to_owned());
    loop {
        let checks = builder.partition_checks(&above.name, &bound).ok_or_else(|| unproven(&above))?;
        let column = child.column(checks.column.as_str());
        let promised = column.is_some_and(|column| {
            column.not_null && column.not_null_constraint.as_ref().is_none_or(|made| made.validated)
        });
        if !promised {
            texts.push(format!("{} IS NOT NULL", builder.quoted(&checks.column)));
            trees.push(Expr::IsNull { operand: Box::new(Expr::column(&checks.column)), negated: true });
        }
        texts.push(checks.within.text);
        trees.extend(checks.within.tree.map(|tree| tree.as_ref().clone()));
        let TableKind::Partition { of, bound: own } = &above.kind else { break };
        (above, bound) = (builder.table(of)?, own.clone());
    }
    let both =
        |left, right| Expr::Binary { op: "AND".to_owned(), left: Box::new(left), right: Box::new(right) };
    let tree = trees.into_iter().reduce(both).ok_or_else(|| unproven(parent))?;
    Ok(Expression::parsed(texts.join(" AND "), tree))
}

fn unproven(table: &Table) -> Refusal {
    format!(
        "no check is known that proves to the server which rows belong into this partition of `{}`",
        table.name
    )
}

/// A check that keeps the rows of a new partition out of the default one, where the server would look for them.
fn keep_out_of_default(
    builder: &mut Builder<'_>,
    parent: &Table,
    bound: &str,
    change: &Change,
    drops: &mut Vec<Change>,
) -> Result<(), Refusal> {
    let default = builder.catalog.tables.iter().find(|other| is_default(other, parent)).cloned();
    let Some(default) = default else { return Ok(()) };
    if !demands_check(&builder.effects(change), &default.name) {
        return Ok(());
    }
    let checks = builder.partition_checks(&parent.name, bound).ok_or_else(|| unproven(parent))?;
    drops.push(hold(builder, &default, "others", checks.outside)?);
    Ok(())
}

fn is_default(table: &Table, parent: &Table) -> bool {
    matches!(&table.kind, TableKind::Partition { of, bound }
        if *of == parent.name && bound.eq_ignore_ascii_case("DEFAULT"))
}

/// Adds a check that is dropped again, in force for new rows first; gives the change that drops it.
fn hold(
    builder: &mut Builder<'_>,
    table: &Table,
    suffix: &str,
    expression: Expression,
) -> Result<Change, Refusal> {
    let table = builder.table(&table.name)?;
    let own = builder.free_name(&table.name.schema, table.name.name.as_str(), suffix);
    let check = Check { name: Some(own.clone()), expression, validated: false, ..Check::default() };
    let pre_check = query::violations(builder, &table, &check);
    let add = Change::AddCheck { table: table.name.clone(), check, alter: AlterClauses::default() };
    builder.brief(format!("Check new rows of `{}` with `{own}`.", table.name), vec![add])?;
    constraint::validate(builder, &table.name, &own, Some(pre_check))?;
    Ok(Change::DropConstraint {
        table: full_name(&table.name),
        constraint: DroppedConstraint::Named(own),
        if_exists: false,
        cascade: false,
        alter: AlterClauses::default(),
    })
}

/// `DETACH PARTITION ... CONCURRENTLY`, where the server has it.
pub(super) fn detach(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::DetachPartition { table, partition, finalize, .. } = change else { return Ok(()) };
    if *finalize {
        return super::as_it_is(builder, change);
    }
    let parent = builder.table(table)?;
    if !builder.since(14) {
        return super::as_it_is(builder, change);
    }
    if let Some(default) = builder.catalog.tables.iter().find(|other| is_default(other, &parent)) {
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
