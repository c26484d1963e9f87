//! Another type for a column: as it stands where that is brief, otherwise by way of a second column.

use dbwright_model::change::Change;
use dbwright_model::effect::Effects;
use dbwright_model::plan::{Undo, Work};

use super::Refusal;
use super::builder::Builder;
use super::column_copy::{Copy, Direction};
use super::dependants;
use super::fits::{self, Fit};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::AlterColumnType { table, column, using, .. } = change else { return Ok(()) };
    let table = builder.table(table)?;
    let old = table.column(column.as_str()).cloned();
    let old = old.ok_or_else(|| format!("there is no column `{column}` in `{}`", table.name))?;
    let views = dependants::of(builder, &table, column)?;
    // The server refuses the change as long as a view reads the column.
    let mut without_views = builder.clone();
    without_views.catalog = builder.imagine(&views.drops());
    let effects = without_views.effects(change);
    if effects.refused.is_none() && effects.blocking().next().is_none() && effects.demands.is_empty() {
        match views.first() {
            Some(_) => {
                let name =
                    format!("Change the type of `{column}` of `{}`, and make its views again.", table.name);
                let bound = views.bound(builder, &table, column);
                views.around(builder, &table, name, vec![change.clone()])?.pre_check = Some(bound);
            }
            None => builder.direct(change)?,
        }
        tell_way_back(builder);
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
    let misfits = match fits::of(builder, &table, &old, &wanted.data_type, using.as_ref()) {
        Fit::Always => None,
        Fit::Ask(query) => Some(query),
        Fit::Unasked => {
            builder.note(format!(
                "Whether every value of `{column}` can be made one of `{}` cannot be asked beforehand: one that cannot stops the filling, and writes of such values fail from the first step on.",
                wanted.data_type.text
            ));
            None
        }
    };
    let schema = &table.name.schema;
    let copy = Copy {
        new: builder.free_name(schema, column.as_str(), "new"),
        left: builder.free_name(schema, column.as_str(), "old"),
        old: column.clone(),
        last: column.clone(),
        wanted,
        direction: Direction::Forward { using: using.as_ref().map(|using| using.text.clone()) },
        table,
        views,
        misfits,
    };
    copy.plan(builder)
}

/// Says in the last step that its way back keeps others waiting, where it does.
fn tell_way_back(builder: &mut Builder<'_>) {
    let Some(step) = builder.take_last() else { return };
    let changes = match &step.undo {
        Undo::Work(work) => work.iter().filter_map(Work::as_change).collect(),
        Undo::Irreversible(_) => Vec::new(),
    };
    let effects: Vec<Effects> = changes.into_iter().map(|change| builder.effects(change)).collect();
    let slow = effects.iter().flat_map(Effects::blocking).next().map(|effect| {
        format!(
            "The way back keeps everybody who uses `{}` waiting during a {}, and fails on values that do not fit.",
            effect.relation,
            effect.cost.as_str()
        )
    });
    let after = builder.catalog.clone();
    builder.rebuilt(step, after);
    if let Some(sentence) = slow {
        builder.tell_in_last(&sentence);
    }
}
