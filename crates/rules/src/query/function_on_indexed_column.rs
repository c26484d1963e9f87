use dbwright_model::capability::Capability;
use dbwright_model::catalog::Column;
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Engine;
use dbwright_model::expression::{Call, Expr};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{found_by_index, has_expression_over, is_indexed, is_small, tested};
use crate::query_scope::{Block, Names, Resolved, is_constant};
use crate::statements;
use crate::{Context, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 4,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "a condition wraps an indexed column in a function or a cast",
    then: "The index is sorted by the column and not by the function's result, so the whole table is read.",
    instead: "Compare the bare column with a range, or index the expression.",
    options: &[OptionSpec {
        name: "rows",
        default: OptionValue::Number(1_000.0),
        help: "rows below which a table is too small to matter, where its size is known",
    }],
    source: "documentation of all four servers; plans",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let (column, what, stable) = read.blocks.iter().find_map(|block| wrapped(context, names, block))?;
        let instead = match (stable, context.engine() != Engine::Mariadb) {
            (true, true) => RULE.instead,
            (true, false) => WITHOUT_EXPRESSIONS,
            (false, _) => NOT_IMMUTABLE,
        };
        Some(
            statements::found(
                read.statement,
                format!(
                    "A condition wraps the indexed column `{}.{}` in {what}, so that its index is not used.",
                    column.table.name, column.column.name
                ),
            )
            .remedy(Remedy::manual(instead)),
        )
    });
}

fn wrapped<'a>(
    context: &Context<'_>,
    names: &Names<'a>,
    block: &Block<'a>,
) -> Option<(Resolved<'a>, String, bool)> {
    block.conditions().into_iter().find_map(|term| {
        let operand = tested(term)?;
        let (inner, what) = inside(operand)?;
        let column = block.resolve(names, inner)?;
        if let Expr::Call(call) = operand
            && is_seen_through(context, call)
        {
            return None;
        }
        if let Expr::Cast { to, .. } = operand
            && !changes_order(&column.column.data_type, to)
        {
            return None;
        }
        let indexed = is_indexed(column.table, &column.column.name)
            && !has_expression_over(column.table, &column.column.name)
            && !found_by_index(block, names, column.source)
            && !is_small(context, column.table, context.number("rows"));
        indexed.then(|| (column, what, can_be_indexed(context, column.column, operand)))
    })
}

/// What to do where the server has no indexes of expressions.
const WITHOUT_EXPRESSIONS: &str =
    "Compare the bare column with a range, or index a generated column that holds the expression.";

/// What to do where the server refuses an index of the expression.
const NOT_IMMUTABLE: &str = "Compare the bare column with a range; the expression cannot be indexed, since its result depends on settings of the session such as the time zone.";

/// Functions whose result depends on settings of the session, whatever they are given (PostgreSQL).
const STABLE: &[&str] = &["age", "concat", "concat_ws", "format", "to_char", "to_date", "to_timestamp"];

/// Whether an index could be made of an expression: PostgreSQL demands that its result is the same for ever.
fn can_be_indexed(context: &Context<'_>, column: &Column, expr: &Expr) -> bool {
    if context.engine() != Engine::Postgres {
        return true;
    }
    let kind = column.data_type.kind;
    match expr {
        // With a time zone of their own they ask no setting.
        Expr::Call(call) if call.function() == "timezone" => true,
        Expr::Call(call) if call.function() == "date_trunc" && call.args.len() > 2 => true,
        Expr::Call(call) => kind != TypeKind::TimestampTz && !STABLE.contains(&call.function()),
        Expr::Cast { to, .. } => match kind {
            TypeKind::TimestampTz => false,
            TypeKind::Timestamp => to == "date" || to.starts_with("time"),
            TypeKind::Date => false,
            kind if kind.is_text() => !to.starts_with("date") && !to.starts_with("time"),
            _ => true,
        },
        _ => true,
    }
}

/// The column inside a call or cast whose other arguments are constants.
fn inside(expr: &Expr) -> Option<(&Expr, String)> {
    match expr {
        Expr::Call(call) if !call.window && call.filter.is_none() && !is_aggregate(call.function()) => {
            let mut varying = call.args.iter().filter(|arg| !is_constant(arg));
            let (inner, None) = (varying.next()?.without_casts(), varying.next()) else { return None };
            matches!(inner, Expr::Column { .. }).then(|| (inner, format!("`{}`", call.function())))
        }
        Expr::Cast { operand, .. } if matches!(operand.as_ref(), Expr::Column { .. }) => {
            Some((operand, "a cast".to_owned()))
        }
        _ => None,
    }
}

fn is_aggregate(function: &str) -> bool {
    matches!(
        function,
        "count" | "sum" | "avg" | "min" | "max" | "total" | "group_concat" | "string_agg" | "array_agg"
    )
}

/// Functions that the server itself turns into a range over the column.
fn is_seen_through(context: &Context<'_>, call: &Call) -> bool {
    context.can(Capability::SargableDates) && matches!(call.function(), "date" | "year" | "upper" | "ucase")
}

/// Whether a cast leads to values that are sorted otherwise than the column, so that its index is of no use.
fn changes_order(from: &DataType, to: &str) -> bool {
    let text = ["text", "varchar", "char", "character", "nchar", "citext", "name"];
    let to_text = text.iter().any(|name| to.starts_with(name));
    match from.kind {
        TypeKind::Timestamp | TypeKind::TimestampTz => {
            to_text || to == "date" || to.starts_with("time without") || to == "time"
        }
        kind if kind.is_integer() => to_text,
        TypeKind::Uuid | TypeKind::Date => to_text,
        kind if kind.is_text() => !to_text,
        _ => false,
    }
}
