//! What a new definition of a column costs: whether its bytes, its order or its nulls change.

use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::name::Name;

/// What a change of type, character set or collation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TypeChange {
    /// The stored bytes stay and mean the same.
    Nothing,
    /// The column allows more than before, and its bytes stay.
    Wider,
    /// The bytes stay, their order changes.
    Order,
    /// Each row is converted, and every value has a place in the new type.
    Convert,
    /// Each row is converted, and a value may have no place.
    Narrow,
}

/// The bytes of the longest character of a character set.
fn bytes_of_character(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "utf8" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "euckr" | "gb2312" | "sjis" | "cp932" => 2,
        _ => 1,
    }
}

/// A collation as character set and order; the order that the set has by itself is empty.
pub(super) fn collation(engine: Engine, name: Option<&Name>) -> (String, String) {
    let name = name.map_or("utf8mb4", Name::as_str);
    let (charset, order) = name.split_once('_').unwrap_or((name, ""));
    let usual = match (charset, engine) {
        ("utf8mb4", Engine::Mysql) => "0900_ai_ci",
        ("latin1", _) => "swedish_ci",
        ("binary", _) => "",
        _ => "general_ci",
    };
    (charset.to_owned(), if order == usual { String::new() } else { order.to_owned() })
}

/// The collation that a column of text has, its own or its table's.
pub(super) fn collation_of<'a>(table: &'a Table, column: &'a Column) -> Option<&'a Name> {
    column.collation.as_ref().or(table.collation.as_ref())
}

fn is_varying(data_type: &DataType) -> bool {
    data_type.kind == TypeKind::Varchar
        || (data_type.kind == TypeKind::Bytes && data_type.text.as_str().starts_with("varbinary"))
}

/// What it takes to make a column `to` of the column `from`.
pub(super) fn change(engine: Engine, table: &Table, from: &Column, to: &Column) -> TypeChange {
    let (old, new) = (&from.data_type, &to.data_type);
    if is_text(old) && is_text(new) {
        return text_change(engine, table, from, to);
    }
    if is_varying(old) && is_varying(new) && old.kind == new.kind {
        return longer(engine, table, length(old, 1), length(new, 1));
    }
    if old.kind != new.kind {
        let widens = old.kind.is_integer() && new.kind.is_integer() && old.max_integer() <= new.max_integer();
        return if widens && old.unsigned <= new.unsigned && (old.unsigned || !new.unsigned) {
            TypeChange::Convert
        } else {
            TypeChange::Narrow
        };
    }
    match old.kind {
        kind if kind.is_integer() => {
            if old.unsigned == new.unsigned {
                TypeChange::Nothing
            } else {
                TypeChange::Narrow
            }
        }
        TypeKind::Enum | TypeKind::Set => members(old, new),
        _ if old.text == new.text => TypeChange::Nothing,
        TypeKind::Decimal if new.scale >= old.scale && digits(new) >= digits(old) => TypeChange::Convert,
        TypeKind::Timestamp | TypeKind::TimestampTz | TypeKind::Time if new.length >= old.length => {
            TypeChange::Convert
        }
        _ => TypeChange::Narrow,
    }
}

/// Digits in front of the point.
fn digits(data_type: &DataType) -> i64 {
    i64::from(data_type.length.unwrap_or(10)) - i64::from(data_type.scale.unwrap_or(0))
}

fn is_text(data_type: &DataType) -> bool {
    data_type.kind.is_text()
}

fn length(data_type: &DataType, bytes: u64) -> u64 {
    u64::from(data_type.length.unwrap_or(0)) * bytes
}

/// New members behind the old ones leave the stored numbers as they are, as long as a number takes the same bytes.
fn members(old: &DataType, new: &DataType) -> TypeChange {
    let bytes = |data_type: &DataType| match (data_type.kind, data_type.values.len()) {
        (TypeKind::Enum, n) => {
            if n > 255 {
                2
            } else {
                1
            }
        }
        (_, n) => match n.div_ceil(8) {
            bytes @ 0..=4 => bytes.max(1),
            _ => 8,
        },
    };
    if old.values == new.values {
        TypeChange::Nothing
    } else if new.values.starts_with(&old.values) && bytes(old) == bytes(new) {
        TypeChange::Wider
    } else if old.values.iter().all(|value| new.values.contains(value)) {
        TypeChange::Convert
    } else {
        TypeChange::Narrow
    }
}

/// A text of varying length that becomes longer or shorter, in bytes.
fn longer(engine: Engine, table: &Table, old: u64, new: u64) -> TypeChange {
    let redundant = row_format(table).is_some_and(|format| format.eq_ignore_ascii_case("redundant"));
    // The length of a value takes a second byte where it may pass 255; MariaDB's rows tell short ones apart up to 127.
    let same_class = (old <= 255) == (new <= 255);
    let grows_in_place = match engine {
        Engine::Mariadb => same_class || old <= 127 || redundant,
        _ => same_class,
    };
    if new < old {
        TypeChange::Narrow
    } else if new == old {
        TypeChange::Nothing
    } else if grows_in_place {
        TypeChange::Wider
    } else {
        TypeChange::Convert
    }
}

fn text_change(engine: Engine, table: &Table, from: &Column, to: &Column) -> TypeChange {
    let (old_set, old_order) = collation(engine, collation_of(table, from));
    let (new_set, new_order) = collation(engine, collation_of(table, to));
    let (old, new) = (&from.data_type, &to.data_type);
    let same_type = old.kind == new.kind && (old.kind != TypeKind::Text || old.text == new.text);
    let keeps_bytes =
        old_set == new_set || (engine == Engine::Mariadb && old_set == "utf8mb3" && new_set == "utf8mb4");
    if !same_type || !keeps_bytes {
        let holds = bytes_of_character(&new_set) >= bytes_of_character(&old_set)
            && new.length.is_none_or(|new| old.length.is_some_and(|old| old <= new));
        return if holds { TypeChange::Convert } else { TypeChange::Narrow };
    }
    let order = if old_order == new_order { TypeChange::Nothing } else { TypeChange::Order };
    let size = match old.kind {
        TypeKind::Varchar => longer(
            engine,
            table,
            length(old, bytes_of_character(&old_set)),
            length(new, bytes_of_character(&new_set)),
        ),
        TypeKind::Char if old_set != new_set || new.length > old.length => TypeChange::Convert,
        TypeKind::Char if new.length < old.length => TypeChange::Narrow,
        _ => TypeChange::Nothing,
    };
    size.max(order)
}

/// The row format of a table, where it was said.
pub(super) fn row_format(table: &Table) -> Option<&str> {
    table.options.iter().find(|(name, _)| *name == "row_format").map(|(_, value)| value.as_str())
}
