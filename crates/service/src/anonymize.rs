//! Facts without what is private in them: names become meaningless ones, literals, comments and bodies are left out.
//!
//! The facts are walked as plain data, and a word that is not known to be the engine's own is replaced, so that a field
//! added to the model later is private until somebody says otherwise. Equal names stay equal, in expressions and
//! statements too, so that rules that do not judge words judge the same.

mod vocabulary;

use std::collections::{BTreeMap, HashSet};

use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Engine;
use dbwright_model::facts::{FactSource, Facts};
use serde_json::{Map, Value};

/// Replaces everything private in facts.
pub fn anonymize(facts: &Facts) -> Result<Facts, serde_json::Error> {
    let mut value = serde_json::to_value(facts)?;
    let mut names = Names {
        ignore_case: facts.source.engine != Engine::Postgres,
        known: vocabulary::WORDS.split_ascii_whitespace().collect(),
        given: BTreeMap::new(),
        others: 0,
    };
    if let Some(catalog) = value.pointer("/catalog/known") {
        names.gather(catalog);
    }
    names.walk("", &mut value);
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
    /// Names and what stands for them.
    given: BTreeMap<String, String>,
    /// Names met outside of the catalog.
    others: usize,
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
                self.give(name.and_then(Value::as_str), || own.clone());
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
        let Some(name) = name.filter(|name| !name.is_empty() && !self.is_known(name)) else { return };
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

    /// What stands for a name.
    fn pseudonym(&mut self, name: &str) -> String {
        if name.is_empty() || self.is_known(name) {
            return name.to_owned();
        }
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
                _ => items.iter_mut().for_each(|item| self.walk(field, item)),
            },
            Value::Object(fields) => {
                if field == "values" {
                    self.rename_keys(fields);
                }
                for (name, value) in fields.iter_mut() {
                    // What is missing is told by its kind, why only in words of the server's.
                    self.walk(if field == "in_part" { "because" } else { name }, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Settings and counters are kept by name; those with a dot belong to extensions or to the application.
    fn rename_keys(&mut self, fields: &mut Map<String, Value>) {
        let old = std::mem::take(fields);
        for (name, value) in old {
            let own = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            fields.insert(if own { name } else { self.pseudonym(&name) }, value);
        }
    }

    fn text(&mut self, field: &str, text: &str) -> String {
        match field {
            "comment" | "body" | "version_text" => String::new(),
            "denied" | "unsupported" | "failed" | "because" => "the reason is left out".to_owned(),
            "kind" if serde_json::from_value::<TypeKind>(Value::from(text)).is_ok() => text.to_owned(),
            "method" if AUTHENTICATION.contains(&text) => text.to_owned(),
            "sources" => "a place that is left out".to_owned(),
            "address" => address_class(text).to_owned(),
            "value" | "boot_value" | "default_value" => self.setting(text),
            _ if text.parse::<jiff::Timestamp>().is_ok() => text.to_owned(),
            _ if self.given.contains_key(&self.key(text)) => self.pseudonym(text),
            _ => self.scrub(text),
        }
    }

    /// The value of a setting: numbers with their unit and the engine's own words.
    fn setting(&self, text: &str) -> String {
        let number = text.trim_start_matches('-');
        let is_number = number.starts_with(|c: char| c.is_ascii_digit())
            && number.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>().is_ok()
            && number.chars().filter(char::is_ascii_alphabetic).count() <= 3;
        let words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        if is_number || words.into_iter().all(|word| self.is_known(word)) {
            text.to_owned()
        } else {
            String::new()
        }
    }

    /// SQL, a type or a list of names, word by word: names replaced, string constants emptied, comments dropped, numbers
    /// other than 0 and 1 made 1 unless they are the length of a type.
    fn scrub(&mut self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let mut result = String::with_capacity(text.len());
        let mut at = 0;
        let mut previous = String::new();
        while let Some(c) = characters.get(at).copied() {
            let rest = &characters[at..];
            if c == '\'' {
                at += quoted_length(rest, '\'');
                result.push_str("''");
            } else if c == '"' || c == '`' {
                let length = quoted_length(rest, c);
                let inner: String = rest[1..length.max(2) - 1].iter().collect();
                let inner = inner.replace(&format!("{c}{c}"), &c.to_string());
                at += length;
                result.push(c);
                result.push_str(&self.pseudonym(&inner));
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
                result.push_str(if short || number == "0" { &number } else { "1" });
            } else if c.is_alphanumeric() || c == '_' {
                let length =
                    rest.iter().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).count();
                let word: String = rest[..length].iter().collect();
                at += length;
                previous = word.to_ascii_lowercase();
                // The prefix of a string constant belongs to it.
                let replaced = if word.len() == 1 && characters.get(at) == Some(&'\'') {
                    word
                } else {
                    self.pseudonym(&word)
                };
                result.push_str(&replaced);
            } else if c == '$' && dollar_length(rest).is_some() {
                at += dollar_length(rest).unwrap_or(1);
                result.push_str("''");
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
    match address.parse::<std::net::IpAddr>() {
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
