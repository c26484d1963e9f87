//! The one vocabulary of changes: a migration parses to it, a diff and a remedy are made of it, DDL is written from it.
#![expect(missing_docs, reason = "fields are named after the clause of the statement they come from")]

mod alter;
mod kind;
mod parts;
mod view;

use serde::{Deserialize, Serialize};

pub use parts::*;

use crate::catalog::{
    Check, Column, Exclusion, ExtendedStatistics, Extension, ForeignKey, Function, Identity, Index, Key,
    NotNull, Persistence, Policy, Publication, PublishedTable, ReplicaIdentity, Rule, Sequence, Table,
    Trigger, UserType, View,
};
use crate::data_type::DataType;
use crate::effect::Lock;
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};

/// One change of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// `CREATE SCHEMA`.
    CreateSchema { name: Name, if_not_exists: bool },
    /// `DROP SCHEMA`.
    DropSchema { name: Name, if_exists: bool, cascade: bool },
    /// `ALTER ... RENAME TO` of anything that has no change of its own. Triggers, policies and rules name their table;
    /// functions carry their arguments in the name.
    RenameObject { kind: ObjectKind, object: QualifiedName, table: Option<QualifiedName>, to: Name },
    /// `CREATE TABLE` with its columns and constraints.
    CreateTable { table: Box<Table>, if_not_exists: bool },
    /// `CREATE TABLE ... (LIKE other INCLUDING ...)`, `CREATE TABLE t LIKE other`.
    CreateTableLike { table: Box<Table>, like: QualifiedName, including_indexes: bool, if_not_exists: bool },
    /// `CREATE TABLE ... AS SELECT`: the columns are not known.
    CreateTableAs {
        name: QualifiedName,
        query: String,
        if_not_exists: bool,
        #[serde(default)]
        columns: Vec<Name>,
        #[serde(default)]
        persistence: Persistence,
        #[serde(default = "yes")]
        populated: bool,
        part_of: Option<PartOf>,
    },
    /// `DROP TABLE`.
    DropTable { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `ALTER TABLE ... RENAME TO`.
    RenameTable {
        table: QualifiedName,
        to: QualifiedName,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD COLUMN`.
    AddColumn {
        table: QualifiedName,
        column: Box<Column>,
        position: ColumnPosition,
        if_not_exists: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `DROP COLUMN`.
    DropColumn {
        table: QualifiedName,
        column: Name,
        if_exists: bool,
        cascade: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        table: QualifiedName,
        column: Name,
        to: Name,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ALTER COLUMN ... TYPE`.
    AlterColumnType {
        table: QualifiedName,
        column: Name,
        to: DataType,
        collation: Option<Name>,
        using: Option<Expression>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// MySQL's `MODIFY` and `CHANGE`: the whole column anew.
    ModifyColumn {
        table: QualifiedName,
        column: Name,
        to: Box<Column>,
        position: ColumnPosition,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `SET NOT NULL`, `DROP NOT NULL`.
    SetNotNull {
        table: QualifiedName,
        column: Name,
        not_null: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `SET DEFAULT`, `DROP DEFAULT`.
    SetDefault {
        table: QualifiedName,
        column: Name,
        default: Option<Expression>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD GENERATED ... AS IDENTITY` with the options of its sequence, `DROP IDENTITY`.
    SetIdentity {
        table: QualifiedName,
        column: Name,
        identity: Option<Identity>,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        options: SequenceChanges,
        #[serde(default)]
        if_exists: bool,
    },
    /// `SET GENERATED`, `SET sequence option`, `RESTART` of an identity column.
    AlterIdentity {
        table: QualifiedName,
        column: Name,
        identity: Option<Identity>,
        options: SequenceChanges,
        alter: AlterClauses,
    },
    /// `SET EXPRESSION AS` (PostgreSQL 17).
    SetExpression { table: QualifiedName, column: Name, expression: Expression, alter: AlterClauses },
    /// `DROP EXPRESSION`.
    DropExpression {
        table: QualifiedName,
        column: Name,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        if_exists: bool,
    },
    /// `SET STATISTICS`; `None` is the default.
    SetStatisticsTarget { table: QualifiedName, column: Name, target: Option<i32>, alter: AlterClauses },
    /// `SET STORAGE`, lower case; `default` is the type's own.
    SetStorage { table: QualifiedName, column: Name, storage: Name, alter: AlterClauses },
    /// `SET COMPRESSION`, lower case.
    SetCompression { table: QualifiedName, column: Name, compression: Name, alter: AlterClauses },
    /// `ALTER COLUMN ... SET (...)` and `RESET (...)`, which leaves the value empty.
    SetColumnOptions { table: QualifiedName, column: Name, options: Vec<(Name, String)>, alter: AlterClauses },
    /// `ADD PRIMARY KEY`.
    AddPrimaryKey {
        table: QualifiedName,
        key: Key,
        using_index: Option<Name>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD UNIQUE`.
    AddUnique {
        table: QualifiedName,
        key: Key,
        using_index: Option<Name>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD CHECK`.
    AddCheck {
        table: QualifiedName,
        check: Check,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD [CONSTRAINT name] NOT NULL column` (PostgreSQL 18).
    AddNotNull { table: QualifiedName, column: Name, constraint: NotNull, alter: AlterClauses },
    /// `ADD FOREIGN KEY`.
    AddForeignKey {
        table: QualifiedName,
        foreign_key: Box<ForeignKey>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ADD EXCLUDE`.
    AddExclusion {
        table: QualifiedName,
        exclusion: Exclusion,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `DROP CONSTRAINT` and MySQL's `DROP PRIMARY KEY`, `DROP FOREIGN KEY`, `DROP CHECK`.
    DropConstraint {
        table: QualifiedName,
        constraint: DroppedConstraint,
        if_exists: bool,
        cascade: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ALTER CONSTRAINT`, with the clauses that were said.
    AlterConstraint {
        table: QualifiedName,
        constraint: Name,
        changes: ConstraintChanges,
        alter: AlterClauses,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        table: QualifiedName,
        constraint: Name,
        to: Name,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint {
        table: QualifiedName,
        constraint: Name,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `CREATE INDEX`.
    CreateIndex {
        table: QualifiedName,
        index: Box<Index>,
        concurrently: bool,
        if_not_exists: bool,
        only: bool,
        #[serde(default)]
        online: OnlineClauses,
    },
    /// `DROP INDEX`. MySQL names the table; elsewhere the index has a schema.
    DropIndex {
        table: Option<QualifiedName>,
        index: QualifiedName,
        concurrently: bool,
        if_exists: bool,
        cascade: bool,
        #[serde(default)]
        online: OnlineClauses,
    },
    /// `ALTER INDEX ... RENAME TO`.
    RenameIndex {
        table: Option<QualifiedName>,
        index: QualifiedName,
        to: Name,
        #[serde(default)]
        if_exists: bool,
    },
    /// MySQL's `ALTER INDEX ... INVISIBLE` or `IGNORED`.
    SetIndexVisible {
        table: QualifiedName,
        index: Name,
        visible: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ALTER INDEX ... SET (...)` and `RESET (...)`, which leaves the value empty.
    SetIndexOptions { index: QualifiedName, options: Vec<(Name, String)>, if_exists: bool },
    /// `ALTER INDEX ... ALTER COLUMN n SET STATISTICS`; columns count from 1.
    SetIndexStatistics { index: QualifiedName, column: u32, target: Option<i32>, if_exists: bool },
    /// `REINDEX INDEX`.
    Reindex { index: QualifiedName, concurrently: bool },
    /// `REINDEX TABLE`, `SCHEMA`, `DATABASE`, `SYSTEM`.
    ReindexAll { target: ReindexTarget, concurrently: bool },
    /// `CLUSTER`; no table means all that were clustered before.
    Cluster { table: Option<QualifiedName>, index: Option<Name> },
    /// `ALTER INDEX ... ATTACH PARTITION`.
    AttachIndex { parent: QualifiedName, child: QualifiedName },
    /// `ATTACH PARTITION`.
    AttachPartition {
        table: QualifiedName,
        partition: QualifiedName,
        bound: String,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        table: QualifiedName,
        partition: QualifiedName,
        concurrently: bool,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        finalize: bool,
    },
    /// `INHERIT`, `NO INHERIT`.
    SetInherit {
        table: QualifiedName,
        parent: QualifiedName,
        inherit: bool,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE ROW LEVEL SECURITY`: what is `None` stays.
    SetRowSecurity {
        table: QualifiedName,
        enabled: Option<bool>,
        forced: Option<bool>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `REPLICA IDENTITY`.
    SetReplicaIdentity {
        table: QualifiedName,
        identity: ReplicaIdentity,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `SET (...)` and `RESET (...)` of storage parameters, MySQL table options: by name. An empty value is a `RESET`.
    SetTableOptions {
        table: QualifiedName,
        options: Vec<(Name, String)>,
        #[serde(default)]
        alter: AlterClauses,
    },
    /// `SET LOGGED`, `SET UNLOGGED` of a table or sequence.
    SetLogged { table: QualifiedName, kind: ObjectKind, logged: bool, alter: AlterClauses },
    /// `SET TABLESPACE` of a table, index or materialised view.
    SetTablespace { object: QualifiedName, kind: ObjectKind, tablespace: Name, alter: AlterClauses },
    /// `SET ACCESS METHOD`; `None` is the default.
    SetAccessMethod { table: QualifiedName, method: Option<Name>, alter: AlterClauses },
    /// `CLUSTER ON`, `SET WITHOUT CLUSTER`.
    SetCluster { table: QualifiedName, index: Option<Name>, alter: AlterClauses },
    /// `OF type`, `NOT OF`.
    SetOfType { table: QualifiedName, of_type: Option<QualifiedName>, alter: AlterClauses },
    /// `OPTIONS (...)` of a foreign table or, with `column`, of its column. What they are is not kept: they hold secrets.
    SetForeignOptions { table: QualifiedName, column: Option<Name>, alter: AlterClauses },
    /// MySQL's `FORCE`: the table is built anew.
    RebuildTable { table: QualifiedName, alter: AlterClauses },
    /// MySQL's `ALTER TABLE ... ORDER BY`: rows are written anew in an order.
    OrderTable { table: QualifiedName, by: String, alter: AlterClauses },
    /// MySQL's `PARTITION BY`, `REMOVE PARTITIONING` and everything about single partitions.
    AlterPartitions { table: QualifiedName, partitions: PartitionChange, alter: AlterClauses },
    /// `OWNER TO`.
    SetOwner {
        object: QualifiedName,
        owner: Name,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        kind: ObjectKind,
    },
    /// `SET SCHEMA`.
    SetSchema {
        object: QualifiedName,
        schema: Name,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        kind: ObjectKind,
    },
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView {
        view: Box<View>,
        or_replace: bool,
        #[serde(default)]
        if_not_exists: bool,
    },
    /// `DROP VIEW`, `DROP MATERIALIZED VIEW`.
    DropView { name: QualifiedName, materialized: bool, if_exists: bool, cascade: bool },
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshView {
        name: QualifiedName,
        concurrently: bool,
        #[serde(default = "yes")]
        populated: bool,
    },
    /// `ALTER VIEW ... SET (...)` and `RESET (...)`, which leaves the value empty.
    SetViewOptions {
        name: QualifiedName,
        options: Vec<(Name, String)>,
        #[serde(default)]
        materialized: bool,
        #[serde(default)]
        if_exists: bool,
    },
    /// `CREATE SEQUENCE`.
    CreateSequence { sequence: Sequence, if_not_exists: bool },
    /// `ALTER SEQUENCE`, with the clauses that were said.
    AlterSequence {
        name: QualifiedName,
        changes: SequenceChanges,
        #[serde(default)]
        if_exists: bool,
    },
    /// `DROP SEQUENCE`.
    DropSequence { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `setval(...)`: the next value is the one after `value`.
    SetSequenceValue { name: QualifiedName, value: i64 },
    /// `nextval(...)`: takes the next value and leaves it unused.
    AdvanceSequence { name: QualifiedName },
    /// `setval` to the largest value of the column.
    SyncSequence { name: QualifiedName, table: QualifiedName, column: Name },
    /// `CREATE TYPE`, `CREATE DOMAIN`.
    CreateType { user_type: UserType },
    /// `DROP TYPE`, `DROP DOMAIN`.
    DropType {
        name: QualifiedName,
        if_exists: bool,
        cascade: bool,
        #[serde(default)]
        domain: bool,
    },
    /// `ALTER TYPE ... ADD ATTRIBUTE`.
    AddAttribute {
        name: QualifiedName,
        attribute: Name,
        data_type: DataType,
        collation: Option<Name>,
        cascade: bool,
    },
    /// `ALTER TYPE ... DROP ATTRIBUTE`.
    DropAttribute { name: QualifiedName, attribute: Name, if_exists: bool, cascade: bool },
    /// `ALTER TYPE ... ALTER ATTRIBUTE ... TYPE`.
    AlterAttributeType {
        name: QualifiedName,
        attribute: Name,
        to: DataType,
        collation: Option<Name>,
        cascade: bool,
    },
    /// `ALTER TYPE ... RENAME ATTRIBUTE`.
    RenameAttribute { name: QualifiedName, attribute: Name, to: Name, cascade: bool },
    /// `ALTER DOMAIN ... SET DEFAULT`, `DROP DEFAULT`.
    SetDomainDefault { name: QualifiedName, default: Option<Expression> },
    /// `ALTER DOMAIN ... SET NOT NULL`, `DROP NOT NULL`, and `ADD CONSTRAINT constraint NOT NULL` (PostgreSQL 17).
    SetDomainNotNull { name: QualifiedName, not_null: bool, constraint: Option<Name> },
    /// `ALTER DOMAIN ... ADD CHECK`.
    AddDomainCheck { name: QualifiedName, check: Check },
    /// `ALTER DOMAIN ... DROP CONSTRAINT`.
    DropDomainConstraint { name: QualifiedName, constraint: Name, if_exists: bool, cascade: bool },
    /// `ALTER DOMAIN ... RENAME CONSTRAINT`.
    RenameDomainConstraint { name: QualifiedName, constraint: Name, to: Name },
    /// `ALTER DOMAIN ... VALIDATE CONSTRAINT`.
    ValidateDomainConstraint { name: QualifiedName, constraint: Name },
    /// `ALTER TYPE ... ADD VALUE`.
    AddEnumValue {
        name: QualifiedName,
        value: String,
        before: Option<String>,
        after: Option<String>,
        #[serde(default)]
        if_not_exists: bool,
    },
    /// `ALTER TYPE ... RENAME VALUE`.
    RenameEnumValue { name: QualifiedName, value: String, to: String },
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`.
    CreateFunction { function: Box<Function>, or_replace: bool },
    /// `DROP FUNCTION`, `DROP PROCEDURE`.
    DropFunction {
        name: QualifiedName,
        arguments: Option<String>,
        if_exists: bool,
        #[serde(default)]
        cascade: bool,
        #[serde(default)]
        kind: ObjectKind,
    },
    /// `ALTER FUNCTION ... SET name = value`.
    SetFunctionSetting { name: QualifiedName, arguments: String, setting: Name, value: String },
    /// `ALTER FUNCTION` with attributes such as `IMMUTABLE` or `COST 10`: its clauses as written.
    AlterFunction { name: QualifiedName, arguments: Option<String>, kind: ObjectKind, clauses: String },
    /// `CREATE TRIGGER`.
    CreateTrigger {
        trigger: Box<Trigger>,
        #[serde(default)]
        or_replace: bool,
    },
    /// `DROP TRIGGER`.
    DropTrigger {
        table: Option<QualifiedName>,
        name: Name,
        if_exists: bool,
        #[serde(default)]
        cascade: bool,
    },
    /// `ENABLE TRIGGER`, `DISABLE TRIGGER`; no name means all, or with `user` all but those behind constraints.
    SetTriggerEnabled {
        table: QualifiedName,
        trigger: Option<Name>,
        enabled: bool,
        #[serde(default)]
        alter: AlterClauses,
        #[serde(default)]
        firing: Firing,
        #[serde(default)]
        user: bool,
    },
    /// `CREATE RULE`.
    CreateRule { rule: Box<Rule>, or_replace: bool },
    /// `DROP RULE`.
    DropRule { table: QualifiedName, name: Name, if_exists: bool, cascade: bool },
    /// `ENABLE RULE`, `DISABLE RULE`.
    SetRuleEnabled { table: QualifiedName, rule: Name, enabled: bool, firing: Firing, alter: AlterClauses },
    /// `CREATE POLICY`.
    CreatePolicy { policy: Box<Policy> },
    /// `DROP POLICY`.
    DropPolicy {
        table: QualifiedName,
        name: Name,
        if_exists: bool,
        #[serde(default)]
        cascade: bool,
    },
    /// `ALTER POLICY`, with the clauses that were said.
    AlterPolicy {
        table: QualifiedName,
        name: Name,
        roles: Option<Vec<Name>>,
        using: Option<Expression>,
        check: Option<Expression>,
    },
    /// `CREATE STATISTICS`.
    CreateStatistics { statistics: Box<ExtendedStatistics>, if_not_exists: bool },
    /// `ALTER STATISTICS ... SET STATISTICS`; `None` is the default.
    SetExtendedStatisticsTarget { name: QualifiedName, target: Option<i32> },
    /// `DROP STATISTICS`.
    DropStatistics { name: QualifiedName, if_exists: bool, cascade: bool },
    /// `CREATE PUBLICATION`.
    CreatePublication { publication: Publication },
    /// `ALTER PUBLICATION ... ADD`, `DROP`, `SET` of tables and schemas.
    AlterPublication { name: Name, action: ListAction, tables: Vec<PublishedTable>, schemas: Vec<Name> },
    /// `ALTER PUBLICATION ... SET (...)`.
    SetPublicationOptions { name: Name, options: Vec<(Name, String)> },
    /// `DROP PUBLICATION`.
    DropPublication { name: Name, if_exists: bool, cascade: bool },
    /// `CREATE SUBSCRIPTION`. The connection is not kept: it holds secrets.
    CreateSubscription { name: Name, publications: Vec<Name>, options: Vec<(Name, String)> },
    /// `ALTER SUBSCRIPTION`. A new connection is not kept: it holds secrets.
    AlterSubscription { name: Name, action: SubscriptionAction },
    /// `DROP SUBSCRIPTION`.
    DropSubscription { name: Name, if_exists: bool, cascade: bool },
    /// `CREATE EXTENSION`.
    CreateExtension { extension: Extension, if_not_exists: bool },
    /// `ALTER EXTENSION ... UPDATE`.
    UpdateExtension {
        name: Name,
        #[serde(default)]
        to: Option<Name>,
    },
    /// `DROP EXTENSION`.
    DropExtension { name: Name, if_exists: bool, cascade: bool },
    /// `CREATE` of an object of another kind. The statement is empty where it may hold secrets.
    CreateObject { kind: ObjectKind, name: QualifiedName, statement: String },
    /// `ALTER` of an object of another kind. The statement is empty where it may hold secrets.
    AlterObject { kind: ObjectKind, name: QualifiedName, statement: String },
    /// `DROP` of an object of another kind.
    DropObject { kind: ObjectKind, name: QualifiedName, if_exists: bool, cascade: bool, statement: String },
    /// `COMMENT ON`.
    Comment { on: CommentTarget, text: Option<String> },
    /// `GRANT`, one right at a time, or `REVOKE`.
    SetGrant {
        grant: crate::access::Grant,
        granted: bool,
        #[serde(default)]
        for_role: Option<Name>,
        #[serde(default)]
        cascade: bool,
    },
    /// `GRANT role TO member`, `REVOKE role FROM member`.
    SetMembership { role: Name, member: Name, granted: bool, admin: bool },
    /// `DROP OWNED BY`.
    DropOwned { roles: Vec<Name>, cascade: bool },
    /// `REASSIGN OWNED BY`.
    ReassignOwned { roles: Vec<Name>, to: Name },
    /// `ALTER SYSTEM SET`, `SET GLOBAL`, `SET PERSIST`, `PRAGMA`. `RESET` gives `DEFAULT`, `RESET ALL` names `all`.
    SetServerSetting { name: Name, value: String },
    /// `ALTER ROLE ... SET`; the role `all` means every role.
    SetRoleSetting {
        role: Name,
        name: Name,
        value: String,
        #[serde(default)]
        database: Option<Name>,
    },
    /// `ALTER DATABASE ... SET`; `RESET` gives `DEFAULT`, `RESET ALL` names `all`.
    SetDatabaseSetting { database: Name, name: Name, value: String },
    /// `SET`, `SET LOCAL`, `RESET` for the session. `RESET ALL` names `all`.
    SetSessionSetting { name: Name, value: Option<String>, local: bool },
    /// `SET CONSTRAINTS`; no names means all.
    SetConstraints { names: Vec<QualifiedName>, deferred: bool },
    /// `LOCK TABLE`.
    LockTable { tables: Vec<QualifiedName>, mode: Lock, only: bool, nowait: bool },
    /// `ANALYZE`; no table means all.
    Analyze { table: Option<QualifiedName> },
    /// `VACUUM`; no table means all.
    Vacuum {
        table: Option<QualifiedName>,
        full: bool,
        freeze: bool,
        #[serde(default)]
        analyze: bool,
    },
    /// `BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT` and their like, with the name of the savepoint.
    Transaction {
        control: TransactionControl,
        #[serde(default)]
        savepoint: Option<Name>,
    },
    /// A statement that reads or writes rows; `table` is the one it writes, or the first that it reads.
    Data {
        kind: DataKind,
        table: Option<QualifiedName>,
        filtered: bool,
        #[serde(default)]
        clauses: DataClauses,
    },
    /// A statement whose effect is another program's: a `DO` block, a called procedure, a prepared statement.
    Procedural { kind: ProceduralKind, name: Option<QualifiedName>, body: String },
    /// `PREPARE`: nothing happens until it is executed.
    Prepare { name: Name, statement: String },
    /// SQLite's `ATTACH`.
    AttachDatabase { name: Name },
    /// SQLite's `DETACH`.
    DetachDatabase { name: Name },
    /// `EXPLAIN` of a statement that writes rows, which is planned under its locks and not run (PostgreSQL).
    Explain { statement: Box<Change> },
    /// `DISCARD ALL`: the session begins anew (PostgreSQL).
    DiscardAll,
    /// `ALTER INDEX ... DEPENDS ON EXTENSION`, with `NO` or without: whether the index goes with the extension.
    SetIndexExtension { index: QualifiedName },
    /// A statement without effect: `SHOW`, `USE`, `EXPLAIN` of a query, client commands.
    Nothing,
    /// A statement that was not understood.
    Opaque { because: String, touches: Vec<QualifiedName> },
}

fn yes() -> bool {
    true
}
