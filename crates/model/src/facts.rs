//! Everything known about one database at one time, whatever the source.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{HbaRules, Privileges, Role, UserMapping};
use crate::activity::{DatabaseStatistics, LockWait, PreparedTransaction, ServerStatus, Session};
use crate::backup::{Backups, RestoreProof};
use crate::catalog::Catalog;
use crate::chain::Chain;
use crate::engine::{Engine, Version};
use crate::name::{Name, QualifiedName};
use crate::observed::Observed;
use crate::replication::{Archiver, Checkpointer, Replication, Slot, WalStatistics};
use crate::settings::Settings;
use crate::stats::{
    ColumnMaximum, ColumnStatistics, Counters, IndexStatistics, SequenceValue, TableStatistics,
};
use crate::storage::{Integrity, Storage};
use crate::workload::Workload;

/// The facts of one database. A field that nobody asked for is [`Observed::NotAsked`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Where the facts come from.
    pub source: FactSource,
    /// Tables and everything on them.
    #[serde(default)]
    pub catalog: Observed<Catalog>,
    /// Table sizes and traffic.
    #[serde(default)]
    pub table_statistics: Observed<Vec<TableStatistics>>,
    /// Index sizes and traffic.
    #[serde(default)]
    pub index_statistics: Observed<Vec<IndexStatistics>>,
    /// Since when the counters count.
    #[serde(default)]
    pub counters: Observed<Counters>,
    /// Planner statistics of columns.
    #[serde(default)]
    pub column_statistics: Observed<Vec<ColumnStatistics>>,
    /// Positions of sequences.
    #[serde(default)]
    pub sequence_values: Observed<Vec<SequenceValue>>,
    /// Largest values of integer keys and of columns that refer to them.
    #[serde(default)]
    pub column_maxima: Observed<Vec<ColumnMaximum>>,
    /// Statements and their cost.
    #[serde(default)]
    pub workload: Observed<Workload>,
    /// Settings.
    #[serde(default)]
    pub settings: Observed<Settings>,
    /// Status counters (MySQL and PostgreSQL).
    #[serde(default)]
    pub server_status: Observed<ServerStatus>,
    /// Databases of the server.
    #[serde(default)]
    pub databases: Observed<Vec<DatabaseStatistics>>,
    /// Sessions.
    #[serde(default)]
    pub sessions: Observed<Vec<Session>>,
    /// Lock waits.
    #[serde(default)]
    pub lock_waits: Observed<Vec<LockWait>>,
    /// Prepared transactions.
    #[serde(default)]
    pub prepared_transactions: Observed<Vec<PreparedTransaction>>,
    /// Replication.
    #[serde(default)]
    pub replication: Observed<Replication>,
    /// Replication slots.
    #[serde(default)]
    pub slots: Observed<Vec<Slot>>,
    /// Archiver.
    #[serde(default)]
    pub archiver: Observed<Archiver>,
    /// Checkpointer.
    #[serde(default)]
    pub checkpointer: Observed<Checkpointer>,
    /// Write-ahead log.
    #[serde(default)]
    pub wal: Observed<WalStatistics>,
    /// Roles.
    #[serde(default)]
    pub roles: Observed<Vec<Role>>,
    /// Granted rights.
    #[serde(default)]
    pub privileges: Observed<Privileges>,
    /// Host-based authentication rules.
    #[serde(default)]
    pub hba: Observed<HbaRules>,
    /// User mappings of foreign servers.
    #[serde(default)]
    pub user_mappings: Observed<Vec<UserMapping>>,
    /// How an SQLite file is kept.
    #[serde(default)]
    pub storage: Observed<Storage>,
    /// Whether an SQLite file holds together.
    #[serde(default)]
    pub integrity: Observed<Integrity>,
    /// Backups.
    #[serde(default)]
    pub backups: Observed<Backups>,
    /// Migration tools' own history tables.
    #[serde(default)]
    pub migration_history: Observed<Vec<MigrationHistory>>,
    /// Migrations that are to be applied, with what each statement does.
    #[serde(default)]
    pub migrations: Observed<Chain>,
    /// Answers to questions about rows, asked only with the user's leave.
    #[serde(default)]
    pub data: Observed<Vec<DataAnswer>>,
    /// Facts that are known for a part of the objects only, with the reason as a lower-case fragment: the source hid
    /// the others without a word. What rests on them is checked in part and never counts as good.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_part: BTreeMap<Fact, String>,
    /// Proofs of restore that the team declares, whatever could be read of backups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared_proofs: Vec<RestoreProof>,
}

/// Where facts come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactSource {
    /// How they were got.
    pub origin: Origin,
    /// The engine.
    pub engine: Engine,
    /// The server's version; `None` for files that do not say.
    pub version: Option<Version>,
    /// The server's own words for its version.
    #[serde(default)]
    pub version_text: String,
    /// The target as shown to users, secrets taken out.
    pub target: String,
    /// The database.
    #[serde(default)]
    pub database: Name,
    /// The role the facts were read with.
    #[serde(default)]
    pub role: Option<Name>,
    /// Whether that role bypasses privileges.
    #[serde(default)]
    pub superuser: bool,
    /// When they were read; `None` for files.
    #[serde(default)]
    pub collected_at: Option<Timestamp>,
    /// Statements of files that were not understood.
    #[serde(default)]
    pub skipped: Vec<SkippedStatement>,
}

impl FactSource {
    /// What the target is called in facts whose names were replaced.
    pub const ANONYMISED: &str = "anonymised";

    /// Whether names, addresses and texts in the facts stand for others.
    pub fn is_anonymised(&self) -> bool {
        self.target == FactSource::ANONYMISED
    }
}

/// How facts were got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// From a server or a database file.
    Live,
    /// From a snapshot that was taken from one.
    Snapshot,
    /// From DDL files.
    Files,
}

/// A statement of a file, or of a server's statistics, that was not understood and left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedStatement {
    /// The file, or the statistics that keep it.
    pub file: String,
    /// Line of its first word, from 1; 0 where there are no lines.
    pub line: u32,
    /// Its first words.
    pub statement: String,
    /// Why, as a lower-case fragment.
    pub because: String,
}

/// A migration tool's history table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MigrationHistory {
    /// The tool.
    pub tool: String,
    /// Its table.
    pub table: QualifiedName,
    /// Applied versions in order.
    pub applied: Vec<AppliedMigration>,
}

/// One applied migration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppliedMigration {
    /// Version or file name.
    pub version: String,
    /// Whether it ended well.
    pub ok: bool,
    /// When it was applied.
    pub at: Option<Timestamp>,
    /// The name or the description of its file, where the tool records it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The checksum of its file as the tool reckons it; bytes as hexadecimal digits in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// What kind of entry it is, as Flyway's `BASELINE` and `UNDO_SQL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// The answer to a question about rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataAnswer {
    /// What was asked.
    pub question: DataQuestion,
    /// What came back.
    pub answer: Observed<DataCount>,
}

/// A question about rows. Engines translate it to SQL; the answer is counted over the whole table under a timeout.
/// Values are equal where the engine takes them as equal, collations and all. Examples are at most five, of at most 60
/// characters, the shortest first unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataQuestion {
    /// How many non-null values of the child column have no equal in the parent column? `examined` counts rows of the
    /// child whose value is not null, `matching` those among them without a parent; examples are such values.
    Orphans {
        /// The referring table.
        child: QualifiedName,
        /// Its column.
        column: Name,
        /// The referred table.
        parent: QualifiedName,
        /// Its column.
        parent_column: Name,
    },
    /// In how many groups of equal determinants do the dependent's values differ?
    ///
    /// Rows with a null in a determinant are left out; a null of the dependent is a value like any other. `examined`
    /// counts groups of two rows or more, `matching` those with more than one value. `rows` counts all rows, also
    /// those left out, `grouped_rows` those in groups of two or more, `minority_rows` those of them whose value is not the most common
    /// one of their group, `distinct` the dependent's values among the grouped rows, and `largest_share` is the share
    /// of its most common value among them, 0 to 1. Examples are conflicting groups, largest first: the determinant,
    /// then its values and how often each stands there, as in `10115: Berlin 812, Berlim 1`.
    Dependency {
        /// The table.
        table: QualifiedName,
        /// Columns that should determine.
        determinant: Vec<Name>,
        /// The column that should follow.
        dependent: Name,
    },
    /// How many values hold a separator-joined list?
    ///
    /// `examined` counts values that are neither null nor empty, `matching` those that a comma, semicolon or bar cuts
    /// into two tokens or more, every token not empty, of at most 40 characters and with at most two spaces within.
    /// `rows` counts the tokens of the matching values, `distinct` the different ones among them, trimmed. Examples are
    /// matching values. A sample of rows is enough.
    ListValues {
        /// The table.
        table: QualifiedName,
        /// The text column.
        column: Name,
    },
    /// How many non-null values of a text column read as another type?
    ///
    /// Dates and times are those of ISO 8601, JSON is an object or an array. Blanks around a value make it no value of
    /// the type. Among examples of numbers, those whose leading zeros a number would lose come first.
    ParsesAs {
        /// The table.
        table: QualifiedName,
        /// The text column.
        column: Name,
        /// The type tried.
        kind: crate::data_type::TypeKind,
    },
    /// In how many formats does a column of texts hold dates, with a time of day behind them or not?
    /// The formats are `2024-05-01`, `2024/05/01`, `20240501`, `01.05.2024`, `01/05/2024`, `01-05-2024`, `1 May 2024`. `examined`
    /// counts values, `matching` those that are dates, `rows` those of them that begin with the year, `minority_rows` those not in the
    /// commonest format, `distinct` the formats. Examples are a value of each, the commonest first.
    DateFormats {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Name,
    },
    /// How many nulls does a nullable column hold? `examined` counts all rows. There are no examples.
    Nulls {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Name,
    },
    /// How many groups of rows are equal in all these columns?
    ///
    /// Rows with a null in one of them are left out, as unique constraints do. `examined` counts the groups, also those
    /// of one row, `matching` those of two rows or more. Examples are the largest groups as `a, b: 3`.
    Duplicates {
        /// The table.
        table: QualifiedName,
        /// The columns.
        columns: Vec<Name>,
    },
    /// The distinct values of a column, most common first. `examined` counts rows whose value is not null, `matching`
    /// the different values among them; the examples are up to twenty of these.
    Values {
        /// The table.
        table: QualifiedName,
        /// The column.
        column: Name,
    },
}

/// Rows counted for a [`DataQuestion`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataCount {
    /// Rows or groups looked at.
    pub examined: u64,
    /// Rows or groups of those that answer the question with yes.
    pub matching: u64,
    /// A few of them as text, for evidence; anonymised snapshots leave them out.
    #[serde(default)]
    pub examples: Vec<String>,
    /// All rows, or tokens, where the question says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Rows in groups of two or more, for dependencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouped_rows: Option<u64>,
    /// Rows that disagree with the most common value of their group, for dependencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minority_rows: Option<u64>,
    /// Different values or tokens, where the question says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// Share of the most common value, 0 to 1, for dependencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_share: Option<f64>,
}

/// The kinds of fact a rule can need and a collector can fetch. Each names one field of [`Facts`] or one section of
/// the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Tables, columns, constraints, indexes, views, sequences and types.
    Catalog,
    /// Routines.
    Functions,
    /// Triggers.
    Triggers,
    /// Row security policies.
    Policies,
    /// Extensions.
    Extensions,
    /// Table statistics.
    TableStatistics,
    /// Index statistics.
    IndexStatistics,
    /// Age of the counters.
    Counters,
    /// Column statistics.
    ColumnStatistics,
    /// Sequence positions.
    SequenceValues,
    /// Largest values of integer keys.
    ColumnMaxima,
    /// Statements.
    Workload,
    /// Settings.
    Settings,
    /// Status counters.
    ServerStatus,
    /// Databases.
    Databases,
    /// Sessions.
    Sessions,
    /// Lock waits.
    LockWaits,
    /// Prepared transactions.
    PreparedTransactions,
    /// Replication.
    Replication,
    /// Slots.
    Slots,
    /// Archiver.
    Archiver,
    /// Checkpointer.
    Checkpointer,
    /// Write-ahead log.
    Wal,
    /// Roles.
    Roles,
    /// Privileges.
    Privileges,
    /// Host-based authentication.
    Hba,
    /// User mappings.
    UserMappings,
    /// Publications.
    Publications,
    /// SQLite storage.
    Storage,
    /// SQLite integrity.
    Integrity,
    /// Backups.
    Backups,
    /// Migration history.
    MigrationHistory,
    /// Migrations.
    Migrations,
    /// Answers about rows.
    Data,
}

impl Fact {
    /// Every fact, in the order in which they are collected.
    pub const ALL: [Fact; 34] = [
        Fact::Catalog,
        Fact::Functions,
        Fact::Triggers,
        Fact::Policies,
        Fact::Extensions,
        Fact::TableStatistics,
        Fact::IndexStatistics,
        Fact::Counters,
        Fact::ColumnStatistics,
        Fact::SequenceValues,
        Fact::ColumnMaxima,
        Fact::Workload,
        Fact::Settings,
        Fact::ServerStatus,
        Fact::Databases,
        Fact::Sessions,
        Fact::LockWaits,
        Fact::PreparedTransactions,
        Fact::Replication,
        Fact::Slots,
        Fact::Archiver,
        Fact::Checkpointer,
        Fact::Wal,
        Fact::Roles,
        Fact::Privileges,
        Fact::Hba,
        Fact::UserMappings,
        Fact::Publications,
        Fact::Storage,
        Fact::Integrity,
        Fact::Backups,
        Fact::MigrationHistory,
        Fact::Migrations,
        Fact::Data,
    ];

    /// Whether collectors read it. Answers about rows are asked for by questions, migrations are read from files.
    pub fn is_collected(self) -> bool {
        !matches!(self, Fact::Data | Fact::Migrations)
    }

    /// The fact in words, for "not checked" lines.
    pub fn describe(self) -> &'static str {
        match self {
            Fact::Catalog => "the catalog",
            Fact::Functions => "functions",
            Fact::Triggers => "triggers",
            Fact::Policies => "row security policies",
            Fact::Extensions => "extensions",
            Fact::TableStatistics => "table statistics",
            Fact::IndexStatistics => "index statistics",
            Fact::Counters => "the age of the counters",
            Fact::ColumnStatistics => "column statistics",
            Fact::SequenceValues => "sequence positions",
            Fact::ColumnMaxima => "the largest values of integer keys",
            Fact::Workload => "statement statistics",
            Fact::Settings => "settings",
            Fact::ServerStatus => "server status",
            Fact::Databases => "database statistics",
            Fact::Sessions => "sessions",
            Fact::LockWaits => "lock waits",
            Fact::PreparedTransactions => "prepared transactions",
            Fact::Replication => "replication",
            Fact::Slots => "replication slots",
            Fact::Archiver => "the archiver",
            Fact::Checkpointer => "the checkpointer",
            Fact::Wal => "write-ahead log statistics",
            Fact::Roles => "roles",
            Fact::Privileges => "privileges",
            Fact::Hba => "the rules of pg_hba.conf",
            Fact::UserMappings => "user mappings",
            Fact::Publications => "publications",
            Fact::Storage => "storage pragmas",
            Fact::Integrity => "integrity checks",
            Fact::Backups => "backup records",
            Fact::MigrationHistory => "migration history",
            Fact::Migrations => "migrations",
            Fact::Data => "answers about rows",
        }
    }
}

impl Facts {
    /// Facts of which nothing is known yet.
    pub fn none(source: FactSource) -> Self {
        Facts {
            source,
            catalog: Observed::NotAsked,
            table_statistics: Observed::NotAsked,
            index_statistics: Observed::NotAsked,
            counters: Observed::NotAsked,
            column_statistics: Observed::NotAsked,
            sequence_values: Observed::NotAsked,
            column_maxima: Observed::NotAsked,
            workload: Observed::NotAsked,
            settings: Observed::NotAsked,
            server_status: Observed::NotAsked,
            databases: Observed::NotAsked,
            sessions: Observed::NotAsked,
            lock_waits: Observed::NotAsked,
            prepared_transactions: Observed::NotAsked,
            replication: Observed::NotAsked,
            slots: Observed::NotAsked,
            archiver: Observed::NotAsked,
            checkpointer: Observed::NotAsked,
            wal: Observed::NotAsked,
            roles: Observed::NotAsked,
            privileges: Observed::NotAsked,
            hba: Observed::NotAsked,
            user_mappings: Observed::NotAsked,
            storage: Observed::NotAsked,
            integrity: Observed::NotAsked,
            backups: Observed::NotAsked,
            migration_history: Observed::NotAsked,
            migrations: Observed::NotAsked,
            data: Observed::NotAsked,
            in_part: BTreeMap::new(),
            declared_proofs: Vec::new(),
        }
    }

    /// How a fact is known, its value left aside.
    pub fn status(&self, fact: Fact) -> Observed<()> {
        fn of<T>(observed: &Observed<T>) -> Observed<()> {
            observed.as_ref().map(|_| ())
        }
        fn section<T>(catalog: &Observed<Catalog>, pick: impl Fn(&Catalog) -> &Observed<T>) -> Observed<()> {
            match catalog {
                Observed::Known(catalog) => of(pick(catalog)),
                unknown => of(unknown),
            }
        }
        match fact {
            Fact::Catalog => of(&self.catalog),
            Fact::Functions => section(&self.catalog, |catalog| &catalog.functions),
            Fact::Triggers => section(&self.catalog, |catalog| &catalog.triggers),
            Fact::Policies => section(&self.catalog, |catalog| &catalog.policies),
            Fact::Extensions => section(&self.catalog, |catalog| &catalog.extensions),
            Fact::Publications => section(&self.catalog, |catalog| &catalog.publications),
            Fact::TableStatistics => of(&self.table_statistics),
            Fact::IndexStatistics => of(&self.index_statistics),
            Fact::Counters => of(&self.counters),
            Fact::ColumnStatistics => of(&self.column_statistics),
            Fact::SequenceValues => of(&self.sequence_values),
            Fact::ColumnMaxima => of(&self.column_maxima),
            Fact::Workload => of(&self.workload),
            Fact::Settings => of(&self.settings),
            Fact::ServerStatus => of(&self.server_status),
            Fact::Databases => of(&self.databases),
            Fact::Sessions => of(&self.sessions),
            Fact::LockWaits => of(&self.lock_waits),
            Fact::PreparedTransactions => of(&self.prepared_transactions),
            Fact::Replication => of(&self.replication),
            Fact::Slots => of(&self.slots),
            Fact::Archiver => of(&self.archiver),
            Fact::Checkpointer => of(&self.checkpointer),
            Fact::Wal => of(&self.wal),
            Fact::Roles => of(&self.roles),
            Fact::Privileges => of(&self.privileges),
            Fact::Hba => of(&self.hba),
            Fact::UserMappings => of(&self.user_mappings),
            Fact::Storage => of(&self.storage),
            Fact::Integrity => of(&self.integrity),
            Fact::Backups => of(&self.backups),
            Fact::MigrationHistory => of(&self.migration_history),
            Fact::Migrations => of(&self.migrations),
            Fact::Data => of(&self.data),
        }
    }

    /// Whether a fact is a section of the catalog that has a status of its own.
    pub fn catalog_section(&self, fact: Fact) -> Option<Observed<()>> {
        matches!(
            fact,
            Fact::Functions | Fact::Triggers | Fact::Policies | Fact::Extensions | Fact::Publications
        )
        .then(|| self.status(fact))
    }

    /// Forgets a fact for a reason, as if the server had refused it.
    pub fn deny(&mut self, fact: Fact, because: &str) {
        self.set_unknown(fact, Unknown::Denied, because);
    }

    /// Notes that the source cannot tell a fact.
    pub fn set_unsupported(&mut self, fact: Fact, because: &str) {
        self.set_unknown(fact, Unknown::Unsupported, because);
    }

    /// Notes that reading a fact was tried and failed.
    pub fn set_failed(&mut self, fact: Fact, because: &str) {
        self.set_unknown(fact, Unknown::Failed, because);
    }

    /// Notes why a fact is not known. A section of a catalog that is itself not known stays with it.
    pub fn set_unknown(&mut self, fact: Fact, how: Unknown, because: &str) {
        let forget = Forget { how, because };
        match fact {
            Fact::Catalog => forget.apply(&mut self.catalog),
            Fact::Functions | Fact::Triggers | Fact::Policies | Fact::Extensions | Fact::Publications => {
                let Some(catalog) = self.catalog.known_mut() else { return };
                match fact {
                    Fact::Functions => forget.apply(&mut catalog.functions),
                    Fact::Triggers => forget.apply(&mut catalog.triggers),
                    Fact::Policies => forget.apply(&mut catalog.policies),
                    Fact::Publications => forget.apply(&mut catalog.publications),
                    _ => forget.apply(&mut catalog.extensions),
                }
            }
            Fact::TableStatistics => forget.apply(&mut self.table_statistics),
            Fact::IndexStatistics => forget.apply(&mut self.index_statistics),
            Fact::Counters => forget.apply(&mut self.counters),
            Fact::ColumnStatistics => forget.apply(&mut self.column_statistics),
            Fact::SequenceValues => forget.apply(&mut self.sequence_values),
            Fact::ColumnMaxima => forget.apply(&mut self.column_maxima),
            Fact::Workload => forget.apply(&mut self.workload),
            Fact::Settings => forget.apply(&mut self.settings),
            Fact::ServerStatus => forget.apply(&mut self.server_status),
            Fact::Databases => forget.apply(&mut self.databases),
            Fact::Sessions => forget.apply(&mut self.sessions),
            Fact::LockWaits => forget.apply(&mut self.lock_waits),
            Fact::PreparedTransactions => forget.apply(&mut self.prepared_transactions),
            Fact::Replication => forget.apply(&mut self.replication),
            Fact::Slots => forget.apply(&mut self.slots),
            Fact::Archiver => forget.apply(&mut self.archiver),
            Fact::Checkpointer => forget.apply(&mut self.checkpointer),
            Fact::Wal => forget.apply(&mut self.wal),
            Fact::Roles => forget.apply(&mut self.roles),
            Fact::Privileges => forget.apply(&mut self.privileges),
            Fact::Hba => forget.apply(&mut self.hba),
            Fact::UserMappings => forget.apply(&mut self.user_mappings),
            Fact::Storage => forget.apply(&mut self.storage),
            Fact::Integrity => forget.apply(&mut self.integrity),
            Fact::Backups => forget.apply(&mut self.backups),
            Fact::MigrationHistory => forget.apply(&mut self.migration_history),
            Fact::Migrations => forget.apply(&mut self.migrations),
            Fact::Data => forget.apply(&mut self.data),
        }
    }
}

/// The ways in which a fact can be unknown after it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The server refused.
    Denied,
    /// The source cannot answer.
    Unsupported,
    /// The read was tried and failed.
    Failed,
}

struct Forget<'a> {
    how: Unknown,
    because: &'a str,
}

impl Forget<'_> {
    fn apply<T>(&self, observed: &mut Observed<T>) {
        let because = self.because.to_owned();
        *observed = match self.how {
            Unknown::Denied => Observed::Denied(because),
            Unknown::Unsupported => Observed::Unsupported(because),
            Unknown::Failed => Observed::Failed(because),
        };
    }
}
