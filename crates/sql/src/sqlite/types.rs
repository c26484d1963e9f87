//! Column types of SQLite, which are hints that give a column its affinity.

use dbwright_model::data_type::{DataType, TypeKind};

/// Types whose case SQLite itself forgets.
const STANDARD: [&str; 6] = ["ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"];

/// Reads the spelling of a column type.
pub fn data_type(text: &str) -> DataType {
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let upper = text.to_ascii_uppercase();
    if STANDARD.contains(&upper.as_str()) {
        return DataType::new(kind(&upper, false), upper);
    }
    let (name, arguments) = match upper.split_once('(') {
        Some((name, rest)) => (name.trim_end(), rest.split(')').next().unwrap_or_default()),
        None => (upper.as_str(), ""),
    };
    let mut numbers = arguments.split(',').map(|number| number.trim().parse::<i32>().ok());
    let length = numbers.next().flatten().and_then(|length| u32::try_from(length).ok());
    let scale = numbers.next().flatten();
    DataType { length, scale, ..DataType::new(kind(name, length.is_some()), text) }
}

fn kind(name: &str, limited: bool) -> TypeKind {
    let varchar = if limited { TypeKind::Varchar } else { TypeKind::Text };
    match name {
        "" => TypeKind::Untyped,
        "BOOL" | "BOOLEAN" => TypeKind::Boolean,
        "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" | "INT2" | "INT4" | "INT8"
        | "INT16" | "INT32" | "INT64" | "LONG" | "SERIAL" | "BIGSERIAL" | "UNSIGNED BIG INT" => {
            TypeKind::BigInt
        }
        name if name.strip_suffix(" UNSIGNED").is_some_and(|base| kind(base, false) == TypeKind::BigInt)
            || name.strip_prefix("UNSIGNED ").is_some_and(|base| kind(base, false) == TypeKind::BigInt) =>
        {
            TypeKind::BigInt
        }
        "DECIMAL" | "NUMERIC" | "NUMBER" | "DEC" | "MONEY" => TypeKind::Decimal,
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" | "FLOAT4" | "FLOAT8" => TypeKind::Double,
        "CHAR" | "CHARACTER" | "NCHAR" | "NATIVE CHARACTER" => TypeKind::Char,
        "VARCHAR" | "CHARACTER VARYING" | "VARYING CHARACTER" | "NVARCHAR" | "VARCHAR2" | "NVARCHAR2" => {
            varchar
        }
        "TEXT" | "CLOB" | "STRING" | "TINYTEXT" | "MEDIUMTEXT" | "LONGTEXT" | "NTEXT" | "CITEXT" => {
            TypeKind::Text
        }
        "BLOB" | "BYTEA" | "BINARY" | "VARBINARY" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" => TypeKind::Bytes,
        "DATE" => TypeKind::Date,
        "TIME" => TypeKind::Time,
        "DATETIME" | "TIMESTAMP" => TypeKind::Timestamp,
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" | "DATETIMETZ" => TypeKind::TimestampTz,
        "UUID" | "GUID" | "UNIQUEIDENTIFIER" => TypeKind::Uuid,
        "JSON" => TypeKind::Json,
        "JSONB" => TypeKind::Jsonb,
        "YEAR" => TypeKind::Year,
        "INTERVAL" => TypeKind::Interval,
        _ => TypeKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_have_kinds() {
        for (declared, kind, text, length, scale) in [
            ("integer", TypeKind::BigInt, "INTEGER", None, None),
            ("bigint  unsigned", TypeKind::BigInt, "bigint unsigned", None, None),
            ("varchar( 20 )", TypeKind::Varchar, "varchar( 20 )", Some(20), None),
            ("varchar", TypeKind::Text, "varchar", None, None),
            ("DECIMAL(10, 2)", TypeKind::Decimal, "DECIMAL(10, 2)", Some(10), Some(2)),
            ("datetime", TypeKind::Timestamp, "datetime", None, None),
            ("  ", TypeKind::Untyped, "", None, None),
            ("POINT", TypeKind::Other, "POINT", None, None),
            ("x(", TypeKind::Other, "x(", None, None),
        ] {
            let found = data_type(declared);
            assert_eq!(
                (found.kind, found.text.as_str(), found.length, found.scale),
                (kind, text, length, scale),
                "{declared}"
            );
        }
    }
}
