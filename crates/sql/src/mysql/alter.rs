//! `ALTER TABLE`: one change per action.

use dbwright_model::catalog::Index;
use dbwright_model::change::{
    AlterClauses, Change, ColumnPosition, CommentTarget, DroppedConstraint, OnlineClauses, PartitionChange,
};
use dbwright_model::effect::{Algorithm, Lock};
use dbwright_model::name::{Name, QualifiedName};

use super::column::{self, Definition};
use super::lex::{Cursor, Parsed};
use super::table::{self, Constraint};

/// `ALTER TABLE`, those words passed.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Parsed<Vec<Change>> {
    let if_exists = cursor.eat("IF EXISTS");
    let table = cursor.qualified()?;
    if cursor.eat("WAIT") {
        cursor.integer();
    }
    cursor.eat("NOWAIT");
    let mut changes = Vec::new();
    let mut online = OnlineClauses::default();
    while !cursor.done() {
        if !online_clause(cursor, &mut online) {
            action(cursor, &table, &mut changes)?;
        }
        if !cursor.eat_symbol(',') && !cursor.done() && !continues(cursor) {
            return Err(cursor.unexpected("an action of ALTER TABLE"));
        }
    }
    if changes.is_empty() {
        changes.push(Change::Nothing);
    }
    for change in &mut changes {
        match change {
            Change::CreateIndex { online: of_index, .. } | Change::DropIndex { online: of_index, .. } => {
                *of_index = online;
            }
            change => {
                if let Some(alter) = change.alter_mut() {
                    *alter = AlterClauses { if_exists, online, ..AlterClauses::default() };
                }
            }
        }
    }
    Ok(changes)
}

/// Reads one `ALGORITHM=` or `LOCK=`; `DEFAULT` is the same as unsaid.
pub(super) fn online_clause(cursor: &mut Cursor<'_>, online: &mut OnlineClauses) -> bool {
    let algorithm = cursor.eat("ALGORITHM");
    if !algorithm && !cursor.eat("LOCK") {
        return false;
    }
    cursor.eat_symbol('=');
    let word = cursor.word(0).to_ascii_uppercase();
    cursor.advance();
    if algorithm {
        online.algorithm = Algorithm::parse(&word);
    } else {
        online.lock = match word.as_str() {
            "NONE" => Some(Lock::MysqlNone),
            "SHARED" => Some(Lock::MysqlShared),
            "EXCLUSIVE" => Some(Lock::MysqlExclusive),
            _ => None,
        };
    }
    true
}

/// A clause about partitions, which is always the last of its statement.
fn partition_change(cursor: &mut Cursor<'_>, table: &QualifiedName) -> Change {
    let start = cursor.offset();
    let action = format!("{} {}", cursor.word(0), cursor.word(1)).to_ascii_uppercase();
    cursor.advance();
    cursor.advance();
    cursor.eat_any(&["IF EXISTS", "IF NOT EXISTS"]);
    let mut partitions = Vec::new();
    if action.ends_with(" PARTITION") && !cursor.eat("ALL") {
        while !cursor.done() && !cursor.at_symbol('(') {
            let Ok(name) = cursor.name() else { break };
            partitions.push(name);
            if !cursor.eat_symbol(',') {
                break;
            }
        }
    }
    let with = if cursor.eat_any(&["WITH TABLE", "TO TABLE"]) { cursor.qualified().ok() } else { None };
    cursor.rest();
    let text = cursor.text[start..].trim_end().trim_end_matches(';').trim_end().to_owned();
    Change::AlterPartitions {
        table: table.clone(),
        partitions: PartitionChange { action: Name::from(action), partitions, with, text },
        alter: AlterClauses::default(),
    }
}

/// Table options and partition clauses may follow each other without a comma.
fn continues(cursor: &mut Cursor<'_>) -> bool {
    if cursor.at("PARTITION BY") || cursor.at("REMOVE PARTITIONING") {
        return true;
    }
    let mark = cursor.mark();
    let option = matches!(table::option(cursor), Ok(Some(_)));
    cursor.reset(mark);
    option
}

fn action(cursor: &mut Cursor<'_>, table: &QualifiedName, changes: &mut Vec<Change>) -> Parsed<()> {
    if is_about_partitions(cursor) {
        changes.push(partition_change(cursor, table));
    } else if cursor.eat("ADD SYSTEM VERSIONING") {
        changes.push(set_option(table, "system_versioning", "yes"));
    } else if cursor.eat("DROP SYSTEM VERSIONING") {
        changes.push(set_option(table, "system_versioning", "no"));
    } else if cursor.eat("ADD") {
        add(cursor, table, changes)?;
    } else if cursor.eat("DROP") {
        changes.push(drop(cursor, table)?);
    } else if cursor.eat_any(&["MODIFY COLUMN", "MODIFY"]) {
        cursor.eat("IF EXISTS");
        let definition = column::column(cursor)?;
        let column = definition.column.name.clone();
        modify(cursor, table, column, definition, changes)?;
    } else if cursor.eat_any(&["CHANGE COLUMN", "CHANGE"]) {
        cursor.eat("IF EXISTS");
        let column = cursor.name()?;
        let definition = column::column(cursor)?;
        modify(cursor, table, column, definition, changes)?;
    } else if cursor.eat("RENAME COLUMN") {
        cursor.eat("IF EXISTS");
        let column = cursor.name()?;
        cursor.expect("TO")?;
        changes.push(Change::RenameColumn {
            alter: Default::default(),
            table: table.clone(),
            column,
            to: cursor.name()?,
        });
    } else if cursor.eat_any(&["RENAME INDEX", "RENAME KEY"]) {
        cursor.eat("IF EXISTS");
        let index = QualifiedName { schema: Name::DEFAULT, name: cursor.name()? };
        cursor.expect("TO")?;
        changes.push(Change::RenameIndex {
            if_exists: false,
            table: Some(table.clone()),
            index,
            to: cursor.name()?,
        });
    } else if cursor.eat("RENAME") {
        if !cursor.eat_any(&["TO", "AS"]) {
            cursor.eat_symbol('=');
        }
        changes.push(Change::RenameTable {
            alter: Default::default(),
            table: table.clone(),
            to: cursor.qualified()?,
        });
    } else if cursor.eat("ALTER") {
        changes.push(alter_part(cursor, table)?);
    } else if cursor.eat("CONVERT TO") {
        convert(cursor, table, changes)?;
    } else if cursor.eat("ORDER BY") {
        changes.push(Change::OrderTable {
            table: table.clone(),
            by: cursor.rest().to_owned(),
            alter: AlterClauses::default(),
        });
    } else if cursor.eat_any(&[
        "ENABLE KEYS",
        "DISABLE KEYS",
        "WITH VALIDATION",
        "WITHOUT VALIDATION",
        "ONLINE",
        "IGNORE",
    ]) {
    } else if cursor.eat("FORCE") {
        changes.push(Change::RebuildTable { table: table.clone(), alter: AlterClauses::default() });
    } else if let Some((name, value)) = table::option(cursor)? {
        changes.push(if name == "comment" {
            Change::Comment {
                on: CommentTarget::Table(table.clone()),
                text: Some(value).filter(|text| !text.is_empty()),
            }
        } else {
            Change::SetTableOptions {
                alter: Default::default(),
                table: table.clone(),
                options: vec![(name, value)],
            }
        });
    } else {
        return Err(cursor.unexpected("an action of ALTER TABLE"));
    }
    Ok(())
}

fn is_about_partitions(cursor: &Cursor<'_>) -> bool {
    let first = cursor.word(0).to_ascii_uppercase();
    let second = cursor.word(1).to_ascii_uppercase();
    match first.as_str() {
        "PARTITION" | "REORGANIZE" | "COALESCE" | "TRUNCATE" | "EXCHANGE" | "REBUILD" | "OPTIMIZE"
        | "ANALYZE" | "CHECK" | "REPAIR" | "REMOVE" | "DISCARD" | "IMPORT" | "SECONDARY_LOAD"
        | "SECONDARY_UNLOAD" => true,
        "CONVERT" => second != "TO",
        "ADD" | "DROP" => second == "PARTITION",
        _ => false,
    }
}

fn set_option(table: &QualifiedName, name: &str, value: &str) -> Change {
    Change::SetTableOptions {
        alter: Default::default(),
        table: table.clone(),
        options: vec![(Name::new(name), value.to_owned())],
    }
}

fn add(cursor: &mut Cursor<'_>, table: &QualifiedName, changes: &mut Vec<Change>) -> Parsed<()> {
    if !cursor.at("COLUMN")
        && let Some(constraint) = table::constraint(cursor)?
    {
        changes.extend(add_constraint(table, constraint));
        return Ok(());
    }
    cursor.eat("COLUMN");
    let if_not_exists = cursor.eat("IF NOT EXISTS");
    if !cursor.eat_symbol('(') {
        let definition = column::column(cursor)?;
        let position = position(cursor)?;
        add_column(table, definition, position, if_not_exists, changes);
        return Ok(());
    }
    loop {
        match table::constraint(cursor)? {
            Some(constraint) => changes.extend(add_constraint(table, constraint)),
            None => {
                let definition = column::column(cursor)?;
                add_column(table, definition, ColumnPosition::Last, if_not_exists, changes);
            }
        }
        if cursor.eat_symbol(')') {
            return Ok(());
        }
        cursor.expect_symbol(',')?;
    }
}

fn position(cursor: &mut Cursor<'_>) -> Parsed<ColumnPosition> {
    Ok(if cursor.eat("FIRST") {
        ColumnPosition::First
    } else if cursor.eat("AFTER") {
        ColumnPosition::After(cursor.name()?)
    } else {
        ColumnPosition::Last
    })
}

fn add_column(
    table: &QualifiedName,
    definition: Definition,
    position: ColumnPosition,
    if_not_exists: bool,
    changes: &mut Vec<Change>,
) {
    let keys = keys_of(table, &definition);
    let column = Box::new(definition.column);
    changes.push(Change::AddColumn {
        alter: Default::default(),
        table: table.clone(),
        column,
        position,
        if_not_exists,
    });
    changes.extend(keys);
}

fn modify(
    cursor: &mut Cursor<'_>,
    table: &QualifiedName,
    column: Name,
    definition: Definition,
    changes: &mut Vec<Change>,
) -> Parsed<()> {
    let position = position(cursor)?;
    let keys = keys_of(table, &definition);
    let to = Box::new(definition.column);
    changes.push(Change::ModifyColumn {
        alter: Default::default(),
        table: table.clone(),
        column,
        to,
        position,
    });
    changes.extend(keys);
    Ok(())
}

/// The keys and constraints that were said beside a column, as changes of their own.
fn keys_of(table: &QualifiedName, definition: &Definition) -> Vec<Change> {
    let part = || vec![dbwright_model::catalog::IndexPart::column(&definition.column.name)];
    let mut constraints = Vec::new();
    if definition.primary {
        constraints.push(Constraint::Primary(table::primary(part())));
    }
    if definition.unique {
        constraints.push(Constraint::Unique(table::unique(Name::DEFAULT, part())));
    }
    constraints.extend(definition.checks.iter().cloned().map(Constraint::Check));
    constraints.extend(definition.foreign_key.clone().map(|key| Constraint::ForeignKey(Box::new(key))));
    constraints.into_iter().filter_map(|constraint| add_constraint(table, constraint)).collect()
}

fn add_constraint(table: &QualifiedName, constraint: Constraint) -> Option<Change> {
    let table = table.clone();
    Some(match constraint {
        Constraint::Primary(index) => Change::AddPrimaryKey {
            alter: Default::default(),
            table,
            key: table::key_of(&index),
            using_index: None,
        },
        Constraint::Unique(index) if is_plain(&index) => Change::AddUnique {
            alter: Default::default(),
            table,
            key: table::key_of(&index),
            using_index: None,
        },
        Constraint::Unique(index) | Constraint::Index(index) => create_index(table, index),
        Constraint::ForeignKey(foreign_key) => {
            Change::AddForeignKey { alter: Default::default(), table, foreign_key }
        }
        Constraint::Check(check) => Change::AddCheck { alter: Default::default(), table, check },
        Constraint::Period => return None,
    })
}

/// Whether a unique index says nothing that a unique constraint could not say.
fn is_plain(index: &Index) -> bool {
    let plain = table::unique(index.name.clone(), index.parts.clone());
    index.backs.is_some() && *index == plain && !index.parts.iter().any(|part| part.descending)
}

/// `CREATE INDEX` as a change.
pub(super) fn create_index(table: QualifiedName, index: Index) -> Change {
    let index = Box::new(index);
    Change::CreateIndex {
        online: Default::default(),
        table,
        index,
        concurrently: false,
        if_not_exists: false,
        only: false,
    }
}

fn drop(cursor: &mut Cursor<'_>, table: &QualifiedName) -> Parsed<Change> {
    let table = table.clone();
    if cursor.eat("PRIMARY KEY") {
        let constraint = DroppedConstraint::PrimaryKey;
        return Ok(Change::DropConstraint {
            alter: Default::default(),
            table,
            constraint,
            if_exists: false,
            cascade: false,
        });
    }
    if cursor.eat_any(&["FOREIGN KEY", "CONSTRAINT", "CHECK"]) {
        let if_exists = cursor.eat("IF EXISTS");
        let constraint = DroppedConstraint::Named(cursor.name()?);
        return Ok(Change::DropConstraint {
            alter: Default::default(),
            table,
            constraint,
            if_exists,
            cascade: false,
        });
    }
    if cursor.eat_any(&["INDEX", "KEY"]) {
        let if_exists = cursor.eat("IF EXISTS");
        let index = QualifiedName { schema: Name::DEFAULT, name: cursor.name()? };
        return Ok(drop_index(table, index, if_exists));
    }
    if cursor.eat("PERIOD FOR") {
        cursor.name()?;
        return Ok(Change::Nothing);
    }
    cursor.eat("COLUMN");
    let if_exists = cursor.eat("IF EXISTS");
    let column = cursor.name()?;
    cursor.eat_any(&["RESTRICT", "CASCADE"]);
    Ok(Change::DropColumn { alter: Default::default(), table, column, if_exists, cascade: false })
}

/// `DROP INDEX` as a change. The primary key's index goes with its constraint.
pub(super) fn drop_index(table: QualifiedName, index: QualifiedName, if_exists: bool) -> Change {
    if index.name.eq_ignore_case(table::PRIMARY) {
        let constraint = DroppedConstraint::PrimaryKey;
        return Change::DropConstraint {
            alter: Default::default(),
            table,
            constraint,
            if_exists,
            cascade: false,
        };
    }
    Change::DropIndex {
        online: Default::default(),
        table: Some(table),
        index,
        concurrently: false,
        if_exists,
        cascade: false,
    }
}

/// `ALTER [COLUMN]`, `ALTER INDEX`, `ALTER CHECK` inside `ALTER TABLE`.
fn alter_part(cursor: &mut Cursor<'_>, table: &QualifiedName) -> Parsed<Change> {
    let table = table.clone();
    if cursor.eat_any(&["INDEX", "KEY"]) {
        cursor.eat("IF EXISTS");
        let index = cursor.name()?;
        let visible = if cursor.eat_any(&["INVISIBLE", "IGNORED"]) {
            false
        } else if cursor.eat_any(&["VISIBLE", "NOT IGNORED"]) {
            true
        } else {
            return Err(cursor.unexpected("VISIBLE or INVISIBLE"));
        };
        return Ok(Change::SetIndexVisible { alter: Default::default(), table, index, visible });
    }
    if cursor.eat_any(&["CHECK", "CONSTRAINT"]) {
        cursor.skip_item();
        let because = "whether a check is enforced is not followed".to_owned();
        return Ok(Change::Opaque { because, touches: vec![table] });
    }
    cursor.eat("COLUMN");
    cursor.eat("IF EXISTS");
    let column = cursor.name()?;
    if cursor.eat("DROP DEFAULT") {
        return Ok(Change::SetDefault { alter: Default::default(), table, column, default: None });
    }
    if cursor.eat("SET DEFAULT") {
        let default = Some(column::default(cursor)?);
        return Ok(Change::SetDefault { alter: Default::default(), table, column, default });
    }
    if cursor.eat_any(&["SET VISIBLE", "SET INVISIBLE"]) {
        return Ok(Change::Nothing);
    }
    Err(cursor.unexpected("SET or DROP DEFAULT"))
}

/// `CONVERT TO CHARACTER SET x COLLATE y`: the table and all its text columns take the collation.
fn convert(cursor: &mut Cursor<'_>, table: &QualifiedName, changes: &mut Vec<Change>) -> Parsed<()> {
    let charset = column::charset(cursor)?.ok_or_else(|| cursor.unexpected("CHARACTER SET"))?;
    let to = if cursor.eat("COLLATE") { column::collation(cursor)? } else { charset };
    changes.push(set_option(table, "convert_to", to.as_str()));
    Ok(())
}
