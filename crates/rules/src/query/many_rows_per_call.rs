use dbwright_model::expression::{DataStatement, Query};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements;
use crate::{Context, Engines, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Workload],
    engines: Engines::servers("SQLite keeps no statement statistics"),
    when: "a query returns many thousand rows at each of many calls",
    then: "No screen shows so many rows: they are filtered or counted by the application, which holds them all in memory.",
    instead: "Let the server filter, group or page.",
    options: &[
        OptionSpec {
            name: "rows",
            default: OptionValue::Number(10_000.0),
            help: "rows per call from which a query is named",
        },
        OptionSpec { name: "calls", default: OptionValue::Number(100.0), help: "calls from which it counts" },
    ],
    source: "common review finding",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut measured = false;
    for statement in &context.workload().statements {
        let (Some(calls), Some(rows)) = (statement.calls.filter(|calls| *calls > 0), statement.rows) else {
            continue;
        };
        measured = true;
        let Some(DataStatement::Query(query)) = statement.parsed.as_deref() else { continue };
        if changes_rows(query) {
            continue;
        }
        findings.examined(1);
        let per_call = rows / calls;
        if (per_call as f64) < context.number("rows") || (calls as f64) < context.number("calls") {
            continue;
        }
        findings.add(
            statements::found(
                statement,
                format!("A statement returns {per_call} rows at each of {calls} calls."),
            )
            .evidence("rows", rows)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if !measured {
        findings.unknown("the rows of no statement were counted");
    }
}

/// A member of `WITH` that changes rows is counted with them.
fn changes_rows(query: &Query) -> bool {
    query.with.iter().any(|member| member.query.is_none())
}
