//! How much of the range of whole numbers a column or a sequence has used, and what makes it wider.

use dbwright_model::catalog::Sequence;
use dbwright_model::change::{Change, SequenceChanges};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;

/// How far a column or sequence has come, and the range it moves in.
#[derive(Debug)]
pub struct Position {
    /// The number that it stands at.
    pub at: i128,
    /// The last number of the range.
    pub end: i128,
    /// The first one; it is the greater where the numbers fall.
    pub begin: i128,
    /// What says so.
    pub seen: &'static str,
    /// The sequence that ends before its column does, or that feeds none.
    pub narrow: Option<Narrow>,
}

/// A sequence that ends by itself, and how it is made as wide as what it feeds.
#[derive(Debug)]
pub struct Narrow {
    /// Its name.
    pub sequence: QualifiedName,
    /// The change; `None` where nothing is wider.
    pub wider: Option<SequenceChanges>,
}

impl Position {
    /// The share of the range that is used, from 0 to 1; more where the range was left behind.
    pub fn share(&self) -> f64 {
        let range = self.end - self.begin;
        if range == 0 { 1.0 } else { (self.at - self.begin) as f64 / range as f64 }
    }

    /// What to do; `widen` is said where the column ends.
    pub fn remedy(&self, widen: &'static str) -> Remedy {
        match &self.narrow {
            Some(Narrow { sequence, wider: Some(wider) }) => Remedy::review(
                "Let the sequence go on to the end of its type.",
                vec![Change::AlterSequence {
                    name: sequence.clone(),
                    if_exists: false,
                    changes: wider.clone(),
                }],
            ),
            Some(Narrow { wider: None, .. }) => {
                Remedy::manual("Let the sequence start over, if what takes its numbers allows that.")
            }
            None => Remedy::manual(widen),
        }
    }

    /// Values that are left; 0 also where the range was left behind.
    pub fn left(&self) -> u128 {
        let left = if self.end < self.begin { self.at - self.end } else { self.end - self.at };
        u128::try_from(left).unwrap_or(0)
    }
}

/// How far a sequence has come within its own range and that of the column it feeds.
pub fn of_sequence(sequence: &Sequence, last: i128, column: Option<((i128, i128), &DataType)>) -> Position {
    let bigint = DataType::new(TypeKind::BigInt, "bigint");
    let ((low, high), of) = column.unwrap_or(((i64::MIN.into(), i64::MAX.into()), &bigint));
    let (min, max) = (i128::from(sequence.min), i128::from(sequence.max));
    let down = sequence.increment < 0;
    let ends_itself = if down { min > low } else { max < high };
    let narrow = (ends_itself || column.is_none()).then(|| Narrow {
        sequence: sequence.name.clone(),
        wider: ends_itself.then(|| SequenceChanges {
            data_type: (sequence.data_type.kind != of.kind).then(|| of.clone()),
            no_min: down,
            no_max: !down,
            ..SequenceChanges::default()
        }),
    });
    let (end, begin) = if down { (min.max(low), max.min(high)) } else { (max.min(high), min.max(low)) };
    Position { at: last, end, begin, seen: "sequence", narrow }
}
