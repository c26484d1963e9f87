use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::engine::Engine;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::{Name, QualifiedName};
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
    engines: Engines::only(Engine::Postgres, "constraints are valid from the start there"),
    when: "a constraint is added `NOT VALID` and none of the migrations validates it",
    then: "Old rows may break it for ever, and the planner does not rely on it.",
    instead: "Add a migration that validates the constraint in a transaction of its own.",
    remedy: Applicability::Review,
    source: "PostgreSQL manual, ALTER TABLE, \"VALIDATE CONSTRAINT\"",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    lint::each(context, findings, |judged, change| {
        let (table, name, columns, word) = match change {
            Change::AddCheck { table, check, .. } if !check.validated && check.enforced => {
                let tree = check.expression.tree.as_deref();
                let columns: Vec<Name> =
                    tree.map(|tree| tree.columns().into_iter().cloned().collect()).unwrap_or_default();
                let middle = if columns.len() == 1 { columns } else { Vec::new() };
                (table, &check.name, middle, "check")
            }
            Change::AddForeignKey { table, foreign_key, .. }
                if !foreign_key.validated && foreign_key.enforced =>
            {
                (table, &foreign_key.name, foreign_key.columns.clone(), "fkey")
            }
            _ => return Verdict::Other,
        };
        let constraint = name.clone().or_else(|| lint::constraint_name(table, &columns, word));
        let Some(constraint) = constraint else { return Verdict::Other };
        let later = lint::changes(judged.later()).chain(&judged.statement.changes);
        if settles(later, table, &constraint) {
            return Verdict::Fine;
        }
        let name = judged.effect(table).map_or(table, |effect| &effect.relation);
        let message =
            format!("`{constraint}` of `{name}` is added `NOT VALID`, and nothing validates it later.");
        let object = ObjectRef::constraint(name, constraint.as_str());
        let validate =
            Change::ValidateConstraint { alter: Default::default(), table: table.clone(), constraint };
        let found = judged.found(object, message);
        Verdict::Found(found.remedy(Remedy::review(RULE.instead, vec![validate])))
    });
}

/// Whether one of the changes validates the constraint or does away with it.
fn settles<'a>(
    mut changes: impl Iterator<Item = &'a Change>,
    table: &QualifiedName,
    constraint: &Name,
) -> bool {
    changes.any(|change| match change {
        Change::ValidateConstraint { table: owner, constraint: name, .. } => {
            owner.may_be(table) && name == constraint
        }
        Change::DropConstraint { table: owner, constraint: DroppedConstraint::Named(name), .. } => {
            owner.may_be(table) && name == constraint
        }
        Change::DropTable { name, .. } => name.may_be(table),
        Change::RenameTable { table: owner, .. } => owner.may_be(table),
        Change::RenameConstraint { table: owner, constraint: name, .. } => {
            owner.may_be(table) && name == constraint
        }
        _ => false,
    })
}
