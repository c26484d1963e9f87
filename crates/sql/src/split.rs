//! Files cut into statements, before any parser sees them.
//!
//! The splitter knows quotes, comments, client commands and the few constructs that hold semicolons. It is total: any
//! text gives statements, and what is never closed is said to be so.

mod resume;
mod words;

use dbwright_model::engine::Dialect;
use memchr::{memchr, memchr2, memmem};
use words::{Words, is_word_part, is_word_start, word_at};

/// One statement of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The text from its first word on, comments before it and the terminator left out.
    pub text: &'a str,
    /// Comments that stand directly before it, for suppressions.
    pub leading_comments: &'a str,
    /// Byte offset of `text` in the file.
    pub offset: usize,
    /// Line of its first word, from 1.
    pub line: u32,
    /// Column of its first word in characters, from 1.
    pub column: u32,
    /// What it is, as far as its first words and the lexer tell.
    pub kind: StatementKind,
}

/// What the splitter knows of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// SQL for the server.
    Sql,
    /// A client's own command: `\connect`, `.mode`, `DELIMITER`.
    ClientCommand,
    /// Rows that follow `COPY ... FROM stdin`, up to `\.`.
    CopyData,
    /// A quote or comment that is never closed: the rest of the file.
    Unterminated,
}

/// Cuts a file into statements.
///
/// A comment on the line that ends a statement belongs to that statement, so it is not among the leading comments of
/// the next one unless that one stands on the same line too.
pub fn split(dialect: Dialect, text: &str) -> Vec<Statement<'_>> {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut splitter = Splitter {
        dialect,
        text,
        bytes: text.as_bytes(),
        at: start,
        delimiter: ";",
        counted: start,
        line: 1,
        column: 1,
        statements: Vec::new(),
    };
    while splitter.at < text.len() {
        splitter.next();
    }
    splitter.statements
}

struct Splitter<'a> {
    dialect: Dialect,
    text: &'a str,
    bytes: &'a [u8],
    /// The next byte to read; always on a character boundary when a statement starts or ends.
    at: usize,
    /// What ends a statement; only MySQL's client changes it.
    delimiter: &'a str,
    /// Up to where `line` and `column` are counted.
    counted: usize,
    line: u32,
    column: u32,
    statements: Vec<Statement<'a>>,
}

/// A quote or comment that is never closed.
struct Unclosed;

impl<'a> Splitter<'a> {
    /// Reads one statement, client command or block of rows and what stands before it.
    fn next(&mut self) {
        let gap = self.at;
        if self.skip_gap().is_err() {
            // `at` stands on the comment that is never closed.
            self.push(gap, self.at, self.text.len(), StatementKind::Unterminated);
            self.at = self.text.len();
            return;
        }
        let start = self.at;
        if start == self.bytes.len() {
            return;
        }
        if let Some(end) = self.client_command() {
            self.push(gap, start, end, StatementKind::ClientCommand);
            self.at = end;
            if self.dialect == Dialect::Postgres && resume::copies_from_script(&self.text[start..end]) {
                self.copy_data();
            }
            return;
        }
        let scan = self.scan_statement();
        match scan {
            Err(Unclosed) => {
                self.push(gap, start, self.text.len(), StatementKind::Unterminated);
                self.at = self.text.len();
            }
            Ok(found) => {
                self.push(gap, start, found.end, StatementKind::Sql);
                self.at = found.next;
                if found.copy_follows {
                    self.copy_data();
                }
            }
        }
    }

    /// Adds a statement unless it is empty.
    fn push(&mut self, gap: usize, start: usize, end: usize, kind: StatementKind) {
        let text = self.text[start..end].trim_ascii_end();
        if text.is_empty() {
            return;
        }
        let between = &self.text[gap..start];
        // What stands behind the end of the statement before, on its line, was said about that one.
        let own = match memchr(b'\n', between.as_bytes()) {
            Some(newline) if !self.statements.is_empty() => {
                // A block comment that begins on that line and runs over its end is left out whole.
                let tail = self.after_trailing_comment(gap, gap + newline);
                &self.text[tail.min(start)..start]
            }
            _ => between,
        };
        self.count_to(start);
        self.statements.push(Statement {
            text,
            leading_comments: own.trim_ascii(),
            offset: start,
            line: self.line,
            column: self.column,
            kind,
        });
    }

    /// Where the comments end that begin between a terminator and the end of its line.
    fn after_trailing_comment(&self, gap: usize, newline: usize) -> usize {
        let mut at = gap;
        while at < newline {
            if self.bytes[at].is_ascii_whitespace() || !self.is_block_comment(at) {
                let space = self.bytes[at].is_ascii_whitespace();
                at = if space { at + 1 } else { newline };
                continue;
            }
            match self.block_comment_end(at) {
                Some(end) => at = end,
                None => return newline,
            }
        }
        at.max(newline)
    }

    /// Moves the line and column on to an offset, so that each byte is counted once.
    fn count_to(&mut self, offset: usize) {
        let passed = &self.bytes[self.counted..offset];
        let newlines = memchr::memchr_iter(b'\n', passed).count();
        let line_start = memchr::memrchr(b'\n', passed).map_or(0, |last| last + 1);
        // Continuation bytes of UTF-8 are no characters of their own.
        let characters = passed[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        if newlines > 0 {
            self.column = 1;
            self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        }
        self.column = self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        self.counted = offset;
    }

    /// Skips blanks and comments. On an unclosed comment `at` stays on it.
    fn skip_gap(&mut self) -> Result<(), Unclosed> {
        while let Some(byte) = self.bytes.get(self.at) {
            if byte.is_ascii_whitespace() || *byte == 0x0B {
                self.at += 1;
            } else if self.is_line_comment(self.at) {
                self.at = self.line_end(self.at);
            } else if self.is_block_comment(self.at) {
                self.at = self.block_comment_end(self.at).ok_or(Unclosed)?;
            } else {
                break;
            }
        }
        Ok(())
    }

    fn is_line_comment(&self, at: usize) -> bool {
        let mysql = self.dialect == Dialect::Mysql;
        match self.bytes[at] {
            b'#' => mysql,
            b'-' if self.bytes.get(at + 1) == Some(&b'-') => {
                // MySQL reads `a--1` as `a - (-1)`.
                !mysql || self.bytes.get(at + 2).is_none_or(|byte| *byte <= b' ')
            }
            _ => false,
        }
    }

    /// Whether a comment opens here that is no conditional comment.
    fn is_block_comment(&self, at: usize) -> bool {
        self.bytes[at..].starts_with(b"/*") && !self.is_conditional_comment(at)
    }

    /// Whether `/*!` or `/*M!` opens here: text that some servers run.
    fn is_conditional_comment(&self, at: usize) -> bool {
        let rest = &self.bytes[at..];
        self.dialect == Dialect::Mysql && (rest.starts_with(b"/*!") || rest.starts_with(b"/*M!"))
    }

    /// Where the block comment that opens here ends.
    fn block_comment_end(&self, at: usize) -> Option<usize> {
        if self.dialect != Dialect::Postgres {
            return memmem::find(&self.bytes[at + 2..], b"*/").map(|found| at + 2 + found + 2);
        }
        let mut depth = 1usize;
        let mut at = at + 2;
        while depth > 0 {
            at += memchr2(b'*', b'/', self.bytes.get(at..)?)?;
            match (self.bytes[at], self.bytes.get(at + 1)) {
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
        Some(at)
    }

    /// Where the line ends, its line feed not included.
    fn line_end(&self, at: usize) -> usize {
        memchr(b'\n', &self.bytes[at..]).map_or(self.bytes.len(), |found| at + found)
    }

    /// Whether only blanks stand before this offset on its line.
    fn starts_line(&self, at: usize) -> bool {
        let before = &self.bytes[..at];
        let line = &before[memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)..];
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        line.iter().all(u8::is_ascii_whitespace)
    }

    /// The end of the client's own command that starts here, if one does. `DELIMITER` takes effect.
    fn client_command(&mut self) -> Option<usize> {
        let start = self.at;
        let end = self.line_end(start);
        match self.dialect {
            Dialect::Postgres => (self.bytes[start] == b'\\').then(|| self.backslash_end(start)),
            Dialect::Sqlite => (self.bytes[start] == b'.' && self.starts_line(start)).then_some(end),
            Dialect::Mysql => {
                if self.bytes[start] == b'\\' {
                    return Some(end);
                }
                let word = word_at(self.bytes, start);
                let delimiter = word.eq_ignore_ascii_case(b"delimiter");
                let follows_space = self.bytes.get(start + word.len()).is_some_and(u8::is_ascii_whitespace);
                if !(delimiter || word.eq_ignore_ascii_case(b"source"))
                    || !follows_space
                    || !self.starts_line(start)
                {
                    return None;
                }
                if delimiter {
                    let rest = self.text[start + word.len()..end].trim_ascii();
                    // A delimiter may be quoted to hold a blank; nobody does, so the first word is taken.
                    if let Some(delimiter) = rest.split_ascii_whitespace().next() {
                        self.delimiter = delimiter;
                    }
                }
                Some(end)
            }
        }
    }

    /// Where psql's backslash command ends: at the line's end, or after `\;`.
    fn backslash_end(&self, at: usize) -> usize {
        if self.bytes.get(at + 1) == Some(&b';') { at + 2 } else { self.line_end(at) }
    }

    /// The rows after `COPY ... FROM stdin;`.
    fn copy_data(&mut self) {
        let end_of_line = self.line_end(self.at);
        if self.text[self.at..end_of_line].trim_ascii().is_empty() {
            self.at = (end_of_line + 1).min(self.bytes.len());
        }
        let start = self.at;
        let mut line = start;
        while line < self.bytes.len() {
            let end = self.line_end(line);
            if self.bytes[line..end].trim_ascii_end() == b"\\." {
                break;
            }
            line = (end + 1).min(self.bytes.len());
        }
        self.push(start, start, line, StatementKind::CopyData);
        self.at = line;
    }

    /// Reads from the first word of a statement to its terminator.
    fn scan_statement(&mut self) -> Result<Scanned, Unclosed> {
        let start = self.at;
        let delimiter = self.delimiter.as_bytes();
        let plain = self.delimiter == ";";
        let mut words = Words::of(self.dialect, self.bytes, start, plain);
        let mut stops = Stops::new(self.dialect, delimiter[0], words.wanted());
        let mut parens = 0usize;
        let mut conditional = false;
        // Where a statement ends whose parenthesis is never closed.
        let mut broken = None;
        let mut at = start;
        loop {
            at = match stops.find(self.bytes, at) {
                Some(found) => found,
                None if conditional => return Err(Unclosed),
                None => {
                    let end = broken.filter(|_| parens > 0);
                    if let Some(end) = end {
                        return Ok(Scanned { end, next: end + 1, copy_follows: false });
                    }
                    let end = self.bytes.len();
                    return Ok(Scanned { end, next: end, copy_follows: words.copy_from_stdin() });
                }
            };
            let byte = self.bytes[at];
            if byte == delimiter[0]
                && self.bytes[at..].starts_with(delimiter)
                && !(plain && (parens > 0 || conditional || words.inside_body()))
            {
                let next = at + delimiter.len();
                return Ok(Scanned { end: at, next, copy_follows: words.copy_from_stdin() });
            }
            if byte == b';' && parens > 0 && broken.is_none() && !words.inside_body() && self.resumes(at + 1)
            {
                // Only the commands of a rule are separated by semicolons within parentheses.
                if !resume::makes_rule(&self.text[start..at]) {
                    return Ok(Scanned { end: at, next: at + 1, copy_follows: false });
                }
                broken = Some(at);
            }
            if self.is_line_comment(at) {
                at = self.line_end(at);
                continue;
            }
            if self.is_block_comment(at) {
                at = self.block_comment_end(at).ok_or(Unclosed)?;
                continue;
            }
            if is_word_start(byte) {
                let word = word_at(self.bytes, at);
                if words.wanted() {
                    words.word(self.bytes, at, word, parens);
                    if !words.wanted() {
                        stops = Stops::new(self.dialect, delimiter[0], false);
                    }
                    at += word.len();
                } else {
                    // A delimiter made of letters stopped the scan inside a word.
                    at += 1;
                }
                continue;
            }
            words.symbol(byte);
            at = match byte {
                b'\'' | b'"' | b'`' | b'[' if self.is_quote(byte) => self.quote_end(at).ok_or(Unclosed)?,
                b'$' if self.dialect == Dialect::Postgres => self.dollar_end(at).ok_or(Unclosed)?,
                b'(' if self.dialect == Dialect::Postgres => {
                    parens += 1;
                    at + 1
                }
                b')' => {
                    parens = parens.saturating_sub(1);
                    at + 1
                }
                b'\\' => match (self.dialect, self.bytes.get(at + 1)) {
                    (Dialect::Postgres, Some(b';')) => {
                        return Ok(Scanned { end: at, next: at + 2, copy_follows: false });
                    }
                    (Dialect::Postgres, _) => {
                        return Ok(Scanned { end: at, next: at, copy_follows: false });
                    }
                    (Dialect::Mysql, Some(b'g' | b'G')) if !conditional => {
                        return Ok(Scanned { end: at, next: at + 2, copy_follows: false });
                    }
                    _ => at + 1,
                },
                b'/' if self.is_conditional_comment(at) => {
                    conditional = true;
                    let digits = at + 3;
                    digits + self.bytes[digits..].iter().take_while(|byte| byte.is_ascii_digit()).count()
                }
                b'*' if conditional && self.bytes.get(at + 1) == Some(&b'/') => {
                    conditional = false;
                    at + 2
                }
                _ => at + 1,
            };
        }
    }

    fn is_quote(&self, byte: u8) -> bool {
        match byte {
            b'`' => self.dialect != Dialect::Postgres,
            b'[' => self.dialect == Dialect::Sqlite,
            byte => byte == b'\'' || byte == b'"',
        }
    }

    /// Where the quoted text that opens here ends.
    fn quote_end(&self, at: usize) -> Option<usize> {
        let open = self.bytes[at];
        let close = if open == b'[' { b']' } else { open };
        let escapes = match self.dialect {
            Dialect::Mysql => open != b'`',
            Dialect::Postgres => {
                // E'...' reads backslashes, but the `e` must not be the end of a longer word.
                open == b'\''
                    && at > 0
                    && self.bytes[at - 1].eq_ignore_ascii_case(&b'e')
                    && !(at > 1 && is_word_part(self.bytes[at - 2]))
            }
            Dialect::Sqlite => false,
        };
        let mut at = at + 1;
        if !escapes {
            // A doubled quote reads as two quoted texts side by side.
            return memchr(close, &self.bytes[at..]).map(|found| at + found + 1);
        }
        loop {
            at += memchr2(close, b'\\', self.bytes.get(at..)?)?;
            if self.bytes[at] == close {
                return Some(at + 1);
            }
            at += 2;
        }
    }

    /// Where the dollar-quoted text that opens here ends; the next byte when none opens.
    fn dollar_end(&self, at: usize) -> Option<usize> {
        if at > 0 && is_word_part(self.bytes[at - 1]) {
            return Some(at + 1);
        }
        let tag =
            self.bytes[at + 1..].iter().take_while(|byte| is_word_part(**byte) && **byte != b'$').count();
        let body = at + 1 + tag + 1;
        let opens = self.bytes.get(body - 1) == Some(&b'$') && !self.bytes[at + 1].is_ascii_digit();
        if !opens {
            return Some(at + 1);
        }
        let quote = &self.bytes[at..body];
        memmem::find(&self.bytes[body..], quote).map(|found| body + found + quote.len())
    }
}

/// Where a statement ends and what follows.
struct Scanned {
    /// The end of its text.
    end: usize,
    /// Where reading goes on.
    next: usize,
    /// Whether rows follow.
    copy_follows: bool,
}

/// Bytes at which the scan has to look closer.
struct Stops([bool; 256]);

impl Stops {
    fn new(dialect: Dialect, delimiter: u8, words: bool) -> Self {
        if words {
            // Every token counts while a body may open.
            return Stops(std::array::from_fn(|byte| byte as u8 > b' '));
        }
        let bytes: &[u8] = match dialect {
            Dialect::Postgres => b"'\"$();-/\\",
            Dialect::Mysql => b"'\"`;-/#\\*",
            Dialect::Sqlite => b"'\"`[;-/",
        };
        let mut stops = [false; 256];
        for byte in bytes.iter().chain([&delimiter]) {
            stops[usize::from(*byte)] = true;
        }
        Stops(stops)
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        bytes[from..].iter().position(|byte| self.0[usize::from(*byte)]).map(|found| from + found)
    }
}

#[cfg(test)]
mod tests;
