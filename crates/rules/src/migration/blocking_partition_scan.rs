use dbwright_model::catalog::TableKind;
use dbwright_model::change::Change;
use dbwright_model::effect::Cost;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Migrations,
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "partitions are added there without a look at the rows of others",
    ),
    when: "a partition is added while rows are read to see that they fit",
    then: "Reads and writes wait until the rows of the new partition, or of the default one, are looked through.",
    instead: "Prove it beforehand with a CHECK constraint that is added `NOT VALID`, validated, and dropped afterwards.",
    source: "PostgreSQL manual, ALTER TABLE, ATTACH PARTITION; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let partition = match change {
            Change::CreateTable { table, .. } if matches!(table.kind, TableKind::Partition { .. }) => {
                &table.name
            }
            Change::AttachPartition { partition, .. } => partition,
            _ => return Verdict::Other,
        };
        let Some(effect) = judged.statement.blocking().max_by_key(|effect| effect.cost) else {
            return Verdict::Fine;
        };
        let name = &effect.relation;
        let own = name.may_be(partition);
        let work = match (own, effect.cost) {
            (true, Cost::IndexBuild) => "the indexes of the partitioned table are built on it",
            (true, _) => "its rows are checked against its bounds",
            (false, _) => "its rows are looked through for some that belong to the new partition",
        };
        let message = format!("Reads and writes of `{name}` wait while {work}.");
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        let summary = match (own, effect.cost) {
            (true, Cost::IndexBuild) => {
                "Build the same indexes on the table with `CREATE INDEX CONCURRENTLY` before it is attached."
            }
            (true, _) => RULE.instead,
            (false, _) => {
                "Exclude the new bounds on the default partition with a CHECK constraint that is added `NOT VALID`, validated, and dropped afterwards."
            }
        };
        Verdict::Found(found.remedy(Remedy::manual(summary)))
    });
}
