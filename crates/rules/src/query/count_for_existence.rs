use dbwright_model::expression::{Call, Expr, Query, QueryBody, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{comparison, number};
use crate::statements::{self, Read};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "rows are counted only to learn whether there is one",
    then: "All of them are read although the first would do.",
    instead: "Write `EXISTS (SELECT 1 ...)` or `NOT EXISTS`.",
    source: "an equivalent rewrite; `EXISTS` stops at the first row",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let counted = read.blocks.iter().any(|block| {
            let items = block.select.into_iter().flat_map(|select| &select.items).map(|item| &item.expr);
            // `SELECT count(*) > 0 FROM t` counts the block's own rows.
            let plain = block.select.is_some_and(is_plain);
            block.tests().into_iter().chain(items).any(|expr| {
                let mut found = false;
                expr.walk(&mut |expr| found |= asks_for_one(expr, plain, read));
                found
            })
        });
        counted.then(|| {
            statements::found(
                read.statement,
                format!("Rows of {} are counted only to see whether there is one.", read.tables()),
            )
            .remedy(Remedy::manual(RULE.instead))
        })
    });
}

/// `count > 0`, `count >= 1`, `count = 0` and their mirror images.
fn asks_for_one(expr: &Expr, own_rows: bool, read: &Read<'_>) -> bool {
    let Some((op, left, right)) = comparison(expr) else { return false };
    let is_counted = |expr: &Expr| match expr {
        Expr::Subquery(query) => is_plain_count(query),
        Expr::Call(call) => own_rows && is_count(call),
        _ => false,
    };
    if is_counted(left) && read.hides(right) || is_counted(right) && read.hides(left) {
        return false;
    }
    let (op, counted, bound) = match (number(left), number(right)) {
        (None, Some(bound)) => (op, left, bound),
        (Some(bound), None) => {
            let mirrored = match op {
                "<" => ">",
                ">" => "<",
                "<=" => ">=",
                ">=" => "<=",
                same => same,
            };
            (mirrored, right, bound)
        }
        _ => return false,
    };
    let existence = match op {
        ">" | "=" | "==" | "<>" | "!=" => bound == 0.0,
        ">=" | "<" => bound == 1.0,
        _ => false,
    };
    existence && is_counted(counted)
}

fn is_plain_count(query: &Query) -> bool {
    let QueryBody::Select(select) = &query.body else { return false };
    let [item] = select.items.as_slice() else { return false };
    query.limit.is_none() && is_plain(select) && matches!(&item.expr, Expr::Call(call) if is_count(call))
}

/// One result row over all rows of at least one source.
fn is_plain(select: &Select) -> bool {
    !select.from.is_empty()
        && select.group_by.is_empty()
        && !select.grouping_sets
        && select.having.is_none()
        && select.items.len() == 1
}

fn is_count(call: &Call) -> bool {
    call.function() == "count"
        && !call.window
        && call.filter.is_none()
        && matches!(call.args.as_slice(), [Expr::Wildcard { .. } | Expr::Literal(_)])
}
