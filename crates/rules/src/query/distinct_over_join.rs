use dbwright_model::expression::{Expr, FromItem, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::hold_a_key;
use crate::query_scope::{Block, Names, Resolved};
use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`DISTINCT` takes back the copies of rows that a join makes, whose other table is only asked for existence",
    then: "Every row is read once for each partner, and all copies are sorted or hashed to throw them away.",
    instead: "Write `WHERE EXISTS` in place of the join and leave `DISTINCT` out.",
    source: "executed rewrites: equal where the list holds a key of the table that is shown",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let column = read.blocks.iter().find_map(|block| shown(names, block))?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "`DISTINCT` removes the copies of rows of `{}` that a join makes.",
                    column.table.name
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

/// A column of the one table that a block shows, when its key is among them and another table is joined by a column that is
/// no key of its own.
fn shown<'a>(names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    let select = block.select?;
    let query = block.query?;
    let plain = select.distinct.as_ref().is_some_and(Vec::is_empty)
        && select.group_by.is_empty()
        && query.limit.is_none()
        && block.sources().len() == 2
        && select.from.iter().all(is_plain);
    if !plain {
        return None;
    }
    let depth = block.levels.len() - 1;
    let columns: Vec<Resolved<'a>> =
        select.items.iter().map(|item| block.resolve(names, &item.expr)).collect::<Option<_>>()?;
    let first = *columns.first()?;
    let listed: Vec<&Name> = columns.iter().map(|column| &column.column.name).collect();
    if first.source.0 != depth || columns.iter().any(|column| column.source != first.source) {
        return None;
    }
    let holds_key = first.table.inherits.is_empty()
        && !first.null_extended
        && first.table.primary_key.as_ref().is_some_and(|key| {
            !key.columns.is_empty() && key.columns.iter().all(|name| listed.contains(&name))
        });
    let other = (depth, usize::from(first.source.1 == 0));
    // Of a left join the partner is asked for nothing.
    let partner = block.sources().get(other.1).filter(|bound| !bound.null_extended)?.table()?;
    // A partner that is found by its key is found once.
    let compared: Vec<&Name> = block
        .conditions()
        .into_iter()
        .chain(block.join_conditions().into_iter().flat_map(Expr::conjuncts))
        .filter_map(|term| match term {
            Expr::Binary { op, left, right } if op == "=" || op == "==" => Some([left, right]),
            _ => None,
        })
        .flatten()
        .filter_map(|side| block.resolve(names, side))
        .filter(|column| column.source == other)
        .map(|column| &column.column.name)
        .collect();
    (holds_key && !compared.is_empty() && !hold_a_key(partner, &compared)).then_some(first)
}

/// Whether only tables are joined, each by `ON`.
fn is_plain(item: &FromItem) -> bool {
    let table = |source: &Source| matches!(source, Source::Table { .. });
    table(&item.source)
        && item.joins.iter().all(|join| table(&join.source) && join.using.is_empty() && !join.natural)
}
