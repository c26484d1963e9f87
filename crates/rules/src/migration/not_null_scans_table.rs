use dbwright_model::catalog::Check;
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::effect::{Cost, Demand};
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;

use crate::lint::{self, Judged, Verdict};
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
        "a promise of no nulls rebuilds the table there, which other rules tell",
    ),
    when: "a column is made `NOT NULL` and nothing proves yet that it holds no nulls",
    then: "Nobody reads or writes the table until every row was looked at.",
    instead: "Prove it first with a check that is added `NOT VALID` and validated in a transaction of its own.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"SET NOT NULL\"; measured on 13 to 18",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| match change {
        Change::SetNotNull { table, column, not_null: true, .. } => {
            // A statement that does more may look at the rows for something else.
            let demanded = judged.statement.effects.demands.iter().any(|demand| {
                matches!(demand, Demand::NotNull { table: owner, column: other }
                    if owner.may_be(table) && other == column)
            });
            if !judged.alone() && !demanded {
                return Verdict::Fine;
            }
            let Some((name, effect)) = judged.blocking_tree(table) else { return Verdict::Fine };
            let message =
                format!("`NOT NULL` on `{name}.{column}` is checked row by row while reads and writes wait.");
            let found = judged.felt(context, effect, ObjectRef::column(name, column), message);
            let remedy = match proof(context, &judged, table, column) {
                Some(changes) => Remedy::review(RULE.instead, changes),
                None => Remedy::manual(RULE.instead),
            };
            Verdict::Found(found.remedy(remedy))
        }
        Change::AddNotNull { table, column, constraint, .. } if constraint.validated => {
            let Some((name, effect)) = judged.blocking_tree(table) else { return Verdict::Fine };
            let message =
                format!("`NOT NULL` on `{name}.{column}` is checked row by row while reads and writes wait.");
            let found = judged.felt(context, effect, ObjectRef::column(name, column), message);
            Verdict::Found(found.remedy(Remedy::manual(
                "Add the constraint `NOT VALID`, and validate it in a transaction of its own.",
            )))
        }
        Change::AddPrimaryKey { table, using_index: Some(index), .. } => {
            let Some((name, effect)) =
                judged.blocking_tree(table).filter(|(_, effect)| effect.cost == Cost::Scan)
            else {
                return Verdict::Fine;
            };
            let message = format!(
                "The columns of `{index}` may hold nulls, so the primary key of `{name}` is checked row by row while reads and writes wait."
            );
            let found = judged.felt(context, effect, ObjectRef::table(name), message);
            Verdict::Found(found.remedy(Remedy::manual(
                "Make the columns `NOT NULL` first, proven by a validated check, and add the key after that.",
            )))
        }
        Change::AddColumn { table, column, .. } if column.not_null && column.generated.is_some() => {
            let Some((name, effect)) =
                judged.blocking_tree(table).filter(|(_, effect)| effect.cost == Cost::Scan)
            else {
                return Verdict::Fine;
            };
            let message = format!(
                "`{name}.{}` is computed and checked for every row while reads and writes wait.",
                column.name
            );
            let found = judged.felt(context, effect, ObjectRef::column(name, &column.name), message);
            Verdict::Found(found.remedy(Remedy::manual(
                "Add the column without `NOT NULL`, and prove it later with a constraint that is validated by itself.",
            )))
        }
        _ => Verdict::Other,
    });
}

/// A check that proves it, its validation, the promise, and the end of the check. Heirs would each need their own.
fn proof(
    context: &Context<'_>,
    judged: &Judged<'_>,
    table: &QualifiedName,
    column: &Name,
) -> Option<Vec<Change>> {
    if !judged.alone() || lint::spelled(context, column.as_str()) != column.as_str() {
        return None;
    }
    let name = lint::constraint_name(table, std::slice::from_ref(column), "not_null")?;
    let operand = Box::new(Expr::column(column));
    let expression =
        Expression::parsed(format!("{column} IS NOT NULL"), Expr::IsNull { operand, negated: true });
    let table = table.clone();
    Some(vec![
        Change::AddCheck {
            alter: Default::default(),
            table: table.clone(),
            check: Check {
                name: Some(name.clone()),
                expression,
                validated: false,
                enforced: true,
                ..Check::default()
            },
        },
        Change::ValidateConstraint {
            alter: Default::default(),
            table: table.clone(),
            constraint: name.clone(),
        },
        Change::SetNotNull {
            alter: Default::default(),
            table: table.clone(),
            column: column.clone(),
            not_null: true,
        },
        Change::DropConstraint {
            alter: Default::default(),
            table,
            constraint: DroppedConstraint::Named(name),
            if_exists: false,
            cascade: false,
        },
    ])
}
