//! The inside of `CREATE TABLE`: columns, constraints and options.

use std::sync::Arc;

use dbwright_model::catalog::{
    Check, Column, ConstraintKind, ForeignKey, Generated, IndexPart, Key, ReferentialAction, Table,
};
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::Name;

use super::cursor::Cursor;
use super::lexer::TokenKind;
use super::parse::parsed;
use super::{expression, types, understand};

/// What columns and table constraints say about the table.
#[derive(Default)]
pub(super) struct TableParts {
    /// The primary key, and whether it was said to descend, which keeps an integer key from being the rowid.
    pub primary_key: Option<(Key, bool)>,
    pub uniques: Vec<Key>,
    pub checks: Vec<Check>,
    pub foreign_keys: Vec<ForeignKey>,
    /// The parts of every key in the order in which the keys stand, by which SQLite numbers their indexes.
    order: Vec<(ConstraintKind, Vec<IndexPart>)>,
    /// Whether `AUTOINCREMENT` stood in a table constraint.
    auto_increment: bool,
}

/// Reads the parenthesised body and the options of a table.
pub(super) fn body(cursor: &mut Cursor<'_>, table: &mut Table) -> Option<()> {
    let mut parts = TableParts::default();
    cursor.symbol('(')?;
    loop {
        if !table.columns.is_empty() && starts_constraint(cursor) {
            constraint(cursor, &mut parts)?;
        } else {
            table.columns.push(column(cursor, &mut parts)?);
        }
        // SQLite takes table constraints without a comma between them.
        if cursor.accept_symbol(')') {
            break;
        }
        if !cursor.accept_symbol(',') && !starts_constraint(cursor) {
            return None;
        }
    }
    options(cursor, table)?;
    finish(table, parts);
    Some(())
}

fn options(cursor: &mut Cursor<'_>, table: &mut Table) -> Option<()> {
    while cursor.peek().is_some() {
        if cursor.accept("without") {
            cursor.keyword("rowid")?;
            table.without_rowid = true;
        } else {
            cursor.keyword("strict")?;
            table.strict = true;
        }
        if cursor.peek().is_some() {
            cursor.symbol(',')?;
        }
    }
    Some(())
}

/// Puts keys where they belong and draws what they imply.
fn finish(table: &mut Table, parts: TableParts) {
    if let Some((key, descending)) = parts.primary_key {
        let single = key.columns.len() == 1;
        for column in &mut table.columns {
            if !key.columns.iter().any(|name| name.eq_ignore_case(column.name.as_str())) {
                continue;
            }
            let rowid = single && !descending && !table.without_rowid && column.data_type.text == "INTEGER";
            // Other keys of ordinary tables take nulls, by an old mistake that SQLite keeps.
            column.not_null |= rowid || table.strict || table.without_rowid;
            column.auto_increment |= parts.auto_increment;
        }
        table.primary_key = Some(key);
    }
    table.uniques = parts.uniques;
    table.indexes = understand::key_indexes(table, &parts.order);
    table.checks = parts.checks;
    table.foreign_keys = parts.foreign_keys;
    let names: Vec<Name> = table.columns.iter().map(|column| column.name.clone()).collect();
    let names: Vec<&Name> = names.iter().collect();
    let generated = table
        .columns
        .iter_mut()
        .filter_map(|column| column.generated.as_mut())
        .map(|generated| &mut generated.expression);
    for expression in table.checks.iter_mut().map(|check| &mut check.expression).chain(generated) {
        if let Some(tree) = expression.tree.as_mut().map(Arc::make_mut) {
            expression::resolve_double_quoted(tree, &names);
        }
    }
}

fn starts_constraint(cursor: &Cursor<'_>) -> bool {
    ["constraint", "primary", "unique", "check", "foreign"].iter().any(|word| cursor.is(word))
}

/// Reads one table constraint.
fn constraint(cursor: &mut Cursor<'_>, parts: &mut TableParts) -> Option<()> {
    let name = constraint_name(cursor)?;
    if cursor.accept("primary") {
        cursor.keyword("key")?;
        cursor.symbol('(')?;
        let (columns, index) = key_columns(cursor, &mut parts.auto_increment)?;
        conflict(cursor)?;
        parts.order.push((ConstraintKind::PrimaryKey, index));
        parts.primary_key = Some((Key { name, columns, ..Key::default() }, false));
    } else if cursor.accept("unique") {
        cursor.symbol('(')?;
        let (columns, index) = key_columns(cursor, &mut false)?;
        conflict(cursor)?;
        parts.order.push((ConstraintKind::Unique, index));
        parts.uniques.push(Key { name, columns, ..Key::default() });
    } else if cursor.accept("check") {
        parts.checks.push(check(cursor, name)?);
    } else {
        cursor.keyword("foreign")?;
        cursor.keyword("key")?;
        cursor.symbol('(')?;
        let columns = cursor.names()?;
        cursor.keyword("references")?;
        parts.foreign_keys.push(references(cursor, name, columns)?);
    }
    Some(())
}

fn key_columns(cursor: &mut Cursor<'_>, auto_increment: &mut bool) -> Option<(Vec<Name>, Vec<IndexPart>)> {
    let mut names = Vec::new();
    let mut parts = Vec::new();
    loop {
        let name = Name::new(cursor.name()?);
        let mut part = IndexPart::column(&name);
        names.push(name);
        if cursor.accept("collate") {
            part.collation = Some(Name::new(cursor.name()?));
        }
        part.descending = !cursor.accept("asc") && cursor.accept("desc");
        parts.push(part);
        *auto_increment |= cursor.accept("autoincrement");
        if cursor.accept_symbol(')') {
            return Some((names, parts));
        }
        cursor.symbol(',')?;
    }
}

fn constraint_name(cursor: &mut Cursor<'_>) -> Option<Option<Name>> {
    let mut name = None;
    // A later name wins over an earlier one that names nothing.
    while cursor.accept("constraint") {
        name = Some(Name::new(cursor.name()?));
    }
    Some(name)
}

/// `ON CONFLICT ...`, if it comes next.
pub(super) fn conflict(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.is("on") && cursor.peek_second().is_some_and(|token| token.is("conflict")) {
        cursor.next()?;
        cursor.next()?;
        cursor.word()?;
    }
    Some(())
}

fn check(cursor: &mut Cursor<'_>, name: Option<Name>) -> Option<Check> {
    let expression = parsed(cursor.parenthesised()?);
    conflict(cursor)?;
    Some(Check { no_inherit: false, name, expression, validated: true, enforced: true })
}

/// `[CONSTRAINT name] CHECK (...)` of `ALTER TABLE ... ADD`, if that comes next.
pub(super) fn added_check(cursor: &mut Cursor<'_>) -> Option<Check> {
    let parenthesis = cursor.peek_second().is_some_and(|token| token.is_symbol('('));
    if !(cursor.is("constraint") || (cursor.is("check") && parenthesis)) {
        return None;
    }
    let name = constraint_name(cursor)?;
    cursor.keyword("check")?;
    check(cursor, name)
}

/// Reads one column with its constraints.
pub(super) fn column(cursor: &mut Cursor<'_>, parts: &mut TableParts) -> Option<Column> {
    let name = Name::new(cursor.name()?);
    let declared = declared_type(cursor)?;
    // A type of one quoted word is kept without its quotes.
    let quoted = declared.starts_with(['"', '`', '[', '\'']) && !declared.ends_with(')');
    let unquoted = if quoted { super::lexer::unquote(declared) } else { declared.to_owned() };
    let data_type = types::data_type(&unquoted);
    let mut column = Column { name, data_type, ..Column::default() };
    loop {
        let name = constraint_name(cursor)?;
        let Some(token) = cursor.peek() else { return Some(column) };
        if token.is_symbol(',') || token.is_symbol(')') {
            return Some(column);
        }
        column_constraint(cursor, name, &mut column, parts)?;
    }
}

/// Words that end a column's type.
const AFTER_TYPE: [&str; 11] = [
    "constraint",
    "primary",
    "not",
    "null",
    "unique",
    "check",
    "default",
    "collate",
    "references",
    "as",
    "on",
];

fn declared_type<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    let mut first = None;
    let mut last = None;
    while let Some(token) = cursor.peek() {
        let generated = token.is("generated") && cursor.peek_second().is_some_and(|next| next.is("always"));
        let named = matches!(token.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::String);
        if !named || generated || AFTER_TYPE.iter().any(|word| token.is(word)) {
            break;
        }
        first.get_or_insert(token);
        last = Some(token);
        cursor.next();
    }
    let (Some(first), Some(mut last)) = (first, last) else { return Some("") };
    if cursor.peek().is_some_and(|token| token.is_symbol('(')) {
        cursor.symbol('(')?;
        loop {
            let token = cursor.next()?;
            last = token;
            if token.is_symbol(')') {
                break;
            }
        }
    }
    Some(cursor.between(first.start, last.end))
}

fn column_constraint(
    cursor: &mut Cursor<'_>,
    name: Option<Name>,
    column: &mut Column,
    parts: &mut TableParts,
) -> Option<()> {
    let own = || vec![column.name.clone()];
    if cursor.accept("primary") {
        cursor.keyword("key")?;
        let key = Key { name, columns: own(), ..Key::default() };
        let descending = cursor.accept("desc");
        let _ = cursor.accept("asc");
        conflict(cursor)?;
        column.auto_increment = cursor.accept("autoincrement");
        let part = IndexPart { descending, ..IndexPart::column(&column.name) };
        parts.order.push((ConstraintKind::PrimaryKey, vec![part]));
        parts.primary_key = Some((key, descending));
    } else if cursor.accept("unique") {
        parts.order.push((ConstraintKind::Unique, vec![IndexPart::column(&column.name)]));
        parts.uniques.push(Key { name, columns: own(), ..Key::default() });
        conflict(cursor)?;
    } else if cursor.accept("check") {
        parts.checks.push(check(cursor, name)?);
    } else if cursor.accept("references") {
        let columns = own();
        parts.foreign_keys.push(references(cursor, name, columns)?);
    } else if cursor.accept("default") {
        column.default = Some(default(cursor)?);
    } else if cursor.accept("collate") {
        column.collation = Some(Name::new(cursor.name()?));
    } else if cursor.accept("not") {
        if cursor.accept("deferrable") {
            initially(cursor)?;
            return Some(());
        }
        cursor.keyword("null")?;
        column.not_null = true;
        conflict(cursor)?;
    } else if cursor.accept("null") {
        conflict(cursor)?;
    } else if cursor.accept("deferrable") {
        initially(cursor)?;
        if let Some(foreign_key) = parts.foreign_keys.last_mut() {
            foreign_key.deferrable = true;
        }
    } else {
        if cursor.accept("generated") {
            cursor.keyword("always")?;
        }
        cursor.keyword("as")?;
        let expression = parsed(cursor.parenthesised()?);
        let stored = cursor.accept("stored");
        let _ = cursor.accept("virtual");
        column.generated = Some(Box::new(Generated { expression, stored }));
    }
    Some(())
}

/// The value of a default: parentheses do not belong to it, as SQLite itself tells it.
fn default(cursor: &mut Cursor<'_>) -> Option<Expression> {
    let token = cursor.peek()?;
    if token.is_symbol('(') {
        return Some(parsed(cursor.parenthesised()?));
    }
    let start = token.start;
    let signed = token.is_symbol('+') || token.is_symbol('-');
    if signed {
        cursor.next()?;
    }
    let value = cursor.next()?;
    let text = cursor.between(start, value.end);
    // A bare word is a string here.
    let keyword = ["null", "true", "false", "current_date", "current_time", "current_timestamp"];
    let bare = value.kind == TokenKind::Quoted
        || (value.kind == TokenKind::Word && !keyword.iter().any(|word| value.is(word)));
    if bare {
        let tree = match value.kind {
            TokenKind::Quoted => Literal::DoubleQuoted(value.name()?),
            _ => Literal::String(value.name()?),
        };
        return Some(Expression::parsed(text, Expr::Literal(tree)));
    }
    if value.kind == TokenKind::Symbol {
        return None;
    }
    Some(parsed(text))
}

/// The referenced table and what happens to children, `REFERENCES` being read.
fn references(cursor: &mut Cursor<'_>, name: Option<Name>, columns: Vec<Name>) -> Option<ForeignKey> {
    let mut foreign_key =
        ForeignKey { name, columns, references: cursor.qualified()?, ..ForeignKey::default() };
    if cursor.accept_symbol('(') {
        foreign_key.referenced_columns = cursor.names()?;
    }
    loop {
        if cursor.is("on") && cursor.peek_second().is_some_and(|token| !token.is("conflict")) {
            cursor.next()?;
            let event = cursor.word()?;
            let action = action(cursor)?;
            if event.eq_ignore_ascii_case("delete") {
                foreign_key.on_delete = action;
            } else if event.eq_ignore_ascii_case("update") {
                foreign_key.on_update = action;
            }
        } else if cursor.accept("match") {
            cursor.name()?;
        } else if cursor.is("not") && cursor.peek_second().is_some_and(|token| token.is("deferrable")) {
            cursor.next()?;
            cursor.next()?;
            initially(cursor)?;
        } else if cursor.accept("deferrable") {
            initially(cursor)?;
            foreign_key.deferrable = true;
        } else {
            return Some(foreign_key);
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Option<ReferentialAction> {
    if cursor.accept("set") {
        if cursor.accept("null") {
            return Some(ReferentialAction::SetNull);
        }
        cursor.keyword("default")?;
        return Some(ReferentialAction::SetDefault);
    }
    if cursor.accept("cascade") {
        return Some(ReferentialAction::Cascade);
    }
    if cursor.accept("restrict") {
        return Some(ReferentialAction::Restrict);
    }
    cursor.keyword("no")?;
    cursor.keyword("action")?;
    Some(ReferentialAction::NoAction)
}

fn initially(cursor: &mut Cursor<'_>) -> Option<()> {
    if cursor.accept("initially") && !cursor.accept("deferred") {
        cursor.keyword("immediate")?;
    }
    Some(())
}
