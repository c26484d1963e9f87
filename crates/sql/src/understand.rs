//! Reads the texts that a live catalog carries: types, expressions, view definitions, and what only SQLite's own
//! statements tell. After it, a live catalog and a folded one look the same to a rule.

use std::collections::HashMap;
use std::sync::Arc;

use dbwright_model::catalog::{
    Catalog, ConstraintKind, Extension, Index, IndexKey, IndexPart, Table, UserTypeKind,
};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::facts::{Facts, Origin};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::workload::Workload;

use crate::{data_type, names, parse_data_statement, parse_expression};

/// Reads every text in facts that came from a server or a snapshot.
pub fn understand(facts: &mut Facts) {
    // A snapshot was completed before it was written, and files are read whole.
    let incomplete = facts.source.engine == Engine::Sqlite && facts.source.origin == Origin::Live;
    if let Some(catalog) = facts.catalog.known_mut() {
        if incomplete {
            crate::sqlite::understand::complete(catalog);
        }
        understand_catalog(catalog);
    }
    let dialect = facts.source.engine.dialect();
    if let Some(workload) = facts.workload.known_mut() {
        workload.statements.retain(|statement| !statement.text.contains(Workload::OWN_MARK));
        for statement in &mut workload.statements {
            if statement.parsed.is_none() {
                statement.parsed = parse_data_statement(dialect, &statement.text).map(Box::new);
            }
        }
    }
}

/// Reads every text in a catalog and settles its names.
pub fn understand_catalog(catalog: &mut Catalog) {
    let dialect = catalog.engine.dialect();
    let mut reader = Reader { dialect, known: HashMap::new() };
    for table in &mut catalog.tables {
        for column in &mut table.columns {
            read_type(dialect, &mut column.data_type);
            column.default.iter_mut().for_each(|expression| reader.read(expression));
            column.on_update.iter_mut().for_each(|expression| reader.read(expression));
            column.generated.iter_mut().for_each(|generated| reader.read(&mut generated.expression));
        }
        table.checks.iter_mut().for_each(|check| reader.read(&mut check.expression));
        table.indexes.iter_mut().for_each(|index| reader.index(index));
    }
    for view in &mut catalog.views {
        view.columns.iter_mut().for_each(|column| read_type(dialect, &mut column.data_type));
        view.indexes.iter_mut().for_each(|index| reader.index(index));
        if view.query.is_none() {
            view.query = crate::parse_query(dialect, &view.definition).map(Box::new);
        }
    }
    for sequence in &mut catalog.sequences {
        read_type(dialect, &mut sequence.data_type);
    }
    for user_type in &mut catalog.types {
        match &mut user_type.kind {
            UserTypeKind::Domain { base, default, checks, .. } => {
                read_type(dialect, base);
                default.iter_mut().for_each(|expression| reader.read(expression));
                checks.iter_mut().for_each(|check| reader.read(&mut check.expression));
            }
            UserTypeKind::Composite(attributes) => {
                attributes.iter_mut().for_each(|(_, data_type)| read_type(dialect, data_type));
            }
            UserTypeKind::Enum(_) | UserTypeKind::Other => {}
        }
    }
    if let Some(policies) = catalog.policies.known_mut() {
        for policy in policies {
            policy.using.iter_mut().for_each(|expression| reader.read(expression));
            policy.check.iter_mut().for_each(|expression| reader.read(expression));
        }
    }
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        trigger.when.iter_mut().for_each(|expression| reader.read(expression));
    }
    for publication in catalog.publications.known_mut().into_iter().flatten() {
        for table in &mut publication.tables {
            table.filter.iter_mut().for_each(|expression| reader.read(expression));
        }
    }
    for statistics in &mut catalog.statistics {
        statistics.expressions.iter_mut().for_each(|expression| reader.read(expression));
    }
    settle(catalog);
    catalog.sort();
}

/// Texts whose trees are kept to be shared; those that many tables say come early.
const MOST_KNOWN: usize = 4_096;

/// Reads expressions, those of one text once: tables have many columns that default to `now()`.
struct Reader {
    dialect: Dialect,
    known: HashMap<String, Option<Arc<Expr>>>,
}

impl Reader {
    fn read(&mut self, expression: &mut Expression) {
        if expression.tree.is_some() {
            return;
        }
        expression.tree = match self.known.get(&expression.text) {
            Some(tree) => tree.clone(),
            None => {
                let tree = parse_expression(self.dialect, &expression.text).map(Arc::new);
                if self.known.len() < MOST_KNOWN {
                    self.known.insert(expression.text.clone(), tree.clone());
                }
                tree
            }
        };
    }

    fn index(&mut self, index: &mut Index) {
        for part in &mut index.parts {
            if let IndexKey::Expression(expression) = &mut part.key {
                self.read(expression);
            }
        }
        index.predicate.iter_mut().for_each(|expression| self.read(expression));
    }
}

fn read_type(dialect: Dialect, target: &mut DataType) {
    if target.kind == TypeKind::Other && target.user_type.is_none() {
        let values = std::mem::take(&mut target.values);
        *target = data_type(dialect, target.text.as_str());
        if target.values.is_empty() {
            target.values = values;
        }
    }
}

/// Makes every reference in a catalog spell names as they were declared, fills in what is implied, and resolves
/// user-defined types.
pub fn settle(catalog: &mut Catalog) {
    settle_types(catalog);
    settle_references(catalog);
    if catalog.engine == Engine::Sqlite {
        crate::sqlite::understand::read_programs(catalog);
    }
    if catalog.engine.dialect() == Dialect::Mysql {
        for function in catalog.functions.known_mut().into_iter().flatten() {
            function.arguments = without_display_widths(&function.arguments);
            function.returns = without_display_widths(&function.returns);
        }
        for table in &mut catalog.tables {
            add_foreign_key_indexes(table);
        }
    }
}

/// Gives columns of enum, domain and composite types the kind of their type.
fn settle_types(catalog: &mut Catalog) {
    let mut kinds: HashMap<QualifiedName, TypeKind> = HashMap::new();
    for user_type in &catalog.types {
        let kind = match user_type.kind {
            UserTypeKind::Enum(_) => TypeKind::Enum,
            UserTypeKind::Domain { .. } => TypeKind::Domain,
            UserTypeKind::Composite(_) => TypeKind::Composite,
            UserTypeKind::Other => TypeKind::Other,
        };
        kinds.insert(user_type.name.clone(), kind);
    }
    for extension in catalog.extensions.known().into_iter().flatten() {
        for (name, kind) in types_of_extension(extension.name.as_str()) {
            kinds.entry(extension_type(extension, name)).or_insert(*kind);
        }
    }
    let dialect = catalog.engine.dialect();
    for table in &mut catalog.tables {
        for column in &mut table.columns {
            settle_type(dialect, &mut column.data_type, &table.name.schema, &kinds);
        }
    }
    for user_type in &mut catalog.types {
        let schema = user_type.name.schema.clone();
        match &mut user_type.kind {
            UserTypeKind::Domain { base, .. } => settle_type(dialect, base, &schema, &kinds),
            UserTypeKind::Composite(attributes) => {
                for (_, data_type) in attributes {
                    settle_type(dialect, data_type, &schema, &kinds);
                }
            }
            UserTypeKind::Enum(_) | UserTypeKind::Other => {}
        }
    }
}

/// Types that come with extensions and mean something that the model knows.
fn types_of_extension(extension: &str) -> &'static [(&'static str, TypeKind)] {
    match extension {
        "citext" => &[("citext", TypeKind::Text)],
        "hstore" => &[("hstore", TypeKind::Other)],
        "ltree" => &[("ltree", TypeKind::Other), ("lquery", TypeKind::Other), ("ltxtquery", TypeKind::Other)],
        "postgis" => &[("geometry", TypeKind::Geometry), ("geography", TypeKind::Geometry)],
        "vector" => {
            &[("vector", TypeKind::Other), ("halfvec", TypeKind::Other), ("sparsevec", TypeKind::Other)]
        }
        _ => &[],
    }
}

fn extension_type(extension: &Extension, name: &str) -> QualifiedName {
    QualifiedName { schema: extension.schema.clone(), name: Name::new(name) }
}

/// Finds the user-defined type that a column names, and spells it as a server does whose search path is empty.
fn settle_type(
    dialect: Dialect,
    data_type: &mut DataType,
    schema: &Name,
    kinds: &HashMap<QualifiedName, TypeKind>,
) {
    let Some(user_type) = &mut data_type.user_type else { return };
    if user_type.schema.is_empty() {
        let public = Name::new("public");
        // The search path of the moment is not kept; the table's own schema is the best guess after `public`.
        let found = [schema, &public]
            .into_iter()
            .map(|schema| QualifiedName { schema: schema.clone(), name: user_type.name.clone() })
            .find(|candidate| kinds.contains_key(candidate));
        if let Some(found) = found {
            if dialect == Dialect::Postgres {
                let short = crate::quote_identifier(dialect, found.name.as_str());
                let qualifier = crate::quote_identifier(dialect, found.schema.as_str());
                if let Some(rest) = data_type.text.as_str().strip_prefix(&short) {
                    data_type.text = Name::from(format!("{qualifier}.{short}{rest}"));
                }
            }
            *user_type = found;
        }
    }
    if let Some(kind) = kinds.get(user_type)
        && *kind != TypeKind::Other
    {
        data_type.kind = *kind;
    }
}

fn settle_references(catalog: &mut Catalog) {
    let ignore_case = catalog.engine.dialect() != Dialect::Postgres;
    let fold = |text: &str| if ignore_case { text.to_ascii_lowercase() } else { text.to_owned() };
    struct Parent {
        name: QualifiedName,
        columns: Vec<Name>,
        primary_key: Vec<Name>,
    }
    let parents: HashMap<(String, String), Parent> = catalog
        .tables
        .iter()
        .map(|table| {
            let parent = Parent {
                name: table.name.clone(),
                columns: if ignore_case { names_of(table) } else { Vec::new() },
                primary_key: table.primary_key.as_ref().map(|key| key.columns.clone()).unwrap_or_default(),
            };
            ((fold(table.name.schema.as_str()), fold(table.name.name.as_str())), parent)
        })
        .collect();
    for table in &mut catalog.tables {
        let own = if ignore_case { names_of(table) } else { Vec::new() };
        for foreign_key in &mut table.foreign_keys {
            if ignore_case {
                spell_as_declared(&mut foreign_key.columns, &own);
            }
            let references = &foreign_key.references;
            let Some(parent) =
                parents.get(&(fold(references.schema.as_str()), fold(references.name.as_str())))
            else {
                continue;
            };
            foreign_key.references = parent.name.clone();
            if foreign_key.referenced_columns.is_empty() {
                foreign_key.referenced_columns.clone_from(&parent.primary_key);
            } else if ignore_case {
                spell_as_declared(&mut foreign_key.referenced_columns, &parent.columns);
            }
        }
        if ignore_case {
            for key in table.primary_key.iter_mut().chain(&mut table.uniques) {
                spell_as_declared(&mut key.columns, &own);
            }
        }
    }
}

fn names_of(table: &Table) -> Vec<Name> {
    table.columns.iter().map(|column| column.name.clone()).collect()
}

fn spell_as_declared(names: &mut [Name], declared: &[Name]) {
    for name in names {
        if let Some(found) = declared.iter().find(|other| other.eq_ignore_case(name.as_str())) {
            *name = found.clone();
        }
    }
}

/// InnoDB makes an index for a foreign key that has none.
fn add_foreign_key_indexes(table: &mut Table) {
    for foreign_key in table.foreign_keys.clone() {
        let covered = table.indexes.iter().any(|index| {
            index.columns().is_some_and(|columns| {
                columns.len() >= foreign_key.columns.len()
                    && columns.iter().zip(&foreign_key.columns).all(|(a, b)| a.eq_ignore_case(b.as_str()))
            })
        });
        let indexable = foreign_key.columns.iter().all(|name| {
            table.column(name.as_str()).is_none_or(|column| crate::fold::is_indexable(column.data_type.kind))
        });
        if covered || !indexable {
            continue;
        }
        let Some(first) = foreign_key.columns.first() else { continue };
        // A name that the server made up for the constraint is not given to its index.
        let generated = format!("{}_ibfk_", table.name.name);
        let base = foreign_key.name.as_ref().filter(|name| !name.as_str().starts_with(&generated));
        let base = base.unwrap_or(first).clone();
        let taken = |name: &str| table.indexes.iter().any(|index| index.name == *name);
        let name = names::mysql_unused(base.as_str(), &taken);
        table.indexes.push(Index {
            name,
            parts: foreign_key.columns.iter().map(IndexPart::column).collect(),
            ..Index::default()
        });
    }
    // Like the server, only the name tells that an index was made for a key.
    for index in &mut table.indexes {
        let made_for = table.foreign_keys.iter().any(|key| {
            key.name.as_ref() == Some(&index.name)
                && index.columns().is_some_and(|columns| columns.into_iter().eq(&key.columns))
        });
        if made_for && index.backs.is_none() && !index.unique {
            index.backs = Some(ConstraintKind::ForeignKey);
        }
    }
}

/// Takes the display width of integers out of a routine's arguments: it means nothing, and newer servers leave it out.
pub(crate) fn without_display_widths(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("int(") {
        let (before, after) = rest.split_at(at + "int".len());
        let Some(close) = after.find(')') else { break };
        result.push_str(before);
        let width = &after[1..close];
        let plain = !width.is_empty() && width.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || (before.ends_with("tinyint") && width == "1") {
            result.push_str(&after[..=close]);
        }
        rest = &after[close + 1..];
    }
    result.push_str(rest);
    result
}
