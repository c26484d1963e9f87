//! What PostgreSQL does for each change: locks, work, demands. Measured on versions 13 to 18.

mod column;
mod data;
mod relation;
mod type_change;
mod volatility;

use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, Effects, Lock, TransactionUse};
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
    /// Relations that the statement itself makes, which nobody else can see yet.
    created: Vec<QualifiedName>,
    /// Columns that the statement adds, with whether they hold a value in the rows that are there.
    added: Vec<(QualifiedName, Name, bool)>,
    effects: Effects,
}

pub(crate) fn of_statement(before: &Folder, circumstances: &Circumstances, statement: &[Change]) -> Effects {
    let mut reckoning = Reckoning {
        before,
        circumstances,
        major: circumstances.version.map_or(NEWEST, |version| version.major),
        created: Vec::new(),
        added: Vec::new(),
        effects: Effects::default(),
    };
    for change in statement {
        reckoning.change(change);
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

    /// A partitioned table holds no rows itself.
    fn note_rows(&mut self, table: Option<&Table>, name: &QualifiedName, lock: Lock, cost: Cost) {
        let empty = table.is_some_and(|table| self.is_partitioned(table));
        self.note(name, lock, if empty { Cost::Brief } else { cost });
    }

    fn is_partitioned(&self, table: &Table) -> bool {
        match table.kind {
            TableKind::Partitioned { .. } => true,
            TableKind::Partition { .. } => !self.before.descendants(&table.name).is_empty(),
            _ => false,
        }
    }

    fn refuse(&mut self, because: impl Into<String>) {
        self.effects.refused.get_or_insert_with(|| because.into());
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
        const AX: Lock = Lock::AccessExclusive;
        match change {
            AddColumn { table, column, if_not_exists, .. } => self.add_column(table, column, *if_not_exists),
            DropColumn { table, column, cascade, .. } => self.drop_column(table, column, *cascade),
            RenameColumn { table, .. } => self.note_tree(table, AX, Cost::Brief),
            AlterColumnType { table, column, to, collation, using, .. } => {
                self.alter_type(table, column, to, collation.as_ref(), using.as_ref());
            }
            SetNotNull { table, column, not_null, .. } => self.set_not_null(table, column, *not_null),
            SetDefault { table, .. } | SetIdentity { table, .. } | DropExpression { table, .. } => {
                self.note_tree(table, AX, Cost::Brief);
            }
            AddPrimaryKey { table, key, using_index, .. } => {
                self.add_key(table, key, using_index.as_ref(), true)
            }
            AddUnique { table, key, using_index, .. } => {
                self.add_key(table, key, using_index.as_ref(), false)
            }
            AddCheck { table, check, .. } => self.add_check(table, check),
            AddForeignKey { table, foreign_key, .. } => self.add_foreign_key(table, foreign_key),
            AddExclusion { table, .. } => self.note_tree(table, AX, Cost::IndexBuild),
            DropConstraint { table, constraint, cascade, .. } => {
                self.drop_constraint(table, constraint, *cascade)
            }
            RenameConstraint { table, .. } => self.note_tree(table, AX, Cost::Brief),
            ValidateConstraint { table, constraint, .. } => self.validate(table, constraint),
            CreateTable { table, .. } => self.create_table(table),
            CreateTableLike { table, like, .. } => {
                self.note(like, Lock::AccessShare, Cost::Brief);
                self.create_table(table);
            }
            CreateTableAs { name, query, .. } => {
                self.created.push(self.before.full_name(name));
                self.read_text(query);
            }
            DropTable { name, cascade, .. } => self.drop_table(name, *cascade),
            RenameTable { table, .. } => self.note(table, AX, Cost::Brief),
            SetOwner { object, .. } => self.set_owner(object),
            SetSchema { object, .. } => self.set_owner(object),
            CreateIndex { table, index, concurrently, if_not_exists, only, .. } => {
                self.create_index(table, index, *concurrently, *if_not_exists, *only);
            }
            DropIndex { index, concurrently, .. } => self.drop_index(index, *concurrently),
            RenameIndex { index, .. } => self.note_index(index, Lock::ShareUpdateExclusive),
            Reindex { index, concurrently, .. } => self.reindex(index, *concurrently),
            AttachIndex { parent, child } => {
                self.note_index(parent, AX);
                self.note_index(child, AX);
            }
            AttachPartition { table, partition, .. } => self.attach(table, partition),
            DetachPartition { table, partition, concurrently, .. } => {
                self.detach(table, partition, *concurrently)
            }
            SetInherit { table, parent, inherit, .. } => {
                self.note(table, AX, Cost::Brief);
                let lock = if *inherit { Lock::ShareUpdateExclusive } else { Lock::AccessShare };
                self.note(parent, lock, Cost::Brief);
            }
            SetRowSecurity { table, .. } | SetReplicaIdentity { table, .. } => {
                self.note(table, AX, Cost::Brief)
            }
            SetTableOptions { table, options, .. } => self.set_options(table, options),
            CreateView { view, or_replace, .. } => {
                if *or_replace && self.before.view(&view.name).is_some() {
                    self.note(&view.name, AX, Cost::Brief);
                }
                self.created.push(self.before.full_name(&view.name));
                let cost = if view.materialized && view.populated { Cost::Scan } else { Cost::Brief };
                self.read(view.query.as_deref(), cost);
            }
            DropView { name, .. } => self.note(name, AX, Cost::Brief),
            RefreshView { name, concurrently, .. } => {
                let (lock, cost) =
                    if *concurrently { (Lock::Exclusive, Cost::Scan) } else { (AX, Cost::Rewrite) };
                self.note(name, lock, cost);
                let before = self.before;
                self.read(before.view(name).and_then(|view| view.query.as_deref()), Cost::Scan);
            }
            SetViewOptions { name, .. } => self.note(name, AX, Cost::Brief),
            AlterSequence { name, changes, .. } => {
                let lock = if changes.rename.is_some() { AX } else { Lock::ShareRowExclusive };
                self.note(name, lock, Cost::Brief);
            }
            DropSequence { name, .. } => self.note(name, AX, Cost::Brief),
            SetSequenceValue { name, .. } => self.note(name, Lock::RowExclusive, Cost::Brief),
            DropType { name, cascade, .. } => self.drop_type(name, *cascade),
            CreateTrigger { trigger, .. } => {
                self.note_tree(&trigger.table, Lock::ShareRowExclusive, Cost::Brief)
            }
            DropTrigger { table: Some(table), .. } => self.note_tree(table, AX, Cost::Brief),
            SetTriggerEnabled { table, .. } => self.note_tree(table, Lock::ShareRowExclusive, Cost::Brief),
            CreatePolicy { policy } => self.note(&policy.table, AX, Cost::Brief),
            DropPolicy { table, .. } => self.note(table, AX, Cost::Brief),
            Comment { on, .. } => self.comment(on),
            Analyze { table: Some(table) } => self.note(table, Lock::ShareUpdateExclusive, Cost::Brief),
            Vacuum { table, full, .. } => {
                self.outside();
                if let Some(table) = table {
                    let (lock, cost) =
                        if *full { (AX, Cost::Rewrite) } else { (Lock::ShareUpdateExclusive, Cost::Scan) };
                    self.note_tree(table, lock, cost);
                }
            }
            Data { kind, table, filtered, .. } => self.data(*kind, table.as_ref(), *filtered),
            SetServerSetting { .. } => self.outside(),
            DropSchema { name, cascade, .. } => self.drop_schema(name, *cascade),
            _ => {}
        }
    }
}
