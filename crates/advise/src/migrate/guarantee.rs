//! Guarantees that one request drops and gives again: step by step the rows would be without them in between.

use dbwright_model::catalog::{Index, IndexKey, Table};
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::name::{Name, QualifiedName};

use super::builder::Builder;
use super::words::has_word;

/// What is promised of the rows of a table.
struct Guarantee {
    table: QualifiedName,
    kind: Kind,
    /// Its name, where it has one.
    name: Option<Name>,
    /// The columns that it is about.
    columns: Vec<Name>,
}

/// Guarantees of one kind may take each other's place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Check,
    Unique { primary: bool },
    ForeignKey,
    Exclusion,
}

/// The changes, by their position, that drop a guarantee in the place of which a later one gives another, with the reason why
/// they have no plan.
pub(super) fn gaps(builder: &Builder<'_>, changes: &[Change]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (position, change) in changes.iter().enumerate() {
        let Some(dropped) = dropped(builder, change) else { continue };
        let later = changes[position + 1..].iter().filter_map(|change| added(builder, change));
        if let Some(added) = later.into_iter().find(|added| takes_the_place(added, &dropped)) {
            found.push((position, because(builder, &dropped, &added)));
        }
    }
    found
}

fn takes_the_place(added: &Guarantee, dropped: &Guarantee) -> bool {
    let same_kind = match (added.kind, dropped.kind) {
        (Kind::Unique { primary: true }, Kind::Unique { primary: true }) => {
            return added.table == dropped.table;
        }
        (Kind::Unique { .. }, Kind::Unique { .. }) => true,
        (one, other) => one == other,
    };
    let same_name = added.name.is_some() && added.name == dropped.name;
    let shared = added.columns.iter().any(|column| dropped.columns.contains(column));
    same_kind && added.table == dropped.table && (same_name || shared)
}

fn because(builder: &Builder<'_>, dropped: &Guarantee, added: &Guarantee) -> String {
    let (table, name) = (builder.quoted_name(&dropped.table), dropped.name.as_ref());
    let name = name.map_or_else(|| "the old one".to_owned(), |name| format!("`{name}`"));
    let gap =
        format!("between dropping {name} and the new one nothing would hold the rows of `{table}` to it");
    let columns = builder.list(&added.columns);
    match added.kind {
        Kind::Unique { primary: true } => format!(
            "{gap}: plan a unique index on ({columns}) first; when it is there, one short transaction drops {name} and makes \
             the index the key with `ADD PRIMARY KEY USING INDEX`"
        ),
        _ => format!(
            "{gap}: plan the new one first under another name, drop {name} in a later plan, and rename the new one"
        ),
    }
}

fn dropped(builder: &Builder<'_>, change: &Change) -> Option<Guarantee> {
    match change {
        Change::DropConstraint { table, constraint, .. } => {
            let table = known(builder, table)?;
            let guarantee = |kind, name: Option<&Name>, columns: Vec<Name>| {
                Some(Guarantee { table: table.name.clone(), kind, name: name.cloned(), columns })
            };
            let primary = |table: &Table| {
                let key = table.primary_key.as_ref()?;
                guarantee(Kind::Unique { primary: true }, key.name.as_ref(), key.columns.clone())
            };
            let name = match constraint {
                DroppedConstraint::PrimaryKey => return primary(table),
                DroppedConstraint::Named(name) => Some(name),
            };
            let is_it = |other: &Option<Name>| other.as_ref() == name;
            if table.primary_key.as_ref().is_some_and(|key| is_it(&key.name)) {
                return primary(table);
            }
            if let Some(key) = table.uniques.iter().find(|key| is_it(&key.name)) {
                return guarantee(Kind::Unique { primary: false }, name, key.columns.clone());
            }
            if let Some(key) = table.foreign_keys.iter().find(|key| is_it(&key.name)) {
                return guarantee(Kind::ForeignKey, name, key.columns.clone());
            }
            if let Some(check) = table.checks.iter().find(|check| is_it(&check.name)) {
                return guarantee(Kind::Check, name, spoken_of(table, &check.expression.text));
            }
            let exclusion = table.exclusions.iter().find(|exclusion| Some(&exclusion.name) == name)?;
            guarantee(Kind::Exclusion, name, spoken_of(table, &exclusion.definition))
        }
        Change::DropIndex { index: name, .. } => {
            let (table, index) = builder.catalog.tables.iter().find_map(|table| {
                let is_it = |index: &&Index| index.unique && name.may_be(&table.name.sibling(&index.name));
                Some((table, table.indexes.iter().find(is_it)?))
            })?;
            Some(of_index(&table.name, index))
        }
        _ => None,
    }
}

fn added(builder: &Builder<'_>, change: &Change) -> Option<Guarantee> {
    match change {
        Change::AddPrimaryKey { table, key, using_index: None, .. }
        | Change::AddUnique { table, key, using_index: None, .. } => Some(Guarantee {
            table: known(builder, table)?.name.clone(),
            kind: Kind::Unique { primary: matches!(change, Change::AddPrimaryKey { .. }) },
            name: key.name.clone(),
            columns: key.columns.clone(),
        }),
        Change::AddCheck { table, check, .. } => {
            let table = known(builder, table)?;
            Some(Guarantee {
                table: table.name.clone(),
                kind: Kind::Check,
                name: check.name.clone(),
                columns: spoken_of(table, &check.expression.text),
            })
        }
        Change::AddForeignKey { table, foreign_key, .. } => Some(Guarantee {
            table: known(builder, table)?.name.clone(),
            kind: Kind::ForeignKey,
            name: foreign_key.name.clone(),
            columns: foreign_key.columns.clone(),
        }),
        Change::AddExclusion { table, exclusion, .. } => {
            let table = known(builder, table)?;
            Some(Guarantee {
                table: table.name.clone(),
                kind: Kind::Exclusion,
                name: Some(exclusion.name.clone()),
                columns: spoken_of(table, &exclusion.definition),
            })
        }
        Change::CreateIndex { table, index, .. } if index.unique => {
            Some(of_index(&known(builder, table)?.name, index))
        }
        _ => None,
    }
}

fn of_index(table: &QualifiedName, index: &Index) -> Guarantee {
    let columns = index.parts.iter().filter_map(|part| match &part.key {
        IndexKey::Column(name) => Some(name.clone()),
        IndexKey::Expression(_) => None,
    });
    Guarantee {
        table: table.clone(),
        kind: Kind::Unique { primary: false },
        name: Some(index.name.clone()),
        columns: columns.collect(),
    }
}

/// The columns of a table that a text speaks of.
fn spoken_of(table: &Table, text: &str) -> Vec<Name> {
    let text = text.to_lowercase();
    let names = table.columns.iter().map(|column| &column.name);
    names.filter(|name| has_word(&text, &name.as_str().to_lowercase())).cloned().collect()
}

/// A table of the catalog; SQLite's have no schema.
fn known<'b>(builder: &'b Builder<'_>, name: &QualifiedName) -> Option<&'b Table> {
    builder.catalog.table(name).or_else(|| builder.catalog.table(&super::builder::full_name(name)))
}
