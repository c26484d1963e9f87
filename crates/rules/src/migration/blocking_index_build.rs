use dbwright_model::change::{Change, OnlineClauses};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 6,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "indexes are built without blocking writes there, or nobody else can write anyway",
    ),
    when: "an index is built on a table in use without `CONCURRENTLY`",
    then: "Every write to the table waits until the index is built, which takes longer the larger the table is.",
    instead: "Build it with `CREATE INDEX CONCURRENTLY`, by itself and outside of a transaction.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, CREATE INDEX, \"Building Indexes Concurrently\"; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateIndex { table, index, concurrently: false, .. } = change else {
            return Verdict::Other;
        };
        let Some(effect) = judged.blocking(table).or_else(|| judged.statement.blocking().next()) else {
            return Verdict::Fine;
        };
        let name = &effect.relation;
        let message = match judged.work_below(table, effect).len() {
            0 | 1 => format!("Writes to `{name}` wait while the index is built."),
            2 => format!(
                "Writes to `{name}` and another partition of `{table}` wait while the index is built."
            ),
            count => format!(
                "Writes to `{name}` and {} more partitions of `{table}` wait while the index is built.",
                count - 1
            ),
        };
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        if name.name != table.name {
            return Verdict::Found(found.remedy(Remedy::manual(
                "Create the index `ON ONLY` the partitioned table, build one `CONCURRENTLY` on each partition, and attach them.",
            )));
        }
        let concurrent = Change::CreateIndex {
            online: OnlineClauses::default(),
            table: table.clone(),
            index: index.clone(),
            concurrently: true,
            if_not_exists: false,
            only: false,
        };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent])))
    });
}
