use std::collections::BTreeSet;

use dbwright_model::engine::Engine;
use dbwright_model::expression::{Call, Expr, FromItem, Literal, Select, Source};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::hold_a_key;
use crate::query_scope::{Block, Names, Resolved, is_constant};
use crate::statements;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Workload],
    engines: Engines::ALL.except(Engine::Postgres, "the server refuses such a statement"),
    when: "the list of a grouped statement holds a column that differs within the groups",
    then: "The value of any row of the group is shown, another one after the next change of plan.",
    instead: "Group by the column, or say with an aggregate which of its values is meant.",
    source: "functional dependence as MySQL's manual defines it for ONLY_FULL_GROUP_BY",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let column = read.blocks.iter().find_map(|block| undetermined(context, names, block))?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "`{}.{}` is neither grouped nor aggregated: which row of the group it comes from is left to chance.",
                    column.table.name, column.column.name
                ),
            )
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

/// A column of a source, by the place of the source and its name in lower case.
type Place = ((usize, usize), String);

fn place(column: &Resolved<'_>) -> Place {
    (column.source, column.column.name.as_str().to_ascii_lowercase())
}

fn undetermined<'a>(context: &Context<'_>, names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    let select = block.select.filter(|select| !select.group_by.is_empty() && !select.grouping_sets)?;
    // `USING` merges columns, and what a derived table keeps together is not known here.
    if !select.from.iter().all(is_plain) || picks_a_row(context, select) {
        return None;
    }
    let grouped: Vec<&Expr> = select.group_by.iter().map(|key| meant(select, key)).collect::<Option<_>>()?;
    let mut known = BTreeSet::new();
    for (written, key) in select.group_by.iter().zip(&grouped) {
        // Servers differ in whether a name means an alias or a column first.
        let mut columns =
            [written, *key].into_iter().filter(|expr| matches!(expr, Expr::Column { .. })).peekable();
        let by_column = columns.peek().is_some();
        let before = known.len();
        known.extend(columns.filter_map(|expr| block.resolve(names, expr)).map(|column| place(&column)));
        if by_column && known.len() == before {
            return None;
        }
    }
    close(names, block, &mut known);
    let depth = block.levels.len() - 1;
    let mut shown = Vec::new();
    select.items.iter().for_each(|item| add_shown(&item.expr, &grouped, &mut shown));
    shown.into_iter().find_map(|expr| {
        let column = block.resolve(names, expr)?;
        (column.source.0 == depth && !known.contains(&place(&column))).then_some(column)
    })
}

/// Whether only tables are joined, each by `ON`.
fn is_plain(item: &FromItem) -> bool {
    let table = |source: &Source| matches!(source, Source::Table { .. });
    table(&item.source)
        && item.joins.iter().all(|join| table(&join.source) && join.using.is_empty() && !join.natural)
}

/// SQLite takes the other columns from the row of the one `min` or `max`.
fn picks_a_row(context: &Context<'_>, select: &Select) -> bool {
    let mut picks = false;
    for item in &select.items {
        item.expr.walk(&mut |expr| {
            if let Expr::Call(call) = expr {
                picks |= matches!(call.function(), "min" | "max");
            }
        });
    }
    picks && context.engine() == Engine::Sqlite
}

/// What a key of `GROUP BY` stands for: a place in the list, an alias, or itself.
fn meant<'s>(select: &'s Select, key: &'s Expr) -> Option<&'s Expr> {
    match key {
        Expr::Literal(Literal::Number(text)) => {
            Some(&select.items.get(text.parse::<usize>().ok()?.checked_sub(1)?)?.expr)
        }
        Expr::Column { qualifier, name } if qualifier.is_empty() => {
            let aliased = select
                .items
                .iter()
                .find(|item| item.alias.as_ref().is_some_and(|alias| alias.eq_ignore_case(name.as_str())));
            Some(aliased.map_or(key, |item| &item.expr))
        }
        _ => Some(key),
    }
}

/// Adds every column that is the same throughout a group: by equality, and by a key of its table.
fn close<'a>(names: &Names<'a>, block: &Block<'a>, known: &mut BTreeSet<Place>) {
    let depth = block.levels.len() - 1;
    let terms: Vec<&Expr> = block
        .conditions()
        .into_iter()
        .chain(block.join_conditions().into_iter().flat_map(Expr::conjuncts))
        .collect();
    loop {
        let before = known.len();
        for term in &terms {
            let Expr::Binary { op, left, right } = term else { continue };
            if op != "=" && op != "==" {
                continue;
            }
            for (one, other) in [(left, right), (right, left)] {
                let Some(column) = block.resolve(names, one) else { continue };
                let bound = is_constant(other)
                    || block
                        .resolve(names, other)
                        .is_some_and(|other| other.source.0 != depth || known.contains(&place(&other)));
                if bound {
                    known.insert(place(&column));
                }
            }
        }
        for (at, bound) in block.sources().iter().enumerate() {
            let Some(table) = bound.table() else { continue };
            let named = |name: &Name| known.contains(&((depth, at), name.as_str().to_ascii_lowercase()));
            let held: Vec<&Name> =
                table.columns.iter().map(|column| &column.name).filter(|name| named(name)).collect();
            if hold_a_key(table, &held) {
                for column in &table.columns {
                    known.insert(((depth, at), column.name.as_str().to_ascii_lowercase()));
                }
            }
        }
        if known.len() == before {
            return;
        }
    }
}

/// Adds the columns that an item shows as they are in some row. Of calls only those are entered that are no aggregates for sure.
fn add_shown<'a>(expr: &'a Expr, grouped: &[&Expr], shown: &mut Vec<&'a Expr>) {
    let entered = |call: &Call| !call.window && SCALAR.contains(&call.function());
    if grouped.contains(&expr) {
        return;
    }
    match expr {
        Expr::Column { .. } => shown.push(expr),
        Expr::Call(call) if !entered(call) => {}
        Expr::Call(_) | Expr::Unary { .. } | Expr::Binary { .. } | Expr::Cast { .. } => {
            expr.children().into_iter().for_each(|child| add_shown(child, grouped, shown));
        }
        _ => {}
    }
}

const SCALAR: &[&str] = &[
    "abs", "coalesce", "concat", "date", "ifnull", "length", "lower", "ltrim", "round", "rtrim", "trim",
    "upper",
];
