//! Statements about rows.

use dbwright_model::change::DataKind;
use dbwright_model::effect::{Cost, Lock};
use dbwright_model::name::QualifiedName;

use super::Reckoning;

impl Reckoning<'_> {
    pub(super) fn data(&mut self, kind: DataKind, table: Option<&QualifiedName>, filtered: bool) {
        let Some(table) = table else { return };
        match kind {
            DataKind::Select => self.note_tree(table, Lock::AccessShare, Cost::Brief),
            DataKind::Truncate => self.truncate(table),
            DataKind::Insert | DataKind::Copy => self.note_tree(table, Lock::RowExclusive, Cost::Brief),
            DataKind::Update | DataKind::Delete | DataKind::Merge => {
                let cost = if filtered { Cost::Brief } else { Cost::Scan };
                self.note_tree(table, Lock::RowExclusive, cost);
            }
        }
    }

    fn truncate(&mut self, table: &QualifiedName) {
        let before = self.before;
        let name = before.full_name(table);
        self.note_tree(&name, Lock::AccessExclusive, Cost::Rewrite);
        for (child, _) in before.referencing(&name).filter(|(child, _)| child.name != name) {
            self.refuse(format!("the foreign key of `{}` needs the rows", child.name));
        }
    }
}
