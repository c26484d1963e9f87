use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 4,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "a view may be replaced by any other there"),
    when: "a view is replaced by one that lacks, renames or reorders a column",
    then: "The server refuses it, and the migration fails.",
    instead: "Keep the columns of the view as they are and add new ones at the end, or drop it and make it anew in one transaction.",
    source: "PostgreSQL manual, CREATE VIEW; refusals measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::CreateView { view, or_replace: true, .. } = change else { return Verdict::Other };
        let around = &judged.statement.around;
        let old = around.views.iter().find(|old| old.name.may_be(&view.name) && !old.materialized);
        let Some(old) = old.filter(|old| !old.columns.is_empty() && !around.view_columns.is_empty()) else {
            return Verdict::Fine;
        };
        let new = &around.view_columns;
        let differs = old.columns.iter().enumerate().find(|(i, column)| new.get(*i) != Some(&column.name));
        let Some((i, column)) = differs else { return Verdict::Fine };
        let name = &old.name;
        let message = match new.get(i) {
            None => format!("The new `{name}` lacks the column `{}`, which the server refuses.", column.name),
            Some(other) => format!(
                "The new `{name}` has `{other}` where the old one has `{}`, which the server refuses.",
                column.name
            ),
        };
        let found = judged.found(ObjectRef::view(name), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
