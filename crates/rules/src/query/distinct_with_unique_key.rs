use dbwright_model::expression::{Expr, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::query_scope::{Block, Names};
use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`DISTINCT` is asked of rows of one table that contain its key",
    then: "No two of them can be equal, yet the server sorts or hashes them all to find out.",
    instead: "Leave `DISTINCT` out.",
    source: "WeTune: redundant DISTINCT is among the commonest inefficiencies of twenty web applications",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let block = read.blocks.iter().find(|block| is_redundant(names, block))?;
        let table = block.sources().first()?.table()?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "`DISTINCT` looks for equal rows of `{}`, whose key is among the columns.",
                    table.name
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn is_redundant<'a>(names: &Names<'a>, block: &Block<'a>) -> bool {
    let Some(select) = block.select else { return false };
    let [item] = select.from.as_slice() else { return false };
    let single = matches!(&item.source, Source::Table { .. }) && item.joins.is_empty();
    if !single || !select.distinct.as_ref().is_some_and(Vec::is_empty) || !select.group_by.is_empty() {
        return false;
    }
    let Some(table) = block.sources().first().and_then(|bound| bound.table()) else { return false };
    // Rows of children by inheritance can repeat the key.
    let Some(key) = table.primary_key.as_ref().filter(|_| table.inherits.is_empty()) else { return false };
    let depth = block.levels.len() - 1;
    let listed: Vec<&Name> = select
        .items
        .iter()
        .filter_map(|item| block.resolve(names, &item.expr))
        .filter(|column| column.source.0 == depth)
        .map(|column| &column.column.name)
        .collect();
    let all = select.items.iter().any(|item| matches!(item.expr, Expr::Wildcard { .. }));
    let not_null =
        key.columns.iter().all(|name| table.column(name.as_str()).is_some_and(|column| column.not_null));
    not_null && !key.columns.is_empty() && (all || key.columns.iter().all(|name| listed.contains(&name)))
}
