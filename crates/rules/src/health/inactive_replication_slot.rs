use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::{size, time};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 6,
    needs: &[Fact::Slots],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "its primary does not keep log for absent replicas"),
    when: "nobody reads from a replication slot and log piles up for it",
    then: "The server keeps all log since, until the disk is full and it stops.",
    instead: "Bring the reader back, or drop the slot; and set `max_slot_wal_keep_size`.",
    options: &[
        OptionSpec {
            name: "retained_mb",
            default: OptionValue::Number(1_024.0),
            help: "megabytes of log kept for the slot",
        },
        OptionSpec {
            name: "inactive_seconds",
            default: OptionValue::Number(3_600.0),
            help: "seconds without a reader, where the server tells",
        },
    ],
    source: "pgMonitor and pghero report every inactive slot; readers that come back within the hour are left alone",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let unlimited = context
        .facts_if_known(Fact::Settings)
        .settings
        .known()
        .and_then(|settings| settings.integer("max_slot_wal_keep_size"))
        .map(|size| size < 0);
    for slot in context.slots() {
        findings.examined(1);
        let lost =
            slot.wal_status.as_ref().is_some_and(|status| *status == "lost") || slot.invalidation.is_some();
        if slot.active || lost {
            continue;
        }
        let much =
            slot.retained_bytes.map(|bytes| bytes as f64 >= context.number("retained_mb") * 1_048_576.0);
        let long = slot.inactive_seconds.map(|seconds| seconds >= context.number("inactive_seconds"));
        if much != Some(true) && long != Some(true) {
            if much.is_none() && long.is_none() {
                findings.unknown(format!("how much slot `{}` keeps could not be read", slot.name));
            }
            continue;
        }
        let kept =
            slot.retained_bytes.map_or("its log".to_owned(), |bytes| format!("{} of log", size(bytes)));
        findings.add(
            Found::at(
                ObjectRef::slot(&slot.name),
                format!("Nobody reads from slot `{}`, and the server keeps {kept} for it.", slot.name),
            )
            .evidence("kind", &slot.kind)
            .evidence_if("inactive for", slot.inactive_seconds.map(time))
            .evidence_if("without limit", unlimited)
            .remedy(Remedy::manual_sql(
                RULE.instead,
                vec![format!(
                    "SELECT pg_drop_replication_slot('{}')",
                    slot.name.as_str().replace('\'', "''")
                )],
            )),
        );
    }
}
