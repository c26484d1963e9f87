use dbwright_model::change::{Change, ReindexTarget};
use dbwright_model::effect::{Blocks, Lock, RelationEffect};
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
    weight: 5,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "no other engine has a REINDEX that keeps others from working in proportion to the size",
    ),
    when: "an index in use is rebuilt without `CONCURRENTLY`",
    then: "Writes wait until the index is built anew, and so does every query that may use it.",
    instead: "Rebuild it with `REINDEX ... CONCURRENTLY`, by itself and outside of a transaction.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, REINDEX; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (target, concurrent) = match change {
            Change::Reindex { index, concurrently: false } => {
                (index.to_string(), Change::Reindex { index: index.clone(), concurrently: true })
            }
            Change::ReindexAll { target, concurrently: false } => {
                let name = match target {
                    // The system catalogs cannot be rebuilt concurrently.
                    ReindexTarget::System(_) => return Verdict::Fine,
                    ReindexTarget::Table(table) => table.to_string(),
                    ReindexTarget::Schema(schema) => schema.to_string(),
                    ReindexTarget::Database(name) => {
                        name.as_ref().map_or_else(|| "the database".to_owned(), ToString::to_string)
                    }
                };
                (name, Change::ReindexAll { target: target.clone(), concurrently: true })
            }
            _ => return Verdict::Other,
        };
        let blocks = |effect: &&RelationEffect| effect.lock.blocks() >= Blocks::Writes;
        let dearest = judged.statement.felt().filter(blocks).max_by_key(|effect| {
            // Of a table and its indexes it is the table that is written.
            (effect.cost, judged.statement.table(&effect.relation).is_some(), effect.lock == Lock::Share)
        });
        let Some(effect) = dearest else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!(
            "Writes to `{name}` wait while `{target}` is rebuilt, and so do queries that may use it."
        );
        let found = judged.felt(context, effect, ObjectRef::table(name), message);
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent])))
    });
}
