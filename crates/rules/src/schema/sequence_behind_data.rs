use std::collections::HashMap;

use dbwright_model::catalog::Sequence;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::stats::{ColumnMaximum, SequenceValue};

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    weight: 8,
    needs: &[Fact::Catalog, Fact::SequenceValues, Fact::ColumnMaxima],
    engines: Engines::only(Engine::Postgres, "the counter follows the values by itself"),
    when: "a sequence stands behind the largest value of its unique column",
    then: "Inserts fail with a duplicate key as soon as the sequence reaches the values that are there already.",
    instead: "Set the sequence to the largest value of its column.",
    remedy: Applicability::Review,
    source: "PostgreSQL documentation: rows copied with their own keys do not move the sequence",
    check,
    ..Rule::DEFAULT
};

/// Values between the sequence and the furthest one from which that may be out of its reach: at a thousand inserts a second
/// they take 12 days.
const FAR: u128 = 1_000_000_000;

/// And how many times as many they must be as the sequence has given out.
const FAR_TIMES: i128 = 1_000;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let catalog = context.catalog();
    let sequences: HashMap<&QualifiedName, &Sequence> =
        catalog.sequences.iter().map(|sequence| (&sequence.name, sequence)).collect();
    let positions: HashMap<&QualifiedName, &SequenceValue> =
        context.sequence_values().iter().map(|value| (&value.sequence, value)).collect();
    let maxima: HashMap<(&QualifiedName, &Name), &ColumnMaximum> =
        context.column_maxima().iter().map(|maximum| ((&maximum.table, &maximum.column), maximum)).collect();
    for table in context.own_tables() {
        for column in &table.columns {
            let Some(name) = &column.sequence else { continue };
            let Some(sequence) = sequences.get(name) else { continue };
            let unique = table.indexes.iter().any(|index| {
                index.unique
                    && index.predicate.is_none()
                    && index.columns().is_some_and(|own| own == [&column.name])
            });
            if !unique || sequence.cycle {
                continue;
            }
            let position = positions.get(name);
            let maximum = maxima.get(&(&table.name, &column.name));
            findings.examined(1);
            let (Some(position), Some(maximum)) = (position, maximum) else {
                let (what, fact) = match position {
                    None => ("the position of its sequence was", Fact::SequenceValues),
                    Some(_) => ("its largest value was", Fact::ColumnMaxima),
                };
                let why = context
                    .why_in_part(fact)
                    .map_or("there are too many to read all".to_owned(), str::to_owned);
                findings.unknown(format!("`{}.{}`: {what} not read: {why}", table.name, column.name));
                continue;
            };
            let ahead = if sequence.increment < 0 { maximum.min } else { maximum.max };
            let Some(ahead) = ahead else { continue };
            let next = next(sequence, position.last_value);
            let gap = (i128::from(ahead) - next) * i128::from(sequence.increment.signum());
            if gap < 0 {
                continue;
            }
            // Rows that came in between the two reads look the same, but they move the sequence, too.
            let racing = position.last_value.is_some_and(|last| {
                gap < 1_000 && gap.unsigned_abs() * 100 < u128::from(last.unsigned_abs())
            });
            // Values that were given far away are met only if they begin near the sequence, which their end does not tell.
            let far =
                gap.unsigned_abs() >= FAR && gap / FAR_TIMES >= (next - i128::from(sequence.start)).abs();
            let then = if far {
                "so far away that the sequence may never come there; inserts collide if some lie just ahead of it"
            } else {
                "inserts will collide"
            };
            let found = Found::at(
                ObjectRef::column(&table.name, &column.name),
                format!(
                    "The sequence of `{}.{}` goes on with {next} although the values reach {ahead}: {then}.",
                    table.name, column.name
                ),
            )
            .evidence("next value", next)
            .evidence("furthest value", ahead)
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::SyncSequence {
                    name: name.clone(),
                    table: table.name.clone(),
                    column: column.name.clone(),
                }],
            ));
            findings.add(match racing || far {
                true => found.level(Level::Warning).confidence(Confidence::Low),
                false => found,
            });
        }
    }
}

fn next(sequence: &Sequence, last: Option<i64>) -> i128 {
    match last {
        Some(last) => i128::from(last) + i128::from(sequence.increment),
        None => sequence.start.into(),
    }
}
