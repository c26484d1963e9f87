//! Words of a MySQL statement, and a cursor that reads them.

use std::borrow::Cow;

use dbwright_model::name::{Name, QualifiedName};

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word: keyword or identifier.
    Word,
    /// An identifier in backticks, or in double quotes where no string can stand; the quotes taken off.
    Quoted(String),
    /// A string, unescaped.
    Text(String),
    /// A number, a hexadecimal or a bit literal.
    Number,
    /// `@name`, `@@name`; the at signs are part of the text.
    Variable,
    /// One character of anything else.
    Symbol(char),
}

/// One token and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The text without ordinary comments, and with the content of version comments laid open: `/*!50100 PARTITION BY ... */`
/// is SQL to every server of today. Comments for versions that do not exist stay comments.
pub(crate) fn without_comments(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !text.contains("/*") && !text.contains("--") && !text.contains('#') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut open = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        if open > 0 && rest.starts_with("*/") {
            open -= 1;
            out.push(' ');
            at += 2;
        } else if rest.starts_with("/*!") || rest.starts_with("/*M!") {
            let mark = if rest.starts_with("/*!") { 3 } else { 4 };
            let digits = rest[mark..].bytes().take_while(u8::is_ascii_digit).count().min(6);
            let version: u32 = rest[mark..mark + digits].parse().unwrap_or(0);
            out.push(' ');
            if version >= 900_000 {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else {
                open += 1;
                at += mark + digits;
            }
        } else if let Some(inside) = rest.strip_prefix("/*") {
            out.push(' ');
            at += inside.find("*/").map_or(rest.len(), |end| end + 4);
        } else if rest.starts_with('#') || starts_line_comment(rest) {
            out.push(' ');
            at += rest.find('\n').unwrap_or(rest.len());
        } else if matches!(bytes[at], b'\'' | b'"' | b'`') {
            let end = quoted_end(bytes, at);
            out.push_str(&text[at..end]);
            at = end;
        } else {
            let next = (at + 1..=bytes.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(bytes.len());
            out.push_str(&text[at..next]);
            at = next;
        }
    }
    Cow::Owned(out)
}

fn starts_line_comment(rest: &str) -> bool {
    rest.starts_with("--") && rest[2..].chars().next().is_none_or(|c| c.is_whitespace() || c.is_control())
}

/// The end of the quoted piece that begins at `start`; the end of the text when it is never closed.
fn quoted_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == b'\\' && quote != b'`' {
            at += 2;
        } else if bytes[at] == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
            } else {
                return at + 1;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The text between quotes as the server reads it.
pub(crate) fn unquote(quoted: &str) -> String {
    let Some(quote) = quoted.chars().next() else { return String::new() };
    let inner = &quoted[1..];
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        if c == quote && chars.peek() == Some(&quote) {
            chars.next();
            out.push(quote);
        } else if c == '\\' && quote != '`' {
            match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('0') => out.push('\0'),
                Some('b') => out.push('\u{8}'),
                Some('Z') => out.push('\u{1a}'),
                Some(c @ ('%' | '_')) => {
                    out.push('\\');
                    out.push(c);
                }
                Some(c) => out.push(c),
                None => {}
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The tokens of a text that holds no comments.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let kind = match c {
            '`' | '\'' | '"' => {
                at = quoted_end(bytes, at);
                let mut end = at;
                // The end of an unclosed quote may fall behind the last character after a trailing backslash.
                while !text.is_char_boundary(end) {
                    end += 1;
                }
                at = end;
                let inner = unquote(&text[start..end]);
                if c == '`' { Kind::Quoted(inner) } else { Kind::Text(inner) }
            }
            '@' => {
                at += 1;
                while text[at..].starts_with(['@', '.']) || text[at..].starts_with(is_word) {
                    at += text[at..].chars().next().map_or(1, char::len_utf8);
                }
                let account = text[start..at].ends_with('@') && text[at..].starts_with(['\'', '`', '"']);
                if account || at == start + 1 { Kind::Symbol('@') } else { Kind::Variable }
            }
            c if c.is_ascii_digit()
                || (c == '.' && text[at + 1..].starts_with(|c: char| c.is_ascii_digit())) =>
            {
                at = number_end(text, at);
                // A name may begin with digits: `2fa_codes`.
                if c != '.' && text[at..].starts_with(is_word) && !text[start..at].contains('.') {
                    while text[at..].starts_with(is_word) {
                        at += text[at..].chars().next().map_or(1, char::len_utf8);
                    }
                    let hex = text[start..at].strip_prefix("0x").or(text[start..at].strip_prefix("0X"));
                    let bit = text[start..at].strip_prefix("0b");
                    if hex.is_some_and(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))
                        || bit.is_some_and(|b| b.bytes().all(|b| matches!(b, b'0' | b'1')))
                    {
                        Kind::Number
                    } else {
                        Kind::Word
                    }
                } else {
                    Kind::Number
                }
            }
            c if is_word(c) => {
                while text[at..].starts_with(is_word) {
                    at += text[at..].chars().next().map_or(1, char::len_utf8);
                }
                let word = &text[start..at];
                if matches!(word, "x" | "X" | "b" | "B") && bytes.get(at) == Some(&b'\'') {
                    at = quoted_end(bytes, at);
                    Kind::Number
                } else {
                    Kind::Word
                }
            }
            c => {
                at += c.len_utf8();
                Kind::Symbol(c)
            }
        };
        found.push(Token { kind, start, end: at });
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || (c as u32) >= 0x80 && !c.is_whitespace()
}

fn number_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut at = digits(start);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1 + sign);
        }
    }
    at
}

/// Why a statement was not understood, as a lower-case fragment.
pub(crate) type Parsed<T> = Result<T, String>;

/// Reads tokens from left to right.
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first token of a text without comments.
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, tokens: tokens(text), at: 0 }
    }

    /// The place in the tokens, to return to.
    pub(crate) fn mark(&self) -> usize {
        self.at
    }

    /// Back to a place.
    pub(crate) fn reset(&mut self, mark: usize) {
        self.at = mark;
    }

    /// The token `ahead` of the next one.
    pub(crate) fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    /// Whether nothing but a terminator is left.
    pub(crate) fn done(&self) -> bool {
        self.tokens[self.at.min(self.tokens.len())..].iter().all(|token| token.kind == Kind::Symbol(';'))
    }

    /// Passes one token.
    pub(crate) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len());
    }

    /// Byte offset of the next token.
    pub(crate) fn offset(&self) -> usize {
        self.peek(0).map_or(self.text.len(), |token| token.start)
    }

    /// Byte offset of the end of the token just passed.
    pub(crate) fn offset_behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |token| token.end)
    }

    /// The bare word `ahead` of the next token; empty when it is something else.
    pub(crate) fn word(&self, ahead: usize) -> &'a str {
        match self.peek(ahead) {
            Some(Token { kind: Kind::Word, start, end }) => &self.text[*start..*end],
            _ => "",
        }
    }

    /// Whether the next tokens are these words.
    pub(crate) fn at(&self, words: &str) -> bool {
        words.split(' ').enumerate().all(|(i, word)| self.word(i).eq_ignore_ascii_case(word))
    }

    /// Passes these words if they are next.
    pub(crate) fn eat(&mut self, words: &str) -> bool {
        let found = self.at(words);
        if found {
            self.at += words.split(' ').count();
        }
        found
    }

    /// Passes the first of these phrases that is next.
    pub(crate) fn eat_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.eat(phrase))
    }

    /// Passes these words or says what stands there instead.
    pub(crate) fn expect(&mut self, words: &str) -> Parsed<()> {
        if self.eat(words) { Ok(()) } else { Err(self.unexpected(words)) }
    }

    /// Whether a symbol is next.
    pub(crate) fn at_symbol(&self, symbol: char) -> bool {
        self.peek(0).is_some_and(|token| token.kind == Kind::Symbol(symbol))
    }

    /// Passes a symbol if it is next.
    pub(crate) fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.at_symbol(symbol);
        if found {
            self.at += 1;
        }
        found
    }

    /// Passes a symbol or says what stands there instead.
    pub(crate) fn expect_symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.unexpected(&symbol.to_string())) }
    }

    /// Why the next token cannot stand here.
    pub(crate) fn unexpected(&self, expected: &str) -> String {
        match self.peek(0) {
            Some(token) => {
                let found: String = self.text[token.start..token.end].chars().take(40).collect();
                format!("`{found}` stands where {} was expected", quoted(expected))
            }
            None => format!("the statement ends where {} was expected", quoted(expected)),
        }
    }

    /// An identifier.
    pub(crate) fn name(&mut self) -> Parsed<Name> {
        let name = match self.peek(0) {
            Some(Token { kind: Kind::Word, start, end }) => Name::new(&self.text[*start..*end]),
            Some(Token { kind: Kind::Quoted(name), .. }) => Name::new(name),
            // In ANSI mode double quotes hold identifiers; where a name must stand, nothing else can be meant.
            Some(Token { kind: Kind::Text(name), start, .. }) if self.text[*start..].starts_with('"') => {
                Name::new(name)
            }
            _ => return Err(self.unexpected("a name")),
        };
        self.at += 1;
        Ok(name)
    }

    /// A name with or without a database in front.
    pub(crate) fn qualified(&mut self) -> Parsed<QualifiedName> {
        let leading_dot = self.eat_symbol('.');
        let first = self.name()?;
        // `t.2fa` and `db.t`: a dot glued to digits is lexed as a number, which real names never need.
        if !leading_dot && self.eat_symbol('.') {
            let name = self.name()?;
            return Ok(QualifiedName { schema: first, name });
        }
        Ok(QualifiedName { schema: Name::DEFAULT, name: first })
    }

    /// A string.
    pub(crate) fn string(&mut self) -> Option<String> {
        let Some(Token { kind: Kind::Text(text), .. }) = self.peek(0) else { return None };
        let mut text = text.clone();
        self.at += 1;
        while let Some(Token { kind: Kind::Text(more), .. }) = self.peek(0) {
            text.push_str(more);
            self.at += 1;
        }
        Some(text)
    }

    /// A whole number.
    pub(crate) fn integer(&mut self) -> Option<i64> {
        let mark = self.at;
        let negative = self.eat_symbol('-');
        if !negative {
            self.eat_symbol('+');
        }
        let number = match self.peek(0) {
            Some(Token { kind: Kind::Number, start, end }) => self.text[*start..*end].parse::<i64>().ok(),
            _ => None,
        };
        match number {
            Some(number) => {
                self.at += 1;
                Some(if negative { -number } else { number })
            }
            None => {
                self.at = mark;
                None
            }
        }
    }

    /// The text between a parenthesis and its partner.
    pub(crate) fn parenthesised(&mut self) -> Parsed<&'a str> {
        self.expect_symbol('(')?;
        let start = self.offset();
        let mut depth = 1;
        while let Some(token) = self.peek(0) {
            match token.kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let end = token.start;
                self.at += 1;
                return Ok(self.text[start.min(end)..end].trim());
            }
            self.at += 1;
        }
        Err("a parenthesis is never closed".to_owned())
    }

    /// Names in parentheses.
    pub(crate) fn names(&mut self) -> Parsed<Vec<Name>> {
        self.expect_symbol('(')?;
        let mut names = vec![self.name()?];
        while self.eat_symbol(',') {
            names.push(self.name()?);
        }
        self.expect_symbol(')')?;
        Ok(names)
    }

    /// Passes everything up to a comma or closing parenthesis of this level, or the end.
    pub(crate) fn skip_item(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek(0) {
            match token.kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(')') if depth == 0 => return,
                Kind::Symbol(')') => depth -= 1,
                Kind::Symbol(',' | ';') if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// The rest of the text, without a terminator.
    pub(crate) fn rest(&mut self) -> &'a str {
        let rest = self.text[self.offset()..].trim_end().trim_end_matches(';').trim_end();
        self.at = self.tokens.len();
        rest
    }

    /// Whether any of the tokens left, outside parentheses, is this word.
    pub(crate) fn later(&self, word: &str) -> bool {
        let mut depth = 0;
        self.tokens[self.at.min(self.tokens.len())..].iter().any(|token| {
            match token.kind {
                Kind::Symbol('(') => depth += 1,
                Kind::Symbol(')') => depth -= 1,
                _ => {}
            }
            depth == 0
                && token.kind == Kind::Word
                && self.text[token.start..token.end].eq_ignore_ascii_case(word)
        })
    }
}

/// Signs and keywords between backticks, words as they are.
fn quoted(expected: &str) -> String {
    if expected.chars().any(|c| c.is_ascii_lowercase()) {
        expected.to_owned()
    } else {
        format!("`{expected}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_version_comments_open() {
        let check = |text: &str, expected: &str| {
            let cleaned = without_comments(text).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(cleaned, expected, "{text}");
        };
        check("/*!50100 PARTITION BY KEY (a) */", "PARTITION BY KEY (a)");
        check("a /* b */ c -- d\n# e\nf", "a c f");
        check("'-- x' /*M!100100 y*/", "'-- x' y");
        check("/*M!999999\\- enable the sandbox mode */ SELECT 1", "SELECT 1");
        check("a--1", "a--1");
        check("`a#b` '/* c */'", "`a#b` '/* c */'");
    }

    #[test]
    fn strings_lose_their_escapes() {
        assert_eq!(unquote(r"'it''s \n \'x\' \%'"), "it's \n 'x' \\%");
        assert_eq!(unquote("`a``b`"), "a`b");
        assert_eq!(unquote("'open"), "open");
        assert_eq!(unquote("'"), "");
    }

    #[test]
    fn odd_input_never_panics() {
        for text in ["'\\", "`", "\"é\\", "@", "@@", "0x", "x'", "1.e", "é日本", "'日\\", "/*!", "/*!5", "--"]
        {
            let cleaned = without_comments(text);
            let _ = tokens(&cleaned);
        }
    }
}
