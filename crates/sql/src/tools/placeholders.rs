//! Placeholders that a tool fills in before the server sees a statement: a word of the same length takes their place, so
//! that the statement can be read and its places stay true.

use std::collections::BTreeMap;

use dbwright_model::engine::Dialect;

/// Replaces the placeholders of a file. What stands in quotes and comments stays as it is.
pub fn fill(dialect: Dialect, text: String) -> String {
    fill_and_tell(dialect, text, &mut |_, _| {})
}

/// The words that take the place of placeholders in a file, each with the placeholder as written. psql's variables are not
/// among them: their names are the words.
pub fn stand_ins(dialect: Dialect, text: &str) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    fill_and_tell(dialect, text.to_owned(), &mut |word, written| {
        if !word.trim().is_empty() {
            words.insert(word.to_owned(), written.to_owned());
        }
    });
    words
}

/// A text that names stand-ins, with the placeholders in their place. Servers fold the case of names, so that a word is also
/// known in lower case.
pub fn put_back(text: &str, stand_ins: &BTreeMap<String, String>) -> String {
    // A longer word may hold a shorter one.
    let mut words: Vec<(&String, &String)> = stand_ins.iter().collect();
    words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    let exact =
        words.iter().fold(text.to_owned(), |text, (word, written)| text.replace(word.as_str(), written));
    words.into_iter().fold(exact, |text, (word, written)| {
        let lower = word.to_ascii_lowercase();
        if lower == *word { text } else { text.replace(&lower, written) }
    })
}

fn fill_and_tell(dialect: Dialect, text: String, tell: &mut dyn FnMut(&str, &str)) -> String {
    if !may_hold_placeholders(dialect, &text) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if let Some(length) = quoted(dialect, &text, at) {
            out.push_str(&rest[..length]);
            at += length;
        } else if let Some((length, word)) = placeholder(dialect, &text, at) {
            out.push_str(&word);
            tell(&word, &rest[..length]);
            at += length;
        } else {
            let c = rest.chars().next().unwrap_or(' ');
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}

/// A statement without its comments and with every run of blanks reduced to one. Quotes stay as they are.
pub fn plain(dialect: Dialect, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut blank = false;
    while at < text.len() {
        let rest = &text[at..];
        let quoted = quoted(dialect, text, at);
        let executed = dialect == Dialect::Mysql && (rest.starts_with("/*!") || rest.starts_with("/*M!"));
        if quoted.is_some() && !executed && (rest.starts_with("--") || rest.starts_with("/*")) {
            blank = true;
            at += quoted.unwrap_or(1);
            continue;
        }
        let c = rest.chars().next().unwrap_or(' ');
        if quoted.is_none() && c.is_whitespace() {
            blank = true;
            at += c.len_utf8();
            continue;
        }
        if std::mem::take(&mut blank) && !out.is_empty() {
            out.push(' ');
        }
        let length = quoted.unwrap_or(c.len_utf8());
        out.push_str(&rest[..length]);
        at += length;
    }
    out
}

fn may_hold_placeholders(dialect: Dialect, text: &str) -> bool {
    let bytes = text.as_bytes();
    let templates = ["${", "{{", "{%", "<%", "%("];
    templates.iter().any(|open| memchr::memmem::find(bytes, open.as_bytes()).is_some())
        || dialect == Dialect::Postgres
            && memchr::memchr_iter(b':', bytes).any(|at| variable(text, at).is_some())
}

/// How long the quote or comment is that opens here.
fn quoted(dialect: Dialect, text: &str, at: usize) -> Option<usize> {
    let rest = &text.as_bytes()[at..];
    let until = |skip: usize, close: &[u8]| {
        let inner = rest.get(skip..).unwrap_or_default();
        let found = memchr::memmem::find(inner, close);
        Some(found.map_or(rest.len(), |found| skip + found + close.len()))
    };
    match rest[0] {
        quote @ (b'\'' | b'"' | b'`') => {
            let marked = at > 0 && matches!(text.as_bytes()[at - 1], b'e' | b'E');
            let escapes = quote != b'`'
                && (dialect == Dialect::Mysql || dialect == Dialect::Postgres && quote == b'\'' && marked);
            Some(quote_end(rest, quote, escapes))
        }
        b'-' if rest.starts_with(b"--") => until(2, b"\n"),
        b'/' if rest.starts_with(b"/*") => until(2, b"*/"),
        // A client command is no SQL.
        b'\\' if dialect == Dialect::Postgres => until(1, b"\n"),
        b'$' if dialect == Dialect::Postgres => {
            let tag = rest[1..].iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_'))?;
            let opens = rest[1 + tag] == b'$' && !rest[1].is_ascii_digit();
            let before = at.checked_sub(1).map(|before| text.as_bytes()[before]);
            let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !opens || in_word {
                return None;
            }
            until(tag + 2, &rest[..tag + 2])
        }
        _ => None,
    }
}

/// Where a quote that opens a text ends. A doubled quote is two quotes without anything between them.
fn quote_end(text: &[u8], quote: u8, escapes: bool) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(quote, b'\\', text.get(at..).unwrap_or_default()) {
        at += found;
        if text[at] == quote {
            return at + 1;
        }
        at += if escapes { 2 } else { 1 };
    }
    text.len()
}

/// The placeholder that opens here: its length in bytes, and what takes its place.
fn placeholder(dialect: Dialect, text: &str, at: usize) -> Option<(usize, String)> {
    let rest = &text[at..];
    let (open, close) = match rest.as_bytes() {
        [b'$', b'{', ..] => ("${", "}"),
        [b'{', b'{', ..] => ("{{", "}}"),
        [b'{', b'%', ..] => ("{%", "%}"),
        [b'<', b'%', ..] => ("<%", "%>"),
        [b'%', b'(', ..] => ("%(", ")s"),
        [b':', ..] if dialect == Dialect::Postgres => return variable(text, at),
        _ => return None,
    };
    let inner = &rest[open.len()..];
    let inner = &inner[..inner.find(close)?];
    if inner.len() > 200 || (open == "%(" && !inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')) {
        return None;
    }
    let length = open.len() + inner.len() + close.len();
    let controls = match open {
        "{%" => true,
        "<%" => !inner.starts_with('='),
        "{{" => {
            let word = inner.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
            matches!(word, "if" | "else" | "end" | "range" | "with" | "define" | "template" | "block")
                || word.starts_with("/*")
                || word.starts_with(['#', '/', '!'])
        }
        _ => false,
    };
    let of_char = |c: char| match c {
        '\n' | '\r' => c,
        _ if controls => ' ',
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    };
    let mut word: String = rest[..length].chars().map(of_char).collect();
    let in_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
    if !controls && !in_word {
        // A word begins with a letter: the two characters of the opening are replaced.
        word.replace_range(0..1, "p");
    }
    Some((length, word))
}

/// psql's `:name`, `:'name'` and `:"name"`: the colon is left out.
fn variable(text: &str, at: usize) -> Option<(usize, String)> {
    let before = text[..at].chars().next_back();
    let stands_alone = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ',' | '=' | '.'));
    let next = text.as_bytes().get(at + 1)?;
    let opens = next.is_ascii_alphabetic() || matches!(next, b'_' | b'\'' | b'"');
    (stands_alone && opens).then(|| (1, " ".to_owned()))
}
