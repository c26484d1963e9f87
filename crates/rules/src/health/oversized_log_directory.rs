use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::Wal, Fact::Settings],
    wants: &[Fact::Slots, Fact::Archiver],
    engines: Engines::only(
        Engine::Postgres,
        "see `health/large-wal-file` for SQLite; InnoDB's log has a fixed size",
    ),
    when: "the write-ahead log on disk is much larger than the settings plan for",
    then: "Something keeps segments from being removed, and when the disk is full the server stops.",
    instead: "Find out what holds the log: a replication slot, a failing archiver, or checkpoints that cannot keep up.",
    options: &[
        OptionSpec {
            name: "times",
            default: OptionValue::Number(2.0),
            help: "how many times the planned size is too much; check_pgactivity measures against the same budget",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(1_073_741_824.0),
            help: "bytes beyond the planned size below which nothing is said",
        },
    ],
    source: "PostgreSQL documentation, WAL configuration: max_wal_size is a soft limit, and wal_keep_size comes on top",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(found) = context.wal().directory_bytes else {
        findings.unknown("the role may not list the log directory: grant it `pg_monitor`");
        return;
    };
    let settings = context.settings();
    let Some(limit) = settings.bytes("max_wal_size") else {
        findings.unknown("the setting `max_wal_size` could not be read");
        return;
    };
    findings.examined(1);
    let planned = limit + settings.bytes("wal_keep_size").unwrap_or(0);
    let beyond = found.saturating_sub(planned) as f64;
    if beyond < context.number("least") || (found as f64) < planned as f64 * context.number("times") {
        return;
    }
    let slot = context.facts_if_known(Fact::Slots).slots.known().and_then(|slots| {
        slots.iter().filter(|slot| slot.retained_bytes.is_some()).max_by_key(|slot| slot.retained_bytes)
    });
    let failed = context.facts_if_known(Fact::Archiver).archiver.known().and_then(|archiver| {
        archiver.last_failed.filter(|failed| archiver.last_archived.is_none_or(|done| done < *failed))
    });
    findings.add(
        Found::at(
            ObjectRef::setting("max_wal_size"),
            format!(
                "The write-ahead log takes {}, and the settings plan for {}.",
                size(found),
                size(planned)
            ),
        )
        .evidence_if(
            "kept for a slot",
            slot.and_then(|slot| Some(format!("{} for `{}`", size(slot.retained_bytes?), slot.name))),
        )
        .evidence_if("archiving has failed since", failed)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
