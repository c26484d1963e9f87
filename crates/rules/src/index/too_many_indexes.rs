use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::{Context, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 2,
    needs: &[Fact::Catalog, Fact::TableStatistics],
    when: "a table that is written more than it is read has many indexes",
    then: "Each row written is written to every index as well.",
    instead: "Find the indexes that serve no query of weight, merge those that share their first columns, and drop the rest.",
    remedy: Applicability::Manual,
    options: &[
        OptionSpec { name: "indexes", default: OptionValue::Number(8.0), help: "indexes that are tolerated" },
        OptionSpec {
            name: "writes",
            default: OptionValue::Number(100_000.0),
            help: "rows written since the counters began from which a table counts as written to",
        },
    ],
    source: "peer tools list tables from 5 to 10 indexes; only those written more often than scanned pay for it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut unknown = 0u64;
    let mut judged = 0u64;
    for table in context.own_tables() {
        let many = table.indexes.len() as f64 > context.number("indexes");
        let Some(statistics) = context.statistics_of(&table.name) else {
            unknown += u64::from(many);
            continue;
        };
        let writes =
            [statistics.inserts, statistics.updates, statistics.deletes].into_iter().sum::<Option<u64>>();
        let scans = [statistics.index_scans, statistics.sequential_scans].into_iter().sum::<Option<u64>>();
        let (Some(writes), Some(scans)) = (writes, scans) else {
            unknown += u64::from(many);
            continue;
        };
        judged += 1;
        findings.examined(1);
        if !many || writes <= scans || (writes as f64) < context.number("writes") {
            continue;
        }
        // Updates that touch no indexed column are spared the indexes.
        let hot = statistics.hot_updates.unwrap_or(0);
        if writes.saturating_sub(hot) <= scans {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` has {} indexes and is written more often than it is read, so that writes pay for all of them.",
                    table.name,
                    table.indexes.len()
                ),
            )
            .evidence("indexes", table.indexes.len())
            .evidence("rows written", writes)
            .evidence("scans", scans)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if judged == 0 && unknown > 0 {
        findings.unknown("the server did not say how often its tables are written and read");
    }
}
