//! Another type for a column: as it stands where that is brief, otherwise by way of a second column.

use dbwright_model::change::Change;

use super::Refusal;
use super::builder::Builder;
use super::column_copy::{Copy, Direction};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::AlterColumnType { table, column, using, .. } = change else { return Ok(()) };
    let table = builder.table(table)?;
    let effects = builder.effects(change);
    if effects.refused.is_none() && effects.blocking().next().is_none() && effects.demands.is_empty() {
        builder.direct(change)?;
        let analyze = Change::Analyze { table: Some(table.name.clone()) };
        builder.long(
            format!("Gather the statistics of `{column}` anew; the change of type has dropped them."),
            vec![analyze],
        )?;
        return Ok(());
    }
    let after = builder.imagine(std::slice::from_ref(change));
    let wanted = after.table(&table.name).and_then(|table| table.column(column.as_str())).cloned();
    let wanted = wanted.ok_or_else(|| format!("there is no column `{column}` in `{}`", table.name))?;
    let schema = &table.name.schema;
    let copy = Copy {
        new: builder.free_name(schema, column.as_str(), "new"),
        left: builder.free_name(schema, column.as_str(), "old"),
        old: column.clone(),
        last: column.clone(),
        wanted,
        direction: Direction::Forward { using: using.as_ref().map(|using| using.text.clone()) },
        table,
    };
    copy.plan(builder)
}
