//! How the queries of views follow the new name of what they read: servers keep the relation, not its name.

use dbwright_model::catalog::View;
use dbwright_model::expression::{Expr, FromItem, Query, QueryBody, Source};
use dbwright_model::name::QualifiedName;

/// Gives what `is_it` recognises another name in the query of a view. A source without an alias keeps its old name as one,
/// since columns are qualified with that.
pub(super) fn rename_in_view(view: &mut View, is_it: &dyn Fn(&QualifiedName) -> bool, to: &QualifiedName) {
    if let Some(query) = &mut view.query {
        rename_in_query(query, is_it, to);
    }
}

fn rename_in_query(query: &mut Query, is_it: &dyn Fn(&QualifiedName) -> bool, to: &QualifiedName) {
    let members: Vec<_> = query.with.iter().map(|member| member.name.clone()).collect();
    let inside =
        |name: &QualifiedName| !(name.schema.is_empty() && members.contains(&name.name)) && is_it(name);
    for inner in query.with.iter_mut().filter_map(|member| member.query.as_deref_mut()) {
        rename_in_query(inner, &inside, to);
    }
    let mut exprs: Vec<&mut Expr> = query.order_by.iter_mut().map(|key| &mut key.expr).collect();
    match &mut query.body {
        QueryBody::Select(select) => {
            for item in &mut select.from {
                rename_in_item(item, &inside, to);
            }
            exprs.extend(select.items.iter_mut().map(|item| &mut item.expr));
            exprs.extend(select.filter.iter_mut().chain(&mut select.group_by).chain(&mut select.having));
        }
        QueryBody::SetOperation { left, right, .. } => {
            rename_in_query(left, &inside, to);
            rename_in_query(right, &inside, to);
        }
        QueryBody::Values(rows) => exprs.extend(rows.iter_mut().flatten()),
        QueryBody::Other(_) => {}
    }
    for expr in exprs {
        rename_in_expr(expr, &inside, to);
    }
}

fn rename_in_item(item: &mut FromItem, is_it: &dyn Fn(&QualifiedName) -> bool, to: &QualifiedName) {
    rename_in_source(&mut item.source, is_it, to);
    for join in &mut item.joins {
        rename_in_source(&mut join.source, is_it, to);
        if let Some(on) = &mut join.on {
            rename_in_expr(on, is_it, to);
        }
    }
}

fn rename_in_source(source: &mut Source, is_it: &dyn Fn(&QualifiedName) -> bool, to: &QualifiedName) {
    match source {
        Source::Table { name, alias } => {
            if is_it(name) {
                let old = std::mem::replace(name, to.clone());
                alias.get_or_insert(old.name);
            }
        }
        Source::Query { query, .. } => rename_in_query(query, is_it, to),
        Source::Nested(item) => rename_in_item(item, is_it, to),
        Source::Function { .. } | Source::Other(_) => {}
    }
}

fn rename_in_expr(expr: &mut Expr, is_it: &dyn Fn(&QualifiedName) -> bool, to: &QualifiedName) {
    expr.walk_mut(&mut |expr| match expr {
        Expr::Subquery(query) | Expr::Exists { query, .. } | Expr::InQuery { query, .. } => {
            rename_in_query(query, is_it, to);
        }
        _ => {}
    });
}
