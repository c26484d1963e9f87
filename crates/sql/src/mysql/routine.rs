//! `CREATE VIEW`, `CREATE TRIGGER`, routines and events.

use dbwright_model::catalog::{Column, Function, FunctionKind, Trigger, View, Volatility};
use dbwright_model::change::Change;
use dbwright_model::expression::DataStatement;
use dbwright_model::name::Name;

use super::access;
use super::lex::{Cursor, Kind, Parsed, Token};
use super::types;

/// What may stand between `CREATE` and the kind of object.
#[derive(Debug, Default)]
struct Preamble {
    definer: Option<Name>,
    algorithm: Option<String>,
    invoker: bool,
}

/// `CREATE` of something with a body, `CREATE [OR REPLACE]` passed.
pub(super) fn create(cursor: &mut Cursor<'_>, or_replace: bool) -> Parsed<Vec<Change>> {
    let mut said = Preamble::default();
    loop {
        if cursor.eat("ALGORITHM") {
            cursor.eat_symbol('=');
            said.algorithm = Some(cursor.name()?.as_str().to_ascii_lowercase());
        } else if cursor.eat("DEFINER") {
            cursor.eat_symbol('=');
            said.definer = Some(access::account(cursor)?);
        } else if cursor.eat("SQL SECURITY") {
            said.invoker = cursor.at("INVOKER");
            cursor.advance();
        } else {
            break;
        }
    }
    if cursor.eat("VIEW") {
        return view(cursor, said, or_replace);
    }
    if cursor.eat("TRIGGER") {
        return trigger(cursor, said, or_replace);
    }
    if cursor.eat("EVENT") {
        // Events run statements later; the catalog does not know them.
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    let aggregate = cursor.eat("AGGREGATE");
    if cursor.eat("FUNCTION") {
        let kind = if aggregate { FunctionKind::Aggregate } else { FunctionKind::Function };
        return routine(cursor, said, kind, or_replace);
    }
    if cursor.eat("PROCEDURE") {
        return routine(cursor, said, FunctionKind::Procedure, or_replace);
    }
    Err(cursor.unexpected("a kind of object"))
}

fn view(cursor: &mut Cursor<'_>, said: Preamble, or_replace: bool) -> Parsed<Vec<Change>> {
    cursor.eat("IF NOT EXISTS");
    let name = cursor.qualified()?;
    let columns = if cursor.at_symbol('(') { cursor.names()? } else { Vec::new() };
    cursor.expect("AS")?;
    let (definition, check_option) = without_check_option(cursor.rest());
    let mut options = Vec::new();
    if let Some(algorithm) = said.algorithm.filter(|algorithm| algorithm != "undefined") {
        options.push((Name::new("algorithm"), algorithm));
    }
    if let Some(check_option) = check_option {
        options.push((Name::new("check_option"), check_option));
    }
    let query = match super::expression::data_statement(definition) {
        Some(DataStatement::Query(query)) => Some(Box::new(query)),
        _ => None,
    };
    let view = View {
        name,
        populated: true,
        definition: definition.to_owned(),
        query,
        columns: columns.into_iter().map(|name| Column { name, ..Column::default() }).collect(),
        options,
        owner: said.definer,
        security_definer: !said.invoker,
        ..View::default()
    };
    Ok(vec![Change::CreateView { if_not_exists: false, view: Box::new(view), or_replace }])
}

/// Cuts `WITH [CASCADED | LOCAL] CHECK OPTION` off a query.
fn without_check_option(query: &str) -> (&str, Option<String>) {
    let tokens = super::lex::tokens(query);
    let word = |token: &Token| query[token.start..token.end].to_ascii_uppercase();
    let last: Vec<String> = tokens.iter().rev().take(4).map(word).collect();
    let mut reversed = last.iter().map(String::as_str);
    if reversed.next() != Some("OPTION") || reversed.next() != Some("CHECK") {
        return (query, None);
    }
    let (kind, length) = match (reversed.next(), reversed.next()) {
        (Some("WITH"), _) => ("cascaded", 3),
        (Some("CASCADED"), Some("WITH")) => ("cascaded", 4),
        (Some("LOCAL"), Some("WITH")) => ("local", 4),
        _ => return (query, None),
    };
    let start = tokens[tokens.len() - length].start;
    (query[..start].trim_end(), Some(kind.to_owned()))
}

fn trigger(cursor: &mut Cursor<'_>, said: Preamble, or_replace: bool) -> Parsed<Vec<Change>> {
    cursor.eat("IF NOT EXISTS");
    let name = cursor.qualified()?;
    let timing = ["BEFORE", "AFTER"].into_iter().find(|timing| cursor.eat(timing));
    let timing = Name::new(timing.ok_or_else(|| cursor.unexpected("BEFORE or AFTER"))?);
    let mut events = Vec::new();
    loop {
        let event = ["INSERT", "UPDATE", "DELETE"].into_iter().find(|event| cursor.eat(event));
        events.push(Name::new(event.ok_or_else(|| cursor.unexpected("an event"))?));
        if !cursor.eat("OR") {
            break;
        }
    }
    events.sort();
    cursor.expect("ON")?;
    let mut table = cursor.qualified()?;
    if table.schema.is_empty() {
        table.schema = name.schema;
    }
    cursor.expect("FOR EACH ROW")?;
    if cursor.eat_any(&["FOLLOWS", "PRECEDES"]) {
        cursor.name()?;
    }
    let name = name.name;
    let trigger = Trigger {
        name: name.clone(),
        table: table.clone(),
        timing,
        events,
        for_each_row: true,
        body: cursor.rest().to_owned(),
        enabled: true,
        definer: said.definer,
        ..Trigger::default()
    };
    let mut changes = Vec::new();
    if or_replace {
        changes.push(Change::DropTrigger { cascade: false, table: Some(table), name, if_exists: true });
    }
    changes.push(Change::CreateTrigger { or_replace: false, trigger: Box::new(trigger) });
    Ok(changes)
}

fn routine(
    cursor: &mut Cursor<'_>,
    said: Preamble,
    kind: FunctionKind,
    or_replace: bool,
) -> Parsed<Vec<Change>> {
    cursor.eat("IF NOT EXISTS");
    let name = cursor.qualified()?;
    let mut function = Function {
        name,
        kind,
        language: Name::new("sql"),
        security_definer: !said.invoker,
        owner: said.definer,
        ..Function::default()
    };
    if cursor.at_symbol('(') {
        function.arguments = arguments(cursor.parenthesised()?);
    }
    if cursor.eat("RETURNS") {
        types::read(cursor);
    }
    loop {
        if cursor.eat("SQL SECURITY") {
            function.security_definer = !cursor.at("INVOKER");
            cursor.advance();
        } else if cursor.eat("DETERMINISTIC") {
            function.volatility = Volatility::Immutable;
        } else if cursor.eat("NOT DETERMINISTIC") {
            function.volatility = Volatility::Volatile;
        } else if cursor.eat("LANGUAGE") {
            function.language = Name::from(cursor.name()?.as_str().to_ascii_lowercase());
        } else if cursor.eat("SONAME") {
            function.language = Name::new("c");
            cursor.string();
        } else if cursor.eat("COMMENT") {
            cursor.string();
        } else if cursor.eat_any(&["CHARACTER SET", "CHARSET", "COLLATE"]) {
            cursor.name()?;
        } else if !cursor.eat_any(&["CONTAINS SQL", "NO SQL", "READS SQL DATA", "MODIFIES SQL DATA"]) {
            break;
        }
    }
    function.body = cursor.rest().to_owned();
    Ok(vec![Change::CreateFunction { function: Box::new(function), or_replace }])
}

/// The types of parameters: `IN a int, OUT b varchar(10)` gives `int, varchar(10)`.
fn arguments(list: &str) -> String {
    let mut cursor = Cursor::new(list);
    let mut found = Vec::new();
    while cursor.peek(0).is_some() {
        // A parameter called `in` must be quoted, so the bare word is the mode.
        cursor.eat_any(&["INOUT", "IN", "OUT"]);
        if cursor.name().is_err() {
            cursor.advance();
        }
        let start = cursor.offset();
        let shown = match types::read(&mut cursor) {
            Some(data_type) => data_type.text.as_str().to_owned(),
            None => {
                cursor.skip_item();
                list[start.min(cursor.offset_behind())..cursor.offset_behind()].to_owned()
            }
        };
        found.push(shown);
        cursor.skip_item();
        if cursor.peek(0).is_some_and(|token| token.kind != Kind::Symbol(',')) {
            break;
        }
        cursor.advance();
    }
    found.join(", ")
}
