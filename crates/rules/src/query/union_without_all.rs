use dbwright_model::catalog::Column;
use dbwright_model::expression::{DataStatement, Expr, Literal, Query, QueryBody, Select};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{comparison, number};
use crate::query_scope::{Block, Names, is_constant};
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
            && has_no_duplicates(names, read, left)
            && has_no_duplicates(names, read, right)
            && (are_disjoint(one, other) || read_other_rows(names, read, left, right));
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

/// Whether both parts read one table, show its key in the same places, and hold a column of it to different constants.
fn read_other_rows<'a>(names: &Names<'a>, read: &Read<'a>, left: &Query, right: &Query) -> bool {
    let (Some(one), Some(other)) = (block_of(read, left), block_of(read, right)) else { return false };
    let ([a], [b]) = (one.sources(), other.sources()) else { return false };
    let (Some(table), Some(second)) = (a.table(), b.table()) else { return false };
    let Some(key) = table.primary_key.as_ref().filter(|_| table.name == second.name) else { return false };
    let (Some(first), Some(last)) = (one.select, other.select) else { return false };
    let stars = |select: &Select| matches!(select.items.as_slice(), [item] if is_star(&item.expr));
    let shows = |block: &Block<'a>, expr: &Expr, name: &Name| {
        block.resolve(names, expr).is_some_and(|column| column.column.name == *name)
    };
    let placed = |name: &Name| {
        first
            .items
            .iter()
            .zip(&last.items)
            .any(|(x, y)| shows(one, &x.expr, name) && shows(other, &y.expr, name))
    };
    if !(stars(first) && stars(last) || key.columns.iter().all(placed)) {
        return false;
    }
    let second = held(names, other);
    held(names, one).into_iter().any(|(column, value)| {
        second.iter().filter(|(own, _)| own.name == column.name).any(|(_, against)| {
            let hidden = [value, *against].map(|constant| read.hides(constant));
            !hidden.contains(&true) && differ(column, value, against)
        })
    })
}

/// Columns of a part's own table that its condition holds equal to a constant.
fn held<'a>(names: &Names<'a>, block: &Block<'a>) -> Vec<(&'a Column, &'a Expr)> {
    let mut held = Vec::new();
    for term in block.conditions() {
        let Some(("=" | "==", left, right)) = comparison(term) else { continue };
        for (side, value) in [(left, right), (right, left)] {
            let own = block.resolve(names, side).filter(|column| column.source.0 == block.levels.len() - 1);
            if let Some(column) = own.filter(|_| is_constant(value)) {
                held.push((column.column, value));
            }
        }
    }
    held
}

/// Whether no value of a column equals both constants. Collations may take letters of either case, and blanks at the end, as equal.
fn differ(column: &Column, one: &Expr, other: &Expr) -> bool {
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return column.data_type.kind.is_numeric() && one != other;
    }
    let text =
        |expr: &Expr| constant(expr).filter(|text| text.is_ascii()).map(|text| text.trim_end().to_owned());
    match (text(one), text(other)) {
        (Some(one), Some(other)) => column.data_type.kind.is_text() && !one.eq_ignore_ascii_case(&other),
        _ => false,
    }
}

fn is_star(expr: &Expr) -> bool {
    matches!(expr, Expr::Wildcard { .. })
}

fn block_of<'r, 'a>(read: &'r Read<'a>, query: &Query) -> Option<&'r Block<'a>> {
    read.blocks.iter().find(|block| block.query.is_some_and(|other| std::ptr::eq(other, query)))
}

/// Whether a part reads one table and its list holds the key.
fn has_no_duplicates<'a>(names: &Names<'a>, read: &Read<'a>, query: &Query) -> bool {
    let Some(block) = block_of(read, query) else { return false };
    let Some(select) = block.select else { return false };
    if select.from.is_empty() {
        return true;
    }
    let [bound] = block.sources() else { return false };
    let Some(table) = bound.table().filter(|table| table.inherits.is_empty()) else { return false };
    let all = select.items.iter().any(|item| is_star(&item.expr));
    let listed: Vec<&Name> = select
        .items
        .iter()
        .filter_map(|item| block.resolve(names, &item.expr))
        .filter(|column| column.source.0 == block.levels.len() - 1)
        .map(|column| &column.column.name)
        .collect();
    table.primary_key.as_ref().is_some_and(|key| {
        !key.columns.is_empty() && (all || key.columns.iter().all(|name| listed.contains(&name)))
    })
}
