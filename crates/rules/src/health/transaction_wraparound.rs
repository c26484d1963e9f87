use dbwright_model::capability::Capability;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::wraparound::{Counter, judge};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 10,
    needs: &[Fact::Databases],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "its transaction numbers do not wrap around"),
    when: "the oldest row of a database comes near the end of the transaction numbers",
    then: "The server refuses every write to protect the rows, and stays so until vacuum has caught up.",
    instead: "Find what holds back vacuum, end it, and freeze the oldest tables.",
    options: &[
        OptionSpec {
            name: "critical_left",
            default: OptionValue::Number(40_000_000.0),
            help: "transactions left at which it is critical; the server itself warns from here on",
        },
        OptionSpec {
            name: "error_age",
            default: OptionValue::Number(1_200_000_000.0),
            help: "age in transactions at which it is an error; check_postgres warns at 1.3 billion",
        },
        OptionSpec {
            name: "emergency",
            default: OptionValue::Number(1.1),
            help: "multiple of autovacuum_freeze_max_age at which vacuum is late; pgMonitor takes 1.1 and 1.25",
        },
    ],
    source: "PostgreSQL documentation, preventing transaction ID wraparound; peers that take the older limits say OK with 10 million left",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.facts_if_known(Fact::Settings).settings.known();
    let freeze_max_age =
        settings.and_then(|settings| settings.integer("autovacuum_freeze_max_age")).unwrap_or(200_000_000);
    let (stop_left, warn_left) = if context.can(Capability::EarlyWraparoundWarning) {
        (3_000_000, 40_000_000)
    } else {
        (1_000_000, 11_000_000)
    };
    for database in context.databases() {
        let Some(age) = database.xid_age else {
            findings.not_seen(1, "databases did not tell the age of their oldest row");
            continue;
        };
        findings.examined(1);
        let counter = Counter {
            what: "transactions",
            database: &database.name,
            age,
            freeze_max_age: u64::try_from(freeze_max_age).unwrap_or(200_000_000),
            stop_left,
            warn_left,
        };
        if let Some(found) = judge(context, counter) {
            findings.add(found);
        }
    }
}
