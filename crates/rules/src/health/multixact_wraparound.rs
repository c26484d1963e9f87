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
    weight: 6,
    needs: &[Fact::Databases],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "it has no multixacts"),
    when: "the oldest multixact of a database comes near the end of their numbers",
    then: "The server refuses every statement that would lock a row for several transactions.",
    instead: "Find what holds back vacuum, end it, and freeze the oldest tables.",
    options: &[
        OptionSpec {
            name: "critical_left",
            default: OptionValue::Number(40_000_000.0),
            help: "multixacts left at which it is critical; the server itself warns from here on",
        },
        OptionSpec {
            name: "error_age",
            default: OptionValue::Number(1_200_000_000.0),
            help: "age in multixacts at which it is an error",
        },
        OptionSpec {
            name: "emergency",
            default: OptionValue::Number(1.1),
            help: "multiple of autovacuum_multixact_freeze_max_age at which vacuum is late",
        },
    ],
    source: "PostgreSQL documentation, multixacts and wraparound; most peers do not look",
    cap: Some(49),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let settings = context.facts_if_known(Fact::Settings).settings.known();
    let freeze_max_age = settings
        .and_then(|settings| settings.integer("autovacuum_multixact_freeze_max_age"))
        .unwrap_or(400_000_000);
    let (stop_left, warn_left) = if context.can(Capability::EarlyWraparoundWarning) {
        (3_000_000, 40_000_000)
    } else {
        (1_000_000, 11_000_000)
    };
    for database in context.databases() {
        let Some(age) = database.multixact_age else {
            findings.not_seen(1, "databases did not tell the age of their oldest row");
            continue;
        };
        findings.examined(1);
        let counter = Counter {
            what: "multixacts",
            database: &database.name,
            age,
            freeze_max_age: u64::try_from(freeze_max_age).unwrap_or(400_000_000),
            stop_left,
            warn_left,
        };
        if let Some(found) = judge(context, counter) {
            findings.add(found);
        }
    }
}
