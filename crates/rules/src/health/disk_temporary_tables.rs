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
    when: "many temporary tables of queries are written to disk",
    then: "Groupings and sorts that would be quick in memory wait for the disk.",
    instead: "Find the statements by their temporary tables on disk, and give them an index or fewer columns.",
    options: &[
        OptionSpec {
            name: "share",
            default: OptionValue::Number(25.0),
            help: "per cent of temporary tables; MySQLTuner takes 25",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_000.0),
            help: "temporary tables below which nothing is said",
        },
    ],
    source: "MySQLTuner; MySQL documentation, internal temporary tables",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(disk), Some(all)) =
        (status.number("created_tmp_disk_tables"), status.number("created_tmp_tables"))
    else {
        findings.unknown("how many temporary tables were made could not be read");
        return;
    };
    findings.examined(1);
    let share = disk / all.max(1.0) * 100.0;
    if all >= context.number("least") && share >= context.number("share") {
        findings.add(
            Found::at(
                ObjectRef::server(),
                format!("{share:.0} % of {} temporary tables were written to disk.", grouped(all as u64)),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
