//! Statements of MySQL and MariaDB as changes.
//!
//! The grammar of DDL is read by hand, word by word; expressions and queries inside it go to
//! [`super::expression`]. What is not understood becomes [`Change::Opaque`] and names what it touches.

use dbwright_model::catalog::{Index, Sequence};
use dbwright_model::change::{Change, DataKind, OnlineClauses, SequenceChanges, TransactionControl};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::{Name, QualifiedName};

use super::lex::{Cursor, Kind, Parsed, without_comments};
use super::{access, alter, routine, table, types};

/// Parses one statement into its changes.
pub fn statement(text: &str) -> Vec<Change> {
    let cleaned = without_comments(text);
    let mut cursor = Cursor::new(&cleaned);
    if cursor.done() {
        return vec![Change::Nothing];
    }
    match changes(&mut cursor) {
        Ok(changes) if cursor.done() => changes,
        Ok(_) => vec![opaque(cursor.unexpected("the end of the statement"), &cleaned)],
        Err(because) => vec![opaque(because, &cleaned)],
    }
}

fn opaque(because: String, text: &str) -> Change {
    Change::Opaque { because, touches: touched(text) }
}

/// What a statement that was not understood touches: the name behind `TABLE`, `VIEW`, `ON` and their like.
fn touched(text: &str) -> Vec<QualifiedName> {
    let mut cursor = Cursor::new(text);
    let is_index = cursor.at("CREATE INDEX") || cursor.at("CREATE UNIQUE INDEX") || cursor.at("DROP INDEX");
    for _ in 0..12 {
        let found = if is_index { cursor.eat("ON") } else { cursor.eat_any(&["TABLE", "VIEW", "SEQUENCE"]) };
        if found {
            cursor.eat_any(&["IF NOT EXISTS", "IF EXISTS"]);
            return cursor.qualified().into_iter().collect();
        }
        cursor.advance();
    }
    Vec::new()
}

fn changes(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    let first = cursor.word(0).to_ascii_uppercase();
    match first.as_str() {
        "CREATE" => create(cursor),
        "ALTER" => alter_statement(cursor),
        "DROP" => drop(cursor),
        "RENAME" => rename(cursor),
        "GRANT" | "REVOKE" => access::grant(cursor),
        "SET" => set(cursor),
        "SELECT" | "WITH" | "VALUES" | "TABLE" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "TRUNCATE"
        | "LOAD" | "DO" | "HANDLER" => Ok(vec![data(cursor, &first)]),
        "ANALYZE" | "OPTIMIZE" => maintain(cursor),
        "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "XA" => {
            Ok(vec![transaction(cursor)])
        }
        "USE" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "LOCK" | "UNLOCK" | "FLUSH" | "RESET" | "KILL"
        | "CHECK" | "CHECKSUM" | "REPAIR" | "HELP" | "PURGE" | "CHANGE" | "STOP" | "CACHE" | "INSTALL"
        | "UNINSTALL" | "SIGNAL" | "RESIGNAL" | "DELIMITER" | "SOURCE" | "BINLOG" | "SHUTDOWN"
        | "RESTART" | "CLONE" | "DEALLOCATE" | "BACKUP" => {
            cursor.rest();
            Ok(vec![Change::Nothing])
        }
        "CALL" | "PREPARE" | "EXECUTE" => Err(format!("`{first}` runs statements that are not written here")),
        _ if cursor.at_symbol('(') => Ok(vec![data(cursor, "SELECT")]),
        _ => Err(cursor.unexpected("a statement")),
    }
}

fn create(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    cursor.expect("CREATE")?;
    let or_replace = cursor.eat("OR REPLACE");
    let temporary = cursor.eat_any(&["TEMPORARY", "GLOBAL TEMPORARY"]);
    if cursor.eat("TABLE") {
        let made = table::create(cursor, temporary)?;
        return Ok(replacing(or_replace, made));
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let if_not_exists = cursor.eat("IF NOT EXISTS");
        let name = cursor.name()?;
        cursor.rest();
        return Ok(vec![Change::CreateSchema { name, if_not_exists }]);
    }
    if cursor.eat("SEQUENCE") {
        let if_not_exists = cursor.eat("IF NOT EXISTS");
        let sequence = sequence(cursor)?;
        return Ok(vec![Change::CreateSequence { sequence, if_not_exists }]);
    }
    let mark = cursor.mark();
    cursor.eat_any(&["ONLINE", "OFFLINE"]);
    let unique = cursor.eat("UNIQUE");
    let method = ["FULLTEXT", "SPATIAL"].into_iter().find(|method| cursor.eat(method));
    if cursor.eat("INDEX") {
        let made = create_index(cursor, unique, method)?;
        let replaced = match &made {
            Change::CreateIndex { table, index, .. } if or_replace => {
                let name = QualifiedName { schema: Name::DEFAULT, name: index.name.clone() };
                Some(alter::drop_index(table.clone(), name, true))
            }
            _ => None,
        };
        return Ok(replaced.into_iter().chain([made]).collect());
    }
    cursor.reset(mark);
    if cursor.at("USER")
        || cursor.at("ROLE")
        || cursor.at("SERVER")
        || cursor.at("TABLESPACE")
        || cursor.at("LOGFILE")
        || cursor.at("UNDO")
        || cursor.at("RESOURCE")
        || cursor.at("SPATIAL REFERENCE")
        || cursor.at("PACKAGE")
    {
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    routine::create(cursor, or_replace)
}

/// `CREATE OR REPLACE TABLE` drops what is there first.
fn replacing(or_replace: bool, mut made: Vec<Change>) -> Vec<Change> {
    if or_replace {
        let name = match made.first() {
            Some(Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. }) => {
                Some(table.name.clone())
            }
            Some(Change::CreateTableAs { name, .. }) => Some(name.clone()),
            _ => None,
        };
        if let Some(name) = name {
            made.insert(0, Change::DropTable { name, if_exists: true, cascade: false });
        }
    }
    made
}

fn create_index(cursor: &mut Cursor<'_>, unique: bool, method: Option<&str>) -> Parsed<Change> {
    let if_not_exists = cursor.eat("IF NOT EXISTS");
    let mut made = Index { name: cursor.name()?, unique, ..Index::default() };
    if cursor.eat_any(&["USING", "TYPE"]) {
        made.method = Name::from(cursor.name()?.as_str().to_ascii_lowercase());
    }
    cursor.expect("ON")?;
    let table = cursor.qualified()?;
    table::index_rest(cursor, &mut made)?;
    if let Some(method) = method {
        made.method = Name::from(method.to_ascii_lowercase());
    }
    if unique {
        made.backs = table::unique(Name::DEFAULT, made.parts.clone()).backs;
    }
    let online = algorithm_and_lock(cursor);
    Ok(Change::CreateIndex {
        online,
        table,
        index: Box::new(made),
        concurrently: false,
        if_not_exists,
        only: false,
    })
}

fn algorithm_and_lock(cursor: &mut Cursor<'_>) -> OnlineClauses {
    let mut online = OnlineClauses::default();
    loop {
        if cursor.eat("WAIT") {
            cursor.eat_symbol('=');
            cursor.advance();
        } else if !alter::online_clause(cursor, &mut online) {
            break;
        }
    }
    cursor.eat("NOWAIT");
    online
}

fn alter_statement(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    cursor.expect("ALTER")?;
    cursor.eat_any(&["ONLINE", "OFFLINE"]);
    let ignore = cursor.eat("IGNORE");
    if cursor.eat("TABLE") {
        let mut changes = alter::alter(cursor)?;
        for alter in changes.iter_mut().filter_map(Change::alter_mut) {
            alter.ignore = ignore;
        }
        return Ok(changes);
    }
    if cursor.eat("SEQUENCE") {
        cursor.eat("IF EXISTS");
        let name = cursor.qualified()?;
        return alter_sequence(cursor, name);
    }
    if cursor.at("USER")
        || cursor.at("SERVER")
        || cursor.at("EVENT")
        || cursor.at("DATABASE")
        || cursor.at("SCHEMA")
        || cursor.at("INSTANCE")
        || cursor.at("TABLESPACE")
        || cursor.at("RESOURCE")
        || cursor.at("LOGFILE")
        || cursor.at("PROCEDURE")
        || cursor.at("FUNCTION")
        || cursor.at("UNDO")
        || (cursor.at("DEFINER") && !cursor.later("VIEW"))
    {
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    routine::create(cursor, true)
}

fn drop(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    cursor.expect("DROP")?;
    cursor.eat("TEMPORARY");
    if cursor.eat_any(&["TABLES", "TABLE"]) {
        let if_exists = cursor.eat("IF EXISTS");
        let names = list(cursor)?;
        if cursor.eat_any(&["WAIT"]) {
            cursor.integer();
        }
        cursor.eat_any(&["RESTRICT", "CASCADE", "NOWAIT"]);
        return Ok(names
            .into_iter()
            .map(|name| Change::DropTable { name, if_exists, cascade: false })
            .collect());
    }
    if cursor.eat("VIEW") {
        let if_exists = cursor.eat("IF EXISTS");
        let names = list(cursor)?;
        cursor.eat_any(&["RESTRICT", "CASCADE"]);
        return Ok(names
            .into_iter()
            .map(|name| Change::DropView { name, materialized: false, if_exists, cascade: false })
            .collect());
    }
    if cursor.eat("INDEX") {
        let if_exists = cursor.eat("IF EXISTS");
        let index = QualifiedName { schema: Name::DEFAULT, name: cursor.name()? };
        cursor.expect("ON")?;
        let table = cursor.qualified()?;
        let online = algorithm_and_lock(cursor);
        let mut change = alter::drop_index(table, index, if_exists);
        match &mut change {
            Change::DropIndex { online: of_index, .. } => *of_index = online,
            change => {
                if let Some(alter) = change.alter_mut() {
                    alter.online = online;
                }
            }
        }
        return Ok(vec![change]);
    }
    if cursor.eat("SEQUENCE") {
        let if_exists = cursor.eat("IF EXISTS");
        return Ok(list(cursor)?
            .into_iter()
            .map(|name| Change::DropSequence { name, if_exists, cascade: false })
            .collect());
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let if_exists = cursor.eat("IF EXISTS");
        return Ok(vec![Change::DropSchema { name: cursor.name()?, if_exists, cascade: true }]);
    }
    if cursor.eat_any(&["PROCEDURE", "FUNCTION"]) {
        let if_exists = cursor.eat("IF EXISTS");
        let name = cursor.qualified()?;
        return Ok(vec![Change::DropFunction {
            cascade: false,
            kind: Default::default(),
            name,
            arguments: None,
            if_exists,
        }]);
    }
    if cursor.eat("TRIGGER") {
        let if_exists = cursor.eat("IF EXISTS");
        let name = cursor.qualified()?.name;
        return Ok(vec![Change::DropTrigger { cascade: false, table: None, name, if_exists }]);
    }
    if cursor.at("PREPARE")
        || cursor.at("USER")
        || cursor.at("ROLE")
        || cursor.at("EVENT")
        || cursor.at("SERVER")
        || cursor.at("TABLESPACE")
        || cursor.at("UNDO")
        || cursor.at("RESOURCE")
        || cursor.at("LOGFILE")
        || cursor.at("PACKAGE")
        || cursor.at("SPATIAL")
    {
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    Err(cursor.unexpected("a kind of object"))
}

fn list(cursor: &mut Cursor<'_>) -> Parsed<Vec<QualifiedName>> {
    let mut names = vec![cursor.qualified()?];
    while cursor.eat_symbol(',') {
        names.push(cursor.qualified()?);
    }
    Ok(names)
}

fn rename(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    if cursor.eat("RENAME USER") {
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    if !cursor.eat_any(&["RENAME TABLES", "RENAME TABLE"]) {
        return Err(cursor.unexpected("RENAME TABLE"));
    }
    cursor.eat("IF EXISTS");
    let mut changes = Vec::new();
    loop {
        let table = cursor.qualified()?;
        if cursor.eat("WAIT") {
            cursor.integer();
        }
        cursor.eat("NOWAIT");
        cursor.expect("TO")?;
        changes.push(Change::RenameTable { alter: Default::default(), table, to: cursor.qualified()? });
        if !cursor.eat_symbol(',') {
            return Ok(changes);
        }
    }
}

/// `SET`: server settings and session variables; user variables and everything else change nothing.
fn set(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    cursor.expect("SET")?;
    let mut changes = Vec::new();
    if cursor.at("STATEMENT")
        || cursor.at("ROLE")
        || cursor.at("DEFAULT ROLE")
        || cursor.at("PASSWORD")
        || cursor.at("RESOURCE")
    {
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    loop {
        changes.extend(assignment(cursor));
        cursor.skip_item();
        if !cursor.eat_symbol(',') {
            break;
        }
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    Ok(changes)
}

fn assignment(cursor: &mut Cursor<'_>) -> Option<Change> {
    let mut server = cursor.eat_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"]);
    if cursor.eat("TRANSACTION") || cursor.eat("SESSION TRANSACTION") {
        return None;
    }
    cursor.eat_any(&["SESSION", "LOCAL"]);
    let token = cursor.peek(0)?;
    let written = &cursor.text[token.start..token.end];
    let name = match token.kind {
        Kind::Variable => {
            let name = written.strip_prefix("@@")?.to_ascii_lowercase();
            match name.split_once('.') {
                Some(("global" | "persist" | "persist_only", name)) => {
                    server = true;
                    name.to_owned()
                }
                Some(("session" | "local", name)) => name.to_owned(),
                _ => name,
            }
        }
        Kind::Word if !cursor.at("NAMES") && !cursor.at("CHARACTER SET") && !cursor.at("CHARSET") => {
            written.to_ascii_lowercase()
        }
        _ => return None,
    };
    cursor.advance();
    cursor.eat_symbol(':');
    if !cursor.eat_symbol('=') {
        return None;
    }
    let start = cursor.offset();
    let mark = cursor.mark();
    cursor.skip_item();
    let behind = cursor.offset_behind();
    let text = cursor.text[start.min(behind)..behind].trim().to_owned();
    cursor.reset(mark);
    // A lone string is shown without its quotes, as the server shows the setting.
    let value = match cursor.string() {
        Some(value) if cursor.offset_behind() == behind => value,
        _ => text,
    };
    let name = Name::from(name);
    Some(if server {
        Change::SetServerSetting { name, value }
    } else {
        Change::SetSessionSetting { name, value: Some(value), local: false }
    })
}

/// A statement about rows: what it does and to which table.
fn data(cursor: &mut Cursor<'_>, first: &str) -> Change {
    cursor.advance();
    let kind = match first {
        "INSERT" | "REPLACE" => DataKind::Insert,
        "UPDATE" => DataKind::Update,
        "DELETE" => DataKind::Delete,
        "TRUNCATE" => DataKind::Truncate,
        "LOAD" => DataKind::Copy,
        "WITH" if cursor.later("UPDATE") && !cursor.later("FOR") => DataKind::Update,
        "WITH" if cursor.later("DELETE") => DataKind::Delete,
        _ => DataKind::Select,
    };
    if first == "WITH" {
        while !cursor.done() && !cursor.at("UPDATE") && !cursor.at("DELETE") {
            if cursor.at_symbol('(') && cursor.parenthesised().is_ok() {
                continue;
            }
            cursor.advance();
        }
        cursor.advance();
    }
    while cursor.eat_any(&["LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "QUICK"]) {}
    let table = match kind {
        DataKind::Insert => {
            cursor.eat("INTO");
            cursor.qualified().ok()
        }
        DataKind::Truncate => {
            cursor.eat("TABLE");
            cursor.qualified().ok()
        }
        DataKind::Update => cursor.qualified().ok(),
        DataKind::Delete => {
            if !cursor.eat("FROM") {
                // `DELETE t FROM t JOIN ...` names its targets first.
                cursor.eat_symbol('(');
            }
            cursor.qualified().ok()
        }
        DataKind::Copy => load_target(cursor),
        _ => None,
    };
    let filtered = cursor.later("WHERE") || cursor.later("LIMIT");
    cursor.rest();
    Change::Data { clauses: Default::default(), kind, table, filtered }
}

fn load_target(cursor: &mut Cursor<'_>) -> Option<QualifiedName> {
    while !cursor.done() {
        if cursor.eat("INTO TABLE") {
            return cursor.qualified().ok();
        }
        cursor.advance();
    }
    None
}

fn maintain(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    let analyze = cursor.at("ANALYZE");
    cursor.advance();
    cursor.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if !cursor.eat_any(&["TABLES", "TABLE"]) {
        // MariaDB's `ANALYZE SELECT` runs the statement and shows its plan.
        cursor.rest();
        return Ok(vec![Change::Nothing]);
    }
    let tables = list(cursor)?;
    cursor.rest();
    Ok(tables
        .into_iter()
        .map(|table| match analyze {
            true => Change::Analyze { table: Some(table) },
            false => Change::Vacuum { analyze: false, table: Some(table), full: true, freeze: false },
        })
        .collect())
}

fn transaction(cursor: &mut Cursor<'_>) -> Change {
    let control = if cursor.eat_any(&["BEGIN", "START TRANSACTION", "XA START", "XA BEGIN"]) {
        TransactionControl::Begin
    } else if cursor.eat_any(&["COMMIT", "XA COMMIT"]) {
        TransactionControl::Commit
    } else if cursor.at("ROLLBACK") && cursor.later("TO") {
        TransactionControl::RollbackTo
    } else if cursor.eat_any(&["ROLLBACK", "XA ROLLBACK"]) {
        TransactionControl::Rollback
    } else if cursor.eat("SAVEPOINT") {
        TransactionControl::Savepoint
    } else if cursor.eat("RELEASE") {
        TransactionControl::Release
    } else {
        cursor.rest();
        return Change::Nothing;
    };
    cursor.rest();
    Change::Transaction { savepoint: None, control }
}

/// MariaDB's `CREATE SEQUENCE`, the words up to the name passed.
fn sequence(cursor: &mut Cursor<'_>) -> Parsed<Sequence> {
    let name = cursor.qualified()?;
    let (said, start) = sequence_clauses(cursor)?;
    let increment = said.increment.unwrap_or(1);
    let (min, max) = if increment < 0 { (i64::MIN + 1, -1) } else { (1, i64::MAX - 1) };
    let min = said.min.unwrap_or(min);
    let max = said.max.unwrap_or(max);
    Ok(Sequence {
        name,
        data_type: said.data_type.unwrap_or_else(|| DataType::new(TypeKind::BigInt, "bigint")),
        start: start.unwrap_or(if increment < 0 { max } else { min }),
        increment,
        min,
        max,
        cycle: said.cycle.unwrap_or(false),
        owned_by: None,
    })
}

fn alter_sequence(cursor: &mut Cursor<'_>, name: QualifiedName) -> Parsed<Vec<Change>> {
    let mut changes = Vec::new();
    let (said, restart) = sequence_clauses(cursor)?;
    if said != SequenceChanges::default() {
        changes.push(Change::AlterSequence { if_exists: false, name: name.clone(), changes: said });
    }
    if let Some(next) = restart {
        changes.push(Change::SetSequenceValue { name, value: next.saturating_sub(1) });
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    Ok(changes)
}

/// The clauses of a sequence, and the value of `START` or `RESTART`.
fn sequence_clauses(cursor: &mut Cursor<'_>) -> Parsed<(SequenceChanges, Option<i64>)> {
    let mut said = SequenceChanges::default();
    let mut start = None;
    let number = |cursor: &mut Cursor<'_>| {
        cursor.eat_any(&["WITH", "BY"]);
        cursor.eat_symbol('=');
        cursor.integer().ok_or_else(|| cursor.unexpected("a number"))
    };
    while !cursor.done() {
        if cursor.eat_any(&["START", "RESTART"]) {
            if cursor.done() {
                return Err("the first value to restart with is not written here".to_owned());
            }
            start = Some(number(cursor)?);
        } else if cursor.eat("INCREMENT") {
            said.increment = Some(number(cursor)?);
        } else if cursor.eat_any(&["NO MINVALUE", "NOMINVALUE", "NO MAXVALUE", "NOMAXVALUE"]) {
        } else if cursor.eat("MINVALUE") {
            said.min = Some(number(cursor)?);
        } else if cursor.eat("MAXVALUE") {
            said.max = Some(number(cursor)?);
        } else if cursor.eat_any(&["NO CYCLE", "NOCYCLE"]) {
            said.cycle = Some(false);
        } else if cursor.eat("CYCLE") {
            said.cycle = Some(true);
        } else if cursor.eat_any(&["NO CACHE", "NOCACHE"]) {
        } else if cursor.eat("CACHE") {
            number(cursor)?;
        } else if cursor.eat("AS") {
            said.data_type = Some(types::read(cursor).ok_or_else(|| cursor.unexpected("a type"))?);
        } else if table::option(cursor)?.is_none() {
            return Err(cursor.unexpected("a clause of a sequence"));
        }
    }
    Ok((said, start))
}

#[cfg(test)]
mod tests;
