//! Views that stand in the way of a change, so that it is tried between their end and their new begin.

use dbwright_model::catalog::View;
use dbwright_model::change::Change;
use dbwright_model::name::QualifiedName;
use dbwright_model::plan::Plan;

use super::postgres::full;

/// The views that a plan drops and makes again in one step, in the order in which it drops them.
pub(super) fn made_again(plan: &Plan) -> Vec<QualifiedName> {
    let mut found = Vec::new();
    for step in &plan.steps {
        let made: Vec<QualifiedName> = step
            .changes()
            .filter_map(|change| match change {
                Change::CreateView { view, .. } => Some(full(&view.name)),
                _ => None,
            })
            .collect();
        found.extend(step.changes().filter_map(|change| match change {
            Change::DropView { name, .. } if made.contains(&full(name)) => Some(full(name)),
            _ => None,
        }));
    }
    found
}

/// Changes with the views dropped before and made again after them, as the server has `told` their definition and not as
/// the plan says it.
pub(super) fn around(views: &[QualifiedName], told: &[View], changes: Vec<Change>) -> Vec<Change> {
    let drops = views.iter().map(Change::dropping_view);
    // A view is dropped before those that it reads.
    let creates = views.iter().rev().filter_map(|name| told.iter().find(|view| view.name == *name));
    drops.chain(changes).chain(creates.map(Change::making_view)).collect()
}
