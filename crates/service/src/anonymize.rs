//! Facts without what is private in them: names become meaningless ones, literals, comments and bodies are left out.
//!
//! The facts are walked as plain data, and a word that is not known to be the engine's own is replaced, so that a field
//! added to the model later is private until somebody says otherwise. Equal names stay equal, in expressions and
//! statements too, so that rules that do not judge words judge the same.

mod settings;
mod vocabulary;

use std::collections::{BTreeMap, HashSet};

use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{FactSource, Facts};
use dbwright_rules::lexicon::reserved::is_reserved;
use dbwright_rules::search_path;
use serde_json::Value;

/// Replaces everything private in facts.
pub fn anonymize(facts: &Facts) -> Result<Facts, serde_json::Error> {
    let mut value = serde_json::to_value(facts)?;
    let mut names = Names {
        ignore_case: facts.source.engine != Engine::Postgres,
        known: vocabulary::WORDS.split_ascii_whitespace().collect(),
        engine: facts.source.engine,
        given: BTreeMap::new(),
        others: 0,
        constants: BTreeMap::new(),
        numbers: BTreeMap::new(),
    };
    if let Some(catalog) = value.pointer("/catalog/known") {
        names.gather(catalog);
    }
    // Files are no part of a snapshot.
    value["migrations"] = Value::from("not_asked");
    let mut told = Vec::new();
    for place in ["/settings/known/values", "/server_status/known/values"] {
        if let Some(Value::Object(mut values)) = value.pointer_mut(place).map(Value::take) {
            match place {
                "/settings/known/values" => names.settings(&mut values),
                _ => names.counters(&mut values),
            }
            told.push((place, values));
        }
    }
    names.walk("", &mut value);
    for (place, values) in told {
        if let Some(field) = value.pointer_mut(place) {
            *field = Value::Object(values);
        }
    }
    if let Some(source) = value.get_mut("source") {
        source["target"] = Value::from(FactSource::ANONYMISED);
        source["version_text"] = Value::from("");
    }
    serde_json::from_value(value)
}

struct Names {
    /// Whether names that differ in case only are one name.
    ignore_case: bool,
    /// Words that tell nothing about anybody: keywords, types, functions, settings, names everybody uses.
    known: HashSet<&'static str>,
    /// Whose syntax expressions are in.
    engine: Engine,
    /// Names and what stands for them.
    given: BTreeMap<String, String>,
    /// Names met outside of the catalog.
    others: usize,
    /// String constants and numbers, and which of their kind they are: what differs stays different.
    constants: BTreeMap<String, usize>,
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// Gives the objects of a catalog names that tell their kind.
    fn gather(&mut self, catalog: &Value) {
        for (field, letter) in [
            ("schemas", "s"),
            ("tables", "t"),
            ("views", "v"),
            ("sequences", "q"),
            ("types", "y"),
            ("functions", "f"),
            ("triggers", "g"),
            ("policies", "p"),
        ] {
            let section = catalog.get(field).map(|section| section.get("known").unwrap_or(section));
            for (i, object) in section.and_then(Value::as_array).into_iter().flatten().enumerate() {
                let own = format!("{letter}{}", i + 1);
                let name = object.get("name").map(|name| name.get("name").unwrap_or(name));
                let name = name.and_then(Value::as_str).filter(|name| {
                    let of_extension = object.get("extension").is_some_and(Value::is_string);
                    // What an extension brings is called alike everywhere.
                    !(of_extension && self.is_known(name))
                });
                self.give(name, || own.clone());
                self.gather_parts(object, &own);
            }
        }
    }

    fn gather_parts(&mut self, object: &Value, own: &str) {
        for (field, letter) in [
            ("columns", "c"),
            ("indexes", "i"),
            ("uniques", "u"),
            ("checks", "k"),
            ("foreign_keys", "fk"),
            ("exclusions", "e"),
        ] {
            for (i, part) in object.get(field).and_then(Value::as_array).into_iter().flatten().enumerate() {
                let name = part.get("name").and_then(Value::as_str);
                self.give(name, || format!("{own}_{letter}{}", i + 1));
            }
        }
    }

    fn give(&mut self, name: Option<&str>, pseudonym: impl FnOnce() -> String) {
        let Some(name) = name.filter(|name| !name.is_empty() && !vocabulary::is_servers(name)) else {
            return;
        };
        let key = self.key(name);
        self.given.entry(key).or_insert_with(pseudonym);
    }

    fn key(&self, name: &str) -> String {
        if self.ignore_case { name.to_lowercase() } else { name.to_owned() }
    }

    fn is_known(&self, word: &str) -> bool {
        let word = word.to_ascii_lowercase();
        // In PostgreSQL such a word is somebody's own.
        self.known.contains(word.as_str()) || (self.ignore_case && vocabulary::is_collation(&word))
    }

    /// What stands for the name of an object, whatever it looks like: only the server's own are kept, and those of
    /// migration tools.
    fn name(&mut self, name: &str) -> String {
        if name.is_empty() || vocabulary::is_servers(name) {
            return name.to_owned();
        }
        match name.split_once('(') {
            // A routine with its arguments.
            Some((routine, arguments)) if !self.ignore_case && name.ends_with(')') => {
                format!("{}({}", self.name(routine), self.scrub(arguments, true))
            }
            _ if self.given.contains_key(&self.key(name)) => self.replacement(name),
            _ => match name.rsplit_once('@').filter(|_| self.ignore_case) {
                Some((user, host)) => self.account(user, host),
                None => self.replacement(name),
            },
        }
    }

    /// An account of MySQL. From where it may log in is told by whether that is one place, some, or all.
    fn account(&mut self, user: &str, host: &str) -> String {
        let of_server = user.starts_with("mysql.") || user.starts_with("mariadb.");
        let user = if of_server { user.to_owned() } else { self.name(user) };
        let host = match host {
            "%" | "" | "0.0.0.0/0.0.0.0" | "::/0" | "localhost" | "127.0.0.1" | "::1" => host.to_owned(),
            host if host.contains('%') => format!("{}.%", self.replacement(host)),
            host => self.replacement(host),
        };
        format!("{user}@{host}")
    }

    /// What stands for a word that is not known.
    fn pseudonym(&mut self, name: &str) -> String {
        if name.is_empty() || self.is_known(name) {
            return name.to_owned();
        }
        self.replacement(name)
    }

    fn replacement(&mut self, name: &str) -> String {
        let key = self.key(name);
        if let Some(given) = self.given.get(&key) {
            return given.clone();
        }
        self.others += 1;
        let pseudonym = format!("x{}", self.others);
        self.given.insert(key, pseudonym.clone());
        pseudonym
    }

    fn walk(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(field, text),
            Value::Array(items) => match field {
                // Examples are rows; of common values only how many there are is told.
                "examples" => items.clear(),
                // That there are any is the fact; what they say may name objects.
                "complaints" => {
                    items.iter_mut().for_each(|item| *item = Value::from("the words are left out"))
                }
                "common_values" => items.iter_mut().for_each(|item| *item = Value::from("")),
                "options" | "settings" => self.pairs(items),
                _ => items.iter_mut().for_each(|item| self.walk(field, item)),
            },
            Value::Object(fields) => {
                let of_server =
                    fields.get("schema").and_then(Value::as_str).is_some_and(vocabulary::is_catalog);
                let is_extension = field == "extensions";
                let is_type = fields.get("kind").is_some_and(Value::is_string)
                    && fields.get("user_type").is_none_or(Value::is_null);
                for (name, value) in fields.iter_mut() {
                    let field = match name.as_str() {
                        "known" => field,
                        // What is connected calls itself so.
                        "name" if field == "senders" => "application",
                        // What is missing is told by its kind, why only in words of the server's.
                        _ if field == "in_part" => "because",
                        // The name of a table of the catalog's, or of an extension, is nobody's own.
                        "name" if of_server || is_extension => "word",
                        "text" if is_type => "word",
                        name => name,
                    };
                    self.walk(field, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, field: &str, text: &str) -> String {
        match field {
            "comment" | "version_text" => String::new(),
            // Whether there is one, and whether its names were settled when it was made, is kept.
            "body" if search_path::is_bound_at_creation(text) => String::new(),
            "body" => "/* left out */".to_owned(),
            "denied" | "unsupported" | "failed" | "because" => "the reason is left out".to_owned(),
            "kind" if serde_json::from_value::<TypeKind>(Value::from(text)).is_ok() => text.to_owned(),
            "method" if AUTHENTICATION.contains(&text) => text.to_owned(),
            "sources" => "a place that is left out".to_owned(),
            "address" => address_class(text).to_owned(),
            "netmask" if text.parse::<std::net::IpAddr>().is_ok() => text.to_owned(),
            "databases" if text == "replication" => text.to_owned(),
            "application" => match vocabulary::program(text) {
                Some(program) => program.to_owned(),
                None => self.name(text),
            },
            // A fact of the same name that nobody asked for.
            "roles" | "databases" if text == "not_asked" => text.to_owned(),
            _ if NAMES.contains(&field) => self.name(text),
            _ if text.parse::<jiff::Timestamp>().is_ok() => text.to_owned(),
            _ if STATEMENTS.contains(&field) => self.scrub(text, true),
            _ if self.is_known(text) => text.to_owned(),
            _ if self.given.contains_key(&self.key(text)) => self.replacement(text),
            _ => self.scrub(text, false),
        }
    }

    /// What stands for a string constant, with its quotes.
    fn constant(&mut self, inner: &str) -> String {
        if inner.is_empty() {
            return "''".to_owned();
        }
        let next = self.constants.len() + 1;
        format!("'l{}'", self.constants.entry(inner.to_owned()).or_insert(next))
    }

    /// What stands for a number other than 0 and 1.
    fn number(&mut self, number: String) -> String {
        let next = self.numbers.len() + 2;
        self.numbers.entry(number).or_insert(next).to_string()
    }

    /// SQL, a type or a list of names, word by word: names replaced, constants numbered, comments dropped, numbers
    /// other than 0 and 1 made others unless they are the length of a type. In a statement, a word that could be a keyword and
    /// is the name of an object is what the words beside it make of it.
    fn scrub(&mut self, text: &str, statement: bool) -> String {
        let characters: Vec<char> = text.chars().collect();
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        let mut previous = String::new();
        while let Some(c) = characters.get(at).copied() {
            let rest = &characters[at..];
            if c == '\'' {
                let length = quoted_length(rest, '\'');
                let inner: String = rest[1..length.max(2) - 1].iter().collect();
                at += length;
                let argument = result.trim_end().ends_with('(') && previous == "nextval";
                match argument {
                    // It names a sequence.
                    true => result.push_str(&format!("'{}'", self.scrub(&inner, true))),
                    false => result.push_str(&self.constant(&inner)),
                }
            } else if c == '"' || c == '`' {
                let length = quoted_length(rest, c);
                let inner: String = rest[1..length.max(2) - 1].iter().collect();
                let inner = inner.replace(&format!("{c}{c}"), &c.to_string());
                at += length;
                result.push(c);
                // A quoted word is a name, whatever it looks like.
                let replaced = if statement { self.name(&inner) } else { self.pseudonym(&inner) };
                result.push_str(&replaced);
                result.push(c);
            } else if rest.starts_with(&['-', '-']) || (c == '#' && self.ignore_case) {
                at += rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
            } else if rest.starts_with(&['/', '*']) {
                let end = rest.windows(2).position(|pair| pair == ['*', '/']);
                at += end.map_or(rest.len(), |end| end + 2);
            } else if c.is_ascii_digit() {
                let length = rest.iter().take_while(|c| c.is_alphanumeric() || **c == '.').count();
                let number: String = rest[..length].iter().collect();
                at += length;
                let plain = number.chars().all(|c| c.is_ascii_digit());
                let short = plain && number.len() <= 5 && vocabulary::SIZED.contains(&previous.as_str());
                match short || number == "0" || number == "1" {
                    true => result.push_str(&number),
                    false => result.push_str(&self.number(number)),
                }
            } else if c.is_alphanumeric() || c == '_' {
                let length =
                    rest.iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).count();
                let word: String = rest[..length].iter().collect();
                let before = &characters[..at];
                at += length;
                // The prefix of a string constant belongs to it.
                let replaced = if word.len() == 1 && characters.get(at) == Some(&'\'') {
                    word.clone()
                } else if statement && self.is_name_here(&word, &previous, before, &characters[at..]) {
                    self.name(&word)
                } else {
                    self.pseudonym(&word)
                };
                previous = word.to_ascii_lowercase();
                result.push_str(&replaced);
            } else if c == '$' && dollar_length(rest).is_some() {
                let length = dollar_length(rest).unwrap_or(1);
                let inner: String = rest[..length].iter().collect();
                at += length;
                result.push_str(&self.constant(&inner));
            } else {
                at += 1;
                if c.is_ascii() {
                    result.push(c);
                }
            }
        }
        result
    }
}

/// Fields that hold names of objects, of people and of programs, and nothing else.
const NAMES: &[&str] = &[
    "alias",
    "application",
    "clustered_on",
    "column",
    "columns",
    "composite",
    "database",
    "databases",
    "definer",
    "dependent",
    "determinant",
    "enum",
    "grantee",
    "include",
    "index",
    "name",
    "on_delete_columns",
    "owned_by",
    "owner",
    "parent_column",
    "partition_of",
    "referenced_columns",
    "role",
    "roles",
    "schema",
    "schemas",
    "server",
    "tablespace",
    "user",
    "users",
    "values",
];

/// Fields that hold SQL, or a part of it.
const STATEMENTS: &[&str] =
    &["arguments", "bound", "definition", "key", "query", "returns", "statement", "text"];

/// The length of a quoted text with its quotes; doubled quotes and backslashed ones are inside.
fn quoted_length(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while let Some(c) = text.get(at) {
        at += 1;
        if *c == '\\' && quote == '\'' {
            at += 1;
        } else if *c == quote {
            if text.get(at) != Some(&quote) {
                return at;
            }
            at += 1;
        }
    }
    text.len()
}

impl Names {
    /// Whether a word of a statement that could be a keyword is a name there.
    fn is_name_here(&self, word: &str, previous: &str, before: &[char], after: &[char]) -> bool {
        if !self.is_known(word) {
            return false;
        }
        let lower = word.to_ascii_lowercase();
        let ahead: String = after.iter().skip_while(|c| c.is_whitespace()).take(12).collect();
        let behind = before.iter().rfind(|c| !c.is_whitespace()).copied();
        let is_call = ahead.starts_with('(');
        if behind == Some('.') || ahead.starts_with('.') {
            return !is_call && !vocabulary::is_catalog(&lower);
        }
        if matches!(previous, "into" | "references" | "join") && behind.is_some_and(char::is_alphabetic) {
            return !matches!(lower.as_str(), "lateral" | "only" | "select");
        }
        if !self.given.contains_key(&self.key(word)) || is_call || ahead.starts_with('\'') {
            return false;
        }
        // After `::` stands a type.
        if behind == Some(':') || is_reserved(self.engine, &lower) {
            return false;
        }
        let next: String = ahead.to_ascii_lowercase();
        let next = next.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        let keyword = match lower.as_str() {
            "first" | "last" => previous == "nulls",
            "nulls" => matches!(next, "first" | "last"),
            "time" => previous == "at" || next == "zone" || matches!(next, "with" | "without"),
            "timestamp" => matches!(next, "with" | "without"),
            "zone" => previous == "time",
            "varying" => previous == "character" || previous == "bit",
            "double" => next == "precision",
            "precision" => previous == "double",
            "year" | "month" | "day" | "hour" | "minute" | "second" => {
                next == "from" || previous == "interval"
            }
            "partition" | "group" | "order" => next == "by",
            "rows" | "range" => next == "between" || next == "unbounded",
            "value" => next == "is" || previous == "check",
            _ => previous == "as" && ahead.starts_with(')'),
        };
        !keyword
    }
}

/// The length of a dollar-quoted text, when one begins here.
fn dollar_length(text: &[char]) -> Option<usize> {
    let tag = text[1..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count() + 2;
    if text.get(tag - 1) != Some(&'$') || text[1].is_ascii_digit() {
        return None;
    }
    let end = text[tag..].windows(tag).position(|window| window == &text[..tag]);
    Some(end.map_or(text.len(), |end| tag + end + tag))
}

/// How `pg_hba.conf` lets clients prove who they are.
const AUTHENTICATION: &[&str] = &[
    "trust",
    "reject",
    "scram-sha-256",
    "md5",
    "password",
    "gss",
    "sspi",
    "ident",
    "peer",
    "pam",
    "ldap",
    "radius",
    "cert",
    "bsd",
    "oauth",
];

/// Whom an address of `pg_hba.conf` lets in, without saying where they sit.
fn address_class(text: &str) -> &'static str {
    let (address, mask) = text.split_once('/').unwrap_or((text, ""));
    match text {
        "all" => return "all",
        "samehost" => return "samehost",
        "samenet" => return "samenet",
        _ => {}
    }
    let alone = mask.is_empty();
    match address.parse::<std::net::IpAddr>() {
        // The mask stands in a field of its own.
        Ok(std::net::IpAddr::V4(address)) if alone => match address {
            _ if address.is_unspecified() => "0.0.0.0",
            _ if address.is_loopback() => "127.0.0.1",
            _ if address.is_private() => "10.0.0.0",
            _ => "192.0.2.0",
        },
        Ok(std::net::IpAddr::V6(address)) if alone => match address {
            _ if address.is_unspecified() => "::",
            _ if address.is_loopback() => "::1",
            _ if address.is_unique_local() => "fd00::",
            _ => "2001:db8::",
        },
        Ok(_) if mask == "0" => "0.0.0.0/0",
        Ok(std::net::IpAddr::V6(address)) if address.is_loopback() => "::1/128",
        Ok(address) if address.is_loopback() => "127.0.0.1/32",
        Ok(std::net::IpAddr::V4(address)) if address.is_private() => "10.0.0.0/8",
        Ok(std::net::IpAddr::V6(address)) if address.is_unique_local() => "10.0.0.0/8",
        Ok(_) => "192.0.2.0/24",
        Err(_) => "host.invalid",
    }
}

#[cfg(test)]
mod tests;
