//! Column types: what they mean, and how the dialect spells them.

use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// A column type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataType {
    /// What the type means, the same for every dialect.
    pub kind: TypeKind,
    /// The dialect's own canonical spelling, such as `character varying(20)`, `bigint unsigned` or `VARCHAR(20)`.
    pub text: Name,
    /// Length in characters (or bits), or digits of precision; `None` when unlimited or unsaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Digits after the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<i32>,
    /// Whether it is an array (PostgreSQL).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub array: bool,
    /// Whether an integer is unsigned (MySQL).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
    /// The user-defined type this names: a domain, enum or composite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<QualifiedName>,
    /// The members of an in-line `ENUM` or `SET` (MySQL).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What a type means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeKind {
    /// Truth values; MySQL's `tinyint(1)`.
    Boolean,
    /// 8 bits.
    TinyInt,
    /// 16 bits.
    SmallInt,
    /// 24 bits (MySQL).
    MediumInt,
    /// 32 bits.
    Integer,
    /// 64 bits; every SQLite integer.
    BigInt,
    /// Exact decimal.
    Decimal,
    /// 32-bit floating point.
    Real,
    /// 64-bit floating point.
    Double,
    /// PostgreSQL's `money`.
    Money,
    /// Blank-padded fixed length.
    Char,
    /// Variable length with a limit.
    Varchar,
    /// Variable length, no declared limit.
    Text,
    /// Binary data.
    Bytes,
    /// Calendar date.
    Date,
    /// Time of day.
    Time,
    /// Time of day with offset.
    TimeTz,
    /// Date and time without zone; MySQL's `datetime`.
    Timestamp,
    /// A point in time: PostgreSQL's `timestamptz`, MySQL's `timestamp`.
    TimestampTz,
    /// MySQL's `year`.
    Year,
    /// Length of time.
    Interval,
    /// UUID.
    Uuid,
    /// JSON kept as text.
    Json,
    /// JSON kept as a tree.
    Jsonb,
    /// XML.
    Xml,
    /// Network address.
    Inet,
    /// Network.
    Cidr,
    /// Hardware address.
    MacAddr,
    /// Bit string.
    Bit,
    /// In-line or named enumeration.
    Enum,
    /// MySQL's `SET`.
    Set,
    /// Text search vector or query.
    TextSearch,
    /// Built-in geometric or spatial type.
    Geometry,
    /// Range or multirange.
    Range,
    /// PostgreSQL's `name`.
    Name,
    /// Object identifiers and their aliases.
    Oid,
    /// A domain over another type.
    Domain,
    /// A row type.
    Composite,
    /// SQLite column without a declared type.
    Untyped,
    /// Anything else.
    #[default]
    Other,
}

/// How SQLite prefers to store the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Whole numbers, and what reads as one.
    Integer,
    /// Text; numbers are stored as their text.
    Text,
    /// As given.
    Blob,
    /// Floating point.
    Real,
    /// What reads as a number becomes one: `'01234'` is stored as 1234.
    Numeric,
}

impl Affinity {
    /// The affinity of a declared type, by SQLite's five rules in their order.
    pub fn of(declared: &str) -> Affinity {
        let declared = declared.to_ascii_uppercase();
        let holds = |part: &str| declared.contains(part);
        if holds("INT") {
            Affinity::Integer
        } else if holds("CHAR") || holds("CLOB") || holds("TEXT") {
            Affinity::Text
        } else if holds("BLOB") || declared.trim().is_empty() {
            Affinity::Blob
        } else if holds("REAL") || holds("FLOA") || holds("DOUB") {
            Affinity::Real
        } else {
            Affinity::Numeric
        }
    }
}

impl TypeKind {
    /// Whether values are whole numbers.
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            TypeKind::TinyInt
                | TypeKind::SmallInt
                | TypeKind::MediumInt
                | TypeKind::Integer
                | TypeKind::BigInt
        )
    }

    /// Whether values are binary floating point.
    pub fn is_floating(self) -> bool {
        matches!(self, TypeKind::Real | TypeKind::Double)
    }

    /// Whether values are numbers.
    pub fn is_numeric(self) -> bool {
        self.is_integer() || self.is_floating() || matches!(self, TypeKind::Decimal | TypeKind::Money)
    }

    /// Whether values are character strings.
    pub fn is_text(self) -> bool {
        matches!(self, TypeKind::Char | TypeKind::Varchar | TypeKind::Text)
    }

    /// Whether values say when something happens.
    pub fn is_temporal(self) -> bool {
        matches!(
            self,
            TypeKind::Date | TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz
        )
    }
}

impl DataType {
    /// A type of a kind with its spelling.
    pub fn new(kind: TypeKind, text: impl AsRef<str>) -> Self {
        DataType { kind, text: Name::new(text), ..DataType::default() }
    }

    /// The largest whole number the type holds, for integers.
    pub fn max_integer(&self) -> Option<u64> {
        let bits = match self.kind {
            TypeKind::TinyInt => 8,
            TypeKind::SmallInt => 16,
            TypeKind::MediumInt => 24,
            TypeKind::Integer => 32,
            TypeKind::BigInt => 64,
            _ => return None,
        };
        Some(if self.unsigned { u64::MAX >> (64 - bits) } else { (1u64 << (bits - 1)) - 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinity_follows_the_five_rules() {
        for (declared, expected) in [
            ("INTEGER", Affinity::Integer),
            ("charint", Affinity::Integer),
            ("FLOATING POINT", Affinity::Integer),
            ("VARCHAR(20)", Affinity::Text),
            ("clob", Affinity::Text),
            ("", Affinity::Blob),
            ("BLOB", Affinity::Blob),
            ("DOUBLE PRECISION", Affinity::Real),
            ("STRING", Affinity::Numeric),
            ("DATETIME", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
        ] {
            assert_eq!(Affinity::of(declared), expected, "{declared}");
        }
    }

    #[test]
    fn the_largest_integer_follows_width_and_sign() {
        assert_eq!(DataType::new(TypeKind::SmallInt, "smallint").max_integer(), Some(32_767));
        assert_eq!(DataType::new(TypeKind::BigInt, "bigint").max_integer(), Some(i64::MAX as u64));
        let unsigned = DataType { unsigned: true, ..DataType::new(TypeKind::Integer, "int unsigned") };
        assert_eq!(unsigned.max_integer(), Some(u32::MAX.into()));
        assert_eq!(DataType::new(TypeKind::Text, "text").max_integer(), None);
    }
}
