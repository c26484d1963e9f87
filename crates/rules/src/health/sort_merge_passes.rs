use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::ServerStatus],
    engines: Engines::mysql_family("see `health/temporary-file-spills`"),
    when: "many sorts do not fit into the sort buffer",
    then: "Their parts go through files and are merged again.",
    instead: "Give what is ordered an index, select fewer columns, or raise `sort_buffer_size` for the sessions concerned.",
    options: &[
        OptionSpec {
            name: "share",
            default: OptionValue::Number(10.0),
            help: "merge passes per hundred sorts; MySQLTuner takes 10",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_000.0),
            help: "sorts below which nothing is said",
        },
    ],
    source: "MySQLTuner; MySQL documentation, sort_merge_passes",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(passes), Some(scans), Some(ranges)) =
        (status.number("sort_merge_passes"), status.number("sort_scan"), status.number("sort_range"))
    else {
        findings.unknown("how many sorts were merged could not be read");
        return;
    };
    findings.examined(1);
    let sorts = scans + ranges;
    let share = passes / sorts.max(1.0) * 100.0;
    if sorts >= context.number("least") && share >= context.number("share") {
        findings.add(
            Found::at(
                ObjectRef::setting("sort_buffer_size"),
                format!(
                    "{} sorts needed {} passes of merging files.",
                    grouped(sorts as u64),
                    grouped(passes as u64)
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
