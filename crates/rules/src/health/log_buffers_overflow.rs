use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::quantity::size;
use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Monitoring,
    weight: 1,
    needs: &[Fact::Wal, Fact::Settings],
    engines: Engines::only(Engine::Postgres, "see `health/log-buffer-waits`"),
    when: "much of the write-ahead log is written because its buffers are full",
    then: "Sessions write the log in the middle of their work and keep others waiting, instead of once at the commit.",
    instead: "Raise `wal_buffers` to 64 MB.",
    options: &[
        OptionSpec { name: "share", default: OptionValue::Number(25.0), help: "per cent of the log's pages" },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(10_737_418_240.0),
            help: "bytes of log below which nothing is said",
        },
        OptionSpec {
            name: "most",
            default: OptionValue::Number(67_108_864.0),
            help: "bytes of `wal_buffers` from which more would not help",
        },
    ],
    source: "PostgreSQL documentation, pg_stat_wal.wal_buffers_full and wal_buffers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let wal = context.wal();
    let settings = context.settings();
    let (Some(full), Some(bytes), Some(buffers)) =
        (wal.buffers_full, wal.bytes, settings.bytes("wal_buffers"))
    else {
        findings.unknown("how often the log's buffers were full could not be read");
        return;
    };
    findings.examined(1);
    let page = settings.integer("wal_block_size").filter(|size| *size > 0).unwrap_or(8_192) as f64;
    let share = full as f64 * page / (bytes as f64).max(page) * 100.0;
    if (bytes as f64) < context.number("least")
        || share < context.number("share")
        || buffers as f64 >= context.number("most")
    {
        return;
    }
    findings.add(
        Found::at(
            ObjectRef::setting("wal_buffers"),
            format!("{share:.0} % of {} of log were written because its buffers were full.", size(bytes)),
        )
        // A few loads can have filled them.
        .confidence(Confidence::Medium)
        .evidence("wal_buffers", size(buffers))
        .evidence_if("since", wal.since)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
