use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{found_by_index, has_expression_over, is_indexed, is_small, number, tested};
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
    when: "a condition calculates with an indexed column instead of with the value that it is compared to",
    then: "The index is sorted by the column and not by the result, so the whole table is read.",
    instead: "Leave the column alone on its side and calculate with the constant.",
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
        let column = read.blocks.iter().find_map(|block| calculated(context, names, block))?;
        let instead = match is_time(column.column.data_type.kind) {
            true => OF_TIMES,
            false => RULE.instead,
        };
        Some(
            statements::found(
                read.statement,
                format!(
                    "A condition calculates with the indexed column `{}.{}`, so that its index is not used.",
                    column.table.name, column.column.name
                ),
            )
            .remedy(Remedy::manual(instead)),
        )
    });
}

/// What to do with times. Months are of several lengths, so that they cannot always be moved to the other side.
const OF_TIMES: &str = "Compare the bare column, as in `created_at < now() - interval '7 days'`; with months and years look at the ends of months.";

fn calculated<'a>(context: &Context<'_>, names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    block.conditions().into_iter().find_map(|term| {
        let inner = inside(tested(term)?)?;
        let column = block.resolve(names, inner)?;
        let kind = column.column.data_type.kind;
        let sure = (kind.is_numeric() || is_time(kind))
            && is_indexed(column.table, &column.column.name)
            && !has_expression_over(column.table, &column.column.name)
            && !found_by_index(block, names, column.source)
            && !is_small(context, column.table, context.number("rows"));
        sure.then_some(column)
    })
}

fn is_time(kind: TypeKind) -> bool {
    matches!(kind, TypeKind::Date | TypeKind::Timestamp | TypeKind::TimestampTz)
}

/// The column in a calculation that can be done on the other side of a comparison as well.
fn inside(expr: &Expr) -> Option<&Expr> {
    let Expr::Binary { op, left, right } = expr else { return None };
    let (varying, constant) = match (is_constant(left), is_constant(right), op.as_str()) {
        (false, true, "+" | "-" | "*" | "/") => (left, right),
        (true, false, "+" | "-" | "*") => (right, left),
        _ => return None,
    };
    // Who adds 0 wants the index not to be used.
    let neutral = match op.as_str() {
        "+" | "-" => 0.0,
        _ => 1.0,
    };
    if number(constant) == Some(neutral) {
        return None;
    }
    match varying.as_ref() {
        column @ Expr::Column { .. } => Some(column),
        deeper => inside(deeper),
    }
}
