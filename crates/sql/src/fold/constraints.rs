//! Constraints that are dropped, renamed, validated and altered, with what heirs have of them.

use dbwright_model::catalog::{Column, ConstraintKind, Index, Key, Table};
use dbwright_model::change::{ConstraintChanges, DroppedConstraint};
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

use super::Folder;

impl Folder {
    /// Notes the constraint that MySQL makes of a unique index.
    pub(super) fn note_unique(&mut self, table: &QualifiedName, index: &Index) {
        let (Dialect::Mysql, Some(ConstraintKind::Unique)) = (self.engine.dialect(), index.backs) else {
            return;
        };
        let columns = index.parts.iter().filter_map(|part| part.as_column().cloned()).collect();
        let key = Key { name: Some(index.name.clone()), columns, ..Key::default() };
        self.with_table(table, |target, _| {
            if !index.name.is_empty() && !target.uniques.iter().any(|other| other.name == key.name) {
                target.uniques.push(key);
            }
        });
    }

    pub(super) fn drop_constraint(
        &mut self,
        table: &QualifiedName,
        constraint: &DroppedConstraint,
        cascade: bool,
        only: bool,
    ) {
        let full = self.table_name(table);
        if !only {
            self.drop_inherited_constraint(&full, constraint);
        }
        let mut dropped_columns: Option<Vec<Name>> = None;
        self.with_table(table, |target, _| {
            if let DroppedConstraint::Named(name) = constraint
                && let Some(column) = not_null_of(target, name)
            {
                column.not_null = false;
                column.not_null_constraint = None;
                return;
            }
            let is_primary = match constraint {
                DroppedConstraint::PrimaryKey => true,
                DroppedConstraint::Named(name) => {
                    target.primary_key.as_ref().is_some_and(|key| key.name.as_ref() == Some(name))
                }
            };
            if is_primary {
                dropped_columns = target.primary_key.take().map(|key| key.columns);
                target.indexes.retain(|index| index.backs != Some(ConstraintKind::PrimaryKey));
                return;
            }
            let DroppedConstraint::Named(name) = constraint else { return };
            if let Some(i) = target.uniques.iter().position(|key| key.name.as_ref() == Some(name)) {
                dropped_columns = Some(target.uniques.remove(i).columns);
                target.indexes.retain(|index| index.name != *name || index.backs.is_none());
            }
            target.checks.retain(|check| check.name.as_ref() != Some(name));
            target.foreign_keys.retain(|foreign_key| foreign_key.name.as_ref() != Some(name));
            if target.exclusions.iter().any(|exclusion| exclusion.name == *name) {
                target.exclusions.retain(|exclusion| exclusion.name != *name);
                target.indexes.retain(|index| index.name != *name);
            }
        });
        if let Some(columns) = dropped_columns
            && cascade
        {
            for other in &mut self.catalog.tables {
                other.foreign_keys.retain(|foreign_key| {
                    foreign_key.references != full || foreign_key.referenced_columns != columns
                });
            }
        }
    }

    /// What heirs have of a constraint goes with it.
    fn drop_inherited_constraint(&mut self, full: &QualifiedName, constraint: &DroppedConstraint) {
        let Some(table) = self.table_mut(full).map(|table| table.clone()) else { return };
        let name = match constraint {
            DroppedConstraint::PrimaryKey => table.primary_key.as_ref().and_then(|key| key.name.clone()),
            DroppedConstraint::Named(name) => Some(name.clone()),
        };
        let Some(name) = name else { return };
        let is_check = table.checks.iter().any(|check| check.name.as_ref() == Some(&name));
        let is_index = table.indexes.iter().any(|index| index.name == name && index.backs.is_some());
        let foreign_key = table.foreign_keys.iter().find(|key| key.name.as_ref() == Some(&name));
        for heir in self.heirs_of(full) {
            let Some(below) = self.table_mut(&heir) else { continue };
            let own = if is_check {
                Some(name.clone())
            } else if is_index {
                let part = below.indexes.iter().find(|index| index.partition_of.as_ref() == Some(&name));
                part.map(|index| index.name.clone())
            } else if let Some(parent) = foreign_key.filter(|_| below.is_partition()) {
                let same = |key: &&dbwright_model::catalog::ForeignKey| {
                    (&key.columns, &key.references) == (&parent.columns, &parent.references)
                };
                below.foreign_keys.iter().find(same).and_then(|key| key.name.clone())
            } else {
                None
            };
            if let Some(own) = own {
                self.drop_constraint(&heir, &DroppedConstraint::Named(own), false, false);
            }
        }
    }

    pub(super) fn validate_constraint(&mut self, table: &QualifiedName, constraint: &Name) {
        let full = self.table_name(table);
        let mut column_name = None;
        self.with_table(table, |target, _| {
            if let Some(column) = not_null_of(target, constraint) {
                validate_not_null(column);
                column_name = Some(column.name.clone());
            }
        });
        let Some(column_name) = column_name else { return self.validate(table, constraint) };
        for heir in self.all_heirs_of(&full) {
            self.with_column(&heir, &column_name, validate_not_null);
        }
    }

    pub(super) fn alter_constraint(
        &mut self,
        table: &QualifiedName,
        constraint: &Name,
        changes: ConstraintChanges,
    ) {
        self.with_table(table, |target, _| {
            for key in &mut target.foreign_keys {
                if key.name.as_ref() != Some(constraint) {
                    continue;
                }
                if let Some(deferrable) = changes.deferrable {
                    key.deferrable = deferrable;
                    key.initially_deferred &= deferrable;
                }
                if let Some(deferred) = changes.initially_deferred {
                    key.initially_deferred = deferred;
                    key.deferrable |= deferred;
                }
                if let Some(enforced) = changes.enforced {
                    // To be enforced again, the rows are checked.
                    key.enforced = enforced;
                    key.validated = enforced;
                }
            }
            if let Some(inherit) = changes.inherit
                && let Some(column) = not_null_of(target, constraint)
                && let Some(not_null) = &mut column.not_null_constraint
            {
                not_null.no_inherit = !inherit;
            }
        });
    }

    pub(super) fn rename_constraint(&mut self, table: &QualifiedName, constraint: &Name, to: &Name) {
        self.with_table(table, |target, _| {
            let rename = |name: &mut Option<Name>| {
                if name.as_ref() == Some(constraint) {
                    *name = Some(to.clone());
                }
            };
            target.primary_key.iter_mut().for_each(|key| rename(&mut key.name));
            target.uniques.iter_mut().for_each(|key| rename(&mut key.name));
            target.checks.iter_mut().for_each(|check| rename(&mut check.name));
            target.foreign_keys.iter_mut().for_each(|foreign_key| rename(&mut foreign_key.name));
            for index in &mut target.indexes {
                if index.backs.is_some() && index.name == *constraint {
                    index.name = to.clone();
                }
            }
        });
    }
}

/// The column whose `NOT NULL` has a name, said or made up by the server.
fn not_null_of<'a>(table: &'a mut Table, name: &Name) -> Option<&'a mut Column> {
    let own = table.name.name.clone();
    table.columns.iter_mut().filter(|column| column.not_null).find(|column| {
        match column.not_null_constraint.as_ref().and_then(|constraint| constraint.name.as_ref()) {
            Some(said) => said == name,
            None => *name == *format!("{own}_{}_not_null", column.name),
        }
    })
}

/// Notes that every row obeys the `NOT NULL` of a column.
fn validate_not_null(column: &mut Column) {
    if let Some(constraint) = &mut column.not_null_constraint {
        constraint.validated = true;
        if constraint.name.is_none() && !constraint.no_inherit {
            column.not_null_constraint = None;
        }
    }
}
