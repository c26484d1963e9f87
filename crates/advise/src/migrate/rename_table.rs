//! A table with a new name, and a view that answers to the old one until no code uses it.

use dbwright_model::catalog::{TableKind, View};
use dbwright_model::change::Change;
use dbwright_model::name::Name;

use super::Refusal;
use super::builder::Builder;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::RenameTable { table, to, .. } = change else { return Ok(()) };
    let Ok(old) = builder.table(table) else { return super::as_it_is(builder, change) };
    if matches!(old.kind, TableKind::Partition { .. }) {
        // Partitions are reached by way of their parent.
        return super::as_it_is(builder, change);
    }
    if old.row_security.enabled && !builder.since(15) {
        return Err(
            "before PostgreSQL 15 a view reads with its owner's rights, which would go around the row security of the table"
                .to_owned(),
        );
    }
    let new = old.name.sibling(&to.name);
    let options =
        if builder.since(15) { vec![(Name::new("security_invoker"), "true".to_owned())] } else { Vec::new() };
    let columns = builder.list(old.columns.iter().map(|column| &column.name));
    let view = View {
        name: old.name.clone(),
        populated: true,
        definition: format!("SELECT {columns} FROM {}", builder.quoted_name(&new)),
        options,
        ..View::default()
    };
    let create = Change::CreateView { view: Box::new(view), or_replace: false, if_not_exists: false };
    builder.brief(
        format!("Rename `{}` to `{}` and let a view answer to the old name.", old.name, to.name),
        vec![change.clone(), create],
    )?;
    let drop =
        Change::DropView { name: old.name.clone(), materialized: false, if_exists: false, cascade: false };
    let step = builder.brief(format!("Drop the view `{}`.", old.name), vec![drop])?;
    step.waits_for = Some(format!(
        "No running code uses the name `{}` any more. Until then the view needs the grants of the table.",
        old.name
    ));
    Ok(())
}
