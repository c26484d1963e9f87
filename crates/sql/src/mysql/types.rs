//! Column types of MySQL and MariaDB.

use dbwright_model::data_type::{DataType, TypeKind};

use super::lex::{Cursor, Kind, Token};

/// Reads the spelling of a column type, from DDL or from `COLUMN_TYPE`. The text becomes what `information_schema`
/// prints; the display width of integers is dropped except in `tinyint(1)`, because servers differ there.
pub fn data_type(text: &str) -> DataType {
    let mut cursor = Cursor::new(text);
    let read = read(&mut cursor);
    match read {
        Some(data_type) => data_type,
        None => DataType::new(TypeKind::Other, text.trim().to_lowercase()),
    }
}

/// Whether a type spelled `SERIAL` stands here: `bigint unsigned not null auto_increment unique`.
pub(super) fn is_serial(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("serial")
}

/// Reads a type at the cursor and leaves what follows it; `None` when no type stands there.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<DataType> {
    let word = cursor.word(0).to_ascii_lowercase();
    if word.is_empty() {
        return None;
    }
    cursor.advance();
    let spelled = match word.as_str() {
        "double" => {
            cursor.eat("PRECISION");
            "double"
        }
        "character" | "char" | "nchar" => {
            if cursor.eat_any(&["VARYING", "LARGE OBJECT"]) {
                "varchar"
            } else if cursor.eat("BYTE") {
                "binary"
            } else {
                "char"
            }
        }
        "national" => {
            let varying = cursor.eat_any(&["VARCHAR", "VARCHARACTER"]);
            if !varying {
                cursor.eat_any(&["CHARACTER", "CHAR"]);
            }
            if varying || cursor.eat("VARYING") { "varchar" } else { "char" }
        }
        "long" => {
            if cursor.eat_any(&["VARBINARY"]) {
                "mediumblob"
            } else {
                cursor.eat_any(&["VARCHAR", "CHAR VARYING", "CHARACTER VARYING"]);
                "mediumtext"
            }
        }
        "varcharacter" | "varchar2" | "nvarchar" => "varchar",
        "integer" | "int4" => "int",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" => "bigint",
        "float8" | "real" => "double",
        "float4" => "float",
        "dec" | "fixed" | "numeric" | "number" => "decimal",
        "clob" => "longtext",
        "raw" => "varbinary",
        "geomcollection" => "geometrycollection",
        "bool" | "boolean" => {
            return Some(DataType { length: Some(1), ..DataType::new(TypeKind::Boolean, "tinyint(1)") });
        }
        "serial" => {
            return Some(DataType { unsigned: true, ..DataType::new(TypeKind::BigInt, "bigint unsigned") });
        }
        other => other,
    };
    let kind = kind(spelled)?;
    let arguments = if cursor.at_symbol('(') { cursor.parenthesised().ok()? } else { "" };
    let mut unsigned = false;
    let mut zerofill = false;
    loop {
        if cursor.eat("UNSIGNED") {
            unsigned = true;
        } else if cursor.eat("ZEROFILL") {
            zerofill = true;
        } else if !cursor.eat("SIGNED") {
            break;
        }
    }
    Some(build(kind, spelled, arguments, unsigned || zerofill, zerofill))
}

fn kind(word: &str) -> Option<TypeKind> {
    Some(match word {
        "tinyint" => TypeKind::TinyInt,
        "smallint" => TypeKind::SmallInt,
        "mediumint" => TypeKind::MediumInt,
        "int" => TypeKind::Integer,
        "bigint" => TypeKind::BigInt,
        "decimal" => TypeKind::Decimal,
        "float" => TypeKind::Real,
        "double" => TypeKind::Double,
        "bit" => TypeKind::Bit,
        "char" => TypeKind::Char,
        "varchar" => TypeKind::Varchar,
        "tinytext" | "text" | "mediumtext" | "longtext" => TypeKind::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => {
            TypeKind::Bytes
        }
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "datetime" => TypeKind::Timestamp,
        "timestamp" => TypeKind::TimestampTz,
        "year" => TypeKind::Year,
        "json" => TypeKind::Json,
        "enum" => TypeKind::Enum,
        "set" => TypeKind::Set,
        "uuid" => TypeKind::Uuid,
        "inet4" | "inet6" => TypeKind::Inet,
        "xmltype" => TypeKind::Xml,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geometrycollection" => TypeKind::Geometry,
        _ => return None,
    })
}

fn build(kind: TypeKind, word: &str, arguments: &str, unsigned: bool, zerofill: bool) -> DataType {
    let numbers: Vec<u32> = arguments.split(',').map_while(|n| n.trim().parse().ok()).collect();
    let first = numbers.first().copied();
    let second = numbers.get(1).copied();
    let mut made = DataType { kind, unsigned, ..DataType::default() };
    let mut text = word.to_owned();
    match kind {
        TypeKind::TinyInt if first == Some(1) && !unsigned => {
            made.kind = TypeKind::Boolean;
            made.length = Some(1);
            text.push_str("(1)");
        }
        kind if kind.is_integer() => {
            // Zero-filled numbers are shown in their width, so there the width means something.
            if zerofill {
                text.push_str(&format!("({})", first.unwrap_or(shown_width(kind))));
            }
        }
        TypeKind::Decimal => {
            made.length = Some(first.unwrap_or(10));
            made.scale = Some(second.unwrap_or(0) as i32);
            text.push_str(&format!("({},{})", first.unwrap_or(10), second.unwrap_or(0)));
        }
        TypeKind::Real | TypeKind::Double => match (first, second) {
            (Some(digits), Some(scale)) => {
                made.length = Some(digits);
                made.scale = Some(scale as i32);
                text.push_str(&format!("({digits},{scale})"));
            }
            (Some(digits), None) if digits > 24 => {
                made.kind = TypeKind::Double;
                text = "double".to_owned();
            }
            _ => {}
        },
        TypeKind::Bit | TypeKind::Char => {
            made.length = Some(first.unwrap_or(1));
            text.push_str(&format!("({})", first.unwrap_or(1)));
        }
        TypeKind::Bytes if word == "binary" => {
            made.length = Some(first.unwrap_or(1));
            text.push_str(&format!("({})", first.unwrap_or(1)));
        }
        TypeKind::Year => {}
        TypeKind::Time | TypeKind::Timestamp | TypeKind::TimestampTz => {
            if let Some(digits) = first.filter(|digits| *digits > 0) {
                made.length = Some(digits);
                text.push_str(&format!("({digits})"));
            }
        }
        TypeKind::Enum | TypeKind::Set => {
            made.values = strings(arguments);
            let shown: Vec<_> = made.values.iter().map(|value| super::quote::string(value)).collect();
            text.push_str(&format!("({})", shown.join(",")));
        }
        // `TEXT(300)` and `BLOB(300)` choose the smallest type that holds so many.
        TypeKind::Text | TypeKind::Bytes if matches!(word, "text" | "blob") && first.is_some() => {
            let size = match first.unwrap_or(0) {
                0..=255 => "tiny",
                256..=65_535 => "",
                65_536..=16_777_215 => "medium",
                _ => "long",
            };
            text = format!("{size}{word}");
        }
        _ => {
            if let Some(length) = first {
                made.length = Some(length);
                text.push_str(&format!("({length})"));
            }
        }
    }
    if unsigned {
        text.push_str(" unsigned");
    }
    if zerofill {
        text.push_str(" zerofill");
    }
    made.text = text.into();
    made
}

fn shown_width(kind: TypeKind) -> u32 {
    match kind {
        TypeKind::TinyInt => 3,
        TypeKind::SmallInt => 5,
        TypeKind::MediumInt => 8,
        TypeKind::Integer => 10,
        _ => 20,
    }
}

fn strings(list: &str) -> Vec<String> {
    let mut cursor = Cursor::new(list);
    let mut found = Vec::new();
    while let Some(Token { kind, .. }) = cursor.peek(0) {
        // A trailing space of a member is lost on the server, too.
        if let Kind::Text(text) = kind {
            found.push(text.trim_end_matches(' ').to_owned());
        }
        cursor.advance();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_become_what_the_server_prints() {
        let check = |text: &str, kind: TypeKind, canonical: &str| {
            let read = data_type(text);
            assert_eq!((read.kind, read.text.as_str()), (kind, canonical), "{text}");
        };
        check("INT(11)", TypeKind::Integer, "int");
        check("int(10) unsigned", TypeKind::Integer, "int unsigned");
        check("INT ZEROFILL", TypeKind::Integer, "int(10) unsigned zerofill");
        check("tinyint(1)", TypeKind::Boolean, "tinyint(1)");
        check("tinyint(1) unsigned", TypeKind::TinyInt, "tinyint unsigned");
        check("BOOL", TypeKind::Boolean, "tinyint(1)");
        check("tinyint(4)", TypeKind::TinyInt, "tinyint");
        check("NUMERIC", TypeKind::Decimal, "decimal(10,0)");
        check("decimal(10, 2) unsigned", TypeKind::Decimal, "decimal(10,2) unsigned");
        check("DOUBLE PRECISION", TypeKind::Double, "double");
        check("float(7,4)", TypeKind::Real, "float(7,4)");
        check("FLOAT(53)", TypeKind::Double, "double");
        check("FLOAT(10)", TypeKind::Real, "float");
        check("REAL", TypeKind::Double, "double");
        check("CHARACTER VARYING(20) CHARACTER SET utf8", TypeKind::Varchar, "varchar(20)");
        check("NATIONAL VARCHAR(20)", TypeKind::Varchar, "varchar(20)");
        check("CHAR", TypeKind::Char, "char(1)");
        check("CHAR(4) BYTE", TypeKind::Char, "char(4)");
        check("datetime(6)", TypeKind::Timestamp, "datetime(6)");
        check("DATETIME(0)", TypeKind::Timestamp, "datetime");
        check("timestamp", TypeKind::TimestampTz, "timestamp");
        check("year(4)", TypeKind::Year, "year");
        check("enum('a','it''s')", TypeKind::Enum, "enum('a','it''s')");
        check("SET('a', 'b')", TypeKind::Set, "set('a','b')");
        check("longtext", TypeKind::Text, "longtext");
        check("text(100)", TypeKind::Text, "tinytext");
        check("varbinary(16)", TypeKind::Bytes, "varbinary(16)");
        check("BIT", TypeKind::Bit, "bit(1)");
        check("point", TypeKind::Geometry, "point");
        check("uuid", TypeKind::Uuid, "uuid");
        check("inet6", TypeKind::Inet, "inet6");
        check("JSON", TypeKind::Json, "json");
        check("SERIAL", TypeKind::BigInt, "bigint unsigned");
        check("LONG VARCHAR", TypeKind::Text, "mediumtext");
        check("wonder(3)", TypeKind::Other, "wonder(3)");
        check("", TypeKind::Other, "");
    }

    #[test]
    fn canonical_texts_are_fixed_points() {
        for text in ["int(5) zerofill", "enum('a','b')", "decimal(8,2)", "bit(3)", "year", "float unsigned"] {
            let once = data_type(text);
            assert_eq!(data_type(once.text.as_str()), once, "{text}");
        }
    }

    #[test]
    fn sizes_and_members_are_kept() {
        let decimal = data_type("decimal(10,2)");
        assert_eq!((decimal.length, decimal.scale), (Some(10), Some(2)));
        assert_eq!(data_type("enum('x','y,z')").values, ["x", "y,z"]);
        assert!(data_type("bigint(20) unsigned").unsigned);
    }
}
