use dbwright_model::catalog::{ForeignKey, Index, IndexPart, Key, Table};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName, join};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::index_shape::finds_children;
use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    engines: Engines::only(
        Engine::Postgres,
        "the server makes the index by itself there, or keys come with the table, whose review tells it",
    ),
    when: "a migration adds a foreign key, and no index begins with its columns",
    then: "Every delete or key change of a parent row scans the whole child table.",
    instead: "Create an index on the referencing columns, before the key where rows are there already.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, \"Constraints\", \"Foreign Keys\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| match change {
        Change::AddForeignKey { table, foreign_key, .. } => {
            let known = judged.statement.table(table);
            let added = foreign_key.columns.iter().any(|name| judged.adds_column(table, name).is_some());
            let own = known.is_some_and(|known| serves(known, &foreign_key.columns));
            // A table that is not known may well have an index, unless the column is new.
            if own || (known.is_none() && !added) || is_indexed(&judged, table, &foreign_key.columns) {
                return Verdict::Fine;
            }
            let name = judged.effect(table).map_or(table, |effect| &effect.relation);
            Verdict::Found(found(context, &judged, name, table, foreign_key))
        }
        Change::CreateTable { table, if_not_exists }
            if !table.foreign_keys.is_empty()
                && !table.is_partition()
                && judged.makes(table, *if_not_exists) =>
        {
            let missing = table
                .foreign_keys
                .iter()
                .find(|key| !serves(table, &key.columns) && !is_indexed(&judged, &table.name, &key.columns));
            match missing {
                Some(key) => Verdict::Found(found(context, &judged, &table.name, &table.name, key)),
                None => Verdict::Fine,
            }
        }
        _ => Verdict::Other,
    });
}

fn found(
    context: &Context<'_>,
    judged: &Judged<'_>,
    name: &QualifiedName,
    table: &QualifiedName,
    key: &ForeignKey,
) -> crate::Found {
    let message = format!(
        "No index of `{name}` begins with `{}`: each delete in `{}` will scan the table.",
        join(&key.columns),
        key.references
    );
    let found = judged.found(ObjectRef::columns(name, &key.columns), message);
    let partitioned = judged
        .statement
        .table(table)
        .is_some_and(|table| matches!(table.kind, dbwright_model::catalog::TableKind::Partitioned { .. }));
    let Some(index) = lint::constraint_name(table, &key.columns, "idx").filter(|_| !partitioned) else {
        return found.remedy(Remedy::manual(RULE.instead));
    };
    let create = Change::CreateIndex {
        online: Default::default(),
        table: table.clone(),
        index: Box::new(Index {
            name: index,
            parts: key.columns.iter().map(IndexPart::column).collect(),
            ..Index::default()
        }),
        concurrently: context.can(dbwright_model::capability::Capability::ConcurrentIndex),
        if_not_exists: false,
        only: false,
    };
    found.remedy(Remedy::review(RULE.instead, vec![create]))
}

fn serves(table: &Table, columns: &[Name]) -> bool {
    table.indexes.iter().any(|index| finds_children(index, columns))
        || table.primary_key.iter().chain(&table.uniques).any(|key| begins_with(key, columns))
}

fn begins_with(key: &Key, columns: &[Name]) -> bool {
    key.columns.len() >= columns.len()
        && key.columns[..columns.len()].iter().all(|name| columns.contains(name))
}

/// Whether the migrations make such an index, in this statement, before or after it.
fn is_indexed(judged: &Judged<'_>, table: &QualifiedName, columns: &[Name]) -> bool {
    lint::changes(&judged.chain.statements).any(|change| match change {
        Change::CreateIndex { table: owner, index, .. } => {
            owner.may_be(table) && finds_children(index, columns)
        }
        Change::AddPrimaryKey { table: owner, key, .. } | Change::AddUnique { table: owner, key, .. } => {
            owner.may_be(table) && begins_with(key, columns) && !key.columns.is_empty()
        }
        Change::DropTable { name, .. } => name.may_be(table),
        _ => false,
    })
}
