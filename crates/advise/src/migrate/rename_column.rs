//! Another name for a column: both names are served until no code uses the old one.

use dbwright_model::change::Change;

use super::Refusal;
use super::builder::Builder;
use super::column_copy::{Copy, Direction};
use super::dependants::{self, Views};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::RenameColumn { table, column, to, .. } = change else { return Ok(()) };
    let Ok(table) = builder.table(table) else { return super::as_it_is(builder, change) };
    if table.column(to.as_str()).is_some() {
        return Err(format!("`{}` has a column `{to}` already", table.name));
    }
    let after = builder.imagine(std::slice::from_ref(change));
    let wanted = after.table(&table.name).and_then(|table| table.column(to.as_str())).cloned();
    let wanted = wanted.ok_or_else(|| format!("there is no column `{column}` in `{}`", table.name))?;
    if let Some(view) = dependants::of(builder, &table, column)?.first() {
        return Err(format!(
            "the view `{}` reads the column, and would go on reading the old one: drop it, and make it again after the change",
            view.name
        ));
    }
    let copy = Copy {
        new: to.clone(),
        left: column.clone(),
        old: column.clone(),
        last: to.clone(),
        wanted,
        direction: Direction::Both,
        table,
        views: Views::default(),
        misfits: None,
    };
    copy.plan(builder)
}
