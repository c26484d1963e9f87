use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::null_rejected;
use crate::query_scope::{Block, Names, Resolved};
use crate::statements::{self, Read};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 6,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::ColumnStatistics],
    when: "the subquery of a `NOT IN` returns a column that can be null",
    then: "A single null makes the condition true for no row at all.",
    instead: "Write `NOT EXISTS`, or leave nulls out in the subquery.",
    source: "SQL standard, three-valued logic; executed on data with nulls",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let mut subqueries = Vec::new();
        for test in read.blocks.iter().flat_map(|block| block.tests()) {
            test.walk(&mut |expr| match expr {
                Expr::InQuery { query, negated: true, .. } => subqueries.push(query.as_ref()),
                Expr::Unary { op, operand } if op == "NOT" => {
                    if let Expr::InQuery { query, negated: false, .. } = operand.as_ref() {
                        subqueries.push(query.as_ref());
                    }
                }
                _ => {}
            });
        }
        subqueries.into_iter().find_map(|query| {
            let block =
                read.blocks.iter().find(|block| block.query.is_some_and(|own| std::ptr::eq(own, query)))?;
            found(context, read, nullable_result(names, block)?)
        })
    });
}

/// The only column of a block's result, if nulls can come out of it.
fn nullable_result<'a>(names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    let [item] = block.select?.items.as_slice() else { return None };
    let column = block.resolve(names, item.expr.without_casts())?;
    let same = |expr: &Expr| {
        block
            .resolve(names, expr)
            .is_some_and(|other| other.source == column.source && other.column.name == column.column.name)
    };
    let left_out = block.conditions().into_iter().flat_map(null_rejected).any(same);
    (column.can_be_null() && !left_out).then_some(column)
}

fn found(context: &Context<'_>, read: &Read<'_>, column: Resolved<'_>) -> Option<Found> {
    let statistics = context.column_statistics_of(&column.table.name, &column.column.name);
    let nulls = statistics.map(|statistics| statistics.null_fraction);
    let found = statements::found(
        read.statement,
        format!(
            "`NOT IN` reads `{}.{}`, which can be null: one null there and no row is found at all.",
            column.table.name, column.column.name
        ),
    )
    .evidence_if("share of nulls", nulls.map(|share| format!("{:.1} %", 100.0 * share)))
    .remedy(Remedy::manual(RULE.instead));
    Some(if nulls.is_some_and(|share| share > 0.0) { found.level(Level::Error) } else { found })
}
