//! What only SQLite's own statements tell of a live catalog: its pragmas leave much out.

use std::sync::Arc;

use dbwright_model::catalog::{
    Catalog, Column, ConstraintKind, Index, IndexKey, IndexPart, Table, TableKind, TriggerProgram,
};
use dbwright_model::change::Change;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::Name;

use super::lexer::tokens;
use super::{expression, parse, types};

/// Fills what the pragmas do not tell from the definitions that the catalog carries.
///
/// What a definition does not tell stays as it was; what a pragma told is never replaced.
pub fn complete(catalog: &mut Catalog) {
    let tables = catalog.tables.iter_mut().flat_map(|table| &mut table.columns);
    for column in tables.chain(catalog.views.iter_mut().flat_map(|view| &mut view.columns)) {
        column.data_type = types::data_type(column.data_type.text.as_str());
    }
    for table in &mut catalog.tables {
        let parsed = table.definition.as_deref().map(parse::statement).unwrap_or_default();
        if let Some(Change::CreateTable { table: defined, .. }) = parsed.into_iter().next() {
            complete_table(table, *defined);
        }
        let columns: Vec<Name> = table.columns.iter().map(|column| column.name.clone()).collect();
        for index in &mut table.indexes {
            complete_index(index, &columns);
        }
    }
    for view in &mut catalog.views {
        if let Some(Change::CreateView { view: defined, .. }) =
            parse::statement(&view.definition).into_iter().next()
        {
            view.definition = defined.definition;
            view.query = defined.query;
        } else if view.query.is_none()
            && let Some(dbwright_model::expression::DataStatement::Query(query)) =
                expression::data_statement(&view.definition)
        {
            view.query = Some(Box::new(query));
        }
    }
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        if let Some(Change::CreateTrigger { trigger: defined, .. }) =
            parse::statement(&trigger.body).into_iter().next()
        {
            trigger.timing = defined.timing;
            trigger.events = defined.events;
            trigger.for_each_row = defined.for_each_row;
        }
    }
    catalog.sort();
}

fn complete_table(table: &mut Table, defined: Table) {
    if let TableKind::Virtual { module } = defined.kind {
        if matches!(table.kind, TableKind::Virtual { .. }) {
            table.kind = TableKind::Virtual { module };
        }
        return;
    }
    for column in &mut table.columns {
        let same = |other: &&Column| other.name.eq_ignore_case(column.name.as_str());
        if let Some(other) = defined.columns.iter().find(same) {
            complete_column(column, other);
        }
    }
    if table.checks.is_empty() {
        table.checks = defined.checks;
    }
    if let (Some(key), Some(other)) = (&mut table.primary_key, &defined.primary_key)
        && key.name.is_none()
    {
        key.name.clone_from(&other.name);
    }
    let mut uniques = defined.uniques;
    for key in table.uniques.iter_mut().filter(|key| key.name.is_none()) {
        if let Some(found) = uniques.iter().position(|other| equal_names(&other.columns, &key.columns)) {
            key.name = uniques.remove(found).name;
        }
    }
    let mut foreign_keys = defined.foreign_keys;
    for key in table.foreign_keys.iter_mut().filter(|key| key.name.is_none()) {
        let found = foreign_keys.iter().position(|other| {
            equal_names(&other.columns, &key.columns)
                && other.references.name.eq_ignore_case(key.references.name.as_str())
        });
        if let Some(found) = found {
            let other = foreign_keys.remove(found);
            key.name = other.name;
            key.deferrable = other.deferrable;
        }
    }
}

fn equal_names(left: &[Name], right: &[Name]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.eq_ignore_case(b.as_str()))
}

fn complete_column(column: &mut Column, defined: &Column) {
    if column.collation.is_none() {
        column.collation.clone_from(&defined.collation);
    }
    column.auto_increment |= defined.auto_increment;
    if let Some(generated) = &mut column.generated
        && let Some(other) = &defined.generated
    {
        generated.expression = other.expression.clone();
    }
    if let Some(default) = &mut column.default
        && default.tree.is_none()
    {
        default.tree = match &defined.default {
            // The definition knows whether a word stood bare and is a string.
            Some(other) if other.text == default.text => other.tree.clone(),
            _ => expression::expression(&default.text).map(Arc::new),
        };
    }
}

fn complete_index(index: &mut Index, columns: &[Name]) {
    let Some(at) = index.options.iter().position(|(option, _)| *option == Index::DEFINITION) else { return };
    let Some(Change::CreateIndex { index: defined, .. }) =
        parse::statement(&index.options[at].1).into_iter().next()
    else {
        return;
    };
    index.options.remove(at);
    let names: Vec<&Name> = columns.iter().collect();
    if let Some(mut predicate) = defined.predicate {
        resolve(&mut predicate, &names);
        index.predicate = Some(predicate);
    }
    for (part, other) in index.parts.iter_mut().zip(defined.parts) {
        let IndexKey::Expression(known) = &mut part.key else { continue };
        match other.key {
            IndexKey::Expression(mut told) => {
                resolve(&mut told, &names);
                *known = told;
            }
            // The server holds a constant where the statement seems to name a column.
            IndexKey::Column(word) => {
                *known = string(&word, format!("\"{}\"", word.as_str().replace('"', "\"\"")));
            }
        }
    }
}

fn resolve(expression: &mut Expression, columns: &[&Name]) {
    if let Some(tree) = expression.tree.as_mut().map(Arc::make_mut) {
        expression::resolve_double_quoted(tree, columns);
    }
}

/// Reads what triggers run.
pub fn read_programs(catalog: &mut Catalog) {
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        trigger.program = program(&trigger.body).map(Box::new);
    }
}

/// The condition and the statements of a trigger's definition.
fn program(definition: &str) -> Option<TriggerProgram> {
    let all = tokens(definition)?;
    let begin = all.iter().position(|token| token.is("begin"))?;
    let (head, body) = (&all[..begin], &all[begin + 1..]);
    let condition = head
        .iter()
        .position(|token| token.is("when"))
        .and_then(|when| expression::expression(definition.get(all[when].end..all[begin].start)?.trim()));
    let mut statements = Vec::new();
    for words in body.split(|token| token.is_symbol(';')) {
        let (Some(first), Some(last)) = (words.first(), words.last()) else { continue };
        statements.extend(definition.get(first.start..last.end).and_then(expression::data_statement));
    }
    Some(TriggerProgram { condition, statements })
}

/// Turns the words in double quotes that stand for a column of a new index into the strings that SQLite takes them for where
/// the table has no such column. `text` is the statement, which tells how they were written.
pub(crate) fn quoted_parts(index: &mut Index, columns: &[Name], text: &str) {
    for part in &mut index.parts {
        let IndexKey::Column(name) = &part.key else { continue };
        // The rowid is no column of an index: in quotes its name is a string, too.
        let exists = columns.iter().any(|column| column.eq_ignore_case(name.as_str()));
        let quoted = format!("\"{}\"", name.as_str().replace('"', "\"\""));
        if !exists && text.contains(&quoted) {
            part.key = IndexKey::Expression(string(name, quoted));
        }
    }
}

/// A word in double quotes that is a string.
fn string(word: &Name, quoted: String) -> Expression {
    Expression::parsed(quoted, Expr::Literal(Literal::DoubleQuoted(word.to_string())))
}

/// Whether the primary key is the rowid itself, which no other index stands for.
pub fn is_rowid_key(table: &Table) -> bool {
    let Some([only]) = table.primary_key.as_ref().map(|key| key.columns.as_slice()) else { return false };
    !table.without_rowid
        && table.columns.iter().any(|column| {
            column.name.eq_ignore_case(only.as_str()) && column.not_null && column.data_type.text == "INTEGER"
        })
}

/// The indexes that SQLite makes for the keys of a new table, with its names for them, the rowid included.
///
/// Their numbers follow the order in which the constraints stand. A table does not keep it, so the usual order is
/// assumed: constraints of columns in the order of the columns, then those of the table, the primary key first.
pub fn implied_indexes(table: &Table) -> Vec<Index> {
    let position = |columns: &[Name]| match columns {
        [only] => table.columns.iter().position(|column| column.name.eq_ignore_case(only.as_str())),
        _ => None,
    };
    let mut keys: Vec<(usize, ConstraintKind, &[Name])> = Vec::new();
    if let Some(key) = &table.primary_key {
        let at = position(&key.columns).unwrap_or(usize::MAX);
        keys.push((at, ConstraintKind::PrimaryKey, &key.columns));
    }
    for key in &table.uniques {
        keys.push((position(&key.columns).unwrap_or(usize::MAX), ConstraintKind::Unique, &key.columns));
    }
    keys.sort_by_key(|(at, _, _)| *at);
    let keys: Vec<(ConstraintKind, Vec<IndexPart>)> = keys
        .into_iter()
        .map(|(_, backs, columns)| (backs, columns.iter().map(IndexPart::column).collect()))
        .collect();
    key_indexes(table, &keys)
}

/// The indexes of keys in the order in which the keys stand.
pub(super) fn key_indexes(table: &Table, keys: &[(ConstraintKind, Vec<IndexPart>)]) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    let mut number = 0;
    for (backs, parts) in keys {
        let rowid = *backs == ConstraintKind::PrimaryKey && is_rowid_key(table);
        let mut parts = parts.clone();
        for part in &mut parts {
            let IndexKey::Column(name) = &mut part.key else { continue };
            if let Some(column) =
                table.columns.iter().find(|column| column.name.eq_ignore_case(name.as_str()))
            {
                name.clone_from(&column.name);
            }
        }
        // SQLite makes no second index for the same columns.
        if !rowid
            && let Some(same) = indexes.iter_mut().find(|index| {
                index.name != Index::ROWID
                    && index.parts.len() == parts.len()
                    && index
                        .parts
                        .iter()
                        .zip(&parts)
                        .all(|(a, b)| (&a.key, &a.collation) == (&b.key, &b.collation))
            })
        {
            if *backs == ConstraintKind::PrimaryKey {
                same.backs = Some(*backs);
            }
            continue;
        }
        let name = if rowid {
            Name::new(Index::ROWID)
        } else {
            number += 1;
            Name::new(format!("sqlite_autoindex_{}_{number}", table.name.name))
        };
        indexes.push(Index { name, parts, unique: true, backs: Some(*backs), ..Index::default() });
    }
    indexes
}

/// Suffixes of the tables that SQLite's own virtual tables keep their rows in.
const SHADOWS: &[(&str, &[&str])] = &[
    ("fts5", &["data", "idx", "content", "docsize", "config"]),
    ("fts4", &["content", "segdir", "segments", "docsize", "stat"]),
    ("fts3", &["content", "segdir", "segments", "docsize", "stat"]),
    ("rtree", &["node", "rowid", "parent"]),
    ("rtree_i32", &["node", "rowid", "parent"]),
    ("geopoly", &["node", "rowid", "parent"]),
];

/// Marks the tables that stand behind virtual tables, which dumps list beside them.
pub fn mark_shadows(catalog: &mut Catalog) {
    let mut shadows: Vec<String> = Vec::new();
    for table in &catalog.tables {
        let TableKind::Virtual { module } = &table.kind else { continue };
        let known = SHADOWS.iter().find(|(name, _)| module.eq_ignore_case(name));
        shadows.extend(
            known
                .into_iter()
                .flat_map(|(_, suffixes)| *suffixes)
                .map(|suffix| format!("{}_{suffix}", table.name.name)),
        );
    }
    for table in &mut catalog.tables {
        if shadows.iter().any(|shadow| table.name.name.eq_ignore_case(shadow)) {
            table.kind = TableKind::Shadow;
        }
    }
}
