//! What a query names anywhere in it, subqueries included: relations, columns, calls.

use std::collections::BTreeSet;

use crate::expression::{Call, Expr, FromItem, Query, QueryBody, Select, Source};
use crate::name::{Name, QualifiedName};

/// Names of the relations that a query reads, as written, its own common tables left out.
pub fn relations(query: &Query) -> BTreeSet<QualifiedName> {
    let mut found = BTreeSet::new();
    let mut pending: Vec<(&Query, Vec<&Name>)> = vec![(query, Vec::new())];
    while let Some((query, mut common)) = pending.pop() {
        common.extend(query.with.iter().map(|member| &member.name));
        let mut inner: Vec<&Query> = query.with.iter().filter_map(|member| member.query.as_deref()).collect();
        match &query.body {
            QueryBody::Select(select) => {
                for item in &select.from {
                    sources(item, &mut |source| match source {
                        Source::Table { name, .. } => {
                            if !(name.schema.is_empty() && common.contains(&&name.name)) {
                                found.insert(name.clone());
                            }
                        }
                        Source::Query { query, .. } => inner.push(query),
                        Source::Function { .. } | Source::Nested(_) | Source::Other(_) => {}
                    });
                }
                for expr in expressions(select) {
                    queries_in(expr, &mut inner);
                }
            }
            QueryBody::SetOperation { left, right, .. } => inner.extend([left.as_ref(), right.as_ref()]),
            QueryBody::Values(rows) => {
                rows.iter().flatten().for_each(|expr| queries_in(expr, &mut inner));
            }
            QueryBody::Other(_) => {}
        }
        pending.extend(inner.into_iter().map(|query| (query, common.clone())));
    }
    found
}

fn sources<'a>(item: &'a FromItem, visit: &mut dyn FnMut(&'a Source)) {
    let mut pending = vec![item];
    while let Some(item) = pending.pop() {
        for source in std::iter::once(&item.source).chain(item.joins.iter().map(|join| &join.source)) {
            visit(source);
            if let Source::Nested(inner) = source {
                pending.push(inner);
            }
        }
    }
}

fn expressions(select: &Select) -> impl Iterator<Item = &Expr> {
    select
        .items
        .iter()
        .map(|item| &item.expr)
        .chain(&select.filter)
        .chain(&select.group_by)
        .chain(&select.having)
        .chain(select.from.iter().flat_map(|item| item.joins.iter().filter_map(|join| join.on.as_ref())))
}

/// The subqueries directly inside an expression.
fn queries_in<'a>(expr: &'a Expr, found: &mut Vec<&'a Query>) {
    expr.walk(&mut |expr| match expr {
        Expr::Subquery(query) | Expr::Exists { query, .. } | Expr::InQuery { query, .. } => found.push(query),
        _ => {}
    });
}

/// The calls anywhere in a query, functions in `FROM` and subqueries included, each once.
pub fn calls(query: &Query) -> Vec<&Call> {
    let mut found: Vec<&Call> = Vec::new();
    let mut pending = vec![query];
    while let Some(query) = pending.pop() {
        pending.extend(query.with.iter().filter_map(|member| member.query.as_deref()));
        let mut exprs: Vec<&Expr> = query.order_by.iter().map(|key| &key.expr).collect();
        match &query.body {
            QueryBody::Select(select) => {
                for item in &select.from {
                    sources(item, &mut |source| match source {
                        Source::Query { query, .. } => pending.push(query),
                        Source::Function { call, .. } => {
                            found.push(call);
                            exprs.extend(&call.args);
                        }
                        Source::Table { .. } | Source::Nested(_) | Source::Other(_) => {}
                    });
                }
                exprs.extend(expressions(select));
            }
            QueryBody::SetOperation { left, right, .. } => pending.extend([left.as_ref(), right.as_ref()]),
            QueryBody::Values(rows) => exprs.extend(rows.iter().flatten()),
            QueryBody::Other(_) => {}
        }
        for expr in exprs {
            queries_in(expr, &mut pending);
            expr.walk(&mut |expr| {
                if let Expr::Call(call) = expr {
                    found.push(call);
                }
            });
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    found
}

/// Whether a query may read a column of the relation that `is_it` recognises: the column is named, or a star stands for
/// it. A column without qualifier counts wherever the relation is among the sources.
pub fn may_read_column(query: &Query, is_it: &dyn Fn(&QualifiedName) -> bool, column: &Name) -> bool {
    let mut pending = vec![query];
    while let Some(query) = pending.pop() {
        pending.extend(query.with.iter().filter_map(|member| member.query.as_deref()));
        let mut exprs: Vec<&Expr> = query.order_by.iter().map(|key| &key.expr).collect();
        let mut aliases: Vec<&Name> = Vec::new();
        match &query.body {
            QueryBody::Select(select) => {
                for item in &select.from {
                    sources(item, &mut |source| match source {
                        Source::Table { name, alias } if is_it(name) => {
                            aliases.push(alias.as_ref().unwrap_or(&name.name));
                        }
                        Source::Query { query, .. } => pending.push(query),
                        _ => {}
                    });
                    let joined = item.joins.iter().any(|join| join.natural || join.using.contains(column));
                    if joined && !aliases.is_empty() {
                        return true;
                    }
                }
                exprs.extend(expressions(select));
            }
            QueryBody::SetOperation { left, right, .. } => pending.extend([left.as_ref(), right.as_ref()]),
            QueryBody::Values(rows) => exprs.extend(rows.iter().flatten()),
            QueryBody::Other(_) => return true,
        }
        let ours = |qualifier: &[Name]| match qualifier.last() {
            Some(last) => aliases.contains(&last),
            None => !aliases.is_empty(),
        };
        let mut read = false;
        for expr in exprs {
            queries_in(expr, &mut pending);
            // The star of `count(*)` stands for no column.
            if let Expr::Wildcard { qualifier } = expr {
                read |= ours(qualifier);
            }
            expr.walk(&mut |expr| {
                if let Expr::Column { qualifier, name } = expr {
                    read |= name == column && ours(qualifier);
                }
            });
        }
        if read {
            return true;
        }
    }
    false
}
