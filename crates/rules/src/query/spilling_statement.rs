use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;
use dbwright_model::workload::Statement;

use crate::quantity::size;
use crate::statements::{self, works_on_rows};
use crate::{Context, Engines, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 3,
    needs: &[Fact::Workload],
    engines: Engines::servers("SQLite keeps no statement statistics"),
    when: "a statement that runs often sorts or hashes more than fits into its memory",
    then: "Each call writes temporary files and reads them again.",
    instead: "Find an index that gives the order, read fewer columns or rows, or raise the memory for this statement alone.",
    options: &[
        OptionSpec {
            name: "megabytes",
            default: OptionValue::Number(1.0),
            help: "temporary data in MB per call from which a statement is named (PostgreSQL)",
        },
        OptionSpec {
            name: "percent",
            default: OptionValue::Number(25.0),
            help: "share of the calls in per cent with a temporary table on disk (MySQL, MariaDB)",
        },
        OptionSpec { name: "calls", default: OptionValue::Number(20.0), help: "calls from which it counts" },
    ],
    source: "peer thresholds: 128 blocks of temporary data per statement",
    check,
    ..Rule::DEFAULT
};

const BLOCK: f64 = 8_192.0;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut measured = false;
    for statement in &context.workload().statements {
        let Some(calls) = statement.calls.filter(|calls| *calls > 0) else { continue };
        let Some(spilt) = spilt(context, statement, calls) else { continue };
        measured = true;
        if !works_on_rows(statement) {
            continue;
        }
        findings.examined(1);
        if (calls as f64) < context.number("calls") {
            continue;
        }
        if let Some(what) = spilt {
            findings.add(
                statements::found(statement, format!("Statement {} {what}.", statement.id))
                    .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
    if !measured {
        findings.unknown("the temporary data of statements was not counted");
    }
}

/// What a statement spilt, if much; the outer `None` when it was not counted.
fn spilt(context: &Context<'_>, statement: &Statement, calls: u64) -> Option<Option<String>> {
    if context.engine().dialect() == Dialect::Mysql {
        let percent = 100.0 * statement.disk_temp_tables? as f64 / calls as f64;
        let much = percent >= context.number("percent");
        return Some(much.then(|| format!("needs a temporary table on disk in {percent:.0} % of its calls")));
    }
    let bytes = statement.temp_blocks_written? as f64 * BLOCK / calls as f64;
    let much = bytes >= context.number("megabytes") * 1_048_576.0;
    Some(much.then(|| format!("writes {} of temporary files per call", size(bytes as u64))))
}
