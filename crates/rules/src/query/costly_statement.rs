use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements::{self, milliseconds, works_on_rows};
use crate::{Context, Engines, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 5,
    needs: &[Fact::Workload],
    engines: Engines::servers("SQLite keeps no statement statistics"),
    when: "one statement takes a large share of the server's time and is not quick",
    then: "Whatever is gained on it is gained for the whole server.",
    instead: "Explain it, and look for an index, a narrower condition or fewer calls.",
    options: &[
        OptionSpec {
            name: "percent",
            default: OptionValue::Number(10.0),
            help: "share in per cent of the time of all statements from which one is named",
        },
        OptionSpec { name: "calls", default: OptionValue::Number(2.0), help: "calls from which it counts" },
        OptionSpec {
            name: "milliseconds",
            default: OptionValue::Number(50.0),
            help: "mean time in ms below which a statement counts as quick",
        },
    ],
    source: "peer tools name slow statements from 20 to 50 ms; the share keeps the list short",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let workload = context.workload();
    let timed: Vec<_> = workload
        .statements
        .iter()
        .filter_map(|statement| Some((statement, statement.total_ms.filter(|total| *total > 0.0)?)))
        .collect();
    if timed.is_empty() {
        return findings.unknown("no statement has a measured time");
    }
    let sum: f64 = timed.iter().map(|(_, total)| total).sum();
    for (statement, total) in timed {
        if !works_on_rows(statement) {
            continue;
        }
        findings.examined(1);
        let percent = 100.0 * total / sum;
        let mean =
            statement.mean_ms.or_else(|| Some(total / statement.calls.filter(|calls| *calls > 0)? as f64));
        let Some(mean) = mean else { continue };
        let seldom = statement.calls.is_some_and(|calls| (calls as f64) < context.number("calls"));
        if seldom || percent < context.number("percent") || mean < context.number("milliseconds") {
            continue;
        }
        findings.add(
            statements::found(
                statement,
                format!(
                    "One statement takes {percent:.0} % of the measured time, {} per call.",
                    milliseconds(mean)
                ),
            )
            .evidence("total time", milliseconds(total))
            .evidence("share", format!("{percent:.1} %"))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
