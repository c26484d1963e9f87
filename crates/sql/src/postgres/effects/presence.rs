//! What must be there before a change, and what must not.

use dbwright_model::access::GrantObject;
use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::change::{Change, DroppedConstraint, ObjectKind};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::column::parent_of;

impl<'a> Reckoning<'a> {
    /// Whether the change does nothing, or fails, because of what is there and what is not.
    pub(super) fn is_futile(&mut self, change: &Change) -> bool {
        if let (Some(table), Some(alter)) = (change.altered(), change.alter()) {
            if self.is_absent(table, alter.if_exists) {
                return true;
            }
            if !reaches_views(change) && self.before.view(table).is_some() {
                self.refuse(format!("`{table}` is a view"));
                return true;
            }
        }
        use Change::*;
        if matches!(change, DropIndex { concurrently: true, .. }) {
            // The server asks for the transaction before it looks for the index.
            self.outside();
        }
        match change {
            DropTable { name, if_exists, .. }
            | DropView { name, if_exists, .. }
            | DropSequence { name, if_exists, .. }
            | AlterSequence { name, if_exists, .. }
            | SetViewOptions { name, if_exists, .. }
            | DropIndex { index: name, if_exists, .. }
            | RenameIndex { index: name, if_exists, .. }
            | SetIndexOptions { index: name, if_exists, .. }
            | SetIndexStatistics { index: name, if_exists, .. } => self.is_absent(name, *if_exists),
            Reindex { index: name, .. }
            | SetSequenceValue { name, .. }
            | AdvanceSequence { name }
            | SetIndexExtension { index: name }
            | RefreshView { name, .. }
            | CreateIndex { table: name, .. }
            | Vacuum { table: Some(name), .. }
            | Analyze { table: Some(name) }
            | Cluster { table: Some(name), .. } => self.is_absent(name, false),
            SetGrant { grant, .. } if grant.object_kind == GrantObject::Table => {
                self.is_absent(&grant.object, false)
            }
            RenameObject { kind: ObjectKind::View | ObjectKind::MaterializedView, object, .. } => {
                self.is_absent(object, false)
            }
            DropTrigger { table: Some(table), name, if_exists, .. } => {
                let triggers = self.before.catalog().triggers.known();
                let there = triggers.is_none_or(|all| {
                    all.iter().any(|one| self.is_named(&one.table, table) && one.name == *name)
                });
                self.is_lacking(there, *if_exists, || format!("`{table}` has no trigger `{name}`"))
            }
            DropRule { table, name, if_exists, .. } => {
                let there = self
                    .before
                    .catalog()
                    .rules
                    .iter()
                    .any(|one| self.is_named(&one.table, table) && one.name == *name);
                let there = there || !self.is_certain(table) || is_of_the_server(table);
                self.is_lacking(there, *if_exists, || format!("`{table}` has no rule `{name}`"))
            }
            DropPolicy { table, name, if_exists, .. } => {
                let policies = self.before.catalog().policies.known();
                let there = policies.is_none_or(|all| {
                    all.iter().any(|one| self.is_named(&one.table, table) && one.name == *name)
                });
                self.is_lacking(there, *if_exists, || format!("`{table}` has no policy `{name}`"))
            }
            _ => false,
        }
    }

    /// Whether two names mean the same relation here.
    pub(super) fn is_named(&self, one: &QualifiedName, other: &QualifiedName) -> bool {
        self.before.full_name(one) == self.before.full_name(other)
    }

    /// Whether everything about a relation is known.
    fn is_certain(&self, name: &QualifiedName) -> bool {
        let full = self.before.full_name(name);
        let doubts = &self.before.catalog().doubts;
        self.circumstances.known
            && !doubts.iter().any(|doubt| doubt.object.as_ref().is_none_or(|object| *object == full))
    }

    fn is_lacking(&mut self, there: bool, if_exists: bool, because: impl FnOnce() -> String) -> bool {
        if there || !self.circumstances.known {
            return false;
        }
        if !if_exists {
            self.refuse(because());
        }
        true
    }

    /// Whether a relation is known not to be there; without `IF EXISTS` the statement fails then.
    pub(super) fn is_absent(&mut self, name: &QualifiedName, if_exists: bool) -> bool {
        let before = self.before;
        let there = before.table(name).is_some()
            || before.view(name).is_some()
            || before.sequence(name).is_some()
            || before.index(None, name).is_some()
            || self.created.contains(&before.full_name(name))
            || is_of_the_server(name)
            || !self.is_certain(name);
        self.is_lacking(there, if_exists, || format!("`{name}` does not exist"))
    }

    /// Refuses an index of a table that is known not to be there.
    pub(super) fn refuse_absent_index(&mut self, table: &Table, index: &Name) {
        let made = self.statement.iter().any(|change| {
            use Change::*;
            matches!(
                change,
                CreateIndex { .. } | AddUnique { .. } | AddPrimaryKey { .. } | AddExclusion { .. }
            )
        });
        let there = made
            || table.indexes.iter().any(|other| other.name == *index)
            || constraint_names(table).any(|name| name == index)
            || !self.is_certain(&table.name);
        self.is_lacking(there, false, || format!("`{}` has no index `{index}`", table.name));
    }

    /// Whether a column is known not to be there; without `IF EXISTS` the statement fails then.
    pub(super) fn is_column_absent(&mut self, table: &Table, column: &Name, if_exists: bool) -> bool {
        let there = table.column(column.as_str()).is_some()
            || self.added.iter().any(|(owner, added, _)| *owner == table.name && added == column)
            || !self.is_certain(&table.name)
            || is_system_column(column);
        self.is_lacking(there, if_exists, || format!("`{}` has no column `{column}`", table.name))
    }

    /// Whether a constraint is known not to be there; without `IF EXISTS` the statement fails then.
    pub(super) fn is_constraint_absent(&mut self, table: &Table, constraint: &Name, if_exists: bool) -> bool {
        let there = constraint_names(table).any(|name| name == constraint)
            || constraint.as_str().ends_with("_not_null")
            || self.makes_constraint(table, constraint)
            || !self.is_certain(&table.name);
        self.is_lacking(there, if_exists, || format!("`{}` has no constraint `{constraint}`", table.name))
    }

    /// Whether another change of the statement adds the constraint, or one whose name the server makes up.
    fn makes_constraint(&self, table: &Table, constraint: &Name) -> bool {
        self.statement.iter().any(|change| {
            use Change::*;
            let (owner, name) = match change {
                AddCheck { table, check, .. } => (table, check.name.as_ref()),
                AddForeignKey { table, foreign_key, .. } => (table, foreign_key.name.as_ref()),
                AddUnique { table, key, .. } | AddPrimaryKey { table, key, .. } => (table, key.name.as_ref()),
                RenameConstraint { table, to, .. } => (table, Some(to)),
                AddNotNull { table, constraint, .. } => (table, constraint.name.as_ref()),
                _ => return false,
            };
            self.is_named(owner, &table.name) && name.is_none_or(|name| name == constraint)
        })
    }

    /// Whether another change of the statement drops the constraint.
    pub(super) fn drops_constraint(&self, table: &QualifiedName, constraint: &Name) -> bool {
        self.statement.iter().any(|change| {
            matches!(change, Change::DropConstraint { table: owner, constraint: DroppedConstraint::Named(name), .. }
                if name == constraint && self.is_named(owner, table))
        })
    }

    /// Whether the statement drops the table itself.
    pub(super) fn drops_table(&self, table: &QualifiedName) -> bool {
        self.statement
            .iter()
            .any(|change| matches!(change, Change::DropTable { name, .. } if self.is_named(name, table)))
    }

    /// The tables directly above: the partitioned one, or those that it inherits from.
    pub(super) fn parents(&self, table: &Table) -> Vec<&'a Table> {
        let before = self.before;
        parent_of(table).into_iter().chain(&table.inherits).filter_map(|name| before.table(name)).collect()
    }

    /// Whether a column comes from above, and must be changed there.
    pub(super) fn is_inherited(&self, table: &Table, column: &Name) -> bool {
        self.parents(table).iter().any(|parent| parent.column(column.as_str()).is_some())
    }

    /// Whether the rows of a table are spread over its partitions by a column.
    pub(super) fn is_in_partition_key(&self, table: &Table, column: &Name) -> bool {
        let key = match (&table.kind, &table.sub_partitioned) {
            (TableKind::Partitioned { key, .. }, _) => key,
            (_, Some(partition_key)) => &partition_key.key,
            _ => return false,
        };
        words(key).any(|word| word == column.as_str())
    }
}

/// The names in a partition key.
pub(super) fn words(key: &str) -> impl Iterator<Item = &str> {
    key.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

/// Every constraint of a table that has a name.
pub(super) fn constraint_names(table: &Table) -> impl Iterator<Item = &Name> {
    let keys = table.primary_key.iter().chain(&table.uniques).filter_map(|key| key.name.as_ref());
    let checks = table.checks.iter().filter_map(|check| check.name.as_ref());
    let foreign_keys = table.foreign_keys.iter().filter_map(|key| key.name.as_ref());
    let not_null = table
        .columns
        .iter()
        .filter_map(|column| column.not_null_constraint.as_ref().and_then(|not_null| not_null.name.as_ref()));
    keys.chain(checks).chain(foreign_keys).chain(not_null).chain(table.exclusions.iter().map(|one| &one.name))
}

fn is_of_the_server(name: &QualifiedName) -> bool {
    matches!(name.schema.as_str(), "pg_catalog" | "information_schema" | "pg_toast")
        || name.name.as_str().starts_with("pg_")
        // All tables of a schema.
        || name.name == *"*"
}

fn is_system_column(column: &Name) -> bool {
    matches!(column.as_str(), "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "tableoid")
}

/// Actions that views and materialised views have too.
fn reaches_views(change: &Change) -> bool {
    use Change::*;
    matches!(
        change,
        RenameTable { .. }
            | RenameColumn { .. }
            | SetDefault { .. }
            | SetStatisticsTarget { .. }
            | SetStorage { .. }
            | SetCompression { .. }
            | SetColumnOptions { .. }
            | SetTableOptions { .. }
            | SetTablespace { .. }
            | SetAccessMethod { .. }
            | SetCluster { .. }
            | SetOwner { .. }
            | SetSchema { .. }
            | SetTriggerEnabled { .. }
            | SetRuleEnabled { .. }
    )
}
