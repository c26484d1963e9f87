use dbwright_model::change::{AlterClauses, Change};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "it has no DETACH PARTITION"),
    when: "a partition is detached without `CONCURRENTLY`",
    then: "The whole partitioned table is locked, and everybody waits behind the longest query that uses it.",
    instead: "Detach it with `DETACH PARTITION ... CONCURRENTLY`, by itself and outside of a transaction.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, DETACH PARTITION; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::DetachPartition { table, partition, concurrently: false, finalize: false, .. } = change
        else {
            return Verdict::Other;
        };
        let Some(effect) = judged.effect(table) else { return Verdict::Fine };
        let name = &effect.relation;
        let message =
            format!("Reads and writes of `{name}` wait until the partition `{partition}` is detached.");
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        if let Some(default) = &judged.statement.around.default_partition {
            return Verdict::Found(found.remedy(Remedy::manual(format!(
                "Set a short `lock_timeout` and try again: beside the default partition `{default}` nothing can be detached concurrently."
            ))));
        }
        let concurrent = Change::DetachPartition {
            table: table.clone(),
            partition: partition.clone(),
            concurrently: true,
            alter: AlterClauses::default(),
            finalize: false,
        };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent])))
    });
}
