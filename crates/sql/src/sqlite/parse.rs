//! Statements of SQLite as changes.
//!
//! Definitions are read from tokens, because texts must be kept as they are spelled and the parser library keeps no
//! places. Expressions and queries inside them go to the library.

use std::sync::Arc;

use dbwright_model::catalog::{
    Column, Index, IndexKey, IndexPart, Key, Persistence, Table, TableKind, Trigger, View,
};
use dbwright_model::change::{
    Change, ColumnPosition, DataKind, DroppedConstraint, ReindexTarget, TransactionControl,
};
use dbwright_model::expression::{DataStatement, Expression, Query, QueryBody, Source};
use dbwright_model::name::{Name, QualifiedName};

use super::cursor::Cursor;
use super::lexer::{Token, TokenKind, tokens};
use super::table::{self, TableParts};
use super::{expression, types};

/// The statement that `.dump` writes into the catalog for a virtual table: `INSERT INTO sqlite_schema ... VALUES (...,
/// 'CREATE VIRTUAL TABLE ...')`.
fn dumped_definition(tokens: &[Token<'_>]) -> Option<String> {
    let [_, into, table, .., last, _] = tokens else { return None };
    let catalog = into.is("into") && (table.is("sqlite_schema") || table.is("sqlite_master"));
    let definition = catalog.then(|| super::lexer::unquote(last.text))?;
    definition.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("create")).then_some(definition)
}

/// Parses one statement into its changes.
pub fn statement(text: &str) -> Vec<Change> {
    let Some(tokens) = tokens(text) else {
        return opaque("a quote or comment is never closed", Vec::new());
    };
    let end = tokens.iter().rposition(|token| !token.is_symbol(';')).map_or(0, |last| last + 1);
    let mut cursor = Cursor::new(text, &tokens[..end]);
    let Some(first) = cursor.peek() else { return vec![Change::Nothing] };
    let word = if first.kind == TokenKind::Word { first.text.to_ascii_uppercase() } else { String::new() };
    let changes = match word.as_str() {
        "CREATE" => create(&mut cursor),
        "ALTER" => alter_table(&mut cursor),
        "DROP" => drop(&mut cursor),
        "PRAGMA" => pragma(&mut cursor),
        "EXPLAIN" => Some(vec![Change::Nothing]),
        "ATTACH" | "DETACH" => attach(&mut cursor),
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => transaction(&mut cursor, &word),
        "INSERT" if let Some(definition) = dumped_definition(&tokens[..end]) => {
            return statement(&definition);
        }
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "SELECT" | "VALUES" | "WITH" => {
            Some(vec![data(text, &tokens[..end])])
        }
        "REINDEX" => reindex(&mut cursor),
        "ANALYZE" => analyze(&mut cursor),
        "VACUUM" => Some(vec![Change::Vacuum { analyze: false, table: None, full: false, freeze: false }]),
        _ => return opaque("this is no statement of SQLite", Vec::new()),
    };
    match changes {
        Some(changes) => changes,
        None => opaque("the statement could not be read", touched(&tokens[..end])),
    }
}

fn opaque(because: &str, touches: Vec<QualifiedName>) -> Vec<Change> {
    vec![Change::Opaque { because: because.to_owned(), touches }]
}

/// The object that a statement of unknown shape names: what follows `TABLE`, `INDEX ... ON` and their like.
fn touched(tokens: &[Token<'_>]) -> Vec<QualifiedName> {
    let named = |token: &Token<'_>| ["table", "on", "view"].iter().any(|word| token.is(word));
    let Some(found) = tokens.iter().position(named) else { return Vec::new() };
    let rest = &tokens[found + 1..];
    let guard = |token: &&Token<'_>| ["if", "not", "exists"].iter().any(|word| token.is(word));
    let skip = rest.iter().take_while(guard).count();
    Cursor::new("", &rest[skip..]).qualified().into_iter().collect()
}

fn create(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("create")?;
    let temporary = cursor.accept("temp") || cursor.accept("temporary");
    let persistence = if temporary { Persistence::Temporary } else { Persistence::Permanent };
    if cursor.accept("table") {
        create_table(cursor, persistence)
    } else if cursor.accept("view") {
        create_view(cursor)
    } else if cursor.accept("trigger") {
        create_trigger(cursor)
    } else if cursor.accept("virtual") {
        create_virtual_table(cursor)
    } else {
        create_index(cursor)
    }
}

fn create_table(cursor: &mut Cursor<'_>, persistence: Persistence) -> Option<Vec<Change>> {
    let if_not_exists = cursor.if_not_exists();
    let (name, persistence) = object_name(cursor, persistence)?;
    if cursor.accept("as") {
        let query = cursor.rest().to_owned();
        return (!query.is_empty()).then(|| {
            vec![Change::CreateTableAs {
                columns: Vec::new(),
                persistence: Default::default(),
                populated: true,
                name,
                query,
                if_not_exists,
                part_of: None,
            }]
        });
    }
    let mut table = Table { name, persistence, ..Table::default() };
    table::body(cursor, &mut table)?;
    Some(vec![Change::CreateTable { table: Box::new(table), if_not_exists }])
}

/// The name of a new object; `temp.` makes it temporary.
fn object_name(cursor: &mut Cursor<'_>, persistence: Persistence) -> Option<(QualifiedName, Persistence)> {
    let name = cursor.qualified()?;
    if name.schema.eq_ignore_case("temp") || name.schema.eq_ignore_case("temporary") {
        return Some((QualifiedName::bare(&name.name), Persistence::Temporary));
    }
    Some((name, persistence))
}

fn create_virtual_table(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("table")?;
    let if_not_exists = cursor.if_not_exists();
    let name_start = cursor.object_start();
    let name = cursor.qualified()?;
    cursor.keyword("using")?;
    let module = Name::new(cursor.name()?);
    // SQLite keeps the statement from the name on, so that this is what a live catalog says too.
    let definition = format!("CREATE VIRTUAL TABLE {}", cursor.from(name_start));
    let table =
        Table { name, kind: TableKind::Virtual { module }, definition: Some(definition), ..Table::default() };
    Some(vec![Change::CreateTable { table: Box::new(table), if_not_exists }])
}

fn create_view(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.if_not_exists();
    let name = cursor.qualified()?;
    let mut columns = Vec::new();
    if cursor.accept_symbol('(') {
        for column in cursor.names()? {
            columns.push(Column { name: column, data_type: types::data_type(""), ..Column::default() });
        }
    }
    cursor.keyword("as")?;
    let definition = cursor.rest().to_owned();
    if definition.is_empty() {
        return None;
    }
    let query = query(&definition).map(Box::new);
    let view = View { name, populated: true, definition, query, columns, ..View::default() };
    Some(vec![Change::CreateView { if_not_exists: false, view: Box::new(view), or_replace: false }])
}

fn query(text: &str) -> Option<Query> {
    match expression::data_statement(text)? {
        DataStatement::Query(query) => Some(query),
        _ => None,
    }
}

fn create_trigger(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.if_not_exists();
    let name_start = cursor.object_start();
    let name = cursor.qualified()?.name;
    let timing = if cursor.accept("before") {
        "BEFORE"
    } else if cursor.accept("after") {
        "AFTER"
    } else if cursor.accept("instead") {
        cursor.keyword("of")?;
        "INSTEAD OF"
    } else {
        "BEFORE"
    };
    let event = if cursor.accept("insert") {
        "INSERT"
    } else if cursor.accept("delete") {
        "DELETE"
    } else {
        cursor.keyword("update")?;
        if cursor.accept("of") {
            cursor.name()?;
            while cursor.accept_symbol(',') {
                cursor.name()?;
            }
        }
        "UPDATE"
    };
    cursor.keyword("on")?;
    let table = cursor.qualified()?;
    let trigger = Trigger {
        name,
        table,
        timing: Name::new(timing),
        events: vec![Name::new(event)],
        // SQLite has no other kind, said or not.
        for_each_row: true,
        // As SQLite keeps it: from the name on.
        body: format!("CREATE TRIGGER {}", cursor.from(name_start)),
        enabled: true,
        ..Trigger::default()
    };
    Some(vec![Change::CreateTrigger { or_replace: false, trigger: Box::new(trigger) }])
}

fn create_index(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    let unique = cursor.accept("unique");
    cursor.keyword("index")?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.qualified()?;
    cursor.keyword("on")?;
    // The index names the schema, the table never does.
    let table = name.sibling(cursor.name()?);
    cursor.symbol('(')?;
    let parts = index_parts(cursor)?;
    let predicate = if cursor.accept("where") { Some(parsed(cursor.rest())) } else { None };
    if predicate.is_none() && cursor.peek().is_some() {
        return None;
    }
    let index = Index { name: name.name, parts, unique, predicate, ..Index::default() };
    Some(vec![Change::CreateIndex {
        online: Default::default(),
        table,
        index: Box::new(index),
        concurrently: false,
        if_not_exists,
        only: false,
    }])
}

/// An expression with its tree, where it can be read.
pub(super) fn parsed(text: &str) -> Expression {
    let text = text.trim();
    Expression { text: text.to_owned(), tree: expression::expression(text).map(Arc::new) }
}

/// Index parts up to the closing parenthesis.
pub(super) fn index_parts(cursor: &mut Cursor<'_>) -> Option<Vec<IndexPart>> {
    let mut parts = Vec::new();
    loop {
        let tokens = cursor.until_comma_or_close()?;
        parts.push(index_part(cursor, tokens)?);
        if cursor.accept_symbol(')') {
            return Some(parts);
        }
        cursor.symbol(',')?;
    }
}

fn index_part<'a>(cursor: &Cursor<'a>, mut tokens: &'a [Token<'a>]) -> Option<IndexPart> {
    if let [rest @ .., nulls, order] = tokens
        && nulls.is("nulls")
        && (order.is("first") || order.is("last"))
    {
        tokens = rest;
    }
    let mut descending = false;
    if let [rest @ .., last] = tokens
        && !rest.is_empty()
        && (last.is("asc") || last.is("desc"))
    {
        descending = last.is("desc");
        tokens = rest;
    }
    let mut collation = None;
    if let [rest @ .., collate, name] = tokens
        && !rest.is_empty()
        && collate.is("collate")
    {
        collation = Some(Name::new(name.name()?));
        tokens = rest;
    }
    let key = match tokens {
        [] => return None,
        [one] if one.name().is_some() => IndexKey::Column(Name::new(one.name()?)),
        several => IndexKey::Expression(parsed(cursor.span(several))),
    };
    Some(IndexPart { key, descending, collation, ..IndexPart::column("") })
}

fn alter_table(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("alter")?;
    cursor.keyword("table")?;
    let table = cursor.qualified()?;
    let changes = if cursor.accept("rename") {
        if cursor.accept("to") {
            let to = table.sibling(cursor.name()?);
            vec![Change::RenameTable { alter: Default::default(), table, to }]
        } else {
            cursor.accept("column");
            let column = Name::new(cursor.name()?);
            cursor.keyword("to")?;
            vec![Change::RenameColumn {
                alter: Default::default(),
                table,
                column,
                to: Name::new(cursor.name()?),
            }]
        }
    } else if cursor.accept("add") {
        return add(cursor, table);
    } else if cursor.accept("drop") {
        if cursor.accept("constraint") {
            let constraint = DroppedConstraint::Named(Name::new(cursor.name()?));
            vec![Change::DropConstraint {
                alter: Default::default(),
                table,
                constraint,
                if_exists: false,
                cascade: false,
            }]
        } else {
            cursor.accept("column");
            let column = Name::new(cursor.name()?);
            vec![Change::DropColumn {
                alter: Default::default(),
                table,
                column,
                if_exists: false,
                cascade: false,
            }]
        }
    } else {
        cursor.keyword("alter")?;
        cursor.accept("column");
        let column = Name::new(cursor.name()?);
        let not_null = cursor.accept("set");
        if !not_null {
            cursor.keyword("drop")?;
        }
        cursor.keyword("not")?;
        cursor.keyword("null")?;
        table::conflict(cursor)?;
        vec![Change::SetNotNull { alter: Default::default(), table, column, not_null }]
    };
    cursor.peek().is_none().then_some(changes)
}

/// `ADD [COLUMN]`, `ADD [CONSTRAINT name] CHECK`. What a column says about its table becomes changes of their own.
fn add(cursor: &mut Cursor<'_>, table: QualifiedName) -> Option<Vec<Change>> {
    if let Some(check) = table::added_check(cursor) {
        return cursor
            .peek()
            .is_none()
            .then(|| vec![Change::AddCheck { alter: Default::default(), table, check }]);
    }
    // Constraints other than checks are refused, and these words are no names of columns.
    if ["primary", "unique", "foreign", "constraint"].iter().any(|word| cursor.is(word)) {
        return None;
    }
    cursor.accept("column");
    let mut parts = TableParts::default();
    let column = table::column(cursor, &mut parts)?;
    if cursor.peek().is_some() {
        return None;
    }
    let mut changes = vec![Change::AddColumn {
        alter: Default::default(),
        table: table.clone(),
        column: Box::new(column),
        position: ColumnPosition::Last,
        if_not_exists: false,
    }];
    let key = |(key, _): (Key, bool)| key;
    changes.extend(parts.primary_key.map(key).map(|key| Change::AddPrimaryKey {
        alter: Default::default(),
        table: table.clone(),
        key,
        using_index: None,
    }));
    changes.extend(parts.uniques.into_iter().map(|key| Change::AddUnique {
        alter: Default::default(),
        table: table.clone(),
        key,
        using_index: None,
    }));
    changes.extend(parts.checks.into_iter().map(|check| Change::AddCheck {
        alter: Default::default(),
        table: table.clone(),
        check,
    }));
    changes.extend(parts.foreign_keys.into_iter().map(|foreign_key| Change::AddForeignKey {
        alter: Default::default(),
        table: table.clone(),
        foreign_key: Box::new(foreign_key),
    }));
    Some(changes)
}

fn drop(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("drop")?;
    let kind = cursor.word()?.to_ascii_lowercase();
    let if_exists = cursor.accept("if");
    if if_exists {
        cursor.keyword("exists")?;
    }
    let name = cursor.qualified()?;
    if cursor.peek().is_some() {
        return None;
    }
    let cascade = false;
    Some(vec![match kind.as_str() {
        "table" => Change::DropTable { name, if_exists, cascade },
        "view" => Change::DropView { name, materialized: false, if_exists, cascade },
        "index" => Change::DropIndex {
            online: Default::default(),
            table: None,
            index: name,
            concurrently: false,
            if_exists,
            cascade,
        },
        "trigger" => Change::DropTrigger { cascade: false, table: None, name: name.name, if_exists },
        _ => return None,
    }])
}

/// Pragmas whose argument in parentheses asks for something rather than sets it.
const ASKING: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "optimize",
    "quick_check",
    "shrink_memory",
    "table_info",
    "table_list",
    "table_xinfo",
    "wal_checkpoint",
];

fn pragma(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("pragma")?;
    let name = cursor.qualified()?.name.as_str().to_ascii_lowercase();
    let called = cursor.accept_symbol('(');
    if ASKING.binary_search(&name.as_str()).is_ok() || !(called || cursor.accept_symbol('=')) {
        return Some(vec![Change::Nothing]);
    }
    let rest = cursor.rest();
    let value = if called { rest.strip_suffix(')')?.trim() } else { rest };
    let value = match value.chars().next()? {
        '\'' | '"' | '`' | '[' => super::lexer::unquote(value),
        _ => value.to_owned(),
    };
    Some(vec![Change::SetServerSetting { name: Name::new(name), value }])
}

fn transaction(cursor: &mut Cursor<'_>, word: &str) -> Option<Vec<Change>> {
    cursor.word()?;
    let control = match word {
        "BEGIN" => TransactionControl::Begin,
        "COMMIT" | "END" => TransactionControl::Commit,
        "SAVEPOINT" => TransactionControl::Savepoint,
        "RELEASE" => TransactionControl::Release,
        _ => {
            cursor.accept("transaction");
            if cursor.accept("to") { TransactionControl::RollbackTo } else { TransactionControl::Rollback }
        }
    };
    Some(vec![Change::Transaction { savepoint: None, control }])
}

/// `ATTACH [DATABASE] file AS name`, `DETACH [DATABASE] name`.
fn attach(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    let attach = cursor.accept("attach");
    if !attach {
        cursor.keyword("detach")?;
    }
    cursor.accept("database");
    if attach {
        while cursor.peek().is_some() && !cursor.is("as") {
            cursor.next();
        }
        cursor.keyword("as")?;
        return Some(vec![Change::AttachDatabase { name: Name::new(cursor.name()?) }]);
    }
    Some(vec![Change::DetachDatabase { name: Name::new(cursor.name()?) }])
}

fn reindex(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("reindex")?;
    if cursor.peek().is_none() {
        let target = ReindexTarget::Database(None);
        return Some(vec![Change::ReindexAll { target, concurrently: false }]);
    }
    Some(vec![Change::Reindex { index: cursor.qualified()?, concurrently: false }])
}

fn analyze(cursor: &mut Cursor<'_>) -> Option<Vec<Change>> {
    cursor.keyword("analyze")?;
    let table = if cursor.peek().is_some() { Some(cursor.qualified()?) } else { None };
    Some(vec![Change::Analyze { table }])
}

/// A statement about rows. It cannot change the schema, so it is known even where its details are not.
fn data(text: &str, tokens: &[Token<'_>]) -> Change {
    match expression::data_statement(text) {
        Some(DataStatement::Query(query)) => {
            let (table, filtered) = match &query.body {
                QueryBody::Select(select) => {
                    let table = match select.from.first().map(|from| &from.source) {
                        Some(Source::Table { name, .. }) => Some(name.clone()),
                        _ => None,
                    };
                    (table, select.filter.is_some())
                }
                _ => (None, false),
            };
            Change::Data { clauses: Default::default(), kind: DataKind::Select, table, filtered }
        }
        Some(DataStatement::Insert { table, source, .. }) => Change::Data {
            clauses: Default::default(),
            kind: DataKind::Insert,
            table: Some(table),
            filtered: source.is_some_and(|source| match &source.body {
                QueryBody::Select(select) => select.filter.is_some(),
                _ => false,
            }),
        },
        Some(DataStatement::Update { table, filter, .. }) => Change::Data {
            clauses: Default::default(),
            kind: DataKind::Update,
            table: Some(table),
            filtered: filter.is_some(),
        },
        Some(DataStatement::Delete { table, filter, .. }) => Change::Data {
            clauses: Default::default(),
            kind: DataKind::Delete,
            table: Some(table),
            filtered: filter.is_some(),
        },
        None => {
            // Behind `WITH` the verb is the first one outside parentheses.
            let mut depth = 0usize;
            let mut kind = DataKind::Select;
            for token in tokens {
                if token.is_symbol('(') {
                    depth += 1;
                } else if token.is_symbol(')') {
                    depth = depth.saturating_sub(1);
                } else if depth == 0 {
                    let verb = match token.text.to_ascii_uppercase().as_str() {
                        "INSERT" | "REPLACE" => Some(DataKind::Insert),
                        "UPDATE" => Some(DataKind::Update),
                        "DELETE" => Some(DataKind::Delete),
                        "SELECT" | "VALUES" => Some(DataKind::Select),
                        _ => None,
                    };
                    if let Some(verb) = verb {
                        kind = verb;
                        break;
                    }
                }
            }
            let filtered = kind != DataKind::Insert && tokens.iter().any(|token| token.is("where"));
            Change::Data { clauses: Default::default(), kind, table: None, filtered }
        }
    }
}
