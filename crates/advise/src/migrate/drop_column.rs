//! A column that code forgets first, so that nothing breaks when it goes.

use dbwright_model::change::{AlterClauses, Change};

use super::Refusal;
use super::builder::Builder;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::DropColumn { table, column, if_exists, cascade, .. } = change else { return Ok(()) };
    let table = builder.table(table)?;
    let Some(current) = table.column(column.as_str()) else {
        if *if_exists {
            return Ok(());
        }
        return Err(format!("there is no column `{column}` in `{}`", table.name));
    };
    if *cascade {
        return Err("name the views and foreign keys that hang on the column instead of `CASCADE`".to_owned());
    }
    let in_key = table.primary_key.as_ref().is_some_and(|key| key.columns.contains(column));
    let demanding = current.not_null
        && current.default.is_none()
        && current.identity.is_none()
        && current.generated.is_none();
    if demanding && !in_key {
        let loosen = Change::SetNotNull {
            table: table.name.clone(),
            column: column.clone(),
            not_null: false,
            alter: AlterClauses::default(),
        };
        builder
            .brief(format!("Let rows of `{}` be written without `{column}`.", table.name), vec![loosen])?;
    }
    let step =
        builder.brief(format!("Drop the column `{column}` of `{}`.", table.name), vec![change.clone()])?;
    step.waits_for =
        Some(format!("No running code reads or writes `{column}` of `{}` any more.", table.name));
    Ok(())
}
