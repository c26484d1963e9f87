//! Another name for a column.
use super::Refusal;
use super::builder::Builder;
use dbwright_model::change::Change;
pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    super::as_it_is(builder, change)
}
