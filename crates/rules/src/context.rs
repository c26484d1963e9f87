//! What a rule sees: the facts it declared, and ways to look things up in them.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use dbwright_model::access::{HbaRules, Privileges, Role, UserMapping};
use dbwright_model::activity::{DatabaseStatistics, LockWait, PreparedTransaction, ServerStatus, Session};
use dbwright_model::backup::{Backups, RestoreProof};
use dbwright_model::capability::{self, Capability};
use dbwright_model::catalog::{
    Catalog, Extension, ForeignKey, Function, Policy, Publication, Table, Trigger,
};
use dbwright_model::chain::Chain;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{DataAnswer, Fact, FactSource, Facts, MigrationHistory};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::replication::{Archiver, Checkpointer, Replication, Slot, WalStatistics};
use dbwright_model::settings::Settings;
use dbwright_model::stats::{
    ColumnMaximum, ColumnStatistics, Counters, IndexStatistics, SequenceValue, TableStatistics,
};
use dbwright_model::storage::{Integrity, Storage};
use dbwright_model::workload::Workload;

use crate::Entry;
use crate::doubts::Doubts;
use crate::rule::{ChosenValue, OptionValue, Options};
use crate::traffic::{self, Traffic};

/// Look-up tables over facts, built once per run.
#[derive(Debug, Default)]
pub struct Lookup<'a> {
    tables: HashMap<&'a QualifiedName, &'a Table>,
    children: HashMap<&'a QualifiedName, Vec<(&'a Table, &'a ForeignKey)>>,
    table_statistics: HashMap<&'a QualifiedName, &'a TableStatistics>,
    index_statistics: HashMap<(&'a QualifiedName, &'a Name), &'a IndexStatistics>,
    column_statistics: HashMap<(&'a QualifiedName, &'a Name), &'a ColumnStatistics>,
    doubtful: BTreeSet<&'a QualifiedName>,
    doubts: Option<Doubts>,
    traffic: OnceLock<HashMap<QualifiedName, Traffic>>,
}

impl<'a> Lookup<'a> {
    /// Builds the tables.
    pub fn new(facts: &'a Facts) -> Self {
        let mut lookup = Lookup::default();
        if let Some(catalog) = facts.catalog.known() {
            lookup.doubtful = catalog.doubts.iter().filter_map(|doubt| doubt.object.as_ref()).collect();
            lookup.doubts = Doubts::of(catalog);
        }
        for table in facts.catalog.known().map(|catalog| catalog.tables.as_slice()).unwrap_or_default() {
            lookup.tables.insert(&table.name, table);
            for foreign_key in &table.foreign_keys {
                lookup.children.entry(&foreign_key.references).or_default().push((table, foreign_key));
            }
        }
        for statistics in facts.table_statistics.known().map(Vec::as_slice).unwrap_or_default() {
            lookup.table_statistics.insert(&statistics.table, statistics);
        }
        for statistics in facts.index_statistics.known().map(Vec::as_slice).unwrap_or_default() {
            lookup.index_statistics.insert((&statistics.table, &statistics.index), statistics);
        }
        for statistics in facts.column_statistics.known().map(Vec::as_slice).unwrap_or_default() {
            lookup.column_statistics.insert((&statistics.table, &statistics.column), statistics);
        }
        lookup
    }

    /// What is in doubt about the tables of the catalog; `None` when nothing is.
    pub fn doubts(&self) -> Option<&Doubts> {
        self.doubts.as_ref()
    }
}

/// What one rule sees.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    facts: &'a Facts,
    lookup: &'a Lookup<'a>,
    entry: &'static Entry,
    options: &'a Options,
}

/// Defines an accessor for a fact that a rule needs. A rule that reads a fact it did not declare is a bug, found by
/// the first example that runs it.
macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident: $fact:ident -> $type:ty;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self) -> &'a $type {
                self.needed(Fact::$fact, &self.facts.$name)
            }
        )*
    };
}

impl<'a> Context<'a> {
    /// The view of one rule.
    pub fn new(
        facts: &'a Facts,
        lookup: &'a Lookup<'a>,
        entry: &'static Entry,
        options: &'a Options,
    ) -> Self {
        Context { facts, lookup, entry, options }
    }

    fn needed<T>(&self, fact: Fact, value: &'a Observed<T>) -> &'a T {
        assert!(
            self.entry.rule.needs.contains(&fact),
            "rule `{}` reads {} without declaring the need",
            self.entry.id,
            fact.describe()
        );
        match value {
            Observed::Known(value) => value,
            _ => unreachable!("rules run only when every fact they need is known"),
        }
    }

    fn wanted(&self, fact: Fact) {
        let rule = self.entry.rule;
        assert!(
            rule.facts().any(|declared| declared == fact),
            "rule `{}` looks at {} without declaring it",
            self.entry.id,
            fact.describe()
        );
    }

    facts! {
        /// The catalog.
        catalog: Catalog -> Catalog;
        /// Table statistics, sorted by table.
        table_statistics: TableStatistics -> Vec<TableStatistics>;
        /// Index statistics.
        index_statistics: IndexStatistics -> Vec<IndexStatistics>;
        /// Age of the counters.
        counters: Counters -> Counters;
        /// Column statistics.
        column_statistics: ColumnStatistics -> Vec<ColumnStatistics>;
        /// Sequence positions.
        sequence_values: SequenceValues -> Vec<SequenceValue>;
        /// Largest values of integer keys.
        column_maxima: ColumnMaxima -> Vec<ColumnMaximum>;
        /// Statements.
        workload: Workload -> Workload;
        /// Settings.
        settings: Settings -> Settings;
        /// Status counters.
        server_status: ServerStatus -> ServerStatus;
        /// Databases.
        databases: Databases -> Vec<DatabaseStatistics>;
        /// Sessions.
        sessions: Sessions -> Vec<Session>;
        /// Lock waits.
        lock_waits: LockWaits -> Vec<LockWait>;
        /// Prepared transactions.
        prepared_transactions: PreparedTransactions -> Vec<PreparedTransaction>;
        /// Replication.
        replication: Replication -> Replication;
        /// Slots.
        slots: Slots -> Vec<Slot>;
        /// Archiver.
        archiver: Archiver -> Archiver;
        /// Checkpointer.
        checkpointer: Checkpointer -> Checkpointer;
        /// Write-ahead log.
        wal: Wal -> WalStatistics;
        /// Roles.
        roles: Roles -> Vec<Role>;
        /// Privileges.
        privileges: Privileges -> Privileges;
        /// Host-based authentication.
        hba: Hba -> HbaRules;
        /// User mappings.
        user_mappings: UserMappings -> Vec<UserMapping>;
        /// SQLite storage.
        storage: Storage -> Storage;
        /// SQLite integrity.
        integrity: Integrity -> Integrity;
        /// Backups.
        backups: Backups -> Backups;
        /// Migration history.
        migration_history: MigrationHistory -> Vec<MigrationHistory>;
        /// Migrations that are to be applied.
        migrations: Migrations -> Chain;
        /// Answers about rows.
        data: Data -> Vec<DataAnswer>;
    }

    /// The statements that run on a table in a second, where the recorded workload tells.
    pub fn traffic_of(&self, table: &QualifiedName) -> Option<Traffic> {
        self.wanted(Fact::Workload);
        self.lookup.traffic.get_or_init(|| traffic::of(self.facts)).get(table).copied()
    }

    fn section<T>(&self, fact: Fact, pick: impl Fn(&'a Catalog) -> &'a Observed<T>) -> &'a T {
        let catalog = match &self.facts.catalog {
            Observed::Known(catalog) => catalog,
            _ => unreachable!("sections are known only together with the catalog"),
        };
        self.needed(fact, pick(catalog))
    }

    /// Routines.
    pub fn functions(&self) -> &'a [Function] {
        self.section(Fact::Functions, |catalog| &catalog.functions)
    }

    /// Triggers.
    pub fn triggers(&self) -> &'a [Trigger] {
        self.section(Fact::Triggers, |catalog| &catalog.triggers)
    }

    /// Policies.
    pub fn policies(&self) -> &'a [Policy] {
        self.section(Fact::Policies, |catalog| &catalog.policies)
    }

    /// Publications.
    pub fn publications(&self) -> &'a [Publication] {
        self.section(Fact::Publications, |catalog| &catalog.publications)
    }

    /// Extensions.
    pub fn extensions(&self) -> &'a [Extension] {
        self.section(Fact::Extensions, |catalog| &catalog.extensions)
    }

    /// Routines, for a rule that wants them and does not need them.
    pub fn functions_if_known(&self) -> Option<&'a [Function]> {
        self.wanted(Fact::Functions);
        self.facts.catalog.known()?.functions.known().map(Vec::as_slice)
    }

    /// Extensions, for a rule that wants them and does not need them.
    pub fn extensions_if_known(&self) -> Option<&'a [Extension]> {
        self.wanted(Fact::Extensions);
        self.facts.catalog.known()?.extensions.known().map(Vec::as_slice)
    }

    /// All facts, for a fact that the rule wants but does not need.
    pub fn facts_if_known(&self, fact: Fact) -> &'a Facts {
        self.wanted(fact);
        self.facts
    }

    /// Why a fact is known for a part of the objects only, as a lower-case fragment.
    pub fn why_in_part(&self, fact: Fact) -> Option<&'a str> {
        self.wanted(fact);
        self.facts.in_part.get(&fact).map(String::as_str)
    }

    /// Proofs of restore that the team declares.
    pub fn declared_proofs(&self) -> &'a [RestoreProof] {
        &self.facts.declared_proofs
    }

    /// Where the facts come from.
    pub fn source(&self) -> &'a FactSource {
        &self.facts.source
    }

    /// The database that is judged. It always has this name, so that a finding about it has the same key on every server.
    pub fn database(&self) -> Name {
        Name::new("database")
    }

    /// The engine.
    pub fn engine(&self) -> Engine {
        self.facts.source.engine
    }

    /// Whether the server can do something; a file's server is taken to be the newest.
    pub fn can(&self, capability: Capability) -> bool {
        capability::can(capability, self.engine(), self.facts.source.version)
    }

    /// The table of a name.
    pub fn table(&self, name: &QualifiedName) -> Option<&'a Table> {
        self.lookup.tables.get(name).copied()
    }

    /// Tables that rows of the application live in: no partitions (their parent stands for them), no tables of
    /// extensions, other servers, virtual tables or migration tools.
    pub fn own_tables(&self) -> impl Iterator<Item = &'a Table> {
        self.catalog()
            .tables
            .iter()
            .filter(|table| table.is_own() && !table.is_partition() && !crate::lexicon::is_tool_table(table))
    }

    /// Whether something about an object is not known for sure: a statement that was not understood may have changed it, or
    /// the server hid a part of it.
    pub fn is_doubtful(&self, object: &QualifiedName) -> bool {
        self.lookup.doubtful.contains(object)
    }

    /// Foreign keys that refer to a table.
    pub fn children(&self, parent: &QualifiedName) -> &[(&'a Table, &'a ForeignKey)] {
        self.lookup.children.get(parent).map(Vec::as_slice).unwrap_or_default()
    }

    /// Statistics of a table, when known.
    pub fn statistics_of(&self, table: &QualifiedName) -> Option<&'a TableStatistics> {
        self.wanted(Fact::TableStatistics);
        self.lookup.table_statistics.get(table).copied()
    }

    /// Statistics of an index, when known.
    pub fn index_statistics_of(&self, table: &QualifiedName, index: &Name) -> Option<&'a IndexStatistics> {
        self.wanted(Fact::IndexStatistics);
        self.lookup.index_statistics.get(&(table, index)).copied()
    }

    /// Statistics of a column, when known.
    pub fn column_statistics_of(&self, table: &QualifiedName, column: &Name) -> Option<&'a ColumnStatistics> {
        self.wanted(Fact::ColumnStatistics);
        self.lookup.column_statistics.get(&(table, column)).copied()
    }

    /// The number a user chose for an option, or its default.
    pub fn number(&self, option: &str) -> f64 {
        match (self.options.get(self.entry.id, option), self.default_of(option)) {
            (Some(ChosenValue::Number(number)), _) => *number,
            (_, OptionValue::Number(number)) => number,
            _ => unreachable!("option `{option}` of `{}` is a number", self.entry.id),
        }
    }

    /// The switch a user chose for an option, or its default.
    pub fn flag(&self, option: &str) -> bool {
        match (self.options.get(self.entry.id, option), self.default_of(option)) {
            (Some(ChosenValue::Flag(flag)), _) => *flag,
            (_, OptionValue::Flag(flag)) => flag,
            _ => unreachable!("option `{option}` of `{}` is a switch", self.entry.id),
        }
    }

    /// The words a user chose for an option, or its default.
    pub fn words(&self, option: &str) -> Vec<&'a str> {
        match (self.options.get(self.entry.id, option), self.default_of(option)) {
            (Some(ChosenValue::Words(words)), _) => words.iter().map(String::as_str).collect(),
            (_, OptionValue::Words(words)) => words.to_vec(),
            _ => unreachable!("option `{option}` of `{}` is a list of words", self.entry.id),
        }
    }

    fn default_of(&self, option: &str) -> OptionValue {
        let spec = self.entry.rule.options.iter().find(|spec| spec.name == option);
        match spec {
            Some(spec) => spec.default,
            None => panic!("rule `{}` has no option `{option}`", self.entry.id),
        }
    }
}
