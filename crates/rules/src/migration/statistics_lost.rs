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
    level: Level::Note,
    dimension: Dimension::Migrations,
    weight: 2,
    needs: &[Fact::Migrations],
    engines: Engines::only(Engine::Postgres, "a change of type keeps or renews the statistics there"),
    when: "a column's type changes and no `ANALYZE` of the table follows",
    then: "The planner knows nothing of the column's values until the table is analysed, and may choose bad plans.",
    instead: "Analyse the table right after the change.",
    remedy: Applicability::Review,
    source: "measured on PostgreSQL 15 and 18: the column's row in pg_stats is gone after ALTER COLUMN TYPE",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut told = Vec::new();
    lint::each(context, findings, |judged, change| {
        let Change::AlterColumnType { table, column, .. } = change else { return Verdict::Other };
        let Some(effect) = judged.effect(table) else { return Verdict::Fine };
        let name = &effect.relation;
        let analysed = lint::changes(judged.later()).any(|change| match change {
            Change::Analyze { table } | Change::Vacuum { table, analyze: true, .. } => {
                table.as_ref().is_none_or(|other| other.may_be(name))
            }
            Change::DropColumn { table: owner, column: other, .. } => owner.may_be(name) && other == column,
            Change::DropTable { name: other, .. } => other.may_be(name),
            _ => false,
        });
        // One ANALYZE serves all columns of the table.
        if analysed || told.contains(&name) {
            return Verdict::Fine;
        }
        told.push(name);
        let message = format!(
            "The statistics of `{name}.{column}` are dropped with its type, and no `ANALYZE` makes new ones."
        );
        let found = judged.found(ObjectRef::column(name, column), message);
        let analyze = Change::Analyze { table: Some(table.clone()) };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![analyze])))
    });
}
