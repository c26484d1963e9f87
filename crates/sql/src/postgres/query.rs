//! Queries and data statements of PostgreSQL, lowered from the tree.

use dbwright_model::expression::{
    CommonTable, DataStatement, Expr, FromItem, Join, JoinKind, OrderBy, Query, QueryBody, Select,
    SelectItem, Source,
};
use dbwright_model::name::{Name, QualifiedName};

use super::expression::{self, has_word};
use super::syntax::{
    DEEPEST_LOWERED, K, Node, Parsed, child, child_at, children, expr_child, has, is_expr, is_query, name,
    name_in, qualified, qualified_in,
};

/// Lowers a statement that reads or writes rows.
pub(super) fn data_statement(parsed: &Parsed<'_>, node: &Node) -> Option<DataStatement> {
    Some(match node.kind() {
        K::INSERT => DataStatement::Insert {
            table: qualified_in(node, K::RELATION_NAME_REF)?,
            columns: child(node, K::COLUMN_TARGET_LIST)
                .into_iter()
                .flat_map(|list| children(&list, K::COLUMN_TARGET))
                .filter_map(|target| name_in(&target, K::COLUMN_NAME_REF))
                .collect(),
            source: node
                .children()
                .find(|child| is_query(child.kind()))
                .map(|source| Box::new(lower(parsed, &source, 0))),
        },
        K::UPDATE => DataStatement::Update {
            table: target(node)?,
            alias: alias_of(node),
            assignments: child_at(node, &[K::SET_CLAUSE, K::SET_COLUMN_LIST])
                .map(|list| assignments(parsed, &list))
                .unwrap_or_default(),
            from: from_items(parsed, node, K::FROM_CLAUSE, 0),
            filter: filter(parsed, node, 0),
        },
        K::DELETE => DataStatement::Delete {
            table: target(node)?,
            alias: alias_of(node),
            from: from_items(parsed, node, K::USING_CLAUSE, 0),
            filter: filter(parsed, node, 0),
        },
        kind if is_query(kind) => DataStatement::Query(lower(parsed, node, 0)),
        _ => return None,
    })
}

/// The table that an `UPDATE` or `DELETE` changes.
pub(super) fn target(node: &Node) -> Option<QualifiedName> {
    let relation = child(node, K::RELATION_NAME).or_else(|| child(node, K::TABLE_RELATION_NAME))?;
    qualified_in(&relation, K::RELATION_NAME_REF).or_else(|| qualified_in(&relation, K::TABLE_NAME_REF))
}

fn assignments(parsed: &Parsed<'_>, list: &Node) -> Vec<(Name, Expr)> {
    let mut found = Vec::new();
    for column in list.children() {
        match column.kind() {
            K::SET_SINGLE_COLUMN => {
                let Some(target) = child(&column, K::COLUMN_TARGET) else { continue };
                let Some(name) = name_in(&target, K::COLUMN_NAME_REF) else { continue };
                found.push((name, set_value(parsed, &column)));
            }
            K::SET_MULTIPLE_COLUMNS => {
                let names: Vec<Name> = child(&column, K::COLUMN_TARGET_LIST)
                    .into_iter()
                    .flat_map(|list| children(&list, K::COLUMN_TARGET))
                    .filter_map(|target| name_in(&target, K::COLUMN_NAME_REF))
                    .collect();
                let values: Vec<Expr> = child(&column, K::SET_EXPR_LIST)
                    .map(|list| {
                        list.children()
                            .map(|value| {
                                if is_expr(value.kind()) {
                                    expression::lower(parsed, &value, 0)
                                } else {
                                    set_value(parsed, &value)
                                }
                            })
                            .collect()
                    })
                    .unwrap_or_default();
                let rest = column.children().find(|child| is_query(child.kind()) || is_expr(child.kind()));
                for (at, name) in names.into_iter().enumerate() {
                    let value = values.get(at).cloned().unwrap_or_else(|| match &rest {
                        Some(query) => expression::lower(parsed, query, 0),
                        None => Expr::Other { text: "DEFAULT".to_owned(), parts: Vec::new() },
                    });
                    found.push((name, value));
                }
            }
            _ => {}
        }
    }
    found
}

fn set_value(parsed: &Parsed<'_>, node: &Node) -> Expr {
    let value = node
        .children()
        .find(|child| is_expr(child.kind()))
        .or_else(|| child(node, K::SET_EXPR).and_then(|value| expr_child(&value)));
    match value {
        Some(value) => expression::lower(parsed, &value, 0),
        None => Expr::Other { text: "DEFAULT".to_owned(), parts: Vec::new() },
    }
}

/// Lowers a query that lies `depth` levels deep.
pub(super) fn lower(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Query {
    let mut query = Query { body: QueryBody::Other(String::new()), ..Query::default() };
    if depth > DEEPEST_LOWERED {
        query.body = QueryBody::Other(parsed.text_of(node).to_owned());
        return query;
    }
    let depth = depth + 1;
    query.body = match node.kind() {
        K::SELECT | K::SELECT_INTO => QueryBody::Select(Box::new(select(parsed, node, depth))),
        K::VALUES => QueryBody::Values(values(parsed, node, depth)),
        K::COMPOUND_SELECT => return compound(parsed, node, depth),
        K::PAREN_SELECT | K::PAREN_EXPR => match node.children().find(|child| is_operand(child.kind())) {
            Some(inner) => {
                query = lower(parsed, &inner, depth);
                tail(parsed, node, &mut query, depth);
                return query;
            }
            None => QueryBody::Other(parsed.text_of(node).to_owned()),
        },
        _ => QueryBody::Other(parsed.text_of(node).to_owned()),
    };
    tail(parsed, node, &mut query, depth);
    query
}

fn is_operand(kind: K) -> bool {
    is_query(kind) || kind == K::PAREN_EXPR
}

/// Set operations, read along the left spine so that long chains need no recursion.
fn compound(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Query {
    let mut links = Vec::new();
    let mut left = node.clone();
    while left.kind() == K::COMPOUND_SELECT {
        let mut operands = left.children().filter(|child| is_operand(child.kind()));
        let (Some(first), Some(second)) = (operands.next(), operands.next()) else { break };
        links.push((left.clone(), second));
        left = first;
    }
    if links.is_empty() || links.len() > DEEPEST_LOWERED {
        return Query { body: QueryBody::Other(parsed.text_of(node).to_owned()), ..Query::default() };
    }
    let below = depth + links.len();
    let mut query = lower(parsed, &left, below);
    for (link, right) in links.into_iter().rev() {
        let op = link.children().find(|child| matches!(child.kind(), K::UNION | K::INTERSECT | K::EXCEPT));
        let (word, all) = match &op {
            Some(op) => (
                match op.kind() {
                    K::INTERSECT => "INTERSECT",
                    K::EXCEPT => "EXCEPT",
                    _ => "UNION",
                },
                has(op, K::ALL) || has(op, K::ALL_KW),
            ),
            None => ("UNION", false),
        };
        let with = std::mem::take(&mut query.with);
        let mut whole = Query {
            with,
            body: QueryBody::SetOperation {
                op: word.to_owned(),
                all,
                left: Box::new(query),
                right: Box::new(lower(parsed, &right, below)),
            },
            ..Query::default()
        };
        tail(parsed, &link, &mut whole, depth);
        query = whole;
    }
    query
}

/// `WITH`, `ORDER BY`, `LIMIT`, `OFFSET` and locking of a query.
fn tail(parsed: &Parsed<'_>, node: &Node, query: &mut Query, depth: usize) {
    if let Some(with) = child(node, K::WITH_CLAUSE) {
        let recursive = has(&with, K::RECURSIVE_KW);
        for table in children(&with, K::WITH_TABLE) {
            let Some(name) = name_in(&table, K::CTE_NAME) else { continue };
            query.with.push(CommonTable {
                name,
                recursive,
                materialized: if has(&table, K::MATERIALIZED) {
                    Some(true)
                } else {
                    has(&table, K::NOT_MATERIALIZED).then_some(false)
                },
                query: table
                    .children()
                    .find(|child| is_query(child.kind()))
                    .map(|inner| Box::new(lower(parsed, &inner, depth))),
            });
        }
    }
    if let Some(order) = child(node, K::ORDER_BY_CLAUSE) {
        query.order_by = order_by(parsed, &order, depth);
    }
    if let Some(limit) = child(node, K::LIMIT_CLAUSE) {
        query.limit = expr_child(&limit).map(|value| expression::lower(parsed, &value, depth));
    }
    if let Some(fetch) = child(node, K::FETCH_CLAUSE) {
        query.limit = Some(match expr_child(&fetch) {
            Some(value) => expression::lower(parsed, &value, depth),
            None => Expr::Literal(dbwright_model::expression::Literal::Number("1".to_owned())),
        });
    }
    if let Some(offset) = child(node, K::OFFSET_CLAUSE) {
        query.offset = expr_child(&offset).map(|value| expression::lower(parsed, &value, depth));
    }
    let mut locking = Vec::new();
    for clause in children(node, K::LOCKING_CLAUSE) {
        let words: Vec<&str> = parsed.text_of(&clause).split_whitespace().collect();
        locking.push(words.join(" ").to_ascii_uppercase());
    }
    if !locking.is_empty() {
        query.locking = Some(locking.join(" "));
    }
}

/// The keys of an `ORDER BY`.
pub(super) fn order_by(parsed: &Parsed<'_>, clause: &Node, depth: usize) -> Vec<OrderBy> {
    child(clause, K::SORT_BY_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::SORT_BY))
        .filter_map(|key| {
            Some(OrderBy {
                expr: expression::lower(parsed, &expr_child(&key)?, depth),
                descending: has(&key, K::SORT_DESC),
                nulls_first: if has(&key, K::NULLS_FIRST) {
                    Some(true)
                } else {
                    has(&key, K::NULLS_LAST).then_some(false)
                },
            })
        })
        .collect()
}

fn values(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Vec<Vec<Expr>> {
    child(node, K::ROW_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::ROW))
        .map(|row| {
            row.children()
                .filter(|child| is_expr(child.kind()))
                .map(|value| expression::lower(parsed, &value, depth))
                .collect()
        })
        .collect()
}

fn select(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Select {
    let mut select = Select::default();
    if let Some(clause) = child(node, K::SELECT_CLAUSE) {
        if let Some(distinct) = child(&clause, K::DISTINCT_CLAUSE) {
            let on = child(&distinct, K::DISTINCT_ON);
            select.distinct = Some(
                on.iter()
                    .flat_map(|on| on.children().filter(|child| is_expr(child.kind())))
                    .map(|key| expression::lower(parsed, &key, depth))
                    .collect(),
            );
        }
        for target in child(&clause, K::TARGET_LIST).into_iter().flat_map(|list| children(&list, K::TARGET)) {
            let expr = match expr_child(&target) {
                Some(value) => expression::lower(parsed, &value, depth),
                None => Expr::Wildcard { qualifier: Vec::new() },
            };
            let alias = child(&target, K::AS_NAME).and_then(|alias| name_in(&alias, K::COLUMN_NAME));
            select.items.push(SelectItem { expr, alias });
        }
    }
    select.from = from_items(parsed, node, K::FROM_CLAUSE, depth);
    select.filter = filter(parsed, node, depth);
    for key in child_at(node, &[K::GROUP_BY_CLAUSE, K::GROUP_BY_LIST]).iter().flat_map(Node::children) {
        if key.kind() != K::GROUPING_EXPR {
            select.grouping_sets = true;
        }
        for inner in key.descendants().filter(|inner| {
            is_expr(inner.kind()) && inner.parent().is_some_and(|parent| !is_expr(parent.kind()))
        }) {
            let below_key = inner.ancestors().skip(1).take_while(|up| *up != key).all(|up| {
                matches!(
                    up.kind(),
                    K::GROUPING_EXPR | K::GROUPING_ROLLUP | K::GROUPING_CUBE | K::GROUPING_SETS
                )
            });
            if below_key {
                select.group_by.push(expression::lower(parsed, &inner, depth));
            }
        }
    }
    select.having = child(node, K::HAVING_CLAUSE)
        .and_then(|clause| expr_child(&clause))
        .map(|value| expression::lower(parsed, &value, depth));
    select
}

fn filter(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Option<Expr> {
    let clause = child(node, K::WHERE_CLAUSE)?;
    Some(expression::lower(parsed, &expr_child(&clause)?, depth))
}

fn from_items(parsed: &Parsed<'_>, node: &Node, clause: K, depth: usize) -> Vec<FromItem> {
    child(node, clause).iter().flat_map(Node::children).map(|item| from_item(parsed, &item, depth)).collect()
}

/// An item of `FROM` with its joins, left to right.
fn from_item(parsed: &Parsed<'_>, node: &Node, depth: usize) -> FromItem {
    let mut joins = Vec::new();
    let mut left = node.clone();
    while left.kind() == K::JOIN_EXPR {
        let mut inner = left.children();
        let (Some(base), Some(join)) = (inner.next(), inner.next()) else { break };
        joins.push(join);
        left = base;
    }
    joins.reverse();
    let joins = joins.iter().filter_map(|join| lower_join(parsed, join, depth)).collect();
    FromItem { source: source(parsed, &left, depth), joins }
}

fn lower_join(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Option<Join> {
    let mut kind = JoinKind::Inner;
    let mut joined = None;
    for part in node.children() {
        match part.kind() {
            K::JOIN_INNER => {}
            K::JOIN_LEFT => kind = JoinKind::Left,
            K::JOIN_RIGHT => kind = JoinKind::Right,
            K::JOIN_FULL => kind = JoinKind::Full,
            K::JOIN_CROSS => kind = JoinKind::Cross,
            K::ON_CLAUSE | K::JOIN_USING_CLAUSE => {}
            _ => joined = joined.or(Some(part)),
        }
    }
    let joined = joined?;
    let source = if joined.kind() == K::JOIN_EXPR {
        nested(parsed, &joined, depth)
    } else {
        source(parsed, &joined, depth)
    };
    Some(Join {
        kind,
        source,
        on: child(node, K::ON_CLAUSE)
            .and_then(|clause| expr_child(&clause))
            .map(|value| expression::lower(parsed, &value, depth)),
        using: child_at(node, &[K::JOIN_USING_CLAUSE, K::COLUMN_REF_LIST])
            .into_iter()
            .flat_map(|list| children(&list, K::COLUMN_NAME_REF))
            .map(|column| name(&column))
            .collect(),
        natural: has(node, K::NATURAL_KW),
    })
}

fn nested(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Source {
    if depth > DEEPEST_LOWERED {
        return Source::Other(parsed.text_of(node).to_owned());
    }
    Source::Nested(Box::new(from_item(parsed, node, depth + 1)))
}

fn source(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Source {
    let alias = alias_of(node);
    match node.kind() {
        K::RELATION_FROM_ITEM => match qualified_in(node, K::RELATION_NAME_REF) {
            Some(name) => Source::Table { name, alias },
            None => Source::Other(parsed.text_of(node).to_owned()),
        },
        K::FUNCTION_FROM_ITEM | K::EXPR_FROM_ITEM => match child(node, K::CALL_EXPR) {
            Some(call) => Source::Function { call: Box::new(expression::call(parsed, &call, depth)), alias },
            None => match expr_child(node).map(|value| expression::lower(parsed, &value, depth)) {
                Some(Expr::Call(call)) => Source::Function { call, alias },
                _ => Source::Other(parsed.text_of(node).to_owned()),
            },
        },
        K::PAREN_FROM_ITEM => {
            let mut inner = node.children().next();
            // Parentheses around parentheses hold the same source.
            while let Some(paren) = inner.clone().filter(|inner| inner.kind() == K::PAREN_EXPR) {
                inner = paren.children().next();
            }
            match inner {
                Some(inner) if is_query(inner.kind()) => Source::Query {
                    query: Box::new(lower(parsed, &inner, depth)),
                    alias,
                    lateral: has(node, K::LATERAL_KW),
                },
                Some(inner) if inner.kind() != K::FROM_ALIAS => nested(parsed, &inner, depth),
                _ => Source::Other(parsed.text_of(node).to_owned()),
            }
        }
        K::JOIN_EXPR => nested(parsed, node, depth),
        _ => Source::Other(parsed.text_of(node).to_owned()),
    }
}

fn alias_of(node: &Node) -> Option<Name> {
    let alias = node
        .children()
        .find(|child| matches!(child.kind(), K::FROM_ALIAS | K::OPTIONAL_AS_ALIAS | K::REQUIRED_AS_ALIAS))?;
    name_in(&alias, K::TABLE_ALIAS)
}

/// The first table a query reads, when it stands plainly in its `FROM`.
pub(super) fn first_table(node: &Node) -> Option<QualifiedName> {
    if node.kind() == K::TABLE {
        return target(node);
    }
    let mut item = child(node, K::FROM_CLAUSE)?.children().next()?;
    while item.kind() == K::JOIN_EXPR {
        item = item.children().next()?;
    }
    if item.kind() != K::RELATION_FROM_ITEM || has_word(&item, "lateral") {
        return None;
    }
    child(&item, K::RELATION_NAME_REF).map(|name| qualified(&name))
}
