use dbwright_model::catalog::Column;
use dbwright_model::change::{Change, ColumnPosition};
use dbwright_model::effect::Demand;
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    wants: lint::WANTS,
    engines: Engines::only(Engine::Postgres, "the server fills such a column by itself there")
        .and(Engine::Sqlite),
    when: "a column is added that the rows which are there can have no value for",
    then: "The statement fails wherever the table holds a row, even if it passed on an empty database.",
    instead: "Add the column so that it may be null, fill it, and set `NOT NULL` at the end, or give it a default.",
    remedy: Applicability::Review,
    source: "measured on PostgreSQL 13 to 18 and SQLite 3.54",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let Change::AddColumn { table, column, if_not_exists, .. } = change else { return Verdict::Other };
        if context.engine() == Engine::Sqlite {
            return sqlite(&judged, table, column);
        }
        if !column.not_null {
            return Verdict::Other;
        }
        let filled = column.default.is_some()
            || column.identity.is_some()
            || column.auto_increment
            || column.generated.is_some();
        let demanded = judged
            .statement
            .effects
            .demands
            .iter()
            .any(|demand| matches!(demand, Demand::Empty { table: owner } if owner.may_be(table)));
        let Some(effect) = judged.effect(table).filter(|_| demanded && !filled) else { return Verdict::Fine };
        let name = &effect.relation;
        let message = format!(
            "`{name}.{}` must not be null and has no default: the statement fails if `{name}` holds a row.",
            column.name
        );
        let found = judged.felt(context, effect, ObjectRef::column(name, &column.name), message);
        if !judged.alone() {
            return Verdict::Found(found.remedy(Remedy::manual(RULE.instead)));
        }
        let nullable = Change::AddColumn {
            alter: Default::default(),
            table: table.clone(),
            column: Box::new(Column { not_null: false, ..column.as_ref().clone() }),
            position: ColumnPosition::Last,
            if_not_exists: *if_not_exists,
        };
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![nullable])))
    });
}

/// SQLite can only tell in the schema what the rows hold that are there: a constant.
fn sqlite(judged: &Judged<'_>, table: &QualifiedName, column: &Column) -> Verdict {
    let demands = &judged.statement.effects.demands;
    let demanded =
        demands.iter().any(|demand| matches!(demand, Demand::Empty { table: owner } if owner.may_be(table)));
    let Some(effect) = judged.effect(table).filter(|_| demanded) else { return Verdict::Fine };
    let name = &effect.relation;
    let refers = judged.statement.changes.iter().any(|change| matches!(change, Change::AddForeignKey { .. }));
    let (because, instead) = if column.generated.is_some() {
        ("is stored", "Make the column `VIRTUAL`, or build the table anew.")
    } else if column.default.is_some() && refers {
        (
            "refers to another table and has a default while foreign keys are enforced",
            "Add the column without a default, and fill it afterwards.",
        )
    } else if column.default.is_some() {
        (
            "has a default that is no constant",
            "Add the column without a default and fill it afterwards, or build the table anew.",
        )
    } else {
        (
            "must not be null and has no default",
            "Give the column a constant default, or build the table anew.",
        )
    };
    let message = format!("`{name}.{}` {because}: the statement fails if `{name}` holds a row.", column.name);
    let found = judged.found(ObjectRef::column(name, &column.name), message);
    Verdict::Found(found.remedy(Remedy::manual(instead)))
}
