//! What a database consists of: schemas, tables and everything that hangs on them.
//!
//! One set of types serves every engine and every source: a live catalog, a snapshot, or folded DDL.

use serde::{Deserialize, Serialize};

use crate::data_type::DataType;
use crate::engine::Engine;
use crate::expression::{DataStatement, Expr, Expression, Query};
use crate::name::{Name, QualifiedName};
use crate::observed::Observed;

/// The objects of one database. Lists are sorted by name; columns keep their order in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// The engine whose rules the names and types follow.
    pub engine: Engine,
    /// Schemas other than the system's own.
    #[serde(default)]
    pub schemas: Vec<Schema>,
    /// Tables of every kind, partitions included.
    #[serde(default)]
    pub tables: Vec<Table>,
    /// Views and materialised views.
    #[serde(default)]
    pub views: Vec<View>,
    /// Sequences.
    #[serde(default)]
    pub sequences: Vec<Sequence>,
    /// Enums, domains, composite and range types.
    #[serde(default)]
    pub types: Vec<UserType>,
    /// Routines.
    #[serde(default)]
    pub functions: Observed<Vec<Function>>,
    /// Triggers on tables and views.
    #[serde(default)]
    pub triggers: Observed<Vec<Trigger>>,
    /// Row security policies.
    #[serde(default)]
    pub policies: Observed<Vec<Policy>>,
    /// Installed extensions.
    #[serde(default)]
    pub extensions: Observed<Vec<Extension>>,
    /// Publications of logical replication (PostgreSQL).
    #[serde(default)]
    pub publications: Observed<Vec<Publication>>,
    /// Rewrite rules, those behind views not included (PostgreSQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Statistics over several columns or expressions (PostgreSQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statistics: Vec<ExtendedStatistics>,
    /// What is not known for sure: statements of files that were not understood, tables of a live catalog that were locked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
}

/// A statement that was not understood, and what it touches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The object the statement may have changed; `None` when not even that is known.
    pub object: Option<QualifiedName>,
    /// Why nothing more is known, as a lower-case fragment.
    pub because: String,
}

/// A schema.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Its name.
    pub name: Name,
    /// Its owner, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: QualifiedName,
    /// What kind of table it is.
    #[serde(default)]
    pub kind: TableKind,
    /// How long its rows live.
    #[serde(default)]
    pub persistence: Persistence,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// The primary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Key>,
    /// Unique constraints. Unique indexes without a constraint stand in `indexes` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uniques: Vec<Key>,
    /// Check constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// Foreign keys from this table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// Exclusion constraints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Every index, those behind constraints included. SQLite's rowid and MySQL's clustered key are listed as the
    /// index of the primary key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Tables this one inherits from (PostgreSQL), its partitioned parent not included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<QualifiedName>,
    /// Row security.
    #[serde(default, skip_serializing_if = "RowSecurity::is_off")]
    pub row_security: RowSecurity,
    /// How rows are named to logical replicas (PostgreSQL).
    #[serde(default, skip_serializing_if = "ReplicaIdentity::is_default")]
    pub replica_identity: ReplicaIdentity,
    /// Storage parameters and table options as written, sorted: `fillfactor=70`, `row_format=DYNAMIC`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
    /// The access method when it is not `heap` (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method: Option<Name>,
    /// The tablespace when it is not the database's default (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Name>,
    /// The index that `CLUSTER` orders the rows by (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clustered_on: Option<Name>,
    /// The composite type that the table was made `OF` (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_type: Option<QualifiedName>,
    /// How a partition is partitioned further (PostgreSQL); `None` when it is not, or is no partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_partitioned: Option<PartitionKey>,
    /// Storage engine (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_engine: Option<Name>,
    /// Default collation (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<Name>,
    /// `STRICT` (SQLite).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// `WITHOUT ROWID` (SQLite).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_rowid: bool,
    /// Its owner, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The extension it belongs to (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Name>,
    /// The statement that made it, where the engine keeps that (SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// Kinds of table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// A plain table.
    #[default]
    Ordinary,
    /// A partitioned table, which holds no rows itself; in MySQL a table with partitions inside.
    Partitioned {
        /// `range`, `list`, `hash`, `key`.
        strategy: Name,
        /// The partition key as written.
        key: String,
    },
    /// A partition; it may itself be partitioned further.
    Partition {
        /// The table it is a part of.
        of: QualifiedName,
        /// `FOR VALUES ...` or `DEFAULT`.
        bound: String,
    },
    /// A foreign table.
    Foreign {
        /// The foreign server.
        server: Name,
    },
    /// A virtual table (SQLite) and the module behind it.
    Virtual {
        /// The module.
        module: Name,
    },
    /// A shadow table that a virtual table keeps for itself (SQLite).
    Shadow,
}

/// How a partition is partitioned further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionKey {
    /// `range`, `list`, `hash`.
    pub strategy: Name,
    /// The partition key as written.
    pub key: String,
}

/// How long rows live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persistence {
    /// They survive a crash.
    #[default]
    Permanent,
    /// They are lost in a crash (PostgreSQL `UNLOGGED`).
    Unlogged,
    /// They end with the session.
    Temporary,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub data_type: DataType,
    /// Whether `NOT NULL` holds, said or implied by the primary key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_null: bool,
    /// `DEFAULT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Expression>,
    /// `GENERATED ... AS IDENTITY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// `GENERATED ALWAYS AS (expression)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Box<Generated>>,
    /// A collation that differs from the type's default (PostgreSQL) or the column's own (MySQL, SQLite).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<Name>,
    /// The sequence owned by the column: `serial` or identity (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<QualifiedName>,
    /// `AUTO_INCREMENT` (MySQL) or `AUTOINCREMENT` (SQLite).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_increment: bool,
    /// `ON UPDATE` expression (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_update: Option<Box<Expression>>,
    /// The constraint behind `not_null` where it is not the plain one: PostgreSQL 18 lets it have a name of its own, be
    /// not yet valid, or stay with the one table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_null_constraint: Option<NotNull>,
    /// `SET STATISTICS`, when it is not the default (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics_target: Option<i32>,
    /// `STORAGE` in lower case when it is not the type's own: `plain`, `external`, `extended`, `main` (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Name>,
    /// `COMPRESSION` in lower case when it was said: `pglz`, `lz4` (PostgreSQL 14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Name>,
    /// Attribute options such as `n_distinct`, sorted (PostgreSQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A `NOT NULL` constraint as PostgreSQL 18 keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotNull {
    /// Its name when it is not the one that the server makes up: `table_column_not_null`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether existing rows are known to obey it.
    #[serde(default = "yes")]
    pub validated: bool,
    /// `NO INHERIT`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_inherit: bool,
}

/// An identity column's promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// `GENERATED ALWAYS`.
    Always,
    /// `GENERATED BY DEFAULT`.
    ByDefault,
}

/// A generated column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// The expression.
    pub expression: Expression,
    /// `STORED` or `PERSISTENT`; otherwise it is computed when read.
    pub stored: bool,
}

/// A primary key or unique constraint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// Its name; SQLite constraints may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Columns in key order.
    pub columns: Vec<Name>,
    /// `INCLUDE` columns (PostgreSQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Name>,
    /// `NULLS NOT DISTINCT` (PostgreSQL 15).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
    /// Whether the last column is a range that must not overlap: `WITHOUT OVERLAPS` (PostgreSQL 18).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_overlaps: bool,
    /// `DEFERRABLE`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub initially_deferred: bool,
    /// Storage parameters of the index behind it, where a statement says them; a catalog keeps them with the index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
    /// Tablespace of the index behind it, where a statement says it; a catalog keeps it with the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Name>,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Its name; SQLite constraints may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// What must hold.
    pub expression: Expression,
    /// Whether existing rows are known to obey it.
    #[serde(default = "yes")]
    pub validated: bool,
    /// Whether new rows are checked.
    #[serde(default = "yes")]
    pub enforced: bool,
    /// `NO INHERIT` (PostgreSQL).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_inherit: bool,
}

impl Default for Check {
    fn default() -> Self {
        Check {
            name: None,
            expression: Expression::text(""),
            validated: true,
            enforced: true,
            no_inherit: false,
        }
    }
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Its name; SQLite constraints may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Referencing columns.
    pub columns: Vec<Name>,
    /// The referenced table.
    pub references: QualifiedName,
    /// Referenced columns; empty when unsaid and the parent's primary key is not known.
    pub referenced_columns: Vec<Name>,
    /// `ON DELETE`.
    #[serde(default)]
    pub on_delete: ReferentialAction,
    /// The columns that `ON DELETE SET NULL` or `SET DEFAULT` is limited to (PostgreSQL 15); empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_delete_columns: Vec<Name>,
    /// `ON UPDATE`.
    #[serde(default)]
    pub on_update: ReferentialAction,
    /// `MATCH FULL`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub match_full: bool,
    /// Whether the last column is a `PERIOD` (PostgreSQL 18).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub period: bool,
    /// `DEFERRABLE`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deferrable: bool,
    /// `INITIALLY DEFERRED`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub initially_deferred: bool,
    /// Whether existing rows are known to obey it.
    #[serde(default = "yes")]
    pub validated: bool,
    /// Whether new rows are checked.
    #[serde(default = "yes")]
    pub enforced: bool,
    /// Whether a statement of MySQL says it beside its column, which some servers read and make nothing of. No key of a
    /// catalog is so.
    #[serde(skip)]
    pub beside_column: bool,
}

impl Default for ForeignKey {
    fn default() -> Self {
        ForeignKey {
            name: None,
            columns: Vec::new(),
            references: QualifiedName::default(),
            referenced_columns: Vec::new(),
            on_delete: ReferentialAction::NoAction,
            on_delete_columns: Vec::new(),
            on_update: ReferentialAction::NoAction,
            match_full: false,
            period: false,
            deferrable: false,
            initially_deferred: false,
            validated: true,
            enforced: true,
            beside_column: false,
        }
    }
}

/// What happens to children when a parent goes or changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferentialAction {
    /// `NO ACTION`.
    #[default]
    NoAction,
    /// `RESTRICT`.
    Restrict,
    /// `CASCADE`.
    Cascade,
    /// `SET NULL`.
    SetNull,
    /// `SET DEFAULT`.
    SetDefault,
}

/// An exclusion constraint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Its name.
    pub name: Name,
    /// The definition as the server prints it.
    pub definition: String,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: Name,
    /// Key parts in order.
    pub parts: Vec<IndexPart>,
    /// `INCLUDE` columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Name>,
    /// Whether it refuses duplicates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unique: bool,
    /// `NULLS NOT DISTINCT`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
    /// Access method in lower case: `btree`, `hash`, `gin`, `fulltext`, `spatial`.
    #[serde(default = "Index::btree", skip_serializing_if = "Index::is_btree_name")]
    pub method: Name,
    /// `WHERE` of a partial index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Expression>,
    /// The constraint that the index stands behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backs: Option<ConstraintKind>,
    /// Whether the server can use it: false after a failed concurrent build.
    #[serde(default = "yes")]
    pub valid: bool,
    /// Whether the planner may use it: false for MySQL `INVISIBLE`, MariaDB `IGNORED`.
    #[serde(default = "yes")]
    pub visible: bool,
    /// Storage parameters, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
    /// The tablespace when it is not the database's default (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Name>,
    /// The index of the partitioned table that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_of: Option<Name>,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Default for Index {
    fn default() -> Self {
        Index {
            name: Name::DEFAULT,
            parts: Vec::new(),
            include: Vec::new(),
            unique: false,
            nulls_not_distinct: false,
            method: Index::btree(),
            predicate: None,
            backs: None,
            valid: true,
            visible: true,
            options: Vec::new(),
            tablespace: None,
            partition_of: None,
            comment: None,
        }
    }
}

/// Kinds of constraint an index can stand behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConstraintKind {
    /// Primary key.
    PrimaryKey,
    /// Unique constraint.
    Unique,
    /// Exclusion constraint.
    Exclusion,
    /// An index the server made by itself for a foreign key (MySQL).
    ForeignKey,
}

/// One key part of an index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexPart {
    /// The column or expression.
    pub key: IndexKey,
    /// `DESC`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
    /// `NULLS FIRST`, said or implied. PostgreSQL implies it for `DESC`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_first: bool,
    /// Operator class when it is not the default of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<Name>,
    /// Collation when it differs from the column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<Name>,
    /// Indexed prefix in characters (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u32>,
}

/// What an index part covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexKey {
    /// A column.
    Column(Name),
    /// An expression.
    Expression(Expression),
}

impl IndexPart {
    /// A plain ascending column.
    pub fn column(name: impl AsRef<str>) -> Self {
        IndexPart {
            key: IndexKey::Column(Name::new(name)),
            descending: false,
            nulls_first: false,
            operator_class: None,
            collation: None,
            prefix: None,
        }
    }

    /// The column, when the part is one.
    pub fn as_column(&self) -> Option<&Name> {
        match &self.key {
            IndexKey::Column(name) => Some(name),
            IndexKey::Expression(_) => None,
        }
    }
}

impl Index {
    fn btree() -> Name {
        Name::new("btree")
    }

    /// The name under which SQLite's rowid is listed as the index of an `INTEGER PRIMARY KEY`.
    pub const ROWID: &'static str = "rowid";

    /// The option under which SQLite's collector leaves the statement that made an index, where the pragmas do not
    /// tell its predicate or expressions.
    pub const DEFINITION: &'static str = "definition";

    fn is_btree_name(name: &Name) -> bool {
        *name == "btree"
    }

    /// Whether the access method is an ordered tree.
    pub fn is_btree(&self) -> bool {
        Index::is_btree_name(&self.method)
    }

    /// The key columns, or `None` when a part is an expression.
    pub fn columns(&self) -> Option<Vec<&Name>> {
        self.parts.iter().map(IndexPart::as_column).collect()
    }
}

/// Row security of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSecurity {
    /// `ENABLE ROW LEVEL SECURITY`.
    pub enabled: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    pub forced: bool,
}

impl RowSecurity {
    fn is_off(&self) -> bool {
        *self == RowSecurity::default()
    }
}

/// How logical replication names a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaIdentity {
    /// By the primary key.
    #[default]
    Default,
    /// Not at all.
    Nothing,
    /// By the whole row.
    Full,
    /// By a unique index.
    Index(Name),
}

impl ReplicaIdentity {
    fn is_default(&self) -> bool {
        *self == ReplicaIdentity::Default
    }
}

/// A view or materialised view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Its name.
    pub name: QualifiedName,
    /// Whether its rows are stored.
    pub materialized: bool,
    /// Whether a materialised view holds rows.
    #[serde(default = "yes")]
    pub populated: bool,
    /// The query as the server prints it or the file spells it.
    pub definition: String,
    /// The query, once read.
    #[serde(skip)]
    pub query: Option<Box<Query>>,
    /// Column names and types, where known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Indexes of a materialised view.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Options such as `security_invoker=true`, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
    /// The tablespace of a materialised view when it is not the database's default (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tablespace: Option<Name>,
    /// The access method of a materialised view when it is not `heap` (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method: Option<Name>,
    /// Its owner, or its definer in MySQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// Whether it runs with the rights of whoever made it (MySQL `SQL SECURITY DEFINER`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub security_definer: bool,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The extension it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Name>,
}

/// A sequence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    pub name: QualifiedName,
    /// Its type; `bigint` unless said otherwise.
    pub data_type: DataType,
    /// First value.
    pub start: i64,
    /// Step; negative for a descending sequence.
    pub increment: i64,
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
    /// Whether it starts over at the end.
    pub cycle: bool,
    /// The column it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<(QualifiedName, Name)>,
}

/// A user-defined type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserType {
    /// Its name.
    pub name: QualifiedName,
    /// What it is.
    pub kind: UserTypeKind,
    /// Its comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The extension it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Name>,
}

/// Kinds of user-defined type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserTypeKind {
    /// An enumeration with its labels in order.
    Enum(Vec<String>),
    /// A domain.
    Domain {
        /// The type below.
        base: DataType,
        /// `NOT NULL`.
        not_null: bool,
        /// `DEFAULT`.
        default: Option<Expression>,
        /// Its checks.
        checks: Vec<Check>,
    },
    /// A composite type with its attributes.
    Composite(Vec<(Name, DataType)>),
    /// A range or anything else.
    Other,
}

/// A routine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: QualifiedName,
    /// Argument types as the server prints them: `integer, text`.
    pub arguments: String,
    /// What it is.
    pub kind: FunctionKind,
    /// What it returns, as the server prints it: `integer`, `SETOF text`, `TABLE(a integer)`; empty for a procedure or
    /// when not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub returns: String,
    /// Language in lower case.
    pub language: Name,
    /// How its result depends on its input.
    pub volatility: Volatility,
    /// `SECURITY DEFINER`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub security_definer: bool,
    /// `LEAKPROOF`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leakproof: bool,
    /// `SET name = value` clauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(Name, String)>,
    /// The body as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Its owner, or its definer in MySQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// The extension it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Name>,
}

/// Kinds of routine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    /// A function.
    #[default]
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
}

/// How a function's result depends on its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// Only on its arguments.
    Immutable,
    /// On its arguments and the snapshot.
    Stable,
    /// On anything.
    #[default]
    Volatile,
}

/// A trigger.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// The table or view it stands on.
    pub table: QualifiedName,
    /// `BEFORE`, `AFTER` or `INSTEAD OF`, upper case.
    pub timing: Name,
    /// `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`, upper case, sorted.
    pub events: Vec<Name>,
    /// The columns of `UPDATE OF`, sorted; empty when every update counts (PostgreSQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// `WHEN` (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// Whether it fires once per row.
    pub for_each_row: bool,
    /// The function it calls (PostgreSQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<QualifiedName>,
    /// The body or the whole definition (MySQL, SQLite).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Whether it fires at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its definer (MySQL).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definer: Option<Name>,
    /// What it runs, once read (SQLite).
    #[serde(skip)]
    pub program: Option<Box<TriggerProgram>>,
}

/// What a trigger runs. Statements that were not understood are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TriggerProgram {
    /// `WHEN`.
    pub condition: Option<Expr>,
    /// The statements between `BEGIN` and `END`, in their order.
    pub statements: Vec<DataStatement>,
}

impl Trigger {
    /// Whether its definition names a column of its table: in `UPDATE OF`, or in `WHEN` as a part of the old or new row. A
    /// row as a whole names none.
    pub fn names(&self, column: &Name) -> bool {
        let of_row = |qualifier: &[Name]| {
            qualifier.last().is_some_and(|row| row.eq_ignore_case("old") || row.eq_ignore_case("new"))
        };
        let mut named = self.columns.contains(column);
        if let Some(tree) = self.when.as_ref().and_then(|when| when.tree.as_deref()) {
            tree.walk(&mut |expr| {
                named |=
                    matches!(expr, Expr::Column { qualifier, name } if name == column && of_row(qualifier));
            });
        }
        named
    }
}

/// A row security policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Its table.
    pub table: QualifiedName,
    /// Whether it widens (`PERMISSIVE`) rather than narrows.
    pub permissive: bool,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: Name,
    /// Roles; `public` for everyone.
    pub roles: Vec<Name>,
    /// `USING`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub using: Option<Expression>,
    /// `WITH CHECK`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<Expression>,
}

/// A rewrite rule of a table or view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// Its name.
    pub name: Name,
    /// The table or view it stands on.
    pub table: QualifiedName,
    /// `SELECT`, `INSERT`, `UPDATE` or `DELETE`, upper case.
    pub event: Name,
    /// Whether its action takes the place of the statement (`DO INSTEAD`).
    pub instead: bool,
    /// The statement that makes it, as the server prints it or the file spells it.
    pub definition: String,
    /// Whether it applies at all.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What `CREATE STATISTICS` makes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExtendedStatistics {
    /// Its name; without one the server makes it up.
    pub name: QualifiedName,
    /// The table it is about.
    pub table: QualifiedName,
    /// `ndistinct`, `dependencies`, `mcv` as said, sorted; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Name>,
    /// Its columns, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// Its expressions (PostgreSQL 14).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<Expression>,
    /// `SET STATISTICS`, when it is not the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<i32>,
}

/// A publication of logical replication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Publication {
    /// Its name.
    pub name: Name,
    /// `FOR ALL TABLES`.
    pub all_tables: bool,
    /// `FOR TABLES IN SCHEMA` (PostgreSQL 15).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schemas: Vec<Name>,
    /// Tables that were named one by one.
    pub tables: Vec<PublishedTable>,
    /// Whether updates or deletes are published, which need a replica identity.
    #[serde(default = "yes")]
    pub updates_or_deletes: bool,
    /// Other parameters as written, sorted: `publish_via_partition_root=true`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(Name, String)>,
}

/// A table in a publication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishedTable {
    /// The table.
    pub table: QualifiedName,
    /// The columns that are published (PostgreSQL 15); empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// The rows that are published (PostgreSQL 15).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Expression>,
    /// `ONLY`: tables that inherit from it are not published with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
}

/// An installed extension.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Its name.
    pub name: Name,
    /// The schema that holds its objects.
    pub schema: Name,
    /// The installed version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Name>,
    /// The version the server would install today, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Name>,
}

impl Catalog {
    /// A catalog without objects.
    pub fn empty(engine: Engine) -> Self {
        Catalog {
            engine,
            schemas: Vec::new(),
            tables: Vec::new(),
            views: Vec::new(),
            sequences: Vec::new(),
            types: Vec::new(),
            functions: Observed::Known(Vec::new()),
            triggers: Observed::Known(Vec::new()),
            policies: Observed::Known(Vec::new()),
            extensions: Observed::Known(Vec::new()),
            publications: Observed::Known(Vec::new()),
            rules: Vec::new(),
            statistics: Vec::new(),
            doubts: Vec::new(),
        }
    }

    /// Puts every list in its order, so that equal catalogs are equal byte for byte.
    pub fn sort(&mut self) {
        self.schemas.sort_by(|a, b| a.name.cmp(&b.name));
        // Names are unique, and a sort that keeps equals in order would take half the memory again.
        self.tables.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for table in &mut self.tables {
            table.uniques.sort_by(|a, b| (&a.name, &a.columns).cmp(&(&b.name, &b.columns)));
            table.checks.sort_by(|a, b| (&a.name, &a.expression.text).cmp(&(&b.name, &b.expression.text)));
            table.foreign_keys.sort_by(|a, b| (&a.name, &a.columns).cmp(&(&b.name, &b.columns)));
            table.exclusions.sort_by(|a, b| a.name.cmp(&b.name));
            table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
            table.options.sort();
        }
        self.views.sort_by(|a, b| a.name.cmp(&b.name));
        self.sequences.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        self.types.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(functions) = self.functions.known_mut() {
            functions.sort_by(|a, b| (&a.name, &a.arguments).cmp(&(&b.name, &b.arguments)));
        }
        if let Some(triggers) = self.triggers.known_mut() {
            triggers.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
        }
        if let Some(policies) = self.policies.known_mut() {
            policies.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
        }
        if let Some(extensions) = self.extensions.known_mut() {
            extensions.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if let Some(publications) = self.publications.known_mut() {
            publications.sort_by(|a, b| a.name.cmp(&b.name));
            for publication in publications {
                publication.schemas.sort();
                publication.tables.sort_by(|a, b| a.table.cmp(&b.table));
            }
        }
        self.rules.sort_by(|a, b| (&a.table, &a.name).cmp(&(&b.table, &b.name)));
        self.statistics.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// The table of a name.
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }
}

impl Table {
    /// The column of a name, compared exactly.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// Whether the table is a partition of another.
    pub fn is_partition(&self) -> bool {
        matches!(self.kind, TableKind::Partition { .. })
    }

    /// Whether rows of the table are its own users': neither an extension's, a virtual table's nor another server's.
    pub fn is_own(&self) -> bool {
        self.extension.is_none()
            && matches!(
                self.kind,
                TableKind::Ordinary | TableKind::Partitioned { .. } | TableKind::Partition { .. }
            )
    }
}

fn yes() -> bool {
    true
}
