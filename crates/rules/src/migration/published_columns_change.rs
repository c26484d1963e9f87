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
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 3,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "replicas follow the schema by themselves there"),
    when: "a column of a published table is added or dropped",
    then: "Schema changes are not replicated: a subscriber that lacks a column stops, and everything behind it waits.",
    instead: "Add the column on every subscriber first; drop it there last.",
    source: "PostgreSQL manual, \"Logical Replication\", \"Restrictions\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, column, what) = match change {
            Change::AddColumn { table, column, .. } => {
                (table, &column.name, "must be there on its subscribers first")
            }
            Change::DropColumn { table, column, .. } => {
                (table, column, "must stay on its subscribers until the drop is done")
            }
            _ => return Verdict::Other,
        };
        let Some(publication) = judged.statement.around.publications.first() else { return Verdict::Fine };
        // With a list of columns a new one is not published.
        let listed = publication.tables.iter().find(|listed| listed.table.name == table.name);
        let lists =
            listed.is_some_and(|listed| !listed.columns.is_empty() && !listed.columns.contains(column));
        if lists || judged.is_new(table) {
            return Verdict::Fine;
        }
        let name = judged.full_name(table);
        let message = format!("`{}` publishes `{name}`: `{column}` {what}.", publication.name);
        let found = judged.found(ObjectRef::column(&name, column), message);
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
