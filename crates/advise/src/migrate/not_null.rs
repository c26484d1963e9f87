//! `NOT NULL` without a scan under a strong lock: a check that is validated first stands in for the scan.

use dbwright_model::catalog::{Check, NotNull, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, DroppedConstraint};
use dbwright_model::expression::{Expr, Expression};
use dbwright_model::name::{Name, QualifiedName};

use super::builder::Builder;
use super::{Knowledge, Refusal, query};

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
    if let Some(value) = builder.value_for(&table.name, column).map(str::to_owned) {
        let filter = format!("{} IS NULL", builder.quoted(column));
        let name = format!("Give the rows of `{}` without `{column}` one.", table.name);
        builder.backfill(name, &table, vec![(column.clone(), value)], filter);
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
        let step = builder.brief(format!("Refuse new nulls in `{column}` of `{name}`."), vec![add])?;
        step.pre_check = Some(pre_check.clone());
        let verify = query::not_validated(builder, table, &usual);
        let validate = validate(table, &usual);
        let step = builder
            .long(format!("Check that no row of `{name}` has a null in `{column}`."), vec![validate])?;
        step.pre_check = Some(pre_check);
        step.verify = Some(verify);
        return Ok(());
    }
    let check = builder.free_name(&name.schema, &format!("{}_{column}", name.name), "not_null");
    let add = demand(builder.knowledge(), table, column, &check);
    let step = builder.brief(format!("Refuse new nulls in `{column}` of `{name}`."), vec![add])?;
    // Once it is in force, a row with a null could not be written any more, whatever of it is changed.
    step.pre_check = Some(pre_check.clone());
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
    builder.brief(
        format!("Set `{column}` of `{name}` not null; the validated check spares the scan."),
        vec![set, drop],
    )?;
    Ok(())
}

/// `NOT NULL` again where it was given up, without a scan under a strong lock.
pub(super) fn again(know: &dyn Knowledge, table: &Table, column: &Name) -> Vec<Change> {
    let name = way_back_check(table, column);
    let alter = AlterClauses::default();
    vec![
        demand(know, table, column, &name),
        validate(table, &name),
        Change::SetNotNull {
            table: table.name.clone(),
            column: column.clone(),
            not_null: true,
            alter: alter.clone(),
        },
        Change::DropConstraint {
            table: table.name.clone(),
            constraint: DroppedConstraint::Named(name),
            if_exists: false,
            cascade: false,
            alter,
        },
    ]
}

/// The name of the check that stands in for the scan on the way back.
pub(super) fn way_back_check(table: &Table, column: &Name) -> Name {
    let base = format!("{}_{column}", table.name.name);
    let end = (0..=base.len().min(57)).rev().find(|end| base.is_char_boundary(*end)).unwrap_or(0);
    Name::from(format!("{}__back", &base[..end]))
}

/// The question to be asked before a change of a way back: where it is the check that stands in for the scan of a `NOT NULL`
/// which the way back sets.
pub(super) fn guard(know: &dyn Knowledge, change: &Change, back: &[Change]) -> Option<String> {
    let Change::AddCheck { table, check, .. } = change else { return None };
    let column = refuses_nulls_in(check)?;
    let sets = back.iter().any(|other| {
        matches!(other, Change::SetNotNull { table: of, column: set, not_null: true, .. } if of == table && set == column)
    });
    let passes = back.iter().any(|other| {
        matches!(other, Change::DropConstraint { table: of, constraint: DroppedConstraint::Named(name), .. }
            if of == table && check.name.as_ref() == Some(name))
    });
    (sets && passes).then(|| no_nulls(know, table, column))
}

/// The column that a check refuses nulls in, if it says nothing else.
fn refuses_nulls_in(check: &Check) -> Option<&Name> {
    let Expr::IsNull { operand, negated: true } = check.expression.tree.as_deref()? else { return None };
    match operand.as_ref() {
        Expr::Column { name, .. } => Some(name),
        _ => None,
    }
}

/// A question that fails when rows bar the way back, so that nothing of it is begun: the check of the way back would refuse
/// what the application writes, and stay in force.
pub(super) fn no_nulls(know: &dyn Knowledge, table: &QualifiedName, column: &Name) -> String {
    let parts = [&table.schema, &table.name].into_iter().filter(|part| !part.is_empty());
    let quoted: Vec<String> = parts.map(|part| know.identifier(part.as_str())).collect();
    let column = know.identifier(column.as_str());
    format!(
        "SELECT (count(*) || ' rows have no value in {}, so that it cannot be NOT NULL again')::integer FROM {} WHERE {column} IS NULL HAVING count(*) > 0",
        column.replace('\'', "''"),
        quoted.join(".")
    )
}

/// A check against nulls that old rows are not checked with yet.
pub(super) fn demand(know: &dyn Knowledge, table: &Table, column: &Name, check: &Name) -> Change {
    let text = format!("{} IS NOT NULL", know.identifier(column.as_str()));
    let tree = Expr::IsNull { operand: Box::new(Expr::column(column)), negated: true };
    Change::AddCheck {
        table: table.name.clone(),
        check: Check {
            name: Some(check.clone()),
            expression: Expression::parsed(text, tree),
            validated: false,
            ..Check::default()
        },
        alter: AlterClauses::default(),
    }
}

pub(super) fn validate(table: &Table, constraint: &Name) -> Change {
    Change::ValidateConstraint {
        table: table.name.clone(),
        constraint: constraint.clone(),
        alter: AlterClauses::default(),
    }
}
