//! What a proven plan accepts of its own steps, so that its files pass the checks that they are made for.

use dbwright_model::change::Change;
use dbwright_model::plan::{Plan, Step, Work};
use dbwright_sql::suppress;

use crate::prove::Proof;

/// The comment that stands before the statements of some work in the step of a number, where the plan has proven that it is
/// fine there: what is dropped or renamed has been waited for, or another takes its name in the same step.
pub(super) fn remark(plan: &Plan, number: usize, work: &Work, proof: &Proof) -> Option<String> {
    if !proof.is_proven() {
        return None;
    }
    let step = plan.steps.get(number)?;
    let waited = plan.steps[..=number].iter().rev().find_map(|step| step.waits_for.as_deref());
    let because = |because: &str| {
        format!("proven on {}. {}", proof.server, because.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    match work.as_change()? {
        Change::DropColumn { .. } => {
            Some(suppress::planned(&["migration/dropped-column"], &because(waited?)))
        }
        Change::DropTable { .. } => Some(suppress::planned(&["migration/dropped-table"], &because(waited?))),
        Change::RenameColumn { .. } if takes_a_name(step) => Some(suppress::planned(
            &["migration/renamed-while-in-use"],
            &because("The name goes to another column in the same transaction."),
        )),
        Change::RenameTable { .. } if step.waits_for.is_some() => {
            Some(suppress::planned(&["migration/renamed-while-in-use"], &because(waited?)))
        }
        _ => None,
    }
}

/// Whether one column of a step takes the name that another gives up.
fn takes_a_name(step: &Step) -> bool {
    let renames = || {
        step.changes().filter_map(|change| match change {
            Change::RenameColumn { table, column, to, .. } => Some((table, column, to)),
            _ => None,
        })
    };
    renames().any(|(table, given_up, _)| renames().any(|(other, _, to)| other == table && to == given_up))
}
