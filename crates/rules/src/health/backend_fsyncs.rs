use dbwright_model::engine::Engine;
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
    engines: Engines::only(Engine::Postgres, "its sessions do not sync data files"),
    when: "sessions regularly have to sync data files themselves",
    then: "The checkpointer's queue is full, and statements wait for the disk in its place.",
    instead: "Look at the disk: the checkpointer does not keep up. A larger `shared_buffers` makes its queue longer.",
    options: &[OptionSpec {
        name: "per_day",
        default: OptionValue::Number(100.0),
        help: "files synced by sessions per day on average; on a healthy server there are none",
    }],
    source: "PostgreSQL documentation, pg_stat_bgwriter.buffers_backend_fsync and pg_stat_io: other processes normally do it",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let (Some(synced), Some(since), Some(now)) =
        (status.number("client_fsyncs"), status.number("client_fsyncs_since"), context.source().collected_at)
    else {
        findings.unknown("how many files sessions had to sync could not be read");
        return;
    };
    findings.examined(1);
    // Counters younger than a day are taken as a whole one.
    let days = ((now.as_second() as f64 - since) / 86_400.0).max(1.0);
    if synced / days >= context.number("per_day") {
        findings.add(
            Found::at(
                ObjectRef::server(),
                format!("Sessions had to sync data files {} times.", grouped(synced as u64)),
            )
            .evidence("a day", grouped((synced / days) as u64))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
