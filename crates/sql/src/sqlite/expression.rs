//! Expressions and queries of SQLite, lowered from the parser library's tree.

use dbwright_model::expression::{
    Call, CommonTable, DataStatement, Expr, FromItem, Join, JoinKind, Literal, OrderBy, Query, QueryBody,
    Select, SelectItem, Source,
};
use dbwright_model::name::{Name, QualifiedName};
use turso_parser::ast;
use turso_parser::parser::Parser;

use super::lexer::{self, TokenKind};

/// Deepest nesting of parentheses that is given to the parser, which recurses on them.
const MAX_DEPTH: usize = 64;

/// Parses a scalar expression.
pub fn expression(text: &str) -> Option<Expr> {
    let select = format!("SELECT {text}\n");
    let ast::Stmt::Select(select) = parse(&select)? else { return None };
    if select.with.is_some()
        || !select.order_by.is_empty()
        || select.limit.is_some()
        || !select.body.compounds.is_empty()
    {
        return None;
    }
    let ast::OneSelect::Select {
        distinctness: None,
        columns,
        from: None,
        where_clause: None,
        group_by: None,
        window_clause,
    } = select.body.select
    else {
        return None;
    };
    let [ast::ResultColumn::Expr(tree, alias)] = columns.as_slice() else { return None };
    if !window_clause.is_empty() || alias.as_ref().is_some_and(ast::As::is_explicit) {
        return None;
    }
    Some(expr(tree))
}

/// Parses a statement that reads or writes rows.
pub fn data_statement(text: &str) -> Option<DataStatement> {
    match parse(text)? {
        ast::Stmt::Select(select) => Some(DataStatement::Query(query(&select))),
        ast::Stmt::Insert { tbl_name, columns, body, .. } => Some(DataStatement::Insert {
            table: qualified(&tbl_name),
            columns: columns.iter().map(name).collect(),
            source: match &body {
                ast::InsertBody::Select(select, _) => Some(Box::new(query(select))),
                ast::InsertBody::DefaultValues => None,
            },
        }),
        ast::Stmt::Update(update) => Some(DataStatement::Update {
            table: qualified(&update.tbl_name),
            alias: update.tbl_name.alias.as_ref().map(name),
            assignments: update.sets.iter().flat_map(assignments).collect(),
            from: update.from.iter().map(from_item).collect(),
            filter: update.where_clause.as_deref().map(expr),
        }),
        ast::Stmt::Delete { tbl_name, where_clause, .. } => Some(DataStatement::Delete {
            table: qualified(&tbl_name),
            alias: tbl_name.alias.as_ref().map(name),
            from: Vec::new(),
            filter: where_clause.as_deref().map(expr),
        }),
        _ => None,
    }
}

/// Turns double-quoted words into columns where the table has a column of that name, as SQLite does.
pub fn resolve_double_quoted(expr: &mut Expr, columns: &[&Name]) {
    expr.walk_mut(&mut |expr| {
        if let Expr::Literal(Literal::DoubleQuoted(word)) = expr
            && columns.iter().any(|column| column.eq_ignore_case(word))
        {
            *expr = Expr::column(&word);
        }
    });
}

/// One statement by the parser library; `None` when it refuses or when more than one statement is there.
fn parse(text: &str) -> Option<ast::Stmt> {
    let tokens = lexer::tokens(text)?;
    if lexer::depth(&tokens) > MAX_DEPTH {
        return None;
    }
    // The library reads `a[b]` as an array element, SQLite never does: brackets become back quotes.
    let mut plain = String::with_capacity(text.len());
    let mut end = 0;
    for token in &tokens {
        // Symbols of several characters must stay together, so only real gaps become blanks.
        if token.start > end {
            plain.push(' ');
        }
        if token.kind == TokenKind::Quoted && token.text.starts_with('[') {
            plain.push_str(&format!("`{}`", lexer::unquote(token.text).replace('`', "``")));
        } else {
            plain.push_str(token.text);
        }
        end = token.end;
    }
    let mut parser = Parser::new(plain.as_bytes());
    let command = parser.next_cmd().ok()??;
    if parser.next_cmd().ok()?.is_some() {
        return None;
    }
    match command {
        ast::Cmd::Stmt(stmt) => Some(stmt),
        ast::Cmd::Explain(_) | ast::Cmd::ExplainQueryPlan { .. } => None,
    }
}

fn name(name: &ast::Name) -> Name {
    Name::new(name.as_str())
}

fn qualified(qualified: &ast::QualifiedName) -> QualifiedName {
    let schema = qualified.db_name.as_ref().map(ast::Name::as_str).unwrap_or_default();
    let schema = if schema.eq_ignore_ascii_case("main") { "" } else { schema };
    QualifiedName::new(schema, qualified.name.as_str())
}

fn boxed(tree: &ast::Expr) -> Box<Expr> {
    Box::new(expr(tree))
}

fn exprs(trees: &[Box<ast::Expr>]) -> Vec<Expr> {
    trees.iter().map(|tree| expr(tree)).collect()
}

fn expr(tree: &ast::Expr) -> Expr {
    match tree {
        ast::Expr::Between { lhs, not, start, end } => {
            Expr::Between { operand: boxed(lhs), low: boxed(start), high: boxed(end), negated: *not }
        }
        ast::Expr::Binary(left, op, right) => binary(left, *op, right),
        ast::Expr::Case { base, when_then_pairs, else_expr } => Expr::Case {
            operand: base.as_deref().map(boxed),
            branches: when_then_pairs.iter().map(|(when, then)| (expr(when), expr(then))).collect(),
            otherwise: else_expr.as_deref().map(boxed),
        },
        ast::Expr::Cast { expr, type_name } => Expr::Cast {
            operand: boxed(expr),
            to: type_name
                .as_ref()
                .map(|name| name.to_string().to_ascii_lowercase().replace(" (", "("))
                .unwrap_or_default(),
        },
        ast::Expr::DoublyQualified(schema, table, column) => {
            Expr::Column { qualifier: vec![name(schema), name(table)], name: name(column) }
        }
        ast::Expr::Qualified(table, column) => {
            Expr::Column { qualifier: vec![name(table)], name: name(column) }
        }
        ast::Expr::Id(id) | ast::Expr::Name(id) => {
            if id.quoted_with('"') {
                Expr::Literal(Literal::DoubleQuoted(id.as_str().to_owned()))
            } else {
                Expr::column(id.as_str())
            }
        }
        ast::Expr::Exists(select) => Expr::Exists { query: Box::new(query(select)), negated: false },
        ast::Expr::FunctionCall {
            name: function,
            distinctness,
            args,
            order_by,
            within_group,
            filter_over,
        } => {
            let mut args = exprs(args);
            args.extend(order_by.iter().chain(within_group).map(|key| expr(&key.expr)));
            Expr::Call(Box::new(Call {
                name: vec![Name::new(function.as_str().to_ascii_lowercase())],
                args,
                distinct: *distinctness == Some(ast::Distinctness::Distinct),
                filter: filter_over.filter_clause.as_deref().map(boxed),
                window: filter_over.over_clause.is_some(),
            }))
        }
        ast::Expr::FunctionCallStar { name: function, filter_over } => Expr::Call(Box::new(Call {
            name: vec![Name::new(function.as_str().to_ascii_lowercase())],
            args: vec![Expr::Wildcard { qualifier: Vec::new() }],
            distinct: false,
            filter: filter_over.filter_clause.as_deref().map(boxed),
            window: filter_over.over_clause.is_some(),
        })),
        ast::Expr::InList { lhs, not, rhs } => {
            Expr::InList { operand: boxed(lhs), list: exprs(rhs), negated: *not }
        }
        ast::Expr::InSelect { lhs, not, rhs } => {
            Expr::InQuery { operand: boxed(lhs), query: Box::new(query(rhs)), negated: *not }
        }
        ast::Expr::InTable { lhs, not, rhs, .. } => {
            let source = Source::Table { name: qualified(rhs), alias: None };
            let select = Select {
                items: vec![SelectItem { expr: Expr::Wildcard { qualifier: Vec::new() }, alias: None }],
                from: vec![FromItem { source, joins: Vec::new() }],
                ..Select::default()
            };
            let query = Query { body: QueryBody::Select(Box::new(select)), ..Query::default() };
            Expr::InQuery { operand: boxed(lhs), query: Box::new(query), negated: *not }
        }
        ast::Expr::IsNull(operand) => Expr::IsNull { operand: boxed(operand), negated: false },
        ast::Expr::NotNull(operand) => Expr::IsNull { operand: boxed(operand), negated: true },
        ast::Expr::Like { lhs, not, op, rhs, escape: _ } => Expr::Like {
            op: match op {
                ast::LikeOperator::Glob => "GLOB",
                ast::LikeOperator::Like => "LIKE",
                ast::LikeOperator::Match => "MATCH",
                ast::LikeOperator::Regexp => "REGEXP",
            }
            .to_owned(),
            operand: boxed(lhs),
            pattern: boxed(rhs),
            negated: *not,
        },
        ast::Expr::Literal(constant) => literal(constant),
        ast::Expr::Parenthesized(inner) => match inner.as_slice() {
            [one] => expr(one),
            several => Expr::Row(exprs(several)),
        },
        ast::Expr::Subquery(select) => Expr::Subquery(Box::new(query(select))),
        ast::Expr::Unary(op, operand) => unary(*op, operand),
        ast::Expr::Variable(variable) => Expr::Parameter(match &variable.name {
            Some(name) => name.to_string(),
            None if variable.numbered => format!("?{}", variable.index),
            None => "?".to_owned(),
        }),
        ast::Expr::Collate(operand, _) => Expr::Other { text: tree.to_string(), parts: vec![expr(operand)] },
        ast::Expr::Raise(_, message) => {
            let mut message = message.as_deref().map(expr);
            // A name is taken for the message that it says, whatever its quotes.
            if let Some(said) = &mut message
                && let Expr::Literal(Literal::DoubleQuoted(word)) = said
            {
                *said = Expr::Literal(Literal::String(std::mem::take(word)));
            }
            Expr::Other { text: tree.to_string(), parts: message.into_iter().collect() }
        }
        ast::Expr::Subscript { base, index } => {
            Expr::Other { text: tree.to_string(), parts: vec![expr(base), expr(index)] }
        }
        ast::Expr::Array { elements } => Expr::Array(exprs(elements)),
        // What only the library's own planner makes.
        ast::Expr::Register(_)
        | ast::Expr::FieldAccess { .. }
        | ast::Expr::Column { .. }
        | ast::Expr::RowId { .. }
        | ast::Expr::SubqueryResult { .. }
        | ast::Expr::Default => Expr::Other { text: String::new(), parts: Vec::new() },
    }
}

fn unary(op: ast::UnaryOperator, operand: &ast::Expr) -> Expr {
    let op = match op {
        ast::UnaryOperator::BitwiseNot => "~",
        ast::UnaryOperator::Negative => "-",
        ast::UnaryOperator::Positive => "+",
        ast::UnaryOperator::Not => match expr(operand) {
            Expr::Exists { query, negated } => return Expr::Exists { query, negated: !negated },
            other => return Expr::Unary { op: "NOT".to_owned(), operand: Box::new(other) },
        },
    };
    Expr::Unary { op: op.to_owned(), operand: boxed(operand) }
}

fn binary(left: &ast::Expr, op: ast::Operator, right: &ast::Expr) -> Expr {
    use ast::Operator as Op;
    if let (Op::Is | Op::IsNot, ast::Expr::Literal(constant)) = (op, right) {
        let negated = op == Op::IsNot;
        match constant {
            ast::Literal::Null => return Expr::IsNull { operand: boxed(left), negated },
            ast::Literal::True => {
                return Expr::IsTruth { operand: boxed(left), value: Some(true), negated };
            }
            ast::Literal::False => {
                return Expr::IsTruth { operand: boxed(left), value: Some(false), negated };
            }
            _ => {}
        }
    }
    let op = match op {
        Op::Add => "+",
        Op::And => "AND",
        Op::ArrowRight => "->",
        Op::ArrowRightShift => "->>",
        Op::BitwiseAnd => "&",
        Op::BitwiseOr => "|",
        Op::BitwiseNot => "~",
        Op::Concat => "||",
        Op::Equals => "=",
        Op::Divide => "/",
        Op::Greater => ">",
        Op::GreaterEquals => ">=",
        Op::Is => "IS",
        Op::IsNot => "IS NOT",
        Op::LeftShift => "<<",
        Op::Less => "<",
        Op::LessEquals => "<=",
        Op::Modulus => "%",
        Op::Multiply => "*",
        Op::NotEquals => "<>",
        Op::Or => "OR",
        Op::RightShift => ">>",
        Op::Subtract => "-",
        Op::ArrayContains => "@>",
        Op::ArrayOverlap => "&&",
    };
    Expr::Binary { op: op.to_owned(), left: boxed(left), right: boxed(right) }
}

fn literal(constant: &ast::Literal) -> Expr {
    let keyword_call =
        |name: &str| Expr::Call(Box::new(Call { name: vec![Name::new(name)], ..Call::default() }));
    Expr::Literal(match constant {
        ast::Literal::Numeric(number) => Literal::Number(number.clone()),
        ast::Literal::String(text) if text.starts_with('"') => Literal::DoubleQuoted(lexer::unquote(text)),
        ast::Literal::String(text) => Literal::String(lexer::unquote(text)),
        ast::Literal::Blob(text) => Literal::Other(text.clone()),
        ast::Literal::Keyword(text) => Literal::Other(text.clone()),
        ast::Literal::Null => Literal::Null,
        ast::Literal::True => Literal::Bool(true),
        ast::Literal::False => Literal::Bool(false),
        ast::Literal::CurrentDate => return keyword_call("current_date"),
        ast::Literal::CurrentTime => return keyword_call("current_time"),
        ast::Literal::CurrentTimestamp => return keyword_call("current_timestamp"),
    })
}

fn assignments(set: &ast::Set) -> Vec<(Name, Expr)> {
    set.col_names.iter().map(|column| (name(column), expr(&set.expr))).collect()
}

fn query(select: &ast::Select) -> Query {
    let mut body = one_select(&select.body.select);
    for compound in &select.body.compounds {
        let (op, all) = match compound.operator {
            ast::CompoundOperator::Union => ("UNION", false),
            ast::CompoundOperator::UnionAll => ("UNION", true),
            ast::CompoundOperator::Except => ("EXCEPT", false),
            ast::CompoundOperator::Intersect => ("INTERSECT", false),
        };
        let side = |body| Box::new(Query { body, ..Query::default() });
        let right = side(one_select(&compound.select));
        body = QueryBody::SetOperation { op: op.to_owned(), all, left: side(body), right };
    }
    Query {
        with: select.with.iter().flat_map(common_tables).collect(),
        body,
        order_by: select.order_by.iter().map(order_by).collect(),
        limit: select.limit.as_ref().map(|limit| expr(&limit.expr)),
        offset: select.limit.as_ref().and_then(|limit| limit.offset.as_deref()).map(expr),
        locking: None,
    }
}

fn common_tables(with: &ast::With) -> Vec<CommonTable> {
    with.ctes
        .iter()
        .map(|member| CommonTable {
            name: name(&member.tbl_name),
            recursive: with.recursive,
            materialized: match member.materialized {
                ast::Materialized::Any => None,
                ast::Materialized::Yes => Some(true),
                ast::Materialized::No => Some(false),
            },
            query: Some(Box::new(query(&member.select))),
        })
        .collect()
}

fn order_by(key: &ast::SortedColumn) -> OrderBy {
    OrderBy {
        expr: expr(&key.expr),
        descending: key.order == Some(ast::SortOrder::Desc),
        nulls_first: key.nulls.map(|nulls| nulls == ast::NullsOrder::First),
    }
}

fn one_select(select: &ast::OneSelect) -> QueryBody {
    match select {
        ast::OneSelect::Values(rows) => QueryBody::Values(rows.iter().map(|row| exprs(row)).collect()),
        ast::OneSelect::Select { distinctness, columns, from, where_clause, group_by, window_clause: _ } => {
            QueryBody::Select(Box::new(Select {
                distinct: (*distinctness == Some(ast::Distinctness::Distinct)).then(Vec::new),
                items: columns.iter().map(select_item).collect(),
                from: from.iter().flat_map(from_items).collect(),
                filter: where_clause.as_deref().map(expr),
                group_by: group_by.iter().flat_map(|group| exprs(&group.exprs)).collect(),
                having: group_by.as_ref().and_then(|group| group.having.as_deref()).map(expr),
                grouping_sets: false,
            }))
        }
    }
}

fn select_item(column: &ast::ResultColumn) -> SelectItem {
    match column {
        ast::ResultColumn::Star => SelectItem { expr: Expr::Wildcard { qualifier: Vec::new() }, alias: None },
        ast::ResultColumn::TableStar(table) => {
            SelectItem { expr: Expr::Wildcard { qualifier: vec![name(table)] }, alias: None }
        }
        ast::ResultColumn::Expr(value, alias) => {
            SelectItem { expr: expr(value), alias: alias.as_ref().and_then(alias_name) }
        }
    }
}

fn alias_name(alias: &ast::As) -> Option<Name> {
    alias.is_explicit().then(|| name(alias.name()))
}

/// `FROM`, cut at its commas.
fn from_items(from: &ast::FromClause) -> Vec<FromItem> {
    let mut items = vec![FromItem { source: source(&from.select), joins: Vec::new() }];
    for joined in &from.joins {
        let source = source(&joined.table);
        if joined.operator == ast::JoinOperator::Comma && joined.constraint.is_none() {
            items.push(FromItem { source, joins: Vec::new() });
            continue;
        }
        // The list starts with one item and only grows.
        if let Some(item) = items.last_mut() {
            item.joins.push(join(joined, source));
        }
    }
    items
}

fn from_item(from: &ast::FromClause) -> FromItem {
    let mut item = FromItem { source: source(&from.select), joins: Vec::new() };
    item.joins = from.joins.iter().map(|joined| join(joined, source(&joined.table))).collect();
    item
}

fn join(joined: &ast::JoinedSelectTable, source: Source) -> Join {
    let kind = match joined.operator {
        ast::JoinOperator::Comma => ast::JoinType::CROSS,
        ast::JoinOperator::TypedJoin(kind) => kind.unwrap_or(ast::JoinType::INNER),
    };
    let (on, using) = match &joined.constraint {
        Some(ast::JoinConstraint::On(condition)) => (Some(expr(condition)), Vec::new()),
        Some(ast::JoinConstraint::Using(columns)) => (None, columns.iter().map(name).collect()),
        None => (None, Vec::new()),
    };
    let left = kind.contains(ast::JoinType::LEFT);
    let right = kind.contains(ast::JoinType::RIGHT);
    Join {
        kind: match (left, right) {
            (true, true) => JoinKind::Full,
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) if kind.contains(ast::JoinType::CROSS) => JoinKind::Cross,
            (false, false) => JoinKind::Inner,
        },
        source,
        on,
        using,
        natural: kind.contains(ast::JoinType::NATURAL),
    }
}

fn source(table: &ast::SelectTable) -> Source {
    match table {
        ast::SelectTable::Table(table, alias, _) => {
            Source::Table { name: qualified(table), alias: alias.as_ref().and_then(alias_name) }
        }
        ast::SelectTable::TableCall(function, args, alias) => Source::Function {
            call: Box::new(Call {
                name: vec![Name::new(function.name.as_str().to_ascii_lowercase())],
                args: exprs(args),
                ..Call::default()
            }),
            alias: alias.as_ref().and_then(alias_name),
        },
        ast::SelectTable::Select(select, alias) => Source::Query {
            query: Box::new(query(select)),
            alias: alias.as_ref().and_then(alias_name),
            lateral: false,
        },
        ast::SelectTable::Sub(from, _) => Source::Nested(Box::new(from_item(from))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = match expression(text) {
            Some(tree) => format!("{tree:?}"),
            None => "nothing".to_owned(),
        };
        assert!(found.contains(expected), "{text}\n  gave {found}\n  not  {expected}");
    }

    #[test]
    fn expressions_are_lowered() {
        check("a > 1 AND b IS NOT NULL", "Binary { op: \"AND\"");
        check(
            "a = 1",
            "Binary { op: \"=\", left: Column { qualifier: [], name: \"a\" }, right: Literal(Number(\"1\")) }",
        );
        check("t.a <> [b c]", "name: \"b c\"");
        check("a IS TRUE", "IsTruth");
        check("a IS NULL", "IsNull");
        check("a IN (1, 'x')", "InList");
        check("NOT EXISTS (SELECT 1 FROM t)", "negated: true");
        check("\"a\"", "DoubleQuoted(\"a\")");
        check("'it''s'", "String(\"it's\")");
        check("CURRENT_TIMESTAMP", "name: [\"current_timestamp\"]");
        check("lower(a) || count(*)", "name: [\"lower\"]");
        check("a COLLATE NOCASE", "Other");
        check("a LIKE 'x%' ESCAPE '!'", "Like { op: \"LIKE\"");
        check("json_extract(a, '$.b') ->> 'c' -- note", "op: \"->>\"");
        check("a - -1", "Unary { op: \"-\"");
        check("CASE a WHEN 1 THEN 2 ELSE 3 END", "Case");
        check("CAST(a AS VARCHAR(20))", "to: \"varchar(20)\"");
        check("x'0a'", "Other(\"x'0a'\")");
        check("(a, b) = (1, 2)", "Row");
    }

    #[test]
    fn what_is_no_expression_is_nothing() {
        for text in
            ["", "1 FROM t", "1, 2", "*", "1 AS a", "1; SELECT 2", "1 UNION SELECT 2", "a b", "(", "'", "1)"]
        {
            check(text, "nothing");
        }
        check(&format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000)), "nothing");
        check(&"NOT ".repeat(10_000), "nothing");
        check(&format!("{}1{}", "(".repeat(60), ")".repeat(60)), "Literal");
        let nested = format!("{}1{}", "(SELECT ".repeat(60), ")".repeat(60));
        check(&nested, "Subquery");
        check(&format!("1{}", " + 1".repeat(80)), "Binary");
    }

    #[test]
    fn statements_about_rows_are_lowered() {
        let text = "WITH c AS (SELECT a FROM t) SELECT DISTINCT c.a, count(*) n FROM c, parent p \
            LEFT JOIN main.child ON p.id = child.parent_id WHERE p.x IN (SELECT 1) GROUP BY 1 HAVING n > 1 \
            ORDER BY n DESC NULLS LAST LIMIT 10 OFFSET 5";
        let Some(DataStatement::Query(query)) = data_statement(text) else { panic!("not a query") };
        let QueryBody::Select(select) = &query.body else { panic!("not a select") };
        assert_eq!(query.with.len(), 1);
        assert_eq!(select.from.len(), 2);
        assert_eq!(select.from[1].joins[0].kind, JoinKind::Left);
        assert!(
            matches!(&select.from[1].joins[0].source, Source::Table { name, .. } if *name == QualifiedName::bare("child"))
        );
        assert_eq!(query.order_by[0].nulls_first, Some(false));
        assert!(query.offset.is_some());

        let Some(DataStatement::Update { table, assignments, filter, .. }) =
            data_statement("UPDATE OR IGNORE t AS x SET a = 1, b = a + 1 WHERE a IS NULL")
        else {
            panic!("not an update")
        };
        assert_eq!((table, assignments.len(), filter.is_some()), (QualifiedName::bare("t"), 2, true));
        assert!(matches!(
            data_statement(
                "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = excluded.a RETURNING a"
            ),
            Some(DataStatement::Insert { .. })
        ));
        assert!(matches!(data_statement("DELETE FROM t"), Some(DataStatement::Delete { filter: None, .. })));
        assert!(matches!(
            data_statement("SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3"),
            Some(DataStatement::Query(Query { body: QueryBody::SetOperation { .. }, .. }))
        ));
    }
}
