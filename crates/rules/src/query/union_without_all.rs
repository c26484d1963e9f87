use dbwright_model::expression::{DataStatement, Expr, Literal, Query, QueryBody, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::query_scope::{Block, Names};
use crate::statements::{self, Read};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`UNION` removes duplicates from two parts that can have none",
    then: "The whole result is sorted or hashed for nothing, and no row is returned before the last one was read.",
    instead: "Write `UNION ALL`.",
    source: "executed rewrites: equal only for disjoint parts that hold a key each",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let query = match read.parsed {
            DataStatement::Query(query) => query,
            DataStatement::Insert { source: Some(query), .. } => query,
            _ => return None,
        };
        let QueryBody::SetOperation { op, all: false, left, right } = &query.body else { return None };
        let (QueryBody::Select(one), QueryBody::Select(other)) = (&left.body, &right.body) else {
            return None;
        };
        let pointless = op == "UNION"
            && are_disjoint(one, other)
            && has_no_duplicates(names, read, left)
            && has_no_duplicates(names, read, right);
        pointless.then(|| {
            statements::found(
                read.statement,
                format!(
                    "`UNION` looks for duplicates between parts of {} that can have none.",
                    read.tables()
                ),
            )
            .remedy(Remedy::manual(RULE.instead))
        })
    });
}

/// Two different constants in the same place of the list keep all rows apart.
fn are_disjoint(one: &Select, other: &Select) -> bool {
    one.items.len() == other.items.len()
        && one.items.iter().zip(&other.items).any(|(a, b)| match (constant(&a.expr), constant(&b.expr)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        })
}

fn constant(expr: &Expr) -> Option<&str> {
    match expr.without_casts() {
        Expr::Literal(Literal::String(text) | Literal::Number(text)) => Some(text),
        _ => None,
    }
}

/// Whether a part reads one table and its list holds the key.
fn has_no_duplicates<'a>(names: &Names<'a>, read: &Read<'a>, query: &Query) -> bool {
    let own = |block: &&Block<'a>| block.query.is_some_and(|other| std::ptr::eq(other, query));
    let Some(block) = read.blocks.iter().find(own) else { return false };
    let Some(select) = block.select else { return false };
    if select.from.is_empty() {
        return true;
    }
    let [bound] = block.sources() else { return false };
    let Some(table) = bound.table().filter(|table| table.inherits.is_empty()) else { return false };
    let listed: Vec<&Name> = select
        .items
        .iter()
        .filter_map(|item| block.resolve(names, &item.expr))
        .filter(|column| column.source.0 == block.levels.len() - 1)
        .map(|column| &column.column.name)
        .collect();
    table
        .primary_key
        .as_ref()
        .is_some_and(|key| !key.columns.is_empty() && key.columns.iter().all(|name| listed.contains(&name)))
}
