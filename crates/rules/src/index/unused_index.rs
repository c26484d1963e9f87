use dbwright_model::capability::Capability;
use dbwright_model::catalog::{Index, Table};
use dbwright_model::change::Change;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::counting::days_counted;
use crate::index_shape::{bytes_of, drop_index, holds_a_promise, scans_of, serves_foreign_key};
use crate::quantity::size;
use crate::{Context, Engines, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 3,
    needs: &[Fact::Catalog, Fact::IndexStatistics, Fact::Counters],
    engines: Engines::servers("SQLite does not count index scans"),
    when: "an index was never scanned in all the time the server has counted",
    then: "It costs every write and takes disk and memory without having answered a query.",
    instead: "Make sure that no replica and no yearly job uses it, then drop it.",
    remedy: Applicability::Review,
    options: &[
        OptionSpec {
            name: "days",
            default: OptionValue::Number(30.0),
            help: "days that must have been counted",
        },
        OptionSpec {
            name: "megabytes",
            default: OptionValue::Number(10.0),
            help: "size in MB from which an unused index is a warning",
        },
    ],
    source: "peer tools ask for 0 scans and 10 MB; a month covers the jobs that run once a month",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(days) = days_counted(context) else {
        return findings.unknown("the server does not say since when it has counted index scans");
    };
    let least = context.number("days");
    if days < least {
        return findings.unknown(format!(
            "index scans have been counted for {days:.0} days only, and {least:.0} are asked for"
        ));
    }
    for table in context.own_tables() {
        for index in &table.indexes {
            if !index.valid
                || !index.visible
                || holds_a_promise(table, index)
                || serves_foreign_key(table, index)
            {
                continue;
            }
            let Some(scans) = scans_of(context, table, index) else {
                findings.not_seen(1, "indexes have scans that the server did not count");
                continue;
            };
            findings.examined(1);
            let last_scan =
                context.index_statistics_of(&table.name, &index.name).and_then(|known| known.last_scan);
            if scans == 0 && last_scan.is_none() {
                findings.add(found(context, table, index, days));
            }
        }
    }
}

fn found(context: &Context<'_>, table: &Table, index: &Index, days: f64) -> Found {
    let standbys = context.counters().standbys;
    let bytes = bytes_of(context, table, index);
    let elsewhere = match standbys {
        Some(0) => String::new(),
        None => " on this server; whether it has standbys is not known, and their scans are not counted"
            .to_owned(),
        Some(1) => " on this server; scans on its standby are not counted".to_owned(),
        Some(several) => format!(" on this server; scans on its {several} standbys are not counted"),
    };
    let found = Found::at(
        ObjectRef::index(&table.name, &index.name),
        format!("`{}` on `{}` was not scanned once in {days:.0} days{elsewhere}.", index.name, table.name),
    )
    .evidence("days counted", format!("{days:.0}"))
    .evidence_if("size", bytes.map(size))
    .evidence("standbys", standbys.map_or("not known".to_owned(), |standbys| standbys.to_string()));
    if standbys != Some(0) {
        return found.confidence(Confidence::Low).remedy(Remedy::manual(
            "Look at the same counter on every standby, and drop the index if all say 0.",
        ));
    }
    let large = bytes.is_some_and(|bytes| bytes as f64 >= context.number("megabytes") * 1_048_576.0);
    let remedy = if context.can(Capability::InvisibleIndexes) {
        Remedy::review(
            "Hide the index from the planner; drop it when nothing got slower.",
            vec![Change::SetIndexVisible {
                alter: Default::default(),
                table: table.name.clone(),
                index: index.name.clone(),
                visible: false,
            }],
        )
    } else {
        Remedy::review(RULE.instead, vec![drop_index(context, table, index)])
    };
    found
        .level(if large { Level::Warning } else { Level::Note })
        .confidence(Confidence::Medium)
        .remedy(remedy)
}
