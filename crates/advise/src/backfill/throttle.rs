//! When to wait between pieces: how hard the server works decides.

use dbwright_model::observed::Observed;
use dbwright_model::pressure::Pressure;

/// How much the server and those who use it may be made to feel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Seconds that a replica may be behind.
    pub lag_seconds: f64,
    /// Bytes of log that the server may write in a second, by whoever; `None` for any number.
    pub log_rate: Option<u64>,
    /// Dead rows of the table's rows, from 0 to 1, above which a vacuum is due.
    pub dead_share: f64,
    /// Sessions that may wait for a lock of the table.
    pub waiting: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { lag_seconds: 5.0, log_rate: None, dead_share: 0.2, waiting: 2 }
    }
}

/// What to do before the next piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Milliseconds to wait.
    pub pause_ms: u64,
    /// Whether to look again after the wait, rather than go on.
    pub look_again: bool,
    /// Why, as lower-case fragments.
    pub because: Vec<String>,
    /// Whether others wait for locks, so that pieces should become smaller.
    pub smaller: bool,
    /// Whether the table should be vacuumed before it is written on, with the numbers as a lower-case fragment.
    pub vacuum: Option<String>,
}

/// What is remembered between decisions.
#[derive(Clone, Debug)]
pub struct Throttle {
    bounds: Bounds,
    /// When the log was where, in milliseconds of any clock that only goes forward.
    log: Option<(u64, u64)>,
    waits: u32,
}

/// The first wait when there is too much of something, in milliseconds. It doubles while that lasts.
const FIRST_WAIT: u64 = 250;
/// The longest wait between two looks at the server, in milliseconds.
const LONGEST_WAIT: u64 = 5_000;
/// Fewer dead rows than this are not worth a vacuum, whatever their share.
const FEW_DEAD: u64 = 10_000;

impl Throttle {
    /// Nothing remembered.
    pub fn new(bounds: Bounds) -> Self {
        Throttle { bounds, log: None, waits: 0 }
    }

    /// Judges a reading that was made at `at_ms`. What is not known slows nothing down; [`unseen`] says it.
    pub fn judge(&mut self, pressure: &Pressure, at_ms: u64) -> Decision {
        let mut decision = Decision::default();
        if let Some(Some(lag)) = pressure.lag_seconds.known()
            && *lag > self.bounds.lag_seconds
        {
            let most = self.bounds.lag_seconds;
            decision.because.push(format!("a replica is {lag:.1} s behind, more than {most} s"));
        }
        if let Some(waiting) = pressure.waiting.known()
            && *waiting > self.bounds.waiting
        {
            let sessions = if *waiting == 1 { "session waits" } else { "sessions wait" };
            decision.because.push(format!("{waiting} {sessions} for locks of the table"));
            decision.smaller = true;
        }
        if decision.because.is_empty() {
            self.waits = 0;
        } else {
            decision.look_again = true;
            decision.pause_ms = (FIRST_WAIT << self.waits.min(5)).min(LONGEST_WAIT);
            self.waits += 1;
        }
        self.judge_log(pressure, at_ms, &mut decision);
        self.judge_dead(pressure, &mut decision);
        decision
    }

    /// Waits until the log has grown no faster on average than it may.
    fn judge_log(&mut self, pressure: &Pressure, at_ms: u64, decision: &mut Decision) {
        let (Some(most), Some(position)) = (self.bounds.log_rate, pressure.log_position.known()) else {
            return;
        };
        if let Some((then, before)) = self.log {
            let written = position.saturating_sub(before);
            let due_ms = (u128::from(written) * 1000 / u128::from(most.max(1))) as u64;
            let pause = due_ms.saturating_sub(at_ms.saturating_sub(then)).min(LONGEST_WAIT);
            if pause > 0 {
                decision.because.push("the server writes its log faster than it may".to_owned());
                decision.pause_ms = decision.pause_ms.max(pause);
                if pause == LONGEST_WAIT {
                    // More is due: the old point of reference stays until it is paid.
                    decision.look_again = true;
                    return;
                }
            }
        }
        // After the pause the account is even.
        self.log = Some((at_ms + decision.pause_ms, *position));
    }

    fn judge_dead(&mut self, pressure: &Pressure, decision: &mut Decision) {
        let Some(rows) = pressure.dead_rows.known() else { return };
        if rows.dead < FEW_DEAD || rows.share() <= self.bounds.dead_share {
            return;
        }
        let share = (rows.share() * 100.0).round();
        if pressure.vacuum_running == Observed::Known(true) {
            decision.because.push(format!("{share} % of the table's rows are dead and a vacuum is at work"));
            decision.pause_ms = decision.pause_ms.max(LONGEST_WAIT / 2);
        } else {
            decision.vacuum = Some(format!("{} of its rows are dead ({share} %)", rows.dead));
        }
    }
}

/// What of a reading is not known although the engine has such a thing, and why, as full sentences.
pub fn unseen(pressure: &Pressure) -> Vec<String> {
    let mut unseen = Vec::new();
    let mut note = |what: &str, because: Option<String>| {
        if let Some(because) = because {
            unseen.push(format!("{what} is not known, so it slows nothing down: {because}."));
        }
    };
    note("How far replicas are behind", trouble(&pressure.lag_seconds));
    note("How fast the log grows", trouble(&pressure.log_position));
    note("How many rows are dead", trouble(&pressure.dead_rows));
    note("Who waits for locks", trouble(&pressure.waiting));
    unseen
}

/// Why something could not be read; what an engine has no such thing of is not asked for.
fn trouble<T>(observed: &Observed<T>) -> Option<String> {
    match observed {
        Observed::NotAsked => None,
        other => other.because(),
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::pressure::DeadRows;
    use proptest::prelude::*;

    use super::*;

    fn lag(seconds: f64) -> Pressure {
        Pressure { lag_seconds: Observed::Known(Some(seconds)), ..Pressure::default() }
    }

    #[test]
    fn what_is_not_known_slows_nothing_down_and_is_said() {
        let denied = Pressure {
            lag_seconds: Observed::Denied("no privilege".to_owned()),
            log_position: Observed::NotAsked,
            ..Pressure::default()
        };
        let decision = Throttle::new(Bounds { log_rate: Some(1), ..Bounds::default() }).judge(&denied, 0);
        assert_eq!(decision, Decision::default());
        assert_eq!(
            unseen(&denied),
            ["How far replicas are behind is not known, so it slows nothing down: no privilege."]
        );
    }

    #[test]
    fn waits_become_longer_while_a_replica_is_behind_and_begin_anew_after() {
        let mut throttle = Throttle::new(Bounds::default());
        let pauses: Vec<u64> = (0..8).map(|_| throttle.judge(&lag(9.0), 0).pause_ms).collect();
        assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
        assert_eq!(throttle.judge(&lag(5.0), 0), Decision::default());
        assert_eq!(throttle.judge(&lag(5.1), 0).pause_ms, 250);
    }

    #[test]
    fn those_who_wait_for_locks_make_pieces_smaller() {
        let waiting = |number| Pressure { waiting: Observed::Known(number), ..Pressure::default() };
        assert!(!Throttle::new(Bounds::default()).judge(&waiting(2), 0).smaller);
        let decision = Throttle::new(Bounds::default()).judge(&waiting(3), 0);
        assert!(decision.smaller && decision.look_again, "{decision:?}");
        assert_eq!(decision.because, ["3 sessions wait for locks of the table"]);
    }

    #[test]
    fn a_vacuum_is_asked_for_unless_one_is_at_work() {
        let dead = |live, dead, running| Pressure {
            dead_rows: Observed::Known(DeadRows { live, dead }),
            vacuum_running: Observed::Known(running),
            ..Pressure::default()
        };
        let judge = |pressure| Throttle::new(Bounds::default()).judge(&pressure, 0);
        assert_eq!(judge(dead(10, 9_999, false)).vacuum, None, "too few");
        assert_eq!(judge(dead(1_000_000, 100_000, false)).vacuum, None, "too small a share");
        assert_eq!(
            judge(dead(100_000, 50_000, false)).vacuum.as_deref(),
            Some("50000 of its rows are dead (33 %)")
        );
        let at_work = judge(dead(100_000, 50_000, true));
        assert_eq!((at_work.vacuum, at_work.pause_ms, at_work.look_again), (None, LONGEST_WAIT / 2, false));
    }

    proptest! {
        #[test]
        fn the_log_grows_no_faster_than_it_may(
            most in 1_000..100_000_000_u64,
            pieces in proptest::collection::vec((0..50_000_000_u64, 1..2_000_u64), 2..40),
        ) {
            let mut throttle = Throttle::new(Bounds { log_rate: Some(most), ..Bounds::default() });
            let (mut now, mut position) = (0_u64, 0_u64);
            for (bytes, took) in pieces {
                position += bytes;
                now += took;
                loop {
                    let pressure = Pressure { log_position: Observed::Known(position), ..Pressure::default() };
                    let decision = throttle.judge(&pressure, now);
                    prop_assert!(decision.pause_ms <= LONGEST_WAIT);
                    now += decision.pause_ms;
                    if !decision.look_again {
                        break;
                    }
                }
                // The first piece is before the first reading.
                let (_, first) = (0, 50_000_000_u64);
                let allowed = u128::from(most) * u128::from(now) / 1000 + u128::from(first) + u128::from(most);
                prop_assert!(u128::from(position) <= allowed, "{position} bytes in {now} ms");
            }
        }

        #[test]
        fn more_lag_never_means_a_shorter_wait(a in 0.0..100.0_f64, b in 0.0..100.0_f64) {
            let pause = |seconds| Throttle::new(Bounds::default()).judge(&lag(seconds), 0).pause_ms;
            prop_assert!(pause(a.min(b)) <= pause(a.max(b)));
        }
    }
}
