use dbwright_model::expression::{Expr, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{equated, is_small, number};
use crate::query_scope::{Block, Names, Role, is_constant};
use crate::statements::{self, Read};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "a list is cut off with `LIMIT` and has no order",
    then: "Which rows come back is left to chance and changes with the plan.",
    instead: "Add an `ORDER BY` that ends in a unique column.",
    source: "documentation of all four servers",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let block = read
            .blocks
            .iter()
            .find(|block| block.role == Role::Top && is_cut(context, names, read, block))?;
        let table = block.sources().iter().find_map(|bound| bound.table())?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "Rows of `{}` are cut off by `LIMIT` without an order: which ones is left to chance.",
                    table.name
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn is_cut<'a>(context: &Context<'_>, names: &Names<'a>, read: &Read<'a>, block: &Block<'a>) -> bool {
    let (Some(query), Some(select)) = (block.query, block.select) else { return false };
    let Some(limit) = &query.limit else { return false };
    // A queue takes whatever is free, a single row is a look-up, and an existence test wants any row.
    if !query.order_by.is_empty() || query.locking.is_some() || is_single_row(select) {
        return false;
    }
    if select.items.iter().all(|item| is_constant(&item.expr)) {
        return false;
    }
    let cut = match number(limit) {
        Some(rows) => rows >= 2.0 || (rows == 1.0 && query.offset.is_some()),
        // Normalised look-ups of one row have a parameter as their limit too: they return one row at most.
        None if matches!(limit, Expr::Parameter(_)) => {
            let several = read.statement.rows.zip(read.statement.calls).map(|(rows, calls)| rows > calls);
            query.offset.is_some() || several.unwrap_or(false)
        }
        None => false,
    };
    let depth = block.levels.len() - 1;
    let all_known =
        !block.sources().is_empty() && block.sources().iter().all(|bound| bound.table().is_some());
    let pinned = block.sources().iter().enumerate().any(|(at, bound)| {
        let fixed = equated(block, names, (depth, at));
        let columns: Vec<_> = fixed.iter().map(|column| &column.column.name).collect();
        bound.table().is_some_and(|table| {
            (block.sources().len() == 1 && crate::predicates::hold_a_key(table, &columns))
                || is_small(context, table, 2.0)
        })
    });
    let stands = all_known && !pinned;
    let told = read.statement.rows.is_some() && read.statement.calls.is_some();
    if stands && !cut && !told {
        read.hides(limit);
    }
    stands && cut
}

/// An aggregate without groups returns one row.
fn is_single_row(select: &Select) -> bool {
    select.group_by.is_empty()
        && select.items.iter().any(|item| {
            let mut aggregate = false;
            item.expr.walk(&mut |expr| {
                aggregate |= matches!(expr, Expr::Call(call) if !call.window
                    && matches!(call.function(), "count" | "sum" | "min" | "max" | "avg" | "total"));
            });
            aggregate
        })
}
