//! Looking things up in a chain that is being folded: what is there before the next statement.

use dbwright_model::catalog::{ForeignKey, Function, Index, Sequence, Table, TableKind, UserType, View};
use dbwright_model::change::{Change, TransactionControl};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

use super::Folder;

impl Folder {
    /// The engine whose statements are folded.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The value that the chain gave to a setting of the session, or to a pragma, in lower case.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(&Name::new(name)).map(String::as_str)
    }

    /// Whether the transaction has a savepoint of this name.
    pub fn has_savepoint(&self, name: &Name) -> bool {
        self.savepoints.contains(name)
    }

    /// Remembers settings that decide what later statements do.
    pub(super) fn note_setting(&mut self, change: &Change) {
        match change {
            Change::Transaction { control, savepoint } => match control {
                TransactionControl::Begin => self.in_transaction = true,
                TransactionControl::Commit | TransactionControl::Rollback => {
                    self.in_transaction = false;
                    self.savepoints.clear();
                }
                TransactionControl::Savepoint => self.savepoints.extend(savepoint.clone()),
                TransactionControl::RollbackTo | TransactionControl::Release => {
                    let at = self.savepoints.iter().rposition(|known| Some(known) == savepoint.as_ref());
                    // Those made since go too; the one that is gone back to stays.
                    let stays = usize::from(*control == TransactionControl::RollbackTo);
                    self.savepoints.truncate(at.map_or(self.savepoints.len(), |at| at + stays));
                }
            },
            // SQLite ignores this one inside of a transaction, without a word.
            Change::SetServerSetting { name, .. }
                if self.in_transaction && name.eq_ignore_case("foreign_keys") => {}
            Change::SetServerSetting { name, value } if self.engine.dialect() == Dialect::Sqlite => {
                self.settings.insert(name.clone(), value.to_ascii_lowercase());
            }
            Change::SetSessionSetting { name, value, .. } => match value {
                Some(value) => {
                    self.settings.insert(name.clone(), value.to_ascii_lowercase());
                }
                None => {
                    self.settings.remove(name);
                }
            },
            _ => {}
        }
    }

    /// The full name of what a name means here: of a table, view or sequence that is there, else of one to be made.
    pub fn full_name(&self, name: &QualifiedName) -> QualifiedName {
        if !name.schema.is_empty() {
            return name.clone();
        }
        let candidates = self
            .search_path
            .iter()
            .map(|schema| QualifiedName { schema: schema.clone(), name: name.name.clone() });
        for candidate in candidates {
            if let Some(i) = self.tables.get(&self.lookup_form(&candidate)) {
                return self.catalog.tables[*i].name.clone();
            }
            if self.catalog.views.iter().any(|view| view.name == candidate)
                || self.catalog.sequences.iter().any(|sequence| sequence.name == candidate)
            {
                return candidate;
            }
        }
        self.new_name(name)
    }

    /// The table of a name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(&self.lookup_form(&self.table_name(name))).map(|i| &self.catalog.tables[*i])
    }

    /// The view or materialised view of a name.
    pub fn view(&self, name: &QualifiedName) -> Option<&View> {
        let name = self.view_name(name);
        self.catalog.views.iter().find(|view| view.name == name)
    }

    /// The sequence of a name.
    pub fn sequence(&self, name: &QualifiedName) -> Option<&Sequence> {
        let name = self.full_name(name);
        self.catalog.sequences.iter().find(|sequence| sequence.name == name)
    }

    /// The user-defined type of a name.
    pub fn user_type(&self, name: &QualifiedName) -> Option<&UserType> {
        let exact = self.catalog.types.iter().find(|user_type| user_type.name == *name);
        exact.or_else(|| {
            let name = self.new_name(name);
            self.catalog.types.iter().find(|user_type| user_type.name == name)
        })
    }

    /// The functions of a name, whatever their arguments; an unqualified name is looked up in the search path.
    pub fn functions<'a>(
        &'a self,
        schema: Option<&'a Name>,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Function> {
        self.catalog.functions.known().into_iter().flatten().filter(move |function| {
            function.name.name == *name
                && match schema {
                    Some(schema) => function.name.schema == *schema,
                    None => self.search_path.contains(&function.name.schema),
                }
        })
    }

    /// The partitions of a table and the tables that inherit from it, on every level below it.
    pub fn descendants(&self, name: &QualifiedName) -> Vec<&Table> {
        let mut found: Vec<&Table> = Vec::new();
        let mut pending = vec![name.clone()];
        while let Some(parent) = pending.pop() {
            for heir in self.heirs_of(&parent) {
                if let Some(table) = self.table(&heir)
                    && !found.iter().any(|other| other.name == table.name)
                {
                    found.push(table);
                    pending.push(heir);
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// The partition that takes every row no other one takes.
    pub fn default_partition(&self, of: &QualifiedName) -> Option<&Table> {
        self.catalog.tables.iter().find(|table| {
            matches!(&table.kind, TableKind::Partition { of: parent, bound }
                if parent == of && bound.eq_ignore_ascii_case("default"))
        })
    }

    /// The foreign keys that point to a table, with the tables that hold them.
    pub fn referencing<'a, 'b>(
        &'a self,
        name: &'b QualifiedName,
    ) -> impl Iterator<Item = (&'a Table, &'a ForeignKey)> + use<'a, 'b> {
        self.catalog.tables.iter().flat_map(move |table| {
            let keys = table.foreign_keys.iter().filter(move |key| self.table_name(&key.references) == *name);
            keys.map(move |key| (table, key))
        })
    }

    /// The views that read a table, or one column of it.
    pub fn views_reading(&self, table: &QualifiedName, column: Option<&Name>) -> Vec<&View> {
        let is_it = |name: &QualifiedName| self.full_name(name) == *table;
        let reads = |view: &&View| match view.query.as_deref() {
            Some(query) => match column {
                Some(column) => reads::may_read_column(query, &is_it, column),
                None => reads::relations(query).iter().any(is_it),
            },
            None => false,
        };
        self.catalog.views.iter().filter(reads).collect()
    }

    /// The index of a name with the table or materialised view that it stands on.
    pub fn index(
        &self,
        table: Option<&QualifiedName>,
        name: &QualifiedName,
    ) -> Option<(&QualifiedName, &Index)> {
        if let Some((owner, index)) = self.find_index(table, name) {
            let owner = &self.catalog.tables[owner];
            return owner.indexes.iter().find(|other| other.name == index).map(|index| (&owner.name, index));
        }
        let in_path = |schema: &Name| {
            name.schema == *schema || (name.schema.is_empty() && self.search_path.contains(schema))
        };
        self.catalog.views.iter().filter(|view| in_path(&view.name.schema)).find_map(|view| {
            view.indexes.iter().find(|index| index.name == name.name).map(|index| (&view.name, index))
        })
    }
}
