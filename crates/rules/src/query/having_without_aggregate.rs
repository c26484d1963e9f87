use dbwright_model::engine::Engine;
use dbwright_model::expression::{Expr, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Workload],
    engines: Engines::only(Engine::Mysql, "its planner moves such conditions before the grouping by itself"),
    when: "a condition of `HAVING` tests only columns of `GROUP BY`",
    then: "Rows are grouped first and thrown away afterwards, and no index helps to find them.",
    instead: "Move the condition to `WHERE`.",
    source: "executed rewrites: equal when only grouping columns are tested and there is a GROUP BY",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let late = read.blocks.iter().filter_map(|block| block.select).any(is_late);
        late.then(|| {
            statements::found(
                read.statement,
                format!(
                    "`HAVING` tests a grouping column of {} after all its rows were grouped.",
                    read.tables()
                ),
            )
            .remedy(Remedy::manual(RULE.instead))
        })
    });
}

fn is_late(select: &Select) -> bool {
    let Some(having) = &select.having else { return false };
    if select.group_by.is_empty() || select.grouping_sets {
        return false;
    }
    having.conjuncts().into_iter().any(|term| {
        let mut columns = 0;
        let mut plain = true;
        term.walk(&mut |expr| match expr {
            Expr::Column { name, .. } => {
                columns += 1;
                // A name of the select list may stand for an aggregate.
                let alias = select
                    .items
                    .iter()
                    .any(|item| item.alias.as_ref().is_some_and(|alias| alias.eq_ignore_case(name.as_str())));
                plain &= !alias && select.group_by.contains(expr);
            }
            Expr::Call(_)
            | Expr::Subquery(_)
            | Expr::Exists { .. }
            | Expr::InQuery { .. }
            | Expr::Other { .. } => {
                plain = false;
            }
            _ => {}
        });
        plain && columns > 0
    })
}
