//! What the words of a statement tell about semicolons inside it: bodies of routines and triggers, and rows of `COPY`.

use dbwright_model::engine::Dialect;

pub(super) fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

pub(super) fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

/// The word at an offset; empty when none starts there.
pub(super) fn word_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = &bytes[at..];
    &rest[..rest.iter().take_while(|byte| is_word_part(**byte)).count()]
}

/// What a statement's words tell about semicolons inside it.
pub(super) struct Words {
    dialect: Dialect,
    mode: Mode,
    /// Words read so far.
    count: usize,
    /// The token before this one.
    previous: Token,
    /// Open blocks, innermost last.
    blocks: Vec<Block>,
    /// Whether `COPY ... FROM STDIN` was read.
    copy: bool,
}

/// What is looked for among the words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing: the words do not matter.
    Off,
    /// `FROM STDIN` of `COPY`.
    Copy,
    /// Whether `CREATE` makes something with a body.
    Create,
    /// `BEGIN ATOMIC ... END` of a PostgreSQL routine.
    PostgresRoutine,
    /// The compound body of a MySQL routine, trigger or event.
    MysqlRoutine,
    /// A trigger of SQLite, before its `BEGIN`.
    SqliteTrigger,
    /// A trigger of SQLite, in its body: it ends with `END` after a semicolon.
    SqliteBody,
    /// A trigger of SQLite, behind its `END`.
    SqliteEnd,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Symbol(u8),
    /// A word after which a statement of a compound body starts.
    Opens,
    /// `THEN` or `ELSE`, after which one starts unless it belongs to a `CASE` expression.
    Branches,
    /// `END`, which may be followed by the word for what it ends.
    Ends,
    From,
    Word,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Any block whose `END` may be followed by its own word.
    Statement,
    /// A `CASE` expression.
    CaseExpression,
}

impl Words {
    pub fn of(dialect: Dialect, bytes: &[u8], start: usize, semicolon_ends: bool) -> Self {
        let first = word_at(bytes, start);
        // Dumps wrap whole statements in conditional comments, so those are looked into.
        let wrapped = dialect == Dialect::Mysql && bytes[start] == b'/';
        let is = |word: &str| first.eq_ignore_ascii_case(word.as_bytes());
        let mode = if !semicolon_ends {
            Mode::Off
        } else if is("create") || wrapped || (dialect == Dialect::Mysql && is("alter")) {
            Mode::Create
        } else if dialect == Dialect::Postgres && is("copy") {
            Mode::Copy
        } else if dialect == Dialect::Mysql && is("begin") && followed_by(bytes, start + first.len(), b"not")
        {
            // MariaDB runs `BEGIN NOT ATOMIC ... END` outside routines.
            Mode::MysqlRoutine
        } else {
            Mode::Off
        };
        Words { dialect, mode, count: 0, previous: Token::Symbol(b';'), blocks: Vec::new(), copy: false }
    }

    /// Whether words still matter.
    pub fn wanted(&self) -> bool {
        self.mode != Mode::Off
    }

    pub fn copy_from_stdin(&self) -> bool {
        self.copy
    }

    /// Whether a semicolon here is inside a body.
    pub fn inside_body(&self) -> bool {
        match self.mode {
            Mode::SqliteBody => true,
            Mode::PostgresRoutine | Mode::MysqlRoutine => !self.blocks.is_empty(),
            _ => false,
        }
    }

    pub fn symbol(&mut self, byte: u8) {
        if self.mode == Mode::SqliteEnd {
            self.mode = Mode::SqliteBody;
        }
        self.previous = Token::Symbol(byte);
    }

    pub fn word(&mut self, bytes: &[u8], at: usize, word: &[u8], parens: usize) {
        self.count += 1;
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
        if matches!(self.previous, Token::Symbol(b'.' | b'@')) {
            // Part of a qualified name, or a variable.
            self.previous = Token::Word;
            return;
        }
        let mut token = Token::Word;
        match self.mode {
            Mode::Off => {}
            Mode::Copy => {
                if is("from") {
                    token = Token::From;
                } else if is("stdin") && self.previous == Token::From && parens == 0 {
                    self.copy = true;
                    self.mode = Mode::Off;
                }
            }
            Mode::Create => self.mode = self.what_is_created(word),
            Mode::PostgresRoutine => {
                let opens = is("begin") && followed_by(bytes, at + word.len(), b"atomic");
                if opens || (is("case") && !self.blocks.is_empty()) {
                    self.blocks.push(Block::Statement);
                } else if is("end") {
                    self.blocks.pop();
                }
            }
            Mode::SqliteTrigger => {
                if is("begin") {
                    self.mode = Mode::SqliteBody;
                }
            }
            Mode::SqliteBody => {
                if is("end") && self.previous == Token::Symbol(b';') {
                    self.mode = Mode::SqliteEnd;
                }
            }
            Mode::SqliteEnd => self.mode = Mode::SqliteBody,
            Mode::MysqlRoutine => token = self.mysql_word(bytes, at + word.len(), word),
        }
        self.previous = token;
    }

    /// What `CREATE` makes, once its words tell.
    fn what_is_created(&self, word: &[u8]) -> Mode {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
        let routine = is("function") || is("procedure");
        match self.dialect {
            Dialect::Postgres if routine => Mode::PostgresRoutine,
            // `CREATE OR REPLACE FUNCTION` is the longest.
            Dialect::Postgres if self.count >= 4 => Mode::Off,
            Dialect::Sqlite if is("trigger") => Mode::SqliteTrigger,
            Dialect::Sqlite if self.count >= 3 => Mode::Off,
            Dialect::Mysql if routine || is("trigger") || is("event") || is("package") => Mode::MysqlRoutine,
            Dialect::Mysql if self.count >= 16 || MYSQL_WITHOUT_BODY.iter().any(|keyword| is(keyword)) => {
                Mode::Off
            }
            _ => Mode::Create,
        }
    }

    fn mysql_word(&mut self, bytes: &[u8], after: usize, word: &[u8]) -> Token {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword.as_bytes());
        let starts_statement = match self.previous {
            Token::Symbol(b';' | b':') | Token::Opens => true,
            Token::Branches => self.blocks.last() != Some(&Block::CaseExpression),
            _ => false,
        };
        let ends_block = self.previous == Token::Ends;
        if is("end") {
            return match self.blocks.pop() {
                Some(Block::CaseExpression) => Token::Word,
                _ => Token::Ends,
            };
        }
        if is("then") || is("else") {
            return Token::Branches;
        }
        if is("begin") {
            self.blocks.push(Block::Statement);
            return Token::Opens;
        }
        if ends_block {
            return Token::Word;
        }
        if is("case") {
            self.blocks.push(if starts_statement { Block::Statement } else { Block::CaseExpression });
        } else if is("if") {
            // Elsewhere it is the function, or `IF [NOT] EXISTS`; a body may also be one `IF` after its header.
            let is_body = self.blocks.is_empty()
                && !followed_by(bytes, after, b"(")
                && !followed_by(bytes, after, b"not")
                && !followed_by(bytes, after, b"exists");
            if starts_statement || is_body {
                self.blocks.push(Block::Statement);
            }
        } else if starts_statement && (is("loop") || is("while") || is("repeat") || is("for")) {
            self.blocks.push(Block::Statement);
        }
        if is("do") || is("loop") || is("repeat") || is("row") { Token::Opens } else { Token::Word }
    }
}

/// What MySQL's `CREATE` and `ALTER` make that holds no statements.
const MYSQL_WITHOUT_BODY: [&str; 9] =
    ["table", "view", "index", "database", "schema", "user", "role", "sequence", "server"];

/// Whether a word or symbol comes next after blanks.
fn followed_by(bytes: &[u8], at: usize, expected: &[u8]) -> bool {
    let rest = bytes[at..].trim_ascii_start();
    match expected {
        [symbol] => rest.first() == Some(symbol),
        word => word_at(rest, 0).eq_ignore_ascii_case(word),
    }
}
