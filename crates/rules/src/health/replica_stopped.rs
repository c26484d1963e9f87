use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Monitoring,
    weight: 6,
    needs: &[Fact::Replication],
    engines: Engines::servers("it has no replicas"),
    when: "a replica does not receive or does not apply changes any more",
    then: "It stays as it is while the primary goes on, and its lag may read as zero.",
    instead: "Read the last error, repair its cause, and start the replica again.",
    source: "PostgreSQL documentation, pg_stat_wal_receiver; MySQL documentation, SHOW REPLICA STATUS",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let replication = context.replication();
    if !replication.standby {
        findings.not_applicable("the server is no replica");
        return;
    }
    findings.examined(1);
    match replication.receiver_running {
        Some(true) => {}
        Some(false) => findings.add(
            Found::at(
                ObjectRef::server(),
                "This replica has stopped: it receives or applies nothing from its primary.",
            )
            .evidence_if("last error", replication.last_error.as_ref())
            .remedy(Remedy::manual(RULE.instead)),
        ),
        None => findings.unknown("whether the replica's processes run could not be read"),
    }
}
