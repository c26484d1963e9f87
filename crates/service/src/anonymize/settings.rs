//! Settings without what is private in them: numbers, switches and the engine's own words stay, addresses become their
//! class, and what is left out says so.

use serde_json::{Map, Value};

use super::Names;

/// Settings whose values are words of the server's alone, whatever they are.
const ENUMERATED: &[&str] = &[
    "binlog_format",
    "have_openssl",
    "have_ssl",
    "innodb_flush_method",
    "sql_mode",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "tls_version",
];

/// Settings whose values are names of somebody's, even where such a name looks like a word of the server's.
const NAMES: &[&str] = &[
    "application_name",
    "bonjour_name",
    "cluster_name",
    "default_tablespace",
    "hostname",
    "primary_slot_name",
    "report_host",
    "report_user",
    "search_path",
    "synchronous_standby_names",
    "temp_tablespaces",
];

/// Settings of which only matters whether they say anything.
const SAID: &[&str] = &["archive_command", "archive_library", "restore_command"];

/// Settings whose values are addresses that the server listens on.
const ADDRESSES: &[&str] = &["bind_address", "listen_addresses"];

impl Names {
    /// Settings of the server by name.
    pub(super) fn settings(&mut self, settings: &mut Map<String, Value>) {
        for (name, mut setting) in std::mem::take(settings) {
            if let Some(fields) = setting.as_object_mut() {
                self.setting(&name, fields);
            }
            settings.insert(self.setting_name(&name), setting);
        }
    }

    fn setting(&mut self, name: &str, fields: &mut Map<String, Value>) {
        for (field, value) in fields.iter_mut() {
            if !matches!(field.as_str(), "value" | "boot_value") {
                self.walk(field, value);
            }
        }
        if let Some(Value::String(text)) = fields.get("boot_value") {
            match self.value(name, text) {
                Some(kept) => fields.insert("boot_value".to_owned(), Value::from(kept)),
                None => fields.remove("boot_value"),
            };
        }
        if let Some(Value::String(text)) = fields.get("value") {
            let kept = self.value(name, text);
            // An empty value would be a value.
            if kept.is_none() {
                fields.insert("hidden".to_owned(), Value::from(true));
            }
            fields.insert("value".to_owned(), Value::from(kept.unwrap_or_default()));
        }
    }

    /// Counters of the server by name. What is neither a number nor a word of the server's is left out.
    pub(super) fn counters(&mut self, counters: &mut Map<String, Value>) {
        for (name, value) in std::mem::take(counters) {
            if let Some(kept) = value.as_str().and_then(|text| self.value(&name, text)) {
                counters.insert(self.setting_name(&name), Value::from(kept));
            }
        }
    }

    /// Options of an object, or settings of a routine or role: pairs of name and value.
    pub(super) fn pairs(&mut self, pairs: &mut [Value]) {
        for pair in pairs {
            let Some([Value::String(name), Value::String(value)]) =
                pair.as_array_mut().map(Vec::as_mut_slice)
            else {
                let field = "option";
                self.walk(field, pair);
                continue;
            };
            *value = match name.as_str() {
                "search_path" => self.path(value),
                name => self.value(name, value).unwrap_or_default(),
            };
            *name = if self.is_known(name) { name.clone() } else { self.pseudonym(name) };
        }
    }

    /// A list of schemas. `$user` and the schemas of the server keep their names, because they decide who looks where.
    fn path(&mut self, path: &str) -> String {
        let schemas = path.split(',').map(|schema| {
            let bare = schema.trim().trim_matches(['"', '\'']);
            match bare {
                "$user" => "\"$user\"".to_owned(),
                "" => "\"\"".to_owned(),
                "DEFAULT" => bare.to_owned(),
                name => self.name(name),
            }
        });
        schemas.collect::<Vec<_>>().join(", ")
    }

    /// Names with a dot belong to extensions or to the application.
    fn setting_name(&mut self, name: &str) -> String {
        let of_extension = name.split_once('.').is_some_and(|(extension, _)| self.is_known(extension));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'.' && of_extension);
        if name.bytes().all(plain) { name.to_owned() } else { self.pseudonym(name) }
    }

    /// The value of a setting without what is private in it; `None` when nothing can be told.
    fn value(&self, name: &str, text: &str) -> Option<String> {
        let number = text.trim_start_matches('-');
        let is_number = number.starts_with(|c: char| c.is_ascii_digit())
            && number.trim_end_matches(|c: char| c.is_ascii_alphabetic()).parse::<f64>().is_ok()
            && number.chars().filter(char::is_ascii_alphabetic).count() <= 3;
        let mut words = text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | '.' | ' ' | '-');
        let kept = match name {
            _ if text.is_empty() => true,
            name if ADDRESSES.contains(&name) => return Some(listening(text)),
            name if SAID.contains(&name) && text != "(disabled)" => return Some("(left out)".to_owned()),
            name if NAMES.contains(&name) => false,
            name if ENUMERATED.contains(&name) => text.chars().all(plain),
            _ => is_number || words.all(|word| self.is_known(word)),
        };
        kept.then(|| text.to_owned())
    }
}

/// What a server listens on: this machine, everything, or something else.
fn listening(addresses: &str) -> String {
    let classes = addresses.split(',').map(|address| match address.trim() {
        own @ ("" | "*" | "0.0.0.0" | "::" | "localhost" | "127.0.0.1" | "::1") => own,
        socket if socket.starts_with('/') => "/left-out",
        _ => "192.0.2.1",
    });
    classes.collect::<Vec<_>>().join(",")
}
