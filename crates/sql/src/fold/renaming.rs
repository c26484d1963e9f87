//! What names a column: keys, indexes and expressions, and how they follow its new name.

use std::sync::Arc;

use dbwright_model::catalog::{Index, IndexKey, Table};
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::{Folder, column_mut};

impl Folder {
    /// Gives a column another name. `false` when another column has it already, which every server refuses.
    pub(super) fn rename_column(&mut self, table: &QualifiedName, column: &Name, to: &Name) -> bool {
        let full = self.table_name(table);
        let mut declared = column.clone();
        let mut found = false;
        let mut taken = false;
        self.with_table(table, |target, engine| {
            let own = column_mut(engine, target, column).map(|column| column.name.clone());
            let other = column_mut(engine, target, to).map(|column| column.name.clone());
            taken = own.is_some() && other.is_some() && own != other;
            if taken {
                return;
            }
            if let Some(column) = column_mut(engine, target, column) {
                declared = std::mem::replace(&mut column.name, to.clone());
                found = column.name != declared;
            }
            rename_in_table(target, &declared, to);
        });
        if taken {
            self.doubt(Some(full), format!("column `{column}` is renamed to `{to}`, which is there already"));
            return false;
        }
        for other in &mut self.catalog.tables {
            for foreign_key in &mut other.foreign_keys {
                if foreign_key.references == full {
                    rename_names(&mut foreign_key.referenced_columns, &declared, to);
                }
            }
        }
        for trigger in self.catalog.triggers.known_mut().into_iter().flatten() {
            if trigger.table == full {
                rename_names(&mut trigger.columns, &declared, to);
                trigger.columns.sort();
                trigger.when.iter_mut().for_each(|when| rename_in_expression(when, &declared, to));
            }
        }
        for sequence in &mut self.catalog.sequences {
            if let Some((table, owner)) = &mut sequence.owned_by
                && *table == full
                && *owner == declared
            {
                *owner = to.clone();
            }
        }
        for heir in self.heirs_of(&full).iter().filter(|_| found) {
            self.rename_column(heir, column, to);
        }
        true
    }

    /// Names that the engine made out of the table's follow it.
    pub(super) fn rename_generated(&mut self, table: usize, from: &Name, to: &Name) {
        let table = &mut self.catalog.tables[table];
        let renamed = |name: &Name, prefix: &str, suffix: &str| {
            let rest = name.as_str().strip_prefix(&format!("{prefix}{from}{suffix}"))?;
            Some(Name::from(format!("{prefix}{to}{suffix}{rest}")))
        };
        match self.engine.dialect() {
            Dialect::Mysql => {
                for name in table.foreign_keys.iter_mut().filter_map(|key| key.name.as_mut()) {
                    if let Some(to) = renamed(name, "", "_ibfk_") {
                        *name = to;
                    }
                }
            }
            Dialect::Sqlite => {
                for index in &mut table.indexes {
                    if let Some(to) = renamed(&index.name, "sqlite_autoindex_", "_") {
                        index.name = to;
                    }
                }
            }
            Dialect::Postgres => {}
        }
    }

    pub(super) fn rename_index(&mut self, owner: usize, name: &Name, to: &Name) {
        let table = &mut self.catalog.tables[owner];
        for index in &mut table.indexes {
            if index.name == *name {
                index.name = to.clone();
            }
        }
        for key in table.primary_key.iter_mut().chain(&mut table.uniques) {
            if key.name.as_ref() == Some(name) {
                key.name = Some(to.clone());
            }
        }
    }
}

pub(super) fn mentions(expression: &Expression, column: &Name) -> bool {
    expression.tree.as_ref().is_some_and(|tree| tree.columns().contains(&column))
}

pub(super) fn index_mentions(index: &Index, column: &Name) -> bool {
    index.include.contains(column)
        || index.parts.iter().any(|part| match &part.key {
            IndexKey::Column(name) => name == column,
            IndexKey::Expression(expression) => mentions(expression, column),
        })
        || index.predicate.as_ref().is_some_and(|predicate| mentions(predicate, column))
}

pub(super) fn rename_names(names: &mut [Name], from: &Name, to: &Name) {
    for name in names {
        if name == from {
            *name = to.clone();
        }
    }
}

fn rename_in_expression(expression: &mut Expression, from: &Name, to: &Name) {
    if !mentions(expression, from) {
        return;
    }
    if let Some(tree) = &mut expression.tree {
        Arc::make_mut(tree).walk_mut(&mut |expr| {
            if let Expr::Column { name, .. } = expr
                && name == from
            {
                *name = to.clone();
            }
        });
    }
    expression.text = replace_word(&expression.text, from.as_str(), to.as_str());
}

/// Replaces whole words only, string constants left alone.
pub(super) fn replace_word(text: &str, from: &str, to: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut result = String::with_capacity(text.len());
    let mut in_string = false;
    let mut rest = text;
    let mut previous = ' ';
    while let Some(c) = rest.chars().next() {
        if c == '\'' {
            in_string = !in_string;
        }
        let boundary = !in_string && !is_word(previous);
        if boundary
            && let Some(after) = rest.strip_prefix(from)
            && !after.chars().next().is_some_and(is_word)
        {
            result.push_str(to);
            previous = from.chars().next_back().unwrap_or(' ');
            rest = after;
            continue;
        }
        result.push(c);
        previous = c;
        rest = &rest[c.len_utf8()..];
    }
    result
}

pub(super) fn rename_in_table(table: &mut Table, from: &Name, to: &Name) {
    for key in table.primary_key.iter_mut().chain(&mut table.uniques) {
        rename_names(&mut key.columns, from, to);
    }
    for foreign_key in &mut table.foreign_keys {
        rename_names(&mut foreign_key.columns, from, to);
    }
    for check in &mut table.checks {
        rename_in_expression(&mut check.expression, from, to);
    }
    for column in &mut table.columns {
        if let Some(generated) = &mut column.generated {
            rename_in_expression(&mut generated.expression, from, to);
        }
    }
    for index in &mut table.indexes {
        rename_names(&mut index.include, from, to);
        for part in &mut index.parts {
            match &mut part.key {
                IndexKey::Column(name) => {
                    if name == from {
                        *name = to.clone();
                    }
                }
                IndexKey::Expression(expression) => rename_in_expression(expression, from, to),
            }
        }
        if let Some(predicate) = &mut index.predicate {
            rename_in_expression(predicate, from, to);
        }
    }
}
