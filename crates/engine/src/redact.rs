//! Texts that may hold a password, made fit to be shown.

use dbwright_model::engine::Dialect;

/// What the name of a parameter holds whose value is a secret, without `_` and `-`.
const SECRET: &[&str] =
    &["pass", "pwd", "pw", "secret", "token", "apikey", "accesskey", "privatekey", "credential", "kennwort"];

/// A text that may be a target, with everything that could be its password replaced by `***`, for messages about
/// targets that were not understood.
pub fn redacted(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let mut shown = text.to_owned();
    if let Some(end) = text.rfind('@').filter(|end| *end > start)
        && let Some(colon) = text[start..end].find(':')
    {
        shown.replace_range(start + colon + 1..end, "***");
    }
    let mut from = 0;
    while let Some(equals) = shown[from..].find('=').map(|at| from + at) {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let name = shown[..equals].trim_end().rsplit(|c: char| !is_part(c)).next().unwrap_or_default();
        let name = name.to_ascii_lowercase().replace(['_', '-'], "");
        from = equals + 1;
        if !SECRET.iter().any(|sign| name.contains(sign)) {
            continue;
        }
        let rest = &shown[from..];
        // A value ends where the next parameter begins; without quotes it should hold no space, but may.
        let next = rest.char_indices().find(|(at, c)| {
            let is_parameter = || rest[at + c.len_utf8()..].split(char::is_whitespace).next();
            (*c == '&' && start > 0) || (c.is_whitespace() && is_parameter().is_some_and(|w| w.contains('=')))
        });
        let length = next.map_or(rest.len(), |(at, _)| at);
        shown.replace_range(from..from + length, "***");
        from += 3;
    }
    shown
}

/// What stands where a password stood.
const MASK: &str = "***";

/// What the name of an option, column or variable holds whose value is a secret, without `_`, `-` and `.`.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
];

/// A statement as a server tells it, without what is a password by its place: behind `PASSWORD`, `IDENTIFIED BY` and their like,
/// in `SET PASSWORD`, in options with such names, in connection strings and in URLs. Bodies of `DO` and quoted statements are
/// looked through as well. Everything else stays as it is.
pub fn statement(dialect: Dialect, text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let signs = [
        "pass",
        "pw",
        "kennwort",
        "secret",
        "token",
        "api",
        "access",
        "private",
        "credential",
        "identified",
        "://",
    ];
    if !signs.iter().any(|sign| lower.contains(sign)) {
        return text.to_owned();
    }
    let mut reader = Reader { dialect, text, ..Reader::default() };
    while reader.step() {}
    reader.shown
}

/// Reads a statement from left to right and writes what may be shown.
struct Reader<'a> {
    dialect: Dialect,
    text: &'a str,
    at: usize,
    shown: String,
    /// Words in lower case and signs of the statement so far, with the place where each ends.
    tokens: Vec<(String, usize)>,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Reader { dialect: Dialect::Postgres, text: "", at: 0, shown: String::new(), tokens: Vec::new() }
    }
}

impl Reader<'_> {
    /// Takes one token; false at the end.
    fn step(&mut self) -> bool {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else { return false };
        let mysql = self.dialect == Dialect::Mysql;
        if let Some(length) = comment(rest, mysql) {
            self.take(length);
        } else if c == '\'' || (c == '"' && mysql) {
            self.literal(c);
        } else if c == '"' || c == '`' {
            let end = closing(&rest[1..], c, false).map_or(rest.len(), |at| at + 2);
            let name = rest[1..end].trim_end_matches(c).to_ascii_lowercase();
            self.take(end);
            self.tokens.push((name, self.at));
        } else if let Some(tag) = dollar_tag(rest).filter(|_| !mysql) {
            self.dollar_quoted(tag.len());
        } else if is_word(c) {
            let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let word = rest[..end].to_ascii_lowercase();
            self.take(end);
            self.tokens.push((word, self.at));
        } else {
            self.take(c.len_utf8());
            match c {
                ';' => self.tokens.clear(),
                c if c.is_whitespace() => {}
                c => self.tokens.push((c.to_string(), self.at)),
            }
        }
        true
    }

    fn take(&mut self, length: usize) {
        self.shown.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn literal(&mut self, quote: char) {
        let prefix = self.prefix();
        let tokens = &self.tokens[..self.tokens.len() - prefix];
        let secret = is_secret(tokens);
        let backslash = self.dialect == Dialect::Mysql
            || self.tokens[tokens.len()..].first().is_some_and(|(prefix, _)| prefix == "e");
        let rest = &self.text[self.at + 1..];
        let end = closing(rest, quote, backslash);
        let content = &rest[..end.unwrap_or(rest.len())];
        let shown = if secret { MASK.to_owned() } else { within(self.dialect, content, quote) };
        self.shown.push(quote);
        self.shown.push_str(&shown);
        self.at += 1 + content.len();
        if end.is_some() {
            self.shown.push(quote);
            self.at += 1;
        }
        // A name in double quotes, where the server is told to take it as one, still says what follows it.
        let told = if quote == '"' { content.to_ascii_lowercase() } else { "'".to_owned() };
        self.tokens.push((told, self.at));
    }

    /// How many tokens right before the next literal belong to it, as in `E'...'` and `U&'...'`.
    fn prefix(&self) -> usize {
        let touching = |(_, end): &(String, usize), before: usize| *end == before;
        match self.tokens.as_slice() {
            [.., u, and]
                if u.0 == "u" && and.0 == "&" && touching(and, self.at) && touching(u, and.1 - 1) =>
            {
                2
            }
            [.., last]
                if touching(last, self.at)
                    && (matches!(last.0.as_str(), "e" | "n" | "b" | "x") || last.0.starts_with("_utf8")) =>
            {
                1
            }
            _ => 0,
        }
    }

    fn dollar_quoted(&mut self, tag: usize) {
        let rest = &self.text[self.at..];
        let (opening, body) = rest.split_at(tag);
        let end = body.find(opening);
        let content = &body[..end.unwrap_or(body.len())];
        let shown = match is_secret(&self.tokens) {
            true => MASK.to_owned(),
            false => statement(self.dialect, &connection(content)),
        };
        self.shown.push_str(opening);
        self.shown.push_str(&shown);
        self.at += tag + content.len();
        if end.is_some() {
            self.shown.push_str(opening);
            self.at += tag;
        }
        self.tokens.push(("'".to_owned(), self.at));
    }
}

/// Whether a literal behind these tokens of a statement is a password.
fn is_secret(tokens: &[(String, usize)]) -> bool {
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|(token, _)| token == word);
    if is(0, "set") && is(1, "password") && tokens.iter().any(|(token, _)| token == "=") {
        return true;
    }
    let joins = |token: &str| matches!(token, "(" | "=" | ":" | ">" | "to");
    let Some((word, _)) = tokens.iter().rev().find(|(token, _)| !joins(token)) else { return false };
    names_secret(word)
        || (matches!(word.as_str(), "by" | "as" | "using" | "replace")
            && tokens.iter().any(|(token, _)| token == "identified"))
}

fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-', '.'], "");
    matches!(name.as_str(), "pass" | "pw") || SECRET_NAMES.iter().any(|sign| name.contains(sign))
}

/// The inside of a literal without passwords: a connection string, a URL, or a statement.
fn within(dialect: Dialect, content: &str, quote: char) -> String {
    let shown = connection(content);
    let doubled = quote.to_string().repeat(2);
    let single = quote.to_string();
    if !shown.contains(&doubled) {
        return shown;
    }
    let inner = shown.replace(&doubled, &single);
    let hidden = statement(dialect, &inner);
    if hidden == inner { shown } else { hidden.replace(&single, &doubled) }
}

/// A text without the passwords of the URLs and of the `name=value` pairs in it.
fn connection(text: &str) -> String {
    let mut shown = text.to_owned();
    let mut from = 0;
    while let Some(start) = shown[from..].find("://").map(|at| from + at + 3) {
        let rest = &shown[start..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '\'' || c == '"').unwrap_or(rest.len());
        let login = rest[..end].rfind('@').and_then(|at| Some((rest[..at].find(':')?, at)));
        from = start;
        if let Some((colon, at)) = login {
            shown.replace_range(start + colon + 1..start + at, MASK);
        }
    }
    let mut from = 0;
    while let Some(equals) = shown[from..].find('=').map(|at| from + at) {
        from = equals + 1;
        let before = shown[..equals].trim_end();
        let name = before.rsplit(|c: char| !(is_word(c) || c == '-')).next().unwrap_or_default();
        if !names_secret(name) {
            continue;
        }
        let rest = &shown[from..];
        let start = rest.len() - rest.trim_start().len();
        let value = &rest[start..];
        let quotes = ["\\'", "''", "'"].into_iter().find(|quotes| value.starts_with(quotes));
        let length = match quotes {
            Some(quotes) => {
                let inner = &value[quotes.len()..];
                inner.find(quotes).map_or(value.len(), |at| at + 2 * quotes.len())
            }
            None => {
                let mut escaped = false;
                let end = value.find(|c: char| {
                    let ends = !escaped && (c.is_whitespace() || matches!(c, '&' | '\'' | '"'));
                    escaped = !escaped && c == '\\';
                    ends
                });
                end.unwrap_or(value.len())
            }
        };
        if length > 0 {
            shown.replace_range(from + start..from + start + length, MASK);
            from += start + MASK.len();
        }
    }
    shown
}

/// How long the comment is that a text begins with. Comments that MySQL executes are code, and none.
fn comment(text: &str, mysql: bool) -> Option<usize> {
    let to_end_of_line = || Some(text.find('\n').unwrap_or(text.len()));
    if let Some(inner) = text.strip_prefix("--") {
        let is_comment = !mysql || inner.chars().next().is_none_or(char::is_whitespace);
        return if is_comment { to_end_of_line() } else { None };
    }
    if mysql && text.starts_with('#') {
        return to_end_of_line();
    }
    let inner = text.strip_prefix("/*")?;
    if mysql && (inner.starts_with('!') || inner.starts_with("M!")) {
        return None;
    }
    let mut depth = 1;
    let mut at = 2;
    while depth > 0 {
        let rest = &text[at..];
        let close = rest.find("*/");
        let open = rest.find("/*").filter(|open| !mysql && close.is_some_and(|close| *open < close));
        match (open, close) {
            (Some(open), _) => {
                depth += 1;
                at += open + 2;
            }
            (None, Some(close)) => {
                depth -= 1;
                at += close + 2;
            }
            (None, None) => return Some(text.len()),
        }
    }
    Some(at)
}

/// Where a literal ends whose opening quote was taken: the place of its closing one.
fn closing(text: &str, quote: char, backslash: bool) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if backslash && c == '\\' {
            chars.next();
        } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return Some(at);
        }
    }
    None
}

/// `$$` or `$tag$` at the beginning of a text.
fn dollar_tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let end = inner.find('$')?;
    let tag = &inner[..end];
    let is_tag = tag.chars().all(is_word) && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_tag.then(|| &text[..end + 2])
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_target_is_shown_without_what_may_be_its_password() {
        let check = |text: &str, expected: &str| assert_eq!(redacted(text), expected);
        check("folder/a.sql", "folder/a.sql");
        check("u:marked@h/d", "u:***@h/d");
        check("u@h/d", "u@h/d");
        check("postgre://u:mar@ked:x@h/d", "postgre://u:***@h/d");
        check("user=u Password=marked host=h", "user=u Password=*** host=h");
        check("password='mar ked' user=u", "password=*** user=u");
        check("user=u password=mar ked", "user=u password=***");
        check("user=u passwort = marked", "user=u passwort =***");
        check("password=mar&ked user=u", "password=*** user=u");
        check("sslpassword=marked user=u", "sslpassword=*** user=u");
        check("PGPASSWORD=marked user=u", "PGPASSWORD=*** user=u");
        check("MYSQL_PWD=marked user=u", "MYSQL_PWD=*** user=u");
        check("client_secret=marked user=u", "client_secret=*** user=u");
        check("pg://h?token=marked&a=b", "pg://h?token=***&a=b");
        check("pg://h?access-token=marked&a=b", "pg://h?access-token=***&a=b");
        check("pg://h?api_key=marked&apikey=marked", "pg://h?api_key=***&apikey=***");
        check("pg://h?sslkey=file&user=u", "pg://h?sslkey=file&user=u");
        check("pg://h?pwd=marked&password=marked", "pg://h?pwd=***&password=***");
    }

    #[test]
    fn statements_are_shown_without_the_passwords_in_them() {
        let check = |text: &str, expected: &str| assert_eq!(statement(Dialect::Postgres, text), expected);
        check("alter role app password 'marked'", "alter role app password '***'");
        check(
            "CREATE USER app WITH ENCRYPTED PASSWORD E'mar\\'ked' VALID UNTIL '2030-01-01'",
            "CREATE USER app WITH ENCRYPTED PASSWORD E'***' VALID UNTIL '2030-01-01'",
        );
        check("alter role app password'mar''ked' login", "alter role app password'***' login");
        check("alter role app password $x$marked$x$ login", "alter role app password $x$***$x$ login");
        check("alter role app password U&'marked'", "alter role app password U&'***'");
        check("alter role app password null", "alter role app password null");
        check("alter role app password 'mark", "alter role app password '***");
        check(
            "create user mapping for public server far options (user 'u', password 'marked')",
            "create user mapping for public server far options (user 'u', password '***')",
        );
        check(
            "alter user mapping for u server far options (set password 'marked', add sslpassword 'marked')",
            "alter user mapping for u server far options (set password '***', add sslpassword '***')",
        );
        check(
            "create subscription s connection 'host=h password=marked user=u' publication p",
            "create subscription s connection 'host=h password=*** user=u' publication p",
        );
        check(
            "alter subscription s connection 'postgres://u:marked@h/d?x=1'",
            "alter subscription s connection 'postgres://u:***@h/d?x=1'",
        );
        check(
            "select * from dblink('host=h password=''mar ked'' user=u', 'select 1')",
            "select * from dblink('host=h password=*** user=u', 'select 1')",
        );
        check(
            "select dblink_connect('dbname=d password = marked')",
            "select dblink_connect('dbname=d password = ***')",
        );
        check(
            "select dblink_connect(format('host=%s password=%s', $1, $2))",
            "select dblink_connect(format('host=%s password=***', $1, $2))",
        );
        check(
            "do $$ begin alter role app password 'marked'; end $$",
            "do $$ begin alter role app password '***'; end $$",
        );
        check(
            "do $$ begin execute 'alter role app password ''marked'''; end $$",
            "do $$ begin execute 'alter role app password ''***'''; end $$",
        );
        check(
            "alter system set primary_conninfo = 'host=h password=marked'",
            "alter system set primary_conninfo = 'host=h password=***'",
        );
        check(
            "/* don't */ alter role app password 'marked' -- it's",
            "/* don't */ alter role app password '***' -- it's",
        );
        check("/* a /* ' */ ' */ set app.token to 'marked'", "/* a /* ' */ ' */ set app.token to '***'");
        check(
            "select 1; alter role app password 'marked'; select 'a'",
            "select 1; alter role app password '***'; select 'a'",
        );
        check(
            "select \"password\", 'kept' from t where \"it's\" = 'kept' and id = $1",
            "select \"password\", 'kept' from t where \"it's\" = 'kept' and id = $1",
        );
        check(
            "select 'C:\\', password from t where a = 'kept'",
            "select 'C:\\', password from t where a = 'kept'",
        );
        check("comment on column t.password is 'kept'", "comment on column t.password is 'kept'");
        check("select 'ä://ö:ü', token from t", "select 'ä://ö:ü', token from t");
    }

    #[test]
    fn statements_of_mysql_are_shown_without_the_passwords_in_them() {
        let check = |text: &str, expected: &str| assert_eq!(statement(Dialect::Mysql, text), expected);
        check("CREATE USER 'u'@'h' IDENTIFIED BY 'mar\\'ked'", "CREATE USER 'u'@'h' IDENTIFIED BY '***'");
        check(
            "create user u identified by \"marked\", 'v'@'%' identified by password 'marked' require ssl",
            "create user u identified by \"***\", 'v'@'%' identified by password '***' require ssl",
        );
        check(
            "alter user u identified with 'ed25519' as 'marked' replace 'marked' comment 'kept'",
            "alter user u identified with 'ed25519' as '***' replace '***' comment 'kept'",
        );
        check(
            "alter user u identified via ed25519 using password('marked')",
            "alter user u identified via ed25519 using password('***')",
        );
        check(
            "grant all on *.* to u@`h` identified by 'marked'",
            "grant all on *.* to u@`h` identified by '***'",
        );
        check("set password = 'marked'", "set password = '***'");
        check("SET PASSWORD FOR 'u'@'h' = PASSWORD('marked')", "SET PASSWORD FOR 'u'@'h' = PASSWORD('***')");
        check("set password for u@h = 'marked'", "set password for u@h = '***'");
        check(
            "change master to master_host='h', master_password='marked'",
            "change master to master_host='h', master_password='***'",
        );
        check(
            "create server s foreign data wrapper mysql options (user 'u', password 'marked')",
            "create server s foreign data wrapper mysql options (user 'u', password '***')",
        );
        check(
            "/*!50706 alter user u identified by 'marked' */ # it's",
            "/*!50706 alter user u identified by '***' */ # it's",
        );
        check("alter user u identified by 'mark", "alter user u identified by '***");
        check(
            "select a from t where b = 'kept' -- password 'kept'",
            "select a from t where b = 'kept' -- password 'kept'",
        );
        check("CREATE SYSTEM_USER ? IDENTIFIED BY ?", "CREATE SYSTEM_USER ? IDENTIFIED BY ?");
    }
}
