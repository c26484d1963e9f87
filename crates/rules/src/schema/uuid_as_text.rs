use dbwright_model::capability::Capability;
use dbwright_model::catalog::Column;
use dbwright_model::data_type::TypeKind;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::{ANY_UUID, default_calls};
use crate::lexicon::columns::is_uuid;
use crate::lexicon::words;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::servers("SQLite has no type for it, and its text form is the usual one"),
    when: "a text column holds UUIDs",
    then: "Each takes more than twice the bytes in the table and in every index, and the same UUID has several spellings.",
    instead: "Keep UUIDs in the type for them, or in 16 bytes.",
    source: "measured: an index takes 77 bytes per row for UUIDs as text and 39 for the type",
    convention: Some("columns of UUIDs are text"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in &table.columns {
            let Some(confidence) = holds_uuid(column) else { continue };
            findings.examined(1);
            let kind = column.data_type.kind;
            if !kind.is_text() || column.data_type.array {
                continue;
            }
            let remedy = match context.can(Capability::UuidType) {
                true => "Change the column to `uuid`, together with the columns that refer to it.",
                false => "Keep the 16 bytes in `binary(16)`, together with the columns that refer to it.",
            };
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` keeps UUIDs as text, which takes more than twice their 16 bytes.",
                        table.name, column.name
                    ),
                )
                .evidence("type", &column.data_type.text)
                .confidence(confidence)
                .remedy(Remedy::manual(remedy)),
            );
        }
    }
}

/// Whether the column holds UUIDs, and how sure that is: a default that makes one proves it, a name suggests it.
fn holds_uuid(column: &Column) -> Option<Confidence> {
    if default_calls(column, ANY_UUID)
        && !default_calls(column, &["substr", "substring", "left", "concat", "replace"])
    {
        return Some(Confidence::High);
    }
    if column.data_type.kind == TypeKind::Uuid {
        return Some(Confidence::High);
    }
    let exact = column.data_type.length.is_some_and(|length| (32..=38).contains(&length));
    let loose = column.data_type.length.is_none_or(|length| length == 255);
    // A `guid` of a feed is any text, often an address.
    let says_uuid = words(column.name.as_str()).iter().any(|word| word == "uuid");
    let fits = exact || (loose && says_uuid);
    (fits && is_uuid(column.name.as_str())).then_some(Confidence::Medium)
}
