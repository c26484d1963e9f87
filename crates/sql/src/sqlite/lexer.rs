//! Tokens of SQLite with their places, because the parser library keeps none.

/// One token that is neither blank nor comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: TokenKind,
    /// The token as written.
    pub text: &'a str,
    /// Byte offset of its start.
    pub start: usize,
    /// Byte offset of its end.
    pub end: usize,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or unquoted identifier.
    Word,
    /// `"a"`, `` `a` `` or `[a]`.
    Quoted,
    /// `'a'`.
    String,
    /// A number, or a blob such as `x'00'`.
    Number,
    /// Anything else, one character at a time.
    Symbol,
}

impl Token<'_> {
    /// Whether this is an unquoted word, whatever its case.
    pub fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether this is a symbol.
    pub fn is_symbol(&self, symbol: char) -> bool {
        self.kind == TokenKind::Symbol && self.text.starts_with(symbol)
    }

    /// The token as an identifier; SQLite takes strings where it expects a name.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Quoted | TokenKind::String => Some(unquote(self.text)),
            _ => None,
        }
    }
}

/// The text between quotes, doubled quotes made single.
pub(super) fn unquote(text: &str) -> String {
    let Some(open) = text.chars().next() else { return String::new() };
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    match open {
        '[' => inner.to_owned(),
        '\'' | '"' | '`' => inner.replace(&format!("{open}{open}"), &open.to_string()),
        _ => text.to_owned(),
    }
}

/// The tokens of a text; `None` when a quote or comment is never closed.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let start = at;
        let kind = match byte {
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at = text[at..].find('\n').map_or(bytes.len(), |newline| at + newline);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 2 + text[at + 2..].find("*/")? + 2;
                continue;
            }
            b'\'' | b'"' | b'`' => {
                at = quoted_end(bytes, at)?;
                if byte == b'\'' { TokenKind::String } else { TokenKind::Quoted }
            }
            b'[' => {
                at += 1 + text[at + 1..].find(']')? + 1;
                TokenKind::Quoted
            }
            b'x' | b'X' if bytes.get(at + 1) == Some(&b'\'') => {
                at = quoted_end(bytes, at + 1)?;
                TokenKind::Number
            }
            b if b.is_ascii_digit() || (b == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)) => {
                at = number_end(bytes, at);
                TokenKind::Number
            }
            b if is_word(b) => {
                at += bytes[at..].iter().take_while(|byte| is_word(**byte)).count();
                TokenKind::Word
            }
            _ => {
                at += 1;
                TokenKind::Symbol
            }
        };
        tokens.push(Token { kind, text: &text[start..at], start, end: at });
    }
    Some(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn quoted_end(bytes: &[u8], open: usize) -> Option<usize> {
    let quote = bytes[open];
    let mut at = open + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == quote)? + 1;
        if bytes.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        let exponent_sign = matches!(byte, b'+' | b'-')
            && matches!(bytes[at - 1], b'e' | b'E')
            && !bytes[start..].starts_with(b"0x")
            && at > start;
        if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_') || exponent_sign) {
            break;
        }
        at += 1;
    }
    at
}

/// The deepest nesting of parentheses.
pub(super) fn depth(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for token in tokens {
        if token.is_symbol('(') {
            depth += 1;
            deepest = deepest.max(depth);
        } else if token.is_symbol(')') {
            depth = depth.saturating_sub(1);
        }
    }
    deepest
}
