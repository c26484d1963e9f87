//! `ALTER TABLE`, `CREATE INDEX` and `DROP INDEX`: all actions of a statement are carried out together, in the way of the
//! dearest.

mod partition;

use dbwright_model::catalog::{
    Column, ConstraintKind, ForeignKey, Index, Key, ReferentialAction, Table, TableKind,
};
use dbwright_model::change::{Change, ColumnPosition, DroppedConstraint, OnlineClauses};
use dbwright_model::data_type::TypeKind;
use dbwright_model::effect::{Algorithm, Cost, Demand, Lock, LossKind};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::column::{self, TypeChange};
use super::{Reckoning, is_versioned};
use crate::constant;

/// How an action is carried out: algorithm, lock and work.
type Way = (Algorithm, Lock, Cost);

const INSTANT: Way = (Algorithm::Instant, Lock::MysqlNone, Cost::Brief);
const DROP_INDEX: Way = (Algorithm::NoCopy, Lock::MysqlNone, Cost::Brief);
const BUILD: Way = (Algorithm::NoCopy, Lock::MysqlNone, Cost::IndexBuild);
const BUILD_SHARED: Way = (Algorithm::NoCopy, Lock::MysqlShared, Cost::IndexBuild);
const REBUILD: Way = (Algorithm::InPlace, Lock::MysqlNone, Cost::Rewrite);
const REBUILD_SHARED: Way = (Algorithm::InPlace, Lock::MysqlShared, Cost::Rewrite);
const COPY: Way = (Algorithm::Copy, Lock::MysqlShared, Cost::Rewrite);

/// The first version of MySQL that adds and drops columns anywhere by changing the dictionary alone.
const INSTANT_ANYWHERE: Version = Version { major: 8, minor: 0, patch: 29 };

/// One statement on one table.
struct Alteration<'r, 'a> {
    reckoning: &'r mut Reckoning<'a>,
    name: QualifiedName,
    table: &'r Table,
    /// Whether the catalog has the table.
    known: bool,
    changes: &'r [Change],
    way: Way,
}

impl Reckoning<'_> {
    /// Actions on one table in one statement.
    pub(super) fn alter(&mut self, table: &QualifiedName, changes: &[Change]) {
        let unknown = Table::default();
        let name = self.before.full_name(table);
        let found = self.before.table(table);
        let guarded = changes.iter().any(|change| change.alter().is_some_and(|alter| alter.if_exists));
        if self.is_absent(table) && !guarded {
            self.refuse(format!("`{name}` does not exist"));
        }
        if found.is_none() {
            self.assume(format!("what `{name}` looks like is not known"));
        }
        let mut alteration = Alteration {
            name: name.clone(),
            table: found.unwrap_or(&unknown),
            known: found.is_some(),
            changes,
            way: INSTANT,
            reckoning: self,
        };
        let way = alteration.run();
        let (algorithm, lock, cost) = self.as_asked(changes, way);
        self.effects.add_by(&name, lock, cost, algorithm);
        // Tables that refer to it keep its shape in memory, and wait while it changes.
        let children: Vec<QualifiedName> =
            self.before.referencing(&name).map(|(child, _)| child.name.clone()).collect();
        for child in children.iter().filter(|child| **child != name) {
            self.effects.add(child, Lock::MysqlShared, Cost::Brief);
        }
    }

    /// What `ALGORITHM` and `LOCK` of the statement make of the way that the server would choose.
    fn as_asked(&mut self, changes: &[Change], (algorithm, lock, cost): Way) -> Way {
        let asked = changes.iter().find_map(online).unwrap_or_default();
        if asked.algorithm == Some(Algorithm::Copy) {
            let lock = Lock::MysqlShared.max(asked.lock.unwrap_or(Lock::MysqlShared));
            return (Algorithm::Copy, lock, Cost::Rewrite);
        }
        if let Some(at_most) = asked.algorithm.filter(|at_most| *at_most < algorithm) {
            let (at_most, needs) = (at_most.as_str(), algorithm.as_str());
            self.refuse(format!("ALGORITHM={at_most} is asked for, and ALGORITHM={needs} is needed"));
        }
        if asked.lock.is_some_and(|at_most| at_most < lock) {
            self.refuse(format!("a weaker lock than {} is asked for", lock.as_str()));
        }
        (algorithm, asked.lock.map_or(lock, |asked| asked.max(lock)), cost)
    }
}

fn online(change: &Change) -> Option<OnlineClauses> {
    match change {
        Change::CreateIndex { online, .. } | Change::DropIndex { online, .. } => Some(*online),
        change => change.alter().map(|alter| alter.online),
    }
}

impl Alteration<'_, '_> {
    fn run(&mut self) -> Way {
        let changes = self.changes;
        for (at, change) in changes.iter().enumerate() {
            self.action(at, change);
        }
        let builds = self.way.2 == Cost::IndexBuild;
        let adds_stored = changes
            .iter()
            .any(|change| matches!(change, Change::AddColumn { column, .. } if column.generated.is_none()));
        if builds && adds_stored && self.way.0 < Algorithm::InPlace {
            // An index over a new column is built while the rows are written anew.
            self.raise(REBUILD);
        }
        let own_engine =
            self.table.storage_engine.as_ref().is_none_or(|engine| engine.eq_ignore_case("InnoDB"));
        if !own_engine && (self.way != INSTANT || changes.iter().any(is_about_columns)) {
            // What InnoDB does by itself, other engines leave to the server.
            self.raise(COPY);
        }
        if self.has_fulltext() && self.way.0 == Algorithm::InPlace {
            self.raise(REBUILD_SHARED);
        }
        if self.reckoning.engine == Engine::Mysql && self.way.0 == Algorithm::NoCopy {
            self.way.0 = Algorithm::InPlace;
        }
        self.way
    }

    fn raise(&mut self, way: Way) {
        self.way = (self.way.0.max(way.0), self.way.1.max(way.1), self.way.2.max(way.2));
    }

    fn is_mariadb(&self) -> bool {
        self.reckoning.engine == Engine::Mariadb
    }

    fn refuse(&mut self, because: String) {
        if self.known {
            self.reckoning.refuse(because);
        }
    }

    fn demand(&mut self, demand: Demand) {
        if !self.reckoning.effects.demands.contains(&demand) {
            self.reckoning.effects.demands.push(demand);
        }
    }

    fn column(&self, name: &Name) -> Option<&Column> {
        self.table.columns.iter().find(|column| column.name.eq_ignore_case(name.as_str()))
    }

    fn has_fulltext(&self) -> bool {
        self.table.indexes.iter().any(|index| index.method == "fulltext")
    }

    fn has_virtual(&self) -> bool {
        self.table.columns.iter().any(|column| column.generated.as_ref().is_some_and(|made| !made.stored))
    }

    fn in_primary_key(&self, name: &Name) -> bool {
        self.table.primary_key.as_ref().is_some_and(|key| names_column(&key.columns, name))
    }

    /// Whether rows cannot be changed in their place, so that new columns cannot be told in the dictionary alone.
    fn is_compressed(&self) -> bool {
        column::row_format(self.table).is_some_and(|format| format.eq_ignore_ascii_case("compressed"))
            || self.table.options.iter().any(|(name, _)| *name == "key_block_size")
    }

    fn action(&mut self, at: usize, change: &Change) {
        let table = self.name.clone();
        match change {
            Change::AddColumn { column, position, if_not_exists, .. } => {
                self.add_column(column, position, *if_not_exists);
            }
            Change::DropColumn { column, if_exists, .. } => self.drop_column(column, *if_exists),
            Change::RenameColumn { column, .. } | Change::SetDefault { column, .. }
                if self.column(column).is_none() =>
            {
                self.refuse(format!("`{table}` has no column `{column}`"));
            }
            Change::ModifyColumn { column, to, .. } => self.modify_column(column, to),
            Change::AddPrimaryKey { key, .. } => {
                if self.table.primary_key.is_some() && !self.drops_primary_key() {
                    self.reckoning.refuse_existing(format!("`{table}` has a primary key already"));
                }
                self.raise(REBUILD);
                self.demand(Demand::Unique { table: table.clone() });
                for column in &key.columns {
                    if self.column(column).is_some_and(|column| !column.not_null) {
                        self.demand(Demand::NotNull { table: table.clone(), column: column.clone() });
                    }
                }
            }
            Change::AddUnique { alter, .. } if alter.ignore => {
                self.reckoning.effects.lose(&table, LossKind::Rows);
                self.raise(COPY);
            }
            Change::AddUnique { key, .. } => {
                self.demand(Demand::Unique { table: table.clone() });
                let long = key.columns.iter().any(|name| {
                    self.column(name).is_some_and(|column| {
                        matches!(column.data_type.kind, TypeKind::Text | TypeKind::Json)
                    })
                });
                // MariaDB keeps a hash of a long value in a hidden column.
                self.raise(if long { COPY } else { BUILD });
            }
            Change::AddCheck { check, .. } => {
                let beside_column = at > 0
                    && check.name.is_none()
                    && matches!(self.changes[at - 1], Change::AddColumn { .. } | Change::ModifyColumn { .. });
                if beside_column && self.is_mariadb() {
                    self.reckoning.assume("rows that are there are not checked");
                } else if check.enforced {
                    let broken = self.changes.iter().find_map(|change| match change {
                        Change::AddColumn { column, .. } => {
                            constant::demand_of_default(Dialect::Mysql, &table, column, &check.expression)
                        }
                        _ => None,
                    });
                    self.demand(broken.unwrap_or(Demand::Check { table }));
                    self.raise(COPY);
                }
            }
            Change::AddForeignKey { foreign_key, .. } => self.add_foreign_key(foreign_key),
            Change::DropConstraint { constraint, if_exists, .. } => {
                self.drop_constraint(constraint, *if_exists);
            }
            Change::CreateIndex { index, if_not_exists, .. } => self.create_index(index, *if_not_exists),
            Change::DropIndex { index, if_exists, .. } => self.drop_index(&index.name, *if_exists),
            Change::RenameIndex { index, .. }
                if self.reckoning.before.index(Some(&table), index).is_none() =>
            {
                self.refuse(format!("`{table}` has no index `{}`", index.name));
            }
            Change::SetTableOptions { options, .. } => {
                for (name, value) in options {
                    self.option(name.as_str(), value);
                }
            }
            Change::RebuildTable { .. } => self.raise(REBUILD),
            Change::OrderTable { .. } => self.raise(COPY),
            Change::AlterPartitions { partitions, .. } => self.partition(partitions),
            Change::AlterColumnType { .. } | Change::SetNotNull { .. } => self.raise(COPY),
            Change::Opaque { because, .. } => self.reckoning.assume(because.clone()),
            _ => {}
        }
    }

    fn keeps_history(&mut self) {
        let keeps = self.reckoning.before.setting("system_versioning_alter_history") == Some("keep");
        if is_versioned(self.table) && !keeps {
            let name = &self.name;
            self.refuse(format!("the history of `{name}` would not tell what its rows were"));
        }
    }

    fn add_column(&mut self, column: &Column, position: &ColumnPosition, if_not_exists: bool) {
        let name = &column.name;
        if self.column(name).is_some() && !self.drops_column(name) {
            if !if_not_exists {
                self.reckoning.refuse_existing(format!("`{}` has a column `{name}` already", self.name));
            }
            return;
        }
        self.keeps_history();
        if let Some(generated) = &column.generated {
            if column.not_null && self.is_mariadb() {
                self.refuse("a generated column takes no NOT NULL".to_owned());
            }
            if generated.stored {
                return self.raise(COPY);
            }
        } else {
            if column.auto_increment {
                return self.raise(REBUILD_SHARED);
            }
            if column.default.as_ref().is_some_and(|default| self.is_computed_per_row(default)) {
                return self.raise(COPY);
            }
            self.demand_a_date(column);
        }
        let last = self.table.columns.last().map(|column| &column.name);
        let elsewhere = match position {
            ColumnPosition::Last => false,
            ColumnPosition::First => true,
            ColumnPosition::After(column) => last.is_none_or(|last| !last.eq_ignore_case(column.as_str())),
        };
        if elsewhere && self.is_mariadb() && self.has_virtual() {
            self.raise(COPY);
        } else if self.has_fulltext() {
            self.raise(REBUILD_SHARED);
        } else if self.is_compressed() || (elsewhere && self.is_old_mysql()) {
            self.raise(REBUILD);
        }
    }

    fn is_old_mysql(&self) -> bool {
        !self.is_mariadb() && self.reckoning.version.is_some_and(|version| version < INSTANT_ANYWHERE)
    }

    /// Without a default a date would be `0000-00-00`, which the mode may forbid.
    fn demand_a_date(&mut self, column: &Column) {
        let forbids = match self.reckoning.before.setting("sql_mode") {
            Some(mode) => mode.contains("no_zero_date") && mode.contains("strict"),
            None => !self.is_mariadb(),
        };
        if forbids && column.not_null && column.default.is_none() && column.data_type.kind.is_temporal() {
            self.demand(Demand::Empty { table: self.name.clone() });
        }
    }

    /// Whether a default may differ from row to row, as far as the server keeps to that.
    fn is_computed_per_row(&self, default: &Expression) -> bool {
        let Some(tree) = default.tree.as_deref() else { return true };
        let mut found = false;
        tree.walk(&mut |expr| match expr {
            Expr::Column { .. } => found = true,
            Expr::Call(call) => {
                let is = |names: &[&str]| names.iter().any(|name| call.function().eq_ignore_ascii_case(name));
                found |= is(&["uuid", "uuid_short", "sys_guid", "nextval", "lastval", "setval"]);
            }
            Expr::Other { .. } => found = true,
            _ => {}
        });
        let plain = matches!(tree, Expr::Literal(_)) || is_now(tree);
        // MySQL computes every default that is an expression.
        found || (!self.is_mariadb() && !plain && !matches!(tree, Expr::Unary { .. }))
    }

    fn drops_column(&self, name: &Name) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::DropColumn { column, .. } if column.eq_ignore_case(name.as_str()))
        })
    }

    fn drops_primary_key(&self) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::DropConstraint { constraint: DroppedConstraint::PrimaryKey, .. })
        })
    }

    fn drops_constraint(&self, name: Option<&Name>) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::DropConstraint { constraint: DroppedConstraint::Named(dropped), .. }
                if Some(dropped) == name)
        })
    }

    fn drop_column(&mut self, name: &Name, if_exists: bool) {
        let table = self.table;
        if self.column(name).is_none() {
            if !if_exists {
                self.refuse(format!("`{}` has no column `{name}`", self.name));
            }
            if !self.known {
                self.raise(INSTANT);
            }
            return;
        }
        self.keeps_history();
        for key in &table.foreign_keys {
            if names_column(&key.columns, name) && !self.drops_constraint(key.name.as_ref()) {
                self.refuse(format!("a foreign key of `{}` needs the column `{name}`", self.name));
            }
        }
        let mentions = |expression: &Expression| {
            let columns = expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
            let found = columns.iter().any(|column| column.eq_ignore_case(name.as_str()));
            (found, columns.len())
        };
        if table.checks.iter().any(|check| matches!(mentions(&check.expression), (true, 2..))) {
            self.refuse(format!("a check of `{}` reads the column `{name}`", self.name));
        }
        let computed = |column: &Column| {
            column.generated.as_ref().is_some_and(|generated| mentions(&generated.expression).0)
        };
        if table.columns.iter().any(|column| computed(column) && !self.drops_column(&column.name)) {
            self.refuse(format!("a column of `{}` is computed from `{name}`", self.name));
        }
        if self.in_primary_key(name) {
            return self.raise(COPY);
        }
        for index in &table.indexes {
            let dropped = self.changes.iter().any(
                |change| matches!(change, Change::DropIndex { index: gone, .. } if gone.name == index.name),
            );
            let columns = index.columns().unwrap_or_default();
            if columns.iter().any(|column| column.eq_ignore_case(name.as_str())) && !dropped {
                // An index that loses one of its columns is built anew.
                self.raise(if columns.len() == 1 { DROP_INDEX } else { REBUILD });
            }
        }
        if table.foreign_keys.iter().any(|key| names_column(&key.columns, name)) {
            self.raise(DROP_INDEX);
        }
        if self.has_fulltext() {
            self.raise(REBUILD_SHARED);
        } else if self.is_compressed() || self.is_old_mysql() {
            self.raise(REBUILD);
        }
    }

    fn modify_column(&mut self, name: &Name, to: &Column) {
        let Some(from) = self.column(name).cloned() else {
            if !self.known {
                self.reckoning.assume(format!("what `{}.{name}` was is not known", self.name));
                self.raise(COPY);
            }
            return self.refuse(format!("`{}` has no column `{name}`", self.name));
        };
        match (&from.generated, &to.generated) {
            (Some(old), Some(new)) if old.stored != new.stored => {
                return self.refuse(format!("whether `{name}` is stored cannot be changed"));
            }
            (Some(old), None) if !old.stored => {
                return self.refuse(format!("the computed column `{name}` cannot become a plain one"));
            }
            (Some(old), Some(new)) if old.expression == new.expression || !new.stored => {}
            (None, None) => {}
            _ => self.raise(COPY),
        }
        if to.auto_increment && !from.auto_increment {
            self.raise(COPY);
        }
        self.retype(&from, to);
        self.renull(&from, to);
    }

    fn retype(&mut self, from: &Column, to: &Column) {
        let change = column::change(self.reckoning.engine, self.table, from, to);
        if change == TypeChange::Nothing {
            return;
        }
        let name = &from.name;
        let bound = change >= TypeChange::Convert;
        if bound && self.table.foreign_keys.iter().any(|key| names_column(&key.columns, name)) {
            self.refuse(format!("a foreign key of `{}` needs the column `{name}`", self.name));
        }
        let referenced = self
            .reckoning
            .before
            .referencing(&self.name)
            .any(|(_, key)| names_column(&key.referenced_columns, name));
        if bound && referenced {
            self.refuse(format!("a foreign key refers to `{}.{name}`", self.name));
        }
        match change {
            TypeChange::Nothing => {}
            TypeChange::Wider if self.is_mariadb() || from.data_type.kind == TypeKind::Enum => {}
            TypeChange::Wider => self.raise((Algorithm::InPlace, Lock::MysqlNone, Cost::Brief)),
            TypeChange::Order if self.is_mariadb() => self.reorder(name),
            TypeChange::Order | TypeChange::Convert => self.raise(COPY),
            TypeChange::Narrow => {
                self.demand(Demand::Convertible { table: self.name.clone(), column: name.clone() });
                self.raise(COPY);
            }
        }
    }

    /// Another collation: indexes of the column are in the wrong order.
    fn reorder(&mut self, name: &Name) {
        if self.in_primary_key(name) {
            return self.raise(COPY);
        }
        let table = self.table;
        for index in &table.indexes {
            if index.parts.iter().filter_map(|part| part.as_column()).any(|column| column == name) {
                self.raise(if index.method == "fulltext" { BUILD_SHARED } else { BUILD });
            }
        }
    }

    fn renull(&mut self, from: &Column, to: &Column) {
        let stays = self.in_primary_key(&from.name) || from.generated.is_some();
        if stays || from.not_null == to.not_null {
            return;
        }
        let redundant =
            column::row_format(self.table).is_some_and(|format| format.eq_ignore_ascii_case("redundant"));
        if !to.not_null {
            return if !(redundant && self.is_mariadb()) {
                self.raise(REBUILD)
            };
        }
        self.demand(Demand::NotNull { table: self.name.clone(), column: from.name.clone() });
        let indexed = |column: &Column| {
            self.table.indexes.iter().any(|index| {
                index.parts.iter().filter_map(|part| part.as_column()).any(|name| *name == column.name)
            })
        };
        let computed = self.table.columns.iter().any(|column| {
            column.generated.as_ref().is_some_and(|generated| {
                let columns = generated.expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
                !generated.stored && columns.contains(&&from.name)
            }) && indexed(column)
        });
        self.raise(if computed { COPY } else { REBUILD });
    }

    fn add_foreign_key(&mut self, key: &ForeignKey) {
        let table = self.name.clone();
        let before = self.reckoning.before;
        let parent_name = before.full_name(&key.references);
        if key.on_delete == ReferentialAction::SetNull || key.on_update == ReferentialAction::SetNull {
            let fixed =
                key.columns.iter().any(|name| self.column(name).is_some_and(|column| column.not_null));
            if fixed {
                self.refuse(format!("a column of `{table}` that is to become null is NOT NULL"));
            }
        }
        if matches!(self.table.kind, TableKind::Partitioned { .. }) {
            self.refuse(format!("`{table}` has partitions, and takes no foreign key"));
        }
        if let Some(parent) = before.table(&key.references) {
            self.match_parent(key, parent);
        }
        if self.reckoning.checks_foreign_keys() {
            self.raise(COPY);
            if parent_name != table {
                self.reckoning.effects.add(&parent_name, Lock::MysqlShared, Cost::Scan);
            }
            self.demand(Demand::Reference { table, parent: parent_name });
        } else if !self.table.indexes.iter().any(|index| leads_with(index, &key.columns)) {
            self.raise(BUILD);
        }
    }

    /// Columns on both ends have one type, and those of the parent lead an index.
    fn match_parent(&mut self, key: &ForeignKey, parent: &Table) {
        let referenced = match (&parent.primary_key, key.referenced_columns.as_slice()) {
            (Some(primary), []) => primary.columns.clone(),
            (_, columns) => columns.to_vec(),
        };
        let primary =
            parent.primary_key.as_ref().is_some_and(|primary| primary.columns.starts_with(&referenced));
        if !primary && !parent.indexes.iter().any(|index| leads_with(index, &referenced)) {
            self.refuse(format!("no key of `{}` has the referenced columns in front", parent.name));
        }
        for (name, other) in key.columns.iter().zip(&referenced) {
            let added = self.changes.iter().find_map(|change| match change {
                Change::AddColumn { column, .. } if column.name == *name => Some(column.as_ref()),
                _ => None,
            });
            let (Some(own), Some(other)) = (self.column(name).or(added), parent.column(other.as_str()))
            else {
                continue;
            };
            let (own, other) = (&own.data_type, &other.data_type);
            if own.kind != other.kind || own.unsigned != other.unsigned {
                self.refuse(format!("`{name}` and the column that it refers to differ in type"));
            }
        }
    }

    fn drop_constraint(&mut self, constraint: &DroppedConstraint, if_exists: bool) {
        let table = self.table;
        let name = match constraint {
            DroppedConstraint::PrimaryKey => {
                let primary = table.primary_key.as_ref();
                // A new key that begins with the same columns serves as well.
                let serves = |columns: &[Name]| {
                    self.changes.iter().any(|change| {
                        matches!(change, Change::AddPrimaryKey { key, .. } if key.columns.starts_with(columns))
                    })
                };
                let needed = self.reckoning.before.referencing(&self.name).any(|(_, key)| {
                    let all = primary.map_or(&[][..], |primary| primary.columns.as_slice());
                    let referenced = match key.referenced_columns.as_slice() {
                        [] => all,
                        columns => columns,
                    };
                    referenced == all && !serves(referenced)
                });
                if needed {
                    self.refuse(format!("a foreign key refers to the primary key of `{}`", self.name));
                }
                let replaced =
                    self.changes.iter().any(|change| matches!(change, Change::AddPrimaryKey { .. }));
                if let Some(column) = self.left_without_key(primary) {
                    self.refuse(format!("the numbering of `{column}` needs the key"));
                }
                return self.raise(if replaced { REBUILD } else { COPY });
            }
            DroppedConstraint::Named(name) => name,
        };
        let is_it = |other: &Option<Name>| other.as_ref() == Some(name);
        if table.foreign_keys.iter().any(|key| is_it(&key.name))
            || table.checks.iter().any(|check| is_it(&check.name))
        {
            return;
        }
        self.drop_index(name, if_exists);
    }

    /// The numbered column, when only the dropped primary key leads with it. A statement that says more is left to the server.
    fn left_without_key(&self, primary: Option<&Key>) -> Option<Name> {
        let numbered = &self.table.columns.iter().find(|column| column.auto_increment)?.name;
        let leads = |first: Option<&Name>| first.is_some_and(|first| first.eq_ignore_case(numbered.as_str()));
        let by_primary = primary.is_some_and(|key| leads(key.columns.first()));
        let by_other = self.table.indexes.iter().any(|index| {
            !matches!(index.backs, Some(ConstraintKind::PrimaryKey))
                && leads(index.parts.first().and_then(|part| part.as_column()))
        });
        (by_primary && !by_other && self.changes.len() == 1).then(|| numbered.clone())
    }

    fn create_index(&mut self, index: &Index, if_not_exists: bool) {
        let exists = !index.name.is_empty()
            && self.table.indexes.iter().any(|other| other.name.eq_ignore_case(index.name.as_str()));
        let replaced = self.changes.iter().any(|change| {
            matches!(change, Change::DropIndex { index: gone, .. } if gone.name.eq_ignore_case(index.name.as_str()))
        });
        if exists && !replaced {
            if !if_not_exists {
                self.reckoning
                    .refuse_existing(format!("`{}` has an index `{}` already", self.name, index.name));
            }
            return;
        }
        if index.unique {
            self.demand(Demand::Unique { table: self.name.clone() });
        }
        let fulltext = |change: &&Change| matches!(change, Change::CreateIndex { index, .. } if index.method == "fulltext");
        if index.method == "fulltext" {
            let numbered = self.column(&Name::new("FTS_DOC_ID")).is_some();
            // The first one adds a hidden column that numbers the rows.
            self.raise(
                match (self.has_fulltext() || numbered, self.changes.iter().filter(fulltext).count()) {
                    (_, 2..) => COPY,
                    (true, _) => BUILD_SHARED,
                    (false, _) => REBUILD_SHARED,
                },
            );
        } else if index.method == "spatial" || self.is_over_new_virtual(index) {
            self.raise(BUILD_SHARED);
        } else {
            self.raise(BUILD);
        }
    }

    fn is_over_new_virtual(&self, index: &Index) -> bool {
        self.changes.iter().any(|change| {
            matches!(change, Change::AddColumn { column, .. }
                if column.generated.is_some()
                    && index.parts.iter().any(|part| part.as_column() == Some(&column.name)))
        })
    }

    fn drop_index(&mut self, name: &Name, if_exists: bool) {
        let table = self.table;
        let Some(index) = table.indexes.iter().find(|index| index.name.eq_ignore_case(name.as_str())) else {
            let implied = table.foreign_keys.iter().any(|key| key.name.as_ref() == Some(name));
            if implied {
                self.refuse(format!("a foreign key of `{}` needs the index `{name}`", self.name));
            } else if !if_exists {
                self.refuse(format!("`{}` has no index `{name}`", self.name));
            }
            if !self.known {
                self.raise(DROP_INDEX);
            }
            return;
        };
        for key in &table.foreign_keys {
            let others = table.indexes.iter().filter(|other| other.name != index.name);
            if leads_with(index, &key.columns)
                && !others.into_iter().any(|other| leads_with(other, &key.columns))
                && !self.drops_constraint(key.name.as_ref())
            {
                self.refuse(format!("a foreign key of `{}` needs the index `{name}`", self.name));
            }
        }
        self.raise(DROP_INDEX);
    }

    fn option(&mut self, name: &str, value: &str) {
        match name {
            "engine" => {
                let now = self.table.storage_engine.as_ref().map_or("InnoDB", Name::as_str);
                self.raise(if now.eq_ignore_ascii_case(value) { REBUILD } else { COPY });
            }
            "row_format" | "key_block_size" | "page_compressed" | "page_compression_level" => {
                self.raise(REBUILD);
            }
            "encrypted" | "encryption" => {
                self.reckoning.assume("whether the server has keys to encrypt with is not known");
                self.raise(REBUILD);
            }
            "convert_to" => self.convert(value),
            "system_versioning" if value == "yes" => self.raise(COPY),
            "system_versioning" => {
                let name = self.name.clone();
                self.reckoning.effects.lose(&name, LossKind::Rows);
                self.raise(REBUILD_SHARED);
            }
            "auto_increment" | "charset" | "collation" | "comment" | "stats_persistent"
            | "stats_auto_recalc" | "stats_sample_pages" | "avg_row_length" | "max_rows" | "min_rows" => {}
            other => self.reckoning.assume(format!("what `{other}` takes was not measured")),
        }
    }

    /// `CONVERT TO CHARACTER SET`, which leaves a table as it is that has that collation everywhere.
    fn convert(&mut self, to: &str) {
        let engine = self.reckoning.engine;
        let to = column::collation(engine, Some(&Name::new(to)));
        let texts: Vec<&Column> = self.table.columns.iter().filter(|c| c.data_type.kind.is_text()).collect();
        let same =
            |column: &&Column| column::collation(engine, column::collation_of(self.table, column)) == to;
        if self.known && texts.iter().all(same) {
            return;
        }
        let refers =
            |keys: &[Name]| texts.iter().any(|column| !same(column) && names_column(keys, &column.name));
        let bound =
            self.reckoning.before.referencing(&self.name).any(|(_, key)| refers(&key.referenced_columns))
                || self.table.foreign_keys.iter().any(|key| refers(&key.columns));
        if bound {
            self.refuse(format!("a foreign key binds a text of `{}`", self.name));
        }
        self.raise(COPY);
    }
}

/// Whether the columns lead an index, in any order: the index can then find them.
fn leads_with(index: &Index, columns: &[Name]) -> bool {
    let parts: Vec<&Name> = index.parts.iter().map_while(|part| part.as_column()).collect();
    parts.len() >= columns.len() && columns.iter().all(|name| parts[..columns.len()].contains(&name))
}

fn names_column(columns: &[Name], name: &Name) -> bool {
    columns.iter().any(|column| column.eq_ignore_case(name.as_str()))
}

fn is_now(tree: &Expr) -> bool {
    matches!(tree, Expr::Call(call) if call.function().eq_ignore_ascii_case("current_timestamp"))
}

fn is_about_columns(change: &Change) -> bool {
    matches!(change, Change::AddColumn { .. } | Change::DropColumn { .. } | Change::ModifyColumn { .. })
}
