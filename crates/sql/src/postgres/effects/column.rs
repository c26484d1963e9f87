//! Columns and constraints.

use dbwright_model::catalog::{Check, Column, ConstraintKind, ForeignKey, Index, Key, Table, TableKind};
use dbwright_model::change::DroppedConstraint;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::type_change::{self, TypeChange};
use super::volatility::{self, Judgement};

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;

impl Reckoning<'_> {
    pub(super) fn add_column(&mut self, table: &QualifiedName, column: &Column, if_not_exists: bool) {
        let before = self.before;
        let name = before.full_name(table);
        if before.table(&name).is_some_and(|table| table.column(column.name.as_str()).is_some()) {
            if !if_not_exists {
                self.refuse(format!("`{name}` has a column `{}` already", column.name));
            }
            self.note_tree(&name, AX, Cost::Brief);
            return;
        }
        let fills = column.default.is_some()
            || column.identity.is_some()
            || column.auto_increment
            || column.generated.is_some();
        let rewrite = column.auto_increment
            || column.identity.is_some()
            || column.generated.as_ref().is_some_and(|generated| generated.stored)
            || type_change::is_constrained_domain(before, &column.data_type)
            || self.has_volatile_default(&name, column);
        let virtual_column = column.generated.as_ref().is_some_and(|generated| !generated.stored);
        let cost = if rewrite {
            Cost::Rewrite
        } else if column.not_null && (!fills || virtual_column) {
            Cost::Scan
        } else {
            Cost::Brief
        };
        if column.not_null && !fills {
            self.effects.demands.push(Demand::Empty { table: name.clone() });
        }
        self.added.push((name.clone(), column.name.clone(), fills));
        self.note_tree(&name, AX, cost);
    }

    fn has_volatile_default(&mut self, table: &QualifiedName, column: &Column) -> bool {
        let Some(default) = &column.default else { return false };
        let Some(tree) = default.tree.as_deref() else {
            self.assume(format!("the default of `{table}.{}` could not be read", column.name));
            return true;
        };
        match volatility::judge(self.before, tree) {
            Judgement::Steady => false,
            Judgement::Volatile => true,
            Judgement::Unknown(function) => {
                self.assume(format!("the function `{function}` is not known and taken for volatile"));
                true
            }
        }
    }

    pub(super) fn drop_column(&mut self, table: &QualifiedName, column: &Name, cascade: bool) {
        let before = self.before;
        let name = before.full_name(table);
        self.note_tree(&name, AX, Cost::Brief);
        let Some(table) = before.table(&name) else { return };
        for key in table.foreign_keys.iter().filter(|key| key.columns.contains(column)) {
            self.note_tree(&key.references, AX, Cost::Brief);
        }
        for (child, key) in before.referencing(&name) {
            let parent_key = match key.referenced_columns.as_slice() {
                [] => table.primary_key.as_ref().map_or(&[][..], |key| key.columns.as_slice()),
                columns => columns,
            };
            if parent_key.contains(column) && child.name != name {
                if cascade {
                    self.note(&child.name, AX, Cost::Brief);
                } else {
                    self.refuse(format!("the foreign key of `{}` needs it", child.name));
                }
            }
        }
        if let Some(sequence) = table.column(column.as_str()).and_then(|column| column.sequence.as_ref()) {
            self.note(sequence, AX, Cost::Brief);
        }
        for view in before.views_reading(&name, Some(column)) {
            if cascade {
                self.note(&view.name, AX, Cost::Brief);
            } else {
                self.refuse(format!("the view `{}` reads it", view.name));
            }
        }
    }

    pub(super) fn alter_type(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        to: &DataType,
        collation: Option<&Name>,
        using: Option<&Expression>,
    ) {
        let before = self.before;
        let name = before.full_name(table);
        let Some(known) = before.table(&name) else {
            let cost = self.cost_of_unknown_type(&name, column, to, using);
            self.note_tree(&name, AX, cost);
            return;
        };
        let Some(old) = known.column(column.as_str()) else {
            self.note_tree(&name, AX, Cost::Rewrite);
            return;
        };
        if let Some(view) = before.views_reading(&name, Some(column)).first() {
            self.refuse(format!("the view `{}` reads `{name}.{column}`", view.name));
        }
        let generated = known.columns.iter().find(|other| {
            other.generated.as_ref().is_some_and(|generated| names(&generated.expression, column))
        });
        if let Some(generated) = generated {
            self.refuse(format!("the generated column `{}` reads `{name}.{column}`", generated.name));
        }
        let mut judged = type_change::judge(before, self.circumstances, old, to, using);
        if let TypeChange::Assumed(what) = judged {
            self.assume(what);
            judged = TypeChange::Rewrite;
        }
        let new_collation = to.kind.is_text() && old.collation.as_ref() != collation;
        let cost = match judged {
            TypeChange::Rewrite | TypeChange::Assumed(_) => Cost::Rewrite,
            TypeChange::Same { indexes_stay } => {
                let keep = indexes_stay && !new_collation;
                let rebuilt = |index: &Index| type_change::index_is_rebuilt(index, old, keep);
                if known.indexes.iter().any(rebuilt) {
                    Cost::IndexBuild
                } else if known.checks.iter().any(|check| check.validated && names(&check.expression, column))
                {
                    Cost::Scan
                } else {
                    Cost::Brief
                }
            }
        };
        if cost == Cost::Rewrite {
            self.effects.demands.push(Demand::Convertible { table: name.clone(), column: column.clone() });
        }
        self.note_tree(&name, AX, cost);
        self.lock_foreign_keys_of_column(known, column, cost == Cost::Rewrite);
        if let Some(sequence) =
            old.sequence.as_ref().filter(|_| old.identity.is_some() && cost == Cost::Rewrite)
        {
            self.note(sequence, SRX, Cost::Brief);
        }
    }

    /// Foreign keys over a column whose type changes are dropped and made anew.
    fn lock_foreign_keys_of_column(&mut self, table: &Table, column: &Name, checked: bool) {
        let before = self.before;
        let work = if checked { Cost::Scan } else { Cost::Brief };
        for key in table.foreign_keys.iter().filter(|key| key.columns.contains(column)) {
            self.note_tree(&key.references, AX, work);
        }
        for (child, key) in before.referencing(&table.name) {
            let own_key = table.primary_key.as_ref().map_or(&[][..], |key| key.columns.as_slice());
            let referenced =
                if key.referenced_columns.is_empty() { own_key } else { &key.referenced_columns };
            if referenced.contains(column) {
                self.note_tree(&child.name, AX, work);
            }
        }
    }

    /// Without the old type: text types mostly grow, everything else is mostly converted.
    fn cost_of_unknown_type(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        to: &DataType,
        using: Option<&Expression>,
    ) -> Cost {
        self.assume(format!("the old type of `{table}.{column}` is not known"));
        let grows = matches!(to.kind, TypeKind::Text | TypeKind::Varchar) && !to.array && using.is_none();
        if grows { Cost::Brief } else { Cost::Rewrite }
    }

    pub(super) fn set_not_null(&mut self, table: &QualifiedName, column: &Name, not_null: bool) {
        let before = self.before;
        let name = before.full_name(table);
        if !not_null {
            let in_key = before.table(&name).and_then(|table| table.primary_key.as_ref());
            if in_key.is_some_and(|key| key.columns.contains(column)) {
                self.refuse(format!("`{column}` is in the primary key of `{name}`"));
            }
            self.note_tree(&name, AX, Cost::Brief);
            return;
        }
        let proven = |table: &Table| is_known_not_null(table, column);
        let own = before.table(&name);
        let cost = |table: Option<&Table>| if table.is_some_and(proven) { Cost::Brief } else { Cost::Scan };
        if cost(own) == Cost::Scan {
            self.effects.demands.push(Demand::NotNull { table: name.clone(), column: column.clone() });
        }
        self.note_rows(own, &name, AX, cost(own));
        for heir in before.descendants(&name) {
            self.note_rows(Some(heir), &heir.name, AX, cost(Some(heir)));
        }
    }

    pub(super) fn add_key(&mut self, table: &QualifiedName, key: &Key, using: Option<&Name>, primary: bool) {
        let before = self.before;
        let name = before.full_name(table);
        let known = before.table(&name);
        let mut columns = key.columns.clone();
        if let Some(using) = using {
            if let Some(index) =
                known.and_then(|table| table.indexes.iter().find(|index| index.name == *using))
            {
                columns = index.columns().unwrap_or_default().into_iter().cloned().collect();
            }
        } else {
            self.effects.demands.push(Demand::Unique { table: name.clone() });
        }
        let nullable = primary
            && columns.iter().any(|column| !known.is_some_and(|table| is_known_not_null(table, column)));
        if using.is_some() {
            let cost = if nullable && known.is_some() { Cost::Scan } else { Cost::Brief };
            self.note_tree(&name, AX, cost);
            return;
        }
        self.note_rows(known, &name, AX, Cost::IndexBuild);
        let below = if primary || self.major >= 18 { AX } else { Lock::Share };
        for heir in before.descendants(&name) {
            if heir.is_partition() {
                self.note_rows(Some(heir), &heir.name, below, Cost::IndexBuild);
            } else if primary {
                // An inheriting table gets no key, only the promise that the columns are not null.
                let lock = if nullable || self.major >= 18 { AX } else { continue };
                self.note_rows(Some(heir), &heir.name, lock, if nullable { Cost::Scan } else { Cost::Brief });
            }
        }
    }

    pub(super) fn add_check(&mut self, table: &QualifiedName, check: &Check) {
        let name = self.before.full_name(table);
        let cost = if check.validated && check.enforced { Cost::Scan } else { Cost::Brief };
        if cost == Cost::Scan {
            self.effects.demands.push(Demand::Check { table: name.clone() });
        }
        self.note_tree(&name, AX, cost);
    }

    pub(super) fn add_foreign_key(&mut self, table: &QualifiedName, key: &ForeignKey) {
        let before = self.before;
        let name = before.full_name(table);
        let parent = before.full_name(&key.references);
        let added =
            |column: &Name| self.added.iter().find(|(owner, added, _)| *owner == name && added == column);
        // A new column without a value refers to nothing, so nothing is checked.
        let only_new_and_empty =
            key.columns.iter().all(|column| added(column).is_some_and(|(_, _, fills)| !fills));
        let checked = key.validated && key.enforced && !only_new_and_empty;
        let cost = if checked { Cost::Scan } else { Cost::Brief };
        if checked {
            self.effects.demands.push(Demand::Reference { table: name.clone(), parent: parent.clone() });
        }
        if !key.validated
            && key.enforced
            && self.major < 18
            && before.table(&name).is_some_and(|table| self.is_partitioned(table))
        {
            self.refuse(format!(
                "`{name}` is partitioned, and NOT VALID foreign keys need PostgreSQL 18 there"
            ));
        }
        self.note_tree(&name, SRX, cost);
        self.note_tree(&parent, SRX, cost);
    }

    pub(super) fn drop_constraint(
        &mut self,
        table: &QualifiedName,
        constraint: &DroppedConstraint,
        cascade: bool,
    ) {
        let before = self.before;
        let name = before.full_name(table);
        let Some(known) = before.table(&name) else {
            self.note(&name, AX, Cost::Brief);
            return;
        };
        let DroppedConstraint::Named(constraint) = constraint else {
            self.note_tree(&name, AX, Cost::Brief);
            return;
        };
        self.note_tree(&name, AX, Cost::Brief);
        if let Some(key) = known.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)) {
            self.note_tree(&key.references, AX, Cost::Brief);
        }
        let key =
            known.primary_key.iter().chain(&known.uniques).find(|key| key.name.as_ref() == Some(constraint));
        let Some(key) = key else { return };
        for (child, foreign_key) in before.referencing(&name) {
            let is_primary = known.primary_key.as_ref() == Some(key);
            let uses = foreign_key.referenced_columns == key.columns
                || (foreign_key.referenced_columns.is_empty() && is_primary);
            if uses {
                if cascade {
                    self.note(&child.name, AX, Cost::Brief);
                } else {
                    self.refuse(format!("the foreign key of `{}` needs it", child.name));
                }
            }
        }
    }

    pub(super) fn validate(&mut self, table: &QualifiedName, constraint: &Name) {
        const SUX: Lock = Lock::ShareUpdateExclusive;
        let before = self.before;
        let name = before.full_name(table);
        let Some(known) = before.table(&name) else {
            self.note(&name, SUX, Cost::Scan);
            return;
        };
        if let Some(key) = known.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint)) {
            let cost = if key.validated { Cost::Brief } else { Cost::Scan };
            if cost == Cost::Scan {
                self.note_tree(&key.references, Lock::RowShare, Cost::Scan);
                let parent = before.full_name(&key.references);
                self.effects.demands.push(Demand::Reference { table: name.clone(), parent });
            }
            self.note(&name, SUX, cost);
            return;
        }
        let check = known.checks.iter().find(|check| check.name.as_ref() == Some(constraint));
        let cost = if check.is_some_and(|check| check.validated) { Cost::Brief } else { Cost::Scan };
        if cost == Cost::Scan {
            self.effects.demands.push(Demand::Check { table: name.clone() });
        }
        self.note_tree(&name, SUX, cost);
    }
}

/// Whether the server knows that a column holds no null without looking: it is declared, or a valid check says so.
fn is_known_not_null(table: &Table, column: &Name) -> bool {
    table.column(column.as_str()).is_some_and(|column| column.not_null)
        || table.checks.iter().any(|check| {
            check.validated
                && check.enforced
                && check
                    .expression
                    .tree
                    .as_deref()
                    .is_some_and(|tree| tree.conjuncts().into_iter().any(|term| says_not_null(term, column)))
        })
}

fn says_not_null(term: &Expr, column: &Name) -> bool {
    matches!(term, Expr::IsNull { operand, negated: true }
        if matches!(operand.as_ref(), Expr::Column { name, .. } if name == column))
}

fn names(expression: &Expression, column: &Name) -> bool {
    expression.tree.as_deref().is_some_and(|tree| tree.columns().contains(&column))
}

/// Whether a table's index stands behind a constraint that others may refer to.
pub(super) fn is_key(index: &Index) -> bool {
    matches!(index.backs, Some(ConstraintKind::PrimaryKey | ConstraintKind::Unique))
}

/// Whether a table is a partition of another one.
pub(super) fn parent_of(table: &Table) -> Option<&QualifiedName> {
    match &table.kind {
        TableKind::Partition { of, .. } => Some(of),
        _ => None,
    }
}
