use dbwright_model::expression::{Expr, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`DISTINCT` is asked of groups whose columns are all in the list",
    then: "No two groups are equal, yet the server compares them once more.",
    instead: "Leave `DISTINCT` out.",
    source: "executed rewrites; follows from `GROUP BY`",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let redundant = read.blocks.iter().any(|block| block.select.is_some_and(is_redundant));
        redundant.then(|| {
            statements::found(
                read.statement,
                format!("`DISTINCT` looks for equal groups of {}, and no two groups are.", read.tables()),
            )
            .remedy(Remedy::manual(RULE.instead))
        })
    });
}

fn is_redundant(select: &Select) -> bool {
    let listed = |key: &Expr| {
        let in_place = matches!(key, Expr::Literal(_));
        in_place || select.items.iter().any(|item| item.expr == *key)
    };
    select.distinct.as_ref().is_some_and(Vec::is_empty)
        && !select.group_by.is_empty()
        && !select.grouping_sets
        && select.group_by.iter().all(listed)
}
