//! A place among tokens, from which definitions are read.

use dbwright_model::name::{Name, QualifiedName};

use super::lexer::{Token, TokenKind};

/// Reads tokens one after another. Methods that expect something return `None` when it is not there.
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str, tokens: &'a [Token<'a>]) -> Self {
        Cursor { text, tokens, at: 0 }
    }

    pub fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at)
    }

    /// The token after the next one.
    pub fn peek_second(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.at + 1)
    }

    pub fn next(&mut self) -> Option<&'a Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub fn is(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is(keyword))
    }

    /// Takes a keyword if it comes next.
    pub fn accept(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        self.at += usize::from(found);
        found
    }

    pub fn keyword(&mut self, keyword: &str) -> Option<()> {
        self.accept(keyword).then_some(())
    }

    /// Takes a symbol if it comes next.
    pub fn accept_symbol(&mut self, symbol: char) -> bool {
        let found = self.peek().is_some_and(|token| token.is_symbol(symbol));
        self.at += usize::from(found);
        found
    }

    pub fn symbol(&mut self, symbol: char) -> Option<()> {
        self.accept_symbol(symbol).then_some(())
    }

    /// Any unquoted word.
    pub fn word(&mut self) -> Option<&'a str> {
        let token = self.peek().filter(|token| token.kind == TokenKind::Word)?;
        self.at += 1;
        Some(token.text)
    }

    /// An identifier.
    pub fn name(&mut self) -> Option<String> {
        let name = self.peek()?.name()?;
        self.at += 1;
        Some(name)
    }

    /// Identifiers separated by commas, up to a closing parenthesis. Collations and orders among them are passed over.
    pub fn names(&mut self) -> Option<Vec<Name>> {
        let mut names = Vec::new();
        loop {
            names.push(Name::new(self.name()?));
            if self.accept("collate") {
                self.name()?;
            }
            let _ = self.accept("asc") || self.accept("desc");
            if self.accept_symbol(')') {
                return Some(names);
            }
            self.symbol(',')?;
        }
    }

    /// An object's name; the schema `main` is the default and left out.
    pub fn qualified(&mut self) -> Option<QualifiedName> {
        let first = self.name()?;
        if !self.accept_symbol('.') {
            return Some(QualifiedName::bare(first));
        }
        let name = self.name()?;
        let schema = if first.eq_ignore_ascii_case("main") { "" } else { &first };
        Some(QualifiedName::new(schema, name))
    }

    /// `IF NOT EXISTS`, if it comes next.
    pub fn if_not_exists(&mut self) -> bool {
        let words = ["if", "not", "exists"];
        let found = words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.tokens.get(self.at + ahead).is_some_and(|token| token.is(word)));
        if found {
            self.at += words.len();
        }
        found
    }

    /// Offset of the object's own name, behind any schema.
    pub fn object_start(&self) -> usize {
        let qualified = self.peek_second().is_some_and(|token| token.is_symbol('.'));
        let token = self.tokens.get(self.at + if qualified { 2 } else { 0 });
        token.map_or(self.text.len(), |token| token.start)
    }

    /// The text from an offset to the end of the statement.
    pub fn from(&self, start: usize) -> &'a str {
        let end = self.tokens.last().map_or(start, |token| token.end);
        self.text.get(start..end).unwrap_or_default()
    }

    /// The text of what is left, which is taken.
    pub fn rest(&mut self) -> &'a str {
        let start = self.peek().map_or(self.text.len(), |token| token.start);
        self.at = self.tokens.len();
        self.from(start)
    }

    /// The text that tokens of this cursor cover.
    pub fn span(&self, tokens: &[Token<'_>]) -> &'a str {
        match (tokens.first(), tokens.last()) {
            (Some(first), Some(last)) => self.text.get(first.start..last.end).unwrap_or_default(),
            _ => "",
        }
    }

    /// The text between two offsets.
    pub fn between(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The text between parentheses, the opening one being next. Both are taken.
    pub fn parenthesised(&mut self) -> Option<&'a str> {
        self.symbol('(')?;
        let from = self.at;
        let mut depth = 1usize;
        loop {
            let token = self.next()?;
            if token.is_symbol('(') {
                depth += 1;
            } else if token.is_symbol(')') {
                depth -= 1;
                if depth == 0 {
                    return Some(self.span(&self.tokens[from..self.at - 1]));
                }
            }
        }
    }

    /// The tokens before the next comma or closing parenthesis of this level.
    pub fn until_comma_or_close(&mut self) -> Option<&'a [Token<'a>]> {
        let from = self.at;
        let mut depth = 0usize;
        loop {
            let token = self.peek()?;
            if depth == 0 && (token.is_symbol(',') || token.is_symbol(')')) {
                return Some(&self.tokens[from..self.at]);
            }
            if token.is_symbol('(') {
                depth += 1;
            } else if token.is_symbol(')') {
                depth -= 1;
            }
            self.at += 1;
        }
    }
}
