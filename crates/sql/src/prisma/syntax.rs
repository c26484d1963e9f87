//! The Prisma schema language: blocks of lines, attributes with arguments.

use dbwright_model::engine::Engine;
use dbwright_model::finding::Location;

/// Everything the files of a schema say.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    pub blocks: Vec<Block>,
    pub skipped: Vec<(Location, String, String)>,
}

/// `model User { ... }` and its like.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub kind: String,
    pub name: String,
    pub place: Location,
    pub lines: Vec<Line>,
}

/// One line of a block: a field, an enum's value, a property, or a block attribute, whose words are empty.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub place: Location,
    /// The words before the first attribute: a field's name and its type without marks.
    pub words: Vec<String>,
    pub optional: bool,
    pub list: bool,
    /// The argument of `Unsupported("...")`.
    pub unsupported: Option<String>,
    /// The value after `=` in a data source.
    pub value: Option<Value>,
    pub attributes: Vec<Attribute>,
}

/// `@id`, `@@index([a, b])`, `@db.VarChar(20)`: the name without the at signs.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub name: String,
    pub arguments: Vec<(Option<String>, Value)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(String),
    /// A word, or a call with its arguments.
    Word(String, Vec<(Option<String>, Value)>),
    List(Vec<Value>),
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn word(&self) -> Option<&str> {
        match self {
            Value::Word(word, _) => Some(word),
            _ => None,
        }
    }

    pub fn list(&self) -> Vec<&Value> {
        match self {
            Value::List(values) => values.iter().collect(),
            other => vec![other],
        }
    }
}

impl Attribute {
    /// An argument by name, or the first without one.
    pub fn argument(&self, name: &str, first: bool) -> Option<&Value> {
        self.named(name).or_else(|| {
            first.then(|| self.arguments.iter().find(|(name, _)| name.is_none()).map(|(_, value)| value))?
        })
    }

    pub fn named(&self, wanted: &str) -> Option<&Value> {
        self.arguments.iter().find(|(name, _)| name.as_deref() == Some(wanted)).map(|(_, value)| value)
    }
}

impl Line {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }
}

impl Block {
    /// Attributes of the whole block.
    pub fn attributes(&self) -> impl Iterator<Item = (&Location, &Attribute)> {
        self.lines
            .iter()
            .filter(|line| line.words.is_empty())
            .flat_map(|line| line.attributes.iter().map(|attribute| (&line.place, attribute)))
    }

    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes().map(|(_, attribute)| attribute).find(|attribute| attribute.name == name)
    }

    pub fn fields(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.words.is_empty())
    }

    pub fn property(&self, name: &str) -> Option<&Value> {
        self.fields().find(|line| line.name() == name)?.value.as_ref()
    }
}

/// The engine of a schema's data source; `None` when there is none, or one that dbwright does not know.
pub fn provider(text: &str) -> Option<Engine> {
    let mut schema = Schema::default();
    schema.read("", text);
    let source = schema.blocks.iter().find(|block| block.kind == "datasource")?;
    match source.property("provider")?.list().first()?.text()? {
        "postgresql" | "postgres" | "cockroachdb" => Some(Engine::Postgres),
        "mysql" => Some(Engine::Mysql),
        "sqlite" => Some(Engine::Sqlite),
        _ => None,
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Symbol(char),
    NewLine,
}

struct Tokens {
    tokens: Vec<(Token, u32, u32)>,
    at: usize,
}

impl Tokens {
    fn read(text: &str) -> Tokens {
        let mut tokens = Vec::new();
        for (i, line) in text.lines().enumerate() {
            read_line(line, u32::try_from(i + 1).unwrap_or(u32::MAX), &mut tokens);
        }
        Tokens { tokens, at: 0 }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _, _)| token)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    fn eat(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn skip_lines(&mut self) {
        while self.peek() == Some(&Token::NewLine) {
            self.at += 1;
        }
    }

    fn place(&self, file: &str) -> Location {
        let (line, column) = self.tokens.get(self.at).map_or((1, 1), |(_, line, column)| (*line, *column));
        Location { file: file.to_owned(), line, column }
    }
}

fn read_line(line: &str, number: u32, tokens: &mut Vec<(Token, u32, u32)>) {
    let characters: Vec<char> = line.chars().collect();
    let mut at = 0;
    while let Some(c) = characters.get(at).copied() {
        let column = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let is_word = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '-';
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        if c == '/' && characters.get(at + 1) == Some(&'/') {
            break;
        }
        let token = if c == '"' {
            let mut text = String::new();
            at += 1;
            while let Some(c) = characters.get(at).copied() {
                at += 1;
                match c {
                    '"' => break,
                    '\\' => {
                        if let Some(escaped) = characters.get(at) {
                            text.push(match escaped {
                                'n' => '\n',
                                't' => '\t',
                                'r' => '\r',
                                other => *other,
                            });
                            at += 1;
                        }
                    }
                    c => text.push(c),
                }
            }
            Token::Text(text)
        } else if c.is_ascii_digit() || (c == '-' && characters.get(at + 1).is_some_and(char::is_ascii_digit))
        {
            let start = at;
            at += 1;
            while characters.get(at).is_some_and(|c| c.is_ascii_digit() || *c == '.') {
                at += 1;
            }
            Token::Number(characters[start..at].iter().collect())
        } else if is_word(&c) {
            let start = at;
            while characters.get(at).is_some_and(is_word) {
                at += 1;
            }
            Token::Word(characters[start..at].iter().collect())
        } else {
            at += 1;
            Token::Symbol(c)
        };
        tokens.push((token, number, column));
    }
    tokens.push((Token::NewLine, number, u32::try_from(characters.len() + 1).unwrap_or(u32::MAX)));
}

impl Schema {
    /// Reads one file; what is not understood is skipped line by line.
    pub fn read(&mut self, file: &str, text: &str) {
        let mut tokens = Tokens::read(text);
        loop {
            tokens.skip_lines();
            let place = tokens.place(file);
            let Some(token) = tokens.next() else { return };
            let (Token::Word(kind), Some(Token::Word(name))) = (&token, tokens.peek().cloned()) else {
                self.skip_line(&mut tokens, place);
                continue;
            };
            tokens.at += 1;
            if !tokens.eat('{') {
                self.skip_line(&mut tokens, place);
                continue;
            }
            if !matches!(tokens.peek(), None | Some(Token::NewLine | Token::Symbol('}'))) {
                self.skip_block(&mut tokens, place, &format!("{kind} {name}"));
                continue;
            }
            let mut block = Block { kind: kind.clone(), name, place, lines: Vec::new() };
            self.read_lines(file, &mut tokens, &mut block);
            self.blocks.push(block);
        }
    }

    fn skip_line(&mut self, tokens: &mut Tokens, place: Location) {
        while tokens.next().is_some_and(|token| token != Token::NewLine) {}
        self.skipped.push((place, String::new(), "this line of the schema is not understood".to_owned()));
    }

    /// Prisma takes no field that stands behind the brace: where one field ends and the next begins would be a guess.
    fn skip_block(&mut self, tokens: &mut Tokens, place: Location, what: &str) {
        while tokens.next().is_some_and(|token| token != Token::Symbol('}')) {}
        let because = "what stands in a block begins on a line of its own, a line for each".to_owned();
        self.skipped.push((place, what.to_owned(), because));
    }

    fn read_lines(&mut self, file: &str, tokens: &mut Tokens, block: &mut Block) {
        loop {
            tokens.skip_lines();
            if tokens.peek().is_none() || tokens.eat('}') {
                return;
            }
            let place = tokens.place(file);
            match line(tokens, place.clone()) {
                Some(line) => block.lines.push(line),
                None => self.skip_line(tokens, place),
            }
        }
    }
}

fn line(tokens: &mut Tokens, place: Location) -> Option<Line> {
    let mut line = Line {
        place,
        words: Vec::new(),
        optional: false,
        list: false,
        unsupported: None,
        value: None,
        attributes: Vec::new(),
    };
    loop {
        match tokens.peek() {
            None | Some(Token::NewLine | Token::Symbol('}')) => return Some(line),
            // A field is a name and a type, and attributes come after both: more is a second field.
            Some(Token::Word(_)) if line.words.len() == 2 || !line.attributes.is_empty() => return None,
            Some(Token::Word(word)) => {
                line.words.push(word.clone());
                tokens.at += 1;
                if tokens.peek() == Some(&Token::Symbol('(')) {
                    let arguments = arguments(tokens)?;
                    line.unsupported =
                        arguments.first().and_then(|(_, value)| value.text()).map(str::to_owned);
                }
            }
            Some(Token::Symbol('?')) => {
                line.optional = true;
                tokens.at += 1;
            }
            Some(Token::Symbol('[')) => {
                tokens.at += 1;
                line.list = tokens.eat(']');
            }
            Some(Token::Symbol('=')) => {
                tokens.at += 1;
                line.value = Some(value(tokens)?);
            }
            Some(Token::Symbol('@')) => {
                while tokens.eat('@') {}
                let mut name = word(tokens)?;
                while tokens.eat('.') {
                    name = format!("{name}.{}", word(tokens)?);
                }
                let arguments =
                    if tokens.peek() == Some(&Token::Symbol('(')) { arguments(tokens)? } else { Vec::new() };
                line.attributes.push(Attribute { name, arguments });
            }
            Some(_) => return None,
        }
    }
}

fn word(tokens: &mut Tokens) -> Option<String> {
    match tokens.next()? {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

fn arguments(tokens: &mut Tokens) -> Option<Vec<(Option<String>, Value)>> {
    tokens.eat('(');
    let mut found = Vec::new();
    loop {
        tokens.skip_lines();
        if tokens.eat(')') {
            return Some(found);
        }
        if tokens.eat(',') {
            continue;
        }
        let after = tokens.tokens.get(tokens.at + 1).map(|(token, _, _)| token);
        let name = match (tokens.peek()?, after) {
            (Token::Word(name), Some(Token::Symbol(':'))) => Some(name.clone()),
            _ => None,
        };
        if name.is_some() {
            tokens.at += 2;
        }
        found.push((name, value(tokens)?));
    }
}

fn value(tokens: &mut Tokens) -> Option<Value> {
    tokens.skip_lines();
    match tokens.next()? {
        Token::Text(text) => Some(Value::Text(text)),
        Token::Number(number) => Some(Value::Number(number)),
        Token::Word(mut name) => {
            while tokens.eat('.') {
                name = format!("{name}.{}", word(tokens)?);
            }
            let inside =
                if tokens.peek() == Some(&Token::Symbol('(')) { arguments(tokens)? } else { Vec::new() };
            Some(Value::Word(name, inside))
        }
        Token::Symbol('[') => {
            let mut values = Vec::new();
            loop {
                tokens.skip_lines();
                if tokens.eat(']') {
                    return Some(Value::List(values));
                }
                if tokens.eat(',') {
                    continue;
                }
                values.push(value(tokens)?);
            }
        }
        Token::Symbol(_) | Token::NewLine => None,
    }
}
