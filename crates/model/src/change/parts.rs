//! What changes are made of beside objects of the catalog.

use serde::{Deserialize, Serialize};

use crate::data_type::DataType;
use crate::effect::{Algorithm, Lock};
use crate::name::{Name, QualifiedName};

/// Where MySQL puts a column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnPosition {
    /// At the end, or where it was.
    #[default]
    Last,
    /// `FIRST`.
    First,
    /// `AFTER column`.
    After(Name),
}

/// What `DROP CONSTRAINT` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DroppedConstraint {
    /// The primary key, whatever its name.
    PrimaryKey,
    /// A constraint of any kind by name.
    Named(Name),
}

/// Clauses of `ALTER SEQUENCE` that were said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SequenceChanges {
    /// `AS type`.
    pub data_type: Option<DataType>,
    /// `INCREMENT BY`.
    pub increment: Option<i64>,
    /// `MINVALUE`.
    pub min: Option<i64>,
    /// `MAXVALUE`.
    pub max: Option<i64>,
    /// `CYCLE`, `NO CYCLE`.
    pub cycle: Option<bool>,
    /// `OWNED BY`; `Some(None)` for `OWNED BY NONE`.
    pub owned_by: Option<Option<(QualifiedName, Name)>>,
    /// `RENAME TO`.
    pub rename: Option<Name>,
    /// `START WITH`.
    #[serde(default)]
    pub start: Option<i64>,
    /// `RESTART WITH` of an identity column.
    #[serde(default)]
    pub restart_with: Option<i64>,
    /// `RESTART` of an identity column without a value.
    #[serde(default)]
    pub restart: bool,
    /// `NO MINVALUE`.
    #[serde(default)]
    pub no_min: bool,
    /// `NO MAXVALUE`.
    #[serde(default)]
    pub no_max: bool,
    /// `CACHE`.
    #[serde(default)]
    pub cache: Option<i64>,
    /// `SEQUENCE NAME` of a new identity column.
    #[serde(default)]
    pub name: Option<QualifiedName>,
}

/// Clauses of `ALTER TABLE` that bear on every action of the statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlterClauses {
    /// `ONLY`: tables that inherit, and partitions, are left as they are. Without it most actions reach them too.
    pub only: bool,
    /// `IF EXISTS` of the table.
    pub if_exists: bool,
    /// How MySQL is told to do it.
    pub online: OnlineClauses,
    /// MariaDB's `ALTER IGNORE TABLE`: rows that stand in the way of a unique key are deleted.
    pub ignore: bool,
}

/// How MySQL is told to carry out a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OnlineClauses {
    /// `ALGORITHM=`; `None` where it was not said or is `DEFAULT`.
    pub algorithm: Option<Algorithm>,
    /// `LOCK=`; `None` where it was not said or is `DEFAULT`.
    pub lock: Option<Lock>,
}

/// Clauses of `ALTER CONSTRAINT` that were said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConstraintChanges {
    /// `DEFERRABLE`, `NOT DEFERRABLE`.
    pub deferrable: Option<bool>,
    /// `INITIALLY DEFERRED`, `INITIALLY IMMEDIATE`.
    pub initially_deferred: Option<bool>,
    /// `ENFORCED`, `NOT ENFORCED` (PostgreSQL 18).
    pub enforced: Option<bool>,
    /// `INHERIT`, `NO INHERIT` (PostgreSQL 18).
    pub inherit: Option<bool>,
}

/// When a trigger or rule fires, once enabled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    /// For changes made here.
    #[default]
    Origin,
    /// `ENABLE REPLICA`: for changes that replication brings.
    Replica,
    /// `ENABLE ALWAYS`: for both.
    Always,
}

/// What `REINDEX` reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReindexTarget {
    /// Every index of a table.
    Table(QualifiedName),
    /// Every index in a schema.
    Schema(Name),
    /// Every index of the database; servers before 16 demand its name.
    Database(Option<Name>),
    /// Every index of the system catalogs.
    System(Option<Name>),
}

/// What is done with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListAction {
    /// Members are added.
    Add,
    /// Members are taken out.
    Drop,
    /// The list is replaced.
    Set,
}

/// What `ALTER SUBSCRIPTION` does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionAction {
    /// `CONNECTION`.
    Connection,
    /// `ADD`, `DROP`, `SET PUBLICATION`.
    Publications(ListAction, Vec<Name>, Vec<(Name, String)>),
    /// `REFRESH PUBLICATION`.
    Refresh(Vec<(Name, String)>),
    /// `ENABLE`, `DISABLE`.
    Enabled(bool),
    /// `SET (...)`.
    Options(Vec<(Name, String)>),
    /// `SKIP (...)`.
    Skip(Vec<(Name, String)>),
}

/// What MySQL's `ALTER TABLE` does with partitions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionChange {
    /// Its words in upper case: `PARTITION BY`, `REMOVE PARTITIONING`, `ADD PARTITION`, `DROP PARTITION`, `REORGANIZE
    /// PARTITION`, `EXCHANGE PARTITION`, `TRUNCATE PARTITION`, ...
    pub action: Name,
    /// The partitions that it names before any definition; empty for `ALL` and where none are named.
    pub partitions: Vec<Name>,
    /// The table of `EXCHANGE PARTITION` and MariaDB's `CONVERT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<QualifiedName>,
    /// The clause as written.
    pub text: String,
}

/// Statements that run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProceduralKind {
    /// `DO`.
    Do,
    /// `CALL`.
    Call,
    /// `EXECUTE`, and MySQL's `PREPARE` of a text.
    Execute,
}

/// Clauses of a statement about rows beside its first table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataClauses {
    /// Further tables that it writes: the others of `TRUNCATE`, those of data-changing members of `WITH`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<QualifiedName>,
    /// Tables and views that it only reads, subqueries included, in order of appearance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<QualifiedName>,
    /// Functions that it calls, lower case, in order of appearance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<QualifiedName>,
    /// Whether the rows are limited by number: `LIMIT`, or a filter by a limited subquery.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub limited: bool,
    /// `CASCADE` of `TRUNCATE`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cascade: bool,
    /// `RESTART IDENTITY` of `TRUNCATE`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restart_identity: bool,
    /// `ONLY` before the first table.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// Columns of the first table that it writes, where it names them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Name>,
    /// Those of `columns` that `UPDATE` gives the value that they have: `a = a` (PostgreSQL).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<Name>,
    /// Names in the condition on the rows of `UPDATE` and `DELETE`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Name>,
    /// Whether a query locks the rows that it finds: `FOR UPDATE` and its like.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub locks_rows: bool,
    /// Tables that data-changing members of `WITH` update or delete from without any condition.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub whole: Vec<QualifiedName>,
    /// The table that `UPDATE ... FROM`, `DELETE ... USING` or `MERGE` joins, where the condition says nothing else.
    pub joined: Option<QualifiedName>,
    /// The column that the condition of `UPDATE` or `DELETE` asks to be null, where it says nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_null: Option<Name>,
    /// The column that the condition of `UPDATE` or `DELETE` asks not to be null, where it says nothing else: also
    /// `a = a`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_present: Option<Name>,
    /// The column with which the condition of `UPDATE` or `DELETE` begins, where it is compared by `=` or `IN` and no
    /// other query tells with what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_equal: Option<Name>,
    /// The table of which `INSERT ... SELECT` takes every row; `None` too where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_of: Option<QualifiedName>,
    /// The table that `INSERT ... SELECT` reads only in part; `None` too where that cannot be told.
    pub part_of: Option<PartOf>,
}

/// A table of which a query gives only a part of the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// The table.
    pub table: QualifiedName,
    /// The clause that leaves rows out, upper case: `WHERE`.
    pub by: String,
}

/// Kinds of object that statements name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A table, or not told: PostgreSQL lets `ALTER TABLE` speak of views and sequences too.
    #[default]
    Table,
    ForeignTable,
    View,
    MaterializedView,
    Sequence,
    Index,
    Type,
    Domain,
    Function,
    Procedure,
    Routine,
    Aggregate,
    Schema,
    Trigger,
    EventTrigger,
    Policy,
    Rule,
    Statistics,
    Publication,
    Subscription,
    Extension,
    Role,
    Database,
    Tablespace,
    Language,
    Server,
    UserMapping,
    ForeignDataWrapper,
    Collation,
    Conversion,
    Cast,
    Operator,
    OperatorClass,
    OperatorFamily,
    AccessMethod,
    Transform,
    TextSearchConfiguration,
    TextSearchDictionary,
    TextSearchParser,
    TextSearchTemplate,
    LargeObject,
    PropertyGraph,
    /// Another, by its words in upper case.
    Other(Name),
}

/// What a comment stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommentTarget {
    /// A schema.
    Schema(Name),
    /// A table.
    Table(QualifiedName),
    /// A column.
    Column(QualifiedName, Name),
    /// A view or materialised view.
    View(QualifiedName),
    /// An index.
    Index(QualifiedName),
    /// A type or domain.
    Type(QualifiedName),
    /// A sequence.
    Sequence(QualifiedName),
    /// Anything else.
    Other,
}

/// Transaction control statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionControl {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT`.
    Savepoint,
    /// `ROLLBACK TO`.
    RollbackTo,
    /// `RELEASE`.
    Release,
}

/// Statements about rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    /// `SELECT`, `VALUES`, `TABLE`.
    Select,
    /// `INSERT`, `REPLACE`.
    Insert,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE`.
    Merge,
    /// `TRUNCATE`.
    Truncate,
    /// `COPY`, `LOAD DATA`.
    Copy,
}

impl ProceduralKind {
    /// Why nothing is known of what such a statement does, as a lower-case fragment.
    pub fn not_analysed(self) -> &'static str {
        match self {
            ProceduralKind::Do => "a DO block is not analysed",
            ProceduralKind::Call => "a called procedure is not analysed",
            ProceduralKind::Execute => "a prepared statement is not analysed",
        }
    }
}

impl ObjectKind {
    /// Whether objects of the kind take locks of tables.
    pub fn is_relation(&self) -> bool {
        matches!(
            self,
            ObjectKind::Table
                | ObjectKind::ForeignTable
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Sequence
                | ObjectKind::Index
        )
    }

    /// The words of the statement, upper case.
    pub fn as_str(&self) -> &str {
        match self {
            ObjectKind::Table => "TABLE",
            ObjectKind::ForeignTable => "FOREIGN TABLE",
            ObjectKind::View => "VIEW",
            ObjectKind::MaterializedView => "MATERIALIZED VIEW",
            ObjectKind::Sequence => "SEQUENCE",
            ObjectKind::Index => "INDEX",
            ObjectKind::Type => "TYPE",
            ObjectKind::Domain => "DOMAIN",
            ObjectKind::Function => "FUNCTION",
            ObjectKind::Procedure => "PROCEDURE",
            ObjectKind::Routine => "ROUTINE",
            ObjectKind::Aggregate => "AGGREGATE",
            ObjectKind::Schema => "SCHEMA",
            ObjectKind::Trigger => "TRIGGER",
            ObjectKind::EventTrigger => "EVENT TRIGGER",
            ObjectKind::Policy => "POLICY",
            ObjectKind::Rule => "RULE",
            ObjectKind::Statistics => "STATISTICS",
            ObjectKind::Publication => "PUBLICATION",
            ObjectKind::Subscription => "SUBSCRIPTION",
            ObjectKind::Extension => "EXTENSION",
            ObjectKind::Role => "ROLE",
            ObjectKind::Database => "DATABASE",
            ObjectKind::Tablespace => "TABLESPACE",
            ObjectKind::Language => "LANGUAGE",
            ObjectKind::Server => "SERVER",
            ObjectKind::UserMapping => "USER MAPPING",
            ObjectKind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
            ObjectKind::Collation => "COLLATION",
            ObjectKind::Conversion => "CONVERSION",
            ObjectKind::Cast => "CAST",
            ObjectKind::Operator => "OPERATOR",
            ObjectKind::OperatorClass => "OPERATOR CLASS",
            ObjectKind::OperatorFamily => "OPERATOR FAMILY",
            ObjectKind::AccessMethod => "ACCESS METHOD",
            ObjectKind::Transform => "TRANSFORM",
            ObjectKind::TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
            ObjectKind::TextSearchDictionary => "TEXT SEARCH DICTIONARY",
            ObjectKind::TextSearchParser => "TEXT SEARCH PARSER",
            ObjectKind::TextSearchTemplate => "TEXT SEARCH TEMPLATE",
            ObjectKind::LargeObject => "LARGE OBJECT",
            ObjectKind::PropertyGraph => "PROPERTY GRAPH",
            ObjectKind::Other(words) => words.as_str(),
        }
    }
}
