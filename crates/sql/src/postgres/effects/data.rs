//! Statements about rows, and maintenance.

use dbwright_model::catalog::ReferentialAction;
use dbwright_model::change::{Change, DataClauses, DataKind};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

use super::Reckoning;

const AX: Lock = Lock::AccessExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;
const RX: Lock = Lock::RowExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn data_change(&mut self, change: &Change) {
        match change {
            Change::Data { kind, table, filtered, clauses } => {
                self.data(*kind, table.as_ref(), *filtered, clauses);
            }
            Change::LockTable { tables, mode, only, .. } => {
                for table in tables {
                    if !self.is_absent(table, false) {
                        self.lock_table(table, *mode, *only);
                    }
                }
            }
            Change::Analyze { table: Some(table) } => self.analyze(table),
            Change::Analyze { table: None } => {
                for relation in self.stored() {
                    self.analyze(&relation);
                }
            }
            Change::Vacuum { table, full, .. } => {
                self.outside();
                match table {
                    Some(table) => self.vacuum(table, *full),
                    None => {
                        for relation in self.stored() {
                            self.vacuum(&relation, *full);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// The tables and materialised views that are known.
    fn stored(&self) -> Vec<QualifiedName> {
        let catalog = self.before.catalog();
        let views = catalog.views.iter().filter(|view| view.materialized);
        catalog.tables.iter().map(|table| &table.name).chain(views.map(|view| &view.name)).cloned().collect()
    }

    fn data(&mut self, kind: DataKind, table: Option<&QualifiedName>, filtered: bool, clauses: &DataClauses) {
        // A member of `WITH` that changes rows is mostly there to change many.
        if kind != DataKind::Truncate {
            for table in &clauses.also {
                self.note_tree(table, RX, Cost::Scan);
            }
        }
        let Some(table) = table else { return };
        if matches!(kind, DataKind::Insert | DataKind::Update | DataKind::Copy)
            && let Some(known) = self.before.table(table)
        {
            for column in &clauses.columns {
                if self.is_column_absent(known, column, false) {
                    return;
                }
            }
        }
        match kind {
            DataKind::Select if clauses.locks_rows => {
                let all = !filtered && !clauses.limited;
                self.note_tree(table, Lock::RowShare, if all { Cost::Scan } else { Cost::Brief });
                self.lock_below_view(table, Lock::RowShare);
                for joined in clauses.reads.iter().filter(|name| self.before.table(name).is_some()) {
                    self.note_tree(joined, Lock::RowShare, Cost::Brief);
                }
            }
            DataKind::Select => self.note_tree(table, Lock::AccessShare, Cost::Brief),
            DataKind::Truncate => self.truncate(table, clauses),
            DataKind::Insert | DataKind::Copy => self.insert(table, clauses),
            DataKind::Update | DataKind::Delete | DataKind::Merge => {
                // A condition that takes its values from other rows says nothing about how few they are.
                let few = filtered && clauses.reads.is_empty() && self.is_served(table, &clauses.filter);
                self.note_tree(table, RX, if few { Cost::Brief } else { Cost::Scan });
                self.lock_below_view(table, RX);
                match kind {
                    DataKind::Delete => self.delete_children(table),
                    DataKind::Update => {
                        // A key that stays what it is is not looked up.
                        let mut changed = clauses.columns.clone();
                        changed.retain(|column| !clauses.unchanged.contains(column));
                        self.look_up_parents(table, |column| changed.contains(column));
                        self.look_up_children(table, &changed);
                    }

                    _ => {}
                }
            }
        }
    }

    /// Whether an index begins with one of the columns that a condition names, so that it may find the rows. What is not
    /// known of the table or the condition speaks for it.
    fn is_served(&self, table: &QualifiedName, filter: &[Name]) -> bool {
        let Some(known) = self.before.table(table) else { return true };
        let named = |column: &Name| filter.contains(column);
        let keys = known
            .primary_key
            .iter()
            .map(|key| &key.columns)
            .chain(known.uniques.iter().map(|key| &key.columns));
        let leads = keys.filter_map(|columns| columns.first()).any(named);
        let indexed = || {
            known
                .indexes
                .iter()
                .filter_map(|index| index.parts.first())
                .any(|part| part.as_column().is_none_or(named))
        };
        filter.is_empty() || leads || indexed()
    }

    fn insert(&mut self, table: &QualifiedName, clauses: &DataClauses) {
        let name = self.before.full_name(table);
        self.note(&name, RX, Cost::Brief);
        self.lock_below_view(&name, RX);
        let Some(known) = self.before.table(&name) else { return };
        for key in known.foreign_keys.iter().filter(|key| key.enforced) {
            let parent = self.before.full_name(&key.references);
            self.effects.demands.push(Demand::Reference { table: name.clone(), parent });
        }
        let named = |column: &Name| clauses.columns.is_empty() || clauses.columns.contains(column);
        let drawn = known.columns.iter().filter(|column| !clauses.columns.is_empty() && !named(&column.name));
        for sequence in drawn.filter_map(|column| column.sequence.as_ref()) {
            self.note(sequence, RX, Cost::Brief);
        }
        self.look_up_parents(&name, named);
    }

    /// The rows that written foreign keys refer to are locked; those of deferred keys not before the end.
    fn look_up_parents(&mut self, table: &QualifiedName, written: impl Fn(&Name) -> bool) {
        let before = self.before;
        let Some(known) = before.table(table) else { return };
        for key in known.foreign_keys.iter().filter(|key| key.enforced && !key.initially_deferred) {
            if !key.columns.is_empty() && key.columns.iter().all(&written) {
                self.note(&before.full_name(&key.references), Lock::RowShare, Cost::Brief);
            }
        }
    }

    /// Rows that refer to a key that is written.
    fn look_up_children(&mut self, table: &QualifiedName, written: &[Name]) {
        let before = self.before;
        let name = before.full_name(table);
        for (child, key) in before.referencing(&name) {
            if !key.enforced || !key.referenced_columns.iter().any(|column| written.contains(column)) {
                continue;
            }
            match key.on_update {
                ReferentialAction::NoAction | ReferentialAction::Restrict => {
                    self.note(&child.name, Lock::RowShare, Cost::Brief);
                    let demand = Demand::Reference { table: child.name.clone(), parent: name.clone() };
                    self.effects.demands.push(demand);
                }
                _ => self.note_tree(&child.name, RX, Cost::Brief),
            }
        }
    }

    fn delete_children(&mut self, table: &QualifiedName) {
        let before = self.before;
        let name = before.full_name(table);
        for (child, key) in before.referencing(&name).filter(|(child, _)| child.name != name) {
            match key.on_delete {
                ReferentialAction::NoAction | ReferentialAction::Restrict => {
                    self.effects
                        .demands
                        .push(Demand::Reference { table: child.name.clone(), parent: name.clone() });
                }
                _ => self.note_tree(&child.name, RX, Cost::Brief),
            }
        }
    }

    /// What is done to a view is done to the tables that it reads.
    fn lock_below_view(&mut self, name: &QualifiedName, lock: Lock) {
        let query = self.before.view(name).and_then(|view| view.query.as_deref());
        for below in query.map(reads::relations).unwrap_or_default() {
            if self.before.table(&below).is_some() {
                self.note_tree(&below, lock, Cost::Brief);
            }
        }
    }

    fn truncate(&mut self, first: &QualifiedName, clauses: &DataClauses) {
        let before = self.before;
        let mut tables: Vec<QualifiedName> =
            std::iter::once(first).chain(&clauses.also).map(|name| before.full_name(name)).collect();
        if tables.clone().iter().any(|name| self.is_absent(name, false)) {
            return;
        }
        let mut position = 0;
        while let Some(name) = tables.get(position).cloned() {
            position += 1;
            let partitioned = before.table(&name).is_some_and(|table| self.is_partitioned(table));
            if clauses.only && partitioned {
                self.refuse(format!("`{name}` is partitioned and holds no rows itself"));
            }
            // New files take the place of the old ones, however large those are.
            self.note(&name, AX, Cost::Brief);
            for heir in before.descendants(&name).into_iter().filter(|_| !clauses.only) {
                self.note(&heir.name, AX, Cost::Brief);
            }
            if clauses.restart_identity {
                let columns = before.table(&name).into_iter().flat_map(|table| &table.columns);
                for sequence in columns.filter_map(|column| column.sequence.as_ref()) {
                    self.note(sequence, AX, Cost::Brief);
                }
            }
            for (child, _) in before.referencing(&name) {
                match (tables.contains(&child.name), clauses.cascade) {
                    (true, _) => {}
                    (false, true) => tables.push(child.name.clone()),
                    (false, false) => {
                        self.refuse(format!("the foreign key of `{}` needs the rows", child.name));
                    }
                }
            }
        }
    }

    fn lock_table(&mut self, table: &QualifiedName, mode: Lock, only: bool) {
        match only {
            true => self.note(table, mode, Cost::Brief),
            false => self.note_tree(table, mode, Cost::Brief),
        }
        self.lock_below_view(table, mode);
    }

    fn analyze(&mut self, table: &QualifiedName) {
        let before = self.before;
        let name = before.full_name(table);
        self.note(&name, SUX, Cost::Brief);
        for heir in before.descendants(&name) {
            let lock = if heir.is_partition() || self.major >= 18 { SUX } else { Lock::AccessShare };
            self.note(&heir.name, lock, Cost::Brief);
        }
    }

    fn vacuum(&mut self, table: &QualifiedName, full: bool) {
        // A view is passed over with a warning.
        if self.before.view(table).is_some_and(|view| !view.materialized) {
            return;
        }
        let (lock, cost) = if full { (AX, Cost::Rewrite) } else { (SUX, Cost::Scan) };
        let partitioned = self.before.table(table).is_some_and(|table| self.is_partitioned(table));
        match partitioned || self.major >= 18 {
            true => self.note_tree(table, lock, cost),
            false => self.note(table, lock, cost),
        }
    }
}
