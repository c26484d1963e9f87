//! Foreign keys and checks: in force for new rows first, checked against the old ones afterwards.

use dbwright_model::catalog::TableKind;
use dbwright_model::change::Change;
use dbwright_model::name::Name;
use dbwright_model::plan::CheckQuery;

use super::builder::Builder;
use super::{Refusal, not_null, query};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::ValidateConstraint { table, constraint, .. } => {
            let table = builder.table(table)?;
            let check = table.checks.iter().find(|check| check.name.as_ref() == Some(constraint));
            let key = table.foreign_keys.iter().find(|key| key.name.as_ref() == Some(constraint));
            let pre_check = match (check, key) {
                (Some(check), _) => Some(query::violations(builder, &table, check)),
                (None, Some(key)) => query::orphans(builder, &table, key),
                (None, None) => None,
            };
            validate(builder, &table.name, constraint, pre_check)
        }
        Change::AddCheck { table, check, .. } => {
            let table = builder.table(table)?;
            let name = added(builder, change)?;
            let mut not_valid = change.clone();
            if let Change::AddCheck { check, .. } = &mut not_valid {
                check.name = Some(name.clone());
                check.validated = false;
            }
            if !check.validated || !check.enforced {
                return builder.direct(change);
            }
            let pre_check = query::violations(builder, &table, check);
            let step = builder
                .brief(format!("Check new rows of `{}` with `{name}`.", table.name), vec![not_valid])?;
            // Once it is in force, a row that violates it could not be written any more, whatever of it is changed.
            step.pre_check = Some(pre_check.clone());
            validate(builder, &table.name, &name, Some(pre_check))
        }
        Change::AddForeignKey { table, foreign_key, .. } => {
            let table = builder.table(table)?;
            if !foreign_key.validated || !foreign_key.enforced {
                return builder.direct(change);
            }
            if matches!(table.kind, TableKind::Partitioned { .. }) && !builder.since(18) {
                return Err(
                    "before PostgreSQL 18 a foreign key of a partitioned table cannot be `NOT VALID`: add it to each partition, validate it there, and add it to the table last"
                        .to_owned(),
                );
            }
            let name = added(builder, change)?;
            let mut not_valid = change.clone();
            if let Change::AddForeignKey { foreign_key, .. } = &mut not_valid {
                foreign_key.name = Some(name.clone());
                foreign_key.validated = false;
            }
            let settled = builder.imagine(std::slice::from_ref(&not_valid));
            let keys = settled.table(&table.name).into_iter().flat_map(|table| &table.foreign_keys);
            let key = keys.into_iter().find(|key| key.name.as_ref() == Some(&name));
            let pre_check = key.and_then(|key| query::orphans(builder, &table, key));
            let step = builder
                .brief(format!("Check new rows of `{}` with `{name}`.", table.name), vec![not_valid])?;
            step.pre_check.clone_from(&pre_check);
            validate(builder, &table.name, &name, pre_check)
        }
        _ => Ok(()),
    }
}

/// The name of the check or foreign key that a change adds, the server's own when it says none.
fn added(builder: &Builder<'_>, change: &Change) -> Result<Name, Refusal> {
    let (table, said) = match change {
        Change::AddCheck { table, check, .. } => (table, &check.name),
        Change::AddForeignKey { table, foreign_key, .. } => (table, &foreign_key.name),
        _ => return Err("it adds no constraint".to_owned()),
    };
    if let Some(name) = said {
        return Ok(name.clone());
    }
    let table = builder.table(table)?;
    let after = builder.imagine(std::slice::from_ref(change));
    let after = after.table(&table.name).ok_or("the table is not known after the change")?;
    let names = |table: &dbwright_model::catalog::Table| -> Vec<Name> {
        let checks = table.checks.iter().filter_map(|check| check.name.clone());
        checks.chain(table.foreign_keys.iter().filter_map(|key| key.name.clone())).collect()
    };
    let old = names(&table);
    let new = names(after).into_iter().find(|name| !old.contains(name));
    new.ok_or_else(|| "the name of the new constraint is not known".to_owned())
}

/// Checks the rows that are there.
pub(super) fn validate(
    builder: &mut Builder<'_>,
    table: &dbwright_model::name::QualifiedName,
    constraint: &Name,
    pre_check: Option<CheckQuery>,
) -> Result<(), Refusal> {
    let table = builder.table(table)?;
    let verify = query::not_validated(builder, &table, constraint);
    let change = not_null::validate(&table, constraint);
    let name = format!("Check the rows of `{}` with `{constraint}`.", table.name);
    let step = builder.long(name, vec![change])?;
    step.pre_check = pre_check;
    step.verify = Some(verify);
    Ok(())
}
