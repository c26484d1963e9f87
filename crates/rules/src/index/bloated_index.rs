use dbwright_model::capability::Capability;
use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::index_shape::qualified;
use crate::quantity::size;
use crate::{Context, Engines, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Indexing,
    weight: 3,
    needs: &[Fact::IndexStatistics],
    engines: Engines::only(Engine::Postgres, "the free room in its indexes is not estimated"),
    when: "much of a large index is estimated to be empty",
    then: "Scans read pages that hold little, and the cache keeps them.",
    instead: "Rebuild the index concurrently.",
    remedy: Applicability::Review,
    options: &[
        OptionSpec {
            name: "percent",
            default: OptionValue::Number(30.0),
            help: "share of the index in per cent that may be waste",
        },
        OptionSpec {
            name: "megabytes",
            default: OptionValue::Number(100.0),
            help: "waste in MB that is tolerated",
        },
    ],
    source: "peer thresholds: 100 MB; 40 to 90 per cent; 80 per cent and 100 MB",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let least = context.number("megabytes") * 1_048_576.0;
    for statistics in context.index_statistics() {
        let (bytes, waste) = match (statistics.bytes, statistics.bloat_bytes) {
            (Some(bytes), Some(waste)) => (bytes, waste),
            // No more can be wasted than there is.
            (Some(bytes), None) if bytes as f64 <= least => {
                findings.examined(1);
                continue;
            }
            _ => {
                findings.not_seen(
                    1,
                    "indexes are large or of unknown size, and their empty room cannot be estimated",
                );
                continue;
            }
        };
        findings.examined(1);
        let percent = 100.0 * waste as f64 / bytes.max(1) as f64;
        if percent <= context.number("percent") || waste as f64 <= least {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::index(&statistics.table, &statistics.index),
                format!(
                    "About {} of the {} of `{}` on `{}` are empty ({percent:.0} %).",
                    size(waste),
                    size(bytes),
                    statistics.index,
                    statistics.table
                ),
            )
            .evidence("size", size(bytes))
            .evidence("estimated waste", size(waste))
            .confidence(Confidence::Medium)
            .remedy(Remedy::review(
                RULE.instead,
                vec![Change::Reindex {
                    index: qualified(&statistics.table, &statistics.index),
                    concurrently: context.can(Capability::ConcurrentReindex),
                }],
            )),
        );
    }
}
