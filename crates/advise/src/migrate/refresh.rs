//! Materialised views made fresh while they are read.

use dbwright_model::change::Change;

use super::Refusal;
use super::builder::{Builder, full_name};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::RefreshView { name, populated, .. } = change else { return Ok(()) };
    let full = full_name(name);
    let Some(view) = builder.catalog.views.iter().find(|view| view.name == full) else {
        return Err(format!("there is no materialised view `{full}`"));
    };
    if !*populated {
        return builder.direct(change);
    }
    if !view.populated {
        // Nobody can read it before it is filled.
        builder.long(format!("Fill `{full}`."), vec![change.clone()])?;
        return Ok(());
    }
    let whole = view
        .indexes
        .iter()
        .any(|index| index.unique && index.valid && index.predicate.is_none() && index.columns().is_some());
    if !whole {
        return Err(format!(
            "`{full}` has no unique index over columns of all its rows, which a refresh beside readers needs: add one first"
        ));
    }
    let mut concurrent = change.clone();
    if let Change::RefreshView { concurrently, .. } = &mut concurrent {
        *concurrently = true;
    }
    builder.long(format!("Refresh `{full}` beside its readers."), vec![concurrent])?;
    Ok(())
}
