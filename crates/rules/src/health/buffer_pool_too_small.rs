use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::{grouped, size};
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 3,
    needs: &[Fact::ServerStatus],
    wants: &[Fact::Settings],
    engines: Engines::mysql_family("see `settings/default-memory-settings`"),
    when: "the buffer pool of InnoDB is full and much of what is read is not in it",
    then: "Queries wait for the disk for pages that were in memory a moment ago.",
    instead: "Raise `innodb_buffer_pool_size`, as far as the machine's memory allows.",
    options: &[
        OptionSpec {
            name: "misses",
            default: OptionValue::Number(5.0),
            help: "per cent of reads that go to the disk; MySQLTuner scores 95 per cent of hits",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_000_000.0),
            help: "reads below which nothing is said",
        },
        OptionSpec {
            name: "free",
            default: OptionValue::Number(5.0),
            help: "per cent of free pages from which the pool counts as not full",
        },
        OptionSpec {
            name: "hours",
            default: OptionValue::Number(24.0),
            help: "hours since the start below which nothing is said: the pool is still filling",
        },
    ],
    source: "MySQLTuner; MySQL documentation, InnoDB buffer pool: reads and read requests since the start",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let status = context.server_status();
    let number = |name: &str| status.number(name);
    let (Some(reads), Some(requests), Some(free), Some(pages), Some(uptime)) = (
        number("innodb_buffer_pool_reads"),
        number("innodb_buffer_pool_read_requests"),
        number("innodb_buffer_pool_pages_free"),
        number("innodb_buffer_pool_pages_total"),
        number("uptime_since_flush_status").or_else(|| number("uptime")),
    ) else {
        findings.unknown("how often the buffer pool was missed could not be read");
        return;
    };
    if uptime < context.number("hours") * 3_600.0 {
        findings.unknown("the server has not counted long enough: the buffer pool is still filling");
        return;
    }
    findings.examined(1);
    let missed = reads / requests.max(1.0) * 100.0;
    let is_full = free / pages.max(1.0) * 100.0 < context.number("free");
    if requests < context.number("least") || !is_full || missed < context.number("misses") {
        return;
    }
    let pool = context.facts_if_known(Fact::Settings).settings.known();
    let pool = pool.and_then(|settings| settings.bytes("innodb_buffer_pool_size"));
    findings.add(
        Found::at(
            ObjectRef::setting("innodb_buffer_pool_size"),
            format!("{missed:.1} % of {} reads did not find their page in memory.", grouped(requests as u64)),
        )
        // What was read once for a report or a dump is in these numbers too.
        .confidence(Confidence::Medium)
        .evidence_if("innodb_buffer_pool_size", pool.map(size))
        .remedy(Remedy::manual(RULE.instead)),
    );
}
