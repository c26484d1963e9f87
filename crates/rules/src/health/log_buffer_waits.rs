use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::{grouped, size, time};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::ServerStatus],
    wants: &[Fact::Settings],
    engines: Engines::mysql_family("see `health/log-buffers-overflow`"),
    when: "transactions of InnoDB often wait because the log buffer is full",
    then: "Every one of them stands still until the log has been written.",
    instead: "Raise `innodb_log_buffer_size`.",
    options: &[OptionSpec {
        name: "per_second",
        default: OptionValue::Number(10.0),
        help: "waits per second on average since the counters began; awesome-prometheus-alerts takes 10",
    }],
    source: "awesome-prometheus-alerts and the exporter's mixin, over 15 minutes; MySQL documentation, innodb_log_waits",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(waits), Some(uptime)) = (
        status.number("innodb_log_waits"),
        status.number("uptime_since_flush_status").or_else(|| status.number("uptime")),
    ) else {
        findings.unknown("how often the log buffer was full could not be read");
        return;
    };
    findings.examined(1);
    // Counters younger than a quarter of an hour are taken as a whole one.
    let rate = waits / uptime.max(900.0);
    if rate < context.number("per_second") {
        return;
    }
    let buffer = context.facts_if_known(Fact::Settings).settings.known();
    let buffer = buffer.and_then(|settings| settings.bytes("innodb_log_buffer_size"));
    findings.add(
        Found::at(
            ObjectRef::setting("innodb_log_buffer_size"),
            format!(
                "Transactions waited for the log buffer {} times in {}.",
                grouped(waits as u64),
                time(uptime)
            ),
        )
        .evidence_if("innodb_log_buffer_size", buffer.map(size))
        .remedy(Remedy::manual(RULE.instead)),
    );
}
