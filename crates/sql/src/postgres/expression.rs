//! Expressions and queries of PostgreSQL.

use dbwright_model::expression::{Call, DataStatement, Expr, Expression, Literal};
use dbwright_model::name::Name;

use super::query;
use super::syntax::{
    DEEPEST_LOWERED, K, Node, Parsed, child, children, expr_child, first_token, has, is_expr, is_query,
    is_type, literal_text, name, segments, tokens, type_child, with_parsed, without_parentheses,
};

/// Operators in a row that become a tree leaning to the left; longer rows become flatter.
const LONGEST_ROW: usize = 24;

/// Parses a scalar expression, as a file spells it or as `pg_get_expr()` prints it.
pub fn expression(text: &str) -> Option<Expr> {
    if text.trim().is_empty() {
        return None;
    }
    with_parsed(&format!("SELECT {text}"), |parsed| {
        let mut statements = parsed.root.children();
        let select = statements.next().filter(|node| node.kind() == K::SELECT)?;
        if statements.next().is_some() || !parsed.errors.is_empty() || has(&select, K::SEMICOLON) {
            return None;
        }
        let mut clauses = select.children();
        let clause = clauses.next().filter(|node| node.kind() == K::SELECT_CLAUSE)?;
        if clauses.next().is_some() || clause.children().count() != 1 {
            return None;
        }
        let list = child(&clause, K::TARGET_LIST)?;
        let mut targets = list.children();
        let target = targets.next()?;
        if targets.next().is_some() || has(&target, K::AS_NAME) {
            return None;
        }
        match expr_child(&target) {
            Some(node) => Some(lower(parsed, &node, 0)),
            None => has(&target, K::STAR).then(|| Expr::Wildcard { qualifier: Vec::new() }),
        }
    })
    .flatten()
}

/// Parses a statement that reads or writes rows.
pub fn data_statement(text: &str) -> Option<DataStatement> {
    with_parsed(text, |parsed| {
        let mut statements = parsed.root.children();
        let statement = statements.next()?;
        if statements.next().is_some() || !parsed.errors.is_empty() {
            return None;
        }
        query::data_statement(parsed, &statement)
    })
    .flatten()
}

/// An expression of a statement: its text without redundant parentheses, and its tree.
pub(super) fn parsed_expression(parsed: &Parsed<'_>, node: &Node) -> Expression {
    let node = without_parentheses(node);
    Expression::parsed(parsed.text_of(&node), lower(parsed, &node, 0))
}

/// Lowers an expression that lies `depth` levels deep.
pub(super) fn lower(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let node = without_parentheses(node);
    if depth > DEEPEST_LOWERED {
        return Expr::Other { text: parsed.text_of(&node).to_owned(), parts: Vec::new() };
    }
    let depth = depth + 1;
    match node.kind() {
        K::NAME_REF => name_reference(&node),
        K::LITERAL => literal(&node),
        K::FIELD_EXPR => field(parsed, &node, depth),
        K::BIN_EXPR => chain(parsed, &node, depth),
        K::PREFIX_EXPR => prefix(parsed, &node, depth),
        K::POSTFIX_EXPR => postfix(parsed, &node, depth),
        K::CALL_EXPR => call_expression(parsed, &node, depth),
        K::CAST_EXPR => cast(parsed, &node, depth),
        K::CASE_EXPR => case(parsed, &node, depth),
        K::BETWEEN_EXPR => between(parsed, &node, depth),
        K::ARRAY_EXPR => array(parsed, &node, depth),
        K::TUPLE_EXPR => Expr::Row(lower_all(parsed, &node, depth)),
        K::PAREN_EXPR => match node.children().find(|child| is_query(child.kind())) {
            Some(inner) => Expr::Subquery(Box::new(query::lower(parsed, &inner, depth))),
            None => other(parsed, &node, depth),
        },
        kind if is_query(kind) => Expr::Subquery(Box::new(query::lower(parsed, &node, depth))),
        _ => other(parsed, &node, depth),
    }
}

/// The direct sub-expressions of a node.
fn lower_all(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Vec<Expr> {
    node.children().filter(|child| is_expr(child.kind())).map(|child| lower(parsed, &child, depth)).collect()
}

/// The outermost expressions anywhere below a node.
fn lower_below(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Vec<Expr> {
    let mut found = Vec::new();
    let mut pending: Vec<Node> = node.children().collect();
    pending.reverse();
    while let Some(next) = pending.pop() {
        if is_expr(next.kind()) {
            found.push(lower(parsed, &next, depth));
        } else if !is_type(next.kind()) {
            let mut below: Vec<Node> = next.children().collect();
            below.reverse();
            pending.append(&mut below);
        }
    }
    found
}

fn other(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    Expr::Other { text: parsed.text_of(node).to_owned(), parts: lower_all(parsed, node, depth) }
}

fn name_reference(node: &Node) -> Expr {
    match first_token(node) {
        Some(token) if token.kind() != K::IDENT && is_keyword_function(token.kind()) => {
            Expr::Call(Box::new(Call {
                name: vec![Name::from(token.text().to_ascii_lowercase())],
                ..Call::default()
            }))
        }
        _ => Expr::Column { qualifier: Vec::new(), name: name(node) },
    }
}

fn is_keyword_function(kind: K) -> bool {
    matches!(
        kind,
        K::CURRENT_CATALOG_KW
            | K::CURRENT_DATE_KW
            | K::CURRENT_ROLE_KW
            | K::CURRENT_SCHEMA_KW
            | K::CURRENT_TIME_KW
            | K::CURRENT_TIMESTAMP_KW
            | K::CURRENT_USER_KW
            | K::LOCALTIME_KW
            | K::LOCALTIMESTAMP_KW
            | K::SESSION_USER_KW
            | K::SYSTEM_USER_KW
            | K::USER_KW
    )
}

fn literal(node: &Node) -> Expr {
    let Some(token) = first_token(node) else {
        return Expr::Other { text: String::new(), parts: Vec::new() };
    };
    let text = token.text();
    Expr::Literal(match token.kind() {
        K::NULL_KW => Literal::Null,
        K::TRUE_KW => Literal::Bool(true),
        K::FALSE_KW => Literal::Bool(false),
        K::INT_NUMBER | K::NUMERIC_NUMBER => Literal::Number(text.to_owned()),
        K::POSITIONAL_PARAM => return Expr::Parameter(text.to_owned()),
        K::BIT_STRING | K::BYTE_STRING => Literal::Other(node.text().to_string().trim().to_owned()),
        K::STRING | K::ESC_STRING | K::DOLLAR_QUOTED_STRING | K::UNICODE_ESC_STRING | K::NATIONAL_STRING => {
            Literal::String(literal_text(node))
        }
        _ => return Expr::Other { text: text.to_owned(), parts: Vec::new() },
    })
}

/// `a.b.c` and `a.*` as a column or star, or nothing when the base is not a name.
fn dotted(node: &Node) -> Option<(Vec<Name>, bool)> {
    let mut parts = Vec::new();
    let mut star = false;
    let mut node = node.clone();
    loop {
        match node.kind() {
            K::NAME_REF => {
                parts.push(name(&node));
                parts.reverse();
                return Some((parts, star));
            }
            K::FIELD_EXPR => {
                let mut inner = node.children();
                let base = inner.next()?;
                match inner.next() {
                    Some(field) => parts.push(name(&field)),
                    None if has(&node, K::STAR) => star = true,
                    None => return None,
                }
                node = base;
            }
            _ => return None,
        }
    }
}

fn field(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    match dotted(node) {
        Some((qualifier, true)) => Expr::Wildcard { qualifier },
        Some((mut parts, false)) => {
            let name = parts.pop().unwrap_or_default();
            Expr::Column { qualifier: parts, name }
        }
        None => {
            let parts = expr_child(node).map(|base| lower(parsed, &base, depth)).into_iter().collect();
            Expr::Other { text: parsed.text_of(node).to_owned(), parts }
        }
    }
}

/// Operators between expressions, read along the left spine so that long chains need no recursion.
fn chain(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let mut links = Vec::new();
    let mut left = node.clone();
    while left.kind() == K::BIN_EXPR {
        let Some((base, op, right)) = binary_parts(parsed, &left) else { break };
        links.push((left.clone(), op, right));
        left = without_parentheses(&base);
    }
    if links.is_empty() {
        return other(parsed, node, depth);
    }
    links.reverse();
    let mut runs = 0;
    let mut longest = 0;
    let mut run = 0;
    for (at, link) in links.iter().enumerate() {
        let joins = at > 0 && links[at - 1].1 == link.1 && matches!(link.1.as_str(), "AND" | "OR");
        run = if joins { run + 1 } else { 1 };
        runs += usize::from(!joins);
        longest = longest.max(run);
    }
    let long = runs > LONGEST_ROW;
    let below = depth + runs.min(LONGEST_ROW) + longest.min(LONGEST_ROW);
    let mut expr = lower(parsed, &left, below);
    let mut links = links.into_iter().peekable();
    while let Some((link, op, right)) = links.next() {
        if (op == "AND" || op == "OR") && links.peek().is_some_and(|next| next.1 == op) {
            let mut terms = vec![expr, lower(parsed, &right, below)];
            while let Some((_, _, right)) = links.next_if(|next| next.1 == op) {
                terms.push(lower(parsed, &right, below));
            }
            expr = if terms.len() > LONGEST_ROW { balanced(&op, terms) } else { left_deep(&op, terms) };
        } else if long {
            // Other long chains would be trees of that depth: they are kept as one flat node.
            let mut parts = vec![expr, lower(parsed, &right, below)];
            let mut last = link;
            for (link, _, right) in links.by_ref() {
                parts.push(lower(parsed, &right, below));
                last = link;
            }
            return Expr::Other { text: parsed.text_of(&last).to_owned(), parts };
        } else if binds_tighter_than_between(&op) && ends_in_between(&right) {
            expr = match lower(parsed, &right, below) {
                Expr::Between { operand, low, high, negated } => {
                    let operand = Box::new(Expr::Binary { op, left: Box::new(expr), right: operand });
                    Expr::Between { operand, low, high, negated }
                }
                right => Expr::Binary { op, left: Box::new(expr), right: Box::new(right) },
            };
        } else {
            expr = binary(parsed, &link, expr, &op, &right, below);
        }
    }
    expr
}

/// The parser takes the word before `BETWEEN` for its operand, whatever stands before that: `a + b BETWEEN 1 AND 2` is
/// `(a + b) BETWEEN 1 AND 2`.
fn ends_in_between(node: &Node) -> bool {
    let mut node = node.clone();
    while node.kind() == K::BIN_EXPR {
        match node.children().filter(|child| is_expr(child.kind())).last() {
            Some(last) => node = last,
            None => return false,
        }
    }
    node.kind() == K::BETWEEN_EXPR
}

fn binds_tighter_than_between(op: &str) -> bool {
    matches!(
        op,
        "+" | "-"
            | "*"
            | "/"
            | "%"
            | "^"
            | "||"
            | "->"
            | "->>"
            | "#>"
            | "#>>"
            | "&"
            | "|"
            | "<<"
            | ">>"
            | "AT TIME ZONE"
    )
}

fn left_deep(op: &str, terms: Vec<Expr>) -> Expr {
    let join = |left, right| Expr::Binary { op: op.to_owned(), left: Box::new(left), right: Box::new(right) };
    terms.into_iter().reduce(join).unwrap_or(Expr::Literal(Literal::Null))
}

/// A conjunction or disjunction of many terms, as a tree of small depth.
fn balanced(op: &str, mut terms: Vec<Expr>) -> Expr {
    while terms.len() > 1 {
        let mut pairs = Vec::with_capacity(terms.len().div_ceil(2));
        let mut rest = terms.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => {
                    Expr::Binary { op: op.to_owned(), left: Box::new(left), right: Box::new(right) }
                }
                None => left,
            });
        }
        terms = pairs;
    }
    terms.pop().unwrap_or(Expr::Literal(Literal::Null))
}

/// Left side, operator in upper case and right side of a binary expression.
fn binary_parts(parsed: &Parsed<'_>, node: &Node) -> Option<(Node, String, Node)> {
    let mut inner = node.children().filter(|child| is_expr(child.kind()));
    let left = inner.next()?;
    let right = inner.next()?;
    let mut op = String::new();
    let mut element = left.next_sibling_or_token();
    while let Some(it) = element {
        if it.text_range().start() >= right.text_range().start() {
            break;
        }
        let text = match &it {
            squawk_syntax::SyntaxElement::Token(token) if token.kind().is_trivia() => "",
            squawk_syntax::SyntaxElement::Token(token) => {
                op.push_str(token.text());
                ""
            }
            squawk_syntax::SyntaxElement::Node(node) if node.kind() == K::OPERATOR_CALL => {
                let op = node.descendants().find(|inner| inner.kind() == K::OP)?;
                let text = parsed.text_of(&op);
                text.rsplit('.').next().unwrap_or(text)
            }
            squawk_syntax::SyntaxElement::Node(node) => parsed.text_of(node),
        };
        op.push_str(text);
        element = it.next_sibling_or_token();
    }
    let op = op.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    (!op.is_empty()).then_some((left, op, right))
}

fn binary(parsed: &Parsed<'_>, node: &Node, left: Expr, op: &str, right: &Node, depth: usize) -> Expr {
    let right = without_parentheses(right);
    let operand = Box::new(left);
    match op {
        "IN" | "NOT IN" => return membership(parsed, node, operand, op == "NOT IN", &right, depth),
        "IS" | "IS NOT" => return is(parsed, node, operand, op == "IS NOT", &right, depth),
        "ESCAPE" => return *operand,
        _ => {}
    }
    if let Some((op, negated)) = pattern_operator(op) {
        let pattern = Box::new(lower(parsed, &right, depth));
        return Expr::Like { op: op.to_owned(), operand, pattern, negated };
    }
    let op = match op {
        "!=" => "<>",
        op => op,
    };
    if op == "=" || op == "<>" {
        match quantified(parsed, *operand, op == "<>", &right, depth) {
            Ok(membership) => return membership,
            Err(left) => {
                let right = Box::new(lower(parsed, &right, depth));
                return Expr::Binary { op: op.to_owned(), left: Box::new(left), right };
            }
        }
    }
    Expr::Binary { op: op.to_owned(), left: operand, right: Box::new(lower(parsed, &right, depth)) }
}

/// The pattern operator that an operator is, and whether it is negated.
fn pattern_operator(op: &str) -> Option<(&str, bool)> {
    Some(match op {
        "LIKE" | "~~" => ("LIKE", false),
        "NOT LIKE" | "!~~" => ("LIKE", true),
        "ILIKE" | "~~*" => ("ILIKE", false),
        "NOT ILIKE" | "!~~*" => ("ILIKE", true),
        "SIMILAR TO" => ("SIMILAR TO", false),
        "NOT SIMILAR TO" => ("SIMILAR TO", true),
        "~" => ("~", false),
        "!~" => ("~", true),
        "~*" => ("~*", false),
        "!~*" => ("~*", true),
        _ => return None,
    })
}

fn membership(
    parsed: &Parsed<'_>,
    node: &Node,
    operand: Box<Expr>,
    negated: bool,
    right: &Node,
    depth: usize,
) -> Expr {
    match right.kind() {
        K::TUPLE_EXPR => Expr::InList { operand, list: lower_all(parsed, right, depth), negated },
        K::PAREN_EXPR => match right.children().find(|child| is_query(child.kind())) {
            Some(inner) => {
                Expr::InQuery { operand, query: Box::new(query::lower(parsed, &inner, depth)), negated }
            }
            None => Expr::Other { text: parsed.text_of(node).to_owned(), parts: vec![*operand] },
        },
        _ => Expr::InList { operand, list: vec![lower(parsed, right, depth)], negated },
    }
}

fn is(
    parsed: &Parsed<'_>,
    node: &Node,
    operand: Box<Expr>,
    negated: bool,
    right: &Node,
    depth: usize,
) -> Expr {
    match first_token(right).map(|token| token.kind()) {
        Some(K::NULL_KW) => Expr::IsNull { operand, negated },
        Some(K::TRUE_KW) => Expr::IsTruth { operand, value: Some(true), negated },
        Some(K::FALSE_KW) => Expr::IsTruth { operand, value: Some(false), negated },
        Some(K::UNKNOWN_KW) => Expr::IsTruth { operand, value: None, negated },
        _ if right.text().to_string().trim().eq_ignore_ascii_case("unknown") => {
            Expr::IsTruth { operand, value: None, negated }
        }
        _ => Expr::Other {
            text: parsed.text_of(node).to_owned(),
            parts: vec![*operand, lower(parsed, right, depth)],
        },
    }
}

/// `= ANY (...)` and `<> ALL (...)` as membership; the operand comes back when it is something else.
fn quantified(
    parsed: &Parsed<'_>,
    operand: Expr,
    negated: bool,
    right: &Node,
    depth: usize,
) -> Result<Expr, Expr> {
    if right.kind() != K::CALL_EXPR {
        return Err(operand);
    }
    let quantifier = right.children().find(|child| match child.kind() {
        K::ANY_FN | K::SOME_FN => !negated,
        K::ALL_FN => negated,
        _ => false,
    });
    let Some(quantifier) = quantifier else { return Err(operand) };
    let Some(mut inner) = quantifier.children().find(|child| is_expr(child.kind()) || is_query(child.kind()))
    else {
        return Err(operand);
    };
    let mut cast_to: Option<String> = None;
    loop {
        inner = without_parentheses(&inner);
        match inner.kind() {
            K::PAREN_EXPR => match inner.children().find(|child| is_query(child.kind())) {
                Some(query) => inner = query,
                None => return Err(operand),
            },
            kind if is_query(kind) => {
                let query = Box::new(query::lower(parsed, &inner, depth));
                return Ok(Expr::InQuery { operand: Box::new(operand), query, negated });
            }
            K::ARRAY_EXPR if has(&inner, K::L_BRACK) => {
                let mut list = lower_all(parsed, &inner, depth);
                if let Some(to) = cast_to {
                    list = list
                        .into_iter()
                        .map(|operand| Expr::Cast { operand: Box::new(operand), to: to.clone() })
                        .collect();
                }
                return Ok(Expr::InList { operand: Box::new(operand), list, negated });
            }
            K::CAST_EXPR => match expr_child(&inner) {
                Some(value) => {
                    cast_to = member_type(parsed, &inner).or(cast_to);
                    inner = value;
                }
                None => return Err(operand),
            },
            K::LITERAL => {
                let Some(list) = array_constant(&inner) else { return Err(operand) };
                return Ok(Expr::InList { operand: Box::new(operand), list, negated });
            }
            _ => return Err(operand),
        }
    }
}

/// The type that a cast gives to the members of an array, where that is none of texts: those say nothing new.
fn member_type(parsed: &Parsed<'_>, cast: &Node) -> Option<String> {
    let to = parsed.text_of(&type_child(cast)?).to_ascii_lowercase();
    let member = to.strip_suffix("[]")?.trim();
    let is_text = member == "text" || member.starts_with("character") || member.starts_with("varchar");
    (!is_text).then(|| member.to_owned())
}

/// The members of a one-dimensional array constant such as `'{a,"b c",NULL}'`.
fn array_constant(node: &Node) -> Option<Vec<Expr>> {
    let Expr::Literal(Literal::String(text)) = literal(node) else { return None };
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut members = Vec::new();
    if inner.trim().is_empty() {
        return Some(members);
    }
    let mut chars = inner.chars().peekable();
    loop {
        let mut member = String::new();
        let mut quoted = false;
        loop {
            match chars.next() {
                None | Some(',') => break,
                Some('{' | '}') => return None,
                Some('\\') => member.push(chars.next()?),
                Some('"') => {
                    quoted = true;
                    loop {
                        match chars.next()? {
                            '"' => break,
                            '\\' => member.push(chars.next()?),
                            c => member.push(c),
                        }
                    }
                }
                Some(c) => member.push(c),
            }
        }
        members.push(Expr::Literal(if !quoted && member.trim().eq_ignore_ascii_case("null") {
            Literal::Null
        } else if quoted {
            Literal::String(member)
        } else {
            Literal::String(member.trim().to_owned())
        }));
        if chars.peek().is_none() {
            return Some(members);
        }
    }
}

fn prefix(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let Some(operand) = expr_child(node) else { return other(parsed, node, depth) };
    let op: String = match first_token(node) {
        Some(token) => {
            let end =
                first_token(&operand).map_or(token.text_range().end(), |first| first.text_range().start());
            let range = usize::from(token.text_range().start())..usize::from(end);
            parsed.text.get(range).unwrap_or("").trim().to_ascii_uppercase()
        }
        None => String::new(),
    };
    let swallowed = op == "-" && ends_in_between(&operand);
    let operand = lower(parsed, &operand, depth);
    match (op.as_str(), operand) {
        ("-", Expr::Between { operand, low, high, negated }) if swallowed => {
            let operand = Box::new(Expr::Unary { op, operand });
            Expr::Between { operand, low, high, negated }
        }
        ("-", Expr::Literal(Literal::Number(number))) if !number.starts_with('-') => {
            Expr::Literal(Literal::Number(format!("-{number}")))
        }
        ("+", operand) => operand,
        ("NOT", operand) => negate(operand),
        (_, operand) => Expr::Unary { op, operand: Box::new(operand) },
    }
}

/// `NOT` of an expression, drawn into the predicates that have a negated form of their own.
fn negate(expr: Expr) -> Expr {
    match expr {
        Expr::IsNull { operand, negated } => Expr::IsNull { operand, negated: !negated },
        Expr::IsTruth { operand, value, negated } => Expr::IsTruth { operand, value, negated: !negated },
        Expr::InList { operand, list, negated } => Expr::InList { operand, list, negated: !negated },
        Expr::InQuery { operand, query, negated } => Expr::InQuery { operand, query, negated: !negated },
        Expr::Exists { query, negated } => Expr::Exists { query, negated: !negated },
        Expr::Between { operand, low, high, negated } => {
            Expr::Between { operand, low, high, negated: !negated }
        }
        Expr::Like { op, operand, pattern, negated } => {
            Expr::Like { op, operand, pattern, negated: !negated }
        }
        Expr::Binary { op, left, right } if op == "IS DISTINCT FROM" => {
            Expr::Binary { op: "IS NOT DISTINCT FROM".to_owned(), left, right }
        }
        Expr::Binary { op, left, right } if op == "IS NOT DISTINCT FROM" => {
            Expr::Binary { op: "IS DISTINCT FROM".to_owned(), left, right }
        }
        operand => Expr::Unary { op: "NOT".to_owned(), operand: Box::new(operand) },
    }
}

fn postfix(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let Some(operand) = expr_child(node) else { return other(parsed, node, depth) };
    if has(node, K::ISNULL_KW) || has(node, K::NOTNULL_KW) {
        let operand = Box::new(lower(parsed, &operand, depth));
        return Expr::IsNull { operand, negated: has(node, K::NOTNULL_KW) };
    }
    other(parsed, node, depth)
}

fn cast(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let (Some(operand), Some(to)) = (expr_child(node), type_child(node)) else {
        return other(parsed, node, depth);
    };
    if !has(node, K::COLON_COLON) && !has(node, K::L_PAREN) {
        return Expr::Literal(Literal::Other(parsed.text_of(node).to_owned()));
    }
    Expr::Cast {
        operand: Box::new(lower(parsed, &operand, depth)),
        to: parsed.text_of(&to).to_ascii_lowercase(),
    }
}

fn case(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let boxed = |node: Node| Box::new(lower(parsed, &node, depth));
    let branches = child(node, K::WHEN_CLAUSE_LIST)
        .into_iter()
        .flat_map(|list| children(&list, K::WHEN_CLAUSE))
        .filter_map(|when| {
            let mut inner = when.children().filter(|child| is_expr(child.kind()));
            Some((lower(parsed, &inner.next()?, depth), lower(parsed, &inner.next()?, depth)))
        })
        .collect();
    Expr::Case {
        operand: expr_child(node).map(boxed),
        branches,
        otherwise: child(node, K::ELSE_CLAUSE).and_then(|clause| expr_child(&clause)).map(boxed),
    }
}

fn between(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let mut inner = node.children().filter(|child| is_expr(child.kind()));
    let (Some(operand), Some(low), Some(high)) = (inner.next(), inner.next(), inner.next()) else {
        return other(parsed, node, depth);
    };
    Expr::Between {
        operand: Box::new(lower(parsed, &operand, depth)),
        low: Box::new(lower(parsed, &low, depth)),
        high: Box::new(lower(parsed, &high, depth)),
        negated: has(node, K::NOT_KW),
    }
}

fn array(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    match node.children().find(|child| is_query(child.kind())) {
        Some(inner) => Expr::Call(Box::new(Call {
            name: vec![Name::new("array")],
            args: vec![Expr::Subquery(Box::new(query::lower(parsed, &inner, depth)))],
            ..Call::default()
        })),
        None => Expr::Array(lower_all(parsed, node, depth)),
    }
}

fn call_expression(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Expr {
    let exists =
        child(node, K::EXISTS_FN).and_then(|exists| exists.children().find(|it| is_query(it.kind())));
    if let Some(inner) = exists {
        return Expr::Exists { query: Box::new(query::lower(parsed, &inner, depth)), negated: false };
    }
    Expr::Call(Box::new(call(parsed, node, depth)))
}

/// A call, keyword functions such as `EXTRACT(... FROM ...)` included.
pub(super) fn call(parsed: &Parsed<'_>, node: &Node, depth: usize) -> Call {
    let mut call = Call { window: has(node, K::OVER_CLAUSE), ..Call::default() };
    if let Some(filter) = child(node, K::FILTER_CLAUSE).and_then(|clause| expr_child(&clause)) {
        call.filter = Some(Box::new(lower(parsed, &filter, depth)));
    }
    if let Some(list) = child(node, K::ARG_LIST) {
        let callee = expr_child(node);
        call.name = callee
            .as_ref()
            .and_then(dotted)
            .map(|(parts, _)| parts)
            .unwrap_or_else(|| callee.map(|callee| segments(&callee)).unwrap_or_default());
        call.distinct = has(&list, K::DISTINCT) || has(&list, K::DISTINCT_KW);
        if has(&list, K::STAR) {
            call.args.push(Expr::Wildcard { qualifier: Vec::new() });
        }
        for argument in children(&list, K::ARG) {
            let value = expr_child(&argument)
                .or_else(|| child(&argument, K::NAMED_ARG).and_then(|named| expr_child(&named)));
            if let Some(value) = value {
                call.args.push(lower(parsed, &value, depth));
            }
            if let Some(order) = child(&argument, K::ORDER_BY_CLAUSE) {
                call.args.extend(ordered(parsed, &order, depth));
            }
        }
    } else if let Some(special) = node.children().find(|child| !is_expr(child.kind())) {
        let word = first_token(&special).map(|token| token.text().to_ascii_lowercase()).unwrap_or_default();
        call.name = vec![Name::from(word)];
        if let Some(part) = child(&special, K::EXTRACT_FIELD_NAME) {
            let part = parsed.text_of(&part).trim_matches('"').to_ascii_lowercase();
            call.args.push(Expr::Literal(Literal::String(part)));
        } else if let Some(part) =
            child(&special, K::EXTRACT_FIELD_LITERAL).and_then(|part| expr_child(&part))
        {
            call.args.push(lower(parsed, &part, depth));
        }
        if let Some(inner) = special.children().find(|child| is_query(child.kind())) {
            call.args.push(Expr::Subquery(Box::new(query::lower(parsed, &inner, depth))));
        } else if special.kind() == K::EXTRACT_FN {
            call.args.extend(lower_all(parsed, &special, depth));
        } else {
            call.args.extend(lower_below(parsed, &special, depth));
        }
    }
    if let Some(order) = child(node, K::WITHIN_CLAUSE).and_then(|clause| child(&clause, K::ORDER_BY_CLAUSE)) {
        call.args.extend(ordered(parsed, &order, depth));
    }
    call
}

/// The keys of an `ORDER BY` inside a call: they are read like arguments.
fn ordered(parsed: &Parsed<'_>, order: &Node, depth: usize) -> Vec<Expr> {
    query::order_by(parsed, order, depth).into_iter().map(|key| key.expr).collect()
}

/// Whether a node's direct tokens hold a word, whatever its case.
pub(super) fn has_word(node: &Node, word: &str) -> bool {
    tokens(node).any(|token| token.text().eq_ignore_ascii_case(word))
}
