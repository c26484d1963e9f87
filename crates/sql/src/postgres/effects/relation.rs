//! Tables, partitions, indexes, types and schemas.

use dbwright_model::catalog::{ForeignKey, Index, Table, TableKind};
use dbwright_model::change::CommentTarget;
use dbwright_model::effect::{Cost, Lock};
use dbwright_model::expression::Query;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

use super::Reckoning;
use super::column::{is_key, parent_of};

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl Reckoning<'_> {
    pub(super) fn create_table(&mut self, table: &Table) {
        let before = self.before;
        let name = before.full_name(&table.name);
        if before.table(&name).is_some() {
            return;
        }
        if let TableKind::Partition { of, .. } = &table.kind {
            let of = before.full_name(of);
            self.note(&of, AX, Cost::Brief);
            self.lock_default_partition(&of, None);
            self.lock_parents_of(
                &before.table(&of).map_or(Vec::new(), |table| table.foreign_keys.clone()),
                SRX,
            );
        }
        for parent in &table.inherits {
            self.note(parent, SUX, Cost::Brief);
        }
        self.lock_parents_of(&table.foreign_keys, SRX);
        self.created.push(name);
    }

    fn lock_parents_of(&mut self, keys: &[ForeignKey], lock: Lock) {
        for key in keys {
            self.note_tree(&key.references, lock, Cost::Brief);
        }
    }

    /// A new or gone partition changes what the default partition may hold: its rows are looked through.
    fn lock_default_partition(&mut self, of: &QualifiedName, but: Option<&QualifiedName>) {
        if let Some(default) = self.before.default_partition(of)
            && Some(&default.name) != but
        {
            self.note_tree(&default.name, AX, Cost::Scan);
        }
    }

    pub(super) fn drop_table(&mut self, name: &QualifiedName, cascade: bool) {
        let before = self.before;
        let name = before.full_name(name);
        let Some(table) = before.table(&name) else {
            if before.view(&name).is_some() {
                self.refuse(format!("`{name}` is a view"));
            }
            return;
        };
        self.note(&name, AX, Cost::Brief);
        let mut doomed = vec![table];
        for heir in before.descendants(&name) {
            if !heir.is_partition() && !cascade {
                self.refuse(format!("`{}` inherits from it", heir.name));
            }
            self.note(&heir.name, AX, Cost::Brief);
            doomed.push(heir);
        }
        if let Some(parent) = parent_of(table) {
            self.note(parent, AX, Cost::Brief);
            if let Some(default) = before.default_partition(parent) {
                self.note(&default.name, AX, Cost::Brief);
            }
        }
        for table in doomed {
            self.lock_parents_of(&table.foreign_keys, AX);
            for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
                self.note(sequence, AX, Cost::Brief);
            }
            for (child, _) in before.referencing(&table.name).filter(|(child, _)| child.name != table.name) {
                if cascade {
                    self.note(&child.name, AX, Cost::Brief);
                } else {
                    self.refuse(format!("the foreign key of `{}` needs it", child.name));
                }
            }
            for view in before.views_reading(&table.name, None) {
                if cascade {
                    self.note(&view.name, AX, Cost::Brief);
                } else {
                    self.refuse(format!("the view `{}` reads it", view.name));
                }
            }
        }
    }

    pub(super) fn set_owner(&mut self, object: &QualifiedName) {
        let before = self.before;
        self.note(object, AX, Cost::Brief);
        let Some(table) = before.table(object) else { return };
        for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
            self.note(sequence, AX, Cost::Brief);
        }
    }

    pub(super) fn set_options(&mut self, table: &QualifiedName, options: &[(Name, String)]) {
        for (option, value) in options {
            let (lock, cost) = match option.as_str() {
                "logged" => {
                    let persistence = self.before.table(table).map(|table| table.persistence);
                    let already = match persistence {
                        Some(dbwright_model::catalog::Persistence::Permanent) => value == "true",
                        Some(dbwright_model::catalog::Persistence::Unlogged) => value == "false",
                        _ => false,
                    };
                    (AX, if already { Cost::Brief } else { Cost::Rewrite })
                }
                "tablespace" | "access_method" => (AX, Cost::Rewrite),
                "user_catalog_table" => (AX, Cost::Brief),
                _ => (SUX, Cost::Brief),
            };
            self.note(table, lock, cost);
        }
    }

    /// Locks an index; its table is left alone.
    pub(super) fn note_index(&mut self, index: &QualifiedName, lock: Lock) {
        let full = match self.before.index(None, index) {
            Some((owner, known)) => QualifiedName { schema: owner.schema.clone(), name: known.name.clone() },
            None => self.before.full_name(index),
        };
        self.effects.add(&full, lock, Cost::Brief);
    }

    pub(super) fn create_index(
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
        let sibling = name.sibling(&index.name);
        if if_not_exists && !index.name.is_empty() && before.index(None, &sibling).is_some() {
            self.note(&name, lock, Cost::Brief);
            return;
        }
        if index.unique {
            self.effects.demands.push(dbwright_model::effect::Demand::Unique { table: name.clone() });
        }
        self.note_rows(known, &name, lock, Cost::IndexBuild);
        if !only {
            for heir in before.descendants(&name).into_iter().filter(|heir| heir.is_partition()) {
                self.note_rows(Some(heir), &heir.name, lock, Cost::IndexBuild);
            }
        }
    }

    pub(super) fn drop_index(&mut self, index: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let lock = if concurrently { SUX } else { AX };
        if concurrently {
            self.outside();
        }
        let Some((owner, known)) = before.index(None, index) else {
            self.assume(format!("the table of the index `{index}` is not known"));
            self.effects.add(&before.full_name(index), lock, Cost::Brief);
            return;
        };
        if is_key(known) {
            self.refuse(format!("a constraint of `{owner}` needs the index"));
        }
        self.note(owner, lock, Cost::Brief);
        for heir in before.descendants(owner).into_iter().filter(|heir| heir.is_partition()) {
            self.note(&heir.name, lock, Cost::Brief);
        }
    }

    pub(super) fn reindex(&mut self, index: &QualifiedName, concurrently: bool) {
        let before = self.before;
        if concurrently {
            self.outside();
        }
        let owner = before.index(None, index).map(|(owner, _)| owner);
        match owner {
            Some(owner) => self.note(owner, if concurrently { SUX } else { Lock::Share }, Cost::IndexBuild),
            None => self.assume(format!("the table of the index `{index}` is not known")),
        }
        if !concurrently {
            self.note_index(index, AX);
        }
    }

    pub(super) fn attach(&mut self, table: &QualifiedName, partition: &QualifiedName) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
        self.note(&of, SUX, Cost::Brief);
        self.lock_default_partition(&of, Some(&name));
        let parent = before.table(&of);
        let lacks_index = parent.zip(before.table(&name)).is_some_and(|(parent, child)| {
            parent.indexes.iter().any(|index| {
                !child.indexes.iter().any(|own| own.parts == index.parts && own.unique == index.unique)
            })
        });
        let cost = if lacks_index { Cost::IndexBuild } else { Cost::Scan };
        self.note_tree(&name, AX, cost);
        self.lock_parents_of(&parent.map_or(Vec::new(), |table| table.foreign_keys.clone()), SRX);
    }

    pub(super) fn detach(&mut self, table: &QualifiedName, partition: &QualifiedName, concurrently: bool) {
        let before = self.before;
        let (of, name) = (before.full_name(table), before.full_name(partition));
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
        self.note(&name, AX, Cost::Brief);
        if let Some(default) = before.default_partition(&of) {
            self.note(&default.name, AX, Cost::Brief);
        }
        self.lock_parents_of(&before.table(&of).map_or(Vec::new(), |table| table.foreign_keys.clone()), SRX);
    }

    pub(super) fn drop_type(&mut self, name: &QualifiedName, cascade: bool) {
        let before = self.before;
        let is_it = |other: &QualifiedName| {
            before.user_type(other).map(|user_type| &user_type.name)
                == before.user_type(name).map(|user_type| &user_type.name)
        };
        for table in &before.catalog().tables {
            let uses =
                table.columns.iter().any(|column| column.data_type.user_type.as_ref().is_some_and(is_it));
            if uses && before.user_type(name).is_some() {
                if cascade {
                    self.note(&table.name, AX, Cost::Brief);
                } else {
                    self.refuse(format!("`{}` has columns of this type", table.name));
                }
            }
        }
    }

    pub(super) fn drop_schema(&mut self, name: &Name, cascade: bool) {
        let tables = self.before.catalog().tables.iter().map(|table| &table.name);
        let inside: Vec<QualifiedName> = tables.filter(|table| table.schema == *name).cloned().collect();
        if !cascade && !inside.is_empty() {
            self.refuse("the schema is not empty");
        }
        for table in inside {
            self.drop_table(&table, true);
        }
    }

    pub(super) fn comment(&mut self, on: &CommentTarget) {
        match on {
            CommentTarget::Table(name) | CommentTarget::Column(name, _) | CommentTarget::View(name) => {
                self.note(name, SUX, Cost::Brief);
            }
            CommentTarget::Index(name) => self.note_index(name, SUX),
            _ => {}
        }
    }

    /// The relations that a query reads.
    pub(super) fn read(&mut self, query: Option<&Query>, cost: Cost) {
        for name in query.map(reads::relations).unwrap_or_default() {
            if self.before.table(&name).is_some() || self.before.view(&name).is_some() {
                self.note_tree(&name, Lock::AccessShare, cost);
            }
        }
    }

    pub(super) fn read_text(&mut self, query: &str) {
        let query = crate::parse_query(dbwright_model::engine::Dialect::Postgres, query);
        self.read(query.as_ref(), Cost::Scan);
    }
}
