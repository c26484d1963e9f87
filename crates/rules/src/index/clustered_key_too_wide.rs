use dbwright_model::capability::Capability;
use dbwright_model::catalog::{ConstraintKind, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lexicon::charset;
use crate::{Context, Engines, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 2,
    wants: &[Fact::ColumnStatistics, Fact::TableStatistics],
    engines: Engines::mysql_family("indexes refer to rows by their place and not by the primary key"),
    when: "the primary key of an InnoDB table with several indexes is a long string",
    then: "Every secondary index carries the whole key in every entry.",
    instead: "Keep UUIDs in 16 bytes, or make a number the primary key and the string a unique key.",
    remedy: Applicability::Manual,
    options: &[
        OptionSpec {
            name: "bytes",
            default: OptionValue::Number(32.0),
            help: "bytes of the key that are tolerated",
        },
        OptionSpec {
            name: "indexes",
            default: OptionValue::Number(2.0),
            help: "secondary indexes from which the width of the key matters",
        },
    ],
    source: "InnoDB documentation: secondary indexes hold the primary key columns",
    convention: Some("tables are ordered by a long string"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        if table.storage_engine.as_ref().is_some_and(|engine| !engine.eq_ignore_case("innodb")) {
            continue;
        }
        let Some(key) = &table.primary_key else { continue };
        findings.examined(1);
        let secondary =
            table.indexes.iter().filter(|index| index.backs != Some(ConstraintKind::PrimaryKey)).count();
        let Some(width) = width(context, table) else { continue };
        if width.bytes <= context.number("bytes") || (secondary as f64) < context.number("indexes") {
            continue;
        }
        let instead = if context.can(Capability::UuidType) && width.is_fixed {
            "Give the key the type `uuid`, which takes 16 bytes, or make a number the primary key."
        } else {
            RULE.instead
        };
        findings.add(
            Found::at(
                ObjectRef::columns(&table.name, &key.columns),
                format!(
                    "The primary key of `{}` takes up to {:.0} bytes, and each of its {secondary} other indexes carries it.",
                    table.name, width.bytes
                ),
            )
            .evidence("bytes of the key", format!("{:.0}", width.bytes))
            .evidence("secondary indexes", secondary)
            .evidence_if("rows", context.statistics_of(&table.name).and_then(|known| known.rows))
            .confidence(if width.is_fixed { Confidence::High } else { Confidence::Medium })
            .remedy(Remedy::manual(instead)),
        );
    }
}

struct Width {
    bytes: f64,
    is_fixed: bool,
}

/// Bytes of the strings in the key; `None` when there are none, or when one has no length.
fn width(context: &Context<'_>, table: &Table) -> Option<Width> {
    let mut width = Width { bytes: 0.0, is_fixed: true };
    for name in &table.primary_key.as_ref()?.columns {
        let column = table.column(name.as_str())?;
        if !matches!(column.data_type.kind, TypeKind::Char | TypeKind::Varchar) {
            continue;
        }
        let fixed = column.data_type.kind == TypeKind::Char;
        let measured =
            context.column_statistics_of(&table.name, name).map(|known| f64::from(known.average_width));
        let collation = column.collation.as_ref().or(table.collation.as_ref());
        let declared = f64::from(column.data_type.length?) * bytes_per_character(collation);
        width.bytes += measured.filter(|_| !fixed).unwrap_or(declared);
        width.is_fixed &= fixed;
    }
    (width.bytes > 0.0).then_some(width)
}

/// The most bytes that a character takes in the set of a collation. Without one the default set of the server stands, which
/// is `utf8mb4` unless it was chosen otherwise.
fn bytes_per_character(collation: Option<&Name>) -> f64 {
    collation.and_then(|name| charset::of_collation(name.as_str())).map_or(4.0, charset::most_bytes)
}
