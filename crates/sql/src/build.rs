//! The changes that make a catalog out of nothing, to have an empty twin of a database on a scratch server.

use dbwright_model::catalog::{Catalog, Check, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, CommentTarget, SequenceChanges};
use dbwright_model::name::{Name, QualifiedName};

/// What makes the objects of a PostgreSQL catalog, in an order that suits most: what comes too early, such as a view of a
/// later view, succeeds when it is tried again. Owners and tablespaces are left out, since no other server has them.
pub fn postgres(catalog: &Catalog) -> Vec<Change> {
    let mut changes = Vec::new();
    for schema in catalog.schemas.iter().filter(|schema| schema.name != "public") {
        changes.push(Change::CreateSchema { name: schema.name.clone(), if_not_exists: true });
    }
    for extension in catalog.extensions.known().into_iter().flatten() {
        changes.push(Change::CreateExtension { extension: extension.clone(), if_not_exists: true });
    }
    for user_type in catalog.types.iter().filter(|user_type| user_type.extension.is_none()) {
        changes.push(Change::CreateType { user_type: user_type.clone() });
    }
    let tables: Vec<&Table> = catalog.tables.iter().filter(|table| table.extension.is_none()).collect();
    // The server makes the sequences of identities by itself.
    let of_identity = |name: &QualifiedName| {
        let mut columns = tables.iter().flat_map(|table| &table.columns);
        columns.any(|column| column.identity.is_some() && column.sequence.as_ref() == Some(name))
    };
    let sequences: Vec<_> =
        catalog.sequences.iter().filter(|sequence| !of_identity(&sequence.name)).collect();
    for sequence in &sequences {
        let mut sequence = (*sequence).clone();
        sequence.owned_by = None;
        changes.push(Change::CreateSequence { sequence, if_not_exists: false });
    }
    for function in catalog.functions.known().into_iter().flatten() {
        if function.extension.is_none() {
            let mut function = function.clone();
            function.owner = None;
            changes.push(Change::CreateFunction { function: Box::new(function), or_replace: false });
        }
    }
    let mut ordered = tables.clone();
    ordered.sort_by_key(|table| depth(catalog, table));
    for table in &ordered {
        make_table(catalog, table, &mut changes);
    }
    for table in &ordered {
        make_foreign_keys(catalog, table, &mut changes);
    }
    for sequence in sequences.iter().filter(|sequence| sequence.owned_by.is_some()) {
        changes.push(Change::AlterSequence {
            name: sequence.name.clone(),
            changes: SequenceChanges {
                owned_by: Some(sequence.owned_by.clone()),
                ..SequenceChanges::default()
            },
            if_exists: false,
        });
    }
    for view in catalog.views.iter().filter(|view| view.extension.is_none()) {
        let mut view = view.clone();
        (view.owner, view.tablespace) = (None, None);
        let indexes = std::mem::take(&mut view.indexes);
        let name = view.name.clone();
        changes.push(Change::CreateView { view: Box::new(view), or_replace: false, if_not_exists: false });
        for index in indexes {
            changes.push(Change::CreateIndex {
                table: name.clone(),
                index: Box::new(index),
                concurrently: false,
                if_not_exists: false,
                only: false,
                online: Default::default(),
            });
        }
    }
    for trigger in catalog.triggers.known().into_iter().flatten() {
        changes.push(Change::CreateTrigger { trigger: Box::new(trigger.clone()), or_replace: false });
        if !trigger.enabled {
            changes.push(Change::SetTriggerEnabled {
                table: trigger.table.clone(),
                trigger: Some(trigger.name.clone()),
                enabled: false,
                alter: AlterClauses::default(),
                firing: Default::default(),
                user: false,
            });
        }
    }
    for rule in &catalog.rules {
        changes.push(Change::CreateRule { rule: Box::new(rule.clone()), or_replace: false });
    }
    for policy in catalog.policies.known().into_iter().flatten() {
        changes.push(Change::CreatePolicy { policy: Box::new(policy.clone()) });
    }
    for statistics in &catalog.statistics {
        changes.push(Change::CreateStatistics {
            statistics: Box::new(statistics.clone()),
            if_not_exists: false,
        });
    }
    for publication in catalog.publications.known().into_iter().flatten() {
        changes.push(Change::CreatePublication { publication: publication.clone() });
    }
    changes
}

/// How many tables stand above a table: those it is a part of or inherits from come first.
fn depth(catalog: &Catalog, table: &Table) -> usize {
    let mut depth = 0;
    let mut current = Some(table);
    while let Some(parent) = current.and_then(|table| parents(table).next())
        && depth < catalog.tables.len()
    {
        depth += 1;
        current = catalog.table(parent);
    }
    depth
}

fn parents(table: &Table) -> impl Iterator<Item = &QualifiedName> {
    let of = match &table.kind {
        TableKind::Partition { of, .. } => Some(of),
        _ => None,
    };
    of.into_iter().chain(&table.inherits)
}

fn make_table(catalog: &Catalog, table: &Table, changes: &mut Vec<Change>) {
    let mut made = table.clone();
    (made.owner, made.tablespace, made.clustered_on) = (None, None, None);
    made.foreign_keys.clear();
    made.indexes.retain(|index| index.backs.is_none() && index.partition_of.is_none());
    for index in &mut made.indexes {
        (index.tablespace, index.valid) = (None, true);
    }
    let inherited: Vec<&Table> = parents(table).filter_map(|name| catalog.table(name)).collect();
    let from_above = |check: &Check| {
        inherited.iter().any(|parent| parent.checks.iter().any(|other| other.name == check.name))
    };
    made.checks.retain(|check| !from_above(check));
    if table.is_partition() {
        // Its keys come from the parent, all but those whose index stands by itself.
        let own = |name: &Option<Name>| {
            let index = table.indexes.iter().find(|index| Some(&index.name) == name.as_ref());
            index.is_some_and(|index| index.partition_of.is_none())
        };
        made.primary_key = made.primary_key.filter(|key| own(&key.name));
        made.uniques.retain(|key| own(&key.name));
    }
    // A table cannot be made with constraints that are not validated.
    let (checks, later): (Vec<Check>, Vec<Check>) =
        std::mem::take(&mut made.checks).into_iter().partition(|check| check.validated || !check.enforced);
    made.checks = checks;
    let mut not_null_later = Vec::new();
    for column in &mut made.columns {
        if column.not_null_constraint.as_ref().is_some_and(|constraint| !constraint.validated) {
            column.not_null = false;
            not_null_later.extend(column.not_null_constraint.take().map(|made| (column.name.clone(), made)));
        }
    }
    changes.push(Change::CreateTable { table: Box::new(made), if_not_exists: false });
    for check in later {
        let (table, alter) = (table.name.clone(), AlterClauses::default());
        changes.push(Change::AddCheck { table, check, alter });
    }
    for (column, constraint) in not_null_later {
        let (table, alter) = (table.name.clone(), AlterClauses::default());
        changes.push(Change::AddNotNull { table, column, constraint, alter });
    }
    if let Some(index) = table.clustered_on.clone() {
        let (table, alter) = (table.name.clone(), AlterClauses::default());
        changes.push(Change::SetCluster { table, index: Some(index), alter });
    }
    for index in table.indexes.iter().filter(|index| index.backs.is_some()) {
        if let Some(comment) = &index.comment {
            let on = CommentTarget::Index(table.name.sibling(&index.name));
            changes.push(Change::Comment { on, text: Some(comment.clone()) });
        }
    }
}

fn make_foreign_keys(catalog: &Catalog, table: &Table, changes: &mut Vec<Change>) {
    let parent = match &table.kind {
        TableKind::Partition { of, .. } => catalog.table(of),
        _ => None,
    };
    for key in &table.foreign_keys {
        let from_above = parent.is_some_and(|parent| {
            let mut keys = parent.foreign_keys.iter();
            keys.any(|other| other.columns == key.columns && other.references == key.references)
        });
        if !from_above {
            changes.push(Change::AddForeignKey {
                table: table.name.clone(),
                foreign_key: Box::new(key.clone()),
                alter: AlterClauses::default(),
            });
        }
    }
}

/// The statements that make an SQLite catalog, as the engine keeps them or else as they can be written: tables first, what
/// stands on them afterwards. The second list names what cannot be written.
pub fn sqlite(catalog: &Catalog) -> (Vec<String>, Vec<String>) {
    let (mut statements, mut left_out) = (Vec::new(), Vec::new());
    let mut write = |change: &Change, name: &str| match crate::sqlite::write::change(None, change) {
        Some(written) => statements.extend(written.into_iter().map(|written| written.sql)),
        None => left_out.push(name.to_owned()),
    };
    for table in catalog.tables.iter().filter(|table| table.kind != TableKind::Shadow) {
        let mut made = table.clone();
        made.indexes.clear();
        write(&Change::CreateTable { table: Box::new(made), if_not_exists: false }, table.name.name.as_str());
        for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
            let change = Change::CreateIndex {
                table: table.name.clone(),
                index: Box::new(index.clone()),
                concurrently: false,
                if_not_exists: false,
                only: false,
                online: Default::default(),
            };
            write(&change, index.name.as_str());
        }
    }
    for view in &catalog.views {
        let change =
            Change::CreateView { view: Box::new(view.clone()), or_replace: false, if_not_exists: false };
        write(&change, view.name.name.as_str());
    }
    for trigger in catalog.triggers.known().into_iter().flatten() {
        let change = Change::CreateTrigger { trigger: Box::new(trigger.clone()), or_replace: false };
        write(&change, trigger.name.as_str());
    }
    (statements, left_out)
}
