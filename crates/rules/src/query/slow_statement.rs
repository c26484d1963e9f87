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
    weight: 4,
    needs: &[Fact::Workload],
    engines: Engines::servers("SQLite keeps no statement statistics"),
    when: "a statement that runs again and again is slow on average",
    then: "Somebody waits for it each time, with its locks and its connection held.",
    instead: "Explain it with its real parameters, and look for an index or a narrower condition.",
    options: &[
        OptionSpec {
            name: "milliseconds",
            default: OptionValue::Number(500.0),
            help: "mean time in ms from which a statement is slow",
        },
        OptionSpec { name: "calls", default: OptionValue::Number(20.0), help: "calls from which it counts" },
    ],
    source: "half a second is where people notice that they wait",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut measured = false;
    for statement in &context.workload().statements {
        let (Some(calls), Some(mean)) = (statement.calls, statement.mean_ms) else { continue };
        measured = true;
        if !works_on_rows(statement) {
            continue;
        }
        findings.examined(1);
        if mean < context.number("milliseconds") || (calls as f64) < context.number("calls") {
            continue;
        }
        findings.add(
            statements::found(
                statement,
                format!("A statement takes {} on average over {calls} calls.", milliseconds(mean)),
            )
            .evidence_if("longest", statement.max_ms.map(milliseconds))
            .evidence_if("rows per call", statement.rows.map(|rows| rows / calls.max(1)))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if !measured {
        findings.unknown("no statement has a measured time");
    }
}
