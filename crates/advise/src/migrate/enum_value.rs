//! A label of an enum, committed before anything uses it.

use dbwright_model::change::Change;
use dbwright_model::plan::TransactionMode;

use super::Refusal;
use super::builder::Builder;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::AddEnumValue { name, value, .. } = change else { return Ok(()) };
    let step = builder.brief(
        format!("Add the label `{value}` to `{name}`; it can be used once this is committed."),
        vec![change.clone()],
    )?;
    step.transaction = TransactionMode::NoTransaction;
    Ok(())
}
