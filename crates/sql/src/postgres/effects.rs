//! What PostgreSQL does for each change: locks, work, demands. Measured on versions 13 to 18.

pub(crate) mod bound;
mod column;
mod constraint;
mod data;
mod index;
mod object;
mod partition;
mod presence;
mod relation;
mod type_change;
mod volatility;

use std::collections::BTreeMap;

use dbwright_model::catalog::{Table, TableKind, Volatility};
use dbwright_model::change::{Change, ObjectKind, TransactionControl};
use dbwright_model::effect::{Cost, Effects, Lock, Refusal, TransactionUse};
use dbwright_model::name::{Name, QualifiedName};

use crate::effects::Circumstances;
use crate::fold::Folder;

/// The newest major whose effects were measured; a server of unknown version is taken for it.
const NEWEST: u16 = 18;

/// Gathers the effects of one statement.
struct Reckoning<'a> {
    before: &'a Folder,
    circumstances: &'a Circumstances,
    major: u16,
    /// Every change of the statement: what one makes or drops matters to the others.
    statement: &'a [Change],
    /// Whether the `ALTER TABLE` says `ONLY`.
    only: bool,
    /// Relations that the statement itself makes, which nobody else can see yet.
    created: Vec<QualifiedName>,
    /// Columns that the statement adds, with whether they hold a value in the rows that are there.
    added: Vec<(QualifiedName, Name, bool)>,
    effects: Effects,
}

/// The functions of `pg_catalog` by name, with the weakest volatility of all overloads and majors.
pub fn built_in_functions() -> &'static BTreeMap<&'static str, Volatility> {
    volatility::built_in()
}

pub(crate) fn of_statement(before: &Folder, circumstances: &Circumstances, statement: &[Change]) -> Effects {
    let mut reckoning = Reckoning {
        before,
        circumstances,
        major: circumstances.version.map_or(NEWEST, |version| version.major),
        statement,
        only: false,
        created: Vec::new(),
        added: Vec::new(),
        effects: Effects::default(),
    };
    for change in statement {
        reckoning.only = change.alter().is_some_and(|alter| alter.only);
        if !reckoning.is_futile(change) {
            reckoning.change(change);
        }
    }
    reckoning.effects
}

impl<'a> Reckoning<'a> {
    /// Notes an effect on a relation, unless the statement made it.
    fn note(&mut self, name: &QualifiedName, lock: Lock, cost: Cost) {
        let name = self.before.full_name(name);
        if !self.created.contains(&name) {
            self.effects.add(&name, lock, cost);
        }
    }

    /// Notes an effect on a table and everything below it; the work is done where rows are stored.
    fn note_tree(&mut self, name: &QualifiedName, lock: Lock, cost: Cost) {
        let before = self.before;
        let name = before.full_name(name);
        self.note_rows(before.table(&name), &name, lock, cost);
        for heir in before.descendants(&name) {
            self.note_rows(Some(heir), &heir.name, lock, cost);
        }
    }

    /// Notes an effect on the table of an `ALTER TABLE`, and on everything below it unless `ONLY` is said.
    fn note_target(&mut self, name: &QualifiedName, lock: Lock, cost: Cost) {
        match self.only {
            true => {
                let name = self.before.full_name(name);
                self.note_rows(self.before.table(&name), &name, lock, cost);
            }
            false => self.note_tree(name, lock, cost),
        }
    }

    /// What is below the table of an `ALTER TABLE` and reached by it.
    fn heirs(&self, name: &QualifiedName) -> Vec<&'a Table> {
        if self.only { Vec::new() } else { self.before.descendants(name) }
    }

    /// A partitioned table holds no rows itself.
    fn note_rows(&mut self, table: Option<&Table>, name: &QualifiedName, lock: Lock, cost: Cost) {
        let empty = table.is_some_and(|table| self.is_partitioned(table));
        self.note(name, lock, if empty { Cost::Brief } else { cost });
    }

    fn is_partitioned(&self, table: &Table) -> bool {
        match table.kind {
            TableKind::Partitioned { .. } => true,
            TableKind::Partition { .. } => {
                table.sub_partitioned.is_some() || !self.before.descendants(&table.name).is_empty()
            }
            _ => false,
        }
    }

    fn refuse(&mut self, because: impl Into<String>) {
        self.effects.refuse(Refusal::Other, because);
    }

    /// Notes that the statement fails because what it makes is there.
    fn refuse_existing(&mut self, because: impl Into<String>) {
        self.effects.refuse(Refusal::AlreadyThere, because);
    }

    fn assume(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.effects.assumed.contains(&what) {
            self.effects.assumed.push(what);
        }
    }

    fn outside(&mut self) {
        self.effects.transaction = TransactionUse::Outside;
    }

    fn change(&mut self, change: &Change) {
        use Change::*;
        match change {
            AddColumn { .. }
            | DropColumn { .. }
            | RenameColumn { .. }
            | AlterColumnType { .. }
            | SetNotNull { .. }
            | SetDefault { .. }
            | SetIdentity { .. }
            | AlterIdentity { .. }
            | SetExpression { .. }
            | DropExpression { .. }
            | SetStatisticsTarget { .. }
            | SetStorage { .. }
            | SetCompression { .. }
            | SetColumnOptions { .. } => self.column_change(change),
            AddPrimaryKey { .. }
            | AddUnique { .. }
            | AddCheck { .. }
            | AddNotNull { .. }
            | AddForeignKey { .. }
            | AddExclusion { .. }
            | DropConstraint { .. }
            | AlterConstraint { .. }
            | RenameConstraint { .. }
            | ValidateConstraint { .. } => self.constraint_change(change),
            CreateIndex { .. }
            | DropIndex { .. }
            | RenameIndex { .. }
            | SetIndexOptions { .. }
            | SetIndexStatistics { .. }
            | SetIndexExtension { .. }
            | AttachIndex { .. }
            | Reindex { .. }
            | ReindexAll { .. }
            | Cluster { .. }
            | SetCluster { .. } => self.index_change(change),
            AttachPartition { table, partition, bound, .. } => self.attach(table, partition, bound),
            DetachPartition { table, partition, concurrently, finalize, .. } => {
                self.detach(table, partition, *concurrently || *finalize);
            }
            CreateTable { .. }
            | CreateTableLike { .. }
            | CreateTableAs { .. }
            | DropTable { .. }
            | RenameTable { .. }
            | SetInherit { .. }
            | SetRowSecurity { .. }
            | SetReplicaIdentity { .. }
            | SetTableOptions { .. }
            | SetLogged { .. }
            | SetTablespace { .. }
            | SetAccessMethod { .. }
            | SetOfType { .. }
            | SetForeignOptions { .. }
            | SetOwner { .. }
            | SetSchema { .. }
            | RenameObject { .. }
            | CreateView { .. }
            | DropView { .. }
            | RefreshView { .. }
            | SetViewOptions { .. }
            | Comment { .. }
            | DropSchema { .. } => self.relation_change(change),
            Analyze { .. } | Vacuum { .. } | Data { .. } | LockTable { .. } => self.data_change(change),
            Explain { statement } => {
                self.change(statement);
                self.effects.relations.iter_mut().for_each(|effect| effect.cost = Cost::Brief);
                self.effects.demands.clear();
            }
            Transaction {
                control: TransactionControl::RollbackTo | TransactionControl::Release,
                savepoint: Some(name),
            } => {
                if !self.before.has_savepoint(name) {
                    self.refuse(format!("the transaction has no savepoint `{name}`"));
                }
            }
            // The server refuses these inside a transaction.
            SetServerSetting { .. } | DiscardAll => self.outside(),
            CreateObject { kind, .. } | DropObject { kind, .. } if is_of_the_cluster(kind) => self.outside(),
            AlterObject { kind: ObjectKind::Database, statement, .. }
                if statement.to_ascii_lowercase().contains("set tablespace") =>
            {
                self.outside();
            }
            _ => self.object_change(change),
        }
    }
}

/// Whether an object has files of its own that no rollback would bring back.
fn is_of_the_cluster(kind: &ObjectKind) -> bool {
    matches!(kind, ObjectKind::Database | ObjectKind::Tablespace)
}
