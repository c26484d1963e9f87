//! Types, rules, statistics, publications and what depends on what: the objects beside tables.

use dbwright_model::catalog::{ExtendedStatistics, Function, Publication, UserTypeKind, Volatility};
use dbwright_model::change::{Change, ListAction, ObjectKind};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, FromItem, Query, QueryBody, Source};
use dbwright_model::name::{Name, QualifiedName};

use super::{Folder, merge_options};
use crate::names;

impl Folder {
    /// The full name of a type that is referred to.
    pub(super) fn type_name(&self, name: &QualifiedName) -> QualifiedName {
        if name.schema.is_empty() {
            for schema in &self.search_path {
                let candidate = QualifiedName { schema: schema.clone(), name: name.name.clone() };
                if self.catalog.types.iter().any(|user_type| user_type.name == candidate) {
                    return candidate;
                }
            }
        }
        self.new_name(name)
    }

    fn with_type(&mut self, name: &QualifiedName, edit: impl FnOnce(&mut UserTypeKind)) {
        let name = self.type_name(name);
        if let Some(user_type) = self.catalog.types.iter_mut().find(|other| other.name == name) {
            edit(&mut user_type.kind);
        }
    }

    /// Applies a change of an attribute of a composite type or of a domain.
    pub(super) fn alter_type(&mut self, change: &Change) {
        match change {
            Change::AddAttribute { name, attribute, data_type, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Composite(attributes) = kind {
                    attributes.push((attribute.clone(), data_type.clone()));
                }
            }),
            Change::DropAttribute { name, attribute, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Composite(attributes) = kind {
                    attributes.retain(|(other, _)| other != attribute);
                }
            }),
            Change::AlterAttributeType { name, attribute, to, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Composite(attributes) = kind {
                    for (_, data_type) in attributes.iter_mut().filter(|(other, _)| other == attribute) {
                        data_type.clone_from(to);
                    }
                }
            }),
            Change::RenameAttribute { name, attribute, to, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Composite(attributes) = kind {
                    for (other, _) in attributes.iter_mut().filter(|(other, _)| other == attribute) {
                        other.clone_from(to);
                    }
                }
            }),
            Change::SetDomainDefault { name, default: to } => self.with_type(name, |kind| {
                if let UserTypeKind::Domain { default, .. } = kind {
                    default.clone_from(to);
                }
            }),
            Change::SetDomainNotNull { name, not_null: to, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Domain { not_null, .. } = kind {
                    *not_null = *to;
                }
            }),
            Change::AddDomainCheck { name, check } => {
                let own = self.type_name(name);
                self.with_type(name, |kind| {
                    let UserTypeKind::Domain { checks, .. } = kind else { return };
                    let mut check = check.clone();
                    if check.name.is_none() {
                        let taken = |name: &str| {
                            checks.iter().any(|other| other.name.as_ref().is_some_and(|it| *it == *name))
                        };
                        check.name = Some(names::postgres_unused(own.name.as_str(), "", "check", &taken));
                    }
                    checks.push(check);
                });
            }
            Change::DropDomainConstraint { name, constraint, .. } => self.with_type(name, |kind| {
                if let UserTypeKind::Domain { checks, .. } = kind {
                    checks.retain(|check| check.name.as_ref() != Some(constraint));
                }
            }),
            Change::RenameDomainConstraint { name, constraint, to } => self.with_type(name, |kind| {
                if let UserTypeKind::Domain { checks, .. } = kind {
                    for check in checks.iter_mut().filter(|check| check.name.as_ref() == Some(constraint)) {
                        check.name = Some(to.clone());
                    }
                }
            }),
            Change::ValidateDomainConstraint { name, constraint } => self.with_type(name, |kind| {
                if let UserTypeKind::Domain { checks, .. } = kind {
                    for check in checks.iter_mut().filter(|check| check.name.as_ref() == Some(constraint)) {
                        check.validated = true;
                    }
                }
            }),
            _ => {}
        }
    }

    /// Gives an object another name or schema.
    pub(super) fn rename_object(
        &mut self,
        kind: &ObjectKind,
        object: &QualifiedName,
        table: Option<&QualifiedName>,
        to: &QualifiedName,
    ) {
        let table = table.map(|table| self.table_name(table));
        match kind {
            ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView => {
                self.rename_table(object, to);
            }
            ObjectKind::Sequence => {
                let from = self.sequence_name(object);
                let to = in_schema(&from, to);
                for sequence in self.catalog.sequences.iter_mut().filter(|sequence| sequence.name == from) {
                    sequence.name.clone_from(&to);
                }
                for column in self.catalog.tables.iter_mut().flat_map(|table| &mut table.columns) {
                    if column.sequence.as_ref() == Some(&from) {
                        column.sequence = Some(to.clone());
                    }
                }
            }
            ObjectKind::Type | ObjectKind::Domain => self.rename_type(object, to),
            ObjectKind::Schema => self.rename_schema(&object.name, &to.name),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => {
                let (own, arguments) = split_arguments(object);
                let from = self.new_name(&own);
                let (to, _) = split_arguments(to);
                let to = in_schema(&from, &to);
                for function in self.catalog.functions.known_mut().into_iter().flatten() {
                    if function.name == from
                        && arguments.as_ref().is_none_or(|arguments| *arguments == function.arguments)
                    {
                        function.name.clone_from(&to);
                    }
                }
                for trigger in self.catalog.triggers.known_mut().into_iter().flatten() {
                    if trigger.function.as_ref() == Some(&from) {
                        trigger.function = Some(to.clone());
                    }
                }
            }
            ObjectKind::Trigger => {
                for trigger in self.catalog.triggers.known_mut().into_iter().flatten() {
                    if trigger.name == object.name
                        && table.as_ref().is_none_or(|table| *table == trigger.table)
                    {
                        trigger.name.clone_from(&to.name);
                    }
                }
            }
            ObjectKind::Policy => {
                for policy in self.catalog.policies.known_mut().into_iter().flatten() {
                    if policy.name == object.name && table.as_ref().is_none_or(|table| *table == policy.table)
                    {
                        policy.name.clone_from(&to.name);
                    }
                }
            }
            ObjectKind::Rule => {
                for rule in &mut self.catalog.rules {
                    if rule.name == object.name && table.as_ref().is_none_or(|table| *table == rule.table) {
                        rule.name.clone_from(&to.name);
                    }
                }
            }
            ObjectKind::Statistics => {
                let from = self.statistics_name(object);
                let to = in_schema(&from, to);
                for statistics in self.catalog.statistics.iter_mut().filter(|other| other.name == from) {
                    statistics.name.clone_from(&to);
                }
            }
            ObjectKind::Publication => {
                for publication in self.catalog.publications.known_mut().into_iter().flatten() {
                    if publication.name == object.name {
                        publication.name.clone_from(&to.name);
                    }
                }
            }
            _ => {}
        }
    }

    fn rename_type(&mut self, object: &QualifiedName, to: &QualifiedName) {
        let from = self.type_name(object);
        let to = in_schema(&from, to);
        for user_type in self.catalog.types.iter_mut().filter(|user_type| user_type.name == from) {
            user_type.name.clone_from(&to);
        }
        let spelled = |name: &QualifiedName| crate::postgres::quote::qualified(name);
        let short = |name: &QualifiedName| crate::postgres::quote::identifier(name.name.as_str());
        let columns = self.catalog.tables.iter_mut().flat_map(|table| &mut table.columns);
        for data_type in columns.map(|column| &mut column.data_type) {
            let Some(user_type) = &data_type.user_type else { continue };
            let unqualified = user_type.schema.is_empty() && user_type.name == from.name;
            if *user_type != from && !unqualified {
                continue;
            }
            let (old, new) =
                if unqualified { (short(&from), short(&to)) } else { (spelled(&from), spelled(&to)) };
            if let Some(rest) = data_type.text.as_str().strip_prefix(&old) {
                data_type.text = Name::from(format!("{new}{rest}"));
            }
            data_type.user_type = Some(QualifiedName {
                schema: if unqualified { Name::DEFAULT } else { to.schema.clone() },
                name: to.name.clone(),
            });
        }
        for table in self.catalog.tables.iter_mut().filter(|table| table.of_type.as_ref() == Some(&from)) {
            table.of_type = Some(to.clone());
        }
    }

    fn rename_schema(&mut self, from: &Name, to: &Name) {
        for schema in self.catalog.schemas.iter_mut().filter(|schema| schema.name == *from) {
            schema.name.clone_from(to);
        }
        let within = |names: Vec<&QualifiedName>| -> Vec<QualifiedName> {
            names.into_iter().filter(|name| name.schema == *from).cloned().collect()
        };
        let tables = within(self.catalog.tables.iter().map(|table| &table.name).collect());
        let views = within(self.catalog.views.iter().map(|view| &view.name).collect());
        for name in tables.iter().chain(&views) {
            self.rename_table(name, &QualifiedName { schema: to.clone(), name: name.name.clone() });
        }
        for name in within(self.catalog.sequences.iter().map(|sequence| &sequence.name).collect()) {
            let moved = QualifiedName { schema: to.clone(), name: name.name.clone() };
            self.rename_object(&ObjectKind::Sequence, &name, None, &moved);
        }
        for name in within(self.catalog.types.iter().map(|user_type| &user_type.name).collect()) {
            let moved = QualifiedName { schema: to.clone(), name: name.name.clone() };
            self.rename_type(&name, &moved);
        }
        for function in self.catalog.functions.known_mut().into_iter().flatten() {
            if function.name.schema == *from {
                function.name.schema.clone_from(to);
            }
        }
    }

    fn statistics_name(&self, name: &QualifiedName) -> QualifiedName {
        if name.schema.is_empty() {
            for schema in &self.search_path {
                let candidate = QualifiedName { schema: schema.clone(), name: name.name.clone() };
                if self.catalog.statistics.iter().any(|statistics| statistics.name == candidate) {
                    return candidate;
                }
            }
        }
        self.new_name(name)
    }

    pub(super) fn create_statistics(&mut self, statistics: &ExtendedStatistics, if_not_exists: bool) {
        let mut statistics = statistics.clone();
        statistics.table = self.table_name(&statistics.table);
        if statistics.name.name.is_empty() {
            let parts = statistics.columns.iter().map(Name::as_str);
            let middle = names::joined_columns(parts.chain(statistics.expressions.iter().map(|_| "expr")));
            let taken = |name: &str| {
                self.catalog
                    .statistics
                    .iter()
                    .any(|other| other.name.schema == statistics.table.schema && other.name.name == *name)
            };
            let name = names::postgres_unused(statistics.table.name.as_str(), &middle, "stat", &taken);
            statistics.name = statistics.table.sibling(name);
        } else {
            statistics.name = self.new_name(&statistics.name);
        }
        // The server keeps the columns in the order of the table.
        if let Some(table) = self.catalog.table(&statistics.table) {
            let place = |name: &Name| table.columns.iter().position(|column| column.name == *name);
            statistics.columns.sort_by_key(place);
        }
        if if_not_exists && self.catalog.statistics.iter().any(|other| other.name == statistics.name) {
            return;
        }
        self.catalog.statistics.push(statistics);
    }

    pub(super) fn set_statistics_target(&mut self, name: &QualifiedName, target: Option<i32>) {
        let name = self.statistics_name(name);
        for statistics in self.catalog.statistics.iter_mut().filter(|other| other.name == name) {
            statistics.target = target;
        }
    }

    pub(super) fn drop_statistics(&mut self, name: &QualifiedName) {
        let name = self.statistics_name(name);
        self.catalog.statistics.retain(|other| other.name != name);
    }

    /// Applies a change of a publication.
    pub(super) fn alter_publications(&mut self, change: &Change) {
        match change {
            Change::CreatePublication { publication } => {
                let mut publication = publication.clone();
                for table in &mut publication.tables {
                    table.table = self.table_name(&table.table);
                }
                normalise_operations(&mut publication);
                if let Some(publications) = self.catalog.publications.known_mut() {
                    publications.retain(|other| other.name != publication.name);
                    publications.push(publication);
                }
            }
            Change::AlterPublication { name, action, tables, schemas } => {
                let mut tables = tables.clone();
                for table in &mut tables {
                    table.table = self.table_name(&table.table);
                }
                let Some(publication) = self.publication_mut(name) else { return };
                if *action == ListAction::Set {
                    publication.tables.clear();
                    publication.schemas.clear();
                }
                for table in tables {
                    publication.tables.retain(|other| other.table != table.table);
                    if *action != ListAction::Drop {
                        publication.tables.push(table);
                    }
                }
                for schema in schemas {
                    publication.schemas.retain(|other| other != schema);
                    if *action != ListAction::Drop {
                        publication.schemas.push(schema.clone());
                    }
                }
            }
            Change::SetPublicationOptions { name, options } => {
                let Some(publication) = self.publication_mut(name) else { return };
                merge_options(&mut publication.options, options);
                normalise_operations(publication);
            }
            Change::DropPublication { name, .. } => {
                if let Some(publications) = self.catalog.publications.known_mut() {
                    publications.retain(|publication| publication.name != *name);
                }
            }
            _ => {}
        }
    }

    fn publication_mut(&mut self, name: &Name) -> Option<&mut Publication> {
        self.catalog.publications.known_mut()?.iter_mut().find(|publication| publication.name == *name)
    }

    /// Attributes that `ALTER FUNCTION` says beside settings.
    pub(super) fn alter_function(&mut self, name: &QualifiedName, arguments: Option<&String>, clauses: &str) {
        let name = self.new_name(name);
        let clauses = clauses.to_ascii_lowercase();
        let words: Vec<&str> = clauses.split_whitespace().collect();
        let edit = |function: &mut Function| {
            for pair in words.windows(2).map(|pair| (pair[0], pair[1])) {
                match pair {
                    ("security", "definer") => function.security_definer = true,
                    ("security", "invoker") => function.security_definer = false,
                    ("not", "leakproof") => function.leakproof = false,
                    _ => {}
                }
            }
            for (at, word) in words.iter().enumerate() {
                match *word {
                    "immutable" => function.volatility = Volatility::Immutable,
                    "stable" => function.volatility = Volatility::Stable,
                    "volatile" => function.volatility = Volatility::Volatile,
                    "leakproof" if at == 0 || words[at - 1] != "not" => function.leakproof = true,
                    _ => {}
                }
            }
        };
        for function in self.catalog.functions.known_mut().into_iter().flatten() {
            if function.name == name && arguments.is_none_or(|arguments| *arguments == function.arguments) {
                edit(function);
            }
        }
    }

    /// Drops the views that read a relation, and those that read them; with `column`, only those that name it.
    pub(super) fn drop_views_of(&mut self, relation: &QualifiedName, column: Option<&Name>) {
        let doomed: Vec<QualifiedName> = self
            .catalog
            .views
            .iter()
            .filter(|view| {
                let Some(query) = view.query.as_deref() else { return false };
                let mut sources = Vec::new();
                sources_of(query, &mut sources);
                let reads = sources.iter().any(|source| {
                    self.table_name(source) == *relation || self.view_name(source) == *relation
                });
                // A view's columns may be spelled anywhere; its text is the surest place to look.
                reads && column.is_none_or(|column| view.definition.contains(column.as_str()))
            })
            .map(|view| view.name.clone())
            .collect();
        for view in doomed {
            self.catalog.views.retain(|other| other.name != view);
            self.drop_views_of(&view, None);
        }
    }

    /// What hangs on a table beside its own lists.
    pub(super) fn forget_table(&mut self, table: &QualifiedName) {
        self.catalog.rules.retain(|rule| rule.table != *table);
        self.catalog.statistics.retain(|statistics| statistics.table != *table);
        for publication in self.catalog.publications.known_mut().into_iter().flatten() {
            publication.tables.retain(|published| published.table != *table);
        }
    }

    /// Follows the new name of a table or view in the views that read it. Those of MySQL, and of SQLite's old manner, read
    /// what has the name.
    pub(super) fn follow_in_views(&mut self, from: &QualifiedName, to: &QualifiedName) {
        let by_name = match self.engine.dialect() {
            Dialect::Postgres => false,
            Dialect::Mysql => true,
            Dialect::Sqlite => {
                matches!(self.setting("legacy_alter_table"), Some("on" | "1" | "yes" | "true"))
            }
        };
        if by_name {
            return;
        }
        let reading: Vec<QualifiedName> =
            self.views_reading(from, None).iter().map(|view| view.name.clone()).collect();
        // A name without a schema is that of the relation where it is meant by it before the renaming.
        let bare = QualifiedName { schema: Name::DEFAULT, name: from.name.clone() };
        let bare_is_it = self.full_name(&bare) == *from;
        let sqlite = self.engine.dialect() == Dialect::Sqlite;
        let equal = |name: &QualifiedName, other: &QualifiedName| {
            name == other || (sqlite && name.name.eq_ignore_case(other.name.as_str()))
        };
        let is_it = |name: &QualifiedName| equal(name, from) || (bare_is_it && equal(name, &bare));
        for view in self.catalog.views.iter_mut().filter(|view| reading.contains(&view.name)) {
            super::follow::rename_in_view(view, &is_it, to);
        }
    }

    /// Follows a table's new name in what hangs on it.
    pub(super) fn follow_table(&mut self, from: &QualifiedName, to: &QualifiedName) {
        for rule in self.catalog.rules.iter_mut().filter(|rule| rule.table == *from) {
            rule.table.clone_from(to);
        }
        for statistics in self.catalog.statistics.iter_mut().filter(|other| other.table == *from) {
            statistics.table.clone_from(to);
        }
        for publication in self.catalog.publications.known_mut().into_iter().flatten() {
            for published in publication.tables.iter_mut().filter(|published| published.table == *from) {
                published.table.clone_from(to);
            }
        }
    }
}

/// A new name in the schema that it says, or where the object is.
fn in_schema(from: &QualifiedName, to: &QualifiedName) -> QualifiedName {
    let schema = if to.schema.is_empty() { from.schema.clone() } else { to.schema.clone() };
    QualifiedName { schema, name: to.name.clone() }
}

/// A routine's name and the arguments behind it.
fn split_arguments(object: &QualifiedName) -> (QualifiedName, Option<String>) {
    match object.name.as_str().split_once('(') {
        Some((name, arguments)) => {
            (object.sibling(name), Some(arguments.strip_suffix(')').unwrap_or(arguments).to_owned()))
        }
        None => (object.clone(), None),
    }
}

/// The published operations as the server tells them: in its order, and unsaid when they are all.
fn normalise_operations(publication: &mut Publication) {
    let said = publication.options.iter().position(|(key, _)| *key == "publish");
    if let Some(at) = said {
        let value = publication.options[at].1.clone();
        let published: Vec<&str> = ["insert", "update", "delete", "truncate"]
            .into_iter()
            .filter(|word| value.split(',').any(|said| said.trim() == *word))
            .collect();
        if published.len() == 4 {
            publication.options.remove(at);
        } else {
            publication.options[at].1 = published.join(", ");
        }
    }
    // Unsaid options are off.
    publication.options.retain(|(key, value)| *key == "publish" || value != "false");
    publication.updates_or_deletes = crate::postgres::publishes_updates_or_deletes(&publication.options);
}

/// The tables and views that a query reads, subqueries included.
fn sources_of(query: &Query, found: &mut Vec<QualifiedName>) {
    for member in &query.with {
        if let Some(inner) = &member.query {
            sources_of(inner, found);
        }
    }
    match &query.body {
        QueryBody::Select(select) => {
            for item in &select.from {
                sources_of_item(item, found);
            }
            let values = select.items.iter().map(|item| &item.expr);
            for value in values.chain(&select.filter).chain(&select.having) {
                sources_of_expression(value, found);
            }
        }
        QueryBody::SetOperation { left, right, .. } => {
            sources_of(left, found);
            sources_of(right, found);
        }
        QueryBody::Values(_) | QueryBody::Other(_) => {}
    }
}

fn sources_of_expression(value: &Expr, found: &mut Vec<QualifiedName>) {
    value.walk(&mut |part| match part {
        Expr::Subquery(query) | Expr::InQuery { query, .. } | Expr::Exists { query, .. } => {
            sources_of(query, found);
        }
        _ => {}
    });
}

fn sources_of_item(item: &FromItem, found: &mut Vec<QualifiedName>) {
    for source in std::iter::once(&item.source).chain(item.joins.iter().map(|join| &join.source)) {
        match source {
            Source::Table { name, .. } => found.push(name.clone()),
            Source::Query { query, .. } => sources_of(query, found),
            Source::Nested(item) => sources_of_item(item, found),
            Source::Function { .. } | Source::Other(_) => {}
        }
    }
}
