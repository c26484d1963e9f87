//! Work that is done on a table and on all below it: partitions and heirs.

use dbwright_model::change::Change;
use dbwright_model::effect::{Blocks, Cost, RelationEffect};
use dbwright_model::name::QualifiedName;

use super::Judged;

impl<'a> Judged<'a> {
    /// The relations on which the statement does work of the kind of an effect for the sake of a table with heirs or
    /// partitions: itself and those below it. Empty where the statement changes other tables too.
    pub fn work_below(&self, table: &QualifiedName, effect: &RelationEffect) -> Vec<&'a QualifiedName> {
        let one = |change: &Change| tree_of(change).is_some_and(|other| other == table);
        if !self.statement.changes.iter().all(one) {
            return Vec::new();
        }
        let alike = |other: &&RelationEffect| {
            other.cost == effect.cost && other.lock.blocks() >= Blocks::Writes && effect.cost > Cost::Brief
        };
        self.statement.felt().filter(alike).map(|other| &other.relation).collect()
    }
}

/// The table of a change that does its work on this table and all below it, and on no other.
pub(super) fn tree_of(change: &Change) -> Option<&QualifiedName> {
    match change {
        Change::AddColumn { table, .. }
        | Change::SetNotNull { table, .. }
        | Change::AddCheck { table, .. }
        | Change::AddNotNull { table, .. }
        | Change::AddPrimaryKey { table, .. }
        | Change::AddUnique { table, .. }
        | Change::CreateIndex { table, .. } => Some(table),
        _ => None,
    }
}
