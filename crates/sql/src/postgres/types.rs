//! Column types of PostgreSQL, in the spelling of the server's own `format_type()`.

use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::{Name, QualifiedName};

use super::quote;

/// Reads the spelling of a column type.
pub fn data_type(text: &str) -> DataType {
    let mut words = Words::read(text);
    let array = words.take_array();
    let mut data_type = words.built_in().unwrap_or_else(|| words.user_type());
    if array {
        data_type.array = true;
        data_type.text = Name::from(format!("{}[]", data_type.text));
    }
    data_type
}

/// Whether a type's spelling is one of the `serial` words, which stand for an integer with a sequence.
pub(super) fn is_serial(text: &str) -> bool {
    let word = text.trim();
    let word = word
        .get(..11)
        .filter(|prefix| prefix.eq_ignore_ascii_case("pg_catalog."))
        .map_or(word, |prefix| &word[prefix.len()..]);
    ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"]
        .iter()
        .any(|serial| word.eq_ignore_ascii_case(serial))
}

/// A word of a type's spelling.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    quoted: bool,
}

/// A type's spelling cut into words, the arguments in parentheses taken out.
struct Words {
    words: Vec<Word>,
    arguments: Option<String>,
    bounds: bool,
}

impl Words {
    fn read(text: &str) -> Words {
        let mut read = Words { words: Vec::new(), arguments: None, bounds: false };
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let used = match first {
                '"' => {
                    let mut name = String::new();
                    let mut at = 1;
                    loop {
                        let Some(end) = rest[at..].find('"') else {
                            name.push_str(&rest[at..]);
                            at = rest.len();
                            break;
                        };
                        name.push_str(&rest[at..at + end]);
                        at += end + 1;
                        if !rest[at..].starts_with('"') {
                            break;
                        }
                        name.push('"');
                        at += 1;
                    }
                    read.words.push(Word { text: name, quoted: true });
                    at
                }
                '(' => {
                    let end = rest.find(')').unwrap_or(rest.len());
                    if read.arguments.is_none() {
                        read.arguments = Some(rest[1..end].trim().to_owned());
                    }
                    (end + 1).min(rest.len())
                }
                '[' => {
                    read.bounds = true;
                    rest.find(']').map_or(rest.len(), |end| end + 1)
                }
                '.' | ',' | ')' | ']' => {
                    read.words.push(Word { text: first.to_string(), quoted: false });
                    1
                }
                _ => {
                    let end = rest
                        .find(|c: char| {
                            c.is_whitespace() || matches!(c, '"' | '(' | ')' | '[' | ']' | '.' | ',')
                        })
                        .unwrap_or(rest.len());
                    read.words.push(Word { text: rest[..end].to_ascii_lowercase(), quoted: false });
                    end
                }
            };
            rest = rest[used..].trim_start();
        }
        while let [schema, dot, _, ..] = read.words.as_slice()
            && schema.text == "pg_catalog"
            && dot.text == "."
        {
            read.words.drain(..2);
        }
        read
    }

    fn take_array(&mut self) -> bool {
        if self.words.len() > 1 && self.words.last().is_some_and(|word| !word.quoted && word.text == "array")
        {
            self.words.pop();
            return true;
        }
        self.bounds
    }

    /// The arguments as whole numbers, when they are that.
    fn numbers(&self) -> Vec<i64> {
        self.arguments
            .as_deref()
            .map(|text| text.split(',').map_while(|part| part.trim().parse().ok()).collect())
            .unwrap_or_default()
    }

    fn built_in(&self) -> Option<DataType> {
        let first = self.words.first()?;
        if first.quoted {
            let kind = match (first.text.as_str(), self.words.len()) {
                ("char", 1) => return Some(DataType::new(TypeKind::Char, "\"char\"")),
                ("bit", 1) => return Some(DataType::new(TypeKind::Bit, "\"bit\"")),
                // The quoted spelling of an internal name, such as "numeric", is that type.
                (name, 1) if simple(name).is_some() && internal(name) => name,
                _ => return None,
            };
            return simple(kind).map(|(kind, text)| DataType::new(kind, text));
        }
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        let numbers = self.numbers();
        let length = numbers.first().and_then(|n| u32::try_from(*n).ok());
        let sized = |kind: TypeKind, name: &str, length: Option<u32>| DataType {
            length,
            ..DataType::new(kind, length.map_or_else(|| name.to_owned(), |n| format!("{name}({n})")))
        };
        let one = Some(length.unwrap_or(1));
        Some(match words.as_slice() {
            ["varchar"]
            | ["character" | "char" | "nchar", "varying"]
            | ["national", "character" | "char", "varying"] => {
                sized(TypeKind::Varchar, "character varying", length)
            }
            ["character" | "char" | "nchar"] | ["national", "character" | "char"] => {
                sized(TypeKind::Char, "character", one)
            }
            ["bpchar"] if length.is_some() => sized(TypeKind::Char, "character", length),
            ["bpchar"] => DataType::new(TypeKind::Char, "bpchar"),
            ["bit", "varying"] | ["varbit"] => sized(TypeKind::Bit, "bit varying", length),
            ["bit"] => sized(TypeKind::Bit, "bit", one),
            ["numeric" | "decimal" | "dec"] => match (length, numbers.get(1)) {
                (None, _) => DataType::new(TypeKind::Decimal, "numeric"),
                (Some(precision), scale) => {
                    let scale = scale.and_then(|n| i32::try_from(*n).ok()).unwrap_or(0);
                    DataType {
                        length: Some(precision),
                        scale: Some(scale),
                        ..DataType::new(TypeKind::Decimal, format!("numeric({precision},{scale})"))
                    }
                }
            },
            ["float"] => match length {
                Some(bits) if bits < 25 => DataType::new(TypeKind::Real, "real"),
                _ => DataType::new(TypeKind::Double, "double precision"),
            },
            ["double", "precision"] => DataType::new(TypeKind::Double, "double precision"),
            ["time", zone @ ..] if is_zone(zone) => {
                zoned(TypeKind::Time, "time", length, zone.first() == Some(&"with"))
            }
            ["timetz"] => zoned(TypeKind::Time, "time", length, true),
            ["timestamp", zone @ ..] if is_zone(zone) => {
                zoned(TypeKind::Timestamp, "timestamp", length, zone.first() == Some(&"with"))
            }
            ["timestamptz"] => zoned(TypeKind::Timestamp, "timestamp", length, true),
            ["interval", fields @ ..] => {
                let known = |word: &&str| {
                    matches!(*word, "year" | "month" | "day" | "hour" | "minute" | "second" | "to")
                };
                if !fields.iter().all(known) {
                    return None;
                }
                let mut text = "interval".to_owned();
                for field in fields {
                    text.push(' ');
                    text.push_str(field);
                }
                sized(TypeKind::Interval, &text, length)
            }
            [word] => {
                let (kind, text) = simple(word)?;
                DataType::new(kind, text)
            }
            _ => return None,
        })
    }

    fn user_type(&self) -> DataType {
        let parts: Vec<&Word> = self.words.iter().filter(|word| word.quoted || word.text != ".").collect();
        let dotted = self.words.len() == parts.len() * 2 - usize::from(!parts.is_empty());
        let Some(last) = parts.last().filter(|_| !self.words.is_empty()) else {
            return DataType::new(TypeKind::Other, "");
        };
        if !dotted {
            let spelled =
                |word: &Word| if word.quoted { quote::always(&word.text) } else { word.text.clone() };
            let text: Vec<String> = self.words.iter().map(spelled).collect();
            return DataType::new(TypeKind::Other, text.join(" "));
        }
        let schema = parts.len().checked_sub(2).map_or("", |at| parts[at].text.as_str());
        let name = QualifiedName::new(schema, &last.text);
        let mut text = quote::qualified(&name);
        let mut length = None;
        if let Some(arguments) = &self.arguments {
            text = format!("{text}({arguments})");
            if let [only] = self.numbers().as_slice() {
                length = u32::try_from(*only).ok();
            }
        }
        DataType { length, user_type: Some(name), ..DataType::new(TypeKind::Other, text) }
    }
}

fn is_zone(words: &[&str]) -> bool {
    matches!(words, [] | ["with" | "without", "time", "zone"])
}

fn zoned(kind: TypeKind, name: &str, precision: Option<u32>, zone: bool) -> DataType {
    let kind = match (kind, zone) {
        (TypeKind::Time, true) => TypeKind::TimeTz,
        (TypeKind::Timestamp, true) => TypeKind::TimestampTz,
        (kind, _) => kind,
    };
    let precision_text = precision.map_or_else(String::new, |n| format!("({n})"));
    let zone = if zone { "with" } else { "without" };
    DataType { length: precision, ..DataType::new(kind, format!("{name}{precision_text} {zone} time zone")) }
}

/// Whether a name is one under which the server itself keeps the type, so that it means the type even when quoted.
fn internal(name: &str) -> bool {
    !matches!(
        name,
        "int"
            | "integer"
            | "smallint"
            | "bigint"
            | "real"
            | "boolean"
            | "dec"
            | "serial"
            | "bigserial"
            | "smallserial"
            | "serial2"
            | "serial4"
            | "serial8"
    )
}

/// Types of one word.
fn simple(word: &str) -> Option<(TypeKind, &str)> {
    Some(match word {
        "integer" | "int" | "int4" | "serial" | "serial4" => (TypeKind::Integer, "integer"),
        "bigint" | "int8" | "bigserial" | "serial8" => (TypeKind::BigInt, "bigint"),
        "smallint" | "int2" | "smallserial" | "serial2" => (TypeKind::SmallInt, "smallint"),
        "text" => (TypeKind::Text, word),
        "boolean" | "bool" => (TypeKind::Boolean, "boolean"),
        "uuid" => (TypeKind::Uuid, word),
        "jsonb" => (TypeKind::Jsonb, word),
        "json" => (TypeKind::Json, word),
        "date" => (TypeKind::Date, word),
        "bytea" => (TypeKind::Bytes, word),
        "numeric" => (TypeKind::Decimal, word),
        "real" | "float4" => (TypeKind::Real, "real"),
        "float8" => (TypeKind::Double, "double precision"),
        "money" => (TypeKind::Money, word),
        "name" => (TypeKind::Name, word),
        "varchar" => (TypeKind::Varchar, "character varying"),
        "bpchar" => (TypeKind::Char, "bpchar"),
        "varbit" => (TypeKind::Bit, "bit varying"),
        "timestamp" => (TypeKind::Timestamp, "timestamp without time zone"),
        "timestamptz" => (TypeKind::TimestampTz, "timestamp with time zone"),
        "time" => (TypeKind::Time, "time without time zone"),
        "timetz" => (TypeKind::TimeTz, "time with time zone"),
        "interval" => (TypeKind::Interval, word),
        "inet" => (TypeKind::Inet, word),
        "cidr" => (TypeKind::Cidr, word),
        "macaddr" | "macaddr8" => (TypeKind::MacAddr, word),
        "xml" => (TypeKind::Xml, word),
        "tsvector" | "tsquery" => (TypeKind::TextSearch, word),
        "point" | "line" | "lseg" | "box" | "path" | "polygon" | "circle" => (TypeKind::Geometry, word),
        "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" | "int4multirange"
        | "int8multirange" | "nummultirange" | "tsmultirange" | "tstzmultirange" | "datemultirange" => {
            (TypeKind::Range, word)
        }
        "oid" | "regclass" | "regproc" | "regprocedure" | "regoper" | "regoperator" | "regtype"
        | "regrole" | "regnamespace" | "regconfig" | "regdictionary" | "regcollation" | "regdatabase" => {
            (TypeKind::Oid, word)
        }
        "jsonpath"
        | "pg_lsn"
        | "pg_snapshot"
        | "txid_snapshot"
        | "xid"
        | "xid8"
        | "cid"
        | "tid"
        | "oidvector"
        | "int2vector"
        | "gtsvector"
        | "refcursor"
        | "void"
        | "trigger"
        | "event_trigger"
        | "record"
        | "cstring"
        | "internal"
        | "any"
        | "anyelement"
        | "anyarray"
        | "anynonarray"
        | "anyenum"
        | "anyrange"
        | "anymultirange"
        | "anycompatible"
        | "anycompatiblearray"
        | "anycompatiblenonarray"
        | "anycompatiblerange"
        | "anycompatiblemultirange"
        | "unknown"
        | "language_handler"
        | "fdw_handler"
        | "index_am_handler"
        | "table_am_handler"
        | "tsm_handler"
        | "pg_node_tree"
        | "aclitem" => (TypeKind::Other, word),
        _ => return None,
    })
}
