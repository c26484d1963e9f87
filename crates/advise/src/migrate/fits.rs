//! Whether the values of a column fit another type, as a question to the rows that no value makes fail.

use dbwright_model::catalog::{Column, Table, UserTypeKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::plan::CheckQuery;

use super::builder::{Builder, full_name, keyset};

/// What can be said of the values before they are converted.
pub(super) enum Fit {
    /// Every value of the old type is one of the new type.
    Always,
    /// The rows of this query are those whose value does not fit.
    Ask(CheckQuery),
    /// No query tells without failing itself.
    Unasked,
}

/// When a value does not fit.
enum Misfit {
    Never,
    /// A condition on a value that is not null.
    When(String),
    Unknown,
}

/// White space that the input of numbers and truth values passes over.
const SPACE: &str = r"[ \t\n\v\f\r]*";

/// Whether the values of a column fit the type that it gets.
pub(super) fn of(
    builder: &Builder<'_>,
    table: &Table,
    column: &Column,
    to: &DataType,
    using: Option<&Expression>,
) -> Fit {
    let Some(explicit) = is_cast_of(column, to, using) else { return Fit::Unasked };
    let value = builder.quoted(&column.name);
    match misfit(builder, &column.data_type, to, explicit, &value) {
        Misfit::Never => Fit::Always,
        Misfit::Unknown => Fit::Unasked,
        Misfit::When(condition) => Fit::Ask(CheckQuery {
            sql: format!(
                "SELECT * FROM {} WHERE {value} IS NOT NULL AND ({condition})",
                builder.quoted_name(&table.name)
            ),
            rows_mean: format!(
                "The value of `{}` in these rows does not fit `{}`; change it first.",
                column.name, to.text
            ),
            keys: keyset(table),
        }),
    }
}

/// Whether the value is the column's own, converted as an assignment does it (`false`) or by a cast that is written
/// (`true`), which shortens texts without a word. `None` when it is reckoned in another way.
fn is_cast_of(column: &Column, to: &DataType, using: Option<&Expression>) -> Option<bool> {
    let Some(using) = using else { return Some(false) };
    let is_it = |expr: &Expr| matches!(expr, Expr::Column { name, .. } if *name == column.name);
    match using.tree.as_deref()? {
        Expr::Cast { operand, to: written } if is_it(operand) => {
            (spelled(written) == spelled(to.text.as_str())).then_some(true)
        }
        expr if is_it(expr) => Some(false),
        _ => None,
    }
}

/// A type in one of the spellings that the server takes.
fn spelled(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let (name, rest) = text.split_at(text.find('(').unwrap_or(text.len()));
    let name = match name.trim().trim_start_matches("pg_catalog.") {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "decimal" => "numeric",
        "bool" => "boolean",
        "varchar" => "character varying",
        "char" | "bpchar" => "character",
        "float8" | "float" => "double precision",
        "float4" => "real",
        "timestamptz" => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        "timetz" => "time with time zone",
        "time" => "time without time zone",
        other => other,
    };
    format!("{name}{}", rest.replace(' ', ""))
}

fn misfit(builder: &Builder<'_>, from: &DataType, to: &DataType, explicit: bool, value: &str) -> Misfit {
    use TypeKind::*;
    if from == to {
        return Misfit::Never;
    }
    if from.array || to.array {
        return Misfit::Unknown;
    }
    if let Some(kind) = user_type(builder, to) {
        return match kind {
            UserTypeKind::Enum(labels) if is_text(from) && !labels.is_empty() => {
                let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
                Misfit::When(format!("{value}::text NOT IN ({})", labels.join(", ")))
            }
            UserTypeKind::Domain { base, not_null: false, checks, .. } if checks.is_empty() => {
                misfit(builder, from, base, explicit, value)
            }
            _ => Misfit::Unknown,
        };
    }
    if let Some(UserTypeKind::Domain { base, .. }) = user_type(builder, from) {
        return misfit(builder, base, to, explicit, value);
    }
    if to.user_type.is_some() || matches!(to.kind, Other | Composite | Domain | Enum) {
        return Misfit::Unknown;
    }
    match (from.kind, to.kind) {
        (_, Text) => Misfit::Never,
        (_, Varchar) if to.length.is_none() => Misfit::Never,
        (_, Varchar | Char) => longer(from, to, explicit, value),
        (SmallInt | Integer | BigInt | Decimal | Real | Double, SmallInt | Integer | BigInt) => {
            beyond_integer(from, to, value)
        }
        (SmallInt | Integer | BigInt | Decimal | Real | Double, Decimal) => {
            beyond_decimal(builder, from, to, value)
        }
        (SmallInt | Integer | BigInt | Real, Real | Double) | (Double, Double) => Misfit::Never,
        (Decimal, Double) if from.length.is_some_and(|digits| digits <= 300) => Misfit::Never,
        (Decimal, Real) if from.length.is_some_and(|digits| digits <= 37) => Misfit::Never,
        (Decimal, Real | Double) => {
            Misfit::When(format!("{value} <> 'NaN' AND ({})", beyond_float(to, value)))
        }
        (Double, Real) => {
            Misfit::When(format!("abs({value}) < 'Infinity' AND ({})", beyond_float(to, value)))
        }
        _ if is_text(from) => unreadable(builder, to, value),
        (Date, Timestamp | TimestampTz) => {
            Misfit::When(format!("isfinite({value}) AND {value} >= DATE '294277-01-01'"))
        }
        (Timestamp | TimestampTz, Date | Time | Timestamp | TimestampTz | TimeTz)
        | (Time | TimeTz, Time | TimeTz)
        | (Time, Interval)
        | (Interval, Interval | Time)
        | (Boolean, Integer)
        | (Integer, Boolean)
        | (Inet | Cidr, Inet | Cidr)
        | (Jsonb, Json) => Misfit::Never,
        (Json, Jsonb) if builder.since(16) => {
            Misfit::When(format!("NOT pg_input_is_valid({value}::text, 'jsonb')"))
        }
        (one, other) if one == other && to.length.is_none() && from.user_type.is_none() => Misfit::Never,
        _ => Misfit::Unknown,
    }
}

fn user_type<'b>(builder: &'b Builder<'_>, data_type: &DataType) -> Option<&'b UserTypeKind> {
    let name = full_name(data_type.user_type.as_ref()?);
    builder.catalog.types.iter().find(|user_type| user_type.name == name).map(|user_type| &user_type.kind)
}

fn is_text(data_type: &DataType) -> bool {
    data_type.kind.is_text() && data_type.user_type.is_none()
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts that are too long, blanks at the end not counted: the server takes those away by itself.
fn longer(from: &DataType, to: &DataType, explicit: bool, value: &str) -> Misfit {
    use TypeKind::*;
    let room = to.length.unwrap_or(1);
    let longest = match from.kind {
        Varchar => from.length,
        Char => Some(from.length.unwrap_or(1)),
        Boolean => Some(5),
        SmallInt => Some(6),
        Integer => Some(11),
        BigInt => Some(20),
        Uuid => Some(36),
        _ => None,
    };
    if explicit || longest.is_some_and(|longest| longest <= room) {
        return Misfit::Never;
    }
    Misfit::When(match is_text(from) {
        true => format!("length(rtrim(substr({value}::text, {}), ' ')) > 0", u64::from(room) + 1),
        false => format!("length({value}::text) > {room}"),
    })
}

/// The least and the largest number of an integer type.
fn bounds(to: &DataType) -> (i64, i64) {
    match to.kind {
        TypeKind::SmallInt => (i16::MIN.into(), i16::MAX.into()),
        TypeKind::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

fn beyond_integer(from: &DataType, to: &DataType, value: &str) -> Misfit {
    let (least, largest) = bounds(to);
    match from.kind {
        TypeKind::Decimal => Misfit::When(format!("round({value}) NOT BETWEEN {least} AND {largest}")),
        // The bound above is the first number that does not fit: the largest that does is none of this type's.
        TypeKind::Real | TypeKind::Double => {
            let above = i128::from(largest) + 1;
            let rounded = format!("round({value}::double precision)");
            Misfit::When(format!(
                "NOT ({rounded} >= '{least}'::double precision AND {rounded} < '{above}'::double precision)"
            ))
        }
        _ if bounds(from).1 <= largest => Misfit::Never,
        _ => Misfit::When(format!("{value} NOT BETWEEN {least} AND {largest}")),
    }
}

fn beyond_decimal(builder: &Builder<'_>, from: &DataType, to: &DataType, value: &str) -> Misfit {
    use TypeKind::*;
    let floating = matches!(from.kind, Real | Double);
    let Some(digits) = to.length else {
        // Infinity is a number since 14.
        return match floating && !builder.since(14) {
            true => Misfit::When(format!("{value} IN ('Infinity', '-Infinity')")),
            false => Misfit::Never,
        };
    };
    let scale = to.scale.unwrap_or(0);
    let whole = i64::from(digits) - i64::from(scale);
    let most = match from.kind {
        SmallInt => Some(5),
        Integer => Some(10),
        BigInt => Some(19),
        Decimal => from.length.map(|digits| {
            let old = from.scale.unwrap_or(0);
            // Rounding may add a digit.
            i64::from(digits) - i64::from(old) + i64::from(old > scale)
        }),
        _ => None,
    };
    if most.is_some_and(|most| most <= whole && scale >= 0) {
        return Misfit::Never;
    }
    let beyond = format!("abs(round({value}::numeric, {scale})) >= 1e{whole}");
    Misfit::When(match from.kind {
        Decimal => format!("{value} <> 'NaN' AND {beyond}"),
        Real | Double => format!(
            "CASE WHEN {value} = 'NaN' THEN false WHEN {value} IN ('Infinity', '-Infinity') THEN true ELSE {beyond} END"
        ),
        _ => beyond,
    })
}

/// Numbers that are too large, or so small that nothing would be left of them.
fn beyond_float(to: &DataType, value: &str) -> String {
    let (large, small) = match to.kind {
        TypeKind::Real => ("3.4028235677973366e38", "7.006492321624085e-46"),
        _ => ("1.797693134862315808e308", "2.4703282292062327e-324"),
    };
    // Not every constant is a number of double precision.
    let number = format!("{value}::numeric");
    format!("abs({number}) >= {large} OR ({number} <> 0 AND abs({number}) <= {small})")
}

/// Texts that are no value of a type.
fn unreadable(builder: &Builder<'_>, to: &DataType, value: &str) -> Misfit {
    use TypeKind::*;
    if builder.since(16) {
        return Misfit::When(format!("NOT pg_input_is_valid({value}::text, {})", literal(to.text.as_str())));
    }
    let matches = |pattern: &str| format!("{value} ~ '^{SPACE}{pattern}{SPACE}$'");
    let like = |pattern: &str| format!("{value} ~* '^{SPACE}{pattern}{SPACE}$'");
    let number = matches(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?");
    Misfit::When(match to.kind {
        SmallInt | Integer | BigInt => {
            let (least, largest) = bounds(to);
            // More than 19 digits fit no integer.
            format!(
                "CASE WHEN {} THEN {value}::numeric NOT BETWEEN {least} AND {largest} ELSE true END",
                matches("[+-]?0*[0-9]{1,19}")
            )
        }
        Decimal => {
            let beyond = match to.length {
                Some(digits) => {
                    let scale = to.scale.unwrap_or(0);
                    let whole = i64::from(digits) - i64::from(scale);
                    format!("abs(round({value}::numeric, {scale})) >= 1e{whole}")
                }
                None => "false".to_owned(),
            };
            let word = match to.length.is_none() && builder.since(14) {
                true => "(nan|[+-]?inf(inity)?)",
                false => "nan",
            };
            format!("CASE WHEN {} THEN false WHEN {number} THEN {beyond} ELSE true END", like(word))
        }
        Real | Double => format!(
            "CASE WHEN {} THEN false WHEN {number} THEN {} ELSE true END",
            like("(nan|[+-]?inf(inity)?|[+-]?0x[0-9a-f]+)"),
            beyond_float(to, value)
        ),
        Boolean => format!("NOT {}", like("(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0)")),
        Uuid => {
            let digits = "([0-9a-f]{4}-?){7}[0-9a-f]{4}";
            format!(r"{value} !~* '^({digits}|\{{{digits}\}})$'")
        }
        _ => return Misfit::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::spelled;

    #[test]
    fn types_have_one_spelling() {
        assert_eq!(spelled("varchar(20)"), spelled("character varying(20)"));
        assert_eq!(spelled("decimal(5, 2)"), spelled("numeric(5,2)"));
        assert_eq!(spelled("INT"), "integer");
        assert_ne!(spelled("varchar(20)"), spelled("varchar(30)"));
    }
}
