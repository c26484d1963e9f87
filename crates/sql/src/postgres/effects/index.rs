//! Indexes, and the order of rows by them.

use dbwright_model::catalog::{ConstraintKind, Index, IndexKey, Table};
use dbwright_model::change::{Change, ReindexTarget};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::volatility::{self, Judgement};

const AX: Lock = Lock::AccessExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn index_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            CreateIndex { table, index, concurrently, if_not_exists, only, .. } => {
                self.create_index(table, index, *concurrently, *if_not_exists, *only);
            }
            DropIndex { index, concurrently, .. } => self.drop_index(index, *concurrently),
            RenameIndex { index, .. } | SetIndexOptions { index, .. } | SetIndexStatistics { index, .. } => {
                self.note_index(index, SUX, Cost::Brief)
            }
            SetIndexExtension { index } => self.note_index(index, AX, Cost::Brief),
            AttachIndex { parent, child } => {
                self.note_index(parent, SUX, Cost::Brief);
                self.note_index(child, AX, Cost::Brief);
            }
            Reindex { index, concurrently } => self.reindex(index, *concurrently),
            ReindexAll { target, concurrently } => self.reindex_all(target, *concurrently),
            Cluster { table: Some(table), index } => self.cluster(table, index.as_ref()),
            Cluster { .. } => {
                self.outside();
                let before = self.before;
                for table in before.catalog().tables.iter().filter(|table| table.clustered_on.is_some()) {
                    self.note_rows(Some(table), &table.name, AX, Cost::Rewrite);
                }
            }
            SetCluster { table, index, .. } => {
                if let Some((known, index)) = self.before.table(table).zip(index.as_ref()) {
                    self.refuse_absent_index(known, index);
                }
                self.note(table, SUX, Cost::Brief);
            }
            _ => {}
        }
    }

    /// Locks an index; its table is left alone.
    pub(super) fn note_index(&mut self, index: &QualifiedName, lock: Lock, cost: Cost) {
        let full = match self.before.index(None, index) {
            Some((owner, known)) => QualifiedName { schema: owner.schema.clone(), name: known.name.clone() },
            None => self.before.full_name(index),
        };
        self.effects.add(&full, lock, cost);
    }

    fn create_index(
        &mut self,
        table: &QualifiedName,
        index: &Index,
        concurrently: bool,
        if_not_exists: bool,
        only: bool,
    ) {
        let before = self.before;
        let name = before.full_name(table);
        let known = before.table(&name);
        let lock = if concurrently { SUX } else { Lock::Share };
        if concurrently {
            self.outside();
            if known.is_some_and(|table| self.is_partitioned(table)) {
                self.refuse(format!("`{name}` is partitioned, where an index cannot be built concurrently"));
            }
        }
        if before.view(&name).is_some_and(|view| !view.materialized) {
            self.refuse(format!("`{name}` is a view"));
        }
        let heirs: Vec<&Table> = match only {
            true => Vec::new(),
            false => before.descendants(&name).into_iter().filter(|heir| heir.is_partition()).collect(),
        };
        if !index.name.is_empty() && before.index(None, &name.sibling(&index.name)).is_some() {
            if !if_not_exists {
                self.refuse_existing(format!("there is an index `{}` already", index.name));
            }
            for name in std::iter::once(&name).chain(heirs.iter().map(|heir| &heir.name)) {
                self.note(name, lock, Cost::Brief);
            }
            return;
        }
        if let Some(known) = known {
            self.refuse_parts(known, index);
        }
        if index.unique {
            self.effects.demands.push(Demand::Unique { table: name.clone() });
        }
        let cost = match known {
            // Without partitions below it there is hardly a reason to say so, and with them nothing is built.
            None if only => {
                self.assume(format!(
                    "`{name}` is taken for partitioned, since an index is made `ON ONLY` it"
                ));
                Cost::Brief
            }
            _ => Cost::IndexBuild,
        };
        self.note_rows(known, &name, lock, cost);
        for heir in heirs {
            // A partition that has such an index already only gives it up to the one above, unless it is part of another.
            let has = heir.indexes.iter().any(|own| super::partition::can_be_part_of(own, index));
            self.note_rows(Some(heir), &heir.name, lock, if has { Cost::Brief } else { Cost::IndexBuild });
        }
    }

    fn refuse_parts(&mut self, table: &Table, index: &Index) {
        for part in &index.parts {
            match &part.key {
                IndexKey::Column(column) => {
                    self.is_column_absent(table, column, false);
                }
                IndexKey::Expression(expression) => {
                    let tree = expression.tree.as_deref();
                    if tree.is_some_and(|tree| volatility::judge(self.before, tree) == Judgement::Volatile) {
                        self.refuse("an index cannot be over a value that changes by itself");
                    }
                }
            }
        }
    }

    fn drop_index(&mut self, index: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let lock = if concurrently { SUX } else { AX };
        if concurrently {
            self.outside();
            let dropped = |change: &&Change| matches!(change, Change::DropIndex { .. });
            if self.statement.iter().filter(dropped).count() > 1 {
                self.refuse("only one index at a time can be dropped concurrently");
            }
        }
        let Some((owner, known)) = before.index(None, index) else {
            self.assume(format!("the table of the index `{index}` is not known"));
            self.effects.add(&before.full_name(index), lock, Cost::Brief);
            return;
        };
        if is_key(known) {
            self.refuse(format!("a constraint of `{owner}` needs the index"));
        }
        if let Some(above) = &known.partition_of {
            self.refuse(format!("it is a part of the index `{above}`"));
        }
        if concurrently && before.table(owner).is_some_and(|table| self.is_partitioned(table)) {
            self.refuse(format!("`{owner}` is partitioned, where an index cannot be dropped concurrently"));
        }
        self.note(owner, lock, Cost::Brief);
        for heir in before.descendants(owner).into_iter().filter(|heir| heir.is_partition()) {
            self.note(&heir.name, lock, Cost::Brief);
        }
    }

    fn reindex(&mut self, index: &QualifiedName, concurrently: bool) {
        let before = self.before;
        if concurrently {
            self.outside();
        }
        let lock = if concurrently { SUX } else { Lock::Share };
        let Some((owner, known)) = before.index(None, index) else {
            self.assume(format!("the table of the index `{index}` is not known"));
            if !concurrently {
                self.note_index(index, AX, Cost::IndexBuild);
            }
            return;
        };
        let table = before.table(owner);
        let partitioned = table.is_some_and(|table| self.is_partitioned(table));
        if partitioned {
            // Each partition is a transaction of its own.
            self.outside();
            if self.major < 14 {
                self.refuse(format!(
                    "`{owner}` is partitioned, whose indexes need PostgreSQL 14 to be rebuilt"
                ));
            }
        }
        self.note_rows(table, owner, lock, Cost::IndexBuild);
        if !concurrently {
            self.note_index(index, AX, if partitioned { Cost::Brief } else { Cost::IndexBuild });
        }
        let parts = before.descendants(owner).into_iter().filter(|_| partitioned);
        for heir in parts {
            let own = heir.indexes.iter().find(|own| own.partition_of.as_ref() == Some(&known.name));
            let Some(own) = own else { continue };
            self.note_rows(Some(heir), &heir.name, lock, Cost::IndexBuild);
            if !concurrently {
                self.note_index(&heir.name.sibling(&own.name), AX, Cost::IndexBuild);
            }
        }
    }

    fn reindex_all(&mut self, target: &ReindexTarget, concurrently: bool) {
        let before = self.before;
        if concurrently {
            self.outside();
        }
        let schema = match target {
            ReindexTarget::Table(table) => {
                if !self.is_absent(table, false) {
                    self.reindex_table(table, concurrently);
                }
                return;
            }
            ReindexTarget::Schema(schema) => Some(schema),
            ReindexTarget::Database(_) => None,
            ReindexTarget::System(_) => return self.outside(),
        };
        self.outside();
        for table in &before.catalog().tables {
            let inside = schema.is_none_or(|schema| table.name.schema == *schema);
            if inside && !self.is_partitioned(table) {
                self.reindex_indexes(table, concurrently);
            }
        }
    }

    fn reindex_table(&mut self, table: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let name = before.full_name(table);
        let Some(known) = before.table(&name) else {
            self.note(&name, if concurrently { SUX } else { Lock::Share }, Cost::IndexBuild);
            return;
        };
        if !self.is_partitioned(known) {
            self.reindex_indexes(known, concurrently);
            return;
        }
        self.note(&name, if concurrently { SUX } else { Lock::Share }, Cost::Brief);
        if self.major >= 14 {
            self.outside();
            for heir in before.descendants(&name) {
                self.reindex_indexes(heir, concurrently);
            }
        }
    }

    fn reindex_indexes(&mut self, table: &Table, concurrently: bool) {
        let cost = if table.indexes.is_empty() { Cost::Brief } else { Cost::IndexBuild };
        self.note(&table.name, if concurrently { SUX } else { Lock::Share }, cost);
        for index in table.indexes.iter().filter(|_| !concurrently) {
            self.note_index(&table.name.sibling(&index.name), AX, Cost::IndexBuild);
        }
    }

    fn cluster(&mut self, table: &QualifiedName, index: Option<&Name>) {
        let known = self.before.table(table);
        if let Some(known) = known {
            let partitioned = self.is_partitioned(known);
            if partitioned && self.major < 15 {
                self.refuse(format!("`{table}` is partitioned, and `CLUSTER` needs PostgreSQL 15 there"));
            }
            if partitioned {
                self.outside();
            }
            let index = index.or(known.clustered_on.as_ref());
            let index = index.map(|index| known.indexes.iter().find(|other| other.name == *index));
            match index {
                None => self.refuse(format!("`{table}` was not clustered before")),
                Some(Some(index)) if index.predicate.is_some() => {
                    self.refuse(format!("`{}` does not hold every row", index.name));
                }
                Some(_) => {}
            }
        }
        self.note_tree(table, AX, Cost::Rewrite);
    }
}

/// Whether a table's index stands behind a constraint.
fn is_key(index: &Index) -> bool {
    matches!(
        index.backs,
        Some(ConstraintKind::PrimaryKey | ConstraintKind::Unique | ConstraintKind::Exclusion)
    )
}
