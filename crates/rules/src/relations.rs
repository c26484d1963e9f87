//! Which relations a query reads, subqueries included.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Table, View};
use dbwright_model::expression::{Call, Expr, FromItem, Query, QueryBody, Select, Source};
use dbwright_model::name::{Name, QualifiedName};

/// Names of the relations that a query reads, as written, its own common tables left out.
pub fn read_by(query: &Query) -> BTreeSet<QualifiedName> {
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
pub fn calls_in(query: &Query) -> Vec<&Call> {
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

/// Whether a name that a view in `schema` writes means this object: a name without schema is looked up there and in
/// `public`.
fn means(name: &QualifiedName, object: &QualifiedName, schema: &Name) -> bool {
    name.name == object.name
        && (name.schema == object.schema
            || (name.schema.is_empty() && (object.schema == *schema || object.schema == *"public")))
}

/// The tables with row security whose rows a view shows with its owner's rights, in order. `None` when a query on the
/// way could not be read.
pub fn secured_tables<'a>(catalog: &'a Catalog, view: &View) -> Option<Vec<&'a Table>> {
    let mut found: Vec<&Table> = Vec::new();
    let mut seen: BTreeSet<QualifiedName> = BTreeSet::from([view.name.clone()]);
    let mut pending: Vec<&View> = catalog.views.iter().filter(|other| other.name == view.name).collect();
    while let Some(view) = pending.pop() {
        for name in read_by(view.query.as_deref()?) {
            for table in &catalog.tables {
                if table.row_security.enabled && means(&name, &table.name, &view.name.schema) {
                    found.push(table);
                }
            }
            for other in &catalog.views {
                // A view that runs with the rights of who asks passes the outer view's owner on; any other stands for
                // itself and is judged by itself.
                if is_invoker(other)
                    && means(&name, &other.name, &view.name.schema)
                    && seen.insert(other.name.clone())
                {
                    pending.push(other);
                }
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    Some(found)
}

/// Whether a view runs with the rights of the role that asks (`security_invoker`).
pub fn is_invoker(view: &View) -> bool {
    view.options.iter().any(|(name, value)| {
        *name == "security_invoker"
            && matches!(value.to_ascii_lowercase().as_str(), "" | "true" | "on" | "yes" | "1")
    })
}
