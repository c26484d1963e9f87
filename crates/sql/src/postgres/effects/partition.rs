//! Partitions: made, attached, detached.

use dbwright_model::catalog::{ForeignKey, Index, Table, TableKind};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::name::QualifiedName;

use super::Reckoning;
use super::bound::{Bound, Key};
use super::constraint::is_same_reference;

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    /// `CREATE TABLE ... PARTITION OF`.
    pub(super) fn create_partition(&mut self, of: &QualifiedName, bound: &str) {
        let before = self.before;
        let of = before.full_name(of);
        self.note(&of, AX, Cost::Brief);
        let Some(parent) = before.table(&of) else { return };
        if !self.is_partitioned(parent) {
            self.refuse(format!("`{of}` is not partitioned"));
        }
        self.refuse_overlap(parent, bound, None);
        self.lock_default_partition(parent, bound, None);
        self.lock_parents_of(&parent.foreign_keys, SRX);
        self.lock_referencing(&of);
    }

    pub(super) fn attach(&mut self, table: &QualifiedName, partition: &QualifiedName, bound: &str) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
        if self.is_absent(&name, false) {
            return;
        }
        self.note(&of, SUX, Cost::Brief);
        let Some((parent, child)) = before.table(&of).zip(before.table(&name)) else {
            self.note(&name, AX, Cost::Scan);
            return;
        };
        self.refuse_unlike(parent, child);
        self.refuse_overlap(parent, bound, Some(&name));
        self.lock_default_partition(parent, bound, Some(&name));
        let lacks_index =
            parent.indexes.iter().any(|index| !child.indexes.iter().any(|own| can_be_part_of(own, index)));
        let proven = self.is_within(parent, child, bound);
        let cost = match (lacks_index, proven) {
            (true, _) => Cost::IndexBuild,
            (false, false) => Cost::Scan,
            (false, true) => Cost::Brief,
        };
        if !proven {
            self.effects.demands.push(Demand::Check { table: name.clone() });
        }
        self.note_tree(&name, AX, cost);
        for key in &parent.foreign_keys {
            if child.foreign_keys.iter().any(|own| is_same_reference(own, key)) {
                // The partition's own key becomes a part of the one above.
                self.note_tree(&key.references, AX, Cost::Brief);
            } else {
                let parent = before.full_name(&key.references);
                self.note_tree(&parent, SRX, Cost::Scan);
                self.effects.demands.push(Demand::Reference { table: name.clone(), parent });
            }
        }
        self.lock_referencing(&of);
    }

    pub(super) fn detach(&mut self, table: &QualifiedName, partition: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
        for (child, _) in before.referencing(&of) {
            self.effects.demands.push(Demand::Reference { table: child.name.clone(), parent: of.clone() });
        }
        if concurrently {
            self.outside();
            if before.default_partition(&of).is_some() {
                self.refuse(format!("`{of}` has a default partition"));
            }
            self.note(&of, SUX, Cost::Brief);
            self.note(&name, AX, Cost::Brief);
            return;
        }
        self.note(&of, AX, Cost::Brief);
        self.note(&name, if self.major >= 14 { AX } else { SUX }, Cost::Brief);
        for heir in before.descendants(&name) {
            self.note(&heir.name, AX, Cost::Brief);
        }
        let is_default = before.default_partition(&of).is_some_and(|default| default.name == name);
        if self.major < 14 && !is_default {
            let indexes = before.table(&name).into_iter().flat_map(|table| &table.indexes);
            for index in indexes.filter(|index| index.partition_of.is_some()) {
                self.note_index(&name.sibling(&index.name), AX, Cost::Brief);
            }
        }
        if let Some(default) = before.default_partition(&of) {
            self.note(&default.name, AX, Cost::Brief);
        }
        if let Some(parent) = before.table(&of) {
            self.lock_parents_of(&parent.foreign_keys, SRX);
        }
    }

    pub(super) fn lock_parents_of(&mut self, keys: &[ForeignKey], lock: Lock) {
        for key in keys {
            self.note_tree(&key.references, lock, Cost::Brief);
        }
    }

    /// Tables that refer to a partitioned one get a trigger for each of its partitions.
    fn lock_referencing(&mut self, of: &QualifiedName) {
        if self.major < 15 {
            return;
        }
        for (child, _) in self.before.referencing(of) {
            self.note(&child.name, SRX, Cost::Brief);
        }
    }

    /// A new partition changes what the default partition may hold: its rows are looked through.
    fn lock_default_partition(&mut self, parent: &Table, bound: &str, but: Option<&QualifiedName>) {
        let Some(default) = self.before.default_partition(&parent.name) else { return };
        if Some(&default.name) == but {
            return;
        }
        let disjoint = Key::of(self.before.catalog(), parent)
            .is_some_and(|key| Bound::parse(bound, Some(&key)).is_excluded(default, &key));
        if !disjoint {
            self.effects.demands.push(Demand::Check { table: default.name.clone() });
        }
        self.note_tree(&default.name, AX, if disjoint { Cost::Brief } else { Cost::Scan });
    }

    /// Whether the server needs no row to know that all of them belong into a partition, and into those around it.
    fn is_within(&self, parent: &Table, child: &Table, bound: &str) -> bool {
        let (mut parent, mut bound) = (parent, bound);
        // Partitions of partitions in a circle come to an end.
        for _ in 0..=self.before.catalog().tables.len() {
            let Some(key) = Key::of(self.before.catalog(), parent) else { return false };
            let proven = Bound::parse(bound, Some(&key)).is_proven(child, &key);
            if !proven || !self.is_known_not_null(child, key.column) {
                return false;
            }
            let TableKind::Partition { of, bound: own } = &parent.kind else { return true };
            let Some(above) = self.before.table(of) else { return false };
            (parent, bound) = (above, own);
        }
        false
    }

    fn refuse_overlap(&mut self, parent: &Table, bound: &str, but: Option<&QualifiedName>) {
        let key = Key::of(self.before.catalog(), parent);
        let bound = Bound::parse(bound, key.as_ref());
        let taken = self.before.catalog().tables.iter().find(|table| {
            matches!(&table.kind, TableKind::Partition { of, bound: other }
                if *of == parent.name
                    && Some(&table.name) != but
                    && bound.overlaps(&Bound::parse(other, key.as_ref())))
        });
        if let Some(taken) = taken {
            self.refuse(format!("its bound overlaps with that of `{}`", taken.name));
        }
    }

    /// A partition has the columns of the table above, and all of its promises.
    fn refuse_unlike(&mut self, parent: &Table, child: &Table) {
        for column in &child.columns {
            if parent.column(column.name.as_str()).is_none() {
                self.refuse(format!("`{}` has no column `{}`", parent.name, column.name));
            }
        }
        for column in parent.columns.iter().filter(|column| column.not_null) {
            if child.column(column.name.as_str()).is_some_and(|own| !own.not_null) {
                self.refuse(format!("`{}` may hold nulls in `{}`", child.name, column.name));
            }
        }
        for check in parent.checks.iter().filter(|check| !check.no_inherit) {
            if check.name.is_some() && !child.checks.iter().any(|own| own.name == check.name) {
                let name = check.name.as_ref().map_or("", |name| name.as_str());
                self.refuse(format!("`{}` has no check `{name}`", child.name));
            }
        }
    }
}

/// Whether an index of a table becomes the part of an index of the table that it is attached to.
pub(super) fn can_be_part_of(own: &Index, index: &Index) -> bool {
    let shape = |index: &Index| {
        (
            index.parts.clone(),
            index.method.clone(),
            index.predicate.clone(),
            index.unique,
            index.include.len(),
        )
    };
    own.valid
        && own.partition_of.is_none()
        && (index.backs.is_none() || own.backs == index.backs)
        && own.nulls_not_distinct == index.nulls_not_distinct
        && shape(own) == shape(index)
}
