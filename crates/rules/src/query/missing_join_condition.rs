use dbwright_model::expression::{Expr, FromItem, JoinKind, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{equated, hold_a_key, is_small};
use crate::query_scope::{Block, Names};
use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "nothing connects two tables of a `FROM`",
    then: "Every row of the one is paired with every row of the other.",
    instead: "Add the condition that connects the tables, or write `CROSS JOIN` if the product is wanted.",
    source: "common review finding; plans show it as a nested loop without a join filter",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let one = read.blocks.iter().find_map(|block| unconnected(context, names, block))?;
        Some(
            statements::found(
                read.statement,
                format!("Nothing connects {one}, so each row of one is paired with each of the other."),
            )
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

/// Two tables of a block that no condition connects, in words. Whatever is not known counts as connected.
fn unconnected(context: &Context<'_>, names: &Names<'_>, block: &Block<'_>) -> Option<String> {
    let sources = block.sources();
    if sources.len() < 2 || block.select.is_none() || block.from.iter().any(is_deliberate) {
        return None;
    }
    let mut group: Vec<usize> = (0..sources.len()).collect();
    let depth = block.levels.len() - 1;
    let mut terms = block.join_conditions();
    terms.extend(block.filter.into_iter().flat_map(Expr::conjuncts));
    for term in terms {
        let mut touched: Vec<usize> = Vec::new();
        let mut certain = true;
        term.walk(&mut |expr| match expr {
            Expr::Column { .. } => match block.resolve(names, expr) {
                Some(column) if column.source.0 == depth => touched.push(column.source.1),
                Some(_) => {}
                None => certain = false,
            },
            Expr::Exists { .. } | Expr::Subquery(_) | Expr::InQuery { .. } | Expr::Other { .. } => {
                certain = false
            }
            _ => {}
        });
        if !certain {
            return None;
        }
        for pair in touched.windows(2) {
            let (from, to) = (group[pair[1]], group[pair[0]]);
            group.iter_mut().filter(|own| **own == from).for_each(|own| *own = to);
        }
    }
    // Sources without a table, with one row, or held to a constant that the others may be held to as well.
    let plain: Vec<usize> = (0..sources.len())
        .filter(|at| {
            sources[*at].table().is_some_and(|table| {
                let fixed = equated(block, names, (depth, *at));
                let columns: Vec<_> = fixed.iter().map(|column| &column.column.name).collect();
                !hold_a_key(table, &columns) && !is_small(context, table, 2.0)
            })
        })
        .collect();
    let held = |at: usize| {
        (0..sources.len())
            .any(|other| group[other] == group[at] && !equated(block, names, (depth, other)).is_empty())
    };
    let first = *plain.first()?;
    let other = plain.iter().copied().find(|at| {
        group[*at] != group[first] && !(held(*at) && held(first)) && !is_generated(sources.len())
    })?;
    let (one, two) = (sources[first].table()?, sources[other].table()?);
    if one.name != two.name {
        return Some(format!("`{}` and `{}`", one.name, two.name));
    }
    // Which of two places a column is of cannot be told where both bear one name.
    let (here, there) = (sources[first].name?, sources[other].name?);
    (here != there).then(|| format!("`{here}` and `{there}`, both of them `{}`", one.name))
}

/// Statements that join dozens of sources are generated; too much in them is not known.
fn is_generated(sources: usize) -> bool {
    sources > 20
}

/// Whether the product was asked for, or the join names its columns in a way that is not resolved here.
fn is_deliberate(item: &FromItem) -> bool {
    let nested = |source: &Source| match source {
        Source::Nested(inner) => is_deliberate(inner),
        Source::Table { .. } => false,
        // Rows of functions and subqueries may refer to what stands before them.
        Source::Query { lateral, .. } => *lateral,
        Source::Function { .. } | Source::Other(_) => true,
    };
    nested(&item.source)
        || item.joins.iter().any(|join| {
            join.kind == JoinKind::Cross
                || join.natural
                || !join.using.is_empty()
                || matches!(&join.on, Some(on) if on.columns().is_empty())
                || nested(&join.source)
        })
}
