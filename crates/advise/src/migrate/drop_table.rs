//! A table that is put out of reach first, so that a forgotten user shows while there is a way back.

use dbwright_model::catalog::TableKind;
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint};
use dbwright_model::name::QualifiedName;

use super::Refusal;
use super::builder::Builder;

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::DropTable { name, if_exists, cascade } = change else { return Ok(()) };
    let Ok(table) = builder.table(name) else {
        if *if_exists {
            return Ok(());
        }
        return Err(format!("there is no table `{name}`"));
    };
    if *cascade && builder.catalog.tables.iter().any(|other| other.inherits.contains(&table.name)) {
        return Err("other tables inherit from it: take them out of it first".to_owned());
    }
    if matches!(table.kind, TableKind::Partition { .. }) {
        return Err("it is a partition: detach it first".to_owned());
    }
    // Each key locks two tables, and a transaction should hold one strong lock only.
    let mut keys: Vec<(QualifiedName, dbwright_model::name::Name)> = Vec::new();
    for other in &builder.catalog.tables {
        for key in &other.foreign_keys {
            let between = other.name == table.name || key.references == table.name;
            if between
                && !(other.name == table.name && key.references == table.name)
                && !other.is_partition()
                && let Some(name) = &key.name
            {
                if other.name != table.name && !*cascade {
                    return Err(format!(
                        "`{}` refers to it: drop the foreign key `{name}` first, or say `CASCADE`",
                        other.name
                    ));
                }
                keys.push((other.name.clone(), name.clone()));
            }
        }
    }
    let hidden = QualifiedName {
        schema: table.name.schema.clone(),
        name: builder.free_name(&table.name.schema, table.name.name.as_str(), "dropped"),
    };
    let hide = Change::RenameTable {
        table: table.name.clone(),
        to: QualifiedName::bare(&hidden.name),
        alter: AlterClauses::default(),
    };
    let step = builder.brief(format!("Put `{}` out of reach under another name.", table.name), vec![hide])?;
    step.waits_for = Some(format!("No running code is known to use `{}`.", table.name));
    let mut watched = Some(format!("Nothing has missed `{}` for a while.", table.name));
    for (owner, key) in keys {
        let owner = if owner == table.name { hidden.clone() } else { owner };
        let drop = Change::DropConstraint {
            table: owner.clone(),
            constraint: DroppedConstraint::Named(key.clone()),
            if_exists: false,
            cascade: false,
            alter: AlterClauses::default(),
        };
        let step = builder.brief(format!("Drop the foreign key `{key}` of `{owner}`."), vec![drop])?;
        step.waits_for = watched.take();
    }
    let drop = Change::DropTable { name: hidden.clone(), if_exists: false, cascade: *cascade };
    let step = builder.brief(format!("Drop `{hidden}`, which was `{}`.", table.name), vec![drop])?;
    step.waits_for = watched;
    Ok(())
}
