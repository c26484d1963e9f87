//! Constraints.

use dbwright_model::catalog::{Check, Exclusion, ForeignKey, Index, Key, NotNull, Table};
use dbwright_model::change::{Change, ConstraintChanges, DroppedConstraint};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::column::referenced_columns;
use super::presence::constraint_names;
use super::type_change;
use crate::constant;

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn constraint_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            AddPrimaryKey { table, key, using_index, .. } => {
                self.refuse_name(table, key.name.as_ref());
                match using_index {
                    Some(index) => self.add_key_using(table, index, true),
                    None => self.add_primary_key(table, key),
                }
            }
            AddUnique { table, key, using_index, .. } => {
                self.refuse_name(table, key.name.as_ref());
                match using_index {
                    Some(index) => self.add_key_using(table, index, false),
                    None => self.add_unique(table, key),
                }
            }
            AddCheck { table, check, .. } => self.add_check(table, check),
            AddNotNull { table, column, constraint, .. } => self.add_not_null(table, column, constraint),
            AddForeignKey { table, foreign_key, .. } => self.add_foreign_key(table, foreign_key),
            AddExclusion { table, exclusion, .. } => self.add_exclusion(table, exclusion),
            DropConstraint { table, constraint, if_exists, cascade, .. } => {
                self.drop_constraint(table, constraint, *if_exists, *cascade);
            }
            AlterConstraint { table, constraint, changes, .. } => {
                self.alter_constraint(table, constraint, changes);
            }
            RenameConstraint { table, constraint, .. } => self.rename_constraint(table, constraint),
            ValidateConstraint { table, constraint, .. } => self.validate(table, constraint),
            _ => {}
        }
    }

    fn refuse_name(&mut self, table: &QualifiedName, name: Option<&Name>) {
        let Some(name) = name else { return };
        let taken = self.before.table(table).is_some_and(|table| {
            constraint_names(table).any(|other| other == name) && !self.drops_constraint(&table.name, name)
        });
        if taken {
            self.refuse_existing(format!("`{table}` has a constraint `{name}` already"));
        }
    }

    fn add_key_using(&mut self, table: &QualifiedName, index: &Name, primary: bool) {
        let name = self.before.full_name(table);
        let known = self.before.table(&name);
        if known.is_some_and(|table| self.is_partitioned(table)) {
            self.refuse(format!("`{name}` is partitioned, where an index cannot become a constraint"));
        }
        let index = known.and_then(|table| table.indexes.iter().find(|other| other.name == *index));
        let mut cost = Cost::Brief;
        if let Some((known, index)) = known.zip(index) {
            let plain = index.parts.iter().all(|part| !part.descending && !part.nulls_first);
            match index.columns().filter(|_| plain && index.unique && index.predicate.is_none()) {
                None => self.refuse(format!("the index `{}` is not one of a plain key", index.name)),
                Some(columns) if primary => {
                    if !columns.into_iter().all(|column| self.is_known_not_null(known, column)) {
                        cost = Cost::Scan;
                    }
                }
                Some(_) => {}
            }
        }
        self.note_target(&name, AX, cost);
    }

    fn add_primary_key(&mut self, table: &QualifiedName, key: &Key) {
        let name = self.before.full_name(table);
        let known = self.before.table(&name);
        self.effects.demands.push(Demand::Unique { table: name.clone() });
        if known.is_some_and(|table| table.primary_key.is_some())
            && !self.statement.iter().any(|change| matches!(change, Change::DropConstraint { .. }))
        {
            self.refuse_existing(format!("`{name}` has a primary key already"));
        }
        self.refuse_key_without_partition_key(known, key);
        self.note_rows(known, &name, AX, Cost::IndexBuild);
        for heir in self.heirs(&name) {
            let nullable = !key.columns.iter().all(|column| self.is_known_not_null(heir, column));
            if heir.is_partition() {
                let lock = if nullable || self.major >= 18 { AX } else { Lock::Share };
                self.note_rows(Some(heir), &heir.name, lock, Cost::IndexBuild);
            } else {
                // An inheriting table gets no key, only the promise that the columns are not null.
                self.note_rows(Some(heir), &heir.name, AX, if nullable { Cost::Scan } else { Cost::Brief });
            }
        }
    }

    fn add_unique(&mut self, table: &QualifiedName, key: &Key) {
        let name = self.before.full_name(table);
        let known = self.before.table(&name);
        self.effects.demands.push(Demand::Unique { table: name.clone() });
        self.refuse_key_without_partition_key(known, key);
        self.note_rows(known, &name, AX, Cost::IndexBuild);
        for heir in self.heirs(&name) {
            match (heir.is_partition(), self.major >= 18) {
                (true, true) => self.note_rows(Some(heir), &heir.name, AX, Cost::IndexBuild),
                (true, false) => self.note_rows(Some(heir), &heir.name, Lock::Share, Cost::IndexBuild),
                (false, true) => self.note(&heir.name, AX, Cost::Brief),
                (false, false) => {}
            }
        }
    }

    /// Partitions hold each other's rows apart only by the partition key.
    fn refuse_key_without_partition_key(&mut self, table: Option<&Table>, key: &Key) {
        let Some(table) = table else { return };
        let left_out = table
            .columns
            .iter()
            .map(|column| &column.name)
            .find(|column| self.is_in_partition_key(table, column) && !key.columns.contains(column));
        if let Some(column) = left_out {
            self.refuse(format!("`{}` is partitioned by `{column}`, which is not in the key", table.name));
        }
    }

    fn add_exclusion(&mut self, table: &QualifiedName, exclusion: &Exclusion) {
        if exclusion.definition.to_ascii_lowercase().ends_with("not valid") {
            self.refuse("an exclusion constraint cannot be `NOT VALID`");
        }
        self.effects.demands.push(Demand::Unique { table: self.before.full_name(table) });
        self.note_target(table, AX, Cost::IndexBuild);
    }

    fn add_check(&mut self, table: &QualifiedName, check: &Check) {
        let name = self.before.full_name(table);
        self.refuse_name(&name, check.name.as_ref());
        let cost = if check.validated && check.enforced { Cost::Scan } else { Cost::Brief };
        if cost == Cost::Scan {
            let demand = self.broken_by_new_column(&name, check);
            self.effects.demands.push(demand.unwrap_or(Demand::Check { table: name.clone() }));
        }
        let heirs = self.before.descendants(&name);
        if check.no_inherit {
            self.note_rows(self.before.table(&name), &name, AX, cost);
            if self.major >= 18 {
                for heir in self.heirs(&name) {
                    self.note(&heir.name, AX, Cost::Brief);
                }
            }
            return;
        }
        if self.only && !heirs.is_empty() {
            self.refuse(format!("what is below `{name}` must be checked too"));
        }
        self.note_target(&name, AX, cost);
    }

    /// What a check demands that a column which the same statement adds is sure to break.
    fn broken_by_new_column(&self, name: &QualifiedName, check: &Check) -> Option<Demand> {
        self.statement.iter().find_map(|change| match change {
            Change::AddColumn { table, column, if_not_exists: false, .. } if self.is_named(table, name) => {
                constant::demand_of_default(Dialect::Postgres, name, column, &check.expression)
            }
            _ => None,
        })
    }

    fn add_not_null(&mut self, table: &QualifiedName, column: &Name, constraint: &NotNull) {
        let name = self.before.full_name(table);
        let own = self.before.table(&name);
        if constraint.validated && !own.is_some_and(|table| self.is_known_not_null(table, column)) {
            self.effects.demands.push(Demand::NotNull { table: name.clone(), column: column.clone() });
        }
        let heirs = if constraint.no_inherit { Vec::new() } else { self.heirs(&name) };
        for (known, name) in std::iter::once((own, &name)).chain(heirs.iter().map(|t| (Some(*t), &t.name))) {
            let proven = known.is_some_and(|table| self.is_known_not_null(table, column));
            let cost = if constraint.validated && !proven { Cost::Scan } else { Cost::Brief };
            self.note_rows(known, name, AX, cost);
        }
    }

    fn add_foreign_key(&mut self, table: &QualifiedName, key: &ForeignKey) {
        let before = self.before;
        let name = before.full_name(table);
        let parent = before.full_name(&key.references);
        self.refuse_name(&name, key.name.as_ref());
        if self.is_absent(&key.references, false) {
            return;
        }
        let known = before.table(&name);
        let added =
            |column: &Name| self.added.iter().find(|(owner, added, _)| *owner == name && added == column);
        // A new column without a value refers to nothing, so nothing is checked.
        let only_new_and_empty =
            key.columns.iter().all(|column| added(column).is_some_and(|(_, _, fills)| !fills));
        let checked = key.validated && key.enforced && !only_new_and_empty;
        let cost = if checked { Cost::Scan } else { Cost::Brief };
        if checked {
            self.effects.demands.push(Demand::Reference { table: name.clone(), parent: parent.clone() });
        }
        let partitioned = known.is_some_and(|table| self.is_partitioned(table));
        if !key.validated && key.enforced && self.major < 18 && partitioned {
            self.refuse(format!(
                "`{name}` is partitioned, and NOT VALID foreign keys need PostgreSQL 18 there"
            ));
        }
        if let Some(known) = known {
            self.refuse_passing_parent(known.persistence, &parent);
        }
        if let Some((known, parent)) = known.zip(before.table(&parent)) {
            self.refuse_unfit_reference(known, parent, key);
        }
        self.note_rows(known, &name, SRX, cost);
        let (mut adopted, mut all) = (false, partitioned);
        for heir in self.heirs(&name) {
            if heir.is_partition() {
                // A partition that has the key already only gives it up to the table above.
                let has = heir.foreign_keys.iter().any(|own| is_same_reference(own, key));
                adopted |= has;
                all &= has || self.is_partitioned(heir);
                self.note_rows(Some(heir), &heir.name, SRX, if has { Cost::Brief } else { cost });
            } else if self.major >= 18 {
                self.note(&heir.name, SRX, Cost::Brief);
            }
        }
        let parent_cost = if adopted && all { Cost::Brief } else { cost };
        self.note_tree(&parent, if adopted { AX } else { SRX }, parent_cost);
    }

    /// A parent needs a key over the columns, of types that can be compared.
    fn refuse_unfit_reference(&mut self, child: &Table, parent: &Table, key: &ForeignKey) {
        let columns = referenced_columns(parent, &key.referenced_columns);
        let covers = |index: &Index| {
            index.unique
                && index.predicate.is_none()
                && index.columns().is_some_and(|own| {
                    own.len() == columns.len() && own.iter().all(|column| columns.contains(column))
                })
        };
        let is_key = |own: &Key| {
            own.columns.len() == columns.len() && own.columns.iter().all(|column| columns.contains(column))
        };
        let keyed =
            parent.indexes.iter().any(covers) || parent.primary_key.iter().chain(&parent.uniques).any(is_key);
        if !keyed && !columns.is_empty() && !key.period {
            self.refuse(format!("`{}` has no key over the columns referred to", parent.name));
        }
        for (own, other) in key.columns.iter().zip(columns) {
            let types = child.column(own.as_str()).zip(parent.column(other.as_str()));
            if let Some((own, other)) = types
                && type_change::cannot_be_compared(&own.data_type, &other.data_type)
            {
                self.refuse(format!("`{}` and `{}` cannot be compared", own.name, other.name));
            }
        }
    }

    fn drop_constraint(
        &mut self,
        table: &QualifiedName,
        constraint: &DroppedConstraint,
        if_exists: bool,
        cascade: bool,
    ) {
        let before = self.before;
        let name = before.full_name(table);
        // With `ONLY` too: what is below keeps the constraint and is told that it is its own now.
        self.note_tree(&name, AX, Cost::Brief);
        let (Some(known), DroppedConstraint::Named(constraint)) = (before.table(&name), constraint) else {
            return;
        };
        if self.is_constraint_absent(known, constraint, if_exists) {
            return;
        }
        let is_it = |check: &&Check| check.name.as_ref() == Some(constraint) && !check.no_inherit;
        if known.checks.iter().any(|check| is_it(&check))
            && let Some(parent) =
                self.parents(known).into_iter().find(|parent| parent.checks.iter().any(|c| is_it(&c)))
        {
            self.refuse(format!("it comes from `{}`", parent.name));
        }
        if let Some(key) = known.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)) {
            self.note_tree(&key.references, AX, Cost::Brief);
        }
        let key =
            known.primary_key.iter().chain(&known.uniques).find(|key| key.name.as_ref() == Some(constraint));
        let Some(key) = key else { return };
        for (child, foreign_key) in before.referencing(&name) {
            if referenced_columns(known, &foreign_key.referenced_columns) == key.columns {
                self.needed(cascade, &child.name, || format!("the foreign key of `{}` needs it", child.name));
            }
        }
    }

    fn alter_constraint(&mut self, table: &QualifiedName, constraint: &Name, changes: &ConstraintChanges) {
        let name = self.before.full_name(table);
        let known = self.before.table(&name);
        let key = known
            .and_then(|table| table.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)));
        let defers = changes.deferrable.is_some() || changes.initially_deferred.is_some();
        if defers && key.is_none() && known.is_some() {
            self.refuse(format!("`{constraint}` is not a foreign key"));
        }
        match (key, changes.enforced) {
            (Some(key), Some(true)) if !key.enforced => {
                let parent = self.before.full_name(&key.references);
                self.effects.demands.push(Demand::Reference { table: name.clone(), parent: parent.clone() });
                self.note_tree(&name, AX, Cost::Scan);
                self.note_tree(&parent, SRX, Cost::Scan);
            }
            (Some(key), Some(false)) if key.enforced => {
                self.note_tree(&name, AX, Cost::Brief);
                self.note_tree(&key.references, AX, Cost::Brief);
            }
            (None, Some(true)) => self.note_tree(&name, AX, Cost::Scan),
            _ => self.note_tree(&name, AX, Cost::Brief),
        }
    }

    fn rename_constraint(&mut self, table: &QualifiedName, constraint: &Name) {
        let known = self.before.table(table);
        let inherited = known.is_none_or(|table| {
            table.checks.iter().any(|check| check.name.as_ref() == Some(constraint) && !check.no_inherit)
        });
        match inherited {
            true => self.note_target(table, AX, Cost::Brief),
            false => self.note(table, AX, Cost::Brief),
        }
    }

    fn validate(&mut self, table: &QualifiedName, constraint: &Name) {
        let before = self.before;
        let name = before.full_name(table);
        let Some(known) = before.table(&name) else {
            self.note(&name, SUX, Cost::Scan);
            return;
        };
        if self.is_constraint_absent(known, constraint, false) {
            return;
        }
        if let Some(key) = known.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)) {
            let cost = if key.validated { Cost::Brief } else { Cost::Scan };
            if cost == Cost::Scan {
                self.note_tree(&key.references, Lock::RowShare, Cost::Scan);
                let parent = before.full_name(&key.references);
                self.effects.demands.push(Demand::Reference { table: name.clone(), parent });
            }
            self.note_rows(Some(known), &name, SUX, cost);
            for heir in self.heirs(&name).into_iter().filter(|heir| heir.is_partition()) {
                self.note_rows(Some(heir), &heir.name, SUX, cost);
            }
            return;
        }
        let check = known.checks.iter().find(|check| check.name.as_ref() == Some(constraint));
        if check.is_some_and(|check| !check.enforced) {
            self.refuse(format!("`{constraint}` is not enforced"));
        }
        let cost = if check.is_some_and(|check| check.validated) { Cost::Brief } else { Cost::Scan };
        if cost == Cost::Scan {
            self.effects.demands.push(Demand::Check { table: name.clone() });
        }
        self.note_tree(&name, SUX, cost);
    }
}

/// Whether two foreign keys demand the same of the rows.
pub(super) fn is_same_reference(one: &ForeignKey, other: &ForeignKey) -> bool {
    one.columns == other.columns
        && one.references.name == other.references.name
        && (one.referenced_columns == other.referenced_columns
            || one.referenced_columns.is_empty()
            || other.referenced_columns.is_empty())
}
