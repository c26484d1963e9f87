//! The way back of each change: what brings the catalog after it to the one before it.

use dbwright_model::catalog::{Catalog, Column, Index, Table, TableKind, UserTypeKind, View};
use dbwright_model::change::{
    AlterClauses, Change, CommentTarget, ConstraintChanges, DroppedConstraint, ObjectKind, OnlineClauses,
    SequenceChanges,
};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

use super::builder;
use super::{Knowledge, Refusal, key, not_null};

/// The changes that undo one, in order, or why there are none. What would go through rows under a strong lock is prepared
/// by others under weak ones.
pub(super) fn of(
    know: &dyn Knowledge,
    before: &Catalog,
    after: &Catalog,
    change: &Change,
) -> Result<Vec<Change>, Refusal> {
    let alter = change.alter().cloned().unwrap_or_default();
    let back = match change {
        Change::CreateSchema { name, .. } => {
            vec![Change::DropSchema { name: name.clone(), if_exists: false, cascade: false }]
        }
        Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => {
            vec![Change::DropTable { name: table.name.clone(), if_exists: true, cascade: false }]
        }
        Change::CreateTableAs { name, .. } => {
            vec![Change::DropTable { name: name.clone(), if_exists: true, cascade: false }]
        }
        Change::DropTable { .. } => return Err("the rows of a dropped table are gone".to_owned()),
        Change::RenameTable { table, to, .. } => vec![Change::RenameTable {
            table: sibling(table, &to.name),
            to: QualifiedName::bare(&table.name),
            alter,
        }],
        Change::AddColumn { table, column, .. } => vec![Change::DropColumn {
            table: table.clone(),
            column: column.name.clone(),
            if_exists: true,
            cascade: false,
            alter,
        }],
        Change::DropColumn { .. } => return Err("the values of a dropped column are gone".to_owned()),
        Change::RenameColumn { table, column, to, .. } => {
            vec![Change::RenameColumn { table: table.clone(), column: to.clone(), to: column.clone(), alter }]
        }
        Change::AlterColumnType { table, column, .. } => {
            let old = column_of(before, table, column)?;
            vec![Change::AlterColumnType {
                table: table.clone(),
                column: column.clone(),
                to: old.data_type.clone(),
                collation: old.collation.clone(),
                using: None,
                alter,
            }]
        }
        Change::SetNotNull { table, column, .. } | Change::AddNotNull { table, column, .. } => {
            let old = column_of(before, table, column)?;
            let new = column_of(after, table, column)?;
            if old.not_null == new.not_null {
                Vec::new()
            } else if old.not_null && before.engine.dialect() == Dialect::Postgres {
                not_null::again(know, table_of(before, table)?, column)
            } else {
                vec![Change::SetNotNull {
                    table: table.clone(),
                    column: column.clone(),
                    not_null: old.not_null,
                    alter,
                }]
            }
        }
        Change::SetDefault { table, column, .. } => {
            let default = column_of(before, table, column)?.default.clone();
            vec![Change::SetDefault { table: table.clone(), column: column.clone(), default, alter }]
        }
        Change::SetIdentity { table, column, .. } => {
            let old = column_of(before, table, column)?;
            let is_new = column_of(after, table, column)?.identity.is_none();
            let lost = old.sequence.clone().filter(|_| old.identity.is_some() && is_new);
            let (table, column) = (table.clone(), column.clone());
            let identity = Change::SetIdentity {
                table: table.clone(),
                column: column.clone(),
                identity: old.identity,
                alter,
                options: SequenceChanges { name: lost.clone(), ..SequenceChanges::default() },
                if_exists: false,
            };
            // A new sequence goes on where the rows are.
            let sync = lost.map(|name| Change::SyncSequence { name, table, column });
            [identity].into_iter().chain(sync).collect()
        }
        Change::SetStatisticsTarget { table, column, .. } => {
            let target = column_of(before, table, column)?.statistics_target;
            vec![Change::SetStatisticsTarget { table: table.clone(), column: column.clone(), target, alter }]
        }
        Change::SetStorage { table, column, .. } => {
            let storage = column_of(before, table, column)?.storage.clone();
            let storage = storage.ok_or("the storage before it was the type's own")?;
            vec![Change::SetStorage { table: table.clone(), column: column.clone(), storage, alter }]
        }
        Change::SetCompression { table, column, .. } => {
            let compression = column_of(before, table, column)?.compression.clone();
            let compression = compression.unwrap_or_else(|| Name::new("default"));
            vec![Change::SetCompression { table: table.clone(), column: column.clone(), compression, alter }]
        }
        Change::SetColumnOptions { table, column, options, .. } => {
            let old = &column_of(before, table, column)?.options;
            let options = options_before(old, options);
            vec![Change::SetColumnOptions { table: table.clone(), column: column.clone(), options, alter }]
        }
        Change::AddPrimaryKey { table, .. } => vec![Change::DropConstraint {
            table: table.clone(),
            constraint: match table_of(after, table)?.primary_key.as_ref().and_then(|key| key.name.clone()) {
                Some(name) => DroppedConstraint::Named(name),
                None => DroppedConstraint::PrimaryKey,
            },
            if_exists: false,
            cascade: false,
            alter,
        }],
        Change::AddUnique { table, .. } => {
            let names = |table: &Table| table.uniques.iter().filter_map(|key| key.name.clone()).collect();
            drop_added(before, after, table, names, alter)?
        }
        Change::AddCheck { table, .. } => {
            let names = |table: &Table| table.checks.iter().filter_map(|check| check.name.clone()).collect();
            drop_added(before, after, table, names, alter)?
        }
        Change::AddForeignKey { table, .. } => {
            let names =
                |table: &Table| table.foreign_keys.iter().filter_map(|key| key.name.clone()).collect();
            drop_added(before, after, table, names, alter)?
        }
        Change::DropConstraint { table, constraint, cascade, .. } => {
            let mut back = added_again(before, table, constraint, &alter)?;
            if *cascade {
                back.extend(lost_references(before, after)?);
            }
            back
        }
        Change::RenameConstraint { table, constraint, to, .. } => vec![Change::RenameConstraint {
            table: table.clone(),
            constraint: to.clone(),
            to: constraint.clone(),
            alter,
        }],
        Change::AlterConstraint { table, constraint, changes, .. } => {
            let old = table_of(before, table)?;
            let key = old.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint));
            let key = key.ok_or("the constraint is not known")?;
            let deferral = changes.deferrable.is_some() || changes.initially_deferred.is_some();
            vec![Change::AlterConstraint {
                table: table.clone(),
                constraint: constraint.clone(),
                changes: ConstraintChanges {
                    deferrable: deferral.then_some(key.deferrable),
                    initially_deferred: (deferral && key.deferrable).then_some(key.initially_deferred),
                    enforced: changes.enforced.map(|_| key.enforced),
                    inherit: changes.inherit.map(|inherit| !inherit),
                },
                alter,
            }]
        }
        Change::CreateIndex { table, concurrently, .. } => {
            let old = indexes_of(before, table);
            let new = indexes_of(after, table);
            let made: Vec<&Index> =
                new.iter().filter(|index| !old.iter().any(|other| other.name == index.name)).collect();
            made.into_iter()
                .map(|index| Change::DropIndex {
                    table: None,
                    index: sibling(table, &index.name),
                    concurrently: *concurrently,
                    if_exists: true,
                    cascade: false,
                    online: OnlineClauses::default(),
                })
                .collect()
        }
        Change::DropIndex { index, concurrently, .. } => {
            let full = full_name(before, index);
            let holder = before.tables.iter().find(|table| {
                table.name.schema == full.schema && table.indexes.iter().any(|other| other.name == full.name)
            });
            let Some(table) = holder else { return Ok(Vec::new()) };
            let found = table.indexes.iter().filter(|other| other.name == full.name);
            found
                .map(|index| Change::CreateIndex {
                    table: table.name.clone(),
                    index: Box::new(index.clone()),
                    concurrently: *concurrently,
                    if_not_exists: false,
                    only: false,
                    online: OnlineClauses::default(),
                })
                .collect()
        }
        Change::RenameIndex { table, index, to, .. } => vec![Change::RenameIndex {
            table: table.clone(),
            index: sibling(index, to),
            to: index.name.clone(),
            if_exists: false,
        }],
        Change::DetachPartition { table, partition, .. } => {
            let TableKind::Partition { bound, .. } = &table_of(before, partition)?.kind else {
                return Err("the bound of the partition is not known".to_owned());
            };
            vec![Change::AttachPartition {
                table: table.clone(),
                partition: partition.clone(),
                bound: bound.clone(),
                alter: AlterClauses::default(),
            }]
        }
        Change::AttachPartition { table, partition, .. } => vec![Change::DetachPartition {
            table: table.clone(),
            partition: partition.clone(),
            concurrently: false,
            finalize: false,
            alter: AlterClauses::default(),
        }],
        Change::SetRowSecurity { table, enabled, forced, .. } => {
            let old = table_of(before, table)?.row_security;
            vec![Change::SetRowSecurity {
                table: table.clone(),
                enabled: enabled.map(|_| old.enabled),
                forced: forced.map(|_| old.forced),
                alter,
            }]
        }
        Change::SetReplicaIdentity { table, .. } => {
            let identity = table_of(before, table)?.replica_identity.clone();
            vec![Change::SetReplicaIdentity { table: table.clone(), identity, alter }]
        }
        Change::SetTableOptions { table, options, .. } => {
            let options = options_before(&table_of(before, table)?.options, options);
            vec![Change::SetTableOptions { table: table.clone(), options, alter }]
        }
        Change::CreateView { view, or_replace, .. } => match view_of(before, &view.name) {
            Some(old) if *or_replace => {
                vec![Change::CreateView {
                    view: Box::new(old.clone()),
                    or_replace: true,
                    if_not_exists: false,
                }]
            }
            _ => vec![Change::DropView {
                name: view.name.clone(),
                materialized: view.materialized,
                if_exists: true,
                cascade: false,
            }],
        },
        Change::DropView { name, .. } => {
            let old = view_of(before, name).ok_or("the definition of the view is not known")?;
            vec![Change::making_view(old)]
        }
        Change::CreateSequence { sequence, .. } => {
            vec![Change::DropSequence { name: sequence.name.clone(), if_exists: true, cascade: false }]
        }
        Change::AlterSequence { name, changes, .. } => sequence_back(before, name, changes)?,
        Change::DropSequence { .. } => return Err("the position of a dropped sequence is gone".to_owned()),
        Change::CreateType { user_type } => vec![Change::DropType {
            name: user_type.name.clone(),
            if_exists: true,
            cascade: false,
            domain: matches!(user_type.kind, UserTypeKind::Domain { .. }),
        }],
        Change::AddDomainCheck { name, .. } => {
            let old = domain_checks(before, name);
            let added = domain_checks(after, name).into_iter().filter(|check| !old.contains(check));
            added
                .map(|constraint| Change::DropDomainConstraint {
                    name: name.clone(),
                    constraint,
                    if_exists: true,
                    cascade: false,
                })
                .collect()
        }
        Change::SetDomainNotNull { name, not_null: true, .. } => {
            vec![Change::SetDomainNotNull { name: name.clone(), not_null: false, constraint: None }]
        }
        Change::AddEnumValue { .. } => return Err("a label cannot be taken out of an enum".to_owned()),
        Change::RenameEnumValue { name, value, to } => {
            vec![Change::RenameEnumValue { name: name.clone(), value: to.clone(), to: value.clone() }]
        }
        Change::CreateFunction { function, or_replace } => {
            let full = full_name(before, &function.name);
            let mut functions = before.functions.known().into_iter().flatten();
            match functions.find(|old| old.name == full && old.arguments == function.arguments) {
                Some(old) if *or_replace => {
                    vec![Change::CreateFunction { function: Box::new(old.clone()), or_replace: true }]
                }
                _ => vec![Change::DropFunction {
                    name: function.name.clone(),
                    arguments: Some(function.arguments.clone()),
                    if_exists: true,
                    cascade: false,
                    kind: ObjectKind::Function,
                }],
            }
        }
        Change::DropFunction { name, .. } => {
            let full = full_name(before, name);
            let functions = before.functions.known().into_iter().flatten();
            let old: Vec<_> = functions.filter(|old| old.name == full).collect();
            let [old] = old[..] else { return Err("which function is dropped is not known".to_owned()) };
            vec![Change::CreateFunction { function: Box::new(old.clone()), or_replace: false }]
        }
        Change::CreateTrigger { trigger, .. } => vec![Change::DropTrigger {
            table: Some(trigger.table.clone()),
            name: trigger.name.clone(),
            if_exists: true,
            cascade: false,
        }],
        Change::DropTrigger { table: Some(table), name, .. } => {
            let full = full_name(before, table);
            let mut triggers = before.triggers.known().into_iter().flatten();
            let old = triggers.find(|trigger| trigger.table == full && trigger.name == *name);
            let old = old.ok_or("the definition of the trigger is not known")?;
            vec![Change::CreateTrigger { trigger: Box::new(old.clone()), or_replace: false }]
        }
        Change::CreatePolicy { policy } => vec![Change::DropPolicy {
            table: policy.table.clone(),
            name: policy.name.clone(),
            if_exists: true,
            cascade: false,
        }],
        Change::CreateStatistics { .. } => {
            let made = after.statistics.iter();
            let made = made.filter(|new| !before.statistics.iter().any(|old| old.name == new.name));
            made.map(|new| Change::DropStatistics { name: new.name.clone(), if_exists: true, cascade: false })
                .collect()
        }
        Change::DropStatistics { name, .. } => {
            let full = full_name(before, name);
            let old = before.statistics.iter().find(|statistics| statistics.name == full);
            let old = old.ok_or("the definition of the statistics is not known")?;
            vec![Change::CreateStatistics { statistics: Box::new(old.clone()), if_not_exists: false }]
        }
        Change::RenameObject { kind, object, table, to } => vec![Change::RenameObject {
            kind: kind.clone(),
            object: sibling(object, to),
            table: table.clone(),
            to: object.name.clone(),
        }],
        Change::Comment { on, .. } => vec![Change::Comment { text: comment_of(before, on), on: on.clone() }],
        // What these leave is taken along by the undo of the step that made the object, or does not show.
        Change::ValidateConstraint { .. }
        | Change::AttachIndex { .. }
        | Change::Analyze { .. }
        | Change::Vacuum { .. }
        | Change::Reindex { .. }
        | Change::ReindexAll { .. }
        | Change::RefreshView { .. } => Vec::new(),
        _ => return Err("no way back is known for it".to_owned()),
    };
    Ok(back)
}

/// The name of an object as the catalog keeps it.
fn full_name(catalog: &Catalog, name: &QualifiedName) -> QualifiedName {
    match catalog.engine.dialect() {
        Dialect::Postgres => builder::full_name(name),
        Dialect::Mysql | Dialect::Sqlite => name.clone(),
    }
}

fn table_of<'a>(catalog: &'a Catalog, name: &QualifiedName) -> Result<&'a Table, Refusal> {
    let full = full_name(catalog, name);
    catalog.table(&full).ok_or_else(|| format!("there is no table `{full}`"))
}

fn view_of<'a>(catalog: &'a Catalog, name: &QualifiedName) -> Option<&'a View> {
    let full = full_name(catalog, name);
    catalog.views.iter().find(|view| view.name == full)
}

fn column_of<'a>(catalog: &'a Catalog, table: &QualifiedName, column: &Name) -> Result<&'a Column, Refusal> {
    let found = table_of(catalog, table)?.column(column.as_str());
    found.ok_or_else(|| format!("there is no column `{column}` in `{table}`"))
}

/// The names of the checks of a domain.
fn domain_checks(catalog: &Catalog, name: &QualifiedName) -> Vec<Name> {
    let full = full_name(catalog, name);
    let found = catalog.types.iter().find(|user_type| user_type.name == full);
    match found.map(|user_type| &user_type.kind) {
        Some(UserTypeKind::Domain { checks, .. }) => {
            checks.iter().filter_map(|check| check.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}

/// The indexes of a table or materialised view.
fn indexes_of<'a>(catalog: &'a Catalog, name: &QualifiedName) -> &'a [Index] {
    match (table_of(catalog, name), view_of(catalog, name)) {
        (Ok(table), _) => &table.indexes,
        (Err(_), Some(view)) => &view.indexes,
        (Err(_), None) => &[],
    }
}

/// Another object of the same schema.
fn sibling(object: &QualifiedName, name: &Name) -> QualifiedName {
    QualifiedName { schema: object.schema.clone(), name: name.clone() }
}

fn drop_added(
    before: &Catalog,
    after: &Catalog,
    table: &QualifiedName,
    names: impl Fn(&Table) -> Vec<Name>,
    alter: AlterClauses,
) -> Result<Vec<Change>, Refusal> {
    let old = names(table_of(before, table)?);
    let added = names(table_of(after, table)?).into_iter().filter(|name| !old.contains(name));
    Ok(added
        .map(|name| Change::DropConstraint {
            table: table.clone(),
            constraint: DroppedConstraint::Named(name),
            if_exists: true,
            cascade: false,
            alter: alter.clone(),
        })
        .collect())
}

fn added_again(
    before: &Catalog,
    table: &QualifiedName,
    constraint: &DroppedConstraint,
    alter: &AlterClauses,
) -> Result<Vec<Change>, Refusal> {
    let old = table_of(before, table)?;
    let name = match constraint {
        DroppedConstraint::Named(name) => Some(name),
        DroppedConstraint::PrimaryKey => old.primary_key.as_ref().and_then(|key| key.name.as_ref()),
    };
    let is_it = |other: &Option<Name>| other.as_ref() == name;
    let (table, alter) = (table.clone(), alter.clone());
    // An index that is built ahead, and rows that are checked afterwards, keep nobody waiting.
    let is_postgres = before.engine.dialect() == Dialect::Postgres;
    let ahead = is_postgres && matches!(old.kind, TableKind::Ordinary);
    let build = |name: &Name| -> Option<Change> {
        let index = old.indexes.iter().find(|index| index.name == *name).filter(|_| ahead)?;
        Some(key::build_again(old, index))
    };
    let is_primary = old.primary_key.as_ref().is_some_and(|key| is_it(&key.name));
    let keys = old.primary_key.iter().chain(&old.uniques);
    if let Some(key) = keys.clone().find(|key| is_it(&key.name)) {
        let built = name.filter(|_| !key.without_overlaps).and_then(|name| Some((name, build(name)?)));
        return Ok(match built {
            Some((name, build)) => vec![build, key::using(old, key, name, is_primary)],
            None if is_primary => {
                vec![Change::AddPrimaryKey { table, key: key.clone(), using_index: None, alter }]
            }
            None => vec![Change::AddUnique { table, key: key.clone(), using_index: None, alter }],
        });
    }
    let later = |is_validated: bool| Some(not_null::validate(old, name.filter(|_| is_validated)?));
    if let Some(check) = old.checks.iter().find(|check| is_it(&check.name)) {
        let mut check = check.clone();
        let validate = later(is_postgres && check.validated && check.enforced);
        check.validated &= validate.is_none();
        let add = Change::AddCheck { table, check, alter };
        return Ok([add].into_iter().chain(validate).collect());
    }
    if let Some(key) = old.foreign_keys.iter().find(|key| is_it(&key.name)) {
        let mut key = Box::new(key.clone());
        let validate = later(ahead && key.validated && key.enforced);
        key.validated &= validate.is_none();
        let add = Change::AddForeignKey { table, foreign_key: key, alter };
        return Ok([add].into_iter().chain(validate).collect());
    }
    if let Some(exclusion) = old.exclusions.iter().find(|exclusion| Some(&exclusion.name) == name) {
        return Ok(vec![Change::AddExclusion { table, exclusion: exclusion.clone(), alter }]);
    }
    Err("the definition of the dropped constraint is not known".to_owned())
}

/// The foreign keys that went with the key that they refer to.
fn lost_references(before: &Catalog, after: &Catalog) -> Result<Vec<Change>, Refusal> {
    let mut back = Vec::new();
    for old in &before.tables {
        let left = after.table(&old.name).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
        let lost = old.foreign_keys.iter().filter(|key| !left.iter().any(|other| other.name == key.name));
        for name in lost.filter_map(|key| key.name.clone()) {
            let constraint = DroppedConstraint::Named(name);
            back.extend(added_again(before, &old.name, &constraint, &AlterClauses::default())?);
        }
    }
    Ok(back)
}

fn sequence_back(
    before: &Catalog,
    name: &QualifiedName,
    changes: &SequenceChanges,
) -> Result<Vec<Change>, Refusal> {
    let full = full_name(before, name);
    let old = before.sequences.iter().find(|sequence| sequence.name == full);
    let old = old.ok_or("the sequence is not known")?;
    let typed = changes.data_type.is_some();
    let back = SequenceChanges {
        data_type: changes.data_type.as_ref().map(|_| old.data_type.clone()),
        increment: changes.increment.map(|_| old.increment),
        min: (typed || changes.min.is_some() || changes.no_min).then_some(old.min),
        max: (typed || changes.max.is_some() || changes.no_max).then_some(old.max),
        cycle: changes.cycle.map(|_| old.cycle),
        owned_by: changes.owned_by.as_ref().map(|_| old.owned_by.clone()),
        start: changes.start.map(|_| old.start),
        rename: changes.rename.as_ref().map(|_| old.name.name.clone()),
        ..SequenceChanges::default()
    };
    let current = changes.rename.as_ref().map_or_else(|| name.clone(), |to| sibling(name, to));
    Ok(vec![Change::AlterSequence { name: current, changes: back, if_exists: false }])
}

/// What sets the named options back; those that were not there are reset.
fn options_before(old: &[(Name, String)], changed: &[(Name, String)]) -> Vec<(Name, String)> {
    let value = |name: &Name| old.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
    changed.iter().map(|(name, _)| (name.clone(), value(name).unwrap_or_default())).collect()
}

fn comment_of(catalog: &Catalog, on: &CommentTarget) -> Option<String> {
    match on {
        CommentTarget::Schema(name) => {
            catalog.schemas.iter().find(|schema| schema.name == *name)?.comment.clone()
        }
        CommentTarget::Table(name) => table_of(catalog, name).ok()?.comment.clone(),
        CommentTarget::Column(table, column) => column_of(catalog, table, column).ok()?.comment.clone(),
        CommentTarget::View(name) => view_of(catalog, name)?.comment.clone(),
        CommentTarget::Index(name) => {
            let full = full_name(catalog, name);
            let tables = catalog.tables.iter().filter(|table| table.name.schema == full.schema);
            tables.flat_map(|table| &table.indexes).find(|index| index.name == full.name)?.comment.clone()
        }
        CommentTarget::Type(name) => {
            let full = full_name(catalog, name);
            catalog.types.iter().find(|user_type| user_type.name == full)?.comment.clone()
        }
        CommentTarget::Sequence(_) | CommentTarget::Other => None,
    }
}
