//! The one vocabulary of changes: a migration parses to it, a diff and a remedy are made of it, DDL is written from it.
#![expect(missing_docs, reason = "fields are named after the clause of the statement they come from")]

use serde::{Deserialize, Serialize};

use crate::catalog::{
    Check, Column, Exclusion, Extension, ForeignKey, Function, Identity, Index, Key, Policy, ReplicaIdentity,
    Sequence, Table, Trigger, UserType, View,
};
use crate::data_type::DataType;
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};

/// One change of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// `CREATE SCHEMA`.
    CreateSchema { name: Name, if_not_exists: bool },
    /// `DROP SCHEMA`.
    DropSchema { name: Name, if_exists: bool, cascade: bool },
    /// `CREATE TABLE` with its columns and constraints.
    CreateTable { table: Box<Table>, if_not_exists: bool },
    /// `CREATE TABLE ... (LIKE other INCLUDING ...)`, `CREATE TABLE t LIKE other`.
    CreateTableLike { table: Box<Table>, like: QualifiedName, including_indexes: bool, if_not_exists: bool },
    /// `CREATE TABLE ... AS SELECT`: the columns are not known.
    CreateTableAs { name: QualifiedName, query: String, if_not_exists: bool },
    /// `DROP TABLE`.
    DropTable { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `ALTER TABLE ... RENAME TO`.
    RenameTable { table: QualifiedName, to: QualifiedName },
    /// `ADD COLUMN`.
    AddColumn { table: QualifiedName, column: Box<Column>, position: ColumnPosition, if_not_exists: bool },
    /// `DROP COLUMN`.
    DropColumn { table: QualifiedName, column: Name, if_exists: bool, cascade: bool },
    /// `RENAME COLUMN`.
    RenameColumn { table: QualifiedName, column: Name, to: Name },
    /// `ALTER COLUMN ... TYPE`.
    AlterColumnType {
        table: QualifiedName,
        column: Name,
        to: DataType,
        collation: Option<Name>,
        using: Option<Expression>,
    },
    /// MySQL's `MODIFY` and `CHANGE`: the whole column anew.
    ModifyColumn { table: QualifiedName, column: Name, to: Box<Column>, position: ColumnPosition },
    /// `SET NOT NULL`, `DROP NOT NULL`.
    SetNotNull { table: QualifiedName, column: Name, not_null: bool },
    /// `SET DEFAULT`, `DROP DEFAULT`.
    SetDefault { table: QualifiedName, column: Name, default: Option<Expression> },
    /// `ADD GENERATED ... AS IDENTITY`, `DROP IDENTITY`.
    SetIdentity { table: QualifiedName, column: Name, identity: Option<Identity> },
    /// `DROP EXPRESSION`.
    DropExpression { table: QualifiedName, column: Name },
    /// `ADD PRIMARY KEY`.
    AddPrimaryKey { table: QualifiedName, key: Key, using_index: Option<Name> },
    /// `ADD UNIQUE`.
    AddUnique { table: QualifiedName, key: Key, using_index: Option<Name> },
    /// `ADD CHECK`.
    AddCheck { table: QualifiedName, check: Check },
    /// `ADD FOREIGN KEY`.
    AddForeignKey { table: QualifiedName, foreign_key: Box<ForeignKey> },
    /// `ADD EXCLUDE`.
    AddExclusion { table: QualifiedName, exclusion: Exclusion },
    /// `DROP CONSTRAINT` and MySQL's `DROP PRIMARY KEY`, `DROP FOREIGN KEY`, `DROP CHECK`.
    DropConstraint { table: QualifiedName, constraint: DroppedConstraint, if_exists: bool, cascade: bool },
    /// `RENAME CONSTRAINT`.
    RenameConstraint { table: QualifiedName, constraint: Name, to: Name },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint { table: QualifiedName, constraint: Name },
    /// `CREATE INDEX`.
    CreateIndex {
        table: QualifiedName,
        index: Box<Index>,
        concurrently: bool,
        if_not_exists: bool,
        only: bool,
    },
    /// `DROP INDEX`. MySQL names the table; elsewhere the index has a schema.
    DropIndex {
        table: Option<QualifiedName>,
        index: QualifiedName,
        concurrently: bool,
        if_exists: bool,
        cascade: bool,
    },
    /// `ALTER INDEX ... RENAME TO`.
    RenameIndex { table: Option<QualifiedName>, index: QualifiedName, to: Name },
    /// MySQL's `ALTER INDEX ... INVISIBLE` or `IGNORED`.
    SetIndexVisible { table: QualifiedName, index: Name, visible: bool },
    /// `REINDEX INDEX`.
    Reindex { index: QualifiedName, concurrently: bool },
    /// `ALTER INDEX ... ATTACH PARTITION`.
    AttachIndex { parent: QualifiedName, child: QualifiedName },
    /// `ATTACH PARTITION`.
    AttachPartition { table: QualifiedName, partition: QualifiedName, bound: String },
    /// `DETACH PARTITION`.
    DetachPartition { table: QualifiedName, partition: QualifiedName, concurrently: bool },
    /// `INHERIT`, `NO INHERIT`.
    SetInherit { table: QualifiedName, parent: QualifiedName, inherit: bool },
    /// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE ROW LEVEL SECURITY`: what is `None` stays.
    SetRowSecurity { table: QualifiedName, enabled: Option<bool>, forced: Option<bool> },
    /// `REPLICA IDENTITY`.
    SetReplicaIdentity { table: QualifiedName, identity: ReplicaIdentity },
    /// Storage parameters, MySQL table options, `SET LOGGED` and their like, by name.
    SetTableOptions { table: QualifiedName, options: Vec<(Name, String)> },
    /// `OWNER TO` of a table, view or sequence.
    SetOwner { object: QualifiedName, owner: Name },
    /// `ALTER TABLE ... SET SCHEMA`.
    SetSchema { object: QualifiedName, schema: Name },
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView { view: Box<View>, or_replace: bool },
    /// `DROP VIEW`, `DROP MATERIALIZED VIEW`.
    DropView { name: QualifiedName, materialized: bool, if_exists: bool, cascade: bool },
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshView { name: QualifiedName, concurrently: bool },
    /// `ALTER VIEW ... SET (...)`.
    SetViewOptions { name: QualifiedName, options: Vec<(Name, String)> },
    /// `CREATE SEQUENCE`.
    CreateSequence { sequence: Sequence, if_not_exists: bool },
    /// `ALTER SEQUENCE`, with the clauses that were said.
    AlterSequence { name: QualifiedName, changes: SequenceChanges },
    /// `DROP SEQUENCE`.
    DropSequence { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `setval(...)`: the next value is the one after `value`.
    SetSequenceValue { name: QualifiedName, value: i64 },
    /// `setval` to the largest value of the column.
    SyncSequence { name: QualifiedName, table: QualifiedName, column: Name },
    /// `CREATE TYPE`, `CREATE DOMAIN`.
    CreateType { user_type: UserType },
    /// `DROP TYPE`, `DROP DOMAIN`.
    DropType { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `ALTER TYPE ... ADD VALUE`.
    AddEnumValue { name: QualifiedName, value: String, before: Option<String>, after: Option<String> },
    /// `ALTER TYPE ... RENAME VALUE`.
    RenameEnumValue { name: QualifiedName, value: String, to: String },
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`.
    CreateFunction { function: Box<Function>, or_replace: bool },
    /// `DROP FUNCTION`, `DROP PROCEDURE`.
    DropFunction { name: QualifiedName, arguments: Option<String>, if_exists: bool },
    /// `ALTER FUNCTION ... SET name = value`.
    SetFunctionSetting { name: QualifiedName, arguments: String, setting: Name, value: String },
    /// `CREATE TRIGGER`.
    CreateTrigger { trigger: Box<Trigger> },
    /// `DROP TRIGGER`.
    DropTrigger { table: Option<QualifiedName>, name: Name, if_exists: bool },
    /// `ENABLE TRIGGER`, `DISABLE TRIGGER`; no name means all.
    SetTriggerEnabled { table: QualifiedName, trigger: Option<Name>, enabled: bool },
    /// `CREATE POLICY`.
    CreatePolicy { policy: Box<Policy> },
    /// `DROP POLICY`.
    DropPolicy { table: QualifiedName, name: Name, if_exists: bool },
    /// `CREATE EXTENSION`.
    CreateExtension { extension: Extension, if_not_exists: bool },
    /// `ALTER EXTENSION ... UPDATE`.
    UpdateExtension { name: Name },
    /// `DROP EXTENSION`.
    DropExtension { name: Name, if_exists: bool, cascade: bool },
    /// `COMMENT ON`.
    Comment { on: CommentTarget, text: Option<String> },
    /// `GRANT`, one right at a time, or `REVOKE`.
    SetGrant { grant: crate::access::Grant, granted: bool },
    /// `ALTER SYSTEM SET`, `SET GLOBAL`, `SET PERSIST`, `PRAGMA`.
    SetServerSetting { name: Name, value: String },
    /// `ALTER ROLE ... SET`, `ALTER DATABASE ... SET`.
    SetRoleSetting { role: Name, name: Name, value: String },
    /// `SET`, `SET LOCAL` for the session.
    SetSessionSetting { name: Name, value: Option<String>, local: bool },
    /// `ANALYZE`; no table means all.
    Analyze { table: Option<QualifiedName> },
    /// `VACUUM`; no table means all.
    Vacuum { table: Option<QualifiedName>, full: bool, freeze: bool },
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT` and their like.
    Transaction { control: TransactionControl },
    /// A statement that reads or writes rows.
    Data { kind: DataKind, table: Option<QualifiedName>, filtered: bool },
    /// A statement without effect on the schema: `SET`, `SHOW`, `USE`, client commands.
    Nothing,
    /// A statement that was not understood.
    Opaque { because: String, touches: Vec<QualifiedName> },
}

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
