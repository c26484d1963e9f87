//! Tables, views and schemas as a whole.

use dbwright_model::catalog::{Persistence, ReplicaIdentity, Table, TableKind, View};
use dbwright_model::change::{Change, CommentTarget, ObjectKind};
use dbwright_model::effect::{Cost, Lock};
use dbwright_model::expression::{Expr, Query, QueryBody};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::reads;

use super::Reckoning;
use super::column::parent_of;
use super::constraint::is_same_reference;

const AX: Lock = Lock::AccessExclusive;
const SRX: Lock = Lock::ShareRowExclusive;
const SUX: Lock = Lock::ShareUpdateExclusive;

impl<'a> Reckoning<'a> {
    pub(super) fn relation_change(&mut self, change: &Change) {
        use Change::*;
        match change {
            CreateTable { table, if_not_exists } => self.create_table(table, *if_not_exists),
            CreateTableLike { table, like, if_not_exists, .. } => {
                self.note(like, Lock::AccessShare, Cost::Brief);
                self.create_table(table, *if_not_exists);
            }
            CreateTableAs { name, query, .. } => {
                self.created.push(self.before.full_name(name));
                let query = crate::parse_query(dbwright_model::engine::Dialect::Postgres, query);
                self.read(query.as_ref(), Cost::Scan);
            }
            DropTable { name, cascade, .. } => self.drop_table(name, *cascade),
            RenameTable { table, to, .. } => {
                if self.before.table(&self.before.full_name(table).sibling(&to.name)).is_some() {
                    self.refuse_existing(format!("there is a table `{}` already", to.name));
                }
                self.note(table, AX, Cost::Brief);
            }
            SetInherit { table, parent, inherit, .. } => {
                // What other actions of the statement make of the columns comes first.
                if *inherit && self.statement.len() == 1 {
                    self.refuse_unfit_heir(table, parent);
                }
                self.note(table, AX, Cost::Brief);
                let lock = if *inherit { SUX } else { Lock::AccessShare };
                self.note(parent, lock, Cost::Brief);
            }
            SetReplicaIdentity { table, identity, .. } => {
                if let ReplicaIdentity::Index(index) = identity
                    && self.statement.len() == 1
                {
                    self.refuse_identity(table, index);
                }
                self.note(table, AX, Cost::Brief);
            }
            SetRowSecurity { table, .. } | SetOfType { table, .. } | SetForeignOptions { table, .. } => {
                self.note(table, AX, Cost::Brief)
            }
            SetTableOptions { table, options, .. } => self.set_options(table, options),
            SetLogged { table, kind, logged, .. } => self.set_logged(table, kind, *logged),
            SetTablespace { object, tablespace, kind, .. } => self.set_tablespace(object, kind, tablespace),
            SetAccessMethod { table, method, .. } => self.set_access_method(table, method.as_ref()),
            // To whom it belongs already nothing else is given.
            SetOwner { object, owner, .. }
                if self.before.table(object).is_some_and(|table| table.owner.as_ref() == Some(owner)) =>
            {
                self.note(object, AX, Cost::Brief);
            }
            SetOwner { object, kind, .. } | SetSchema { object, kind, .. } if kind.is_relation() => {
                self.set_owner(object);
            }
            RenameObject { kind, object, table, .. } => self.rename_object(kind, object, table.as_ref()),
            CreateView { view, or_replace, .. } => self.create_view(view, *or_replace),
            DropView { name, materialized, cascade, .. } => self.drop_view(name, *materialized, *cascade),
            RefreshView { name, concurrently, populated } => {
                self.refresh(name, *concurrently, *populated);
            }
            SetViewOptions { name, options, materialized, .. } => {
                self.set_view_options(name, options, *materialized);
            }
            Comment { on, .. } => self.comment(on),
            DropSchema { name, cascade, .. } => self.drop_schema(name, *cascade),
            _ => {}
        }
    }

    fn create_table(&mut self, table: &Table, if_not_exists: bool) {
        let before = self.before;
        let name = before.full_name(&table.name);
        if before.table(&name).is_some() {
            if !if_not_exists {
                self.refuse_existing(format!("there is a table `{name}` already"));
            }
            return;
        }
        self.created.push(name);
        if let TableKind::Partition { of, bound } = &table.kind {
            self.create_partition(of, bound);
        }
        for parent in &table.inherits {
            self.note(parent, SUX, Cost::Brief);
        }
        for key in &table.foreign_keys {
            if !self.is_absent(&key.references, false) {
                self.refuse_passing_parent(table.persistence, &key.references);
                self.note_tree(&key.references, SRX, Cost::Brief);
            }
        }
    }

    /// Rows that stay must not refer to rows that pass, nor those of a session to those of all.
    pub(super) fn refuse_passing_parent(&mut self, child: Persistence, parent: &QualifiedName) {
        let Some(parent) = self.before.table(parent) else { return };
        let because = match (child, parent.persistence) {
            (Persistence::Temporary, Persistence::Temporary) => return,
            (Persistence::Temporary, _) => "is not temporary",
            (_, Persistence::Temporary) => "is temporary",
            (Persistence::Permanent, Persistence::Unlogged) => "is unlogged",
            _ => return,
        };
        self.refuse(format!("`{}`, which it refers to, {because}", parent.name));
    }

    /// The index that names a row to replicas must be unique over columns that are never null, and of all rows.
    fn refuse_identity(&mut self, table: &QualifiedName, index: &Name) {
        let Some(known) = self.before.table(table) else { return };
        let Some(found) = known.indexes.iter().find(|other| other.name == *index) else {
            return self.refuse_absent_index(known, index);
        };
        let nullable = |name: &Name| known.column(name.as_str()).is_some_and(|column| !column.not_null);
        let because = if !found.unique {
            "is not unique"
        } else if found.predicate.is_some() {
            "is not about all rows"
        } else {
            match found.columns() {
                None => "is over an expression",
                Some(columns) if columns.iter().any(|name| nullable(name)) => {
                    "is over a column that may be null"
                }
                Some(_) => return,
            }
        };
        self.refuse(format!("the index `{index}` {because}"));
    }

    /// What inherits must have the columns already, and promise what they promise.
    fn refuse_unfit_heir(&mut self, table: &QualifiedName, parent: &QualifiedName) {
        let Some((child, parent)) = self.before.table(table).zip(self.before.table(parent)) else { return };
        for column in &parent.columns {
            let passed_on = column.not_null_constraint.as_ref().is_none_or(|not_null| !not_null.no_inherit);
            match child.column(column.name.as_str()) {
                Some(own) if column.not_null && passed_on && !own.not_null => {
                    self.refuse(format!(
                        "`{}.{}` may hold nulls, unlike that of `{}`",
                        child.name, own.name, parent.name
                    ));
                }
                Some(_) => {}
                None => {
                    if !self.is_column_absent(child, &column.name, false) {
                        return;
                    }
                }
            }
        }
    }

    fn drop_table(&mut self, name: &QualifiedName, cascade: bool) {
        let before = self.before;
        let name = before.full_name(name);
        let Some(table) = before.table(&name) else {
            match before.view(&name) {
                Some(_) => self.refuse(format!("`{name}` is a view")),
                None => self.note(&name, AX, Cost::Brief),
            }
            return;
        };
        self.note(&name, AX, Cost::Brief);
        let mut doomed = vec![table];
        for heir in before.descendants(&name) {
            if !heir.is_partition() && !cascade && !self.drops_table(&heir.name) {
                self.refuse(format!("`{}` inherits from it", heir.name));
            }
            self.note(&heir.name, AX, Cost::Brief);
            doomed.push(heir);
        }
        let above = parent_of(table).and_then(|parent| before.table(parent));
        if let Some(parent) = above {
            self.note(&parent.name, AX, Cost::Brief);
            if let Some(default) = before.default_partition(&parent.name) {
                self.note(&default.name, AX, Cost::Brief);
            }
            if !cascade && let Some((child, _)) = before.referencing(&parent.name).next() {
                self.refuse(format!("the foreign key of `{}` needs it", child.name));
            }
        }
        for table in doomed {
            for key in &table.foreign_keys {
                let from_above =
                    |parent: &Table| parent.foreign_keys.iter().any(|other| is_same_reference(key, other));
                if !above.is_some_and(from_above) {
                    self.note_tree(&key.references, AX, Cost::Brief);
                }
            }
            for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
                self.note(sequence, AX, Cost::Brief);
            }
            for (child, _) in before.referencing(&table.name) {
                if child.name != table.name && !self.drops_table(&child.name) {
                    self.needed(cascade, &child.name, || {
                        format!("the foreign key of `{}` needs it", child.name)
                    });
                }
            }
            self.drop_views_reading(&table.name, None, cascade);
        }
    }

    /// Views that read what is dropped go with it, and the views that read those.
    pub(super) fn drop_views_reading(&mut self, name: &QualifiedName, column: Option<&Name>, cascade: bool) {
        let before = self.before;
        let mut views = before.views_reading(name, column);
        let mut position = 0;
        while let Some(view) = views.get(position).copied() {
            position += 1;
            let dropped = self.statement.iter().any(
                |change| matches!(change, Change::DropView { name, .. } if self.is_named(name, &view.name)),
            );
            if !dropped {
                self.needed(cascade, &view.name, || format!("the view `{}` reads it", view.name));
            }
            for further in before.views_reading(&view.name, None) {
                if !views.iter().any(|known| known.name == further.name) {
                    views.push(further);
                }
            }
        }
    }

    fn set_owner(&mut self, object: &QualifiedName) {
        if self.before.index(None, object).is_some() && self.before.table(object).is_none() {
            return self.note_index(object, AX, Cost::Brief);
        }
        self.note(object, AX, Cost::Brief);
        let Some(table) = self.before.table(object) else { return };
        for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
            self.note(sequence, AX, Cost::Brief);
        }
    }

    fn rename_object(&mut self, kind: &ObjectKind, object: &QualifiedName, table: Option<&QualifiedName>) {
        match (kind, table) {
            (ObjectKind::Trigger, Some(table)) => {
                self.note(table, AX, Cost::Brief);
                let full = self.before.full_name(table);
                let parts = self.before.descendants(&full).into_iter().filter(|heir| heir.is_partition());
                // Since 15 the copies of the trigger are renamed too.
                for heir in parts.filter(|_| self.major >= 15).collect::<Vec<_>>() {
                    self.note(&heir.name, AX, Cost::Brief);
                }
            }
            (ObjectKind::Policy | ObjectKind::Rule, Some(table)) => self.note(table, AX, Cost::Brief),
            (ObjectKind::Index, _) => self.note_index(object, SUX, Cost::Brief),
            (kind, _) if kind.is_relation() => self.note(object, AX, Cost::Brief),
            _ => {}
        }
    }

    fn set_options(&mut self, table: &QualifiedName, options: &[(Name, String)]) {
        if self.before.table(table).is_some_and(|table| self.is_partitioned(table)) && !options.is_empty() {
            self.refuse(format!("`{table}` is partitioned and has no storage itself"));
        }
        let strict = options.iter().any(|(option, _)| *option == "user_catalog_table");
        self.note(table, if strict { AX } else { SUX }, Cost::Brief);
    }

    fn set_logged(&mut self, name: &QualifiedName, kind: &ObjectKind, logged: bool) {
        let before = self.before;
        let full = before.full_name(name);
        if *kind == ObjectKind::Sequence || before.sequence(&full).is_some() {
            if self.major < 15 {
                self.refuse("unlogged sequences need PostgreSQL 15");
            }
            return self.note(&full, AX, Cost::Brief);
        }
        let Some(table) = before.table(&full) else {
            return self.note(&full, AX, Cost::Rewrite);
        };
        let wanted = if logged { Persistence::Permanent } else { Persistence::Unlogged };
        if self.is_partitioned(table) {
            if self.major >= 18 {
                self.refuse(format!("`{full}` is partitioned and has no rows itself"));
            }
            return self.note(&full, AX, Cost::Brief);
        }
        if table.persistence == wanted {
            return self.note(&full, AX, Cost::Brief);
        }
        // A table that survives a crash must not refer to one that does not.
        let mut bound: Vec<&Table> = match logged {
            true => table.foreign_keys.iter().filter_map(|key| before.table(&key.references)).collect(),
            false => before.referencing(&full).map(|(child, _)| child).collect(),
        };
        bound.retain(|other| other.name != full && other.persistence != wanted);
        if let Some(other) = bound.first() {
            self.refuse(format!("a foreign key binds it to `{}`", other.name));
        }
        self.note(&full, AX, Cost::Rewrite);
        if self.major >= 15 {
            for sequence in table.columns.iter().filter_map(|column| column.sequence.as_ref()) {
                self.note(sequence, AX, Cost::Brief);
            }
        }
    }

    fn set_tablespace(&mut self, object: &QualifiedName, kind: &ObjectKind, tablespace: &Name) {
        let before = self.before;
        let differs = |now: Option<&Name>| match now {
            Some(now) => now != tablespace,
            None => *tablespace != "pg_default",
        };
        if *kind == ObjectKind::Index || before.index(None, object).is_some() {
            let now = before.index(None, object).and_then(|(_, index)| index.tablespace.as_ref());
            let cost = if differs(now) { Cost::Rewrite } else { Cost::Brief };
            return self.note_index(object, AX, cost);
        }
        let table = before.table(object);
        let now = match table {
            Some(table) => table.tablespace.as_ref(),
            None => before.view(object).and_then(|view| view.tablespace.as_ref()),
        };
        let cost = if differs(now) { Cost::Rewrite } else { Cost::Brief };
        self.note_rows(table, &before.full_name(object), AX, cost);
    }

    fn set_access_method(&mut self, name: &QualifiedName, method: Option<&Name>) {
        let before = self.before;
        let now = match before.table(name) {
            Some(table) => table.access_method.as_ref(),
            None => before.view(name).and_then(|view| view.access_method.as_ref()),
        };
        let word = |method: Option<&Name>| method.map_or("heap", Name::as_str).to_owned();
        let cost = if word(now) == word(method) { Cost::Brief } else { Cost::Rewrite };
        self.note_rows(before.table(name), &before.full_name(name), AX, cost);
    }

    fn create_view(&mut self, view: &View, or_replace: bool) {
        if let Some(name) = repeated(view) {
            self.refuse(format!("the view would have two columns `{name}`"));
        }
        if or_replace && let Some(old) = self.before.view(&view.name) {
            self.note(&view.name, AX, Cost::Brief);
            if let Some((old, new)) = result_names(old).zip(result_names(view))
                && !new.starts_with(&old)
            {
                self.refuse("the new query has other columns than the view");
            }
        }
        self.created.push(self.before.full_name(&view.name));
        let cost = if view.materialized && view.populated { Cost::Scan } else { Cost::Brief };
        for name in view.query.as_deref().map(reads::relations).unwrap_or_default() {
            self.is_absent(&name, false);
        }
        self.read(view.query.as_deref(), cost);
    }

    fn drop_view(&mut self, name: &QualifiedName, materialized: bool, cascade: bool) {
        let full = self.before.full_name(name);
        if self.before.view(&full).is_some_and(|view| view.materialized != materialized) {
            self.refuse(format!("`{name}` is a view of the other kind"));
        }
        self.note(&full, AX, Cost::Brief);
        self.drop_views_reading(&full, None, cascade);
    }

    fn refresh(&mut self, name: &QualifiedName, concurrently: bool, populated: bool) {
        let view = self.before.view(name);
        let whole = |view: &View| {
            view.indexes
                .iter()
                .any(|index| index.unique && index.predicate.is_none() && index.columns().is_some())
        };
        if concurrently && view.is_some_and(|view| !whole(view)) {
            self.refuse(format!("`{name}` has no unique index over all of its rows"));
        }
        let (lock, cost) = match (concurrently, populated) {
            (true, _) => (Lock::Exclusive, Cost::Scan),
            (false, true) => (AX, Cost::Rewrite),
            (false, false) => (AX, Cost::Brief),
        };
        self.note(name, lock, cost);
        if populated {
            self.read(view.and_then(|view| view.query.as_deref()), Cost::Scan);
        }
    }

    fn set_view_options(&mut self, name: &QualifiedName, options: &[(Name, String)], materialized: bool) {
        if self.major < 15 && options.iter().any(|(option, _)| *option == "security_invoker") {
            self.refuse("`security_invoker` needs PostgreSQL 15");
        }
        self.note(name, if materialized { SUX } else { AX }, Cost::Brief);
    }

    fn drop_schema(&mut self, name: &Name, cascade: bool) {
        let tables = self.before.catalog().tables.iter().map(|table| &table.name);
        let inside: Vec<QualifiedName> = tables.filter(|table| table.schema == *name).cloned().collect();
        if !cascade && !inside.is_empty() {
            self.refuse("the schema is not empty");
        }
        for table in inside {
            self.drop_table(&table, true);
        }
    }

    fn comment(&mut self, on: &CommentTarget) {
        match on {
            CommentTarget::Table(name)
            | CommentTarget::Column(name, _)
            | CommentTarget::View(name)
            | CommentTarget::Sequence(name) => {
                self.note(name, SUX, Cost::Brief);
            }
            CommentTarget::Index(name) => self.note_index(name, SUX, Cost::Brief),
            _ => {}
        }
    }

    /// The relations that a query reads.
    fn read(&mut self, query: Option<&Query>, cost: Cost) {
        for name in query.map(reads::relations).unwrap_or_default() {
            if self.before.table(&name).is_some() || self.before.view(&name).is_some() {
                self.note_tree(&name, Lock::AccessShare, cost);
            }
        }
    }
}

/// A name that two columns of a view would have, as far as its query names them.
fn repeated(view: &View) -> Option<&Name> {
    let QueryBody::Select(select) = &view.query.as_deref()?.body else { return None };
    // A list of the view's own comes before the names of the query.
    if !view.columns.is_empty() {
        return None;
    }
    let names: Vec<&Name> = select
        .items
        .iter()
        .filter_map(|item| match (&item.alias, &item.expr) {
            (Some(alias), _) => Some(alias),
            (None, Expr::Column { name, .. }) => Some(name),
            _ => None,
        })
        .collect();
    names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)).map(|(_, name)| *name)
}

/// The names of a view's columns, where each can be told from its query.
fn result_names(view: &View) -> Option<Vec<&Name>> {
    let QueryBody::Select(select) = &view.query.as_deref()?.body else { return None };
    select
        .items
        .iter()
        .map(|item| match (&item.alias, &item.expr) {
            (Some(alias), _) => Some(alias),
            (None, Expr::Column { name, .. }) => Some(name),
            _ => None,
        })
        .collect()
}
