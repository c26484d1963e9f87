use dbwright_model::catalog::{Column, Index, IndexPart, Persistence, Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};

use crate::index_shape::rank;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 8,
    when: "a table has no primary key",
    then: "Rows cannot be named: they cannot be referenced, updated one at a time, replicated logically or de-duplicated.",
    instead: "Promote a unique index over `NOT NULL` columns to the primary key, or add an identity column.",
    in_prisma: Some("mark a field with `@id`, or several with `@@id([a, b])`"),
    remedy: Applicability::Review,
    source: "PostgreSQL documentation, logical replication: replica identity; InnoDB: the clustered index falls back to a hidden row id",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        // A child by inheritance leaves the key to its parent's users; temporary and unlogged tables are scratch space.
        if !table.inherits.is_empty() || table.persistence != Persistence::Permanent {
            continue;
        }
        if matches!(table.kind, TableKind::Foreign { .. }) || table.columns.is_empty() {
            continue;
        }
        findings.examined(1);
        if table.primary_key.is_some() {
            continue;
        }
        let candidate = table
            .indexes
            .iter()
            .filter(|index| could_be_key(table, index))
            .min_by_key(|index| (rank(table, index), &index.name));
        let mut found = Found::at(
            ObjectRef::table(&table.name),
            format!("`{}` has no primary key, so its rows cannot be told apart.", table.name),
        )
        .evidence("columns", table.columns.len());
        if let Some(index) = candidate {
            found = found.evidence("unique over NOT NULL columns", &index.name);
            if context.engine() == Engine::Postgres && can_be_promoted(table, index) {
                let key =
                    dbwright_model::catalog::Key { name: Some(index.name.clone()), ..Default::default() };
                found = found.remedy(Remedy::review(
                    format!("Make the unique index `{}` the primary key.", index.name),
                    vec![Change::AddPrimaryKey {
                        alter: Default::default(),
                        table: table.name.clone(),
                        key,
                        using_index: Some(index.name.clone()),
                    }],
                ));
            } else {
                found = found.remedy(Remedy::manual(RULE.instead));
            }
        } else {
            found = found.remedy(without_candidate(context, table));
        }
        findings.add(found);
    }
}

/// Whether an index tells all rows apart.
fn could_be_key(table: &Table, index: &Index) -> bool {
    index.unique
        && index.valid
        && index.predicate.is_none()
        && index.is_btree()
        && index.columns().is_some_and(|columns| {
            columns.iter().all(|name| table.column(name.as_str()).is_some_and(|column| column.not_null))
        })
}

/// Whether `USING INDEX` takes the index: it stands behind no constraint yet, is sorted in the usual way and its table is
/// not partitioned.
fn can_be_promoted(table: &Table, index: &Index) -> bool {
    let usual = |part: &IndexPart| {
        !part.descending
            && !part.nulls_first
            && part.operator_class.is_none()
            && part.collation.is_none()
            && part.prefix.is_none()
    };
    index.backs.is_none() && index.parts.iter().all(usual) && table.kind == TableKind::Ordinary
}

/// What to do where no unique key is at hand. A table of references alone is identified by them.
fn without_candidate(context: &Context<'_>, table: &Table) -> Remedy {
    let refers = |column: &Column| table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
    let joins = table.columns.len() >= 2 && table.columns.iter().all(refers);
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.to_string()).collect();
    let sqlite = context.engine() == Engine::Sqlite;
    match (joins, sqlite) {
        (true, false) => Remedy::manual(format!(
            "Make `PRIMARY KEY ({})` the key, after repeated rows are removed.",
            columns.join(", ")
        )),
        (true, true) => Remedy::manual(format!(
            "Make the table anew with `PRIMARY KEY ({})`, and copy each row once: SQLite adds no key to a table.",
            columns.join(", ")
        )),
        (false, true) => Remedy::manual(
            "Make the table anew with an `INTEGER PRIMARY KEY`, and copy the rows: SQLite adds no key to a table.",
        ),
        (false, false) => Remedy::manual(RULE.instead),
    }
}
