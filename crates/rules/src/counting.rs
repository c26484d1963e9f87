//! What the server counts, and for how long it has.

use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts, Origin};

use crate::Context;
use crate::quantity::time;

/// Seconds for which statement statistics must have been kept before what they do not hold tells anything: most work comes
/// back within a day.
const LEAST_SECONDS: i64 = 86_400;

/// Why the server's statement statistics show too little for a rule that finds nothing in them, as a lower-case fragment.
/// Statements of files are all there are, whenever they were read.
pub(crate) fn why_too_few_statements(facts: &Facts) -> Option<String> {
    let workload = facts.workload.known()?;
    if facts.source.origin == Origin::Files || workload.statements.iter().any(|one| one.location.is_some()) {
        return None;
    }
    if workload.statements.is_empty() {
        return Some("the statement statistics hold no statement of this database".to_owned());
    }
    let age =
        workload.since.zip(facts.source.collected_at).map(|(since, now)| now.as_second() - since.as_second());
    match age {
        None => Some("the server does not say since when it has kept its statement statistics".to_owned()),
        Some(age) if age < LEAST_SECONDS => Some(format!(
            "statement statistics have been kept for {} only, and {} are asked for",
            time(age.max(0) as f64),
            time(LEAST_SECONDS as f64)
        )),
        Some(_) => None,
    }
}

/// Days over which the server's counters have run; `None` when that is not known. Counters that were never reset have
/// run at least since the server started.
pub fn days_counted(context: &Context<'_>) -> Option<f64> {
    let counters = context.facts_if_known(Fact::Counters).counters.known()?;
    let since = counters.since.or(counters.started)?;
    let now = context.source().collected_at?;
    Some((now.as_second() - since.as_second()).max(0) as f64 / 86_400.0)
}

/// Whether a table has rows that this server keeps and counts: a partitioned table of PostgreSQL has none itself, and those of
/// a foreign table are elsewhere.
pub fn keeps_rows(context: &Context<'_>, table: &Table) -> bool {
    match table.kind {
        TableKind::Partitioned { .. } => context.engine() != Engine::Postgres,
        TableKind::Foreign { .. } => false,
        _ => true,
    }
}
