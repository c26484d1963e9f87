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
    weight: 4,
    needs: &[Fact::Replication],
    engines: Engines::servers("it has no replicas"),
    when: "a replica is far behind its primary",
    then: "It answers with old rows, and after a failover what it had not replayed yet takes long or is lost.",
    instead: "Find out what keeps the replica from replaying: a long query there, its disk, or the network.",
    options: &[
        OptionSpec {
            name: "behind_mb",
            default: OptionValue::Number(100.0),
            help: "megabytes not replayed; check_pgactivity takes 100 and 1024, pgMonitor 50 and 100",
        },
        OptionSpec {
            name: "behind_seconds",
            default: OptionValue::Number(60.0),
            help: "seconds behind, counted only while there is something to replay; mysqld_exporter takes 30",
        },
    ],
    source: "check_pgactivity, pgMonitor; the age of the last commit is not taken as lag, because it grows on an idle primary",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let replication = context.replication();
    let bytes_limit = context.number("behind_mb") * 1_048_576.0;
    let seconds_limit = context.number("behind_seconds");
    // Seconds count only while bytes are missing: a standby that has everything may report its last wait.
    let is_behind = |bytes: Option<u64>, seconds: Option<f64>| {
        bytes.is_some_and(|bytes| bytes as f64 >= bytes_limit)
            || (bytes != Some(0) && seconds.is_some_and(|seconds| seconds >= seconds_limit))
    };
    for sender in &replication.senders {
        let (bytes, seconds) = (sender.replay_delay_bytes, sender.replay_delay_seconds);
        if bytes.is_none() && seconds.is_none() {
            findings.not_seen(1, "replicas do not tell how far they are behind");
            continue;
        }
        findings.examined(1);
        if !is_behind(bytes, seconds) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::server(),
                match (bytes, seconds) {
                    (Some(bytes), _) => {
                        format!("The standby `{}` has {} still to replay.", sender.name, size(bytes))
                    }
                    (None, seconds) => {
                        format!("The standby `{}` is {} behind.", sender.name, time(seconds.unwrap_or(0.0)))
                    }
                },
            )
            .evidence("state", &sender.state)
            .evidence("synchronous", &sender.sync_state)
            .evidence_if("seconds", sender.replay_delay_seconds)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
    if !replication.standby {
        return;
    }
    if replication.replay_paused == Some(true) {
        findings.examined(1);
        findings.add(
            Found::at(
                ObjectRef::server(),
                "Replay is paused on this standby, so it falls behind more and more.",
            )
            .remedy(Remedy::manual_sql(
                "Resume replay when whoever paused it has finished.",
                vec!["SELECT pg_wal_replay_resume()".to_owned()],
            )),
        );
        return;
    }
    let (bytes, seconds) = (replication.replay_delay_bytes, replication.replay_delay_seconds);
    if bytes.is_none() && seconds.is_none() {
        findings.not_seen(1, "replicas do not tell how far they are behind");
        return;
    }
    findings.examined(1);
    if is_behind(bytes, seconds) {
        findings.add(
            Found::at(
                ObjectRef::server(),
                match bytes {
                    Some(bytes) => format!("This replica has {} still to replay.", size(bytes)),
                    None => format!("This replica is {} behind.", time(seconds.unwrap_or(0.0))),
                },
            )
            .evidence_if("age of the last replayed commit", seconds.map(time))
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
