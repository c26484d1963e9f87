use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Databases, Fact::Counters, Fact::Replication],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "its replicas do not cancel statements"),
    when: "a standby regularly cancels statements that stand in the way of replay",
    then: "Reports and dumps on the standby fail halfway.",
    instead: "Set `hot_standby_feedback`, or a longer `max_standby_streaming_delay` on a standby of its own for reports.",
    options: &[OptionSpec {
        name: "per_day",
        default: OptionValue::Number(10.0),
        help: "cancelled statements per day on average",
    }],
    source: "PostgreSQL documentation, handling query conflicts; the rate is taken over the counters' own age",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    if !context.replication().standby {
        findings.not_applicable("the server is no standby");
        return;
    }
    let counters = context.counters();
    let (Some(since), Some(now)) = (counters.since.or(counters.started), context.source().collected_at)
    else {
        findings.unknown("since when conflicts are counted is not known");
        return;
    };
    // Counters younger than a day are taken as a whole one.
    let days = (now.duration_since(since).as_secs_f64() / 86_400.0).max(1.0);
    let settings = context.facts_if_known(Fact::Settings).settings.known();
    for database in context.databases().iter().filter(|database| database.allows_connections) {
        let Some(conflicts) = database.conflicts else {
            findings.not_seen(1, "databases have conflicts that nobody counted");
            continue;
        };
        findings.examined(1);
        let rate = conflicts as f64 / days;
        if rate >= context.number("per_day") {
            findings.add(
                Found::at(
                    ObjectRef::database(&database.name),
                    format!("Replay cancels {rate:.0} statements a day in `{}`.", database.name),
                )
                .evidence("cancelled statements", conflicts)
                .evidence("since", since)
                .evidence_if("hot_standby_feedback", settings.and_then(|all| all.get("hot_standby_feedback")))
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
