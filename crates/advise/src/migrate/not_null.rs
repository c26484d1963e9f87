//! `NOT NULL` without a scan under a strong lock: a check that is validated first stands in for the scan.

use dbwright_model::catalog::{Check, NotNull, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::Name;
use dbwright_model::plan::Undo;

use super::builder::Builder;
use super::{Refusal, query};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::SetNotNull { table, column, .. } = change else { return Ok(()) };
    let table = builder.table(table)?;
    let Some(current) = table.column(column.as_str()) else {
        return Err(format!("there is no column `{column}` in `{}`", table.name));
    };
    if current.not_null && current.not_null_constraint.as_ref().is_none_or(|constraint| constraint.validated)
    {
        return Ok(());
    }
    on_column(builder, &table, column)
}

/// The steps for one column, which may be one that the plan itself has added.
pub(super) fn on_column(builder: &mut Builder<'_>, table: &Table, column: &Name) -> Result<(), Refusal> {
    let name = &table.name;
    let usual = Name::from(format!("{}_{column}_not_null", name.name));
    let pre_check = query::nulls(builder, table, column);
    let ordinary = matches!(table.kind, TableKind::Ordinary);
    if builder.since(18) && ordinary && usual.as_str().len() <= 63 {
        let constraint = NotNull { name: None, validated: false, no_inherit: false };
        let add = Change::AddNotNull {
            table: name.clone(),
            column: column.clone(),
            constraint,
            alter: AlterClauses::default(),
        };
        builder.brief(format!("Refuse new nulls in `{column}` of `{name}`."), vec![add])?;
        let verify = query::not_validated(builder, table, &usual);
        let validate = validate(table, &usual);
        let step = builder
            .long(format!("Check that no row of `{name}` has a null in `{column}`."), vec![validate])?;
        step.pre_check = Some(pre_check);
        step.verify = Some(verify);
        return Ok(());
    }
    let check = builder.free_name(&name.schema, &format!("{}_{column}", name.name), "not_null");
    let text = format!("{} IS NOT NULL", builder.quoted(column));
    let tree = Expr::IsNull { operand: Box::new(Expr::column(column)), negated: true };
    let add = Change::AddCheck {
        table: name.clone(),
        check: Check {
            name: Some(check.clone()),
            expression: Expression::parsed(text, tree),
            validated: false,
            ..Check::default()
        },
        alter: AlterClauses::default(),
    };
    builder.brief(format!("Refuse new nulls in `{column}` of `{name}`."), vec![add])?;
    let verify = query::not_validated(builder, table, &check);
    let validate = validate(table, &check);
    let step =
        builder.long(format!("Check that no row of `{name}` has a null in `{column}`."), vec![validate])?;
    step.pre_check = Some(pre_check);
    step.verify = Some(verify);
    let set = Change::SetNotNull {
        table: name.clone(),
        column: column.clone(),
        not_null: true,
        alter: AlterClauses::default(),
    };
    let drop = Change::DropConstraint {
        table: name.clone(),
        constraint: DroppedConstraint::Named(check),
        if_exists: false,
        cascade: false,
        alter: AlterClauses::default(),
    };
    let loosen = Change::SetNotNull {
        table: name.clone(),
        column: column.clone(),
        not_null: false,
        alter: AlterClauses::default(),
    };
    let step = builder.brief(
        format!("Set `{column}` of `{name}` not null; the validated check spares the scan."),
        vec![set, drop],
    )?;
    // The check does not come back: it would be a scan under a strong lock, only to be dropped by the next undo.
    step.undo = Undo::Work(vec![loosen.into()]);
    Ok(())
}

pub(super) fn validate(table: &Table, constraint: &Name) -> Change {
    Change::ValidateConstraint {
        table: table.name.clone(),
        constraint: constraint.clone(),
        alter: AlterClauses::default(),
    }
}
