//! A chain of changes folded into the catalog that a server would hold after them.
//!
//! Folding is total: a change of something that is not there is noted as a doubt and left out.

mod constraints;
mod follow;
mod heirs;
mod look;
mod objects;
mod renaming;
mod strings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use dbwright_model::catalog::{
    Catalog, Check, Column, ConstraintKind, Doubt, Index, Key, NotNull, PartitionKey, Persistence, Schema,
    Sequence, Table, TableKind, UserType, UserTypeKind,
};
use dbwright_model::change::{
    AlterClauses, Change, ColumnPosition, CommentTarget, ObjectKind, SequenceChanges,
};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;

use crate::names;
use renaming::{index_mentions, mentions};

/// Folds changes one by one.
#[derive(Clone, Debug)]
pub struct Folder {
    engine: Engine,
    /// The server's version, where it is known.
    version: Option<Version>,
    catalog: Catalog,
    /// Position of each table in the catalog by its look-up form.
    tables: HashMap<QualifiedName, usize>,
    /// Schemas that unqualified names are looked up in.
    search_path: Vec<Name>,
    /// Names of tables, indexes, sequences and views, which must not be given twice; `None` when something was renamed
    /// since they were gathered.
    relations: Option<HashSet<QualifiedName>>,
    /// Whether something was dropped since, so that some of `relations` may be free again.
    relations_dropped: bool,
    /// Settings that statements made, by lower-case name: of the session, and SQLite's pragmas.
    settings: BTreeMap<Name, String>,
    /// Whether a transaction is open.
    in_transaction: bool,
    /// The savepoints of the transaction, the oldest first.
    savepoints: Vec<Name>,
}

impl Folder {
    /// A folder that starts from an empty database.
    pub fn new(engine: Engine) -> Self {
        Folder::on(Catalog::empty(engine))
    }

    /// A folder that goes on from a catalog.
    pub fn on(catalog: Catalog) -> Self {
        let engine = catalog.engine;
        let search_path = match engine.dialect() {
            Dialect::Postgres => vec![Name::new("public")],
            Dialect::Mysql | Dialect::Sqlite => vec![Name::DEFAULT],
        };
        let mut folder = Folder {
            engine,
            version: None,
            catalog,
            tables: HashMap::new(),
            search_path,
            relations: None,
            relations_dropped: false,
            settings: BTreeMap::new(),
            in_transaction: false,
            savepoints: Vec::new(),
        };
        folder.index_tables();
        folder
    }

    /// The same for a server of a version, which decides what some statements make; `None` for the newest that is known.
    pub fn for_version(self, version: Option<Version>) -> Self {
        Folder { version, ..self }
    }

    /// The catalog as it stands, before names are settled. Rules see the result of [`Folder::finish`].
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The catalog after the last change, sorted, with names settled.
    pub fn finish(mut self) -> Catalog {
        self.add_public_schema();
        if self.engine == Engine::Sqlite {
            crate::sqlite::understand::mark_shadows(&mut self.catalog);
        }
        crate::understand::settle(&mut self.catalog);
        self.mark_unsupported();
        self.catalog.sort();
        self.catalog
    }

    /// What the engine does not have is not an empty list of it.
    fn mark_unsupported(&mut self) {
        let engine = self.engine;
        if engine.dialect() != Dialect::Postgres {
            let because = format!("{engine} has no such thing");
            self.catalog.policies = Observed::Unsupported(because.clone());
            self.catalog.extensions = Observed::Unsupported(because.clone());
            self.catalog.publications = Observed::Unsupported(because);
        }
        if engine == Engine::Sqlite {
            self.catalog.functions = Observed::Unsupported(format!("{engine} keeps no routines"));
        }
    }

    fn add_public_schema(&mut self) {
        let mut used: Vec<Name> = self.catalog.tables.iter().map(|table| table.name.schema.clone()).collect();
        if self.engine == Engine::Postgres {
            used.push(Name::new("public"));
        }
        used.sort();
        used.dedup();
        for name in used.into_iter().filter(|name| !name.is_empty()) {
            if !self.catalog.schemas.iter().any(|schema| schema.name == name) {
                self.catalog.schemas.push(Schema { name, ..Schema::default() });
            }
        }
    }

    fn index_tables(&mut self) {
        self.tables = self
            .catalog
            .tables
            .iter()
            .enumerate()
            .map(|(i, table)| (self.lookup_form(&table.name), i))
            .collect();
    }

    /// SQLite compares table names without regard to case.
    fn lookup_form(&self, name: &QualifiedName) -> QualifiedName {
        match self.engine.dialect() {
            Dialect::Sqlite => {
                let schema = name.schema.as_str().to_ascii_lowercase();
                // A temporary table is kept under its name alone.
                let schema = if schema == "temp" { String::new() } else { schema };
                QualifiedName::new(schema, name.name.as_str().to_ascii_lowercase())
            }
            _ => name.clone(),
        }
    }

    /// The full name of something that is about to be created.
    fn new_name(&self, name: &QualifiedName) -> QualifiedName {
        if name.schema.is_empty()
            && let Some(first) = self.search_path.first()
        {
            return QualifiedName { schema: first.clone(), name: name.name.clone() };
        }
        name.clone()
    }

    /// The full name of a table that is referred to, whether it exists or not.
    fn table_name(&self, name: &QualifiedName) -> QualifiedName {
        if name.schema.is_empty() {
            for schema in &self.search_path {
                let candidate = QualifiedName { schema: schema.clone(), name: name.name.clone() };
                if let Some(i) = self.tables.get(&self.lookup_form(&candidate)) {
                    return self.catalog.tables[*i].name.clone();
                }
            }
        }
        self.new_name(name)
    }

    fn table_mut(&mut self, name: &QualifiedName) -> Option<&mut Table> {
        let full = self.lookup_form(&self.table_name(name));
        self.tables.get(&full).map(|i| &mut self.catalog.tables[*i])
    }

    fn doubt(&mut self, object: Option<QualifiedName>, because: impl Into<String>) {
        self.catalog.doubts.push(Doubt { object, because: because.into() });
    }

    /// Applies one change.
    pub fn apply(&mut self, change: &Change) {
        match loss_of_names(change) {
            LossOfNames::None => {}
            LossOfNames::Dropped => self.relations_dropped = true,
            LossOfNames::Renamed => self.relations = None,
        }
        self.note_setting(change);
        match change {
            Change::CreateSchema { name, .. } => {
                if !self.catalog.schemas.iter().any(|schema| schema.name == *name) {
                    self.catalog.schemas.push(Schema { name: name.clone(), ..Schema::default() });
                }
            }
            Change::DropSchema { name, cascade, .. } => self.drop_schema(name, *cascade),
            Change::CreateTable { table, if_not_exists } => self.create_table(table, *if_not_exists),
            Change::CreateTableLike { table, like, including_indexes, if_not_exists } => {
                self.create_table_like(table, like, *including_indexes, *if_not_exists);
            }
            Change::CreateTableAs { name, query, if_not_exists, columns, persistence, .. } => {
                self.create_table_as(name, query, *if_not_exists, columns, *persistence);
            }
            Change::DropTable { name, cascade, .. } => self.drop_table(name, *cascade),
            Change::RenameTable { table, to, .. } => self.rename_table(table, to),
            Change::AddColumn { table, column, position, if_not_exists, alter } => {
                self.add_column(table, column, position, *if_not_exists, alter.only);
            }
            Change::DropColumn { table, column, cascade, alter, .. } => {
                self.drop_column(table, column, *cascade, alter.only);
            }
            Change::RenameColumn { table, column, to, .. } => {
                self.rename_column(table, column, to);
            }
            Change::AlterColumnType { table, column, to, collation, alter, .. } => {
                self.with_column_below(table, column, alter, &|target| {
                    target.data_type = to.clone();
                    if collation.is_some() {
                        target.collation = collation.clone();
                    }
                });
            }
            Change::ModifyColumn { table, column, to, position, .. } => {
                self.modify_column(table, column, to, position);
            }
            Change::SetNotNull { table, column, not_null, alter } => {
                self.with_column_below(table, column, alter, &|target| {
                    target.not_null = *not_null;
                    match &mut target.not_null_constraint {
                        Some(constraint) if *not_null => constraint.validated = true,
                        constraint => *constraint = None,
                    }
                });
            }
            Change::AddNotNull { table, column, constraint, alter } => {
                let table_name = self.table_name(table);
                let usual = format!("{}_{column}_not_null", table_name.name);
                let own = NotNull {
                    name: constraint.name.clone().filter(|name| *name != *usual),
                    ..constraint.clone()
                };
                let plain = own.name.is_none() && own.validated && !own.no_inherit;
                let inherited = NotNull { name: None, ..own.clone() };
                self.with_column(table, column, |target| {
                    target.not_null = true;
                    target.not_null_constraint = (!plain).then(|| own.clone());
                });
                if !constraint.no_inherit && !alter.only {
                    for heir in self.all_heirs_of(&table_name) {
                        self.with_column(&heir, column, |target| {
                            target.not_null = true;
                            target.not_null_constraint = (!inherited.validated).then(|| inherited.clone());
                        });
                    }
                }
            }
            Change::SetDefault { table, column, default, alter } => {
                let is_table = self.table_mut(table).is_some();
                if is_table || !self.is_view(table) {
                    self.with_column_below(table, column, alter, &|target| target.default = default.clone());
                }
            }
            Change::SetIdentity { table, column, identity, options, .. } => {
                self.set_identity(table, column, *identity);
                self.alter_identity(table, column, options);
            }
            Change::AlterIdentity { table, column, identity, options, .. } => {
                if identity.is_some() {
                    self.with_column(table, column, |target| target.identity = *identity);
                }
                self.alter_identity(table, column, options);
            }
            Change::DropExpression { table, column, alter, .. } => {
                self.with_column_below(table, column, alter, &|target| target.generated = None);
            }
            Change::SetExpression { table, column, expression, alter } => {
                self.with_column_below(table, column, alter, &|target| {
                    if let Some(generated) = &mut target.generated {
                        generated.expression = expression.clone();
                    }
                });
            }
            Change::SetStatisticsTarget { table, column, target: to, alter } => {
                self.with_column_below(table, column, alter, &|target| target.statistics_target = *to);
            }
            Change::SetStorage { table, column, storage, alter } => {
                self.with_column_below(table, column, alter, &|target| {
                    let usual =
                        *storage == "default" || usual_storage(&target.data_type) == Some(storage.as_str());
                    target.storage = (!usual).then(|| storage.clone());
                });
            }
            Change::SetCompression { table, column, compression, alter } => {
                self.with_column_below(table, column, alter, &|target| {
                    target.compression = (*compression != "default").then(|| compression.clone());
                });
            }
            Change::SetColumnOptions { table, column, options, alter } => {
                self.with_column_below(table, column, alter, &|target| {
                    set_or_reset(&mut target.options, options);
                });
            }
            Change::AddPrimaryKey { table, key, using_index, .. } => {
                self.add_key(table, key, ConstraintKind::PrimaryKey, using_index.as_ref());
            }
            Change::AddUnique { table, key, using_index, .. } => {
                self.add_key(table, key, ConstraintKind::Unique, using_index.as_ref());
            }
            Change::AddCheck { table, check, alter } => self.add_check(table, check, alter.only),
            Change::AddForeignKey { table, foreign_key, .. } => self.add_foreign_key(table, foreign_key),
            Change::AddExclusion { table, exclusion, .. } => self.add_exclusion(table, exclusion),
            Change::DropConstraint { table, constraint, cascade, alter, .. } => {
                self.drop_constraint(table, constraint, *cascade, alter.only);
            }
            Change::RenameConstraint { table, constraint, to, .. } => {
                self.rename_constraint(table, constraint, to)
            }
            Change::ValidateConstraint { table, constraint, .. } => {
                self.validate_constraint(table, constraint);
            }
            Change::AlterConstraint { table, constraint, changes, .. } => {
                self.alter_constraint(table, constraint, *changes);
            }
            Change::CreateIndex { table, index, if_not_exists, only, .. } => {
                self.create_index(table, index, *if_not_exists, *only);
                self.note_unique(table, index);
            }
            Change::DropIndex { table, index, .. } => self.drop_index(table.as_ref(), index),
            Change::RenameIndex { table, index, to, .. } => {
                if let Some((owner, name)) = self.find_index(table.as_ref(), index) {
                    self.rename_index(owner, &name, to);
                }
            }
            Change::SetIndexVisible { table, index, visible, .. } => {
                self.with_table(table, |target, _| {
                    if let Some(index) = target.indexes.iter_mut().find(|i| i.name == *index) {
                        index.visible = *visible;
                    }
                });
            }
            Change::AttachIndex { parent, child } => self.attach_index(parent, child),
            Change::AttachPartition { table, partition, bound, .. } => {
                let of = self.table_name(table);
                self.with_table(partition, |target, _| {
                    if let TableKind::Partitioned { strategy, key } = &target.kind {
                        target.sub_partitioned =
                            Some(PartitionKey { strategy: strategy.clone(), key: key.clone() });
                    }
                    target.kind = TableKind::Partition { of: of.clone(), bound: bound.clone() };
                });
                let partition = self.table_name(partition);
                if self.stays_a_tree(&partition) {
                    self.hand_down(&partition, &of);
                }
            }
            Change::DetachPartition { partition, .. } => {
                self.with_table(partition, |target, _| {
                    target.kind = match target.sub_partitioned.take() {
                        Some(PartitionKey { strategy, key }) => TableKind::Partitioned { strategy, key },
                        None => TableKind::Ordinary,
                    };
                    for index in &mut target.indexes {
                        index.partition_of = None;
                    }
                });
            }
            Change::SetInherit { table, parent, inherit, .. } => {
                let parent = self.table_name(parent);
                self.with_table(table, |target, _| {
                    target.inherits.retain(|name| *name != parent);
                    if *inherit {
                        target.inherits.push(parent);
                    }
                });
                let heir = self.table_name(table);
                self.stays_a_tree(&heir);
            }
            Change::SetRowSecurity { table, enabled, forced, .. } => {
                self.with_table(table, |target, _| {
                    target.row_security.enabled = enabled.unwrap_or(target.row_security.enabled);
                    target.row_security.forced = forced.unwrap_or(target.row_security.forced);
                });
            }
            Change::SetReplicaIdentity { table, identity, .. } => {
                self.with_table(table, |target, _| target.replica_identity = identity.clone());
            }
            Change::SetTableOptions { table, options, .. } => self.set_table_options(table, options),
            Change::SetOwner { kind, object, owner, .. } => {
                // An index belongs to whom its table belongs to.
                if kind.is_relation() && *kind != ObjectKind::Index {
                    self.set_owner(object, owner);
                }
            }
            Change::SetSchema { kind, object, schema, .. } => {
                let to = QualifiedName { schema: schema.clone(), name: object.name.clone() };
                self.rename_object(kind, object, None, &to);
            }
            Change::RenameObject { kind, object, table, to } => {
                let to = QualifiedName { schema: Name::DEFAULT, name: to.clone() };
                self.rename_object(kind, object, table.as_ref(), &to);
            }
            Change::SetIndexOptions { index, options, .. } => {
                self.with_index(index, |index| set_or_reset(&mut index.options, options));
            }
            Change::SetTablespace { object, kind: ObjectKind::Index, tablespace, .. } => {
                let tablespace = tablespace.clone();
                self.with_index(object, |index| index.tablespace = usual_tablespace(tablespace));
            }
            Change::SetTablespace { object, kind: ObjectKind::MaterializedView, tablespace, .. } => {
                let name = self.view_name(object);
                for view in self.catalog.views.iter_mut().filter(|view| view.name == name) {
                    view.tablespace = usual_tablespace(tablespace.clone());
                }
            }
            Change::SetTablespace { object, tablespace, .. } => {
                self.with_table(object, |target, _| target.tablespace = usual_tablespace(tablespace.clone()));
            }
            Change::SetAccessMethod { table, method, .. } => {
                let name = self.view_name(table);
                if let Some(view) = self.catalog.views.iter_mut().find(|view| view.name == name) {
                    view.access_method = method.clone().filter(|method| *method != "heap");
                } else {
                    self.with_table(table, |target, _| {
                        target.access_method = method.clone().filter(|method| *method != "heap");
                    });
                }
            }
            Change::SetCluster { table, index, .. } => {
                if !self.is_view(table) {
                    self.with_table(table, |target, _| target.clustered_on.clone_from(index));
                }
            }
            Change::Cluster { table: Some(table), index: Some(index) } => {
                if !self.is_view(table) {
                    self.with_table(table, |target, _| target.clustered_on = Some(index.clone()));
                }
            }
            Change::SetLogged { table, kind, logged, .. } => {
                if *kind != ObjectKind::Sequence {
                    self.with_table(table, |target, _| {
                        target.persistence =
                            if *logged { Persistence::Permanent } else { Persistence::Unlogged };
                    });
                }
            }
            Change::SetOfType { table, of_type, .. } => {
                let of_type = of_type.as_ref().map(|name| self.type_name(name));
                self.with_table(table, |target, _| target.of_type = of_type);
            }
            Change::AlterPartitions { table, partitions, .. } => match partitions.action.as_str() {
                "REMOVE PARTITIONING" => {
                    self.with_table(table, |target, _| target.kind = TableKind::Ordinary);
                }
                "PARTITION BY" => match crate::mysql::partitioned(&partitions.text) {
                    Some(kind) => self.with_table(table, |target, _| target.kind = kind),
                    None => {
                        let name = self.table_name(table);
                        self.doubt(Some(name), "partitions are not followed");
                    }
                },
                // Single partitions are not part of the catalog.
                _ => {}
            },
            Change::CreateView { view, .. } => {
                let mut view = view.as_ref().clone();
                view.name = self.new_name(&view.name);
                self.catalog.views.retain(|other| other.name != view.name);
                self.note_relation(view.name.clone());
                self.catalog.views.push(view);
            }
            Change::DropView { name, cascade, .. } => {
                let name = self.view_name(name);
                self.catalog.views.retain(|view| view.name != name);
                self.catalog.rules.retain(|rule| rule.table != name);
                if *cascade {
                    self.drop_views_of(&name, None);
                }
            }
            Change::SetViewOptions { name, options, .. } => {
                let name = self.view_name(name);
                if let Some(view) = self.catalog.views.iter_mut().find(|view| view.name == name) {
                    set_or_reset(&mut view.options, options);
                }
            }
            Change::CreateSequence { sequence, .. } => {
                let mut sequence = sequence.clone();
                sequence.name = self.new_name(&sequence.name);
                if let Some((table, _)) = &mut sequence.owned_by {
                    *table = self.table_name(table);
                }
                if !self.catalog.sequences.iter().any(|other| other.name == sequence.name) {
                    self.note_relation(sequence.name.clone());
                    self.catalog.sequences.push(sequence);
                }
            }
            Change::AlterSequence { name, changes, .. } => self.alter_sequence(name, changes),
            Change::DropSequence { name, .. } => {
                let name = self.sequence_name(name);
                self.catalog.sequences.retain(|sequence| sequence.name != name);
            }
            Change::CreateType { user_type } => {
                let mut user_type = user_type.clone();
                user_type.name = self.new_name(&user_type.name);
                if self.engine == Engine::Postgres {
                    name_domain_checks(&mut user_type);
                }
                self.catalog.types.retain(|other| other.name != user_type.name);
                self.catalog.types.push(user_type);
            }
            Change::DropType { name, cascade, .. } => self.drop_type(name, *cascade),
            Change::AddEnumValue { name, value, before, after, .. } => {
                self.with_enum(name, |labels| {
                    let anchor = before.as_ref().or(after.as_ref());
                    let at = anchor.and_then(|anchor| labels.iter().position(|label| label == anchor));
                    let at = match (at, before) {
                        (Some(at), Some(_)) => at,
                        (Some(at), None) => at + 1,
                        (None, _) => labels.len(),
                    };
                    if !labels.contains(value) {
                        labels.insert(at, value.clone());
                    }
                });
            }
            Change::RenameEnumValue { name, value, to } => {
                self.with_enum(name, |labels| {
                    for label in labels {
                        if label == value {
                            label.clone_from(to);
                        }
                    }
                });
            }
            Change::CreateFunction { function, .. } => {
                let mut function = function.as_ref().clone();
                function.name = self.new_name(&function.name);
                if let Some(functions) = self.catalog.functions.known_mut() {
                    functions.retain(|other| {
                        (&other.name, &other.arguments) != (&function.name, &function.arguments)
                    });
                    functions.push(function);
                }
            }
            Change::DropFunction { name, arguments, cascade, .. } => {
                let name = self.new_name(name);
                if let Some(functions) = self.catalog.functions.known_mut() {
                    functions.retain(|function| {
                        function.name != name
                            || arguments.as_ref().is_some_and(|arguments| *arguments != function.arguments)
                    });
                }
                if *cascade && let Some(triggers) = self.catalog.triggers.known_mut() {
                    triggers.retain(|trigger| trigger.function.as_ref() != Some(&name));
                }
            }
            Change::AlterFunction { name, arguments, clauses, .. } => {
                self.alter_function(name, arguments.as_ref(), clauses);
            }
            Change::SetFunctionSetting { name, arguments, setting, value } => {
                let name = self.new_name(name);
                if let Some(functions) = self.catalog.functions.known_mut() {
                    for function in functions
                        .iter_mut()
                        .filter(|function| function.name == name && function.arguments == *arguments)
                    {
                        merge_options(&mut function.settings, &[(setting.clone(), value.clone())]);
                    }
                }
            }
            Change::CreateTrigger { trigger, .. } => {
                let mut trigger = trigger.as_ref().clone();
                trigger.table = self.table_name(&trigger.table);
                if self.engine == Engine::Postgres {
                    // Its function says what it does; the server keeps no other text.
                    trigger.body.clear();
                    if let Some(function) = &mut trigger.function
                        && function.schema.is_empty()
                        && let Some(found) = self.function_in_path(&function.name)
                    {
                        *function = found;
                    }
                }
                if let Some(triggers) = self.catalog.triggers.known_mut() {
                    triggers.retain(|other| (&other.table, &other.name) != (&trigger.table, &trigger.name));
                    triggers.push(trigger);
                }
            }
            Change::DropTrigger { table, name, .. } => {
                let table = table.as_ref().map(|table| self.table_name(table));
                if let Some(triggers) = self.catalog.triggers.known_mut() {
                    triggers.retain(|trigger| {
                        trigger.name != *name || table.as_ref().is_some_and(|table| *table != trigger.table)
                    });
                }
            }
            Change::SetTriggerEnabled { table, trigger, enabled, .. } => {
                let table = self.table_name(table);
                if let Some(triggers) = self.catalog.triggers.known_mut() {
                    for other in triggers.iter_mut().filter(|other| other.table == table) {
                        if trigger.as_ref().is_none_or(|name| *name == other.name) {
                            other.enabled = *enabled;
                        }
                    }
                }
            }
            Change::CreatePolicy { policy } => {
                let mut policy = policy.as_ref().clone();
                policy.table = self.table_name(&policy.table);
                if let Some(policies) = self.catalog.policies.known_mut() {
                    policies.push(policy);
                }
            }
            Change::DropPolicy { table, name, .. } => {
                let table = self.table_name(table);
                if let Some(policies) = self.catalog.policies.known_mut() {
                    policies.retain(|policy| policy.table != table || policy.name != *name);
                }
            }
            Change::AlterPolicy { table, name, roles, using, check } => {
                let table = self.table_name(table);
                for policy in self.catalog.policies.known_mut().into_iter().flatten() {
                    if policy.table != table || policy.name != *name {
                        continue;
                    }
                    if let Some(roles) = roles {
                        policy.roles.clone_from(roles);
                    }
                    if using.is_some() {
                        policy.using.clone_from(using);
                    }
                    if check.is_some() {
                        policy.check.clone_from(check);
                    }
                }
            }
            Change::CreateRule { rule, .. } => {
                let mut rule = rule.as_ref().clone();
                rule.table = if self.is_view(&rule.table) {
                    self.view_name(&rule.table)
                } else {
                    self.table_name(&rule.table)
                };
                self.catalog.rules.retain(|other| (&other.table, &other.name) != (&rule.table, &rule.name));
                self.catalog.rules.push(rule);
            }
            Change::DropRule { table, name, .. } => {
                let table = if self.is_view(table) { self.view_name(table) } else { self.table_name(table) };
                self.catalog.rules.retain(|rule| rule.table != table || rule.name != *name);
            }
            Change::SetRuleEnabled { table, rule: name, enabled, .. } => {
                let table = self.table_name(table);
                for rule in &mut self.catalog.rules {
                    if rule.table == table && rule.name == *name {
                        rule.enabled = *enabled;
                    }
                }
            }
            Change::CreateStatistics { statistics, if_not_exists } => {
                self.create_statistics(statistics, *if_not_exists);
            }
            Change::SetExtendedStatisticsTarget { name, target } => self.set_statistics_target(name, *target),
            Change::DropStatistics { name, .. } => self.drop_statistics(name),
            Change::CreatePublication { .. }
            | Change::AlterPublication { .. }
            | Change::SetPublicationOptions { .. }
            | Change::DropPublication { .. } => self.alter_publications(change),
            Change::AddAttribute { .. }
            | Change::DropAttribute { .. }
            | Change::AlterAttributeType { .. }
            | Change::RenameAttribute { .. }
            | Change::SetDomainDefault { .. }
            | Change::SetDomainNotNull { .. }
            | Change::AddDomainCheck { .. }
            | Change::DropDomainConstraint { .. }
            | Change::RenameDomainConstraint { .. }
            | Change::ValidateDomainConstraint { .. } => self.alter_type(change),
            Change::Procedural { kind, .. } => self.doubt(None, kind.not_analysed()),
            Change::DropOwned { .. } => self.doubt(None, "it is not known what the roles own"),
            Change::CreateExtension { extension, .. } => {
                let mut extension = extension.clone();
                if extension.schema.is_empty()
                    && let Some(first) = self.search_path.first()
                {
                    extension.schema = first.clone();
                }
                if let Some(extensions) = self.catalog.extensions.known_mut()
                    && !extensions.iter().any(|other| other.name == extension.name)
                {
                    extensions.push(extension);
                }
            }
            Change::DropExtension { name, .. } => {
                if let Some(extensions) = self.catalog.extensions.known_mut() {
                    extensions.retain(|extension| extension.name != *name);
                }
            }
            Change::Comment { on, text } => self.comment(on, text.as_ref()),
            Change::SetSessionSetting { name, value, .. } if *name == "search_path" => {
                self.set_search_path(value.as_deref());
            }
            Change::Opaque { because, touches } => {
                if touches.is_empty() {
                    self.doubt(None, because.clone());
                }
                for name in touches {
                    let name = self.table_name(name);
                    self.doubt(Some(name), because.clone());
                }
            }
            Change::RefreshView { name, populated, .. } => {
                let name = self.view_name(name);
                if let Some(view) = self.catalog.views.iter_mut().find(|view| view.name == name) {
                    view.populated = *populated;
                }
            }
            Change::SetIndexStatistics { .. }
            | Change::Reindex { .. }
            | Change::ReindexAll { .. }
            | Change::Cluster { .. }
            | Change::RebuildTable { .. }
            | Change::OrderTable { .. }
            | Change::SetForeignOptions { .. }
            | Change::SetSequenceValue { .. }
            | Change::AdvanceSequence { .. }
            | Change::SetIndexExtension { .. }
            | Change::DiscardAll
            | Change::Explain { .. }
            | Change::SyncSequence { .. }
            | Change::UpdateExtension { .. }
            | Change::CreateObject { .. }
            | Change::AlterObject { .. }
            | Change::DropObject { .. }
            | Change::CreateSubscription { .. }
            | Change::AlterSubscription { .. }
            | Change::DropSubscription { .. }
            | Change::SetGrant { .. }
            | Change::SetMembership { .. }
            | Change::ReassignOwned { .. }
            | Change::SetServerSetting { .. }
            | Change::SetRoleSetting { .. }
            | Change::SetDatabaseSetting { .. }
            | Change::SetSessionSetting { .. }
            | Change::SetConstraints { .. }
            | Change::LockTable { .. }
            | Change::Analyze { .. }
            | Change::Vacuum { .. }
            | Change::Transaction { .. }
            | Change::Data { .. }
            | Change::Prepare { .. }
            | Change::AttachDatabase { .. }
            | Change::DetachDatabase { .. }
            | Change::Nothing => {}
        }
    }

    fn set_search_path(&mut self, value: Option<&str>) {
        let names: Vec<Name> = value
            .unwrap_or("public")
            .split(',')
            .map(|name| name.trim().trim_matches(['"', '\'']))
            .filter(|name| !name.is_empty() && !name.starts_with('$') && *name != "pg_catalog")
            .map(Name::new)
            .collect();
        // An empty path means that every name is qualified; unqualified ones still have to go somewhere.
        self.search_path = if names.is_empty() { vec![Name::new("public")] } else { names };
    }

    /// The function of a name that the search path finds.
    fn function_in_path(&self, name: &Name) -> Option<QualifiedName> {
        let functions = self.catalog.functions.known()?;
        self.search_path.iter().find_map(|schema| {
            let same = |other: &&QualifiedName| other.schema == *schema && other.name == *name;
            functions.iter().map(|function| &function.name).find(same).cloned()
        })
    }

    fn view_name(&self, name: &QualifiedName) -> QualifiedName {
        if name.schema.is_empty() {
            for schema in &self.search_path {
                let candidate = QualifiedName { schema: schema.clone(), name: name.name.clone() };
                if self.catalog.views.iter().any(|view| view.name == candidate) {
                    return candidate;
                }
            }
        }
        self.new_name(name)
    }

    fn sequence_name(&self, name: &QualifiedName) -> QualifiedName {
        self.new_name(name)
    }

    /// What could not be carried out so far.
    pub fn doubts(&self) -> &[Doubt] {
        &self.catalog.doubts
    }

    /// Runs `edit` on a table; a table that is not there becomes a doubt.
    fn with_table(&mut self, name: &QualifiedName, edit: impl FnOnce(&mut Table, Engine)) {
        let engine = self.engine;
        match self.table_mut(name) {
            Some(table) => edit(table, engine),
            None => {
                let name = self.table_name(name);
                self.doubt(Some(name), "it is changed but was never created");
            }
        }
    }

    fn with_column(&mut self, table: &QualifiedName, column: &Name, edit: impl FnOnce(&mut Column)) {
        self.with_table(table, |table, engine| {
            if let Some(column) = column_mut(engine, table, column) {
                edit(column);
            }
        });
    }

    /// As [`Folder::with_column`], for everything that inherits the column as well unless `ONLY` was said.
    fn with_column_below(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        alter: &AlterClauses,
        edit: &dyn Fn(&mut Column),
    ) {
        let full = self.table_name(table);
        self.with_column(table, column, edit);
        if !alter.only {
            for heir in self.all_heirs_of(&full) {
                self.with_column(&heir, column, edit);
            }
        }
    }

    fn with_index(&mut self, index: &QualifiedName, edit: impl FnOnce(&mut Index)) {
        let found = match self.find_index(None, index) {
            Some((owner, name)) => {
                self.catalog.tables[owner].indexes.iter_mut().find(|index| index.name == name)
            }
            None => self
                .catalog
                .views
                .iter_mut()
                .flat_map(|view| &mut view.indexes)
                .find(|other| other.name == index.name),
        };
        if let Some(index) = found {
            edit(index);
        }
    }

    fn is_view(&self, name: &QualifiedName) -> bool {
        let name = self.view_name(name);
        self.catalog.views.iter().any(|view| view.name == name)
    }

    /// The sequence behind an identity column takes options.
    fn alter_identity(&mut self, table: &QualifiedName, column: &Name, options: &SequenceChanges) {
        if *options == SequenceChanges::default() {
            return;
        }
        let sequence = self.table_mut(table).and_then(|table| {
            table
                .columns
                .iter()
                .find(|other| other.name == *column)
                .and_then(|column| column.sequence.clone())
        });
        let Some(sequence) = sequence else { return };
        self.alter_sequence(&sequence, options);
        if let Some(name) = &options.name {
            let name = QualifiedName {
                schema: if name.schema.is_empty() { sequence.schema.clone() } else { name.schema.clone() },
                name: name.name.clone(),
            };
            self.relations = None;
            self.rename_object(&ObjectKind::Sequence, &sequence, None, &name);
        }
    }

    fn with_enum(&mut self, name: &QualifiedName, edit: impl FnOnce(&mut Vec<String>)) {
        let name = self.new_name(name);
        if let Some(user_type) = self.catalog.types.iter_mut().find(|other| other.name == name)
            && let UserTypeKind::Enum(labels) = &mut user_type.kind
        {
            edit(labels);
        }
    }

    fn drop_schema(&mut self, name: &Name, cascade: bool) {
        self.catalog.schemas.retain(|schema| schema.name != *name);
        if cascade {
            let doomed: Vec<QualifiedName> = self
                .catalog
                .tables
                .iter()
                .filter(|table| table.name.schema == *name)
                .map(|table| table.name.clone())
                .collect();
            for table in doomed {
                self.drop_table(&table, true);
            }
            self.catalog.views.retain(|view| view.name.schema != *name);
            self.catalog.sequences.retain(|sequence| sequence.name.schema != *name);
            self.catalog.types.retain(|user_type| user_type.name.schema != *name);
            if let Some(functions) = self.catalog.functions.known_mut() {
                functions.retain(|function| function.name.schema != *name);
            }
        }
    }

    fn create_table(&mut self, table: &Table, if_not_exists: bool) {
        let name = self.new_name(&table.name);
        if self.engine == Engine::Sqlite && name.name.as_str().starts_with("sqlite_") {
            // Its own tables, which `.schema` lists.
            return;
        }
        if self.tables.contains_key(&self.lookup_form(&name)) {
            if !if_not_exists {
                self.doubt(Some(name), "it is created twice");
            }
            return;
        }
        let mut table = table.clone();
        table.name = name;
        self.columns_of_type(&mut table);
        self.inherit_columns(&mut table);
        for column in &mut table.columns {
            // The name that the server would make up says nothing.
            let usual = format!("{}_{}_not_null", table.name.name, column.name);
            if let Some(constraint) = &mut column.not_null_constraint {
                constraint.name = constraint.name.take().filter(|name| *name != *usual);
                if constraint.name.is_none() && constraint.validated && !constraint.no_inherit {
                    column.not_null_constraint = None;
                }
            }
        }
        let sqlite = self.engine == Engine::Sqlite;
        if sqlite && !table.indexes.iter().any(|index| index.backs.is_some()) {
            table.indexes.extend(crate::sqlite::understand::implied_indexes(&table));
        }
        let keys = (table.primary_key.take(), std::mem::take(&mut table.uniques));
        // MariaDB's json columns are found by their checks.
        if self.engine == Engine::Mariadb {
            read_json_columns(&mut table);
        }
        let checks = std::mem::take(&mut table.checks);
        let foreign_keys = std::mem::take(&mut table.foreign_keys);
        // Keys of MySQL arrive together with their indexes; all others get theirs when they are added.
        let named_indexes = std::mem::take(&mut table.indexes);
        let exclusions = std::mem::take(&mut table.exclusions);
        // The next number of a column is a matter of rows.
        table.options.retain(|(name, _)| !name.as_str().starts_with(TOAST) && *name != "auto_increment");
        let name = table.name.clone();
        let partition_of = match &mut table.kind {
            TableKind::Partition { of, .. } => {
                *of = resolve_in(&self.tables, &self.search_path, of);
                Some(of.clone())
            }
            _ => None,
        };
        let mut parents = table.inherits.clone();
        parents.extend(partition_of);
        if let Some(relations) = &mut self.relations {
            relations.insert(name.clone());
        }
        self.catalog.tables.push(table);
        self.tables.insert(self.lookup_form(&name), self.catalog.tables.len() - 1);
        if !parents.is_empty() && !self.stays_a_tree(&name) {
            parents.clear();
        }
        self.make_sequences(&name);
        if let Some(key) = keys.0.as_ref().filter(|_| !sqlite) {
            self.add_key(&name, key, ConstraintKind::PrimaryKey, None);
        }
        for index in &named_indexes {
            if sqlite || index.backs != Some(ConstraintKind::PrimaryKey) {
                self.create_index(&name, index, false, false);
            }
        }
        if let Some(key) = keys.0.as_ref().filter(|_| sqlite) {
            self.add_key(&name, key, ConstraintKind::PrimaryKey, None);
        }
        for key in &keys.1 {
            self.add_key(&name, key, ConstraintKind::Unique, None);
        }
        for check in &checks {
            self.add_check(&name, check, false);
        }
        for foreign_key in &foreign_keys {
            self.add_foreign_key(&name, foreign_key);
        }
        for exclusion in &exclusions {
            self.add_exclusion(&name, exclusion);
        }
        for parent in parents {
            self.hand_down(&name, &parent);
        }
    }

    /// Columns of a table that was made `OF` a composite type.
    fn columns_of_type(&mut self, table: &mut Table) {
        let Some(of_type) = table.of_type.take() else { return };
        let of_type = self.type_name(&of_type);
        let attributes = self.catalog.types.iter().find(|other| other.name == of_type);
        let Some(UserTypeKind::Composite(attributes)) = attributes.map(|user_type| &user_type.kind) else {
            table.of_type = Some(of_type);
            self.doubt(Some(table.name.clone()), "the columns of its type are not known");
            return;
        };
        let mut said = std::mem::take(&mut table.columns);
        for (name, data_type) in attributes {
            let own = said.iter().position(|column| column.name == *name).map(|at| said.remove(at));
            table.columns.push(Column {
                name: name.clone(),
                data_type: data_type.clone(),
                ..own.unwrap_or_default()
            });
        }
        table.of_type = Some(of_type);
    }

    /// Whether a table is none of its own ancestors. Otherwise the last tie is cut: what is handed down would go in circles.
    fn stays_a_tree(&mut self, name: &QualifiedName) -> bool {
        let mut seen: HashSet<&QualifiedName> = HashSet::new();
        let mut pending = vec![name];
        let mut circle = false;
        while let Some(next) = pending.pop() {
            let Some(i) = self.tables.get(&self.lookup_form(next)) else { continue };
            let table = &self.catalog.tables[*i];
            let of = match &table.kind {
                TableKind::Partition { of, .. } => Some(of),
                _ => None,
            };
            for parent in table.inherits.iter().chain(of) {
                circle |= parent == name;
                if seen.insert(parent) {
                    pending.push(parent);
                }
            }
        }
        if circle {
            self.with_table(name, |target, _| {
                target.inherits.clear();
                if target.is_partition() {
                    target.kind = TableKind::Ordinary;
                }
            });
            self.doubt(Some(name.clone()), "it would be its own parent");
        }
        !circle
    }

    /// Columns that come from a partitioned parent or by inheritance.
    fn inherit_columns(&mut self, table: &mut Table) {
        for parent in &mut table.inherits {
            *parent = self.table_name(parent);
        }
        let mut parents = table.inherits.clone();
        if let TableKind::Partition { of, .. } = &table.kind {
            parents.push(self.table_name(of));
        }
        let mut columns: Vec<Column> = Vec::new();
        for parent in &parents {
            let Some(parent) = self.table_mut(parent) else { continue };
            for column in &parent.columns {
                if !columns.iter().any(|other| other.name == column.name) {
                    // A sequence belongs to the column it was made for, not to its heirs.
                    columns.push(Column {
                        sequence: None,
                        auto_increment: false,
                        identity: None,
                        not_null_constraint: None,
                        ..column.clone()
                    });
                }
            }
        }
        for own in std::mem::take(&mut table.columns) {
            match columns.iter_mut().find(|column| column.name == own.name) {
                Some(column) => {
                    column.not_null |= own.not_null;
                    if own.default.is_some() {
                        column.default = own.default;
                    }
                }
                None => columns.push(own),
            }
        }
        table.columns = columns;
    }

    fn create_table_like(
        &mut self,
        table: &Table,
        like: &QualifiedName,
        including_indexes: bool,
        if_not_exists: bool,
    ) {
        let Some(source) = self.table_mut(like).map(|source| source.clone()) else {
            let name = self.new_name(&table.name);
            self.doubt(Some(name), format!("it is made like `{like}`, which was never created"));
            self.create_table(table, if_not_exists);
            return;
        };
        let mut copy = table.clone();
        let mut columns: Vec<Column> = source
            .columns
            .iter()
            .map(|column| {
                let mut column = column.clone();
                if self.engine == Engine::Postgres && !including_indexes {
                    column.default = None;
                    column.identity = None;
                    column.generated = None;
                }
                column.sequence = None;
                if self.engine == Engine::Postgres {
                    column.auto_increment = false;
                    if !including_indexes {
                        column.comment = None;
                    }
                }
                column
            })
            .collect();
        columns.append(&mut copy.columns);
        copy.columns = columns;
        if including_indexes {
            copy.primary_key = copy.primary_key.or(source.primary_key.map(|key| Key { name: None, ..key }));
            copy.uniques.extend(source.uniques.into_iter().map(|key| Key { name: None, ..key }));
            if self.engine.dialect() == Dialect::Mysql {
                copy.primary_key =
                    copy.primary_key.map(|key| Key { name: Some(Name::new("PRIMARY")), ..key });
                copy.storage_engine = source.storage_engine;
                copy.collation = source.collation;
                copy.indexes = source.indexes;
                copy.checks = source.checks;
            } else {
                copy.indexes.extend(
                    source.indexes.into_iter().filter(|index| index.backs.is_none()).map(|index| Index {
                        name: Name::DEFAULT,
                        partition_of: None,
                        valid: true,
                        ..index
                    }),
                );
            }
        }
        self.create_table(&copy, if_not_exists);
    }

    /// Gives `serial` and identity columns their sequences.
    fn make_sequences(&mut self, table: &QualifiedName) {
        if self.engine != Engine::Postgres {
            return;
        }
        let Some(target) = self.table_mut(table) else { return };
        let wanted: Vec<(Name, DataType, bool)> = target
            .columns
            .iter()
            .filter(|column| {
                column.sequence.is_none() && (column.auto_increment || column.identity.is_some())
            })
            .map(|column| (column.name.clone(), column.data_type.clone(), column.auto_increment))
            .collect();
        for (column, data_type, serial) in wanted {
            self.gather_relations();
            let taken = |name: &str| self.relation_exists(&table.schema, name);
            let name = names::postgres_unused(table.name.as_str(), column.as_str(), "seq", &taken);
            let name = QualifiedName { schema: table.schema.clone(), name };
            self.note_relation(name.clone());
            let max = data_type.max_integer().map_or(i64::MAX, |max| max.min(i64::MAX as u64) as i64);
            self.catalog.sequences.push(Sequence {
                name: name.clone(),
                data_type,
                start: 1,
                increment: 1,
                min: 1,
                max,
                cycle: false,
                owned_by: Some((table.clone(), column.clone())),
            });
            self.with_column(table, &column, |target| {
                target.not_null = true;
                target.auto_increment = false;
                if serial {
                    let text = format!("nextval('{name}'::regclass)");
                    let tree = crate::parse_expression(Dialect::Postgres, &text);
                    target.default = Some(Expression { text, tree: tree.map(Arc::new) });
                }
                target.sequence = Some(name);
            });
        }
    }

    /// Whether a name is given in a schema, as far as [`Folder::gather_relations`] saw it.
    fn relation_exists(&self, schema: &Name, name: &str) -> bool {
        let name = QualifiedName { schema: schema.clone(), name: Name::new(name) };
        self.relations.as_ref().is_some_and(|relations| relations.contains(&name))
            && (!self.relations_dropped || self.is_relation(&name))
    }

    fn is_relation(&self, name: &QualifiedName) -> bool {
        let has = |owner: &QualifiedName, indexes: &[Index]| {
            owner == name
                || owner.schema == name.schema && indexes.iter().any(|index| index.name == name.name)
        };
        self.catalog.tables.iter().any(|table| has(&table.name, &table.indexes))
            || self.catalog.views.iter().any(|view| has(&view.name, &view.indexes))
            || self.catalog.sequences.iter().any(|sequence| sequence.name == *name)
    }

    fn note_relation(&mut self, name: QualifiedName) {
        if let Some(relations) = &mut self.relations {
            relations.insert(name);
        }
    }

    /// Makes the set of names in use, which only PostgreSQL needs: elsewhere names of indexes belong to their table.
    fn gather_relations(&mut self) {
        if self.relations.is_some() || self.engine != Engine::Postgres {
            return;
        }
        let mut relations: HashSet<QualifiedName> = HashSet::new();
        for table in &self.catalog.tables {
            relations.extend(table.indexes.iter().map(|index| table.name.sibling(&index.name)));
            relations.insert(table.name.clone());
        }
        for view in &self.catalog.views {
            relations.extend(view.indexes.iter().map(|index| view.name.sibling(&index.name)));
            relations.insert(view.name.clone());
        }
        relations.extend(self.catalog.sequences.iter().map(|sequence| sequence.name.clone()));
        self.relations = Some(relations);
        self.relations_dropped = false;
    }

    fn drop_table(&mut self, name: &QualifiedName, cascade: bool) {
        let full = self.table_name(name);
        let Some(i) = self.tables.get(&self.lookup_form(&full)).copied() else { return };
        let full = self.catalog.tables[i].name.clone();
        let partitions: Vec<QualifiedName> = self
            .catalog
            .tables
            .iter()
            .filter(|table| matches!(&table.kind, TableKind::Partition { of, .. } if *of == full))
            .map(|table| table.name.clone())
            .collect();
        self.catalog.tables.remove(i);
        self.index_tables();
        for partition in partitions {
            self.drop_table(&partition, cascade);
        }
        if cascade {
            for table in &mut self.catalog.tables {
                table.foreign_keys.retain(|foreign_key| foreign_key.references != full);
            }
            self.drop_views_of(&full, None);
        }
        self.forget_table(&full);
        self.catalog
            .sequences
            .retain(|sequence| sequence.owned_by.as_ref().is_none_or(|(table, _)| *table != full));
        if let Some(triggers) = self.catalog.triggers.known_mut() {
            triggers.retain(|trigger| trigger.table != full);
        }
        if let Some(policies) = self.catalog.policies.known_mut() {
            policies.retain(|policy| policy.table != full);
        }
    }

    fn rename_table(&mut self, table: &QualifiedName, to: &QualifiedName) {
        let from = self.table_name(table);
        let Some(i) = self.tables.get(&self.lookup_form(&from)).copied() else {
            let view = self.view_name(table);
            let to = QualifiedName {
                schema: if to.schema.is_empty() { view.schema.clone() } else { to.schema.clone() },
                name: to.name.clone(),
            };
            if !self.catalog.views.iter().any(|other| other.name == view) {
                return self.doubt(Some(from), "it is renamed but was never created");
            }
            self.follow_in_views(&view, &to);
            for known in self.catalog.views.iter_mut().filter(|other| other.name == view) {
                known.name = to.clone();
            }
            return;
        };
        let from = self.catalog.tables[i].name.clone();
        let to = QualifiedName {
            schema: if to.schema.is_empty() { from.schema.clone() } else { to.schema.clone() },
            name: to.name.clone(),
        };
        let taken = self.tables.get(&self.lookup_form(&to)).copied().filter(|other| *other != i);
        let i = match taken {
            // No server lets two tables have one name: what made room for the new one was not understood.
            Some(_) => {
                self.doubt(Some(to.clone()), "another table takes its name");
                self.drop_table(&to, false);
                match self.tables.get(&self.lookup_form(&from)) {
                    Some(i) => *i,
                    None => return,
                }
            }
            None => i,
        };
        self.follow_in_views(&from, &to);
        self.catalog.tables[i].name = to.clone();
        self.rename_generated(i, &from.name, &to.name);
        let rename = |name: &mut QualifiedName| {
            if *name == from {
                *name = to.clone();
            }
        };
        for table in &mut self.catalog.tables {
            table.foreign_keys.iter_mut().for_each(|foreign_key| rename(&mut foreign_key.references));
            table.inherits.iter_mut().for_each(rename);
            if let TableKind::Partition { of, .. } = &mut table.kind {
                rename(of);
            }
        }
        for sequence in &mut self.catalog.sequences {
            if let Some((table, _)) = &mut sequence.owned_by {
                rename(table);
            }
        }
        if let Some(triggers) = self.catalog.triggers.known_mut() {
            triggers.iter_mut().for_each(|trigger| rename(&mut trigger.table));
        }
        if let Some(policies) = self.catalog.policies.known_mut() {
            policies.iter_mut().for_each(|policy| rename(&mut policy.table));
        }
        self.follow_table(&from, &to);
        self.index_tables();
        self.stays_a_tree(&to);
    }

    fn add_column(
        &mut self,
        table: &QualifiedName,
        column: &Column,
        position: &ColumnPosition,
        if_not_exists: bool,
        only: bool,
    ) {
        let full = self.table_name(table);
        let mut duplicate = false;
        self.with_table(table, |target, engine| {
            if column_mut(engine, target, &column.name).is_some() {
                duplicate = true;
                return;
            }
            insert_column(target, column.clone(), position);
        });
        if duplicate {
            if !if_not_exists {
                self.doubt(Some(full), format!("column `{}` is added twice", column.name));
            }
            // Its heirs have it too.
            return;
        }
        self.make_sequences(&full);
        let heirs = if only { Vec::new() } else { self.heirs_of(&full) };
        for heir in heirs {
            let column = Column { auto_increment: false, identity: None, ..column.clone() };
            self.add_column(&heir, &column, position, true, false);
        }
    }

    fn drop_column(&mut self, table: &QualifiedName, column: &Name, cascade: bool, only: bool) {
        let full = self.table_name(table);
        let mut found = false;
        self.with_table(table, |target, engine| {
            let Some(declared) = column_mut(engine, target, column).map(|found| found.name.clone()) else {
                return;
            };
            found = true;
            target.columns.retain(|other| other.name != declared);
            if engine.dialect() == Dialect::Mysql {
                // MySQL takes the column out of its indexes and drops those that become empty.
                for index in &mut target.indexes {
                    index.parts.retain(|part| part.as_column() != Some(&declared));
                }
                target.indexes.retain(|index| !index.parts.is_empty());
                for key in &mut target.uniques {
                    key.columns.retain(|other| *other != declared);
                }
                target.uniques.retain(|key| !key.columns.is_empty());
            } else {
                target.indexes.retain(|index| !index_mentions(index, &declared));
                target.uniques.retain(|key| !key.columns.contains(&declared));
            }
            if target.primary_key.as_ref().is_some_and(|key| key.columns.contains(&declared)) {
                target.primary_key = None;
            }
            target.checks.retain(|check| !mentions(&check.expression, &declared));
            target.foreign_keys.retain(|foreign_key| !foreign_key.columns.contains(&declared));
        });
        if cascade {
            for other in &mut self.catalog.tables {
                other.foreign_keys.retain(|foreign_key| {
                    foreign_key.references != full || !foreign_key.referenced_columns.contains(column)
                });
            }
        }
        self.catalog.sequences.retain(|sequence| {
            sequence.owned_by.as_ref().is_none_or(|(table, owner)| *table != full || owner != column)
        });
        // Statistics over several columns go with any of them.
        self.catalog.statistics.retain(|statistics| {
            statistics.table != full
                || !statistics.columns.contains(column)
                    && !statistics.expressions.iter().any(|expression| mentions(expression, column))
        });
        if cascade {
            self.drop_views_of(&full, Some(column));
            if let Some(triggers) = self.catalog.triggers.known_mut() {
                triggers.retain(|trigger| trigger.table != full || !trigger.names(column));
            }
        }
        if !only {
            for heir in self.heirs_of(&full).iter().filter(|_| found) {
                self.drop_column(heir, column, cascade, false);
            }
        }
    }

    fn modify_column(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        to: &Column,
        position: &ColumnPosition,
    ) {
        if *column != to.name && !self.rename_column(table, column, &to.name) {
            return;
        }
        self.with_table(table, |target, engine| {
            let in_key = target.primary_key.as_ref().is_some_and(|key| key.columns.contains(&to.name));
            let Some(found) = column_mut(engine, target, &to.name) else { return };
            *found = to.clone();
            found.not_null |= in_key;
            if *position != ColumnPosition::Last
                && let Some(i) = target.columns.iter().position(|other| other.name == to.name)
            {
                let column = target.columns.remove(i);
                insert_column(target, column, position);
            }
        });
    }

    fn set_identity(
        &mut self,
        table: &QualifiedName,
        column: &Name,
        identity: Option<dbwright_model::catalog::Identity>,
    ) {
        let full = self.table_name(table);
        self.with_column(table, column, |target| target.identity = identity);
        if identity.is_some() {
            self.make_sequences(&full);
        } else {
            self.with_column(table, column, |target| target.sequence = None);
            self.catalog.sequences.retain(|sequence| {
                sequence.owned_by.as_ref().is_none_or(|(table, owner)| *table != full || owner != column)
            });
        }
    }

    /// The table that holds an index, and the index's name as declared.
    fn find_index(&self, table: Option<&QualifiedName>, index: &QualifiedName) -> Option<(usize, Name)> {
        let same = |name: &Name| match self.engine.dialect() {
            Dialect::Postgres => *name == index.name,
            _ => name.eq_ignore_case(index.name.as_str()),
        };
        let table = table.map(|table| self.lookup_form(&self.table_name(table)));
        self.catalog.tables.iter().enumerate().find_map(|(i, candidate)| {
            if table.as_ref().is_some_and(|table| *table != self.lookup_form(&candidate.name)) {
                return None;
            }
            if !index.schema.is_empty() && candidate.name.schema != index.schema {
                return None;
            }
            candidate.indexes.iter().find(|other| same(&other.name)).map(|other| (i, other.name.clone()))
        })
    }

    fn drop_index(&mut self, table: Option<&QualifiedName>, index: &QualifiedName) {
        let Some((owner, name)) = self.find_index(table, index) else {
            for view in &mut self.catalog.views {
                view.indexes.retain(|other| other.name != index.name);
            }
            return;
        };
        let table = &mut self.catalog.tables[owner];
        table.indexes.retain(|other| other.name != name);
        table.uniques.retain(|key| key.name.as_ref() != Some(&name));
        for table in &mut self.catalog.tables {
            table.indexes.retain(|other| other.partition_of.as_ref() != Some(&name));
        }
    }

    fn set_table_options(&mut self, table: &QualifiedName, options: &[(Name, String)]) {
        self.with_table(table, |target, engine| {
            if engine.dialect() != Dialect::Mysql {
                set_or_reset(&mut target.options, options);
                target.options.retain(|(name, _)| !name.as_str().starts_with(TOAST));
                return;
            }
            for (name, value) in options {
                match name.as_str() {
                    "engine" => target.storage_engine = Some(Name::new(value)),
                    "auto_increment" => {}
                    "convert_to" => {
                        target.collation = Some(Name::new(value));
                        for column in &mut target.columns {
                            column.collation = None;
                        }
                    }
                    "collation" => target.collation = Some(Name::new(value)),
                    "charset" => target.collation = Some(Name::new(value)),
                    "comment" => target.comment = Some(value.clone()),
                    _ => merge_options(&mut target.options, &[(name.clone(), value.clone())]),
                }
            }
        });
    }

    fn set_owner(&mut self, object: &QualifiedName, owner: &Name) {
        if let Some(table) = self.table_mut(object) {
            table.owner = Some(owner.clone());
            return;
        }
        let view = self.view_name(object);
        if let Some(view) = self.catalog.views.iter_mut().find(|other| other.name == view) {
            view.owner = Some(owner.clone());
        }
    }

    fn alter_sequence(&mut self, name: &QualifiedName, changes: &SequenceChanges) {
        let full = self.sequence_name(name);
        let owned_by = changes
            .owned_by
            .as_ref()
            .map(|owner| owner.as_ref().map(|(table, column)| (self.table_name(table), column.clone())));
        let Some(sequence) = self.catalog.sequences.iter_mut().find(|sequence| sequence.name == full) else {
            return;
        };
        if let Some(data_type) = &changes.data_type {
            // The limits follow the type as long as they are the type's own.
            if sequence.data_type.max_integer().and_then(|max| i64::try_from(max).ok()) == Some(sequence.max)
                && let Some(max) = data_type.max_integer().and_then(|max| i64::try_from(max).ok())
            {
                sequence.max = max;
            }
            sequence.data_type = data_type.clone();
        }
        sequence.start = changes.start.unwrap_or(sequence.start);
        sequence.increment = changes.increment.unwrap_or(sequence.increment);
        let (low, high) = own_limits(sequence);
        sequence.min = changes.min.unwrap_or(if changes.no_min { low } else { sequence.min });
        sequence.max = changes.max.unwrap_or(if changes.no_max { high } else { sequence.max });
        sequence.cycle = changes.cycle.unwrap_or(sequence.cycle);
        if let Some(owner) = owned_by {
            sequence.owned_by.clone_from(&owner);
            if let Some((table, column)) = owner {
                self.with_column(&table, &column, |target| target.sequence = Some(full.clone()));
            }
        }
        if let Some(to) = &changes.rename
            && let Some(sequence) = self.catalog.sequences.iter_mut().find(|sequence| sequence.name == full)
        {
            sequence.name.name = to.clone();
        }
    }

    fn drop_type(&mut self, name: &QualifiedName, cascade: bool) {
        let full = self.new_name(name);
        self.catalog.types.retain(|user_type| user_type.name != full);
        if cascade {
            for table in &mut self.catalog.tables {
                table.columns.retain(|column| {
                    column
                        .data_type
                        .user_type
                        .as_ref()
                        .is_none_or(|user_type| *user_type != full && *user_type != *name)
                });
            }
        }
    }

    fn comment(&mut self, on: &CommentTarget, text: Option<&String>) {
        let text = text.cloned();
        match on {
            CommentTarget::Schema(name) => {
                if let Some(schema) = self.catalog.schemas.iter_mut().find(|schema| schema.name == *name) {
                    schema.comment = text;
                }
            }
            CommentTarget::Table(name) => self.with_table(name, |table, _| table.comment = text),
            CommentTarget::Column(table, column) => {
                let full = self.table_name(table);
                if self.table_mut(&full).is_some() {
                    self.with_column(table, column, |column| column.comment = text);
                }
            }
            CommentTarget::View(name) => {
                let name = self.view_name(name);
                if let Some(view) = self.catalog.views.iter_mut().find(|view| view.name == name) {
                    view.comment = text;
                }
            }
            CommentTarget::Index(name) => {
                if let Some((owner, name)) = self.find_index(None, name)
                    && let Some(index) =
                        self.catalog.tables[owner].indexes.iter_mut().find(|index| index.name == name)
                {
                    index.comment = text;
                }
            }
            CommentTarget::Type(name) => {
                let name = self.new_name(name);
                if let Some(user_type) = self.catalog.types.iter_mut().find(|other| other.name == name) {
                    user_type.comment = text;
                }
            }
            CommentTarget::Sequence(_) | CommentTarget::Other => {}
        }
    }
}

/// Storage parameters of the table behind, which the server keeps there.
const TOAST: &str = "toast.";

/// What becomes of the names of relations.
enum LossOfNames {
    /// Those that are there stay.
    None,
    /// Some are given to nothing any more.
    Dropped,
    /// Some are given to something else.
    Renamed,
}

/// Whether a change may free a name.
fn loss_of_names(change: &Change) -> LossOfNames {
    match change {
        Change::DropTable { .. }
        | Change::DropIndex { .. }
        | Change::DropView { .. }
        | Change::DropSequence { .. }
        | Change::DropSchema { .. }
        | Change::DropColumn { .. }
        | Change::DropConstraint { .. }
        | Change::DropObject { .. }
        | Change::SetIdentity { identity: None, .. } => LossOfNames::Dropped,
        Change::RenameTable { .. }
        | Change::RenameIndex { .. }
        | Change::RenameConstraint { .. }
        | Change::SetSchema { .. }
        | Change::RenameObject { .. }
        | Change::AlterSequence { .. } => LossOfNames::Renamed,
        _ => LossOfNames::None,
    }
}

/// MariaDB's `json` is a `longtext` with a check, and its own dump spells it so.
fn read_json_columns(table: &mut Table) {
    for column in &mut table.columns {
        let is_check = |check: &Check| {
            let Some(Expr::Call(call)) = check.expression.tree.as_deref() else { return false };
            call.function().eq_ignore_ascii_case("json_valid")
                && matches!(call.args.as_slice(), [Expr::Column { name, .. }]
                    if name.eq_ignore_case(column.name.as_str()))
        };
        if column.data_type.text == "longtext" && table.checks.iter().any(is_check) {
            table.checks.retain(|check| !is_check(check));
            column.data_type = crate::data_type(Dialect::Mysql, "json");
            column.collation = None;
        }
    }
}

/// Gives checks of a domain the names that PostgreSQL gives them.
fn name_domain_checks(user_type: &mut UserType) {
    let UserTypeKind::Domain { checks, .. } = &mut user_type.kind else { return };
    let mut taken: Vec<Name> = checks.iter().filter_map(|check| check.name.clone()).collect();
    for check in checks.iter_mut().filter(|check| check.name.is_none()) {
        let is_taken = |name: &str| taken.iter().any(|other| *other == *name);
        let name = names::postgres_unused(user_type.name.name.as_str(), "", "check", &is_taken);
        taken.push(name.clone());
        check.name = Some(name);
    }
}

fn resolve_in(
    tables: &HashMap<QualifiedName, usize>,
    search_path: &[Name],
    name: &QualifiedName,
) -> QualifiedName {
    if !name.schema.is_empty() {
        return name.clone();
    }
    let candidates =
        search_path.iter().map(|schema| QualifiedName { schema: schema.clone(), name: name.name.clone() });
    let first = candidates.clone().next();
    candidates.into_iter().find(|name| tables.contains_key(name)).or(first).unwrap_or_else(|| name.clone())
}

fn column_mut<'a>(engine: Engine, table: &'a mut Table, name: &Name) -> Option<&'a mut Column> {
    table.columns.iter_mut().find(|column| match engine.dialect() {
        Dialect::Postgres => column.name == *name,
        Dialect::Mysql | Dialect::Sqlite => column.name.eq_ignore_case(name.as_str()),
    })
}

fn insert_column(table: &mut Table, column: Column, position: &ColumnPosition) {
    let at = match position {
        ColumnPosition::Last => table.columns.len(),
        ColumnPosition::First => 0,
        ColumnPosition::After(name) => table
            .columns
            .iter()
            .position(|other| other.name.eq_ignore_case(name.as_str()))
            .map_or(table.columns.len(), |i| i + 1),
    };
    table.columns.insert(at, column);
}

/// Whether a primary key makes its columns `NOT NULL`. SQLite does so only where the key is the table itself.
fn implies_not_null(engine: Engine, table: &Table, key: &Key) -> bool {
    if engine != Engine::Sqlite || table.without_rowid {
        return true;
    }
    // Only the rowid itself refuses nulls; other keys of ordinary tables take them by an old mistake.
    key.columns.len() == 1 && table.indexes.iter().any(|index| index.name == *Index::ROWID)
}

fn key_index_name(engine: Engine, table: &Table, key: &Key, kind: ConstraintKind) -> Name {
    match engine {
        Engine::Sqlite => {
            let n = table.indexes.iter().filter(|index| index.backs.is_some()).count() + 1;
            Name::from(format!("sqlite_autoindex_{}_{n}", table.name.name))
        }
        Engine::Mysql | Engine::Mariadb if kind == ConstraintKind::PrimaryKey => Name::new("PRIMARY"),
        _ => key.name.clone().unwrap_or_else(|| {
            let taken = |name: &str| table.indexes.iter().any(|index| index.name == *name);
            names::mysql_unused(key.columns.first().map_or("", Name::as_str), &taken)
        }),
    }
}

fn constraint_exists(table: &Table, name: &str) -> bool {
    let has = |other: &Option<Name>| other.as_ref().is_some_and(|other| *other == *name);
    table.checks.iter().any(|check| has(&check.name))
        || table.foreign_keys.iter().any(|foreign_key| has(&foreign_key.name))
        || table.uniques.iter().any(|key| has(&key.name))
        || table.primary_key.as_ref().is_some_and(|key| has(&key.name))
}

fn merge_options(target: &mut Vec<(Name, String)>, options: &[(Name, String)]) {
    for (name, value) in options {
        target.retain(|(other, _)| other != name);
        target.push((name.clone(), value.clone()));
    }
    target.sort();
}

/// Options with a value are set, those without are taken out.
fn set_or_reset(target: &mut Vec<(Name, String)>, options: &[(Name, String)]) {
    merge_options(target, options);
    target.retain(|(_, value)| !value.is_empty());
}

/// The storage of a type where all but a few have the same.
fn usual_storage(data_type: &DataType) -> Option<&'static str> {
    if data_type.array {
        return Some("extended");
    }
    Some(match data_type.kind {
        TypeKind::Text | TypeKind::Varchar | TypeKind::Char | TypeKind::Json | TypeKind::Jsonb => "extended",
        TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => "plain",
        _ => return None,
    })
}

/// The name of the tablespace unless it is the one that every cluster has.
fn usual_tablespace(name: Name) -> Option<Name> {
    Some(name).filter(|name| *name != "pg_default")
}

/// Whether a column of this type can be a foreign key's own index in MySQL.
pub(crate) fn is_indexable(kind: TypeKind) -> bool {
    !matches!(kind, TypeKind::Json | TypeKind::Geometry)
}

/// The limits that a sequence has when none are said: its type's end in its direction, and the number next to 0.
fn own_limits(sequence: &Sequence) -> (i64, i64) {
    let max = sequence.data_type.max_integer().and_then(|max| i64::try_from(max).ok()).unwrap_or(i64::MAX);
    if sequence.increment < 0 { (-max - 1, -1) } else { (1, max) }
}
