//! Partitioning of a table by `ALTER TABLE`.

use dbwright_model::catalog::{Index, TableKind};
use dbwright_model::change::PartitionChange;

use super::{Alteration, COPY};

impl Alteration<'_, '_> {
    /// `PARTITION BY` and `REMOVE PARTITIONING`.
    pub(super) fn partition(&mut self, partitions: &PartitionChange) {
        self.raise(COPY);
        if partitions.action != "PARTITION BY" {
            return;
        }
        let bound = !self.table.foreign_keys.is_empty()
            || self.reckoning.before.referencing(&self.name).next().is_some();
        if bound {
            self.refuse(format!("a foreign key binds `{}`, which so takes no partitions", self.name));
        }
        let Some(TableKind::Partitioned { key, .. }) = crate::mysql::partitioned(&partitions.text) else {
            return;
        };
        let Some(tree) = crate::mysql::expression::expression(&key) else { return };
        let unique = self.table.indexes.iter().filter(|index| index.unique).filter_map(Index::columns);
        let primary = self.table.primary_key.iter().map(|key| key.columns.iter().collect::<Vec<_>>());
        let lacking = unique.chain(primary).any(|columns| {
            tree.columns().iter().any(|part| !columns.iter().any(|name| name.eq_ignore_case(part.as_str())))
        });
        if lacking {
            self.refuse(format!("a unique key of `{}` lacks the columns that part it", self.name));
        }
    }
}
