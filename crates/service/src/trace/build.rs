//! A catalog written as statements, for an empty scratch database.

use dbwright_model::catalog::{Catalog, Function, FunctionKind, Table, TableKind, Volatility};
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::name::{Name, QualifiedName};

/// Statements that make an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Making {
    /// What is made: `table public.t`.
    pub object: String,
    /// The relation that is not as it should be while the object is missing.
    pub relation: Option<QualifiedName>,
    /// The statements in order, each without its terminator; `None` when the object cannot be written.
    pub statements: Option<Vec<String>>,
}

/// Statements that make everything a catalog holds, an object after the other. What an object needs may come later in
/// the list, so those that fail are worth another try after the others.
pub fn statements_of(catalog: &Catalog, version: Version) -> Vec<Making> {
    let mut list = List { engine: catalog.engine, version, makings: Vec::new() };
    let own = |extension: &Option<Name>| extension.is_none();
    for extension in catalog.extensions.known().into_iter().flatten() {
        let change = Change::CreateExtension { extension: extension.clone(), if_not_exists: true };
        list.add(format!("extension `{}`", extension.name), None, &change);
    }
    if catalog.engine == Engine::Postgres {
        for schema in &catalog.schemas {
            let change = Change::CreateSchema { name: schema.name.clone(), if_not_exists: true };
            list.add(format!("schema `{}`", schema.name), None, &change);
        }
    }
    for user_type in catalog.types.iter().filter(|user_type| own(&user_type.extension)) {
        let change = Change::CreateType { user_type: user_type.clone() };
        list.add(format!("type `{}`", user_type.name), None, &change);
    }
    for sequence in &catalog.sequences {
        let identity = catalog
            .tables
            .iter()
            .flat_map(|table| &table.columns)
            .any(|column| column.identity.is_some() && column.sequence.as_ref() == Some(&sequence.name));
        if !identity {
            let mut sequence = sequence.clone();
            // Its table comes later; who owns it decides nothing but what goes with it.
            sequence.owned_by = None;
            let object = format!("sequence `{}`", sequence.name);
            list.add(object, None, &Change::CreateSequence { sequence, if_not_exists: true });
        }
    }
    for function in catalog.functions.known().into_iter().flatten().filter(|one| own(&one.extension)) {
        list.function(function);
    }
    list.tables(catalog);
    for view in catalog.views.iter().filter(|view| own(&view.extension)) {
        let change =
            Change::CreateView { view: Box::new(view.clone()), or_replace: false, if_not_exists: false };
        list.add(format!("view `{}`", view.name), Some(&view.name), &change);
    }
    for trigger in catalog.triggers.known().into_iter().flatten() {
        let change = Change::CreateTrigger { trigger: Box::new(trigger.clone()), or_replace: false };
        list.add(format!("trigger `{}` of `{}`", trigger.name, trigger.table), Some(&trigger.table), &change);
    }
    for rule in &catalog.rules {
        let change = Change::CreateRule { rule: Box::new(rule.clone()), or_replace: false };
        list.add(format!("rule `{}` of `{}`", rule.name, rule.table), Some(&rule.table), &change);
    }
    for policy in catalog.policies.known().into_iter().flatten() {
        let change = Change::CreatePolicy { policy: Box::new(policy.clone()) };
        list.add(format!("policy `{}` of `{}`", policy.name, policy.table), Some(&policy.table), &change);
    }
    for statistics in &catalog.statistics {
        let change =
            Change::CreateStatistics { statistics: Box::new(statistics.clone()), if_not_exists: false };
        list.add(format!("statistics `{}`", statistics.name), Some(&statistics.table), &change);
    }
    for publication in catalog.publications.known().into_iter().flatten() {
        let change = Change::CreatePublication { publication: publication.clone() };
        list.add(format!("publication `{}`", publication.name), None, &change);
    }
    list.makings
}

struct List {
    engine: Engine,
    version: Version,
    makings: Vec<Making>,
}

impl List {
    fn add(&mut self, object: String, relation: Option<&QualifiedName>, change: &Change) {
        let written = dbwright_sql::write(self.engine, Some(self.version), change);
        let statements = written.map(|written| written.into_iter().map(|one| one.sql).collect());
        self.makings.push(Making { object, relation: relation.cloned(), statements });
    }

    fn function(&mut self, function: &Function) {
        let object = format!("function `{}`", function.name);
        let change = Change::CreateFunction { function: Box::new(function.clone()), or_replace: false };
        let bare = self.engine == Engine::Postgres
            && !function.arguments.is_empty()
            && !matches!(function.language.as_str(), "c" | "internal");
        let kind = match function.kind {
            FunctionKind::Function if bare => "FUNCTION",
            FunctionKind::Procedure if bare => "PROCEDURE",
            _ => return self.add(object, None, &change),
        };
        // Bodies speak of their arguments, whose names are not known: another body takes their place, which is enough
        // where no rows are. The server looks into a body of SQL, so that one is missed.
        let returns = match function.kind {
            FunctionKind::Procedure => String::new(),
            _ => format!(" RETURNS {}", function.returns),
        };
        let upper = function.returns.to_ascii_uppercase();
        let nothing = function.kind == FunctionKind::Procedure
            || upper == "VOID"
            || upper.starts_with("SETOF ")
            || upper.starts_with("TABLE");
        let volatility = match function.volatility {
            _ if function.kind == FunctionKind::Procedure => "",
            Volatility::Immutable => " IMMUTABLE",
            Volatility::Stable => " STABLE",
            Volatility::Volatile => "",
        };
        let body = if nothing { "BEGIN RETURN; END" } else { "BEGIN RETURN NULL; END" };
        let quote = |name: &Name| dbwright_sql::quote_identifier(Dialect::Postgres, name.as_str());
        let name = format!("{}.{}", quote(&function.name.schema), quote(&function.name.name));
        let sql = format!(
            "CREATE {kind} {name}({}){returns} LANGUAGE plpgsql{volatility} AS '{body}'",
            function.arguments
        );
        self.makings.push(Making { object: object.clone(), relation: None, statements: Some(vec![sql]) });
        if function.language == "sql" {
            self.makings.push(Making {
                object: format!("body of {object}"),
                relation: None,
                statements: None,
            });
        }
    }

    /// Tables without their foreign keys, then those: tables may refer to each other.
    fn tables(&mut self, catalog: &Catalog) {
        let own = || catalog.tables.iter().filter(|table| table.extension.is_none());
        for table in own() {
            let object = format!("table `{}`", table.name);
            if self.engine == Engine::Sqlite
                && let Some(definition) = table.definition.as_ref().filter(|text| text.starts_with("CREATE"))
            {
                let mut statements = vec![definition.clone()];
                for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
                    let change = Change::CreateIndex {
                        table: table.name.clone(),
                        index: Box::new(index.clone()),
                        concurrently: false,
                        if_not_exists: false,
                        only: false,
                        online: Default::default(),
                    };
                    let written = dbwright_sql::write(self.engine, Some(self.version), &change);
                    statements.extend(written.into_iter().flatten().map(|one| one.sql));
                }
                self.makings.push(Making {
                    object,
                    relation: Some(table.name.clone()),
                    statements: Some(statements),
                });
                continue;
            }
            let mut bare = table.clone();
            if self.engine != Engine::Sqlite {
                bare.foreign_keys.clear();
            }
            without_inherited(&mut bare, catalog);
            self.add(
                object,
                Some(&table.name),
                &Change::CreateTable { table: Box::new(bare), if_not_exists: false },
            );
        }
        if self.engine.dialect() == Dialect::Sqlite {
            return;
        }
        for table in own() {
            let above = parent(table, catalog);
            for key in &table.foreign_keys {
                let from_above = above.is_some_and(|above| {
                    above
                        .foreign_keys
                        .iter()
                        .any(|other| other.columns == key.columns && other.references == key.references)
                });
                if from_above {
                    continue;
                }
                let change = Change::AddForeignKey {
                    table: table.name.clone(),
                    foreign_key: Box::new(key.clone()),
                    alter: Default::default(),
                };
                let columns = dbwright_model::name::join(&key.columns);
                self.add(format!("foreign key of `{}` ({columns})", table.name), Some(&table.name), &change);
            }
        }
    }
}

fn parent<'a>(table: &Table, catalog: &'a Catalog) -> Option<&'a Table> {
    let TableKind::Partition { of, .. } = &table.kind else { return None };
    catalog.tables.iter().find(|other| other.name == *of)
}

/// A partition has what its parent has without being told.
fn without_inherited(table: &mut Table, catalog: &Catalog) {
    let Some(above) = parent(table, catalog) else { return };
    if above.primary_key.is_some() {
        table.primary_key = None;
    }
    table.uniques.retain(|key| !above.uniques.iter().any(|other| other.columns == key.columns));
    table
        .checks
        .retain(|check| !above.checks.iter().any(|other| other.name == check.name && other.name.is_some()));
    table.exclusions.clear();
    table.indexes.retain(|index| index.partition_of.is_none());
}
