use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::grouped;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 4,
    needs: &[Fact::ServerStatus],
    engines: Engines::mysql_family("it keeps old rows elsewhere"),
    when: "many old row versions pile up that InnoDB cannot remove yet",
    then: "Reads walk through long chains of old versions, and the undo space grows.",
    instead: "End the oldest transaction, also one that sleeps.",
    options: &[OptionSpec {
        name: "length",
        default: OptionValue::Number(50_000.0),
        help: "transactions whose changes are not purged; awesome-prometheus-alerts takes 50000",
    }],
    source: "MySQL documentation, purge configuration; awesome-prometheus-alerts",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let length =
        status.number("innodb_history_list_length").or_else(|| status.number("trx_rseg_history_len"));
    let Some(length) = length else {
        findings.unknown("the length of InnoDB's history list could not be read");
        return;
    };
    findings.examined(1);
    if length >= context.number("length") {
        findings.add(
            Found::at(
                ObjectRef::server(),
                format!("InnoDB keeps the old row versions of {} transactions.", grouped(length as u64)),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
