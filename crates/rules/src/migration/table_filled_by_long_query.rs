use dbwright_model::change::Change;
use dbwright_model::effect::{Cost, RelationEffect};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(
        Engine::Postgres,
        "it keeps no rows of others alive there, or is judged by how the rows are locked",
    ),
    when: "a table or materialised view is filled by a query over a whole table in use",
    then: "The query holds a snapshot for as long as it runs, and no row that died meanwhile is cleaned up anywhere.",
    instead: "Make it empty with `WITH NO DATA` and fill it in batches, or while little is written.",
    source: "PostgreSQL manual, \"Routine Vacuuming\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let name = match change {
            Change::CreateTableAs { name, populated: true, .. } => name,
            Change::CreateView { view, .. } if view.materialized && view.populated => &view.name,
            _ => return Verdict::Other,
        };
        let read: Vec<&RelationEffect> =
            judged.statement.felt().filter(|effect| effect.cost >= Cost::Scan).collect();
        let Some(effect) = read.first() else { return Verdict::Fine };
        let message = format!("`{name}` is filled by a query that reads `{}` in one go.", effect.relation);
        let found = judged.felt(context, effect, ObjectRef::table(&effect.relation), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
