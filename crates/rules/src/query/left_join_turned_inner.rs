use dbwright_model::expression::{Expr, FromItem, JoinKind, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::null_rejected;
use crate::query_scope::{Block, Names, Resolved};
use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`WHERE` asks for a value in a table that is joined with `LEFT JOIN`",
    then: "Rows without a partner are dropped after all, as an inner join would do.",
    instead: "Move the condition to `ON` if those rows are wanted, otherwise write `JOIN`.",
    source: "common review finding; the planners turn it into an inner join",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let column = read.blocks.iter().find_map(|block| dropped(names, block))?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "`WHERE` tests `{}.{}` of a left join, which drops the rows without a partner that the join keeps.",
                    column.table.name, column.column.name
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn dropped<'a>(names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    if block.from.iter().any(|item| !only_left(item)) {
        return None;
    }
    let depth = block.levels.len() - 1;
    block.filter?.conjuncts().into_iter().flat_map(null_rejected).find_map(|operand: &Expr| {
        let column = block.resolve(names, operand)?;
        (column.null_extended && column.source.0 == depth).then_some(column)
    })
}

/// With full and right joins it is seldom clear what was meant.
fn only_left(item: &FromItem) -> bool {
    let plain = |source: &Source| !matches!(source, Source::Nested(_));
    plain(&item.source)
        && item.joins.iter().all(|join| {
            plain(&join.source) && matches!(join.kind, JoinKind::Left | JoinKind::Inner | JoinKind::Cross)
        })
}
