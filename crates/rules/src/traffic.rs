//! How many statements of the recorded workload run in a second on each table: those are the ones that wait for a lock.

use std::collections::HashMap;

use dbwright_model::effect::Blocks;
use dbwright_model::expression::DataStatement;
use dbwright_model::facts::Facts;
use dbwright_model::name::QualifiedName;

use crate::query_scope::{Names, blocks};

/// Statements in a second on one table, an average over the time that the server's statistics of statements cover.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Traffic {
    /// Those that read it.
    pub reads: f64,
    /// Those that insert, update or delete rows of it.
    pub writes: f64,
}

/// Seconds that the statistics must cover at least: an average over less says little of any other time.
const LEAST: f64 = 600.0;

impl Traffic {
    /// How many of them a lock makes wait in each second that it is held; `None` where it stops no statement about rows.
    pub fn waiting(self, blocks: Blocks) -> Option<f64> {
        match blocks {
            Blocks::ReadsAndWrites => Some(self.reads + self.writes),
            Blocks::Writes => Some(self.writes),
            Blocks::SchemaChanges | Blocks::Nothing => None,
        }
    }
}

/// The traffic of every table that the workload speaks of; empty where the server keeps no statistics of statements, does
/// not tell since when, or began only a moment ago. Statements that could not be read are not counted.
pub fn of(facts: &Facts) -> HashMap<QualifiedName, Traffic> {
    let mut traffic: HashMap<QualifiedName, Traffic> = HashMap::new();
    let (Some(workload), Some(catalog)) = (facts.workload.known(), facts.catalog.known()) else {
        return traffic;
    };
    let (Some(since), Some(now)) = (workload.since, facts.source.collected_at) else { return traffic };
    let seconds = now.duration_since(since).as_secs_f64();
    if seconds < LEAST {
        return traffic;
    }
    let names = Names::of(catalog, facts.source.engine.dialect(), &facts.source.database);
    for statement in &workload.statements {
        let (Some(parsed), Some(calls)) = (statement.parsed.as_deref(), statement.calls) else { continue };
        let rate = calls as f64 / seconds;
        let written = match parsed {
            DataStatement::Query(_) => None,
            DataStatement::Insert { table, .. }
            | DataStatement::Update { table, .. }
            | DataStatement::Delete { table, .. } => names.table(table),
        };
        let blocks = blocks(&names, parsed);
        let sources = blocks.iter().flat_map(|block| block.sources());
        let mut read: Vec<&QualifiedName> =
            sources.filter_map(|bound| bound.table()).map(|table| &table.name).collect();
        read.sort();
        read.dedup();
        read.retain(|name| written.is_none_or(|table| table.name != **name));
        if let Some(table) = written {
            traffic.entry(table.name.clone()).or_default().writes += rate;
        }
        for name in read {
            traffic.entry(name.clone()).or_default().reads += rate;
        }
    }
    traffic
}

/// A rate for a reader: `12 a second`.
pub fn per_second(rate: f64) -> String {
    match rate {
        rate if rate >= 10.0 => format!("{rate:.0} a second"),
        rate if rate >= 0.1 => format!("{rate:.1} a second"),
        _ => "fewer than one in 10 seconds".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_makes_those_wait_that_it_keeps_out() {
        let traffic = Traffic { reads: 40.0, writes: 2.5 };
        assert_eq!(traffic.waiting(Blocks::ReadsAndWrites), Some(42.5));
        assert_eq!(traffic.waiting(Blocks::Writes), Some(2.5));
        assert_eq!(traffic.waiting(Blocks::SchemaChanges), None);
    }

    #[test]
    fn rates_are_rounded_to_what_they_tell() {
        let check = |rate: f64, expected: &str| assert_eq!(per_second(rate), expected);
        check(1234.5, "1234 a second");
        check(2.46, "2.5 a second");
        check(0.01, "fewer than one in 10 seconds");
    }
}
