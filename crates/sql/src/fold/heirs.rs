//! Keys, constraints and indexes, and how they reach partitions and tables that inherit.

use std::sync::Arc;

use dbwright_model::capability::{self, Capability};
use dbwright_model::catalog::{
    Check, Column, ConstraintKind, Exclusion, ForeignKey, Index, IndexKey, IndexPart, Key, Persistence,
    ReferentialAction, Table, TableKind,
};
use dbwright_model::change::Change;
use dbwright_model::data_type::{Affinity, DataType};
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::expression::{Expr, Query, QueryBody, SelectItem, Source};
use dbwright_model::name::{Name, QualifiedName};

use super::{Folder, column_mut, constraint_exists, implies_not_null, key_index_name};
use crate::names;

impl Folder {
    /// The partitions of a table.
    fn partitions_of(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let partitioned = self.tables.get(&self.lookup_form(name)).is_some_and(|i| {
            // A partition that is partitioned further is listed as a partition only.
            !matches!(self.catalog.tables[*i].kind, TableKind::Ordinary)
        });
        if !partitioned || self.engine != Engine::Postgres {
            return Vec::new();
        }
        self.catalog
            .tables
            .iter()
            .filter(|table| matches!(&table.kind, TableKind::Partition { of, .. } if *of == *name))
            .map(|table| table.name.clone())
            .collect()
    }

    /// The partitions of a table and the tables that inherit from it.
    pub(super) fn heirs_of(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        if self.engine != Engine::Postgres {
            return Vec::new();
        }
        self.catalog
            .tables
            .iter()
            .filter(|table| {
                matches!(&table.kind, TableKind::Partition { of, .. } if *of == *name)
                    || table.inherits.contains(name)
            })
            .map(|table| table.name.clone())
            .collect()
    }

    /// Everything below a table by inheritance or partitioning.
    pub(super) fn all_heirs_of(&self, name: &QualifiedName) -> Vec<QualifiedName> {
        let mut found: Vec<QualifiedName> = Vec::new();
        let mut pending = self.heirs_of(name);
        while let Some(heir) = pending.pop() {
            if !found.contains(&heir) {
                pending.extend(self.heirs_of(&heir));
                found.push(heir);
            }
        }
        found
    }

    /// Gives a new partition its parent's keys, foreign keys and indexes, and any heir its parent's checks.
    pub(super) fn hand_down(&mut self, child: &QualifiedName, parent: &QualifiedName) {
        let Some(source) = self.table_mut(parent).map(|parent| parent.clone()) else { return };
        for check in source.checks.iter().filter(|check| !check.no_inherit) {
            self.hand_down_check(child, check);
        }
        let partition = self.table_mut(child).is_some_and(|child| child.is_partition());
        if !partition {
            return;
        }
        for column in source.columns.iter().filter(|column| column.not_null) {
            self.with_column(child, &column.name, |target| target.not_null = true);
        }
        for index in &source.indexes {
            match index.backs {
                Some(ConstraintKind::PrimaryKey) => {
                    if let Some(key) = &source.primary_key {
                        self.hand_down_key(child, key, ConstraintKind::PrimaryKey, &index.name);
                    }
                }
                Some(ConstraintKind::Unique) => {
                    if let Some(key) =
                        source.uniques.iter().find(|key| key.name.as_ref() == Some(&index.name))
                    {
                        self.hand_down_key(child, key, ConstraintKind::Unique, &index.name);
                    }
                }
                Some(_) => {}
                None => self.hand_down_index(child, index),
            }
        }
        for foreign_key in &source.foreign_keys {
            self.hand_down_foreign_key(child, foreign_key);
        }
    }

    /// Notes that rows obey a constraint, in the table and in what has it from there.
    pub(super) fn validate(&mut self, table: &QualifiedName, constraint: &Name) {
        let mut handed_down = Vec::new();
        self.with_table(table, |table, _| {
            for check in table.checks.iter_mut().filter(|check| check.name.as_ref() == Some(constraint)) {
                check.validated = true;
            }
            for key in table.foreign_keys.iter_mut().filter(|key| key.name.as_ref() == Some(constraint)) {
                key.validated = true;
                handed_down.push((key.columns.clone(), key.references.clone()));
            }
        });
        for heir in self.heirs_of(&self.table_name(table)) {
            let Some(target) = self.table_mut(&heir) else { continue };
            // What is noted already is passed over, so that heirs in a circle come to an end.
            let same_check =
                target.checks.iter().any(|check| !check.validated && check.name.as_ref() == Some(constraint));
            let same_key = target
                .foreign_keys
                .iter()
                .find(|key| {
                    !key.validated
                        && target.kind != TableKind::Ordinary
                        && handed_down
                            .iter()
                            .any(|(columns, to)| (columns, to) == (&key.columns, &key.references))
                })
                .and_then(|key| key.name.clone());
            match same_key {
                Some(name) => self.validate(&heir, &name),
                None if same_check => self.validate(&heir, constraint),
                None => {}
            }
        }
    }

    fn hand_down_check(&mut self, child: &QualifiedName, check: &Check) {
        let has = self.table_mut(child).is_some_and(|child| {
            check.name.as_ref().is_some_and(|name| constraint_exists(child, name.as_str()))
        });
        if !has {
            self.add_check(child, check, false);
        }
    }

    fn hand_down_foreign_key(&mut self, child: &QualifiedName, foreign_key: &ForeignKey) {
        let has = self.table_mut(child).is_some_and(|child| {
            child.foreign_keys.iter().any(|other| {
                (&other.columns, &other.references) == (&foreign_key.columns, &foreign_key.references)
            })
        });
        if !has {
            self.add_foreign_key(child, foreign_key);
        }
    }

    fn hand_down_key(&mut self, child: &QualifiedName, key: &Key, kind: ConstraintKind, parent_index: &Name) {
        let attach = |table: &mut Table| {
            let found = table.indexes.iter_mut().find(|index| {
                index.backs == Some(kind)
                    && index.partition_of.is_none()
                    && index.columns().is_some_and(|columns| columns.into_iter().eq(&key.columns))
            });
            match found {
                Some(index) => {
                    index.partition_of = Some(parent_index.clone());
                    true
                }
                None => false,
            }
        };
        if self.table_mut(child).is_some_and(attach) {
            return;
        }
        self.add_key(child, &Key { name: None, ..key.clone() }, kind, None);
        self.table_mut(child).map(attach);
    }

    fn hand_down_index(&mut self, child: &QualifiedName, index: &Index) {
        let own = self.table_mut(child).and_then(|child| {
            child.indexes.iter_mut().find(|other| {
                other.partition_of.is_none()
                    && other.backs.is_none()
                    && (&other.parts, &other.method, &other.predicate, other.unique)
                        == (&index.parts, &index.method, &index.predicate, index.unique)
            })
        });
        if let Some(own) = own {
            own.partition_of = Some(index.name.clone());
            return;
        }
        let partition_of = Some(index.name.clone());
        let copy = Index { name: Name::DEFAULT, partition_of, valid: true, comment: None, ..index.clone() };
        self.create_index(child, &copy, false, false);
    }

    /// `ALTER INDEX ... ATTACH PARTITION`: an index made on the parent only is valid once every partition has its part.
    pub(super) fn attach_index(&mut self, parent: &QualifiedName, child: &QualifiedName) {
        let Some((owner, name)) = self.find_index(None, child) else { return };
        for index in &mut self.catalog.tables[owner].indexes {
            if index.name == name {
                index.partition_of = Some(parent.name.clone());
            }
        }
        let Some((top, name)) = self.find_index(None, parent) else { return };
        let table = self.catalog.tables[top].name.clone();
        let complete = self.partitions_of(&table).iter().all(|partition| {
            self.tables.get(partition).is_some_and(|i| {
                self.catalog.tables[*i].indexes.iter().any(|index| index.partition_of.as_ref() == Some(&name))
            })
        });
        for index in &mut self.catalog.tables[top].indexes {
            if index.name == name {
                index.valid |= complete;
            }
        }
    }

    /// A table made by a query: its columns are known where the query can be followed to tables that are.
    pub(super) fn create_table_as(
        &mut self,
        name: &QualifiedName,
        text: &str,
        if_not_exists: bool,
        names: &[Name],
        persistence: Persistence,
    ) {
        let mut columns = crate::parse_query(self.engine.dialect(), text)
            .and_then(|query| self.columns_of_query(&query))
            .unwrap_or_default();
        for (column, name) in columns.iter_mut().zip(names) {
            column.name.clone_from(name);
        }
        let full = self.new_name(name);
        self.doubt(Some(full), "the columns of a table made by a query are not known");
        self.create_table(
            &Table { name: name.clone(), columns, persistence, ..Table::default() },
            if_not_exists,
        );
    }

    /// The names of a query's columns, with types where they are plain; `None` when a name cannot be told.
    pub(crate) fn columns_of_query(&self, query: &Query) -> Option<Vec<Column>> {
        let select = match &query.body {
            QueryBody::Select(select) => select,
            QueryBody::SetOperation { left, .. } => return self.columns_of_query(left),
            QueryBody::Values(_) | QueryBody::Other(_) => return None,
        };
        let mut sources: Vec<(Name, &Table)> = Vec::new();
        for item in &select.from {
            for source in std::iter::once(&item.source).chain(item.joins.iter().map(|join| &join.source)) {
                let Source::Table { name, alias } = source else { continue };
                let full = self.lookup_form(&self.table_name(name));
                let Some(i) = self.tables.get(&full) else { continue };
                sources.push((alias.clone().unwrap_or_else(|| name.name.clone()), &self.catalog.tables[*i]));
            }
        }
        let all_known = select.from.iter().map(|item| 1 + item.joins.len()).sum::<usize>() == sources.len();
        let mut columns = Vec::new();
        for item in &select.items {
            match &item.expr {
                Expr::Wildcard { .. } if !all_known => return None,
                Expr::Wildcard { qualifier } => {
                    let wanted = qualifier.last();
                    let tables = sources.iter().filter(|(alias, _)| wanted.is_none_or(|name| name == alias));
                    columns.extend(tables.flat_map(|(_, table)| &table.columns).map(|column| Column {
                        name: column.name.clone(),
                        data_type: self.type_of_copy(column.data_type.clone()),
                        ..Column::default()
                    }));
                }
                _ => columns.push(self.column_of_item(item, &sources)?),
            }
        }
        Some(columns)
    }

    fn column_of_item(&self, item: &SelectItem, sources: &[(Name, &Table)]) -> Option<Column> {
        let (source, data_type) = match item.expr.without_casts() {
            Expr::Column { qualifier, name } => {
                let wanted = qualifier.last();
                let found =
                    sources.iter().filter(|(alias, _)| wanted.is_none_or(|name| name == alias)).find_map(
                        |(_, table)| table.columns.iter().find(|c| c.name.eq_ignore_case(name.as_str())),
                    );
                (Some(name.clone()), found.map(|column| column.data_type.clone()))
            }
            Expr::Call(call) => (Some(Name::new(call.function())), None),
            _ => (None, None),
        };
        let data_type = match &item.expr {
            Expr::Cast { to, .. } => Some(crate::data_type(self.engine.dialect(), to)),
            _ => data_type,
        };
        Some(Column {
            name: item.alias.clone().or(source)?,
            data_type: self.type_of_copy(data_type.unwrap_or_default()),
            ..Column::default()
        })
    }

    /// SQLite keeps no more than the affinity of a type in a table made by a query.
    fn type_of_copy(&self, data_type: DataType) -> DataType {
        if self.engine != Engine::Sqlite {
            return data_type;
        }
        let word = match Affinity::of(data_type.text.as_str()) {
            Affinity::Integer => "INT",
            Affinity::Text => "TEXT",
            Affinity::Blob => "",
            Affinity::Real => "REAL",
            Affinity::Numeric => "NUM",
        };
        crate::data_type(Dialect::Sqlite, word)
    }

    pub(super) fn add_exclusion(&mut self, table: &QualifiedName, exclusion: &Exclusion) {
        let full = self.table_name(table);
        let mut exclusion = exclusion.clone();
        let mut index = exclusion_index(&exclusion.definition)
            .unwrap_or_else(|| Index { method: Name::new("gist"), ..Index::default() });
        if exclusion.name.is_empty() {
            self.gather_relations();
            let taken = |name: &str| self.relation_exists(&full.schema, name);
            let middle = names::index_columns(&index);
            exclusion.name = names::postgres_unused(full.name.as_str(), &middle, "excl", &taken);
        }
        index.name.clone_from(&exclusion.name);
        index.backs = Some(ConstraintKind::Exclusion);
        self.note_relation(full.sibling(&index.name));
        self.with_table(table, |target, _| {
            target.indexes.push(index);
            target.exclusions.push(exclusion);
        });
    }

    pub(super) fn add_key(
        &mut self,
        table: &QualifiedName,
        key: &Key,
        kind: ConstraintKind,
        using_index: Option<&Name>,
    ) {
        let mut key = key.clone();
        let full = self.table_name(table);
        if key.name.is_none() && self.engine == Engine::Postgres && using_index.is_none() {
            self.gather_relations();
            let taken = |name: &str| self.relation_exists(&full.schema, name);
            key.name = Some(match kind {
                ConstraintKind::PrimaryKey => names::postgres_unused(full.name.as_str(), "", "pkey", &taken),
                _ => {
                    let middle = names::joined_columns(key.columns.iter().map(Name::as_str));
                    names::postgres_unused(full.name.as_str(), &middle, "key", &taken)
                }
            });
        }
        if let Some(name) = key.name.as_ref().or(using_index) {
            self.note_relation(full.sibling(name));
        }
        let mut made: Option<(Key, Name)> = None;
        self.with_table(table, |target, engine| {
            if engine.dialect() == Dialect::Mysql {
                name_mysql_key(target, &mut key, kind);
            }
            if let Some(index_name) = using_index {
                let Some(index) = target.indexes.iter_mut().find(|index| index.name == *index_name) else {
                    return;
                };
                key.columns = index.parts.iter().filter_map(IndexPart::as_column).cloned().collect();
                key.nulls_not_distinct = index.nulls_not_distinct;
                key.include.clone_from(&index.include);
                index.backs = Some(kind);
                // The index takes the constraint's name.
                index.name = key.name.get_or_insert_with(|| index_name.clone()).clone();
            } else {
                let columns: Vec<Name> = key
                    .columns
                    .iter()
                    .map(|name| {
                        column_mut(engine, target, name).map_or_else(|| name.clone(), |c| c.name.clone())
                    })
                    .collect();
                key.columns = columns;
                let (options, tablespace) = (std::mem::take(&mut key.options), key.tablespace.take());
                let index_name = key_index_name(engine, target, &key, kind);
                made = Some((key.clone(), index_name.clone()));
                replace_handed_down(target, &key, kind, &index_name);
                let exists = target.indexes.iter().any(|index| {
                    index.backs.is_some()
                        && index.unique
                        && index.columns().is_some_and(|columns| {
                            columns.iter().copied().eq(key.columns.iter())
                                && (engine == Engine::Sqlite || index.name == index_name)
                        })
                });
                if !exists {
                    target.indexes.push(Index {
                        name: index_name,
                        parts: key.columns.iter().map(IndexPart::column).collect(),
                        unique: true,
                        nulls_not_distinct: key.nulls_not_distinct,
                        include: key.include.clone(),
                        method: Name::new(if key.without_overlaps { "gist" } else { "btree" }),
                        options,
                        tablespace,
                        backs: Some(kind),
                        ..Index::default()
                    });
                }
            }
            match kind {
                ConstraintKind::PrimaryKey => {
                    if implies_not_null(engine, target, &key) {
                        for column in &mut target.columns {
                            column.not_null |= key.columns.contains(&column.name);
                        }
                    }
                    target.primary_key = Some(key);
                }
                _ => {
                    if !target.uniques.contains(&key) {
                        target.uniques.push(key);
                    }
                }
            }
        });
        if let Some((key, index)) = made {
            for partition in self.partitions_of(&full) {
                self.hand_down_key(&partition, &key, kind, &index);
            }
        }
    }

    pub(super) fn add_check(&mut self, table: &QualifiedName, check: &Check, only: bool) {
        let mut check = check.clone();
        let full = self.table_name(table);
        let mut added = None;
        self.with_table(table, |target, engine| {
            if check.name.is_none() && engine == Engine::Postgres {
                let columns: Vec<&Name> =
                    check.expression.tree.as_ref().map(|tree| tree.columns()).unwrap_or_default();
                let second = if columns.len() == 1 { columns[0].as_str() } else { "" };
                let taken = |name: &str| constraint_exists(target, name);
                check.name = Some(names::postgres_unused(target.name.name.as_str(), second, "check", &taken));
            }
            if check.name.is_none() && engine.dialect() == Dialect::Mysql {
                check.name = Some(mysql_check_name(engine, target));
            }
            target.checks.push(check.clone());
            added = Some(check);
        });
        if let Some(check) = added.filter(|check| !only && !check.no_inherit) {
            for heir in self.heirs_of(&full) {
                self.hand_down_check(&heir, &check);
            }
        }
    }

    pub(super) fn add_foreign_key(&mut self, table: &QualifiedName, foreign_key: &ForeignKey) {
        let mut foreign_key = foreign_key.clone();
        if foreign_key.beside_column
            && !capability::can(Capability::KeysBesideColumns, self.engine, self.version)
        {
            return;
        }
        foreign_key.beside_column = false;
        foreign_key.references = self.table_name(&foreign_key.references);
        if self.engine.dialect() == Dialect::Mysql {
            // Both words mean the same to it, and it tells only one of them.
            for action in [&mut foreign_key.on_delete, &mut foreign_key.on_update] {
                if *action == ReferentialAction::Restrict {
                    *action = ReferentialAction::NoAction;
                }
            }
        }
        let full = self.table_name(table);
        let mut added = None;
        self.with_table(table, |target, engine| {
            if foreign_key.name.is_none() {
                match engine {
                    Engine::Postgres => {
                        let middle = names::joined_columns(foreign_key.columns.iter().map(Name::as_str));
                        let taken = |name: &str| constraint_exists(target, name);
                        foreign_key.name =
                            Some(names::postgres_unused(target.name.name.as_str(), &middle, "fkey", &taken));
                    }
                    Engine::Mysql | Engine::Mariadb => {
                        let n = target.foreign_keys.len() + 1;
                        foreign_key.name = Some(Name::from(format!("{}_ibfk_{n}", target.name.name)));
                    }
                    Engine::Sqlite => {}
                }
            }
            target.foreign_keys.push(foreign_key.clone());
            added = Some(foreign_key);
        });
        if let Some(foreign_key) = added {
            for partition in self.partitions_of(&full) {
                self.hand_down_foreign_key(&partition, &foreign_key);
            }
        }
    }

    pub(super) fn create_index(
        &mut self,
        table: &QualifiedName,
        index: &Index,
        if_not_exists: bool,
        only: bool,
    ) {
        let full = self.table_name(table);
        let mut index = index.clone();
        let is_table = self.tables.contains_key(&self.lookup_form(&full));
        if !is_table
            && let Some(view) =
                self.catalog.views.iter_mut().find(|view| view.name == full && view.materialized)
        {
            view.indexes.push(index);
            return;
        }
        if if_not_exists
            && !index.name.is_empty()
            && self.find_index(Some(&full), &full.sibling(&index.name)).is_some()
        {
            return;
        }
        if index.name.is_empty()
            && let Some(target) = self.table_mut(table).map(|target| target.clone())
        {
            self.gather_relations();
            index.name = match self.engine.dialect() {
                Dialect::Postgres => {
                    let taken = |name: &str| self.relation_exists(&full.schema, name);
                    names::index_name(self.engine, &target, &index, &taken)
                }
                _ => {
                    let taken = |name: &str| target.indexes.iter().any(|other| other.name == *name);
                    names::index_name(self.engine, &target, &index, &taken)
                }
            };
        }
        self.note_relation(full.sibling(&index.name));
        let children = self.partitions_of(&full);
        if only && !children.is_empty() {
            index.valid = false;
        }
        let parent_index = index.clone();
        self.with_table(table, |target, engine| {
            if engine.dialect() == Dialect::Mysql
                && index.method == "hash"
                && target.storage_engine.as_ref().is_none_or(|engine| *engine != "MEMORY")
            {
                index.method = Index::default().method;
            }
            if engine == Engine::Sqlite {
                resolve_double_quoted(target, &mut index);
            }
            for part in &mut index.parts {
                if let IndexKey::Column(name) = &mut part.key
                    && let Some(column) = column_mut(engine, target, name)
                {
                    *name = column.name.clone();
                }
            }
            target.indexes.push(index);
        });
        if !only {
            for child in children {
                self.hand_down_index(&child, &parent_index);
            }
        }
    }
}

/// SQLite reads a double-quoted word as a column where there is one, otherwise as a string.
fn resolve_double_quoted(table: &Table, index: &mut Index) {
    let columns: Vec<&Name> = table.columns.iter().map(|column| &column.name).collect();
    let expressions = index.parts.iter_mut().filter_map(|part| match &mut part.key {
        IndexKey::Expression(expression) => Some(expression),
        IndexKey::Column(_) => None,
    });
    for expression in expressions.chain(&mut index.predicate) {
        if let Some(tree) = expression.tree.as_mut().map(Arc::make_mut) {
            crate::sqlite::expression::resolve_double_quoted(tree, &columns);
        }
    }
}

/// A dump gives a partition its parent's key once with the parent and once by name: the second time names it.
fn replace_handed_down(table: &mut Table, key: &Key, kind: ConstraintKind, name: &Name) {
    let same = |index: &&mut Index| {
        index.backs == Some(kind)
            && index.partition_of.is_some()
            && index.columns().is_some_and(|columns| columns.into_iter().eq(&key.columns))
    };
    let Some(index) = table.indexes.iter_mut().find(same) else { return };
    let old = std::mem::replace(&mut index.name, name.clone());
    table.uniques.retain(|other| other.name.as_ref() != Some(&old));
}

/// The name MySQL gives to a key that has none: that of its index, or of its first column.
fn name_mysql_key(table: &Table, key: &mut Key, kind: ConstraintKind) {
    if kind == ConstraintKind::PrimaryKey {
        key.name = Some(Name::new("PRIMARY"));
        return;
    }
    if key.name.is_some() {
        return;
    }
    let of_key = |index: &&Index| {
        index.backs == Some(kind)
            && index.columns().is_some_and(|columns| {
                columns.len() == key.columns.len()
                    && columns.iter().zip(&key.columns).all(|(a, b)| a.eq_ignore_case(b.as_str()))
            })
            && !table.uniques.iter().any(|other| other.name.as_ref() == Some(&index.name))
    };
    key.name = table.indexes.iter().find(of_key).map(|index| index.name.clone()).or_else(|| {
        let taken = |name: &str| table.indexes.iter().any(|index| index.name == *name);
        Some(names::mysql_unused(key.columns.first().map_or("", Name::as_str), &taken))
    });
}

/// `CONSTRAINT_1` in MariaDB, `t_chk_1` in MySQL.
fn mysql_check_name(engine: Engine, table: &Table) -> Name {
    let name = |n: usize| match engine {
        Engine::Mariadb => format!("CONSTRAINT_{n}"),
        _ => format!("{}_chk_{n}", table.name.name),
    };
    let mut n = 1;
    while constraint_exists(table, &name(n)) {
        n += 1;
    }
    Name::from(name(n))
}

/// The index behind `EXCLUDE USING method (part WITH operator, ...) WHERE (...)`.
fn exclusion_index(definition: &str) -> Option<Index> {
    let open = definition.find('(')?;
    let head = definition[..open].to_ascii_lowercase();
    let mut words = head.split_whitespace().skip_while(|word| *word != "using").skip(1);
    let method = words.next().unwrap_or("gist");
    let mut parts = String::new();
    let mut depth = 0usize;
    let mut quote: Option<char> = None;
    let mut end = None;
    let mut skipping = false;
    for (i, c) in definition[open..].char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1;
                if depth == 0 {
                    end = Some(open + i + 1);
                    break;
                }
            }
            (None, ',') if depth == 1 => skipping = false,
            // `WITH` ends an element; its operator is not part of the index.
            (None, 'w' | 'W') if depth == 1 => {
                let rest = &definition[open + i..];
                let before = definition[..open + i].chars().next_back();
                let is_word = rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("with "));
                skipping |= is_word && before.is_some_and(|c| c.is_whitespace() || c == ')' || c == '"');
            }
            _ => {}
        }
        if !skipping && i > 0 {
            parts.push(c);
        }
    }
    let rest = &definition[end?..];
    let predicate = rest.to_ascii_lowercase().find("where").map(|at| balanced(&rest[at + "where".len()..]));
    let filter = predicate.map(|text| format!(" where {text}")).unwrap_or_default();
    let sql = format!("create index x on t using {method} ({parts}){filter}");
    crate::parse_statement(Dialect::Postgres, &sql).into_iter().find_map(|change| match change {
        Change::CreateIndex { index, .. } => Some(Index { name: Name::DEFAULT, ..*index }),
        _ => None,
    })
}

/// The parenthesised text at the beginning.
fn balanced(text: &str) -> &str {
    let mut depth = 0usize;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return &text[..=i],
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text
}
