//! The bridge to the parser: trees, their texts and names, and a stack deep enough to walk them.

use dbwright_model::name::{Name, QualifiedName};
pub(super) use squawk_syntax::SyntaxKind as K;
pub(super) use squawk_syntax::SyntaxNode as Node;
use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxElement, SyntaxToken};

/// Deepest nesting of parentheses that is parsed; the parser's time grows with its square.
const DEEPEST_PARENTHESES: usize = 10_500;
/// Longest chain of tokens, between two commas, that may nest in the tree.
const LONGEST_CHAIN: usize = 400_000;
/// Stack that one level of the parser, or of freeing its tree, may take, in bytes.
const STACK_PER_LEVEL: usize = 1024;
/// Stack that one level of lowering may take, in bytes.
const STACK_PER_LOWERED_LEVEL: usize = 16 * 1024;
/// Levels of nesting that are lowered; what lies deeper is kept as text.
pub(super) const DEEPEST_LOWERED: usize = 150;

/// Times that a text is mended and parsed again: once for each cast inside of another's type or subquery.
const ROUNDS: usize = 4;

/// A parsed text.
pub(super) struct Parsed<'a> {
    /// The text.
    pub text: &'a str,
    /// The root of its tree.
    pub root: Node,
    /// Where the parser complained and what it said, by offset.
    pub errors: Vec<(usize, String)>,
}

/// Parses a text and hands it to `read`, on a stack that is deep enough; `None` when it nests too deeply to be read.
pub(super) fn with_parsed<T>(text: &str, read: impl FnOnce(&Parsed<'_>) -> T) -> Option<T> {
    with_parsed_again(text, read, ROUNDS)
}

fn with_parsed_again<T, F: FnOnce(&Parsed<'_>) -> T>(text: &str, read: F, rounds: usize) -> Option<T> {
    let depth = nesting(text)?;
    let stack = 256 * 1024 + depth * STACK_PER_LEVEL + depth.min(DEEPEST_LOWERED) * STACK_PER_LOWERED_LEVEL;
    stacker::maybe_grow(stack, stack, || {
        let parse = SourceFile::parse(text);
        let mut parsed = Parsed { text, root: parse.syntax_node(), errors: Vec::new() };
        if let Some(mended) = with_operands_in_parentheses(text, &parsed.root) {
            return if rounds > 0 { with_parsed_again(&mended, read, rounds - 1) } else { None };
        }
        let bodies: Vec<_> = parsed
            .root
            .children()
            .filter(|node| matches!(node.kind(), K::CREATE_FUNCTION | K::CREATE_PROCEDURE | K::DO))
            .flat_map(|node| node.descendants())
            .filter(|node| node.kind() == K::LITERAL)
            .map(|node| node.text_range())
            .collect();
        for error in parse.errors() {
            let range = error.range();
            // A body is another language's text: what is wrong in it does not make the statement unreadable.
            if bodies.iter().any(|body| body.start() < range.start() && range.start() < body.end()) {
                continue;
            }
            parsed.errors.push((usize::from(range.start()), error.message().to_owned()));
        }
        Some(read(&parsed))
    })
}

/// The parser loses the operand of a `BETWEEN` that follows a cast: `c::date BETWEEN a AND b` becomes the cast and, beside
/// it, a `BETWEEN` of nothing. In parentheses the same operand is kept. `None` when nothing was lost.
fn with_operands_in_parentheses(text: &str, root: &Node) -> Option<String> {
    const WORD: &[u8] = b"between";
    let mut words = text.as_bytes().windows(WORD.len());
    if !words.any(|word| word[0] | 0x20 == WORD[0] && word.eq_ignore_ascii_case(WORD)) {
        return None;
    }
    let mut marks: Vec<(usize, char)> = Vec::new();
    for lost in root.descendants().filter(|node| node.kind() == K::BETWEEN_EXPR) {
        if !first_token(&lost).is_some_and(|token| matches!(token.kind(), K::BETWEEN_KW | K::NOT_KW)) {
            continue;
        }
        let start = lost.text_range().start();
        // What follows may have been built around it.
        let outermost = lost.ancestors().take_while(|node| node.text_range().start() == start).last()?;
        let operand = outermost.prev_sibling().filter(|node| node.kind() == K::CAST_EXPR)?;
        marks.push((usize::from(operand.text_range().start()), '('));
        marks.push((usize::from(operand.text_range().end()), ')'));
    }
    if marks.is_empty() {
        return None;
    }
    marks.sort();
    let mut mended = String::with_capacity(text.len() + marks.len());
    let mut at = 0;
    for (mark, parenthesis) in marks {
        mended.push_str(text.get(at..mark)?);
        mended.push(parenthesis);
        at = mark;
    }
    mended.push_str(text.get(at..)?);
    Some(mended)
}

/// An upper bound of the tree's depth, or `None` when it is too deep to be parsed.
fn nesting(text: &str) -> Option<usize> {
    // Bodies of routines are parsed as well, so their quotes hide nothing.
    let head = text.get(..text.len().min(200)).unwrap_or(text).to_ascii_lowercase();
    let routine = head.contains("function") || head.contains("procedure");
    let bytes = text.as_bytes();
    let mut open: Vec<usize> = vec![0];
    let mut brackets = 0;
    let mut total = 0;
    let mut deepest = 0;
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        at += 1;
        match bytes[start] {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'(' | b'[' => {
                brackets += 1;
                open.push(0);
                if open.len() > DEEPEST_PARENTHESES {
                    return None;
                }
            }
            b')' | b']' if open.len() > 1 => total -= open.pop().unwrap_or(0),
            b',' | b';' => {
                if let Some(here) = open.last_mut() {
                    total -= *here;
                    *here = 0;
                }
            }
            b'-' if bytes.get(at) == Some(&b'-') && !routine => at = line_end(bytes, at),
            b'/' if bytes.get(at) == Some(&b'*') && !routine => at = comment_end(bytes, at + 1),
            b'\'' if !routine => at = quote_end(bytes, at, b'\'', false),
            b'"' if !routine => at = quote_end(bytes, at, b'"', false),
            b'$' if !routine => {
                if let Some(length) = dollar_quoted(&bytes[start..]) {
                    at = start + length;
                }
            }
            byte => {
                if is_word(byte) {
                    while at < bytes.len() && (is_word(bytes[at]) || bytes[at] == b'$') {
                        at += 1;
                    }
                    if at == start + 1
                        && byte.eq_ignore_ascii_case(&b'e')
                        && bytes.get(at) == Some(&b'\'')
                        && !routine
                    {
                        at = quote_end(bytes, at + 1, b'\'', true);
                    }
                }
                if let Some(here) = open.last_mut() {
                    *here += 1;
                    total += 1;
                }
            }
        }
        deepest = deepest.max(total + open.len());
        if deepest > LONGEST_CHAIN {
            return None;
        }
    }
    // Should the parser see quotes elsewhere than this scan, brackets still find their stack.
    Some(deepest.max(brackets.min(DEEPEST_PARENTHESES)))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| from + end)
}

/// Where a comment ends whose opening is before `from`; comments nest.
fn comment_end(bytes: &[u8], from: usize) -> usize {
    let mut depth = 1;
    let mut at = from;
    while at < bytes.len() && depth > 0 {
        match (bytes[at], bytes.get(at + 1)) {
            (b'*', Some(b'/')) => {
                depth -= 1;
                at += 2;
            }
            (b'/', Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            _ => at += 1,
        }
    }
    at
}

/// Where a quote ends whose opening is before `from`. A doubled quote reads as two quotes, which comes to the same.
fn quote_end(bytes: &[u8], from: usize, quote: u8, escapes: bool) -> usize {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The length of the dollar-quoted string at the start of the text.
fn dollar_quoted(text: &[u8]) -> Option<usize> {
    let tag = text[1..].iter().position(|&b| !(b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80))? + 1;
    if text[tag] != b'$' || text[1].is_ascii_digit() {
        return None;
    }
    let delimiter = &text[..=tag];
    let body = &text[tag + 1..];
    let end = body.windows(delimiter.len()).position(|window| window == delimiter)?;
    Some(2 * delimiter.len() + end)
}

impl<'a> Parsed<'a> {
    /// The source text of a node, without comments and white space around it.
    pub fn text_of(&self, node: &Node) -> &'a str {
        self.between(first_token(node), last_token(node))
    }

    /// The source text from one token to another.
    pub fn between(&self, first: Option<SyntaxToken>, last: Option<SyntaxToken>) -> &'a str {
        let (Some(first), Some(last)) = (first, last) else { return "" };
        let range = usize::from(first.text_range().start())..usize::from(last.text_range().end());
        self.text.get(range).unwrap_or("")
    }

    /// The first complaint that lies inside a node, its end included.
    pub fn error_in(&self, node: &Node) -> Option<&str> {
        let start = first_token(node).map_or(0, |token| usize::from(token.text_range().start()));
        let end = usize::from(node.text_range().end());
        self.errors.iter().find(|(at, _)| start <= *at && *at <= end).map(|(_, message)| message.as_str())
    }
}

/// The first token of a node that is not white space or a comment.
pub(super) fn first_token(node: &Node) -> Option<SyntaxToken> {
    let mut token = node.first_token();
    while let Some(it) = token {
        if !it.kind().is_trivia() {
            return Some(it);
        }
        token = it.next_token().filter(|next| node.text_range().contains_range(next.text_range()));
    }
    None
}

/// The last token of a node that is not white space or a comment.
pub(super) fn last_token(node: &Node) -> Option<SyntaxToken> {
    // A node that ends in an empty one says that it has no last token.
    let mut token = node
        .last_token()
        .or_else(|| node.descendants_with_tokens().filter_map(SyntaxElement::into_token).last());
    while let Some(it) = token {
        if !it.kind().is_trivia() {
            return Some(it);
        }
        token = it.prev_token().filter(|next| node.text_range().contains_range(next.text_range()));
    }
    None
}

/// The first child node of a kind.
pub(super) fn child(node: &Node, kind: K) -> Option<Node> {
    node.children().find(|child| child.kind() == kind)
}

/// The first child node at the end of a path of kinds.
pub(super) fn child_at(node: &Node, kinds: &[K]) -> Option<Node> {
    let mut found = node.clone();
    for kind in kinds {
        found = child(&found, *kind)?;
    }
    Some(found)
}

/// The child nodes of a kind.
pub(super) fn children(node: &Node, kind: K) -> impl Iterator<Item = Node> + use<> {
    node.children().filter(move |child| child.kind() == kind)
}

/// Whether a node or token of a kind is a direct child.
pub(super) fn has(node: &Node, kind: K) -> bool {
    node.children_with_tokens().any(|child| child.kind() == kind)
}

/// The direct child tokens that are not white space or comments.
pub(super) fn tokens(node: &Node) -> impl Iterator<Item = SyntaxToken> + use<> {
    node.children_with_tokens()
        .filter_map(SyntaxElement::into_token)
        .filter(|token| !token.kind().is_trivia())
}

/// The first direct child that is an expression.
pub(super) fn expr_child(node: &Node) -> Option<Node> {
    node.children().find(|child| is_expr(child.kind()))
}

/// The first direct child that is a type.
pub(super) fn type_child(node: &Node) -> Option<Node> {
    node.children().find(|child| is_type(child.kind()))
}

/// Whether nodes of a kind are expressions.
pub(super) fn is_expr(kind: K) -> bool {
    ast::Expr::can_cast(kind)
}

/// Whether nodes of a kind are types.
pub(super) fn is_type(kind: K) -> bool {
    ast::Type::can_cast(kind) || kind == K::PERCENT_TYPE
}

/// Whether nodes of a kind are queries.
pub(super) fn is_query(kind: K) -> bool {
    ast::SelectVariant::can_cast(kind)
}

/// The name a node consists of, folded and cut as the server does it.
pub(super) fn name(node: &Node) -> Name {
    let Some(token) = first_token(node) else { return Name::DEFAULT };
    let text = token.text();
    if text.starts_with('"') || text.starts_with("u&") || text.starts_with("U&") {
        return cut(&ast::normalize_name_node(&token.parent().unwrap_or_else(|| node.clone())));
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) { cut(&text.to_ascii_lowercase()) } else { cut(text) }
}

/// A name cut to the 63 bytes that the server keeps.
pub(super) fn cut(text: &str) -> Name {
    let mut end = text.len().min(63);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Name::new(&text[..end])
}

/// The parts of a dotted name, outermost first.
pub(super) fn segments(node: &Node) -> Vec<Name> {
    let mut found: Vec<Name> = node
        .descendants()
        .filter(|node| matches!(node.kind(), K::PATH_SEGMENT | K::PATH_SEGMENT_REF))
        .map(|node| name(&node))
        .collect();
    if found.is_empty() && first_token(node).is_some() {
        found.push(name(node));
    }
    found
}

/// A dotted name as schema and name; a database in front is dropped.
pub(super) fn qualified(node: &Node) -> QualifiedName {
    qualify(segments(node))
}

/// The last two parts of a dotted name.
pub(super) fn qualify(mut parts: Vec<Name>) -> QualifiedName {
    let name = parts.pop().unwrap_or_default();
    QualifiedName { schema: parts.pop().unwrap_or_default(), name }
}

/// The name in the first child of a kind.
pub(super) fn name_in(node: &Node, kind: K) -> Option<Name> {
    child(node, kind).map(|child| name(&child)).filter(|name| !name.is_empty())
}

/// The dotted name in the first child of a kind.
pub(super) fn qualified_in(node: &Node, kind: K) -> Option<QualifiedName> {
    child(node, kind).map(|child| qualified(&child)).filter(|name| !name.name.is_empty())
}

/// The value of a string literal, or the text of any other.
pub(super) fn literal_text(node: &Node) -> String {
    ast::Literal::cast(node.clone())
        .filter(|_| {
            first_token(node).is_some_and(|token| {
                matches!(
                    token.kind(),
                    K::STRING
                        | K::ESC_STRING
                        | K::DOLLAR_QUOTED_STRING
                        | K::UNICODE_ESC_STRING
                        | K::NATIONAL_STRING
                )
            })
        })
        .and_then(|literal| literal.string_value())
        .unwrap_or_else(|| node.text().to_string().trim().to_owned())
}

/// An expression without the parentheses around it.
pub(super) fn without_parentheses(node: &Node) -> Node {
    let mut node = node.clone();
    while node.kind() == K::PAREN_EXPR {
        match expr_child(&node) {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}
