//! What the conditions of a statement say about its columns.

use dbwright_model::catalog::{IndexKey, Table};
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::name::Name;

use crate::Context;
use crate::query_scope::{Block, Names, Resolved, is_constant};

/// The parts of a comparison: operator, left and right.
pub fn comparison(expr: &Expr) -> Option<(&str, &Expr, &Expr)> {
    match expr {
        Expr::Binary { op, left, right }
            if matches!(op.as_str(), "=" | "==" | "<>" | "!=" | "<" | ">" | "<=" | ">=") =>
        {
            Some((op, left, right))
        }
        _ => None,
    }
}

/// The operand that a condition tests against constants.
pub fn tested(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::InList { operand, list, .. } if list.iter().all(is_constant) => Some(operand),
        Expr::Between { operand, low, high, .. } if is_constant(low) && is_constant(high) => Some(operand),
        Expr::Like { operand, pattern, .. } if is_constant(pattern) => Some(operand),
        _ => {
            let (_, left, right) = comparison(expr)?;
            match (is_constant(left), is_constant(right)) {
                (false, true) => Some(left),
                (true, false) => Some(right),
                _ => None,
            }
        }
    }
}

/// The operands of a condition that cannot be null in a row that fulfils it.
pub fn null_rejected(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::InList { operand, .. } | Expr::Between { operand, .. } | Expr::Like { operand, .. } => {
            vec![operand.without_casts()]
        }
        Expr::InQuery { operand, negated: false, .. } => vec![operand.without_casts()],
        Expr::IsNull { operand, negated: true } => vec![operand.without_casts()],
        _ => comparison(expr)
            .map(|(_, left, right)| vec![left.without_casts(), right.without_casts()])
            .unwrap_or_default(),
    }
}

/// Whether an expression is the constant `NULL`.
pub fn is_null(expr: &Expr) -> bool {
    matches!(expr.without_casts(), Expr::Literal(Literal::Null))
}

/// The number that an expression is.
pub fn number(expr: &Expr) -> Option<f64> {
    match expr.without_casts() {
        Expr::Literal(Literal::Number(text)) => text.parse().ok(),
        Expr::Unary { op, operand } if op == "-" => number(operand).map(|number| -number),
        _ => None,
    }
}

/// Columns of a source that the block's conditions hold equal to constants or to columns of other sources.
pub fn equated<'a>(block: &Block<'a>, names: &Names<'a>, source: (usize, usize)) -> Vec<Resolved<'a>> {
    let mut found = Vec::new();
    for term in block.conditions() {
        let sides = match term {
            Expr::Binary { op, left, right } if op == "=" || op == "==" => {
                vec![(left, Some(right)), (right, Some(left))]
            }
            Expr::InList { operand, negated: false, .. } | Expr::InQuery { operand, negated: false, .. } => {
                vec![(operand, None)]
            }
            _ => continue,
        };
        for (side, other) in sides {
            let Some(column) = block.resolve(names, side) else { continue };
            let own = |expr: &Expr| {
                block.resolve(names, expr.without_casts()).is_some_and(|other| other.source == source)
            };
            if column.source == source && !other.is_some_and(|other| own(other)) {
                found.push(column);
            }
        }
    }
    found
}

/// Whether the block's conditions find the rows of a source through the first column of one of its indexes.
pub fn found_by_index<'a>(block: &Block<'a>, names: &Names<'a>, source: (usize, usize)) -> bool {
    equated(block, names, source).iter().any(|resolved| is_indexed(resolved.table, &resolved.column.name))
}

/// Whether an index begins with a column.
pub fn is_indexed(table: &Table, column: &Name) -> bool {
    table.indexes.iter().any(|index| {
        index.valid
            && index.visible
            && index.is_btree()
            && index.parts.first().and_then(|part| part.as_column()) == Some(column)
    })
}

/// Whether some index of the table is made of an expression over the column.
pub fn has_expression_over(table: &Table, column: &Name) -> bool {
    let generated = table.columns.iter().any(|other| {
        other.generated.as_ref().is_some_and(|generated| match &generated.expression.tree {
            Some(tree) => tree.columns().contains(&column),
            None => true,
        })
    });
    generated
        || table.indexes.iter().flat_map(|index| &index.parts).any(|part| match &part.key {
            IndexKey::Expression(expression) => match &expression.tree {
                Some(tree) => tree.columns().contains(&column),
                None => true,
            },
            IndexKey::Column(_) => false,
        })
}

/// Whether some key over these columns alone is unique.
pub fn hold_a_key(table: &Table, columns: &[&Name]) -> bool {
    let within = |key: &[Name]| !key.is_empty() && key.iter().all(|name| columns.contains(&name));
    table.primary_key.as_ref().is_some_and(|key| within(&key.columns))
        || table.uniques.iter().any(|key| within(&key.columns))
        || table.indexes.iter().any(|index| {
            index.unique
                && index.valid
                && index.predicate.is_none()
                && index
                    .columns()
                    .is_some_and(|key| !key.is_empty() && key.iter().all(|name| columns.contains(name)))
        })
}

/// Whether the table is known to have fewer rows than this.
pub fn is_small(context: &Context<'_>, table: &Table, rows: f64) -> bool {
    context
        .statistics_of(&table.name)
        .and_then(|statistics| statistics.rows)
        .is_some_and(|known| (known as f64) < rows)
}
