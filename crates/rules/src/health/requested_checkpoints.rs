use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::rule::{OptionSpec, OptionValue};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Monitoring,
    weight: 2,
    needs: &[Fact::Checkpointer],
    wants: &[Fact::Settings],
    engines: Engines::only(Engine::Postgres, "its checkpoints are paced differently"),
    when: "most checkpoints begin because the log has filled up rather than because time is up",
    then: "Pages are written in bursts, and each page's first change after a checkpoint is logged in full.",
    instead: "Raise `max_wal_size`.",
    options: &[
        OptionSpec {
            name: "share",
            default: OptionValue::Number(50.0),
            help: "per cent of checkpoints; the exporter's mixin takes 50",
        },
        OptionSpec {
            name: "least",
            default: OptionValue::Number(50.0),
            help: "checkpoints below which nothing is said",
        },
    ],
    source: "PostgreSQL documentation, WAL configuration: checkpoint_warning says the same",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let checkpointer = context.checkpointer();
    findings.examined(1);
    let all = checkpointer.timed + checkpointer.requested;
    let share = checkpointer.requested as f64 / all.max(1) as f64 * 100.0;
    if (all as f64) < context.number("least") || share < context.number("share") {
        return;
    }
    let limit = context.facts_if_known(Fact::Settings).settings.known().and_then(|s| s.bytes("max_wal_size"));
    findings.add(
        Found::at(
            ObjectRef::setting("max_wal_size"),
            format!("{share:.0} % of {all} checkpoints were begun because the log had filled up."),
        )
        // Base backups and `CHECKPOINT` by hand count as requested too.
        .confidence(Confidence::Medium)
        .evidence_if("max_wal_size", limit.map(crate::quantity::size))
        .evidence_if("since", checkpointer.since)
        .remedy(Remedy::manual(RULE.instead)),
    );
}
