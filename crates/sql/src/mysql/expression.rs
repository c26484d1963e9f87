//! Expressions and queries of MySQL and MariaDB.

use std::borrow::Cow;

use dbwright_model::expression::{
    Call, CommonTable, DataStatement, Expr, FromItem, Join, JoinKind, Literal, OrderBy, Query, QueryBody,
    Select, SelectItem, Source,
};
use dbwright_model::name::{Name, QualifiedName};
use sqlparser::ast;
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;

use super::lex::{Kind, tokens, without_comments};

/// Longest chain of operators and deepest nesting that is read. Trees of this depth are safe to walk, clone and drop.
const MAX_CHAIN: usize = 400;
const MAX_DEPTH: usize = 60;

/// Parses a scalar expression.
pub fn expression(text: &str) -> Option<Expr> {
    let cleaned = without_comments(text);
    parse_expression(&cleaned).or_else(|| {
        // MySQL 8 prints checks and generated columns with their quotes escaped: `_utf8mb4\'x\'`.
        cleaned.contains("\\'").then(|| parse_expression(&unescaped(&cleaned))).flatten()
    })
}

/// A text of MySQL's `information_schema` with its quotes as they were.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

fn parse_expression(text: &str) -> Option<Expr> {
    if !is_tame(text) {
        return None;
    }
    let mut parser = parser(&readable(text))?;
    let expr = parser.parse_expr().ok()?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    Some(lower(&expr))
}

fn parser(text: &str) -> Option<Parser<'static>> {
    Parser::new(&MySqlDialect {}).with_recursion_limit(MAX_DEPTH * 4).try_with_sql(text).ok()
}

/// Parses a statement that reads or writes rows.
pub fn data_statement(text: &str) -> Option<DataStatement> {
    let cleaned = without_comments(text);
    let readable = readable(&cleaned);
    if !is_tame(&readable) {
        return None;
    }
    let mut parser = parser(readable.trim_end().trim_end_matches(';'))?;
    let statement = parser.parse_statement().ok()?;
    if parser.peek_token().token != sqlparser::tokenizer::Token::EOF {
        return None;
    }
    match &statement {
        ast::Statement::Query(query) => Some(DataStatement::Query(lower_query(query))),
        ast::Statement::Insert(insert) => lower_insert(insert),
        ast::Statement::Update(update) => lower_update(update),
        ast::Statement::Delete(delete) => lower_delete(delete),
        _ => None,
    }
}

/// The text without what the parser library stumbles over: the `...` of statement digests, which stands for any number
/// of constants, becomes one parameter; the character set and `ARRAY` of a cast are left out, and what has two spellings gets the other.
fn readable(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let stumbled_over = ["...", "char", " array", " mod ", " share "];
    if !stumbled_over.iter().any(|part| lower.contains(part)) {
        return Cow::Borrowed(text);
    }
    let found = tokens(text);
    let word = |i: usize| match found.get(i) {
        Some(token) if token.kind == Kind::Word => &lower[token.start..token.end],
        _ => "",
    };
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut i = 0;
    while i < found.len() {
        let (length, instead) = if (i..i + 3)
            .all(|i| found.get(i).is_some_and(|token| token.kind == Kind::Symbol('.')))
        {
            (3, "?")
        } else if [word(i), word(i + 1), word(i + 2), word(i + 3)] == ["lock", "in", "share", "mode"] {
            (4, "for share")
        } else if i > 0
            && word(i) == "mod"
            && found.get(i + 1).is_none_or(|next| next.kind != Kind::Symbol('('))
        {
            (1, "%")
        } else if i > 0 && (word(i - 1) == "char" || found[i - 1].kind == Kind::Symbol(')')) {
            match (word(i), word(i + 1)) {
                ("charset", _) => (2, ""),
                ("character", "set") => (3, ""),
                _ => (0, ""),
            }
        } else if word(i) == "array" && found.get(i + 1).is_some_and(|token| token.kind == Kind::Symbol(')'))
        {
            (1, "")
        } else {
            (0, "")
        };
        if length == 0 {
            i += 1;
            continue;
        }
        out.push_str(&text[copied..found[i].start]);
        out.push_str(instead);
        i = (i + length).min(found.len());
        copied = found[i - 1].end;
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Whether the text nests and chains so little that its tree can be walked on any stack. Lists may be long.
fn is_tame(text: &str) -> bool {
    let mut chains = vec![0usize];
    for token in tokens(text) {
        match token.kind {
            Kind::Symbol('(' | '[' | '{') => {
                if chains.len() > MAX_DEPTH {
                    return false;
                }
                chains.push(0);
            }
            Kind::Symbol(')' | ']' | '}') if chains.len() > 1 => drop(chains.pop()),
            Kind::Symbol(',') => {
                if let Some(chain) = chains.last_mut() {
                    *chain = 0;
                }
            }
            Kind::Symbol(c) if c != '.' && c != ';' => {
                if let Some(chain) = chains.last_mut() {
                    *chain += 1;
                    if *chain > MAX_CHAIN * 3 {
                        return false;
                    }
                }
            }
            Kind::Word => {
                let word = &text[token.start..token.end];
                let joins =
                    ["and", "or", "union", "not", "xor", "is", "collate", "like", "div", "mod", "except"];
                if joins.iter().any(|join| join.eq_ignore_ascii_case(word))
                    && let Some(chain) = chains.last_mut()
                {
                    *chain += 3;
                    if *chain > MAX_CHAIN * 3 {
                        return false;
                    }
                }
            }
            _ => {}
        }
    }
    true
}

fn name(ident: &ast::Ident) -> Name {
    Name::new(&ident.value)
}

fn names(object: &ast::ObjectName) -> Vec<Name> {
    object.0.iter().filter_map(|part| part.as_ident().map(name)).collect()
}

fn qualified(object: &ast::ObjectName) -> QualifiedName {
    let mut parts = names(object);
    let name = parts.pop().unwrap_or_default();
    QualifiedName { schema: parts.pop().unwrap_or_default(), name }
}

fn column(mut parts: Vec<Name>) -> Expr {
    let name = parts.pop().unwrap_or_default();
    Expr::Column { qualifier: parts, name }
}

fn boxed(expr: &ast::Expr) -> Box<Expr> {
    Box::new(lower(expr))
}

fn all<'a>(exprs: impl IntoIterator<Item = &'a ast::Expr>) -> Vec<Expr> {
    exprs.into_iter().map(lower).collect()
}

fn call(function: &str, args: Vec<Expr>) -> Expr {
    Expr::Call(Box::new(Call { name: vec![Name::new(function)], args, ..Call::default() }))
}

fn other<'a>(expr: &ast::Expr, parts: impl IntoIterator<Item = &'a ast::Expr>) -> Expr {
    Expr::Other { text: expr.to_string(), parts: all(parts) }
}

fn truth(operand: &ast::Expr, value: Option<bool>, negated: bool) -> Expr {
    Expr::IsTruth { operand: boxed(operand), value, negated }
}

fn binary(op: &str, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op: op.to_owned(), left: Box::new(left), right: Box::new(right) }
}

fn lower(expr: &ast::Expr) -> Expr {
    match expr {
        ast::Expr::Identifier(ident) => {
            let bare = ident.quote_style.is_none();
            if bare && is_keyword_call(&ident.value) {
                return call(&ident.value.to_ascii_lowercase(), Vec::new());
            }
            if bare && ident.value.starts_with('@') {
                return Expr::Parameter(ident.value.clone());
            }
            if ident.quote_style == Some('"') {
                return Expr::Literal(Literal::DoubleQuoted(ident.value.clone()));
            }
            Expr::column(&ident.value)
        }
        ast::Expr::CompoundIdentifier(idents) => column(idents.iter().map(name).collect()),
        ast::Expr::Wildcard(_) => Expr::Wildcard { qualifier: Vec::new() },
        ast::Expr::QualifiedWildcard(object, _) => Expr::Wildcard { qualifier: names(object) },
        ast::Expr::Nested(inner) => lower(inner),
        ast::Expr::Value(value) => lower_value(&value.value),
        ast::Expr::Prefixed { value, .. } => lower(value),
        ast::Expr::TypedString(typed) => Expr::Literal(Literal::Other(typed.to_string())),
        ast::Expr::BinaryOp { .. } => lower_binary(expr),
        ast::Expr::UnaryOp { op, expr: operand } => {
            let op = match op {
                ast::UnaryOperator::BangNot | ast::UnaryOperator::Not => "NOT".to_owned(),
                op => op.to_string().to_ascii_uppercase(),
            };
            match (op.as_str(), lower(operand)) {
                ("-", Expr::Literal(Literal::Number(number))) if !number.starts_with('-') => {
                    Expr::Literal(Literal::Number(format!("-{number}")))
                }
                ("+", operand) => operand,
                (_, operand) => Expr::Unary { op, operand: Box::new(operand) },
            }
        }
        ast::Expr::IsNull(operand) => Expr::IsNull { operand: boxed(operand), negated: false },
        ast::Expr::IsNotNull(operand) => Expr::IsNull { operand: boxed(operand), negated: true },
        ast::Expr::IsTrue(operand) => truth(operand, Some(true), false),
        ast::Expr::IsNotTrue(operand) => truth(operand, Some(true), true),
        ast::Expr::IsFalse(operand) => truth(operand, Some(false), false),
        ast::Expr::IsNotFalse(operand) => truth(operand, Some(false), true),
        ast::Expr::IsUnknown(operand) => truth(operand, None, false),
        ast::Expr::IsNotUnknown(operand) => truth(operand, None, true),
        ast::Expr::InList { expr: operand, list, negated } => {
            Expr::InList { operand: boxed(operand), list: all(list), negated: *negated }
        }
        ast::Expr::InSubquery { expr: operand, subquery, negated } => Expr::InQuery {
            operand: boxed(operand),
            query: Box::new(lower_query(subquery)),
            negated: *negated,
        },
        ast::Expr::Exists { subquery, negated } => {
            Expr::Exists { query: Box::new(lower_query(subquery)), negated: *negated }
        }
        ast::Expr::Subquery(query) => Expr::Subquery(Box::new(lower_query(query))),
        ast::Expr::Between { expr: operand, negated, low, high } => {
            Expr::Between { operand: boxed(operand), low: boxed(low), high: boxed(high), negated: *negated }
        }
        ast::Expr::Like { negated, expr: operand, pattern, .. }
        | ast::Expr::ILike { negated, expr: operand, pattern, .. } => {
            like("LIKE", operand, pattern, *negated)
        }
        ast::Expr::RLike { negated, expr: operand, pattern, .. } => {
            like("REGEXP", operand, pattern, *negated)
        }
        ast::Expr::AnyOp { left, compare_op, right, .. } => match (compare_op, right.as_ref()) {
            (ast::BinaryOperator::Eq, ast::Expr::Subquery(query)) => {
                Expr::InQuery { operand: boxed(left), query: Box::new(lower_query(query)), negated: false }
            }
            _ => other(expr, [left.as_ref(), right]),
        },
        ast::Expr::AllOp { left, right, .. } => other(expr, [left.as_ref(), right]),
        ast::Expr::Case { operand, conditions, else_result, .. } => Expr::Case {
            operand: operand.as_deref().map(boxed),
            branches: conditions.iter().map(|when| (lower(&when.condition), lower(&when.result))).collect(),
            otherwise: else_result.as_deref().map(boxed),
        },
        ast::Expr::Cast { expr: operand, data_type, .. } => {
            Expr::Cast { operand: boxed(operand), to: data_type.to_string().to_lowercase() }
        }
        ast::Expr::Convert { expr: operand, data_type, charset, .. } => match (data_type, charset) {
            (Some(data_type), _) => {
                Expr::Cast { operand: boxed(operand), to: data_type.to_string().to_lowercase() }
            }
            (None, Some(charset)) => Expr::Cast {
                operand: boxed(operand),
                to: format!("char character set {charset}").to_lowercase(),
            },
            (None, None) => other(expr, [operand.as_ref()]),
        },
        ast::Expr::Collate { expr: operand, .. } => other(expr, [operand.as_ref()]),
        ast::Expr::Extract { expr: operand, field, .. } => {
            let field = Expr::Literal(Literal::Other(field.to_string().to_uppercase()));
            call("extract", vec![field, lower(operand)])
        }
        ast::Expr::Ceil { expr: operand, .. } => call("ceil", vec![lower(operand)]),
        ast::Expr::Floor { expr: operand, .. } => call("floor", vec![lower(operand)]),
        ast::Expr::Position { expr: needle, r#in } => call("position", vec![lower(needle), lower(r#in)]),
        ast::Expr::Substring { expr: operand, substring_from, substring_for, .. } => {
            let parts = std::iter::once(operand).chain(substring_from).chain(substring_for);
            call("substring", parts.map(|part| lower(part)).collect())
        }
        ast::Expr::Trim { expr: operand, trim_what, .. } => {
            call("trim", std::iter::once(operand).chain(trim_what).map(|part| lower(part)).collect())
        }
        ast::Expr::Interval(interval) => match interval.value.as_ref() {
            ast::Expr::Value(_) => Expr::Literal(Literal::Other(expr.to_string())),
            value => other(expr, [value]),
        },
        ast::Expr::Function(function) => lower_function(function),
        ast::Expr::Tuple(parts) => Expr::Row(all(parts)),
        ast::Expr::MatchAgainst { columns, match_value, .. } => {
            let mut args: Vec<Expr> = columns.iter().map(|object| column(names(object))).collect();
            args.push(lower_value(&match_value.value));
            call("match", args)
        }
        ast::Expr::MemberOf(member) => {
            Expr::Other { text: expr.to_string(), parts: vec![lower(&member.value), lower(&member.array)] }
        }
        ast::Expr::JsonAccess { value, .. } => other(expr, [value.as_ref()]),
        ast::Expr::CompoundFieldAccess { root, .. } => other(expr, [root.as_ref()]),
        ast::Expr::AtTimeZone { timestamp, .. } => other(expr, [timestamp.as_ref()]),
        ast::Expr::IsJson { expr: operand, .. } => other(expr, [operand.as_ref()]),
        _ => other(expr, []),
    }
}

fn like(op: &str, operand: &ast::Expr, pattern: &ast::Expr, negated: bool) -> Expr {
    Expr::Like { op: op.to_owned(), operand: boxed(operand), pattern: boxed(pattern), negated }
}

/// Words without parentheses that call a function.
fn is_keyword_call(word: &str) -> bool {
    const WORDS: [&str; 9] = [
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_USER",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "UTC_TIMESTAMP",
        "UTC_DATE",
        "UTC_TIME",
    ];
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A chain of operators, its left side unrolled so that a long one needs no deep stack.
fn lower_binary(expr: &ast::Expr) -> Expr {
    let mut pending = Vec::new();
    let mut leftmost = expr;
    while let ast::Expr::BinaryOp { left, op, right } = leftmost {
        pending.push((op, right));
        leftmost = left;
    }
    let mut made = lower(leftmost);
    for (op, right) in pending.into_iter().rev() {
        let op = match op {
            ast::BinaryOperator::NotEq => "<>".to_owned(),
            ast::BinaryOperator::Spaceship => "IS NOT DISTINCT FROM".to_owned(),
            // `||` is OR unless sql_mode says PIPES_AS_CONCAT; in written text it nearly always means to join strings.
            op => op.to_string().to_ascii_uppercase(),
        };
        made = match op.as_str() {
            "&&" => binary("AND", made, lower(right)),
            "REGEXP" => Expr::Like { op, operand: Box::new(made), pattern: boxed(right), negated: false },
            _ => binary(&op, made, lower(right)),
        };
    }
    made
}

fn lower_value(value: &ast::Value) -> Expr {
    use ast::Value;
    Expr::Literal(match value {
        Value::Null => Literal::Null,
        Value::Boolean(flag) => Literal::Bool(*flag),
        Value::Number(number, _) => Literal::Number(number.to_string()),
        Value::SingleQuotedString(text) | Value::NationalStringLiteral(text) => Literal::String(text.clone()),
        Value::DoubleQuotedString(text) => Literal::DoubleQuoted(text.clone()),
        Value::Placeholder(text) => return Expr::Parameter(text.clone()),
        other => Literal::Other(other.to_string()),
    })
}

fn lower_function(function: &ast::Function) -> Expr {
    let mut made = Call {
        name: names(&function.name)
            .iter()
            .map(|name| Name::from(name.as_str().to_ascii_lowercase()))
            .collect(),
        filter: function.filter.as_deref().map(boxed),
        window: function.over.is_some(),
        ..Call::default()
    };
    match &function.args {
        ast::FunctionArguments::None => {}
        ast::FunctionArguments::Subquery(query) => {
            made.args.push(Expr::Subquery(Box::new(lower_query(query))))
        }
        ast::FunctionArguments::List(list) => {
            made.distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
            made.args = list.args.iter().map(lower_argument).collect();
        }
    }
    Expr::Call(Box::new(made))
}

fn lower_argument(argument: &ast::FunctionArg) -> Expr {
    let argument = match argument {
        ast::FunctionArg::Named { arg, .. }
        | ast::FunctionArg::ExprNamed { arg, .. }
        | ast::FunctionArg::Unnamed(arg) => arg,
    };
    match argument {
        ast::FunctionArgExpr::Expr(expr) => lower(expr),
        ast::FunctionArgExpr::QualifiedWildcard(object) => Expr::Wildcard { qualifier: names(object) },
        _ => Expr::Wildcard { qualifier: Vec::new() },
    }
}

fn lower_query(query: &ast::Query) -> Query {
    let mut made = lower_set(&query.body);
    let with = query.with.iter().flat_map(|with| {
        with.cte_tables.iter().map(|member| CommonTable {
            name: name(&member.alias.name),
            recursive: with.recursive,
            materialized: member
                .materialized
                .as_ref()
                .map(|said| matches!(said, ast::CteAsMaterialized::Materialized)),
            query: Some(Box::new(lower_query(&member.query))),
        })
    });
    made.with = with.chain(std::mem::take(&mut made.with)).collect();
    if let Some(order_by) = &query.order_by
        && let ast::OrderByKind::Expressions(keys) = &order_by.kind
    {
        made.order_by = keys.iter().map(lower_order).collect();
    }
    match &query.limit_clause {
        Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
            made.limit = limit.as_ref().map(lower);
            made.offset = offset.as_ref().map(|offset| lower(&offset.value));
        }
        Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => {
            made.limit = Some(lower(limit));
            made.offset = Some(lower(offset));
        }
        None => {}
    }
    if let Some(fetch) = &query.fetch {
        made.limit = fetch.quantity.as_ref().map(lower);
    }
    if !query.locks.is_empty() {
        let locks: Vec<_> = query.locks.iter().map(|lock| lock.to_string().to_ascii_uppercase()).collect();
        made.locking = Some(locks.join(" "));
    }
    made
}

fn lower_order(key: &ast::OrderByExpr) -> OrderBy {
    OrderBy {
        expr: lower(&key.expr),
        descending: matches!(key.options.sort, Some(ast::OrderBySort::Desc)),
        nulls_first: key.options.nulls_first,
    }
}

fn lower_set(set: &ast::SetExpr) -> Query {
    let body = match set {
        ast::SetExpr::Select(select) => QueryBody::Select(Box::new(lower_select(select))),
        ast::SetExpr::Query(query) => return lower_query(query),
        ast::SetExpr::SetOperation { left, op, set_quantifier, right } => QueryBody::SetOperation {
            op: op.to_string().to_ascii_uppercase(),
            all: matches!(set_quantifier, ast::SetQuantifier::All | ast::SetQuantifier::AllByName),
            left: Box::new(lower_set(left)),
            right: Box::new(lower_set(right)),
        },
        ast::SetExpr::Values(values) => {
            QueryBody::Values(values.rows.iter().map(|row| all(&row.content)).collect())
        }
        other => QueryBody::Other(other.to_string()),
    };
    Query { body, ..Query::default() }
}

fn lower_select(select: &ast::Select) -> Select {
    let (group_by, modified) = match &select.group_by {
        ast::GroupByExpr::All(_) => (Vec::new(), false),
        ast::GroupByExpr::Expressions(keys, modifiers) => (all(keys), !modifiers.is_empty()),
    };
    Select {
        distinct: match &select.distinct {
            Some(ast::Distinct::Distinct) => Some(Vec::new()),
            Some(ast::Distinct::On(keys)) => Some(all(keys)),
            Some(ast::Distinct::All) | None => None,
        },
        items: select.projection.iter().map(lower_item).collect(),
        from: select.from.iter().map(lower_from).collect(),
        filter: select.selection.as_ref().map(lower),
        group_by,
        having: select.having.as_ref().map(lower),
        grouping_sets: modified,
    }
}

fn lower_item(item: &ast::SelectItem) -> SelectItem {
    let star = |qualifier| SelectItem { expr: Expr::Wildcard { qualifier }, alias: None };
    match item {
        ast::SelectItem::UnnamedExpr(expr) => SelectItem { expr: lower(expr), alias: None },
        ast::SelectItem::ExprWithAlias { expr, alias } => {
            SelectItem { expr: lower(expr), alias: Some(name(alias)) }
        }
        ast::SelectItem::ExprWithAliases { expr, aliases } => {
            SelectItem { expr: lower(expr), alias: aliases.first().map(name) }
        }
        ast::SelectItem::QualifiedWildcard(kind, _) => match kind {
            ast::SelectItemQualifiedWildcardKind::ObjectName(object) => star(names(object)),
            ast::SelectItemQualifiedWildcardKind::Expr(expr) => star(vec![Name::from(expr.to_string())]),
        },
        ast::SelectItem::Wildcard(_) => star(Vec::new()),
    }
}

fn lower_from(item: &ast::TableWithJoins) -> FromItem {
    FromItem { source: lower_source(&item.relation), joins: item.joins.iter().map(lower_join).collect() }
}

fn lower_join(join: &ast::Join) -> Join {
    use ast::JoinOperator;
    let (kind, constraint) = match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::StraightJoin(constraint) => (JoinKind::Inner, Some(constraint)),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
            (JoinKind::Left, Some(constraint))
        }
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
            (JoinKind::Right, Some(constraint))
        }
        JoinOperator::FullOuter(constraint) => (JoinKind::Full, Some(constraint)),
        JoinOperator::CrossJoin(constraint) => (JoinKind::Cross, Some(constraint)),
        _ => (JoinKind::Inner, None),
    };
    let mut made =
        Join { kind, source: lower_source(&join.relation), on: None, using: Vec::new(), natural: false };
    match constraint {
        Some(ast::JoinConstraint::On(on)) => made.on = Some(lower(on)),
        Some(ast::JoinConstraint::Using(columns)) => {
            made.using = columns.iter().filter_map(|object| names(object).pop()).collect();
        }
        Some(ast::JoinConstraint::Natural) => made.natural = true,
        Some(ast::JoinConstraint::None) | None => {}
    }
    made
}

fn lower_source(factor: &ast::TableFactor) -> Source {
    let alias_of = |alias: &Option<ast::TableAlias>| alias.as_ref().map(|alias| name(&alias.name));
    match factor {
        ast::TableFactor::Table { name: object, alias, args: None, .. } => {
            Source::Table { name: qualified(object), alias: alias_of(alias) }
        }
        ast::TableFactor::Table { name: object, alias, args: Some(args), .. } => {
            let args = args.args.iter().map(lower_argument).collect();
            let call = Call { name: names(object), args, ..Call::default() };
            Source::Function { call: Box::new(call), alias: alias_of(alias) }
        }
        ast::TableFactor::Derived { lateral, subquery, alias, .. } => Source::Query {
            query: Box::new(lower_query(subquery)),
            alias: alias_of(alias),
            lateral: *lateral,
        },
        ast::TableFactor::JsonTable { json_expr, alias, .. } => {
            let call =
                Call { name: vec![Name::new("json_table")], args: vec![lower(json_expr)], ..Call::default() };
            Source::Function { call: Box::new(call), alias: alias_of(alias) }
        }
        ast::TableFactor::NestedJoin { table_with_joins, .. } => {
            Source::Nested(Box::new(lower_from(table_with_joins)))
        }
        other => Source::Other(other.to_string()),
    }
}

fn lower_insert(insert: &ast::Insert) -> Option<DataStatement> {
    let ast::TableObject::TableName(table) = &insert.table else { return None };
    let mut columns: Vec<Name> = insert.columns.iter().filter_map(|object| names(object).pop()).collect();
    let mut source = insert.source.as_deref().map(|query| Box::new(lower_query(query)));
    if source.is_none() && !insert.assignments.is_empty() {
        // `INSERT INTO t SET a = 1` is a row of values.
        let assigned = assignments(&insert.assignments);
        columns = assigned.iter().map(|(name, _)| name.clone()).collect();
        let row = assigned.into_iter().map(|(_, value)| value).collect();
        source = Some(Box::new(Query { body: QueryBody::Values(vec![row]), ..Query::default() }));
    }
    Some(DataStatement::Insert { table: qualified(table), columns, source })
}

fn assignments(assignments: &[ast::Assignment]) -> Vec<(Name, Expr)> {
    let mut found = Vec::new();
    for assignment in assignments {
        match &assignment.target {
            ast::AssignmentTarget::ColumnName(object) => {
                found.extend(names(object).pop().map(|name| (name, lower(&assignment.value))));
            }
            ast::AssignmentTarget::Tuple(objects) => {
                found.extend(
                    objects
                        .iter()
                        .filter_map(|o| names(o).pop())
                        .map(|name| (name, lower(&assignment.value))),
                );
            }
        }
    }
    found
}

/// The table a statement changes, its alias, and what is joined to it.
fn target(item: &ast::TableWithJoins) -> Option<(QualifiedName, Option<Name>, Vec<FromItem>)> {
    let made = lower_from(item);
    let Source::Table { name, alias } = made.source.clone() else { return None };
    let joined = if made.joins.is_empty() { Vec::new() } else { vec![made] };
    Some((name, alias, joined))
}

fn lower_update(update: &ast::Update) -> Option<DataStatement> {
    let (table, alias, mut from) = target(&update.table)?;
    if let Some(ast::UpdateTableFromKind::BeforeSet(items) | ast::UpdateTableFromKind::AfterSet(items)) =
        &update.from
    {
        from.extend(items.iter().map(lower_from));
    }
    Some(DataStatement::Update {
        table,
        alias,
        assignments: assignments(&update.assignments),
        from,
        filter: update.selection.as_ref().map(lower),
    })
}

fn lower_delete(delete: &ast::Delete) -> Option<DataStatement> {
    let (ast::FromTable::WithFromKeyword(items) | ast::FromTable::WithoutKeyword(items)) = &delete.from;
    let (mut table, mut alias, mut from) = target(items.first()?)?;
    from.extend(items.iter().skip(1).map(lower_from));
    from.extend(delete.using.iter().flatten().map(lower_from));
    if let Some(named) = delete.tables.first().map(qualified) {
        // `DELETE a FROM t AS a JOIN ...`: the target is named by its alias.
        if alias.as_ref() != Some(&named.name) && table != named {
            (table, alias) = (named, None);
        }
    }
    Some(DataStatement::Delete { table, alias, from, filter: delete.selection.as_ref().map(lower) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_show_their_columns() {
        let check = |text: &str, columns: &str| {
            let read = expression(text).unwrap_or_else(|| panic!("{text} was not read"));
            assert_eq!(dbwright_model::name::join(read.columns()), columns, "{text}");
        };
        check("a > 0", "a");
        check("`a` between 1 and `b`", "a, b");
        check("(`status` in (_utf8mb4'x',_utf8mb4'y'))", "status");
        check(r"(`status` in (_utf8mb4\'x\',_utf8mb4\'y\'))", "status");
        check("json_unquote(json_extract(`doc`,_utf8mb4\\'$.a\\'))", "doc");
        check("json_value(`doc`,'$.a')", "doc");
        check("current_timestamp()", "");
        check("CURRENT_TIMESTAMP", "");
        check("cast(`a` as char charset utf8mb4)", "a");
        check("`a` regexp '^[a-z]'", "a");
        check("concat(`a`,' ',`b`)", "a, b");
        check("date_add(a, interval b day)", "a, b");
        check("a <=> b", "a, b");
        check("if(a is null, b, c)", "a, b, c");
        check("match(a, b) against ('x' in boolean mode)", "a, b");
        check("a collate utf8mb4_bin = 'x'", "a");
        check("doc->'$.x' = doc->>'$.y'", "doc");
    }

    #[test]
    fn trees_have_the_shape_of_the_text() {
        assert_eq!(
            expression("a = 'it\\'s'"),
            Some(binary("=", Expr::column("a"), Expr::Literal(Literal::String("it's".to_owned()))))
        );
        assert_eq!(expression("-1"), Some(Expr::Literal(Literal::Number("-1".to_owned()))));
        assert_eq!(expression("now()"), Some(call("now", Vec::new())));
        assert_eq!(expression("NULL"), Some(Expr::Literal(Literal::Null)));
        assert_eq!(expression("a b c"), None);
        assert_eq!(expression(""), None);
    }

    #[test]
    fn statements_about_rows_are_read() {
        let check = |text: &str, kind: &str, target: &str| {
            let (found, table) = match data_statement(text) {
                Some(DataStatement::Query(query)) => match query.body {
                    QueryBody::Select(select) => {
                        let table = match select.from.first().map(|item| &item.source) {
                            Some(Source::Table { name, .. }) => name.to_string(),
                            _ => String::new(),
                        };
                        ("select", table)
                    }
                    _ => ("set", String::new()),
                },
                Some(DataStatement::Insert { table, .. }) => ("insert", table.to_string()),
                Some(DataStatement::Update { table, .. }) => ("update", table.to_string()),
                Some(DataStatement::Delete { table, .. }) => ("delete", table.to_string()),
                None => ("nothing", String::new()),
            };
            assert_eq!((found, table.as_str()), (kind, target), "{text}");
        };
        check("SELECT * FROM `t` WHERE `a` = ? AND `b` IN (...) LIMIT ?, ...", "select", "t");
        check("SELECT * FROM `t` WHERE `a` MOD ? = ? LOCK IN SHARE MODE", "select", "t");
        check("SELECT * FROM `t` WHERE MOD ( `a` , ? ) = ?", "select", "t");
        check("select `db`.`t`.`a` AS `a` from `db`.`t` where `db`.`t`.`a` > 1", "select", "db.t");
        check("SELECT a FROM t FORCE INDEX (i) WHERE a = 1 FOR UPDATE SKIP LOCKED", "select", "t");
        check("SELECT STRAIGHT_JOIN a FROM t JOIN child USING (a) GROUP BY a WITH ROLLUP", "select", "t");
        check("SELECT SQL_CALC_FOUND_ROWS a FROM t", "select", "t");
        check("(SELECT 1) UNION ALL (SELECT 2)", "set", "");
        check("INSERT INTO t (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = VALUES(a)", "insert", "t");
        check("INSERT IGNORE INTO t SET a = 1", "insert", "t");
        check("REPLACE INTO t VALUES (1)", "insert", "t");
        check("UPDATE t JOIN child c ON c.t_id = t.id SET t.a = c.b WHERE t.id = 1", "update", "t");
        check("UPDATE t SET a = 1 ORDER BY id LIMIT 10", "update", "t");
        check("DELETE FROM t WHERE a < NOW() - INTERVAL 1 DAY LIMIT 1000", "delete", "t");
        check("DELETE a FROM t AS a JOIN child ON child.t_id = a.id", "delete", "t");
        check("WITH RECURSIVE c AS (SELECT 1) SELECT * FROM c;", "select", "c");
        check("CREATE TABLE t (a int)", "nothing", "");
    }

    #[test]
    fn deep_and_long_input_is_refused_or_read_without_harm() {
        let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(expression(&deep), None);
        let long = format!("a IN ({}1)", "1,".repeat(50_000));
        assert!(matches!(expression(&long), Some(Expr::InList { list, .. }) if list.len() == 50_001));
        let chain = vec!["a = 1"; 20_000].join(" OR ");
        assert_eq!(expression(&chain), None);
        let chain = vec!["a = 1"; 200].join(" OR ");
        assert!(expression(&chain).is_some());
        assert_eq!(expression(&"NOT ".repeat(10_000)), None);
        assert_eq!(expression(&"-".repeat(10_000)), None);
        assert_eq!(data_statement(&vec!["SELECT 1"; 10_000].join(" UNION ")), None);
    }
}
