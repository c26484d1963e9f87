//! What a table is for, as far as its name says.

use dbwright_model::catalog::Table;

use super::words;

/// Words of tables that keep what happened, sorted: they outlive what they speak of and often have no foreign keys.
const RECORDS: &[&str] = &[
    "activities",
    "activity",
    "archive",
    "archived",
    "archives",
    "audit",
    "audits",
    "changelog",
    "event",
    "events",
    "histories",
    "history",
    "journal",
    "log",
    "logs",
    "metric",
    "metrics",
    "snapshot",
    "snapshots",
    "trace",
    "traces",
];

/// Words of tables that hold rows in passing, sorted.
const PASSING: &[&str] = &[
    "backup",
    "bak",
    "cache",
    "cached",
    "deadletter",
    "export",
    "exports",
    "failed",
    "import",
    "imports",
    "inbox",
    "job",
    "jobs",
    "landing",
    "lock",
    "locks",
    "old",
    "outbox",
    "queue",
    "queued",
    "raw",
    "scratch",
    "session",
    "sessions",
    "stage",
    "staging",
    "stg",
    "temp",
    "tmp",
];

/// Whether the table keeps what happened: logs, audits, histories, archives.
pub fn is_record(table: &Table) -> bool {
    has_word(table, RECORDS)
}

/// Whether the table holds rows in passing: staging, queues, caches, sessions.
pub fn is_passing(table: &Table) -> bool {
    has_word(table, PASSING)
}

fn has_word(table: &Table, list: &[&str]) -> bool {
    words(table.name.name.as_str()).iter().any(|word| list.binary_search(&word.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_the_search() {
        assert!(RECORDS.is_sorted());
        assert!(PASSING.is_sorted());
    }
}
