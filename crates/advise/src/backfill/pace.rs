//! How many rows a piece has: as many as are written in the time that was asked for.

/// The size of pieces, adapted from piece to piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    target_ms: u64,
    least: u32,
    most: u32,
    rows: u32,
    passes: u32,
}

/// What a piece came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Rows written.
    pub rows: u64,
    /// Whether it held as many rows to be written as were asked for, rather than ending for having passed over enough
    /// rows that need nothing.
    pub full: bool,
    /// Milliseconds from looking for its end to its commit.
    pub took_ms: u64,
}

/// Fewest and most rows that a piece passes over while it looks for rows to be written.
const PASSES: (u32, u32) = (2_000, 200_000);
/// How much larger a piece may be than the one before.
const GROWTH: u64 = 2;
/// How much smaller a piece may be than the one before.
const SHRINKAGE: u64 = 4;

impl Pace {
    /// Pieces that take `target_ms`, the first of `first` rows, none of fewer than `least` or of more than `most`.
    pub fn new(target_ms: u64, first: u32, least: u32, most: u32) -> Self {
        let least = least.max(1);
        let most = most.max(least);
        let passes = first.saturating_mul(10).clamp(PASSES.0, PASSES.1);
        Pace { target_ms: target_ms.max(1), least, most, rows: first.clamp(least, most), passes }
    }

    /// Rows that the next piece writes at most.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Rows that the next piece passes over at most, those that it writes included.
    pub fn passes(&self) -> u32 {
        self.passes.max(self.rows)
    }

    /// Learns from a piece.
    pub fn taken(&mut self, piece: &Taken) {
        let took = piece.took_ms.max(1);
        let late = took > self.target_ms;
        if piece.full {
            // What was written counts, not what was asked for: others may have written rows meanwhile.
            let basis = piece.rows.clamp(1, u64::from(self.rows));
            self.rows = self.fitting(basis.saturating_mul(self.target_ms) / took);
            return;
        }
        if late {
            // What cost the time, passing over rows or writing a few, is not known.
            self.rows = self.fitting(u64::from(self.rows).saturating_mul(self.target_ms) / took);
            let fitting = u64::from(self.passes).saturating_mul(self.target_ms) / took;
            self.passes = fitting.clamp(u64::from(self.passes) / SHRINKAGE, u64::from(self.passes)) as u32;
        } else if took <= self.target_ms / 2 {
            self.passes = self.passes.saturating_mul(GROWTH as u32);
        }
        self.passes = self.passes.clamp(PASSES.0, PASSES.1);
    }

    /// A piece did not get its locks, or others wait: the next is smaller, so that it holds fewer locks for less time.
    pub fn hindered(&mut self) {
        self.rows = self.fitting(u64::from(self.rows) / 2);
    }

    /// A piece was taken back for taking far too long: the next is much smaller.
    pub fn too_long(&mut self) {
        self.rows = self.fitting(0);
        self.passes = (self.passes / SHRINKAGE as u32).clamp(PASSES.0, PASSES.1);
    }

    fn fitting(&self, rows: u64) -> u32 {
        let now = u64::from(self.rows);
        let near = rows.clamp(now / SHRINKAGE, now * GROWTH);
        near.clamp(u64::from(self.least), u64::from(self.most)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace() -> impl Strategy<Value = Pace> {
        (1..60_000_u64, 0..u32::MAX, 0..5_000_u32, 0..u32::MAX)
            .prop_map(|(target, first, least, most)| Pace::new(target, first, least, most))
    }

    fn taken() -> impl Strategy<Value = Taken> {
        (any::<u64>(), any::<bool>(), any::<u64>()).prop_map(|(rows, full, took_ms)| Taken {
            rows,
            full,
            took_ms,
        })
    }

    proptest! {
        #[test]
        fn whatever_happens_the_size_stays_within_its_bounds(
            mut pace in pace(),
            pieces in proptest::collection::vec(proptest::option::of(taken()), 0..60),
        ) {
            for piece in pieces {
                let before = pace.rows();
                match piece {
                    Some(piece) => pace.taken(&piece),
                    None => pace.hindered(),
                }
                prop_assert!((pace.least..=pace.most).contains(&pace.rows()), "{pace:?}");
                prop_assert!(u64::from(pace.rows()) <= u64::from(before) * GROWTH, "{before} {pace:?}");
                prop_assert!(pace.passes() >= pace.rows());
                prop_assert!((PASSES.0..=PASSES.1).contains(&pace.passes));
            }
        }

        #[test]
        fn a_slower_piece_never_gives_a_larger_one(pace in pace(), piece in taken(), more in any::<u64>()) {
            let slower = Taken { took_ms: piece.took_ms.saturating_add(more), ..piece };
            let (mut one, mut other) = (pace, pace);
            one.taken(&piece);
            other.taken(&slower);
            prop_assert!(other.rows() <= one.rows());
            prop_assert!(other.passes <= one.passes);
        }

        #[test]
        fn pieces_come_to_take_the_time_that_was_asked_for(
            nanoseconds in 1_000..5_000_000_u64,
            fixed in 0..20_u64,
            target in 100..2_000_u64,
            first in 1..100_000_u32,
        ) {
            let mut pace = Pace::new(target, first, 10, 1_000_000);
            let took = |rows: u32| fixed + u64::from(rows) * nanoseconds / 1_000_000;
            for _ in 0..60 {
                let rows = pace.rows();
                pace.taken(&Taken { rows: u64::from(rows), full: true, took_ms: took(rows) });
            }
            let end = took(pace.rows());
            let bounded = pace.rows() == 10 || pace.rows() == 1_000_000;
            prop_assert!(bounded || (target / 2..=target * 3 / 2).contains(&end), "{end} ms of {target}: {pace:?}");
        }
    }

    #[test]
    fn rows_that_need_nothing_are_passed_over_in_longer_strides() {
        let mut pace = Pace::new(200, 1_000, 100, 10_000);
        for _ in 0..10 {
            pace.taken(&Taken { rows: 0, full: false, took_ms: 5 });
        }
        assert_eq!(
            (pace.rows(), pace.passes()),
            (1_000, PASSES.1),
            "the pieces themselves do not grow unmeasured"
        );
    }

    #[test]
    fn a_piece_that_took_far_too_long_is_followed_by_a_quarter() {
        let mut pace = Pace::new(200, 8_000, 100, 10_000);
        pace.taken(&Taken { rows: 8_000, full: true, took_ms: 60_000 });
        assert_eq!(pace.rows(), 2_000);
        pace.hindered();
        assert_eq!(pace.rows(), 1_000);
        let passes = pace.passes();
        pace.too_long();
        assert_eq!((pace.rows(), pace.passes()), (250, (passes / 4).max(PASSES.0)));
    }
}
