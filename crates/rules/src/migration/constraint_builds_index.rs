use dbwright_model::catalog::{Index, IndexPart, Key, TableKind};
use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, RelationEffect};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "a unique key is built without blocking writes there, or cannot be added at all",
    ),
    when: "a primary key, a unique or an exclusion constraint builds its index on a table in use",
    then: "Nobody reads or writes the table until the index is built.",
    instead: "Build a unique index `CONCURRENTLY`, and make it the constraint with `USING INDEX`.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"ADD table_constraint_using_index\"; measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, what) = match change {
            Change::AddPrimaryKey { table, using_index: None, .. } => (table, "primary key"),
            Change::AddUnique { table, using_index: None, .. } => (table, "unique constraint"),
            Change::AddExclusion { table, .. } => (table, "exclusion constraint"),
            _ => return Verdict::Other,
        };
        // A table that is rewritten anyway is another rule's.
        let blocking = judged.blocking_tree(table).filter(|(_, effect)| effect.cost < Cost::Rewrite);
        let Some((name, effect)) = blocking else { return Verdict::Fine };
        // The partitioned table stays locked while the indexes of its partitions are built.
        let own = judged.effect(table).map_or(effect.lock, |own| own.lock);
        let effect = &RelationEffect { lock: effect.lock.max(own), ..effect.clone() };
        let message =
            format!("The index of the {what} on `{name}` is built while {} wait.", lint::waiting(effect));
        let object = match change {
            Change::AddPrimaryKey { key, .. } | Change::AddUnique { key, .. } => {
                ObjectRef::columns(name, &key.columns)
            }
            _ => ObjectRef::table(name),
        };
        let found = judged.felt(context, effect, object, message);
        Verdict::Found(found.remedy(remedy(&judged, change)))
    });
}

/// For constraints that cannot take over an index.
const COPY: &str = "Copy the rows into a new table that has the constraint, keep it in step with a trigger, and swap the two.";

fn remedy(judged: &Judged<'_>, change: &Change) -> Remedy {
    let (table, key, primary) = match change {
        Change::AddPrimaryKey { table, key, .. } => (table, key, true),
        Change::AddUnique { table, key, .. } => (table, key, false),
        _ => return Remedy::manual(COPY),
    };
    if key.without_overlaps {
        return Remedy::manual(COPY);
    }
    let known = judged.statement.table(table);
    if known.is_some_and(|table| matches!(table.kind, TableKind::Partitioned { .. })) {
        return Remedy::manual(
            "Create a unique index `ON ONLY` the partitioned table, build one `CONCURRENTLY` on each partition, and attach them.",
        );
    }
    let not_null = |table: &dbwright_model::catalog::Table| {
        key.columns.iter().all(|name| table.column(name.as_str()).is_some_and(|column| column.not_null))
    };
    if primary && !known.is_some_and(not_null) {
        return Remedy::manual(
            "Make the columns `NOT NULL`, proven by a validated check, build a unique index `CONCURRENTLY`, and make it the key with `USING INDEX`.",
        );
    }
    match steps(table, key, primary).filter(|_| judged.alone()) {
        Some(changes) => Remedy::review(RULE.instead, changes),
        None => Remedy::manual(RULE.instead),
    }
}

/// A unique index under the name of the constraint, and the constraint that takes it over.
fn steps(table: &QualifiedName, key: &Key, primary: bool) -> Option<Vec<Change>> {
    let name = match &key.name {
        Some(name) => name.clone(),
        None if primary => lint::constraint_name(table, &[], "pkey")?,
        None => lint::constraint_name(table, &key.columns, "key")?,
    };
    let index = Index {
        name: name.clone(),
        parts: key.columns.iter().map(IndexPart::column).collect(),
        include: key.include.clone(),
        unique: true,
        nulls_not_distinct: key.nulls_not_distinct,
        options: key.options.clone(),
        tablespace: key.tablespace.clone(),
        ..Index::default()
    };
    let create = Change::CreateIndex {
        online: Default::default(),
        table: table.clone(),
        index: Box::new(index),
        concurrently: true,
        if_not_exists: false,
        only: false,
    };
    let taken = Key {
        name: Some(name.clone()),
        deferrable: key.deferrable,
        initially_deferred: key.initially_deferred,
        ..Key::default()
    };
    let (table, using_index) = (table.clone(), Some(name));
    let constrain = match primary {
        true => Change::AddPrimaryKey { alter: Default::default(), table, key: taken, using_index },
        false => Change::AddUnique { alter: Default::default(), table, key: taken, using_index },
    };
    Some(vec![create, constrain])
}
