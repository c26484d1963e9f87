use dbwright_model::change::Change;
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
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "it has no materialised views"),
    when: "a materialised view is refreshed without `CONCURRENTLY`",
    then: "Nobody reads the view until its query has run through.",
    instead: "Refresh it with `REFRESH MATERIALIZED VIEW CONCURRENTLY`, which needs a unique index on the view.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, REFRESH MATERIALIZED VIEW; locks measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::RefreshView { name, concurrently: false, populated: true } = change else {
            return Verdict::Other;
        };
        let view = judged.statement.around.views.iter().find(|view| view.name.may_be(name));
        // One that was never filled cannot be read anyway.
        let empty = view.is_some_and(|view| !view.populated);
        let Some(effect) = judged.blocking(name).filter(|_| !empty) else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!("Reads of `{name}` wait while its query runs.");
        let found = judged.felt(context, effect, ObjectRef::view(name), message);
        let identified = view.is_some_and(|view| {
            view.indexes.iter().any(|index| {
                index.unique && index.valid && index.predicate.is_none() && index.columns().is_some()
            })
        });
        if view.is_some() && !identified {
            return Verdict::Found(found.remedy(Remedy::manual(
                "Create a unique index over columns of the view, then refresh it `CONCURRENTLY`.",
            )));
        }
        let concurrent = Change::RefreshView { name: name.clone(), concurrently: true, populated: true };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![concurrent])))
    });
}
