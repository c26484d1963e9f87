//! Columns.

use dbwright_model::catalog::{Column, Index, Table, TableKind, UserTypeKind};
use dbwright_model::change::Change;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;
use super::type_change::{self, TypeChange};
use super::volatility::{self, Judgement};

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn column_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            AddColumn { table, column, if_not_exists, .. } => self.add_column(table, column, *if_not_exists),
            DropColumn { table, column, if_exists, cascade, .. } => {
                self.drop_column(table, column, *if_exists, *cascade);
            }
            RenameColumn { table, column, .. } => self.rename_column(table, column),
            AlterColumnType { table, column, to, collation, using, .. } => {
                self.alter_type(table, column, to, collation.as_ref(), using.as_ref());
            }
            SetNotNull { table, column, not_null: true, .. } => self.set_not_null(table, column),
            SetNotNull { table, column, .. } => self.drop_not_null(table, column),
            SetDefault { table, .. } | DropExpression { table, .. } => {
                self.note_target(table, AX, Cost::Brief);
            }
            SetIdentity { table, column, identity, .. } => {
                self.set_identity(table, column, identity.is_some());
            }
            AlterIdentity { table, column, .. } => {
                self.note_target(table, AX, Cost::Brief);
                self.lock_sequence_of(table, column, SRX);
            }
            SetExpression { table, column, .. } => self.set_expression(table, column),
            SetStatisticsTarget { table, .. } => self.note_target(table, SUX, Cost::Brief),
            SetStorage { table, .. } => self.note_target(table, AX, Cost::Brief),
            // These two never reach what is below the table.
            SetCompression { table, .. } => self.note(table, AX, Cost::Brief),
            SetColumnOptions { table, .. } => self.note(table, SUX, Cost::Brief),
            _ => {}
        }
    }

    /// Columns of a partition, of an inheriting table and of a typed table are changed where they come from.
    fn comes_from_elsewhere(&mut self, table: &Table, column: &Name) -> bool {
        let inherited = self.is_inherited(table, column);
        if inherited {
            self.refuse(format!("`{}` inherits `{column}`", table.name));
        }
        let typed = table.of_type.is_some();
        if typed {
            self.refuse(format!("`{}` has its columns from a type", table.name));
        }
        inherited || typed
    }

    fn refuse_only(&mut self, table: &QualifiedName) {
        if self.only && !self.before.descendants(table).is_empty() {
            self.refuse(format!("what is below `{table}` must be changed too"));
        }
    }

    fn lock_sequence_of(&mut self, table: &QualifiedName, column: &Name, lock: Lock) {
        let table = self.before.table(table);
        let column = table.and_then(|table| table.column(column.as_str()));
        if let Some(sequence) = column.and_then(|column| column.sequence.as_ref()) {
            self.note(sequence, lock, Cost::Brief);
        }
    }

    fn add_column(&mut self, table: &QualifiedName, column: &Column, if_not_exists: bool) {
        let before = self.before;
        let name = before.full_name(table);
        if let Some(known) = before.table(&name) {
            // Of the actions of one statement the server does the drops first.
            let dropped = self.statement.iter().any(|change| {
                matches!(change, Change::DropColumn { table: of, column: gone, .. }
                    if before.full_name(of) == name && *gone == column.name)
            });
            if !dropped && known.column(column.name.as_str()).is_some() {
                if !if_not_exists {
                    self.refuse_existing(format!("`{name}` has a column `{}` already", column.name));
                }
                self.note_target(&name, AX, Cost::Brief);
                return;
            }
            if matches!(known.kind, TableKind::Partition { .. }) || known.of_type.is_some() {
                self.refuse(format!("the columns of `{name}` come from elsewhere"));
            }
            if column.identity.is_some() && self.major < 17 && self.is_partitioned(known) {
                self.refuse(format!(
                    "`{name}` is partitioned, and identity columns need PostgreSQL 17 there"
                ));
            }
            self.refuse_only(&name);
        }
        // A column without a default of its own gets that of its domain.
        let default = match (&column.default, &column.generated) {
            (None, None) => type_change::default_of_domain(before, &column.data_type),
            (own, _) => own.as_ref(),
        };
        let fills = default.is_some()
            || column.identity.is_some()
            || column.auto_increment
            || column.generated.is_some();
        let rewrite = column.auto_increment
            || column.identity.is_some()
            || column.generated.as_ref().is_some_and(|generated| generated.stored)
            || type_change::is_constrained_domain(before, &column.data_type)
            || self.has_volatile_default(&name, &column.name, default);
        if let Some(user_type) = column.data_type.user_type.as_ref()
            && before.user_type(user_type).is_none()
        {
            self.assume(format!("the type `{user_type}` is not known and taken for one without checks"));
        }
        let virtual_column = column.generated.as_ref().is_some_and(|generated| !generated.stored);
        let cost = if rewrite {
            Cost::Rewrite
        } else if column.not_null && (!fills || virtual_column) {
            Cost::Scan
        } else {
            Cost::Brief
        };
        if !fills && (column.not_null || self.is_filled_domain(&column.data_type)) {
            self.effects.demands.push(Demand::Empty { table: name.clone() });
        }
        if let Some(default) = default.and_then(|default| default.tree.as_deref()) {
            self.lock_sequences_drawn_from(default);
        }
        self.added.push((name.clone(), column.name.clone(), fills));
        self.note_target(&name, AX, cost);
    }

    /// Whether a type is a domain that lets no null in.
    fn is_filled_domain(&self, data_type: &DataType) -> bool {
        let user_type = data_type.user_type.as_ref().and_then(|name| self.before.user_type(name));
        !data_type.array
            && user_type.is_some_and(|user_type| {
                matches!(user_type.kind, UserTypeKind::Domain { not_null: true, default: None, .. })
            })
    }

    /// A default that is computed for the rows that are there draws its numbers.
    fn lock_sequences_drawn_from(&mut self, default: &Expr) {
        let mut sequences = Vec::new();
        default.walk(&mut |expr| {
            if let Expr::Call(call) = expr
                && call.function() == "nextval"
                && let Some(Expr::Literal(Literal::String(text))) = call.args.first().map(Expr::without_casts)
            {
                sequences.push(match text.split_once('.') {
                    Some((schema, name)) => QualifiedName::new(schema, name),
                    None => QualifiedName::bare(text),
                });
            }
        });
        for sequence in sequences {
            self.note(&sequence, Lock::RowExclusive, Cost::Brief);
        }
    }

    fn has_volatile_default(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        default: Option<&Expression>,
    ) -> bool {
        let Some(default) = default else { return false };
        let Some(tree) = default.tree.as_deref() else {
            self.assume(format!("the default of `{table}.{column}` could not be read"));
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

    fn drop_column(&mut self, table: &QualifiedName, column: &Name, if_exists: bool, cascade: bool) {
        let before = self.before;
        let name = before.full_name(table);
        // With `ONLY` too: what is below keeps the column and is told that it is its own now.
        self.note_tree(&name, AX, Cost::Brief);
        let Some(table) = before.table(&name) else { return };
        if self.is_column_absent(table, column, if_exists) || self.comes_from_elsewhere(table, column) {
            return;
        }
        if self.is_in_partition_key(table, column) {
            self.refuse(format!("`{name}` is partitioned by `{column}`"));
        }
        for key in table.foreign_keys.iter().filter(|key| key.columns.contains(column)) {
            self.note_tree(&key.references, AX, Cost::Brief);
        }
        for (child, key) in before.referencing(&name) {
            if referenced_columns(table, &key.referenced_columns).contains(column) && child.name != name {
                self.needed(cascade, &child.name, || format!("the foreign key of `{}` needs it", child.name));
            }
        }
        if let Some(sequence) = table.column(column.as_str()).and_then(|column| column.sequence.as_ref()) {
            self.note(sequence, AX, Cost::Brief);
        }
        self.drop_views_reading(&name, Some(column), cascade);
        if !cascade
            && self.major >= 15
            && let Some(generated) = generated_from(table, column)
        {
            self.refuse(format!("the generated column `{}` reads it", generated.name));
        }
        if !cascade && let Some(user) = self.policy_or_publication(table, column, true) {
            self.refuse(format!("{user} needs it"));
        }
        if !cascade && let Some((trigger, _)) = self.trigger_naming(table, column) {
            self.refuse(format!("the trigger `{trigger}` needs it"));
        }
    }

    /// What is dropped with something that is needed, or hinders that.
    pub(super) fn needed(&mut self, cascade: bool, by: &QualifiedName, because: impl FnOnce() -> String) {
        match cascade {
            true => self.note(by, AX, Cost::Brief),
            false => self.refuse(because()),
        }
    }

    /// The policy or publication that names a column; a publication's list of columns counts where asked for.
    fn policy_or_publication(&self, table: &Table, column: &Name, lists: bool) -> Option<String> {
        let catalog = self.before.catalog();
        let policies = catalog.policies.known().into_iter().flatten();
        let policy = policies.filter(|policy| policy.table == table.name).find(|policy| {
            policy.using.iter().chain(&policy.check).any(|expression| names(expression, column))
        });
        if let Some(policy) = policy {
            return Some(format!("the policy `{}`", policy.name));
        }
        let publications = catalog.publications.known().into_iter().flatten();
        let publication = publications.flat_map(|one| &one.tables).find(|published| {
            self.is_named(&published.table, &table.name)
                && (lists && published.columns.contains(column)
                    || published.filter.as_ref().is_some_and(|filter| names(filter, column)))
        });
        publication.map(|_| "a publication".to_owned())
    }

    /// The trigger that names a column in its definition, on the table or what is below it, and which of them it stands on.
    fn trigger_naming(&self, table: &Table, column: &Name) -> Option<(&'a Name, &'a QualifiedName)> {
        let triggers = self.before.catalog().triggers.known()?;
        let mut naming = triggers.iter().filter(|trigger| trigger.names(column));
        let heirs = self.heirs(&table.name);
        let trigger = naming.find(|trigger| {
            self.is_named(&trigger.table, &table.name)
                || heirs.iter().any(|heir| self.is_named(&trigger.table, &heir.name))
        })?;
        Some((&trigger.name, &trigger.table))
    }

    fn rename_column(&mut self, table: &QualifiedName, column: &Name) {
        let before = self.before;
        let name = before.full_name(table);
        self.note_target(&name, AX, Cost::Brief);
        let Some(known) = before.table(&name) else { return };
        if !self.is_column_absent(known, column, false) {
            if self.is_inherited(known, column) {
                self.refuse(format!("`{name}` inherits `{column}`"));
            }
            self.refuse_only(&name);
        }
    }

    fn set_identity(&mut self, table: &QualifiedName, column: &Name, on: bool) {
        self.note_target(table, AX, Cost::Brief);
        let Some(known) = self.before.table(table) else { return };
        if !on {
            self.lock_sequence_of(table, column, AX);
        } else if known.column(column.as_str()).is_some_and(|column| !column.not_null) {
            self.refuse(format!("`{column}` may hold nulls"));
        }
    }

    fn set_expression(&mut self, table: &QualifiedName, column: &Name) {
        let known = self.before.table(table);
        let generated = known
            .and_then(|table| table.column(column.as_str()))
            .and_then(|column| column.generated.as_ref());
        let stored = generated.is_none_or(|generated| generated.stored);
        if !stored && known.is_some_and(|table| !table.checks.is_empty()) {
            self.refuse(format!("`{table}` has checks, which a virtual column might be in"));
        }
        self.note_target(table, AX, if stored { Cost::Rewrite } else { Cost::Brief });
    }

    fn alter_type(
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
            self.note_target(&name, AX, cost);
            return;
        };
        if self.is_column_absent(known, column, false) || self.comes_from_elsewhere(known, column) {
            return;
        }
        let Some(old) = known.column(column.as_str()) else {
            self.note_target(&name, AX, Cost::Rewrite);
            return;
        };
        self.refuse_type_of_used(known, column);
        if using.is_none() && type_change::needs_using(&old.data_type, to) {
            self.refuse(format!("`{name}.{column}` is not converted without `USING`"));
        }
        if let Some(index) = type_change::unfit_class(known, column, to) {
            self.refuse(format!("the operator class in the index `{}` is not for {}", index.name, to.text));
        }
        let mut judged = type_change::judge(before, self.circumstances, old, to, using);
        if let TypeChange::Assumed(what) = judged {
            self.assume(what);
            judged = TypeChange::Rewrite;
        }
        let new_collation = to.kind.is_text() && old.collation.as_ref() != collation;
        let rewrite = judged == TypeChange::Rewrite;
        let keep = judged == TypeChange::Same { indexes_stay: true } && !new_collation;
        if rewrite {
            self.effects.demands.push(Demand::Convertible { table: name.clone(), column: column.clone() });
        }
        for table in std::iter::once(known).chain(self.heirs(&name)) {
            let cost = if rewrite { Cost::Rewrite } else { cost_of_new_name(table, old, keep) };
            self.note_rows(Some(table), &table.name, AX, cost);
        }
        self.lock_foreign_keys_of_column(known, column, rewrite);
        if old.identity.is_some() && rewrite {
            self.lock_sequence_of(&name, column, SRX);
        }
    }

    fn refuse_type_of_used(&mut self, table: &Table, column: &Name) {
        let name = &table.name;
        if let Some(view) = self.before.views_reading(name, Some(column)).first() {
            self.refuse(format!("the view `{}` reads `{name}.{column}`", view.name));
        }
        if let Some(generated) = generated_from(table, column) {
            self.refuse(format!("the generated column `{}` reads `{name}.{column}`", generated.name));
        }
        if let Some(user) = self.policy_or_publication(table, column, false) {
            self.refuse(format!("{user} reads `{name}.{column}`"));
        }
        if let Some((trigger, on)) = self.trigger_naming(table, column) {
            self.refuse(format!("the trigger `{trigger}` names `{on}.{column}`"));
        }
        if self.is_in_partition_key(table, column) {
            self.refuse(format!("`{name}` is partitioned by `{column}`"));
        }
    }

    /// Foreign keys over a column whose type changes are dropped and made anew.
    fn lock_foreign_keys_of_column(&mut self, table: &Table, column: &Name, checked: bool) {
        let before = self.before;
        let work = |validated: bool| if checked && validated { Cost::Scan } else { Cost::Brief };
        for key in table.foreign_keys.iter().filter(|key| key.columns.contains(column)) {
            self.note_tree(&key.references, AX, work(key.validated));
        }
        for (child, key) in before.referencing(&table.name) {
            if referenced_columns(table, &key.referenced_columns).contains(column) {
                self.note_tree(&child.name, AX, work(key.validated));
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

    fn drop_not_null(&mut self, table: &QualifiedName, column: &Name) {
        let name = self.before.full_name(table);
        self.note_target(&name, AX, Cost::Brief);
        let Some(known) = self.before.table(&name) else { return };
        if known.primary_key.as_ref().is_some_and(|key| key.columns.contains(column)) {
            self.refuse(format!("`{column}` is in the primary key of `{name}`"));
        }
        let promised = |parent: &&Table| parent.column(column.as_str()).is_some_and(|column| column.not_null);
        if let Some(parent) = self.parents(known).into_iter().find(promised)
            && (self.major >= 18 || matches!(known.kind, TableKind::Partition { .. }))
        {
            self.refuse(format!("`{}` promises it", parent.name));
        }
    }

    fn set_not_null(&mut self, table: &QualifiedName, column: &Name) {
        let name = self.before.full_name(table);
        let own = self.before.table(&name);
        let cost = match own {
            Some(table) if self.is_known_not_null(table, column) => Cost::Brief,
            _ => Cost::Scan,
        };
        if cost == Cost::Scan {
            self.effects.demands.push(Demand::NotNull { table: name.clone(), column: column.clone() });
        }
        if own.is_some_and(|table| self.only && self.is_partitioned(table)) {
            self.refuse_only(&name);
        }
        self.note_rows(own, &name, AX, cost);
        for heir in self.heirs(&name) {
            let known = self.is_known_not_null(heir, column);
            self.note_rows(Some(heir), &heir.name, AX, if known { Cost::Brief } else { Cost::Scan });
        }
    }

    /// Whether the server knows that a column holds no null without looking: it is declared, or a valid check says so
    /// that the statement does not drop.
    pub(super) fn is_known_not_null(&self, table: &Table, column: &Name) -> bool {
        let declared = table.column(column.as_str()).is_some_and(|column| {
            column.not_null && column.not_null_constraint.as_ref().is_none_or(|not_null| not_null.validated)
        });
        declared
            || table.checks.iter().any(|check| {
                let dropped =
                    check.name.as_ref().is_some_and(|name| self.drops_constraint(&table.name, name));
                let tree = check.expression.tree.as_deref();
                !dropped
                    && check.validated
                    && check.enforced
                    && tree.is_some_and(|tree| {
                        tree.conjuncts().into_iter().any(|term| says_not_null(term, column))
                    })
            })
    }
}

/// What remains to be done when every stored value can stay.
fn cost_of_new_name(table: &Table, column: &Column, keep: bool) -> Cost {
    // An index that is part of a partitioned one is always built anew.
    let rebuilt =
        |index: &Index| type_change::index_is_rebuilt(index, column, keep && index.partition_of.is_none());
    let checked =
        |check: &dbwright_model::catalog::Check| check.validated && names(&check.expression, &column.name);
    if table.indexes.iter().any(rebuilt) {
        Cost::IndexBuild
    } else if table.checks.iter().any(checked) {
        Cost::Scan
    } else {
        Cost::Brief
    }
}

/// The columns that a foreign key refers to: those of the primary key when it names none.
pub(super) fn referenced_columns<'t>(parent: &'t Table, named: &'t [Name]) -> &'t [Name] {
    match named {
        [] => parent.primary_key.as_ref().map_or(&[], |key| key.columns.as_slice()),
        columns => columns,
    }
}

fn generated_from<'t>(table: &'t Table, column: &Name) -> Option<&'t Column> {
    table
        .columns
        .iter()
        .find(|other| other.generated.as_ref().is_some_and(|generated| names(&generated.expression, column)))
}

fn says_not_null(term: &Expr, column: &Name) -> bool {
    matches!(term, Expr::IsNull { operand, negated: true }
        if matches!(operand.as_ref(), Expr::Column { name, .. } if name == column))
}

/// Whether an expression reads a column.
pub(super) fn names(expression: &Expression, column: &Name) -> bool {
    expression.tree.as_deref().is_some_and(|tree| tree.columns().contains(&column))
}

/// Whether a table is a partition of another one.
pub(super) fn parent_of(table: &Table) -> Option<&QualifiedName> {
    match &table.kind {
        TableKind::Partition { of, .. } => Some(of),
        _ => None,
    }
}
