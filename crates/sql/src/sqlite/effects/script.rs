//! Several statements as one: a table that is built anew under its old name keeps what the new one has, and no more.

use std::collections::BTreeMap;

use dbwright_model::catalog::Table;
use dbwright_model::change::{Change, DataKind};
use dbwright_model::effect::{Cost, Effects, Lock, Loss, LossKind};
use dbwright_model::name::QualifiedName;

use super::{dependents, enforces_foreign_keys, is_legacy, of_statement};
use crate::fold::Folder;

/// How a table that the script makes was filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Filled {
    rows: bool,
    in_part: bool,
}

/// What the statements do, one after the other, on the tables that were there before them.
pub(crate) fn of_script(before: &Folder, statements: &[Vec<Change>]) -> Effects {
    let mut folder = before.clone();
    let mut effects = Effects::default();
    let mut made: BTreeMap<QualifiedName, Filled> = BTreeMap::new();
    for statement in statements {
        effects.include(of_statement(&folder, statement));
        for change in statement {
            follow(&folder, change, &mut made);
            folder.apply(change);
        }
    }
    if made.is_empty() {
        return effects;
    }
    effects.relations.retain(|effect| before.table(&effect.relation).is_some());
    let rebuilt = |name: &QualifiedName| before.table(name).is_some() && made.contains_key(name);
    effects.losses.retain(|loss| match loss.kind {
        // Reckoned below, when it is known what is there in the end.
        LossKind::Unwritable | LossKind::Unreadable | LossKind::Orphans => {
            !made.keys().any(|name| before.table(name).is_some())
        }
        _ => before.table(&loss.relation).is_some() && !rebuilt(&loss.relation),
    });
    for (name, filled) in &made {
        let (Some(old), Some(new)) = (before.table(name), folder.table(name)) else { continue };
        effects.add(&old.name, Lock::SqliteWrite, if filled.rows { Cost::Rewrite } else { Cost::Brief });
        for loss in losses(before, &folder, old, new, *filled) {
            effects.lose(&loss.relation, loss.kind);
        }
        if old.columns.iter().any(|column| column.auto_increment) {
            effects.assumed.push(format!("the last number of `{name}` is that of a row that is there"));
        }
    }
    effects
}

/// Follows the tables that the script makes.
fn follow(folder: &Folder, change: &Change, made: &mut BTreeMap<QualifiedName, Filled>) {
    match change {
        Change::CreateTable { table, .. } if folder.table(&table.name).is_none() => {
            made.insert(folder.full_name(&table.name), Filled::default());
        }
        Change::CreateTableAs { name, .. } => {
            made.insert(folder.full_name(name), Filled { rows: true, in_part: false });
        }
        Change::Data { kind: DataKind::Insert, table: Some(table), filtered, .. } => {
            if let Some(filled) = made.get_mut(&folder.full_name(table)) {
                filled.rows = true;
                filled.in_part |= *filtered;
            }
        }
        Change::RenameTable { table, to, .. } => {
            if let Some(filled) = made.remove(&folder.full_name(table)) {
                made.insert(folder.full_name(to), filled);
            }
        }
        Change::DropTable { name, .. } => {
            made.remove(&folder.full_name(name));
        }
        _ => {}
    }
}

/// What a table that was built anew has lost, and those that depend on it.
fn losses(before: &Folder, after: &Folder, old: &Table, new: &Table, filled: Filled) -> Vec<Loss> {
    let mut lost = Vec::new();
    let mut lose = |relation: &QualifiedName, kind: LossKind| {
        lost.push(Loss { relation: relation.clone(), kind });
    };
    let name = &old.name;
    if !filled.rows || filled.in_part {
        lose(name, LossKind::Rows);
    }
    let numbered = |table: &Table| table.columns.iter().any(|column| column.auto_increment);
    if numbered(old) && (!numbered(new) || filled.in_part) {
        lose(name, LossKind::Sequence);
    }
    let own = |table: &Table| -> Vec<_> {
        let plain = table.indexes.iter().filter(|index| index.backs.is_none());
        plain.map(|index| index.name.clone()).collect()
    };
    let kept = own(new);
    if own(old).iter().any(|index| !kept.contains(index)) {
        lose(name, LossKind::Indexes);
    }
    let triggers = |folder: &Folder| -> Vec<_> {
        let all = folder.catalog().triggers.known().into_iter().flatten();
        all.filter(|trigger| trigger.table == *name).map(|trigger| trigger.name.clone()).collect()
    };
    // The fold drops triggers with their table; those of the old one that stand on the new one were made again.
    let kept = triggers(after);
    if triggers(before).iter().any(|trigger| !kept.contains(trigger)) {
        lose(name, LossKind::Triggers);
    }
    let keeps_references = is_legacy(after) && !enforces_foreign_keys(after);
    for (child, key) in before.referencing(name) {
        let Some(now) = after.table(&child.name) else { continue };
        let moved = now
            .foreign_keys
            .iter()
            .find(|other| other.columns == key.columns && after.full_name(&other.references) != *name);
        if let Some(moved) = moved.filter(|_| !keeps_references) {
            lose(&child.name, LossKind::ReferenceMoved);
            if after.table(&moved.references).is_none() {
                lose(&child.name, LossKind::Orphans);
            }
        }
    }
    for column in &old.columns {
        if new.columns.iter().any(|other| other.name.eq_ignore_case(column.name.as_str())) {
            continue;
        }
        for view in before.views_reading(name, Some(&column.name)) {
            if dependents::says(&view.definition, &column.name) {
                lose(&view.name, LossKind::Unreadable);
            }
        }
    }
    lost
}
