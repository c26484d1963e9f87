//! Column definitions of `CREATE TABLE` and `ALTER TABLE`.

use dbwright_model::catalog::{Check, Column, ForeignKey, Generated, ReferentialAction};
use dbwright_model::data_type::DataType;
use dbwright_model::expression::Expression;
use dbwright_model::name::Name;

use super::lex::{Cursor, Kind, Parsed};
use super::types;

/// A column and the keys and constraints that were said beside it.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) column: Column,
    pub(super) primary: bool,
    pub(super) unique: bool,
    pub(super) checks: Vec<Check>,
    pub(super) foreign_key: Option<ForeignKey>,
}

/// An expression with its tree.
pub(super) fn expression(text: &str) -> Expression {
    match super::expression::expression(text) {
        Some(tree) => Expression::parsed(text, tree),
        None => Expression::text(text),
    }
}

/// Reads a column name and its definition.
pub(super) fn column(cursor: &mut Cursor<'_>) -> Parsed<Definition> {
    let name = cursor.name()?;
    definition(cursor, name)
}

/// Reads the type and attributes of a column.
fn definition(cursor: &mut Cursor<'_>, name: Name) -> Parsed<Definition> {
    let mut made = Definition::default();
    let serial = types::is_serial(cursor.word(0));
    let start = cursor.offset();
    made.column.name = name;
    made.column.data_type = match types::read(cursor) {
        Some(data_type) => data_type,
        None => unknown_type(cursor, start)?,
    };
    if serial {
        made.column.not_null = true;
        made.column.auto_increment = true;
        made.unique = true;
    }
    while attribute(cursor, &mut made)? {}
    if made.primary {
        made.column.not_null = true;
    }
    Ok(made)
}

/// A type of a plugin or of a version to come: one word and what stands in parentheses behind it.
fn unknown_type(cursor: &mut Cursor<'_>, start: usize) -> Parsed<DataType> {
    // The reader passed the word before it gave up.
    if cursor.offset_behind() <= start {
        return Err(cursor.unexpected("a column type"));
    }
    if cursor.at_symbol('(') {
        cursor.parenthesised()?;
    }
    Ok(types::data_type(&cursor.text[start..cursor.offset_behind()]))
}

/// Reads one attribute; false when none follows.
fn attribute(cursor: &mut Cursor<'_>, made: &mut Definition) -> Parsed<bool> {
    let column = &mut made.column;
    if cursor.eat("NOT NULL") {
        column.not_null = true;
    } else if cursor.eat("NULL") {
        column.not_null = false;
    } else if cursor.eat("DEFAULT") {
        // `DEFAULT NULL` says what holds without it.
        column.default = Some(default(cursor)?).filter(|default| !default.text.eq_ignore_ascii_case("null"));
    } else if cursor.eat("ON UPDATE") {
        column.on_update = Some(Box::new(default(cursor)?));
    } else if cursor.eat("AUTO_INCREMENT") {
        column.auto_increment = true;
    } else if cursor.eat("SERIAL DEFAULT VALUE") {
        column.not_null = true;
        column.auto_increment = true;
        made.unique = true;
    } else if cursor.eat("COMMENT") {
        let comment = cursor.string().ok_or_else(|| cursor.unexpected("a comment"))?;
        column.comment = Some(comment).filter(|comment| !comment.is_empty());
    } else if let Some(charset) = charset(cursor)? {
        if column.collation.as_ref().is_none_or(|collation| !collation.as_str().contains('_')) {
            column.collation = Some(charset);
        }
    } else if cursor.eat("COLLATE") {
        cursor.eat_symbol('=');
        column.collation = Some(collation(cursor)?);
    } else if cursor.eat("GENERATED ALWAYS AS ROW") {
        let edge = cursor.name()?.as_str().to_ascii_uppercase();
        column.generated =
            Some(Box::new(Generated { expression: Expression::text(format!("ROW {edge}")), stored: true }));
    } else if cursor.eat_any(&["GENERATED ALWAYS AS", "AS"]) {
        let text = cursor.parenthesised()?;
        column.generated = Some(Box::new(Generated { expression: expression(text), stored: false }));
    } else if cursor.eat_any(&["STORED", "PERSISTENT"]) {
        if let Some(generated) = &mut column.generated {
            generated.stored = true;
        }
    } else if cursor.eat_any(&["PRIMARY KEY", "PRIMARY"]) {
        made.primary = true;
    } else if cursor.eat_any(&["UNIQUE KEY", "UNIQUE"]) {
        made.unique = true;
    } else if cursor.eat("KEY") {
        // In a column definition a bare `KEY` means the primary key.
        made.primary = true;
    } else if cursor.at("REFERENCES") {
        let mut foreign_key = references(cursor)?;
        foreign_key.columns = vec![made.column.name.clone()];
        foreign_key.beside_column = true;
        made.foreign_key = Some(foreign_key);
    } else if cursor.eat("CONSTRAINT") {
        let name = if cursor.at("CHECK") { None } else { Some(cursor.name()?) };
        made.checks.push(check(cursor, name)?);
    } else if cursor.at("CHECK") {
        made.checks.push(check(cursor, None)?);
    } else if cursor.eat_any(&["COLUMN_FORMAT", "STORAGE"]) {
        cursor.advance();
    } else if cursor.eat_any(&[
        "COMPRESSED",
        "ENGINE_ATTRIBUTE",
        "SECONDARY_ENGINE_ATTRIBUTE",
        "SRID",
        "REF_SYSTEM_ID",
    ]) {
        if cursor.eat_symbol('=') || !cursor.at("NOT") {
            skip_value(cursor);
        }
    } else {
        return Ok(cursor.eat_any(&[
            "VIRTUAL",
            "INVISIBLE",
            "VISIBLE",
            "BINARY",
            "ASCII",
            "UNICODE",
            "BYTE",
            "WITH SYSTEM VERSIONING",
            "WITHOUT SYSTEM VERSIONING",
        ]));
    }
    Ok(true)
}

fn skip_value(cursor: &mut Cursor<'_>) {
    if matches!(cursor.peek(0).map(|token| &token.kind), Some(Kind::Number | Kind::Text(_))) {
        cursor.advance();
    }
}

/// `CHARACTER SET x`, `CHARSET x`, with or without `=`. A character set alone stands for its default collation, which
/// differs between servers, and so keeps the set's bare name.
pub(super) fn charset(cursor: &mut Cursor<'_>) -> Parsed<Option<Name>> {
    if !cursor.eat_any(&["CHARACTER SET", "CHARSET", "CHAR SET"]) {
        return Ok(None);
    }
    cursor.eat_symbol('=');
    collation(cursor).map(Some)
}

/// The name of a collation or character set in lower case, `utf8` by its full name.
pub(super) fn collation(cursor: &mut Cursor<'_>) -> Parsed<Name> {
    let name = match cursor.string() {
        Some(name) => name,
        None => cursor.name()?.as_str().to_owned(),
    };
    let name = name.to_ascii_lowercase();
    if name == "utf8" || name.starts_with("utf8_") {
        return Ok(Name::from(name.replacen("utf8", "utf8mb3", 1)));
    }
    Ok(Name::from(name))
}

/// The value behind `DEFAULT` or `ON UPDATE`; parentheses around the whole are taken off.
pub(super) fn default(cursor: &mut Cursor<'_>) -> Parsed<Expression> {
    if cursor.at_symbol('(') {
        return Ok(expression(cursor.parenthesised()?));
    }
    let start = cursor.offset();
    if cursor.eat("NEXT VALUE FOR") || cursor.eat("PREVIOUS VALUE FOR") {
        cursor.qualified()?;
        return Ok(expression(&cursor.text[start..cursor.offset_behind()]));
    }
    if !cursor.eat_symbol('-') {
        cursor.eat_symbol('+');
    }
    match cursor.peek(0).map(|token| token.kind.clone()) {
        Some(Kind::Text(_)) => {
            cursor.string();
        }
        Some(Kind::Number | Kind::Variable) => cursor.advance(),
        Some(Kind::Word | Kind::Quoted(_)) => {
            let introducer = cursor.word(0).starts_with('_') || cursor.word(0).eq_ignore_ascii_case("n");
            cursor.advance();
            if introducer
                && (cursor.string().is_some() || cursor.peek(0).is_some_and(|t| t.kind == Kind::Number))
            {
                skip_value(cursor);
            }
            while cursor.eat_symbol('.') {
                cursor.advance();
            }
            if cursor.at_symbol('(') {
                cursor.parenthesised()?;
            }
        }
        _ => return Err(cursor.unexpected("a default value")),
    }
    let text = &cursor.text[start..cursor.offset_behind()];
    Ok(match current_timestamp(text) {
        Some(text) => expression(&text),
        None => expression(text),
    })
}

/// The one spelling of the current time, for its many.
pub(super) fn current_timestamp(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase().replace(' ', "");
    let (word, digits) = match lower.split_once('(') {
        Some((word, digits)) => (word, digits.strip_suffix(')')?),
        None => (lower.as_str(), ""),
    };
    if !matches!(word, "current_timestamp" | "now" | "localtime" | "localtimestamp")
        || !digits.bytes().all(|b| b.is_ascii_digit())
        || (word == "now" && !lower.contains('('))
    {
        return None;
    }
    Some(if digits.is_empty() || digits == "0" {
        "CURRENT_TIMESTAMP".to_owned()
    } else {
        format!("CURRENT_TIMESTAMP({digits})")
    })
}

/// `CHECK (expression) [NOT] ENFORCED`.
pub(super) fn check(cursor: &mut Cursor<'_>, name: Option<Name>) -> Parsed<Check> {
    cursor.expect("CHECK")?;
    let text = cursor.parenthesised()?;
    let enforced = !cursor.eat("NOT ENFORCED");
    cursor.eat("ENFORCED");
    Ok(Check { no_inherit: false, name, expression: expression(text), validated: enforced, enforced })
}

/// `REFERENCES t (a, b)` and its actions; the caller knows the referring columns.
pub(super) fn references(cursor: &mut Cursor<'_>) -> Parsed<ForeignKey> {
    cursor.expect("REFERENCES")?;
    let mut made = ForeignKey { references: cursor.qualified()?, ..ForeignKey::default() };
    if cursor.at_symbol('(') {
        made.referenced_columns = cursor.names()?;
    }
    loop {
        if cursor.eat("ON DELETE") {
            made.on_delete = action(cursor)?;
        } else if cursor.eat("ON UPDATE") {
            made.on_update = action(cursor)?;
        } else if !cursor.eat_any(&["MATCH FULL", "MATCH PARTIAL", "MATCH SIMPLE"]) {
            return Ok(made);
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Parsed<ReferentialAction> {
    Ok(if cursor.eat("CASCADE") {
        ReferentialAction::Cascade
    } else if cursor.eat("SET NULL") {
        ReferentialAction::SetNull
    } else if cursor.eat("SET DEFAULT") {
        ReferentialAction::SetDefault
    } else if cursor.eat("RESTRICT") {
        ReferentialAction::Restrict
    } else if cursor.eat("NO ACTION") {
        ReferentialAction::NoAction
    } else {
        return Err(cursor.unexpected("a referential action"));
    })
}
