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
    engines: Engines::mysql_family("it does not count them"),
    when: "many connection attempts fail",
    then: "Somebody tries passwords, or a client is set up wrongly and tries again and again.",
    instead: "Read the error log, which names the host and the user.",
    options: &[OptionSpec {
        name: "share",
        default: OptionValue::Number(3.0),
        help: "per cent of all attempts; MySQLTuner takes 3",
    }],
    source: "MySQLTuner; MySQL documentation, communication errors and aborted connections",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(aborted), Some(all)) = (status.number("aborted_connects"), status.number("connections")) else {
        findings.unknown("how many connection attempts failed could not be read");
        return;
    };
    findings.examined(1);
    let share = aborted / all.max(1.0) * 100.0;
    if all >= 100.0 && share >= context.number("share") {
        findings.add(
            Found::at(
                ObjectRef::server(),
                format!("{share:.0} % of {} connection attempts failed.", grouped(all as u64)),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
