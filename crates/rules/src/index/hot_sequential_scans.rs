use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::counting::{days_counted, keeps_rows};
use crate::{Context, Engines, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Indexing,
    weight: 5,
    needs: &[Fact::Catalog, Fact::TableStatistics],
    raised_by: &[Fact::Counters],
    engines: Engines::servers("SQLite does not count scans"),
    when: "a large table is read from end to end again and again",
    then: "Each of these reads costs as much as the whole table, and pushes other rows out of the cache.",
    instead: "Find the statements that read it, and index the columns by which they choose rows.",
    remedy: Applicability::Manual,
    options: &[
        OptionSpec {
            name: "rows",
            default: OptionValue::Number(100_000.0),
            help: "rows from which a table is large",
        },
        OptionSpec {
            name: "scans_per_day",
            default: OptionValue::Number(24.0),
            help: "full reads a day that are tolerated, where the age of the counters is known",
        },
        OptionSpec {
            name: "scans",
            default: OptionValue::Number(100.0),
            help: "full reads in all that are tolerated",
        },
    ],
    source: "tables never scanned by an index are the worst case; peer tools that leave them out miss it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let days = days_counted(context);
    for table in context.catalog().tables.iter().filter(|table| table.is_own() && keeps_rows(context, table))
    {
        let statistics = context.statistics_of(&table.name);
        let rows = statistics.and_then(|known| known.rows.or(known.live_rows));
        let counted = statistics.and_then(|known| Some((known.sequential_scans?, known.sequential_rows?)));
        let (Some(statistics), Some(rows), Some((scans, read))) = (statistics, rows, counted) else {
            // A small table may be read from end to end as often as one likes.
            match rows.is_some_and(|rows| (rows as f64) < context.number("rows")) {
                true => findings.examined(1),
                false => findings.not_seen(
                    1,
                    "tables are large or of unknown size, and how they are read was not counted",
                ),
            }
            continue;
        };
        findings.examined(1);
        if (rows as f64) < context.number("rows") || (scans as f64) < context.number("scans") {
            continue;
        }
        // Scans that stop early, below `LIMIT` or `EXISTS`, read little and are no trouble.
        let rows_per_scan = read as f64 / scans as f64;
        if rows_per_scan < 0.5 * rows as f64 {
            continue;
        }
        let per_day = days.map(|days| scans as f64 / days.max(1.0));
        if per_day.is_some_and(|per_day| per_day < context.number("scans_per_day")) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("`{}` with its {rows} rows was read from end to end {scans} times.", table.name),
            )
            .evidence("rows", rows)
            .evidence("sequential scans", scans)
            .evidence("rows read per scan", format!("{rows_per_scan:.0}"))
            .evidence_if("scans per day", per_day.map(|per_day| format!("{per_day:.0}")))
            .evidence_if("index scans", statistics.index_scans)
            .confidence(if days.is_some() { Confidence::High } else { Confidence::Medium })
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
