//! Column types as the catalog describes them.

use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::QualifiedName;

/// What the catalog says of a type; for an array, of its members.
pub(super) struct Described<'a> {
    /// `format_type`, modifiers and brackets included.
    pub text: &'a str,
    /// Schema of the type.
    pub schema: &'a str,
    /// Its name.
    pub name: &'a str,
    /// `pg_type.typtype`.
    pub kind: &'a str,
    /// Whether it is an array of that type.
    pub array: bool,
    /// `atttypmod`, -1 when there is none.
    pub modifier: i64,
}

/// The type in the model's words.
pub(super) fn data_type(described: &Described<'_>) -> DataType {
    let built_in = described.schema == "pg_catalog";
    let kind = match described.kind {
        "e" => TypeKind::Enum,
        "d" => TypeKind::Domain,
        "c" => TypeKind::Composite,
        "r" | "m" => TypeKind::Range,
        _ => base_kind(described.name, built_in),
    };
    let (length, scale) = limits(kind, described.modifier);
    DataType {
        kind,
        text: described.text.into(),
        length,
        scale,
        array: described.array,
        user_type: (!built_in).then(|| QualifiedName::new(described.schema, described.name)),
        ..DataType::default()
    }
}

fn base_kind(name: &str, built_in: bool) -> TypeKind {
    if !built_in {
        return match name {
            "citext" => TypeKind::Text,
            "geometry" | "geography" => TypeKind::Geometry,
            _ => TypeKind::Other,
        };
    }
    match name {
        "bool" => TypeKind::Boolean,
        "int2" => TypeKind::SmallInt,
        "int4" => TypeKind::Integer,
        "int8" => TypeKind::BigInt,
        "numeric" => TypeKind::Decimal,
        "float4" => TypeKind::Real,
        "float8" => TypeKind::Double,
        "money" => TypeKind::Money,
        "bpchar" | "char" => TypeKind::Char,
        "varchar" => TypeKind::Varchar,
        "text" => TypeKind::Text,
        "bytea" => TypeKind::Bytes,
        "date" => TypeKind::Date,
        "time" => TypeKind::Time,
        "timetz" => TypeKind::TimeTz,
        "timestamp" => TypeKind::Timestamp,
        "timestamptz" => TypeKind::TimestampTz,
        "interval" => TypeKind::Interval,
        "uuid" => TypeKind::Uuid,
        "json" => TypeKind::Json,
        "jsonb" => TypeKind::Jsonb,
        "xml" => TypeKind::Xml,
        "inet" => TypeKind::Inet,
        "cidr" => TypeKind::Cidr,
        "macaddr" | "macaddr8" => TypeKind::MacAddr,
        "bit" | "varbit" => TypeKind::Bit,
        "tsvector" | "tsquery" => TypeKind::TextSearch,
        "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => TypeKind::Geometry,
        "name" => TypeKind::Name,
        "oid" | "regclass" | "regproc" | "regprocedure" | "regoper" | "regoperator" | "regtype"
        | "regrole" | "regnamespace" | "regconfig" | "regdictionary" | "regcollation" => TypeKind::Oid,
        _ => TypeKind::Other,
    }
}

/// Length and scale from a type modifier.
fn limits(kind: TypeKind, modifier: i64) -> (Option<u32>, Option<i32>) {
    if modifier < 0 {
        return (None, None);
    }
    match kind {
        // The modifier counts its own four bytes.
        TypeKind::Char | TypeKind::Varchar => (u32::try_from(modifier - 4).ok(), None),
        TypeKind::Bit => (u32::try_from(modifier).ok(), None),
        TypeKind::Decimal => {
            let packed = modifier - 4;
            // Eleven bits with a sign since version 15; before, the scale was never negative.
            let scale = ((packed & 0x7ff) ^ 1024) - 1024;
            (u32::try_from((packed >> 16) & 0xffff).ok(), i32::try_from(scale).ok())
        }
        TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz => {
            (u32::try_from(modifier).ok(), None)
        }
        // The fields stand in the upper half; without a precision the lower one is full.
        TypeKind::Interval => (u32::try_from(modifier & 0xffff).ok().filter(|n| *n != 0xffff), None),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, modifier: i64, expected: (TypeKind, Option<u32>, Option<i32>)) {
        let described =
            Described { text: name, schema: "pg_catalog", name, kind: "b", array: false, modifier };
        let found = data_type(&described);
        assert_eq!((found.kind, found.length, found.scale), expected, "{name}");
    }

    #[test]
    fn modifiers_give_length_and_scale() {
        check("varchar", 24, (TypeKind::Varchar, Some(20), None));
        check("varchar", -1, (TypeKind::Varchar, None, None));
        check("numeric", ((10 << 16) | 2) + 4, (TypeKind::Decimal, Some(10), Some(2)));
        check("numeric", ((5 << 16) | (2048 - 2)) + 4, (TypeKind::Decimal, Some(5), Some(-2)));
        check("timestamptz", 3, (TypeKind::TimestampTz, Some(3), None));
        check("interval", (0x7fff << 16) | 2, (TypeKind::Interval, Some(2), None));
        check("interval", (0x0408 << 16) | 0xffff, (TypeKind::Interval, None, None));
        check("never_seen", 7, (TypeKind::Other, None, None));
    }
}
