//! How far a server is from running out of transaction numbers.

use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::quantity::grouped;
use crate::{Context, Found};

/// Numbers that may lie between the oldest row and now.
const SPAN: u64 = 2_147_483_647;

/// One counter and what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Counter<'a> {
    /// What it counts, in the plural: `transactions`, `multixacts`.
    pub what: &'a str,
    /// The database.
    pub database: &'a Name,
    /// Numbers since its oldest row.
    pub age: u64,
    /// The age at which an anti-wraparound vacuum begins by itself.
    pub freeze_max_age: u64,
    /// Numbers left when the server refuses to write.
    pub stop_left: u64,
    /// Numbers left when the server begins to warn.
    pub warn_left: u64,
}

/// What there is to say about a counter. Fewer numbers than `critical_left` are critical, an age above `error_age` is an
/// error, and an age above `emergency` times the age at which vacuum should have begun is a warning.
pub fn judge(context: &Context<'_>, counter: Counter<'_>) -> Option<Found> {
    let Counter { what, database, age, freeze_max_age, stop_left, warn_left } = counter;
    let left = SPAN.saturating_sub(age);
    let writable = left.saturating_sub(stop_left);
    let critical = left <= warn_left.max(context.number("critical_left") as u64);
    let error = age as f64 >= context.number("error_age");
    let late = age as f64 >= freeze_max_age as f64 * context.number("emergency");
    if !(critical || error || late) {
        return None;
    }
    let message = if critical || error {
        format!("`{database}` stops taking writes after {} more {what}.", grouped(writable))
    } else {
        format!("Vacuum does not keep up with `{database}`: its oldest row is {} {what} old.", grouped(age))
    };
    let found = Found::at(ObjectRef::database(database), message)
        .level(if critical || error { Level::Error } else { Level::Warning })
        .evidence("age", grouped(age))
        .evidence("left until writes stop", grouped(writable))
        .evidence("vacuum should have begun at", grouped(freeze_max_age))
        .remedy(Remedy::manual(
            "Find what holds the horizon (see `health/horizon-held`), end it, then run `VACUUM (FREEZE)` on the oldest tables.",
        ));
    Some(if critical { found.critical() } else { found })
}
