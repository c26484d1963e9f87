//! `GRANT` and `REVOKE`, one right at a time.

use dbwright_model::access::{Grant, GrantObject};
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};

use super::lex::{Cursor, Kind, Parsed};

/// An account as `user@host`; without a host it may come from anywhere.
pub(super) fn account(cursor: &mut Cursor<'_>) -> Parsed<Name> {
    if cursor.eat_any(&["CURRENT_USER", "CURRENT_ROLE"]) {
        if cursor.eat_symbol('(') {
            cursor.expect_symbol(')')?;
        }
        return Ok(Name::new("current_user"));
    }
    let user = part(cursor)?;
    // A bare host follows the at sign as one word: `app@localhost`.
    let variable = cursor.peek(0).filter(|token| token.kind == Kind::Variable);
    if let Some(token) = variable {
        let mut host = cursor.text[token.start + 1..token.end].to_owned();
        cursor.advance();
        while cursor.eat_symbol('-') {
            host.push('-');
            host.push_str(&part(cursor)?);
        }
        return Ok(Name::from(format!("{user}@{host}")));
    }
    let host = if cursor.eat_symbol('@') { part(cursor)? } else { "%".to_owned() };
    Ok(Name::from(format!("{user}@{host}")))
}

fn part(cursor: &mut Cursor<'_>) -> Parsed<String> {
    match cursor.string() {
        Some(text) => Ok(text),
        None => Ok(cursor.name()?.as_str().to_owned()),
    }
}

/// `GRANT` and `REVOKE`.
pub(super) fn grant(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    let granted = cursor.at("GRANT");
    cursor.advance();
    cursor.eat("IF EXISTS");
    if !cursor.later("ON") {
        if cursor.eat_any(&["ALL PRIVILEGES", "ALL"]) {
            // `REVOKE ALL PRIVILEGES, GRANT OPTION FROM u` takes everything everywhere.
            return Err("rights on every object at once are not followed".to_owned());
        }
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    let privileges = privileges(cursor)?;
    cursor.expect("ON")?;
    let (object_kind, object) = object(cursor)?;
    if !cursor.eat_any(&["TO", "FROM"]) {
        return Err(cursor.unexpected("TO or FROM"));
    }
    let mut accounts = Vec::new();
    loop {
        accounts.push(account(cursor)?);
        if cursor.eat("IDENTIFIED") {
            while !(cursor.done() || cursor.at("WITH GRANT") || cursor.at("REQUIRE") || cursor.at_symbol(','))
            {
                cursor.advance();
            }
        }
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    let grantable = cursor.later("GRANT");
    cursor.rest();
    let mut changes = Vec::new();
    for grantee in &accounts {
        for (privilege, columns) in &privileges {
            let mut add = |object_kind, object: QualifiedName| {
                let (grantee, privilege) = (grantee.clone(), privilege.clone());
                let grant = Grant { object_kind, object, grantee, privilege, grantable };
                changes.push(Change::SetGrant { cascade: false, for_role: None, grant, granted });
            };
            if columns.is_empty() {
                add(object_kind, object.clone());
            }
            for column in columns {
                add(GrantObject::Column, object.sibling(format!("{}.{column}", object.name)));
            }
        }
    }
    Ok(changes)
}

fn privileges(cursor: &mut Cursor<'_>) -> Parsed<Vec<(Name, Vec<Name>)>> {
    let mut found = Vec::new();
    loop {
        let mut words = Vec::new();
        while !cursor.word(0).is_empty() && !cursor.at("ON") {
            words.push(cursor.word(0).to_ascii_uppercase());
            cursor.advance();
        }
        if words.is_empty() {
            return Err(cursor.unexpected("a privilege"));
        }
        let privilege = match words.join(" ").as_str() {
            "ALL PRIVILEGES" => "ALL".to_owned(),
            other => other.to_owned(),
        };
        let columns = if cursor.at_symbol('(') { cursor.names()? } else { Vec::new() };
        found.push((Name::from(privilege), columns));
        if !cursor.eat_symbol(',') {
            return Ok(found);
        }
    }
}

fn object(cursor: &mut Cursor<'_>) -> Parsed<(GrantObject, QualifiedName)> {
    if cursor.eat_any(&["FUNCTION", "PROCEDURE", "PACKAGE BODY", "PACKAGE"]) {
        return Ok((GrantObject::Function, cursor.qualified()?));
    }
    cursor.eat("TABLE");
    if cursor.eat_symbol('*') {
        if cursor.eat_symbol('.') {
            cursor.expect_symbol('*')?;
            return Ok((GrantObject::Server, QualifiedName::default()));
        }
        return Ok((GrantObject::Database, QualifiedName::default()));
    }
    let first = cursor.name()?;
    if !cursor.eat_symbol('.') {
        return Ok((GrantObject::Table, QualifiedName { schema: Name::DEFAULT, name: first }));
    }
    if cursor.eat_symbol('*') {
        // A database of a grant is a pattern, where an underscore is escaped to stand for itself.
        let name = first.as_str().replace("\\_", "_").replace("\\%", "%");
        return Ok((GrantObject::Database, QualifiedName::bare(name)));
    }
    Ok((GrantObject::Table, QualifiedName { schema: first, name: cursor.name()? }))
}
