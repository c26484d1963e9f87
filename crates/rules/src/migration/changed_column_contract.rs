use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::rule::Status;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 1,
    status: Status::Preview,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Postgres, "a column is changed as a whole there, or cannot be changed"),
    when: "a column in use gets or loses its default, or may be null from then on",
    then: "The version of the application that still runs writes or reads what it did not expect.",
    instead: "Release the application that can do with both first, and change the column after that.",
    remedy: Applicability::Manual,
    source: "agreement of six public linters",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, column, what) = match change {
            Change::SetNotNull { table, column, not_null: false, .. } => {
                (table, column, "may be null from then on, which readers have to expect")
            }
            Change::SetDefault { table, column, default: None, .. } => {
                (table, column, "loses its default, and an insert that leaves it out gets null or fails")
            }
            Change::SetDefault { table, column, default: Some(_), .. } => {
                (table, column, "gets another default, which inserts that leave it out will store")
            }
            _ => return Verdict::Other,
        };
        let Some(effect) = judged.effect(table) else { return Verdict::Fine };
        let added = lint::changes(&judged.chain.statements).any(|change| {
            matches!(change, Change::AddColumn { table: owner, column: added, .. }
                if owner.may_be(table) && added.name == *column)
        });
        if added {
            return Verdict::Fine;
        }
        let known = judged.statement.table(table).and_then(|table| table.column(column.as_str()));
        let stays = known.is_some_and(|known| match change {
            Change::SetDefault { default, .. } => known.default == *default,
            _ => !known.not_null,
        });
        if stays {
            return Verdict::Fine;
        }
        let name = &effect.relation;
        let found = judged.found(ObjectRef::column(name, column), format!("`{name}.{column}` {what}."));
        Verdict::Found(found.remedy(Remedy::manual(RULE.instead)))
    });
}
