//! Changes that SQLite has no statement for, said as the statement that other databases have: what is added is read as a part
//! of a `CREATE TABLE`, which SQLite knows.

use dbwright_model::catalog::Table;
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint};
use dbwright_model::engine::Dialect;

use super::{Words, name_of};

/// A column that no table has, since a table must have one.
const COLUMN: &str = "dbwright_column";

/// The change that an `ALTER TABLE` of other databases asks for; `None` where it is none of these.
pub(super) fn change(sql: &str) -> Option<Change> {
    let words = Words::of(sql);
    if !(words.is(0, "alter") && words.is(1, "table")) {
        return None;
    }
    let text = words.list.get(2)?;
    let table = name_of(Dialect::Sqlite, text);
    let alter = AlterClauses::default();
    if words.is(3, "add") {
        let made = made(&format!("{COLUMN}, {}", words.rest(4)), text)?;
        if made.columns.len() != 1 {
            return None;
        }
        let key = made.uniques.into_iter().map(|key| Change::AddUnique {
            table: table.clone(),
            key,
            using_index: None,
            alter: alter.clone(),
        });
        let primary = made.primary_key.into_iter().map(|key| Change::AddPrimaryKey {
            table: table.clone(),
            key,
            using_index: None,
            alter: alter.clone(),
        });
        let foreign = made.foreign_keys.into_iter().map(|key| Change::AddForeignKey {
            table: table.clone(),
            foreign_key: Box::new(key),
            alter: alter.clone(),
        });
        let check = made.checks.into_iter().map(|check| Change::AddCheck {
            table: table.clone(),
            check,
            alter: alter.clone(),
        });
        let mut all = key.chain(primary).chain(foreign).chain(check);
        return all.next().filter(|_| all.next().is_none());
    }
    if words.is(3, "drop") && words.is(4, "constraint") && words.list.len() == 6 {
        return Some(Change::DropConstraint {
            table,
            constraint: DroppedConstraint::Named(name_of(Dialect::Sqlite, words.list[5]).name),
            if_exists: false,
            cascade: false,
            alter,
        });
    }
    if !words.is(3, "alter") {
        return None;
    }
    let at = 4 + usize::from(words.is(4, "column"));
    let column = words.list.get(at)?;
    let default = match (words.is(at + 1, "set"), words.is(at + 1, "drop"), words.is(at + 2, "default")) {
        (true, _, true) if words.list.len() > at + 3 => {
            let value = words.rest(at + 3);
            let made = made(&format!("{column} DEFAULT {value}"), text)?;
            let [only] = made.columns.as_slice() else { return None };
            Some(only.default.clone().filter(|_| !only.not_null && made.checks.is_empty())?)
        }
        (_, true, true) if words.list.len() == at + 3 => None,
        _ => return None,
    };
    Some(Change::SetDefault { table, column: name_of(Dialect::Sqlite, column).name, default, alter })
}

/// The table that would be made of such a definition.
fn made(definition: &str, table: &str) -> Option<Table> {
    let changes = crate::parse_statement(Dialect::Sqlite, &format!("CREATE TABLE {table} ({definition})"));
    let mut changes = changes.into_iter();
    match (changes.next(), changes.next()) {
        (Some(Change::CreateTable { table, .. }), None) => Some(*table),
        _ => None,
    }
}
