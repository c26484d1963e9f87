use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::ServerStatus],
    engines: Engines::mysql_family("it does not count them"),
    when: "many joins read the whole of a joined table",
    then: "Each of them grows with the product of both tables.",
    instead: "Find the statements by `no_index_used` in `performance_schema`, and index what they join by.",
    options: &[OptionSpec {
        name: "per_day",
        default: OptionValue::Number(250.0),
        help: "joins without an index per day on average; MySQLTuner takes 250",
    }],
    source: "MySQLTuner; MySQL documentation, select_full_join and select_range_check",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(full), Some(ranges), Some(uptime)) = (
        status.number("select_full_join"),
        status.number("select_range_check"),
        status.number("uptime_since_flush_status").or_else(|| status.number("uptime")),
    ) else {
        findings.unknown("how many joins used no index could not be read");
        return;
    };
    findings.examined(1);
    // Counters younger than a day are taken as a whole one.
    let rate = (full + ranges) / (uptime / 86_400.0).max(1.0);
    if rate >= context.number("per_day") {
        findings.add(
            Found::at(ObjectRef::server(), format!("{} joins a day use no index.", grouped(rate as u64)))
                // Joins of small tables, the server's own among them, need none.
                .confidence(Confidence::Low)
                .evidence("joins", grouped((full + ranges) as u64))
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
