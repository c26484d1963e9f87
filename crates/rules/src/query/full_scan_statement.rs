use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements::{self, works_on_rows};
use crate::{Context, Engines, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 4,
    needs: &[Fact::Workload],
    engines: Engines::mysql_family("its statement statistics do not say whether an index was used"),
    when: "a statement that runs often reads many rows without an index and returns few of them",
    then: "Its cost grows with the table.",
    instead: "Explain it, and index the columns by which it chooses rows.",
    options: &[
        OptionSpec {
            name: "rows_examined",
            default: OptionValue::Number(10_000.0),
            help: "rows read per call from which a statement is named",
        },
        OptionSpec {
            name: "ratio",
            default: OptionValue::Number(100.0),
            help: "rows read for each row returned from which most of the reading is waste",
        },
        OptionSpec { name: "calls", default: OptionValue::Number(20.0), help: "calls from which it counts" },
    ],
    source: "performance_schema: SUM_NO_INDEX_USED and SUM_ROWS_EXAMINED; peers ask for 10,000 rows",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut measured = false;
    for statement in &context.workload().statements {
        let (Some(calls), Some(unindexed), Some(examined)) =
            (statement.calls.filter(|calls| *calls > 0), statement.no_index_used, statement.rows_examined)
        else {
            continue;
        };
        measured = true;
        if !works_on_rows(statement) {
            continue;
        }
        findings.examined(1);
        let per_call = examined as f64 / calls as f64;
        let ratio = examined as f64 / statement.rows.unwrap_or(0).max(1) as f64;
        let mostly = unindexed * 2 >= calls;
        if !mostly
            || (calls as f64) < context.number("calls")
            || per_call < context.number("rows_examined")
            || ratio < context.number("ratio")
        {
            continue;
        }
        findings.add(
            statements::found(
                statement,
                format!("A statement reads {per_call:.0} rows per call without an index."),
            )
            .evidence("rows read for each row returned", format!("{ratio:.0}"))
            .evidence("calls without an index", unindexed)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if !measured {
        findings.unknown("the server did not count the rows that its statements read");
    }
}
