//! Two catalogs walked side by side as trees of properties, so that a property added to the model is compared from then on.

use std::collections::BTreeSet;

use dbwright_model::catalog::Catalog;
use dbwright_model::comparison::Difference;
use serde_json::{Map, Value};

use super::normal::SPELLED;

/// Where two normalised catalogs differ; objects that are in doubt are passed over.
pub(super) fn differences(
    expected: &Catalog,
    found: &Catalog,
    doubtful: &BTreeSet<String>,
) -> Vec<Difference> {
    let value = |catalog: &Catalog| serde_json::to_value(catalog).expect("a catalog is plain data");
    let (expected, found) = (value(expected), value(found));
    let nothing = Value::Null;
    let mut all = Vec::new();
    for (section, kind) in SECTIONS {
        let list = |catalog: &Value| match catalog.get(section).unwrap_or(&nothing) {
            Value::Array(items) => items.clone(),
            // Sections that are fetched by themselves say first that they are known.
            Value::Object(known) => known.get("known").and_then(Value::as_array).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        let (expected, found) = (list(&expected), list(&found));
        for (key, one, other) in matched(&expected, &found) {
            let item = one.or(other).unwrap_or(&nothing);
            if of_doubt(item, doubtful) {
                continue;
            }
            let object = format!("{kind} `{key}`");
            match (one, other) {
                (Some(one), Some(other)) => walk(&object, "", one, other, &mut all),
                (one, other) => all.push(Difference {
                    object,
                    what: String::new(),
                    expected: one.map(|_| "there".to_owned()),
                    found: other.map(|_| "there".to_owned()),
                }),
            }
        }
    }
    all
}

const SECTIONS: [(&str, &str); 12] = [
    ("schemas", "schema"),
    ("tables", "table"),
    ("views", "view"),
    ("sequences", "sequence"),
    ("types", "type"),
    ("functions", "function"),
    ("triggers", "trigger"),
    ("policies", "policy"),
    ("extensions", "extension"),
    ("publications", "publication"),
    ("rules", "rule"),
    ("statistics", "statistics"),
];

/// Whether the object, or the table that it stands on, is in doubt.
fn of_doubt(item: &Value, doubtful: &BTreeSet<String>) -> bool {
    ["name", "table"]
        .iter()
        .any(|field| item.get(field).and_then(name).is_some_and(|name| doubtful.contains(&name)))
}

/// The text of a plain or a qualified name.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(parts) => {
            let part = |field: &str| parts.get(field).and_then(Value::as_str);
            let own = part("name")?;
            Some(part("schema").map_or_else(|| own.to_owned(), |schema| format!("{schema}.{own}")))
        }
        _ => None,
    }
}

/// What an item of a list is known by: its name with the table that it stands on or its arguments, or what it consists of.
fn key(item: &Value) -> Option<String> {
    if let Value::Array(pair) = item {
        return pair.first().and_then(name);
    }
    if let Some(own) = item.get("name").and_then(name) {
        return Some(match (item.get("arguments"), item.get("table").and_then(name)) {
            (Some(Value::String(arguments)), _) => format!("{own}({arguments})"),
            (_, Some(table)) => format!("{own} on {table}"),
            _ => own,
        });
    }
    item.get("table").and_then(name).or_else(|| Some(format!("({})", brief(item))))
}

/// Items of two lists by their keys, in the order of the first and then of the second.
fn matched<'a>(
    expected: &'a [Value],
    found: &'a [Value],
) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let keyed = |items: &'a [Value]| {
        let mut seen = BTreeSet::new();
        let mut list = Vec::new();
        for item in items {
            let mut key = key(item).unwrap_or_default();
            while !seen.insert(key.clone()) {
                key.push('\'');
            }
            list.push((key, item));
        }
        list
    };
    let (expected, found) = (keyed(expected), keyed(found));
    let found_by: std::collections::BTreeMap<&str, &Value> =
        found.iter().map(|(key, item)| (key.as_str(), *item)).collect();
    let known: BTreeSet<&str> = expected.iter().map(|(key, _)| key.as_str()).collect();
    (expected.iter().map(|(key, item)| (key.clone(), Some(*item), found_by.get(key.as_str()).copied())))
        .chain(
            found
                .iter()
                .filter(|(key, _)| !known.contains(key.as_str()))
                .map(|(key, item)| (key.clone(), None, Some(*item))),
        )
        .collect()
}

fn walk(object: &str, what: &str, expected: &Value, found: &Value, all: &mut Vec<Difference>) {
    if same(expected, found) {
        return;
    }
    match (expected, found) {
        (Value::Object(one), Value::Object(other)) if is_record(one) && is_record(other) => {
            fields(object, what, one, other, all);
        }
        _ => all.push(Difference {
            object: object.to_owned(),
            what: what.to_owned(),
            expected: shown(expected, found),
            found: shown(found, expected),
        }),
    }
}

/// Whether an object is walked into: an expression or a qualified name is one value to a reader.
fn is_record(fields: &Map<String, Value>) -> bool {
    let is_expression = fields.len() == 1 && fields.contains_key("text");
    !is_expression && !name_only(fields)
}

fn name_only(fields: &Map<String, Value>) -> bool {
    fields.contains_key("name") && fields.keys().all(|field| field == "name" || field == "schema")
}

fn fields(
    object: &str,
    what: &str,
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
    all: &mut Vec<Difference>,
) {
    let nothing = Value::Null;
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for field in names {
        let (one, other) = (expected.get(field).unwrap_or(&nothing), found.get(field).unwrap_or(&nothing));
        let (list, other_list) = (one.as_array(), other.as_array());
        let records = |list: Option<&Vec<Value>>| {
            list.is_some_and(|list| list.iter().any(|item| item.is_object() || item.is_array()))
        };
        if (records(list) || records(other_list)) && field != "parts" {
            let empty = Vec::new();
            items(object, what, field, list.unwrap_or(&empty), other_list.unwrap_or(&empty), all);
        } else if field == "data_type" && one.get("text") != other.get("text") {
            walk(object, &join(what, "type"), &one["text"], &other["text"], all);
        } else {
            walk(object, &join(what, &field.replace('_', " ")), one, other, all);
        }
    }
}

fn items(
    object: &str,
    what: &str,
    field: &str,
    expected: &[Value],
    found: &[Value],
    all: &mut Vec<Difference>,
) {
    let one_of = singular(field);
    let pairs = matched(expected, found);
    for (key, one, other) in &pairs {
        let what = join(what, &format!("{one_of} `{key}`"));
        match (one, other) {
            (Some(one), Some(other)) => walk(object, &what, one, other, all),
            (one, other) => all.push(Difference {
                object: object.to_owned(),
                what,
                expected: one.map(brief),
                found: other.map(brief),
            }),
        }
    }
    // The order of columns and attributes matters, that of everything else with a name does not.
    if matches!(field, "columns" | "composite") {
        let order = |items: &[Value], others: &[Value]| -> Vec<String> {
            let others: BTreeSet<_> = others.iter().filter_map(key).collect();
            items.iter().filter_map(key).filter(|key| others.contains(key)).collect()
        };
        let (one, other) = (order(expected, found), order(found, expected));
        if one != other {
            all.push(Difference {
                object: object.to_owned(),
                what: join(what, &format!("order of {field}")),
                expected: Some(one.join(", ")),
                found: Some(other.join(", ")),
            });
        }
    }
}

fn singular(field: &str) -> String {
    let word = field.replace('_', " ");
    match field {
        "indexes" => "index".to_owned(),
        "composite" => "attribute".to_owned(),
        _ => word.strip_suffix('s').map_or(word.clone(), str::to_owned),
    }
}

fn join(what: &str, part: &str) -> String {
    if what.is_empty() { part.to_owned() } else { format!("{what}, {part}") }
}

/// Equality in which the spelling of a text does not count where another form of it is compared, and a flag that is not
/// said is off.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => compared(one) == compared(other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let nothing = Value::Null;
            one.keys()
                .chain(other.keys())
                .all(|field| same(one.get(field).unwrap_or(&nothing), other.get(field).unwrap_or(&nothing)))
        }
        (Value::Null, Value::Bool(false)) | (Value::Bool(false), Value::Null) => true,
        (Value::Null, Value::Array(items)) | (Value::Array(items), Value::Null) => items.is_empty(),
        _ => one == other,
    }
}

fn compared(text: &str) -> &str {
    text.split_once(SPELLED).map_or(text, |(compared, _)| compared)
}

fn spelled(text: &str) -> &str {
    text.split_once(SPELLED).map_or(text, |(_, spelled)| spelled)
}

/// A value as a reader sees it beside another one; `None` when there is none.
fn shown(value: &Value, beside: &Value) -> Option<String> {
    match value {
        Value::Null if beside.is_boolean() => Some("no".to_owned()),
        Value::Null => None,
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        other => Some(brief(other)),
    }
}

/// A value in a few words.
fn brief(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(text) => spelled(text).to_owned(),
        Value::Array(items) => items.iter().map(brief).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            if let Some(name) = name(value).filter(|_| name_only(fields)) {
                return name;
            }
            if let Some(key) = fields.get("key") {
                return with_flags(&brief(key), fields);
            }
            let telling = [
                "data_type",
                "text",
                "expression",
                "columns",
                "parts",
                "key",
                "column",
                "definition",
                "known",
            ];
            match telling.iter().find_map(|field| fields.get(*field)) {
                Some(Value::String(text)) => spelled(text).to_owned(),
                Some(inner) => brief(inner),
                None => fields
                    .iter()
                    .map(|(field, value)| format!("{} {}", field.replace('_', " "), brief(value)))
                    .collect::<Vec<_>>()
                    .join(", "),
            }
        }
    }
}

/// A part of an index with what is special about it.
fn with_flags(key: &str, fields: &Map<String, Value>) -> String {
    let mut text = key.to_owned();
    let descending = fields.get("descending") == Some(&Value::Bool(true));
    for (field, value) in fields.iter().filter(|(field, _)| *field != "key") {
        match (field.as_str(), value) {
            ("descending", Value::Bool(true)) => text.push_str(" desc"),
            // It goes without saying.
            ("nulls_first", Value::Bool(true)) if descending => {}
            ("nulls_first", Value::Bool(true)) => text.push_str(" nulls first"),
            (_, Value::Bool(_)) => {}
            (field, value) => {
                text.push_str(&format!(" {} {}", field.replace('_', " "), brief(value)));
            }
        }
    }
    text
}
