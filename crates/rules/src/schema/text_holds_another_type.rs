use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{DataCount, DataQuestion, Fact};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::observed::Observed;
use dbwright_model::remedy::Remedy;

use crate::columns::{in_foreign_key, is_checked};
use crate::lexicon::words;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    needs: &[Fact::Catalog, Fact::Data],
    when: "every value of a text column reads as a date, a number, a UUID, a truth value or JSON, or as dates in several formats",
    then: "Text sorts and compares by letters, takes values that are none, and needs a conversion in every query.",
    instead: "Change the column to the type of its values.",
    options: &[
        OptionSpec {
            name: "least-values",
            default: OptionValue::Number(200.0),
            help: "Values that must be there before anything is concluded from them.",
        },
        OptionSpec {
            name: "least-dates",
            default: OptionValue::Number(50.0),
            help: "The same for dates in two formats or more.",
        },
    ],
    source: "sampling rules of public linters, with a column name that speaks of the type asked for in addition",
    questions: Some(questions),
    check,
    reads_names: true,
    ..Rule::DEFAULT
};

/// Text columns whose name speaks of another type, and that type. SQLite has types for none of these, and writes dates as
/// text; there only the format of dates is looked at.
fn candidates<'a>(context: &Context<'a>) -> Vec<(&'a Table, &'a Column, TypeKind)> {
    let lite = context.engine() == Engine::Sqlite;
    let mut found = Vec::new();
    for table in context.own_tables() {
        for column in &table.columns {
            let declared = lite && is_time(column.data_type.kind);
            let plain = (column.data_type.kind.is_text() || declared)
                && !column.data_type.array
                && column.generated.is_none();
            if !plain || in_foreign_key(table, &column.name) {
                continue;
            }
            let kind = if declared { Some(TypeKind::Date) } else { spoken_of(column.name.as_str()) };
            let Some(kind) = kind else { continue };
            // MariaDB keeps JSON as text with a check.
            if kind == TypeKind::Json && is_checked(table, &column.name) || lite && !is_time(kind) {
                continue;
            }
            let fits = column.data_type.length.is_none_or(|length| length >= least_length(kind));
            if fits && (kind != TypeKind::Uuid || context.can(Capability::UuidType)) {
                found.push((table, column, kind));
            }
        }
    }
    found
}

fn is_time(kind: TypeKind) -> bool {
    matches!(kind, TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz)
}

/// The type that the words of a name speak of.
fn spoken_of(name: &str) -> Option<TypeKind> {
    let words = words(name);
    let (first, last) = (words.first()?.as_str(), words.last()?.as_str());
    let keeps_text = |word: &String| {
        matches!(
            word.as_str(),
            "phone"
                | "fax"
                | "zip"
                | "postal"
                | "postcode"
                | "account"
                | "code"
                | "version"
                | "format"
                | "name"
                | "serial"
        )
    };
    if words.iter().any(keeps_text) {
        return None;
    }
    match last {
        "uuid" | "guid" => return Some(TypeKind::Uuid),
        "at" | "timestamp" | "datetime" => return Some(TypeKind::Timestamp),
        "date" | "on" | "until" | "since" | "deadline" | "birthday" | "birthdate" | "dob" => {
            return Some(TypeKind::Date);
        }
        "count" | "quantity" | "qty" | "age" | "year" => return Some(TypeKind::BigInt),
        "amount" | "price" | "total" | "weight" | "latitude" | "longitude" => return Some(TypeKind::Decimal),
        "json" | "payload" | "metadata" => return Some(TypeKind::Json),
        "enabled" | "active" | "flag" | "deleted" => return Some(TypeKind::Boolean),
        _ => {}
    }
    matches!(first, "is" | "has" | "can").then_some(TypeKind::Boolean)
}

fn least_length(kind: TypeKind) -> u32 {
    match kind {
        TypeKind::Uuid => 32,
        TypeKind::Timestamp | TypeKind::Date => 8,
        _ => 1,
    }
}

fn question(table: &Table, column: &Column, kind: TypeKind) -> DataQuestion {
    let (table, column) = (table.name.clone(), column.name.clone());
    match is_time(kind) {
        true => DataQuestion::DateFormats { table, column },
        false => DataQuestion::ParsesAs { table, column, kind },
    }
}

fn questions(context: &Context<'_>) -> Vec<DataQuestion> {
    candidates(context).into_iter().map(|(table, column, kind)| question(table, column, kind)).collect()
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, column, kind) in candidates(context) {
        let asked = question(table, column, kind);
        let answer =
            context.data().iter().find(|answer| answer.question == asked).map(|answer| &answer.answer);
        findings.examined(1);
        let Some(Observed::Known(count)) = answer else {
            findings.unknown(format!("the values of `{}.{}` were not counted", table.name, column.name));
            continue;
        };
        let formats = if is_time(kind) { count.distinct.unwrap_or(1) } else { 1 };
        // Two formats in one column are no accident of a few values.
        let least = if formats > 1 { "least-dates" } else { "least-values" };
        if (count.examined as f64) < context.number(least)
            || count.matching < count.examined
            || loses_zeros(kind, count)
        {
            continue;
        }
        // Texts that begin with the year are how SQLite writes dates.
        let sorts = formats < 2 && count.rows == Some(count.matching);
        if context.engine() == Engine::Sqlite && sorts {
            continue;
        }
        let name = format!("{}.{}", table.name, column.name);
        let message = match formats {
            0 | 1 => format!(
                "Every value of the text column `{name}` reads as {}, but it sorts and compares by letters.",
                in_words(kind)
            ),
            _ => format!(
                "`{name}` keeps dates as text in {formats} formats, so that it neither sorts by time nor finds a day."
            ),
        };
        let mut found = Found::at(ObjectRef::column(&table.name, &column.name), message)
            .evidence("values", count.examined)
            .evidence_if("for example", count.examples.first());
        if formats > 1 {
            found = found
                .evidence_if("in other formats", count.minority_rows)
                .evidence_if("such as", count.examples.get(1));
        }
        findings.add(
            found.traced().confidence(Confidence::Medium).remedy(Remedy::manual(instead(context, formats))),
        );
    }
}

fn instead(context: &Context<'_>, formats: u64) -> &'static str {
    match (context.engine(), formats > 1) {
        (Engine::Sqlite, _) => {
            "Write every date as `YYYY-MM-DD`, convert those in other formats, and add a check with `GLOB` that keeps them out."
        }
        (_, true) => {
            "Convert each format by itself into a new column of a date type, decide on values that read as two days, and drop the text."
        }
        (_, false) => RULE.instead,
    }
}

/// Whether a value begins with a zero that a number would lose.
fn loses_zeros(kind: TypeKind, count: &DataCount) -> bool {
    kind.is_numeric()
        && count.examples.iter().any(|text| {
            text.strip_prefix('0')
                .and_then(|rest| rest.chars().next())
                .is_some_and(|next| next.is_ascii_digit())
        })
}

fn in_words(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Uuid => "a UUID",
        TypeKind::Timestamp => "a point in time",
        TypeKind::Date => "a date",
        TypeKind::Json => "JSON",
        TypeKind::Boolean => "a truth value",
        _ => "a number",
    }
}
