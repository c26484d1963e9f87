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
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Databases, Fact::Counters],
    engines: Engines::only(Engine::Postgres, "see `health/disk-temporary-tables`"),
    when: "queries of a database write many gigabytes of temporary files a day",
    then: "Sorts and hashes go through the disk, where they are many times slower.",
    instead: "Find the statements by their temporary blocks and give them an index, or their role more `work_mem`.",
    options: &[OptionSpec {
        name: "gb_per_day",
        default: OptionValue::Number(10.0),
        help: "gigabytes of temporary files per day on average",
    }],
    source: "PostgreSQL documentation, pg_stat_database and work_mem; the rate is taken over the counters' own age",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (Some(since), Some(now)) = (context.counters().since, context.source().collected_at) else {
        findings.unknown("since when temporary files are counted is not known");
        return;
    };
    let days = (now.duration_since(since).as_secs_f64() / 86_400.0).max(1.0);
    for database in context.databases() {
        let Some(bytes) = database.temp_bytes else {
            findings.not_seen(1, "databases have temporary files that nobody counted");
            continue;
        };
        findings.examined(1);
        let rate = bytes as f64 / days;
        if rate >= context.number("gb_per_day") * 1_073_741_824.0 {
            findings.add(
                Found::at(
                    ObjectRef::database(&database.name),
                    format!(
                        "Queries of `{}` write {} of temporary files a day.",
                        database.name,
                        size(rate as u64)
                    ),
                )
                .evidence_if("files", database.temp_files)
                .evidence("since", since)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}
