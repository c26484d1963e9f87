//! What MySQL and MariaDB do for each change: algorithm, lock, work, demands, losses.
//!
//! MariaDB 10.11 was measured. What MySQL does otherwise is the word of its manual, and each prediction for it says so.

mod alter;
mod column;

use dbwright_model::catalog::{Persistence, Table, TableKind};
use dbwright_model::change::{Change, DataKind, PartitionChange};
use dbwright_model::effect::{Cost, Effects, Lock, LossKind, Refusal, TransactionUse};
use dbwright_model::engine::{Engine, Version};
use dbwright_model::name::QualifiedName;

use crate::effects::Circumstances;
use crate::fold::Folder;

/// Gathers the effects of one statement.
struct Reckoning<'a> {
    before: &'a Folder,
    engine: Engine,
    version: Option<Version>,
    /// Whether the state before is the whole truth.
    known: bool,
    effects: Effects,
}

pub(crate) fn of_statement(before: &Folder, circumstances: &Circumstances, statement: &[Change]) -> Effects {
    let mut reckoning = Reckoning {
        before,
        engine: before.engine(),
        version: circumstances.version,
        known: circumstances.known,
        effects: Effects::default(),
    };
    let renames = statement.iter().filter(|change| matches!(change, Change::RenameTable { .. })).count();
    let replaces = statement.iter().any(|change| matches!(change, Change::DropTable { .. }));
    statement.iter().filter(|_| !replaces).for_each(|change| reckoning.make_table(change));
    match statement.iter().find_map(altered_table) {
        Some(table) if renames < 2 => reckoning.alter(table, statement),
        _ => statement.iter().for_each(|change| reckoning.change(change)),
    }
    if statement.iter().any(commits) {
        reckoning.effects.transaction = TransactionUse::Commits;
        let told = !reckoning.effects.relations.is_empty() || reckoning.effects.refused.is_some();
        if reckoning.engine == Engine::Mysql && told {
            reckoning.assume("what MySQL does is told by its manual and was not measured");
        }
    }
    reckoning.effects
}

/// The table of an action of `ALTER TABLE` that may say `ALGORITHM` and `LOCK`, or of what can be written as one: statements
/// about indexes, and a comment on a table.
fn altered_table(change: &Change) -> Option<&QualifiedName> {
    use Change::*;
    match change {
        AlterPartitions { partitions, .. } if !is_online(partitions) => None,
        CreateIndex { table, .. }
        | DropIndex { table: Some(table), .. }
        | RenameIndex { table: Some(table), .. }
        | Comment { on: dbwright_model::change::CommentTarget::Table(table), .. } => Some(table),
        _ => change.altered(),
    }
}

/// Whether `ALGORITHM` and `LOCK` may be said beside a clause about partitions.
fn is_online(partitions: &PartitionChange) -> bool {
    matches!(partitions.action.as_str(), "PARTITION BY" | "REMOVE PARTITIONING")
}

/// Whether a change commits the transaction before it.
fn commits(change: &Change) -> bool {
    match change {
        Change::Data { kind, .. } => *kind == DataKind::Truncate,
        Change::Transaction { .. }
        | Change::SetSessionSetting { .. }
        | Change::SetServerSetting { .. }
        | Change::Procedural { .. }
        | Change::Prepare { .. }
        | Change::Explain { .. }
        | Change::DiscardAll
        | Change::Nothing
        | Change::Opaque { .. } => false,
        _ => true,
    }
}

impl Reckoning<'_> {
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

    /// Whether foreign keys are checked, as they are unless the session said otherwise.
    fn checks_foreign_keys(&self) -> bool {
        !matches!(self.before.setting("foreign_key_checks"), Some("0" | "off" | "false"))
    }

    fn note(&mut self, name: &QualifiedName, lock: Lock, cost: Cost) {
        let name = self.before.full_name(name);
        self.effects.add(&name, lock, cost);
    }

    /// Another table that refers to this one.
    fn child_of(&self, name: &QualifiedName) -> Option<QualifiedName> {
        let name = self.before.full_name(name);
        self.before.referencing(&name).map(|(table, _)| table.name.clone()).find(|table| *table != name)
    }

    /// A temporary table may hide another one.
    fn make_table(&mut self, change: &Change) {
        let (name, persistence, if_not_exists) = match change {
            Change::CreateTable { table, if_not_exists }
            | Change::CreateTableLike { table, if_not_exists, .. } => {
                (&table.name, table.persistence, *if_not_exists)
            }
            Change::CreateTableAs { name, persistence, if_not_exists, .. } => {
                (name, *persistence, *if_not_exists)
            }
            _ => return,
        };
        if persistence == Persistence::Temporary || if_not_exists {
            return;
        }
        if let Some(known) = self.before.table(name).filter(|known| known.persistence == persistence) {
            self.refuse_existing(format!("there is a table `{}` already", known.name));
        }
    }

    /// Whether a table is known not to be there. Of other databases nothing is known.
    fn is_absent(&self, name: &QualifiedName) -> bool {
        let full = self.before.full_name(name);
        let doubts = &self.before.catalog().doubts;
        self.known
            && name.schema.is_empty()
            && self.before.table(name).is_none()
            && self.before.view(name).is_none()
            && self.before.sequence(name).is_none()
            && !doubts.iter().any(|doubt| doubt.object.as_ref().is_none_or(|object| *object == full))
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::DropTable { name, if_exists, .. } => self.drop_table(name, *if_exists),
            Change::RenameTable { table, .. } if self.before.table(table).is_some() => {
                self.note(table, Lock::MysqlExclusive, Cost::Brief);
            }
            Change::AlterPartitions { table, partitions, .. } => self.alter_partitions(table, partitions),
            Change::CreateTrigger { trigger, .. } => {
                self.note(&trigger.table, Lock::MysqlShared, Cost::Brief);
            }
            Change::DropTrigger { name, .. } => {
                let triggers = self.before.catalog().triggers.known();
                let found = triggers.into_iter().flatten().find(|trigger| trigger.name == *name);
                if let Some(trigger) = found {
                    self.effects.add(&trigger.table, Lock::MysqlShared, Cost::Brief);
                }
            }
            // `OPTIMIZE TABLE`.
            Change::Vacuum { table: Some(table), .. } => {
                self.note(table, Lock::MysqlShared, Cost::Rewrite);
            }
            Change::Data { kind: DataKind::Truncate, table: Some(table), .. } => self.truncate(table),
            Change::Opaque { because, .. } => self.assume(because.clone()),
            _ => {}
        }
    }

    fn drop_table(&mut self, name: &QualifiedName, if_exists: bool) {
        let full = self.before.full_name(name);
        if self.before.table(name).is_none() {
            if !if_exists {
                self.note(name, Lock::MysqlExclusive, Cost::Brief);
            }
            return;
        }
        if self.checks_foreign_keys()
            && let Some(child) = self.child_of(name)
        {
            self.refuse(format!("`{child}` refers to `{full}`"));
        }
        self.note(name, Lock::MysqlExclusive, Cost::Brief);
        self.effects.lose(&full, LossKind::Rows);
    }

    fn truncate(&mut self, name: &QualifiedName) {
        let full = self.before.full_name(name);
        if self.before.table(name).is_some_and(is_versioned) {
            self.refuse(format!("`{full}` keeps its history, and is not truncated"));
        }
        if self.checks_foreign_keys()
            && let Some(child) = self.child_of(name)
        {
            self.refuse(format!("`{child}` refers to `{full}`"));
        }
        self.note(name, Lock::MysqlExclusive, Cost::Brief);
        self.effects.lose(&full, LossKind::Rows);
    }

    /// Clauses about single partitions, which take neither `ALGORITHM` nor `LOCK`.
    fn alter_partitions(&mut self, name: &QualifiedName, partitions: &PartitionChange) {
        let full = self.before.full_name(name);
        let hashed = match self.before.table(name).map(|table| &table.kind) {
            Some(TableKind::Partitioned { strategy, .. }) => *strategy == "hash" || *strategy == "key",
            _ => false,
        };
        let (lock, cost) = match partitions.action.as_str() {
            // Rows of a hash move to where they belong now.
            "ADD PARTITION" if hashed => (Lock::MysqlShared, Cost::Rewrite),
            "COALESCE PARTITION" | "REORGANIZE PARTITION" | "REBUILD PARTITION" | "OPTIMIZE PARTITION" => {
                (Lock::MysqlShared, Cost::Rewrite)
            }
            "TRUNCATE PARTITION" => (Lock::MysqlExclusive, Cost::Brief),
            "ANALYZE PARTITION" | "CHECK PARTITION" => return,
            _ => (Lock::MysqlShared, Cost::Brief),
        };
        if matches!(partitions.action.as_str(), "DROP PARTITION" | "TRUNCATE PARTITION") {
            self.effects.lose(&full, LossKind::Rows);
        }
        self.note(name, lock, cost);
        if let Some(other) = partitions.with.as_ref().filter(|other| self.before.table(other).is_some()) {
            self.note(other, Lock::MysqlShared, Cost::Brief);
        }
    }
}

/// Whether MariaDB keeps old rows of the table.
fn is_versioned(table: &Table) -> bool {
    table.options.iter().any(|(name, value)| *name == "system_versioning" && value == "yes")
}
