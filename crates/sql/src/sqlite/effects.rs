//! What SQLite does for each change: work under the one write lock, refusals, and what is lost without a word. Measured
//! on 3.54.

mod dependents;
mod script;

use dbwright_model::catalog::{Column, Index, Persistence, ReferentialAction, Table};
use dbwright_model::change::{Change, DataKind, DroppedConstraint};
use dbwright_model::effect::{Cost, Demand, Effects, Lock, LossKind, Refusal, TransactionUse};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};

use crate::constant;
use crate::fold::Folder;

pub(crate) use script::of_script;

/// Gathers the effects of one statement.
struct Reckoning<'a> {
    before: &'a Folder,
    effects: Effects,
}

pub(crate) fn of_statement(before: &Folder, statement: &[Change]) -> Effects {
    let mut reckoning = Reckoning { before, effects: Effects::default() };
    let added = statement.iter().find_map(|change| match change {
        Change::AddColumn { table, column, .. } => Some((table, column)),
        _ => None,
    });
    match added {
        Some((table, column)) => reckoning.add_column(table, column, statement),
        None => statement.iter().for_each(|change| reckoning.change(change)),
    }
    reckoning.effects
}

/// Whether foreign keys are enforced. A connection begins without, unless its program or library says otherwise; the
/// losses are those of one that has them.
fn enforces_foreign_keys(before: &Folder) -> bool {
    !matches!(before.setting("foreign_keys"), Some("off" | "0" | "no" | "false"))
}

fn is_legacy(before: &Folder) -> bool {
    matches!(before.setting("legacy_alter_table"), Some("on" | "1" | "yes" | "true"))
}

fn same(a: &QualifiedName, b: &QualifiedName) -> bool {
    a.name.eq_ignore_case(b.name.as_str())
}

fn names(columns: &[Name], name: &Name) -> bool {
    columns.iter().any(|column| column.eq_ignore_case(name.as_str()))
}

/// Whether an expression reads a column.
fn reads(expression: &Expression, column: &Name) -> bool {
    let columns = expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
    columns.iter().any(|other| other.eq_ignore_case(column.as_str()))
}

/// Whether `ADD COLUMN` may give a default to rows that are there: a constant.
fn is_constant(tree: &Expr) -> bool {
    match tree {
        Expr::Literal(_) => true,
        Expr::Unary { op, operand } => op != "NOT" && is_constant(operand),
        _ => false,
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

    fn assume(&mut self, what: &str) {
        if !self.effects.assumed.iter().any(|assumed| assumed == what) {
            self.effects.assumed.push(what.to_owned());
        }
    }

    fn note(&mut self, name: &QualifiedName, cost: Cost) {
        let name = self.before.full_name(name);
        self.effects.add(&name, Lock::SqliteWrite, cost);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::DropColumn { table, column, .. } => self.drop_column(table, column),
            Change::RenameColumn { table, column, .. } => self.rename_column(table, column),
            Change::RenameTable { table, to, .. } => self.rename_table(table, to),
            Change::SetNotNull { table, column, not_null, .. } => {
                // The rows without a value are looked for in an index where one leads with the column.
                let indexed = self.before.table(table).is_some_and(|table| {
                    table.indexes.iter().any(|index| {
                        index.parts.first().and_then(|part| part.as_column()) == Some(column)
                            && index.predicate.is_none()
                    })
                });
                self.note(table, if *not_null && !indexed { Cost::Scan } else { Cost::Brief });
                if *not_null {
                    let table = self.before.full_name(table);
                    self.effects.demands.push(Demand::NotNull { table, column: column.clone() });
                }
            }
            Change::AddCheck { table, .. } => {
                self.note(table, Cost::Scan);
                let table = self.before.full_name(table);
                self.effects.demands.push(Demand::Check { table });
            }
            Change::DropConstraint { table, constraint, .. } => self.drop_constraint(table, constraint),
            Change::CreateIndex { table, index, if_not_exists, .. } => {
                self.create_index(table, index, *if_not_exists);
            }
            Change::DropIndex { index, if_exists, .. } => self.drop_index(index, *if_exists),
            Change::Reindex { index, .. } => {
                let owner = self.before.index(None, index).map(|(table, _)| table.clone());
                self.note(&owner.unwrap_or_else(|| index.clone()), Cost::IndexBuild);
            }
            Change::ReindexAll { .. } => self.note_all(Cost::IndexBuild),
            Change::Vacuum { .. } => {
                self.effects.transaction = TransactionUse::Outside;
                self.note_all(Cost::Rewrite);
            }
            Change::DropTable { name, if_exists, .. } => self.drop_table(name, *if_exists),
            Change::CreateTable { table, if_not_exists: false } => {
                self.make_table(&table.name, table.persistence);
            }
            Change::CreateTableAs { name, persistence, if_not_exists: false, .. } => {
                self.make_table(name, *persistence);
            }
            Change::CreateTrigger { trigger, .. } => self.note(&trigger.table, Cost::Brief),
            Change::DropTrigger { name, .. } => {
                let triggers = self.before.catalog().triggers.known();
                let found = triggers.into_iter().flatten().find(|trigger| trigger.name == *name);
                if let Some(trigger) = found {
                    self.note(&trigger.table, Cost::Brief);
                    self.effects.lose(&trigger.table, LossKind::Triggers);
                }
            }
            Change::Data { kind, table: Some(table), filtered, .. } => self.data(*kind, table, *filtered),
            Change::Opaque { because, .. } => self.assume(because),
            _ => {}
        }
    }

    fn note_all(&mut self, cost: Cost) {
        let before = self.before;
        for table in &before.catalog().tables {
            self.note(&table.name, cost);
        }
    }

    fn add_column(&mut self, name: &QualifiedName, column: &Column, statement: &[Change]) {
        let full = self.before.full_name(name);
        if self.before.view(name).is_some() {
            return self.refuse(format!("`{full}` is a view"));
        }
        if let Some(table) = self.before.table(name) {
            if table.columns.iter().any(|other| other.name.eq_ignore_case(column.name.as_str())) {
                self.refuse_existing(format!("`{full}` has a column `{}` already", column.name));
            }
            if table.strict && column.data_type.text.is_empty() {
                self.refuse(format!("`{full}` is strict, and `{}` has no type", column.name));
            }
        }
        let default = column.default.as_ref().and_then(|default| default.tree.as_deref());
        let is_null =
            matches!((&column.default, default), (None, _) | (_, Some(Expr::Literal(Literal::Null))));
        let stored = column.generated.as_ref().is_some_and(|generated| generated.stored);
        let lacks_value = column.not_null && is_null && column.generated.is_none();
        let computed = column.default.is_some() && !is_null && !default.is_some_and(is_constant);
        let mut cost = Cost::Brief;
        if column.generated.is_some() && column.not_null && !stored {
            self.effects.demands.push(Demand::NotNull { table: full.clone(), column: column.name.clone() });
            cost = Cost::Scan;
        }
        let mut refers = false;
        for change in statement {
            match change {
                Change::AddUnique { .. } => self.refuse("a new column cannot be UNIQUE"),
                Change::AddPrimaryKey { .. } => self.refuse("a new column cannot be the primary key"),
                Change::AddCheck { check, .. } => {
                    let broken =
                        constant::demand_of_default(Dialect::Sqlite, &full, column, &check.expression);
                    self.effects.demands.push(broken.unwrap_or(Demand::Check { table: full.clone() }));
                    cost = Cost::Scan;
                }
                Change::AddForeignKey { .. } => refers = !is_null && enforces_foreign_keys(self.before),
                _ => {}
            }
        }
        if stored || lacks_value || computed || refers {
            self.effects.demands.push(Demand::Empty { table: full });
        }
        self.note(name, cost);
    }

    fn drop_column(&mut self, name: &QualifiedName, column: &Name) {
        let before = self.before;
        let full = before.full_name(name);
        let Some(table) = before.table(name) else { return self.note(name, Cost::Rewrite) };
        let Some(found) = table.columns.iter().find(|other| other.name.eq_ignore_case(column.as_str()))
        else {
            return self.refuse(format!("`{full}` has no column `{column}`"));
        };
        if let Some(because) = needs(table, column) {
            self.refuse(format!("{because} `{full}` needs the column `{column}`"));
        }
        for view in before.views_reading(&full, Some(column)) {
            if dependents::says(&view.definition, column) {
                self.refuse(format!("the view `{}` reads `{column}`", view.name));
            }
        }
        for trigger in before.catalog().triggers.known().into_iter().flatten() {
            if same(&trigger.table, &full) && dependents::reads_row(&trigger.body, column) {
                self.refuse(format!("the trigger `{}` reads `{column}`", trigger.name));
            } else if dependents::writes(&trigger.body, &full.name, Some(column)) {
                self.effects.lose(&trigger.table, LossKind::Unwritable);
            }
        }
        let virtual_column = found.generated.as_ref().is_some_and(|generated| !generated.stored);
        self.note(name, if virtual_column { Cost::Brief } else { Cost::Rewrite });
    }

    /// Views and triggers that cannot be read stand in the way of every `RENAME`.
    fn refuse_beside_broken(&mut self) {
        if let Some(broken) = dependents::broken(self.before) {
            self.refuse(format!("{broken} names a table that is not there"));
        }
    }

    fn rename_column(&mut self, name: &QualifiedName, column: &Name) {
        self.refuse_beside_broken();
        let full = self.before.full_name(name);
        self.note(name, Cost::Brief);
        for (child, key) in self.before.referencing(&full) {
            if names(&key.referenced_columns, column) && !same(&child.name, &full) {
                self.effects.add(&child.name, Lock::SqliteWrite, Cost::Brief);
            }
        }
    }

    fn rename_table(&mut self, name: &QualifiedName, to: &QualifiedName) {
        let before = self.before;
        let full = before.full_name(name);
        if before.table(to).is_some() && !same(&full, to) {
            self.refuse_existing(format!("there is a table `{to}` already"));
        }
        let legacy = is_legacy(before);
        if !legacy {
            self.refuse_beside_broken();
        }
        self.note(name, Cost::Brief);
        let follows = !legacy || enforces_foreign_keys(before);
        for (child, _) in before.referencing(&full).filter(|(child, _)| !same(&child.name, &full)) {
            if follows {
                self.effects.add(&child.name, Lock::SqliteWrite, Cost::Brief);
            } else {
                self.effects.lose(&child.name, LossKind::Orphans);
            }
        }
        for trigger in before.catalog().triggers.known().into_iter().flatten() {
            if same(&trigger.table, &full) || !dependents::writes(&trigger.body, &full.name, None) {
                continue;
            }
            if legacy {
                self.effects.lose(&trigger.table, LossKind::Unwritable);
            } else {
                self.effects.add(&trigger.table, Lock::SqliteWrite, Cost::Brief);
            }
        }
        for view in before.views_reading(&full, None).into_iter().filter(|_| legacy) {
            self.effects.lose(&view.name, LossKind::Unreadable);
        }
    }

    fn drop_constraint(&mut self, name: &QualifiedName, constraint: &DroppedConstraint) {
        let DroppedConstraint::Named(wanted) = constraint else {
            return self.refuse("a primary key cannot be dropped");
        };
        if let Some(table) = self.before.table(name) {
            let is_it = |other: &Option<Name>| {
                other.as_ref().is_some_and(|other| other.eq_ignore_case(wanted.as_str()))
            };
            let keyed = table.uniques.iter().chain(&table.primary_key).any(|key| is_it(&key.name));
            if keyed {
                self.refuse(format!("`{wanted}` is a key, which cannot be dropped"));
            }
        }
        self.note(name, Cost::Brief);
    }

    fn create_index(&mut self, name: &QualifiedName, index: &Index, if_not_exists: bool) {
        let own = QualifiedName { schema: Name::DEFAULT, name: index.name.clone() };
        if self.before.index(None, &own).is_some() {
            if !if_not_exists {
                self.refuse_existing(format!("there is an index `{}` already", index.name));
            }
            return;
        }
        for part in &index.parts {
            let dbwright_model::catalog::IndexKey::Expression(expression) = &part.key else { continue };
            let mut random = false;
            if let Some(tree) = &expression.tree {
                tree.walk(&mut |expr| {
                    random |= matches!(expr, Expr::Call(call)
                        if matches!(call.function(), "random" | "randomblob" | "changes" | "last_insert_rowid"));
                });
            }
            if random {
                self.refuse("an index over values that differ from time to time");
            }
        }
        if index.unique {
            let table = self.before.full_name(name);
            self.effects.demands.push(Demand::Unique { table });
        }
        self.note(name, Cost::IndexBuild);
    }

    fn drop_index(&mut self, index: &QualifiedName, if_exists: bool) {
        let Some((table, found)) = self.before.index(None, index) else {
            if !if_exists && !index.name.as_str().starts_with("sqlite_autoindex_") {
                self.assume("the table of the index is not known");
            } else if !if_exists {
                self.refuse(format!("`{index}` belongs to a constraint"));
            }
            return;
        };
        if found.backs.is_some() {
            self.refuse(format!("`{index}` belongs to a constraint"));
        }
        let table = table.clone();
        self.note(&table, Cost::Brief);
        self.effects.lose(&table, LossKind::Indexes);
    }

    /// What happens to children when rows of their parent go.
    fn delete_parents(&mut self, parent: &QualifiedName) {
        let before = self.before;
        for (child, key) in before.referencing(parent).filter(|(child, _)| !same(&child.name, parent)) {
            let name = &child.name;
            if !enforces_foreign_keys(before) {
                self.effects.lose(name, LossKind::Orphans);
                continue;
            }
            match key.on_delete {
                ReferentialAction::Cascade => {
                    self.effects.add(name, Lock::SqliteWrite, Cost::Scan);
                    self.effects.lose(name, LossKind::Rows);
                }
                ReferentialAction::SetNull | ReferentialAction::SetDefault => {
                    self.effects.add(name, Lock::SqliteWrite, Cost::Scan);
                }
                ReferentialAction::NoAction | ReferentialAction::Restrict => {
                    let demand = Demand::Reference { table: name.clone(), parent: parent.clone() };
                    self.effects.demands.push(demand);
                }
            }
        }
        if before.setting("foreign_keys").is_none() && before.referencing(parent).next().is_some() {
            self.assume("foreign keys are taken to be enforced");
        }
    }

    /// A temporary table may hide another one.
    fn make_table(&mut self, name: &QualifiedName, persistence: Persistence) {
        let known = self.before.table(name).filter(|known| known.persistence == persistence);
        if known.is_some() && persistence != Persistence::Temporary && name.schema.is_empty() {
            self.refuse_existing(format!("there is a table `{name}` already"));
        }
    }

    fn drop_table(&mut self, name: &QualifiedName, if_exists: bool) {
        let before = self.before;
        let full = before.full_name(name);
        if before.table(name).is_none() {
            if !if_exists {
                self.note(name, Cost::Brief);
            }
            return;
        }
        self.note(name, Cost::Brief);
        self.delete_parents(&full);
        self.effects.lose(&full, LossKind::Rows);
        for (child, _) in before.referencing(&full).filter(|(child, _)| !same(&child.name, &full)) {
            if enforces_foreign_keys(before) {
                self.effects.lose(&child.name, LossKind::Unwritable);
            }
        }
        for trigger in before.catalog().triggers.known().into_iter().flatten() {
            if !same(&trigger.table, &full) && dependents::writes(&trigger.body, &full.name, None) {
                self.effects.lose(&trigger.table, LossKind::Unwritable);
            }
        }
        for view in before.views_reading(&full, None) {
            self.effects.lose(&view.name, LossKind::Unreadable);
        }
    }

    fn data(&mut self, kind: DataKind, name: &QualifiedName, filtered: bool) {
        let full = self.before.full_name(name);
        match kind {
            DataKind::Select => {}
            DataKind::Delete => {
                self.note(name, Cost::Brief);
                self.effects.lose(&full, LossKind::Rows);
                self.delete_parents(&full);
            }
            DataKind::Update if !filtered => self.note(name, Cost::Rewrite),
            _ => self.note(name, Cost::Brief),
        }
    }
}

/// What of a table stands in the way of a column's end.
fn needs(table: &Table, column: &Name) -> Option<&'static str> {
    let computed = table
        .columns
        .iter()
        .any(|other| other.generated.as_ref().is_some_and(|generated| reads(&generated.expression, column)));
    let indexed = table.indexes.iter().any(|index| {
        index.predicate.as_ref().is_some_and(|predicate| reads(predicate, column))
            || index.parts.iter().any(|part| match &part.key {
                dbwright_model::catalog::IndexKey::Column(name) => name.eq_ignore_case(column.as_str()),
                dbwright_model::catalog::IndexKey::Expression(expression) => reads(expression, column),
            })
    });
    // A check that stands beside the column goes with it; one of the table usually reads another column too.
    let checked = table.checks.iter().any(|check| {
        let columns = check.expression.tree.as_deref().map(Expr::columns).unwrap_or_default();
        columns.len() > 1 && reads(&check.expression, column)
    });
    if table.primary_key.as_ref().is_some_and(|key| names(&key.columns, column)) {
        Some("the primary key of")
    } else if indexed || table.uniques.iter().any(|key| names(&key.columns, column)) {
        Some("an index of")
    } else if checked {
        Some("a check of")
    } else if computed {
        Some("a computed column of")
    } else if table.columns.len() == 1 {
        Some("as its only one,")
    } else {
        None
    }
}
