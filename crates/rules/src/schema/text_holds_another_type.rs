use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Column, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataCount, DataQuestion, Fact};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::observed::Observed;
use dbwright_model::remedy::Remedy;

use crate::columns::{in_foreign_key, is_checked};
use crate::lexicon::words;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    needs: &[Fact::Catalog, Fact::Data],
    engines: Engines::servers("types are hints there, and values keep their own"),
    when: "every value of a text column reads as a date, a number, a UUID, a truth value or JSON",
    then: "Text sorts and compares by letters, takes values that are none, and needs a conversion in every query.",
    instead: "Change the column to the type of its values.",
    options: &[OptionSpec {
        name: "least-values",
        default: OptionValue::Number(200.0),
        help: "Values that must be there before anything is concluded from them.",
    }],
    source: "sampling rules of public linters, with a column name that speaks of the type asked for in addition",
    questions: Some(questions),
    check,
    reads_names: true,
    ..Rule::DEFAULT
};

/// Text columns whose name speaks of another type, and that type.
fn candidates<'a>(context: &Context<'a>) -> Vec<(&'a Table, &'a Column, TypeKind)> {
    let mut found = Vec::new();
    for table in context.own_tables() {
        for column in &table.columns {
            let plain =
                column.data_type.kind.is_text() && !column.data_type.array && column.generated.is_none();
            if !plain || in_foreign_key(table, &column.name) {
                continue;
            }
            let Some(kind) = spoken_of(column.name.as_str()) else { continue };
            // MariaDB keeps JSON as text with a check.
            if kind == TypeKind::Json && is_checked(table, &column.name) {
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
        "date" | "on" | "birthday" | "dob" => return Some(TypeKind::Date),
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
        TypeKind::Timestamp => 16,
        TypeKind::Date => 8,
        _ => 1,
    }
}

fn question(table: &Table, column: &Column, kind: TypeKind) -> DataQuestion {
    DataQuestion::ParsesAs { table: table.name.clone(), column: column.name.clone(), kind }
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
        if (count.examined as f64) < context.number("least-values")
            || count.matching < count.examined
            || loses_zeros(kind, count)
        {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!(
                    "Every value of the text column `{}.{}` reads as {}, but it sorts and compares by letters.",
                    table.name,
                    column.name,
                    in_words(kind)
                ),
            )
            .evidence("values", count.examined)
            .evidence_if("for example", count.examples.first())
            .traced()
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        );
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
