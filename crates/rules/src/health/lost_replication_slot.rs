use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 5,
    needs: &[Fact::Slots],
    engines: Engines::only(Engine::Postgres, "its primary does not keep log for absent replicas"),
    when: "the server has given up a replication slot, or is about to",
    then: "Its reader cannot go on: a standby must be built anew, a subscriber copied again.",
    instead: "Drop the slot, rebuild its reader, and raise `max_slot_wal_keep_size` or make the reader faster.",
    source: "PostgreSQL documentation, pg_replication_slots: wal_status and invalidation_reason",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for slot in context.slots() {
        findings.examined(1);
        let status = slot.wal_status.as_ref().map_or("", |status| status.as_str());
        let (level, what) = if status == "lost" || slot.invalidation.is_some() {
            (Level::Error, "is lost: its reader must be built anew")
        } else if status == "unreserved" {
            (Level::Warning, "is about to be lost: its log goes at the next checkpoint")
        } else {
            continue;
        };
        findings.add(
            Found::at(ObjectRef::slot(&slot.name), format!("Slot `{}` {what}.", slot.name))
                .level(level)
                .evidence_if("status", slot.wal_status.as_ref())
                .evidence_if("reason", slot.invalidation.as_ref())
                .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
