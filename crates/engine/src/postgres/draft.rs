//! Facts while they are being read: decoders fill a draft row by row.

use std::collections::{BTreeMap, HashMap};

use dbwright_model::access::{HbaRules, Privileges, Role, UserMapping};
use dbwright_model::activity::{DatabaseStatistics, LockWait, PreparedTransaction, ServerStatus, Session};
use dbwright_model::backup::Backups;
use dbwright_model::catalog::{
    Catalog, ExtendedStatistics, Extension, Function, Policy, Publication, Rule, Trigger,
};
use dbwright_model::facts::{Fact, Facts, MigrationHistory};
use dbwright_model::observed::Observed;
use dbwright_model::replication::{Archiver, Checkpointer, Replication, Slot, WalStatistics};
use dbwright_model::settings::Settings;
use dbwright_model::stats::{
    ColumnMaximum, ColumnStatistics, Counters, IndexStatistics, SequenceValue, TableStatistics,
};
use dbwright_model::workload::Workload;

use super::catalog::CatalogDraft;

/// Facts that were read so far.
#[derive(Default)]
pub(super) struct Draft {
    pub catalog: CatalogDraft,
    pub functions: Vec<Function>,
    pub triggers: Vec<Trigger>,
    pub policies: Vec<Policy>,
    pub extensions: Vec<Extension>,
    pub rules: Vec<Rule>,
    pub extended_statistics: Vec<ExtendedStatistics>,
    /// By object identifier, so that later statements can add to them.
    pub table_statistics: ByIdentifier<TableStatistics>,
    /// By object identifier of the index.
    pub index_statistics: ByIdentifier<IndexStatistics>,
    pub page_size: u64,
    pub counters: Counters,
    pub column_statistics: Vec<ColumnStatistics>,
    pub sequence_values: Vec<SequenceValue>,
    pub column_maxima: Vec<ColumnMaximum>,
    pub workload: Workload,
    pub settings: Settings,
    pub databases: Vec<DatabaseStatistics>,
    pub sessions: Vec<Session>,
    pub lock_waits: Vec<LockWait>,
    pub prepared_transactions: Vec<PreparedTransaction>,
    pub replication: Replication,
    pub slots: Vec<Slot>,
    pub archiver: Archiver,
    pub checkpointer: Checkpointer,
    pub wal: WalStatistics,
    pub server_status: ServerStatus,
    pub roles: Vec<Role>,
    pub privileges: Privileges,
    pub hba: HbaRules,
    pub user_mappings: Vec<UserMapping>,
    pub publications: Vec<Publication>,
    pub backups: Backups,
    pub migration_history: Vec<MigrationHistory>,
    /// Facts that were not told of every object, with the reason as a lower-case fragment.
    pub in_part: BTreeMap<Fact, String>,
}

/// Rows that are found again by their object identifier.
pub(super) struct ByIdentifier<T> {
    places: HashMap<i64, usize>,
    rows: Vec<T>,
}

impl<T> Default for ByIdentifier<T> {
    fn default() -> Self {
        ByIdentifier { places: HashMap::new(), rows: Vec::new() }
    }
}

impl<T> ByIdentifier<T> {
    /// Keeps a row; one of the same identifier is replaced.
    pub fn insert(&mut self, oid: i64, row: T) {
        match self.places.get(&oid) {
            Some(place) => self.rows[*place] = row,
            None => {
                self.places.insert(oid, self.rows.len());
                if self.rows.len() == self.rows.capacity() {
                    // Doubling would leave half of a large catalog's room empty.
                    self.rows.reserve_exact(16 + self.rows.len() / 4);
                }
                self.rows.push(row);
            }
        }
    }

    /// The row of an identifier.
    pub fn get_mut(&mut self, oid: i64) -> Option<&mut T> {
        self.places.get(&oid).map(|place| &mut self.rows[*place])
    }

    fn clear(&mut self) {
        self.places.clear();
        self.rows.clear();
    }
}

impl Draft {
    /// Forgets the rows of a statement that broke off, before it is tried again.
    pub fn forget(&mut self, statement: &str) {
        match statement {
            "relations" | "columns" | "constraints" | "indexes" => self.catalog.forget(statement),
            "rules" => self.rules.clear(),
            "extended_statistics" => self.extended_statistics.clear(),
            "publications" => self.publications.clear(),
            "table_statistics" => self.table_statistics.clear(),
            "index_statistics" => self.index_statistics.clear(),
            "databases" => self.databases.clear(),
            "sequence_values" => self.sequence_values.clear(),
            "column_maxima" => self.column_maxima.clear(),
            "migration_history" => self.migration_history.clear(),
            "cluster" => {
                self.slots.clear();
                self.prepared_transactions.clear();
            }
            _ => {}
        }
    }

    /// Puts everything that was read into the facts, each with how it came to be known.
    pub fn finish(self, status: &BTreeMap<Fact, Observed<()>>, facts: &mut Facts) {
        fn put<T>(
            status: &BTreeMap<Fact, Observed<()>>,
            fact: Fact,
            slot: &mut Observed<T>,
            value: impl FnOnce() -> T,
        ) {
            if let Some(status) = status.get(&fact) {
                *slot = status.clone().map(|()| value());
            }
        }
        if let Some(state) = status.get(&Fact::Catalog) {
            facts.catalog = state.clone().map(|()| {
                let mut catalog: Catalog = self.catalog.finish();
                catalog.functions = Observed::NotAsked;
                catalog.triggers = Observed::NotAsked;
                catalog.policies = Observed::NotAsked;
                catalog.extensions = Observed::NotAsked;
                catalog.publications = Observed::NotAsked;
                catalog.rules = self.rules;
                catalog.statistics = self.extended_statistics;
                put(status, Fact::Functions, &mut catalog.functions, || self.functions);
                put(status, Fact::Triggers, &mut catalog.triggers, || self.triggers);
                put(status, Fact::Policies, &mut catalog.policies, || self.policies);
                put(status, Fact::Extensions, &mut catalog.extensions, || self.extensions);
                put(status, Fact::Publications, &mut catalog.publications, || self.publications);
                catalog.sort();
                catalog
            });
        }
        put(status, Fact::TableStatistics, &mut facts.table_statistics, || {
            let mut all = self.table_statistics.rows;
            all.sort_unstable_by(|a, b| a.table.cmp(&b.table));
            all
        });
        put(status, Fact::IndexStatistics, &mut facts.index_statistics, || {
            let mut all = self.index_statistics.rows;
            all.sort_unstable_by(|a, b| (&a.table, &a.index).cmp(&(&b.table, &b.index)));
            all
        });
        put(status, Fact::Counters, &mut facts.counters, || self.counters);
        put(status, Fact::ColumnStatistics, &mut facts.column_statistics, || {
            let mut all = self.column_statistics;
            all.sort_unstable_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
            all
        });
        put(status, Fact::SequenceValues, &mut facts.sequence_values, || {
            let mut all = self.sequence_values;
            all.sort_by(|a, b| a.sequence.cmp(&b.sequence));
            all
        });
        put(status, Fact::ColumnMaxima, &mut facts.column_maxima, || {
            let mut all = self.column_maxima;
            all.sort_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
            all
        });
        put(status, Fact::Workload, &mut facts.workload, || self.workload);
        put(status, Fact::Settings, &mut facts.settings, || self.settings);
        put(status, Fact::Databases, &mut facts.databases, || {
            let mut all = self.databases;
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        });
        put(status, Fact::Sessions, &mut facts.sessions, || {
            let mut all = self.sessions;
            all.sort_by_key(|session| session.id);
            all
        });
        put(status, Fact::LockWaits, &mut facts.lock_waits, || {
            let mut all = self.lock_waits;
            all.sort_by_key(|wait| (wait.waiting, wait.blocking));
            all
        });
        put(status, Fact::PreparedTransactions, &mut facts.prepared_transactions, || {
            self.prepared_transactions
        });
        put(status, Fact::Replication, &mut facts.replication, || self.replication);
        put(status, Fact::Slots, &mut facts.slots, || self.slots);
        put(status, Fact::Archiver, &mut facts.archiver, || self.archiver);
        put(status, Fact::Checkpointer, &mut facts.checkpointer, || self.checkpointer);
        put(status, Fact::Wal, &mut facts.wal, || self.wal);
        put(status, Fact::Roles, &mut facts.roles, || {
            let mut all = self.roles;
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        });
        put(status, Fact::Privileges, &mut facts.privileges, || {
            let mut all = self.privileges;
            all.grants.sort();
            all.grants.dedup();
            all
        });
        put(status, Fact::Hba, &mut facts.hba, || self.hba);
        put(status, Fact::UserMappings, &mut facts.user_mappings, || {
            let mut all = self.user_mappings;
            all.sort_by(|a, b| (&a.server, &a.user).cmp(&(&b.server, &b.user)));
            all
        });
        put(status, Fact::Backups, &mut facts.backups, || self.backups);
        put(status, Fact::MigrationHistory, &mut facts.migration_history, || {
            let mut all = self.migration_history;
            all.sort_by(|a, b| a.table.cmp(&b.table));
            all
        });
        put(status, Fact::Storage, &mut facts.storage, Default::default);
        put(status, Fact::Integrity, &mut facts.integrity, Default::default);
        put(status, Fact::ServerStatus, &mut facts.server_status, || self.server_status);
    }
}
