//! What hangs on tables or is used by them: sequences, types, functions, triggers, rules, policies, publications,
//! statistics, rights.

use dbwright_model::access::GrantObject;
use dbwright_model::catalog::{Function, IndexKey, Publication, Table, Trigger, UserTypeKind};
use dbwright_model::change::{Change, ListAction};
use dbwright_model::data_type::DataType;
use dbwright_model::effect::{Cost, Demand, Lock};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::Reckoning;

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn object_change(&mut self, change: &Change) {
        self.sequence_change(change);
        self.type_change(change);
        self.function_change(change);
        self.trigger_change(change);
        self.publication_change(change);
        use Change::*;
        match change {
            CreateRule { rule, .. } => self.note(&rule.table, AX, Cost::Brief),
            DropRule { table, .. } | SetRuleEnabled { table, .. } => self.note(table, AX, Cost::Brief),
            CreatePolicy { policy } => self.note(&policy.table, AX, Cost::Brief),
            AlterPolicy { table, .. } | DropPolicy { table, .. } => self.note(table, AX, Cost::Brief),
            CreateStatistics { statistics, .. } => self.note(&statistics.table, SUX, Cost::Brief),
            DropStatistics { name, .. } => {
                let full = self.before.full_name(name);
                let known = self.before.catalog().statistics.iter().find(|known| known.name == full);
                if let Some(known) = known {
                    self.note(&known.table, SUX, Cost::Brief);
                }
            }
            SetGrant { grant, .. } if grant.object_kind == GrantObject::Table && self.major >= 18 => {
                self.note(&grant.object, Lock::AccessShare, Cost::Brief);
            }
            DropOwned { roles, .. } | ReassignOwned { roles, .. } => {
                for table in &self.before.catalog().tables {
                    if table.owner.as_ref().is_some_and(|owner| roles.contains(owner)) {
                        self.note(&table.name, AX, Cost::Brief);
                    }
                }
            }
            _ => {}
        }
    }

    fn sequence_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            AlterSequence { name, changes, .. } => {
                self.note(name, if changes.rename.is_some() { AX } else { SRX }, Cost::Brief);
            }
            DropSequence { name, cascade, .. } => {
                self.note(name, AX, Cost::Brief);
                self.drop_defaults_of(name, *cascade);
            }
            SetSequenceValue { name, .. } | AdvanceSequence { name } | SyncSequence { name, .. } => {
                self.note(name, Lock::RowExclusive, Cost::Brief);
            }
            _ => {}
        }
    }

    /// Defaults that draw from a dropped sequence go with it.
    fn drop_defaults_of(&mut self, sequence: &QualifiedName, cascade: bool) {
        for table in &self.before.catalog().tables {
            let uses = |column: &&dbwright_model::catalog::Column| {
                column.sequence.as_ref().is_some_and(|own| self.is_named(own, sequence))
            };
            let Some(column) = table.columns.iter().find(uses) else { continue };
            let cascade = cascade && column.identity.is_none();
            self.needed(cascade, &table.name, || format!("`{}.{}` needs it", table.name, column.name));
        }
    }

    fn type_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            DropType { name, cascade, .. } => self.drop_type(name, *cascade),
            AddAttribute { name, cascade, .. }
            | DropAttribute { name, cascade, .. }
            | RenameAttribute { name, cascade, .. } => self.lock_typed(name, *cascade, Cost::Brief),
            AlterAttributeType { name, cascade, .. } => {
                let used = self.before.catalog().tables.iter().find(|table| {
                    table.columns.iter().any(|column| self.is_of_type(&column.data_type, name))
                });
                if let Some(table) = used {
                    self.refuse(format!("`{}` has a column of this type", table.name));
                }
                self.lock_typed(name, *cascade, Cost::Rewrite);
            }
            AddEnumValue { name, value, if_not_exists, .. } => {
                let known = self.before.user_type(name).map(|user_type| &user_type.kind);
                if !if_not_exists
                    && matches!(known, Some(UserTypeKind::Enum(labels)) if labels.contains(value))
                {
                    self.refuse_existing(format!("`{name}` has the value `{value}` already"));
                }
            }
            AddDomainCheck { name, check } if check.validated => self.check_domain(name),
            SetDomainNotNull { name, not_null: true, .. } | ValidateDomainConstraint { name, .. } => {
                self.check_domain(name);
            }
            _ => {}
        }
    }

    /// Whether a type is the named one; an array of it counts.
    fn is_of_type(&self, data_type: &DataType, name: &QualifiedName) -> bool {
        let known = |name: &QualifiedName| self.before.user_type(name).map(|user_type| &user_type.name);
        let wanted = known(name);
        wanted.is_some() && data_type.user_type.as_ref().and_then(known) == wanted
    }

    fn drop_type(&mut self, name: &QualifiedName, cascade: bool) {
        for table in &self.before.catalog().tables {
            let used = table.columns.iter().any(|column| self.is_of_type(&column.data_type, name))
                || table.of_type.as_ref().is_some_and(|of| self.is_same_type(of, name));
            if used {
                self.needed(cascade, &table.name, || format!("`{}` needs it", table.name));
            }
        }
    }

    fn is_same_type(&self, one: &QualifiedName, other: &QualifiedName) -> bool {
        let known = |name: &QualifiedName| self.before.user_type(name).map(|user_type| &user_type.name);
        known(one).is_some() && known(one) == known(other)
    }

    /// Tables made `OF` a type follow it, when told to.
    fn lock_typed(&mut self, name: &QualifiedName, cascade: bool, cost: Cost) {
        for table in &self.before.catalog().tables {
            if !table.of_type.as_ref().is_some_and(|of| self.is_same_type(of, name)) {
                continue;
            }
            match cascade {
                true => self.note(&table.name, AX, cost),
                false => self.refuse(format!("`{}` has its columns from it", table.name)),
            }
        }
    }

    /// Every value of a domain is looked at, wherever rows with such a column are stored.
    fn check_domain(&mut self, name: &QualifiedName) {
        let before = self.before;
        let mut domains = vec![name.clone()];
        let mut position = 0;
        while let Some(domain) = domains.get(position).cloned() {
            position += 1;
            for user_type in &before.catalog().types {
                match &user_type.kind {
                    UserTypeKind::Domain { base, .. }
                        if self.is_of_type(base, &domain) && !domains.contains(&user_type.name) =>
                    {
                        domains.push(user_type.name.clone());
                    }
                    UserTypeKind::Composite(attributes)
                        if attributes.iter().any(|(_, data_type)| self.is_of_type(data_type, &domain)) =>
                    {
                        let within = |table: &Table| {
                            table
                                .columns
                                .iter()
                                .any(|column| self.is_of_type(&column.data_type, &user_type.name))
                        };
                        if let Some(table) = before.catalog().tables.iter().find(|table| within(table)) {
                            self.refuse(format!("`{}` holds values of it in a composite type", table.name));
                        }
                    }
                    _ => {}
                }
            }
        }
        for table in &before.catalog().tables {
            let uses = table
                .columns
                .iter()
                .any(|column| domains.iter().any(|domain| self.is_of_type(&column.data_type, domain)));
            if uses && !self.is_partitioned(table) {
                self.note(&table.name, Lock::Share, Cost::Scan);
                self.effects.demands.push(Demand::Check { table: table.name.clone() });
            }
        }
        for view in before.catalog().views.iter().filter(|view| view.materialized) {
            let uses = view
                .columns
                .iter()
                .any(|column| domains.iter().any(|domain| self.is_of_type(&column.data_type, domain)));
            if uses {
                self.note(&view.name, Lock::Share, Cost::Scan);
            }
        }
    }

    fn function_change(&mut self, change: &Change) {
        match change {
            Change::CreateFunction { function, or_replace } => self.create_function(function, *or_replace),
            Change::DropFunction { name, cascade, .. } => self.drop_function(name, *cascade),
            _ => {}
        }
    }

    fn create_function(&mut self, function: &Function, or_replace: bool) {
        let schema = Some(&function.name.schema).filter(|schema| !schema.is_empty());
        let mut same = self.before.functions(schema, function.name.name.as_str());
        let same = same.find(|known| known.arguments == function.arguments);
        let other = same.is_some_and(|known| {
            !known.returns.is_empty() && !function.returns.is_empty() && known.returns != function.returns
        });
        if or_replace && other {
            self.refuse(format!("`{}` returns another type", function.name));
        }
    }

    /// What calls a dropped function goes with it, or hinders that.
    fn drop_function(&mut self, name: &QualifiedName, cascade: bool) {
        let before = self.before;
        let called =
            |expression: &Expression| expression.tree.as_deref().is_some_and(|tree| calls(tree, &name.name));
        for table in &before.catalog().tables {
            let by_columns = table.columns.iter().any(|column| {
                column.default.as_ref().is_some_and(called)
                    || column.generated.as_ref().is_some_and(|generated| called(&generated.expression))
            });
            let by_indexes = table.indexes.iter().any(|index| {
                index.predicate.as_ref().is_some_and(called)
                    || index.parts.iter().any(
                        |part| matches!(&part.key, IndexKey::Expression(expression) if called(expression)),
                    )
            });
            if by_columns || by_indexes || table.checks.iter().any(|check| called(&check.expression)) {
                self.needed(cascade, &table.name, || format!("`{}` needs it", table.name));
            }
        }
        for trigger in before.catalog().triggers.known().into_iter().flatten() {
            if trigger.function.as_ref().is_some_and(|function| self.is_named(function, name)) {
                self.needed(cascade, &trigger.table, || format!("the trigger `{}` needs it", trigger.name));
            }
        }
    }

    fn trigger_change(&mut self, change: &Change) {
        match change {
            Change::CreateTrigger { trigger, or_replace } => self.create_trigger(trigger, *or_replace),
            Change::DropTrigger { table: Some(table), .. } => {
                self.note_parts(table, AX);
            }
            Change::SetTriggerEnabled { table, .. } => self.note_target(table, SRX, Cost::Brief),
            _ => {}
        }
    }

    fn create_trigger(&mut self, trigger: &Trigger, or_replace: bool) {
        let known = self.before.catalog().triggers.known();
        let taken = known
            .into_iter()
            .flatten()
            .any(|known| known.name == trigger.name && self.is_named(&known.table, &trigger.table));
        if taken && !or_replace {
            self.refuse_existing(format!("`{}` has a trigger `{}` already", trigger.table, trigger.name));
        }
        match trigger.for_each_row {
            true => self.note_parts(&trigger.table, SRX),
            false => self.note(&trigger.table, SRX, Cost::Brief),
        }
    }

    /// A table and its partitions; tables that inherit are left alone.
    fn note_parts(&mut self, table: &QualifiedName, lock: Lock) {
        let name = self.before.full_name(table);
        self.note(&name, lock, Cost::Brief);
        for heir in self.before.descendants(&name).into_iter().filter(|heir| heir.is_partition()) {
            self.note(&heir.name, lock, Cost::Brief);
        }
    }

    fn publication_change(&mut self, change: &Change) {
        match change {
            Change::CreatePublication { publication } => self.publish(publication),
            Change::AlterPublication { name, action, tables, .. } => {
                for published in tables {
                    self.note(&published.table, SUX, Cost::Brief);
                }
                let known = self.before.catalog().publications.known().into_iter().flatten();
                for publication in known.filter(|known| *action == ListAction::Set && known.name == *name) {
                    self.publish(publication);
                }
            }
            _ => {}
        }
    }

    fn publish(&mut self, publication: &Publication) {
        for published in &publication.tables {
            self.note(&published.table, SUX, Cost::Brief);
        }
    }
}

/// Whether an expression calls a function of this name.
fn calls(tree: &Expr, function: &Name) -> bool {
    let mut found = false;
    tree.walk(&mut |expr| found |= matches!(expr, Expr::Call(call) if call.function() == function.as_str()));
    found
}
