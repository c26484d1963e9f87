//! `CREATE TABLE` with its keys, constraints and options.

use dbwright_model::catalog::{
    ConstraintKind, ForeignKey, Index, IndexKey, IndexPart, Key, Persistence, Table, TableKind,
};
use dbwright_model::change::Change;
use dbwright_model::name::Name;

use super::column::{self, Definition};
use super::lex::{Cursor, Parsed};

/// A key or constraint of a table.
#[derive(Debug)]
pub(super) enum Constraint {
    Primary(Index),
    Unique(Index),
    Index(Index),
    ForeignKey(Box<ForeignKey>),
    Check(dbwright_model::catalog::Check),
    Period,
}

/// The name of every primary key and of its index.
pub(super) const PRIMARY: &str = "PRIMARY";

/// `CREATE TABLE`, the words up to `TABLE` passed.
pub(super) fn create(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<Vec<Change>> {
    let if_not_exists = cursor.eat("IF NOT EXISTS");
    let mut table = Table { name: cursor.qualified()?, ..Table::default() };
    if temporary {
        table.persistence = Persistence::Temporary;
    }
    let mark = cursor.mark();
    let parenthesised = cursor.eat_symbol('(');
    if cursor.eat("LIKE") {
        let like = cursor.qualified()?;
        if parenthesised {
            cursor.expect_symbol(')')?;
        }
        let change =
            Change::CreateTableLike { table: Box::new(table), like, including_indexes: true, if_not_exists };
        return Ok(vec![change]);
    }
    if parenthesised && (cursor.at("SELECT") || cursor.at("WITH")) {
        cursor.reset(mark);
    } else if parenthesised {
        elements(cursor, &mut table)?;
    }
    options(cursor, &mut table)?;
    cursor.eat_any(&["IGNORE", "REPLACE"]);
    cursor.eat("AS");
    if cursor.done() {
        return Ok(vec![Change::CreateTable { table: Box::new(table), if_not_exists }]);
    }
    if cursor.at("SELECT")
        || cursor.at("WITH")
        || cursor.at("VALUES")
        || cursor.at("TABLE")
        || cursor.at_symbol('(')
    {
        let query = cursor.rest().to_owned();
        return Ok(vec![Change::CreateTableAs {
            columns: Vec::new(),
            persistence: Default::default(),
            populated: true,
            name: table.name,
            query,
            if_not_exists,
            part_of: None,
        }]);
    }
    Err(cursor.unexpected("a table option"))
}

fn elements(cursor: &mut Cursor<'_>, table: &mut Table) -> Parsed<()> {
    loop {
        match constraint(cursor)? {
            Some(constraint) => add_constraint(table, constraint),
            None => {
                let definition = column::column(cursor)?;
                add_column(table, definition);
            }
        }
        if cursor.eat_symbol(')') {
            return Ok(());
        }
        cursor.expect_symbol(',')?;
    }
}

fn add_column(table: &mut Table, definition: Definition) {
    let name = definition.column.name.clone();
    table.columns.push(definition.column);
    if definition.primary {
        add_constraint(table, Constraint::Primary(primary(vec![IndexPart::column(&name)])));
    }
    if definition.unique {
        add_constraint(table, Constraint::Unique(unique(Name::DEFAULT, vec![IndexPart::column(&name)])));
    }
    table.checks.extend(definition.checks);
    table.foreign_keys.extend(definition.foreign_key);
}

/// The index of a primary key.
pub(super) fn primary(parts: Vec<IndexPart>) -> Index {
    Index {
        name: Name::new(PRIMARY),
        parts,
        unique: true,
        backs: Some(ConstraintKind::PrimaryKey),
        ..Index::default()
    }
}

/// A unique index, which stands behind a constraint when it covers whole columns.
pub(super) fn unique(name: Name, parts: Vec<IndexPart>) -> Index {
    let whole = parts.iter().all(|part| part.prefix.is_none() && part.as_column().is_some());
    Index { name, parts, unique: true, backs: whole.then_some(ConstraintKind::Unique), ..Index::default() }
}

/// The key that an index stands behind; an index without a name gives a key without one.
pub(super) fn key_of(index: &Index) -> Key {
    Key {
        name: Some(index.name.clone()).filter(|name| !name.is_empty()),
        columns: index.parts.iter().filter_map(|part| part.as_column().cloned()).collect(),
        ..Key::default()
    }
}

fn add_constraint(table: &mut Table, constraint: Constraint) {
    match constraint {
        Constraint::Primary(index) => {
            let key = key_of(&index);
            for column in &mut table.columns {
                if key.columns.iter().any(|name| name.eq_ignore_case(column.name.as_str())) {
                    column.not_null = true;
                }
            }
            table.primary_key = Some(key);
            table.indexes.push(index);
        }
        Constraint::Unique(index) => {
            if index.backs.is_some() {
                table.uniques.push(key_of(&index));
            }
            table.indexes.push(index);
        }
        Constraint::Index(index) => table.indexes.push(index),
        Constraint::ForeignKey(foreign_key) => table.foreign_keys.push(*foreign_key),
        Constraint::Check(check) => table.checks.push(check),
        Constraint::Period => {}
    }
}

/// Reads a key or constraint; `None` when a column stands there.
pub(super) fn constraint(cursor: &mut Cursor<'_>) -> Parsed<Option<Constraint>> {
    let mark = cursor.mark();
    let mut name = Name::DEFAULT;
    if cursor.eat("CONSTRAINT") && !starts_constraint(cursor) {
        name = cursor.name()?;
    }
    if cursor.eat("PRIMARY KEY") {
        key_method(cursor)?;
        if !cursor.at_symbol('(') {
            cursor.name()?;
        }
        let mut index = primary(Vec::new());
        index_rest(cursor, &mut index)?;
        return Ok(Some(Constraint::Primary(index)));
    }
    if cursor.at("FOREIGN KEY") {
        cursor.eat("FOREIGN KEY");
        cursor.eat("IF NOT EXISTS");
        if !cursor.at_symbol('(') {
            let index_name = cursor.name()?;
            if name.is_empty() {
                name = index_name;
            }
        }
        let columns = cursor.names()?;
        let mut foreign_key = column::references(cursor)?;
        foreign_key.columns = columns;
        foreign_key.name = Some(name).filter(|name| !name.is_empty());
        return Ok(Some(Constraint::ForeignKey(Box::new(foreign_key))));
    }
    if cursor.at("CHECK") {
        let check = column::check(cursor, Some(name).filter(|name| !name.is_empty()))?;
        return Ok(Some(Constraint::Check(check)));
    }
    if cursor.eat("PERIOD FOR") {
        cursor.name()?;
        cursor.parenthesised()?;
        return Ok(Some(Constraint::Period));
    }
    if let Some(index) = index(cursor, name)? {
        return Ok(Some(index));
    }
    cursor.reset(mark);
    Ok(None)
}

fn starts_constraint(cursor: &Cursor<'_>) -> bool {
    cursor.at("PRIMARY KEY") || cursor.at("FOREIGN KEY") || cursor.at("UNIQUE") || cursor.at("CHECK")
}

/// `UNIQUE`, `FULLTEXT`, `SPATIAL`, `KEY`, `INDEX`; `None` when a column of such a name stands there.
fn index(cursor: &mut Cursor<'_>, constraint_name: Name) -> Parsed<Option<Constraint>> {
    let unique_index = cursor.at("UNIQUE");
    let kind = if cursor.eat("FULLTEXT") {
        Some("fulltext")
    } else if cursor.eat("SPATIAL") {
        Some("spatial")
    } else {
        None
    };
    if unique_index {
        cursor.advance();
    }
    let named = cursor.eat_any(&["KEY", "INDEX"]);
    if !named && !unique_index && kind.is_none() {
        return Ok(None);
    }
    cursor.eat("IF NOT EXISTS");
    let method = key_method(cursor)?;
    let mut name = if cursor.at_symbol('(') { Name::DEFAULT } else { cursor.name()? };
    if name.is_empty() {
        name = constraint_name;
    }
    let mut made = Index { name, ..Index::default() };
    if let Some(method) = method {
        made.method = method;
    }
    if let Some(kind) = kind {
        made.method = Name::new(kind);
    }
    index_rest(cursor, &mut made)?;
    if unique_index {
        let whole = unique(Name::DEFAULT, made.parts.clone());
        made.unique = true;
        made.backs = whole.backs;
        return Ok(Some(Constraint::Unique(made)));
    }
    Ok(Some(Constraint::Index(made)))
}

/// `USING BTREE`, `TYPE HASH`. InnoDB makes a B-tree of every index, whatever is said; only what was said is known here.
fn key_method(cursor: &mut Cursor<'_>) -> Parsed<Option<Name>> {
    if cursor.eat_any(&["USING", "TYPE"]) {
        let method = cursor.name()?.as_str().to_ascii_lowercase();
        return Ok(Some(Name::from(method)));
    }
    Ok(None)
}

/// Key parts and index options, an access method before the parts included.
pub(super) fn index_rest(cursor: &mut Cursor<'_>, index: &mut Index) -> Parsed<()> {
    if let Some(method) = key_method(cursor)? {
        index.method = method;
    }
    index.parts = parts(cursor)?;
    loop {
        if let Some(method) = key_method(cursor)? {
            index.method = method;
        } else if cursor.eat("COMMENT") {
            index.comment = cursor.string().filter(|comment| !comment.is_empty());
        } else if cursor.eat_any(&["INVISIBLE", "IGNORED"]) {
            index.visible = false;
        } else if cursor.eat_any(&["VISIBLE", "NOT IGNORED"]) {
            index.visible = true;
        } else if cursor.eat("WITH PARSER") {
            let parser = cursor.name()?;
            index.options.push((Name::new("parser"), parser.as_str().to_owned()));
        } else if cursor.eat("KEY_BLOCK_SIZE") {
            cursor.eat_symbol('=');
            let size = cursor.integer().ok_or_else(|| cursor.unexpected("a number"))?;
            index.options.push((Name::new("key_block_size"), size.to_string()));
        } else if cursor.eat_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"]) {
            cursor.eat_symbol('=');
            cursor.string();
        } else {
            index.options.sort();
            return Ok(());
        }
    }
}

fn parts(cursor: &mut Cursor<'_>) -> Parsed<Vec<IndexPart>> {
    cursor.expect_symbol('(')?;
    let mut parts = Vec::new();
    loop {
        let mut part = if cursor.at_symbol('(') {
            let text = cursor.parenthesised()?;
            IndexPart { key: IndexKey::Expression(column::expression(text)), ..IndexPart::column("") }
        } else {
            let name = cursor.name()?;
            // `WITHOUT OVERLAPS` belongs to application-time periods and adds no column of its own.
            cursor.eat("WITHOUT OVERLAPS");
            let mut part = IndexPart::column(&name);
            if cursor.at_symbol('(') {
                let prefix = cursor.parenthesised()?;
                part.prefix = Some(prefix.parse().map_err(|_| format!("`{prefix}` is no prefix length"))?);
            }
            part
        };
        part.descending = cursor.eat("DESC");
        cursor.eat("ASC");
        parts.push(part);
        if cursor.eat_symbol(')') {
            return Ok(parts);
        }
        cursor.expect_symbol(',')?;
    }
}

fn options(cursor: &mut Cursor<'_>, table: &mut Table) -> Parsed<()> {
    loop {
        cursor.eat_symbol(',');
        if cursor.at("PARTITION BY") {
            partition_by(cursor, table)?;
        } else if let Some(option) = option(cursor)? {
            apply_option(table, option);
        } else {
            table.options.sort();
            return Ok(());
        }
    }
}

/// One table option by its lower-case name.
pub(super) type TableOption = (Name, String);

fn apply_option(table: &mut Table, (name, value): TableOption) {
    match name.as_str() {
        "engine" => table.storage_engine = Some(Name::from(value)),
        "comment" => table.comment = Some(value).filter(|comment| !comment.is_empty()),
        "collation" => table.collation = Some(Name::from(value)),
        "charset" => {
            if table.collation.as_ref().is_none_or(|collation| !collation.as_str().contains('_')) {
                table.collation = Some(Name::from(value));
            }
        }
        _ => table.options.push((name, value)),
    }
}

/// Reads one table option; `None` when none follows.
pub(super) fn option(cursor: &mut Cursor<'_>) -> Parsed<Option<TableOption>> {
    if cursor.eat("WITH SYSTEM VERSIONING") {
        return Ok(Some((Name::new("system_versioning"), "yes".to_owned())));
    }
    let mark = cursor.mark();
    cursor.eat("DEFAULT");
    if let Some(charset) = column::charset(cursor)? {
        return Ok(Some((Name::new("charset"), charset.as_str().to_owned())));
    }
    if cursor.eat("COLLATE") {
        cursor.eat_symbol('=');
        return Ok(Some((Name::new("collation"), column::collation(cursor)?.as_str().to_owned())));
    }
    for (words, name) in [("DATA DIRECTORY", "data_directory"), ("INDEX DIRECTORY", "index_directory")] {
        if cursor.eat(words) {
            cursor.eat_symbol('=');
            return Ok(Some((Name::new(name), value(cursor)?)));
        }
    }
    if cursor.eat("UNION") {
        cursor.eat_symbol('=');
        let members = cursor.parenthesised()?.to_owned();
        return Ok(Some((Name::new("union"), members)));
    }
    let word = cursor.word(0).to_ascii_lowercase();
    if !OPTIONS.contains(&word.as_str()) {
        cursor.reset(mark);
        return Ok(None);
    }
    cursor.advance();
    cursor.eat_symbol('=');
    let name = if word == "type" { "engine".to_owned() } else { word };
    let value = value(cursor)?;
    let value = if name == "engine" { engine_name(&value) } else { value };
    Ok(Some((Name::from(name), value)))
}

fn value(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if let Some(text) = cursor.string() {
        return Ok(text);
    }
    let Some(token) = cursor.peek(0) else { return Err(cursor.unexpected("a value")) };
    let text = cursor.text[token.start..token.end].trim_matches('`').to_owned();
    cursor.advance();
    Ok(text)
}

/// The server's own spelling of a storage engine.
fn engine_name(written: &str) -> String {
    const KNOWN: [&str; 12] = [
        "InnoDB",
        "MyISAM",
        "MEMORY",
        "Aria",
        "ARCHIVE",
        "CSV",
        "BLACKHOLE",
        "FEDERATED",
        "ndbcluster",
        "ROCKSDB",
        "MRG_MyISAM",
        "SEQUENCE",
    ];
    let alias = match written.to_ascii_lowercase().as_str() {
        "heap" => "MEMORY",
        "merge" => "MRG_MyISAM",
        "ndb" => "ndbcluster",
        _ => written,
    };
    KNOWN.iter().find(|known| known.eq_ignore_ascii_case(alias)).map_or(alias, |known| known).to_owned()
}

const OPTIONS: &[&str] = &[
    "engine",
    "type",
    "comment",
    "auto_increment",
    "avg_row_length",
    "checksum",
    "table_checksum",
    "page_checksum",
    "compression",
    "connection",
    "delay_key_write",
    "encryption",
    "encrypted",
    "encryption_key_id",
    "engine_attribute",
    "secondary_engine",
    "secondary_engine_attribute",
    "insert_method",
    "key_block_size",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_compressed",
    "page_compression_level",
    "password",
    "row_format",
    "autoextend_size",
    "sequence",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "tablespace",
    "transactional",
    "ietf_quotes",
];

/// What a table is after `PARTITION BY ...`.
pub(crate) fn partitioned(clause: &str) -> Option<TableKind> {
    let mut table = Table::default();
    partition_by(&mut Cursor::new(clause), &mut table).ok()?;
    Some(table.kind)
}

/// `PARTITION BY` and the list of partitions, which is not kept.
fn partition_by(cursor: &mut Cursor<'_>, table: &mut Table) -> Parsed<()> {
    cursor.expect("PARTITION BY")?;
    cursor.eat("LINEAR");
    let method = cursor.name()?.as_str().to_ascii_lowercase();
    cursor.eat("COLUMNS");
    if cursor.eat("ALGORITHM") {
        cursor.eat_symbol('=');
        cursor.advance();
    }
    let key = if cursor.at_symbol('(') { cursor.parenthesised()?.to_owned() } else { String::new() };
    table.kind = TableKind::Partitioned { strategy: Name::from(method), key };
    // What follows belongs to the partitions: their number, sub-partitions and definitions.
    while !(cursor.done() || cursor.at("AS") || cursor.at("SELECT")) {
        cursor.advance();
    }
    Ok(())
}
