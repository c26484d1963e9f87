//! Columns whose value must be reckoned for every row: added empty, filled in batches.

use dbwright_model::catalog::{Column, Sequence, Table};
use dbwright_model::change::{AlterClauses, Change, ColumnPosition, SequenceChanges};
use dbwright_model::data_type::DataType;
use dbwright_model::expression::Expression;
use dbwright_model::name::QualifiedName;
use dbwright_model::plan::Work;

use super::builder::Builder;
use super::{Refusal, not_null};

pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let Change::AddColumn { table, column, if_not_exists, .. } = change else { return Ok(()) };
    let table = builder.table(table)?;
    if *if_not_exists && table.column(column.name.as_str()).is_some() {
        return Ok(());
    }
    let effects = builder.effects(change);
    if effects.refused.is_none() && effects.blocking().next().is_none() && effects.demands.is_empty() {
        return builder.direct(change);
    }
    if column.generated.is_some() {
        return Err(
            "the server writes every row anew for a stored generated column: add a plain column that a trigger fills, or compute the value when reading"
                .to_owned(),
        );
    }
    if column.identity.is_some() {
        return identity(builder, &table, column, change);
    }
    if column.auto_increment {
        return serial(builder, &table, column, change);
    }
    let Some(default) = &column.default else {
        if column.not_null {
            return without_default(builder, &table, column);
        }
        return Err("the server writes every row anew for a column of this type".to_owned());
    };
    add_empty(builder, &table, column)?;
    let value = default.text.clone();
    set_default(builder, &table, column, Some(default.clone()))?;
    fill(builder, &table, column, value)
}

/// A column that demands a value and has none to give by itself: what writes rows must know it before it demands anything.
fn without_default(builder: &mut Builder<'_>, table: &Table, column: &Column) -> Result<(), Refusal> {
    add_empty(builder, table, column)?;
    let (first, name) = (builder.count(), &column.name);
    let written = format!("All running code gives new rows of `{}` a `{name}`", table.name);
    match builder.value_for(&table.name, name) {
        Some(value) => {
            fill(builder, table, column, value.to_owned())?;
            builder.wait_before(first, format!("{written}."));
        }
        None => {
            not_null::on_column(builder, table, name)?;
            builder
                .wait_before(first, format!("{written}, and the rows that were there before have one too."));
            builder.note(format!(
                "What `{name}` is in the rows that are there was not said: `--value {name}=...` has the plan write it; else fill them before step {}, which counts the rows without one and stops while there are any.",
                first + 1
            ));
        }
    }
    Ok(())
}

/// Adds the column without value, promise or default.
fn add_empty(builder: &mut Builder<'_>, table: &Table, column: &Column) -> Result<(), Refusal> {
    let add = add(
        table,
        Column {
            not_null: false,
            not_null_constraint: None,
            default: None,
            identity: None,
            auto_increment: false,
            ..column.clone()
        },
    );
    builder.brief(format!("Add `{}` to `{}` without a value.", column.name, table.name), vec![add])?;
    Ok(())
}

/// `ADD COLUMN`.
pub(super) fn add(table: &Table, column: Column) -> Change {
    Change::AddColumn {
        table: table.name.clone(),
        column: Box::new(column),
        position: ColumnPosition::Last,
        if_not_exists: false,
        alter: AlterClauses::default(),
    }
}

fn default_change(table: &Table, column: &Column, default: Option<Expression>) -> Change {
    Change::SetDefault {
        table: table.name.clone(),
        column: column.name.clone(),
        default,
        alter: AlterClauses::default(),
    }
}

fn set_default(
    builder: &mut Builder<'_>,
    table: &Table,
    column: &Column,
    default: Option<Expression>,
) -> Result<(), Refusal> {
    let change = default_change(table, column, default);
    builder.brief(format!("Give new rows of `{}` their `{}`.", table.name, column.name), vec![change])?;
    Ok(())
}

/// Fills the column of the rows that are there, and demands a value where the column does.
fn fill(builder: &mut Builder<'_>, table: &Table, column: &Column, value: String) -> Result<(), Refusal> {
    let filter = format!("{} IS NULL", builder.quoted(&column.name));
    builder.backfill(
        format!("Give the rows of `{}` their `{}`.", table.name, column.name),
        table,
        vec![(column.name.clone(), value)],
        filter,
    );
    if column.not_null || column.identity.is_some() || column.auto_increment {
        not_null::on_column(builder, table, &column.name)?;
    }
    Ok(())
}

/// A call of the next value of a sequence, as the server prints it.
fn next_value(sequence: &QualifiedName, builder: &Builder<'_>) -> String {
    let name = builder.quoted_name(sequence).replace('\'', "''");
    format!("nextval('{name}'::regclass)")
}

fn new_sequence(name: QualifiedName, data_type: DataType) -> Sequence {
    let max = data_type.max_integer().map_or(i64::MAX, |max| max.min(i64::MAX as u64) as i64);
    Sequence { name, data_type, start: 1, increment: 1, min: 1, max, cycle: false, owned_by: None }
}

/// The sequence that the server makes for the column, as the change by itself would leave it.
fn made_sequence(
    builder: &Builder<'_>,
    table: &Table,
    column: &Column,
    change: &Change,
) -> Result<(Column, Sequence), Refusal> {
    let after = builder.imagine(std::slice::from_ref(change));
    let made = after.table(&table.name).and_then(|table| table.column(column.name.as_str())).cloned();
    let made = made.ok_or("the column is not known after the change")?;
    let name = made.sequence.clone().ok_or("the sequence of the column is not known")?;
    let sequence = after.sequences.iter().find(|sequence| sequence.name == name).cloned();
    Ok((made, sequence.ok_or("the sequence of the column is not known")?))
}

fn serial(builder: &mut Builder<'_>, table: &Table, column: &Column, change: &Change) -> Result<(), Refusal> {
    let (made, sequence) = made_sequence(builder, table, column, change)?;
    let name = sequence.name.clone();
    let create = Change::CreateSequence {
        sequence: new_sequence(name.clone(), sequence.data_type.clone()),
        if_not_exists: false,
    };
    builder.brief(format!("Make the sequence `{name}`."), vec![create])?;
    add_empty(builder, table, column)?;
    let own = Change::AlterSequence {
        name: name.clone(),
        changes: SequenceChanges {
            owned_by: Some(Some((table.name.clone(), column.name.clone()))),
            ..SequenceChanges::default()
        },
        if_exists: false,
    };
    let default = default_change(table, column, made.default.clone());
    builder.brief(
        format!("Give new rows of `{}` their `{}` from the sequence.", table.name, column.name),
        vec![default, own],
    )?;
    let value = next_value(&name, builder);
    fill(builder, table, column, value)
}

/// A sequence of the plan's own numbers the rows; in the end the identity takes its place and its position.
fn identity(
    builder: &mut Builder<'_>,
    table: &Table,
    column: &Column,
    change: &Change,
) -> Result<(), Refusal> {
    let (_, sequence) = made_sequence(builder, table, column, change)?;
    let numbers = QualifiedName {
        schema: table.name.schema.clone(),
        name: builder.free_name(
            &table.name.schema,
            &format!("{}_{}", table.name.name, column.name),
            "numbers",
        ),
    };
    let create = Change::CreateSequence {
        sequence: new_sequence(numbers.clone(), sequence.data_type.clone()),
        if_not_exists: false,
    };
    builder.brief(format!("Make the sequence `{numbers}`."), vec![create])?;
    add_empty(builder, table, column)?;
    let value = next_value(&numbers, builder);
    set_default(builder, table, column, Some(Expression::text(value.clone())))?;
    fill(builder, table, column, value)?;
    let identity = Change::SetIdentity {
        table: table.name.clone(),
        column: column.name.clone(),
        identity: column.identity,
        alter: AlterClauses::default(),
        options: SequenceChanges::default(),
        if_exists: false,
    };
    let position = format!(
        "SELECT setval('{}', (SELECT last_value FROM {}))",
        builder.quoted_name(&sequence.name).replace('\'', "''"),
        builder.quoted_name(&numbers)
    );
    let step = builder.brief(
        format!("Make `{}` of `{}` an identity that goes on counting.", column.name, table.name),
        vec![default_change(table, column, None), identity],
    )?;
    step.work.push(Work::Sql(position));
    let drop = Change::DropSequence { name: numbers.clone(), if_exists: false, cascade: false };
    builder.brief(format!("Drop the sequence `{numbers}`."), vec![drop])?;
    Ok(())
}
