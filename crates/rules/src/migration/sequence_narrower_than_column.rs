use dbwright_model::change::{Change, SequenceChanges};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 4,
    engines: Engines::only(Engine::Postgres, "the column's own type bounds its numbers"),
    when: "a column was widened and the sequence that fills it was not",
    then: "Inserts fail when the sequence reaches the end of the old type, as if nothing had been widened.",
    instead: "Give the sequence the column's type.",
    remedy: Applicability::Review,
    source: "measured on PostgreSQL 15 and 18: ALTER COLUMN TYPE widens an identity's sequence, but not a serial's",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for sequence in &context.catalog().sequences {
        let Some((table, column)) = &sequence.owned_by else { continue };
        let Some(column) = context.table(table).and_then(|table| table.column(column.as_str())) else {
            continue;
        };
        let Some(room) = column.data_type.max_integer() else { continue };
        findings.examined(1);
        let narrow = match sequence.data_type.kind {
            TypeKind::SmallInt => i64::from(i16::MAX),
            TypeKind::Integer => i64::from(i32::MAX),
            _ => continue,
        };
        // A limit that somebody chose is not this rule's.
        if sequence.max != narrow || sequence.cycle || sequence.increment < 0 || (narrow as u64) >= room {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::column(table, &column.name),
                format!(
                    "`{table}.{}` is {}, but its sequence ends with {}.",
                    column.name, column.data_type.text, sequence.data_type.text
                ),
            )
            .evidence("sequence", &sequence.name)
            .evidence("ends at", narrow)
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::AlterSequence {
                    if_exists: false,
                    name: sequence.name.clone(),
                    changes: SequenceChanges {
                        data_type: Some(DataType::new(column.data_type.kind, column.data_type.text.as_str())),
                        ..SequenceChanges::default()
                    },
                }],
            )),
        );
    }
}
