//! What the server counts, and for how long it has.

use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;

use crate::Context;

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
