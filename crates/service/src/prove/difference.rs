//! What two catalogs differ in, by object and property.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::catalog::Catalog;
use dbwright_model::expression::Expr;
use serde_json::Value;

/// Differences that are told; the others are counted.
const TOLD: usize = 8;

/// What differs, as sentences. The place of a column does not count: columns are added at the end.
pub fn difference(expected: &Catalog, found: &Catalog) -> Vec<String> {
    let (expected, found) = (lines(expected), lines(found));
    let paths: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut told: Vec<String> = Vec::new();
    let mut missing: Option<&String> = None;
    for path in paths {
        // Of an object that is absent on one side only its name is told.
        if missing.is_some_and(|object| path.starts_with(object.as_str())) {
            continue;
        }
        match (expected.get(path), found.get(path)) {
            (Some(expected), Some(found)) if expected != found => {
                told.push(format!("`{path}` is {found} instead of {expected}."));
            }
            (Some(_), None) => {
                missing = Some(path);
                told.push(format!("`{path}` is missing."));
            }
            (None, Some(value)) => {
                missing = Some(path);
                let value = if value.is_empty() { String::new() } else { format!(": {value}") };
                told.push(format!("`{path}` should not be there{value}."));
            }
            _ => {}
        }
    }
    let more = told.len().saturating_sub(TOLD);
    told.truncate(TOLD);
    if more > 0 {
        told.push(format!("{more} more differences are not shown."));
    }
    told
}

/// A catalog as one line per property, by path.
fn lines(catalog: &Catalog) -> BTreeMap<String, String> {
    let mut catalog = catalog.clone();
    for column in catalog.tables.iter_mut().flat_map(|table| &mut table.columns) {
        // PostgreSQL 18 lets the name of a promise stay when its column gets another.
        column.not_null_constraint =
            column.not_null_constraint.take().filter(|made| !made.validated || made.no_inherit);
        // A constant is printed with the type that it was first read as.
        if let Some(default) = &mut column.default
            && let Some(tree) = &default.tree
            && let literal @ Expr::Literal(_) = tree.without_casts()
        {
            default.text = format!("{literal:?}");
        }
    }
    let mut lines = BTreeMap::new();
    if let Ok(value) = serde_json::to_value(&catalog) {
        flatten("", &value, &mut lines);
    }
    lines
}

fn flatten(path: &str, value: &Value, lines: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, lines);
            }
        }
        Value::Array(items) => {
            let keyed = items.iter().all(|item| key(item).is_some());
            for (i, item) in items.iter().enumerate() {
                let key = if keyed { key(item).unwrap_or_default() } else { i.to_string() };
                let mut path = format!("{path}[{key}]");
                while lines.contains_key(&path) {
                    path.push('\'');
                }
                lines.insert(path.clone(), String::new());
                flatten(&path, item, lines);
            }
        }
        other => {
            lines.insert(path.to_owned(), other.to_string());
        }
    }
}

/// The name of an object in a list, with its table where names are unique there only.
fn key(item: &Value) -> Option<String> {
    let named = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(name) => {
            let part = |field: &str| name.get(field).and_then(Value::as_str).unwrap_or_default();
            let (schema, name) = (part("schema"), part("name"));
            Some(if schema.is_empty() { name.to_owned() } else { format!("{schema}.{name}") })
        }
        _ => None,
    };
    let name = named(item.get("name")?)?;
    match (item.get("arguments"), item.get("table")) {
        (Some(Value::String(arguments)), _) => Some(format!("{name}({arguments})")),
        (_, Some(table)) => Some(format!("{}.{name}", named(table)?)),
        _ => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::catalog::{Column, Table};
    use dbwright_model::engine::Engine;
    use dbwright_model::name::{Name, QualifiedName};

    use super::*;

    fn catalog(columns: &[(&str, bool)]) -> Catalog {
        let columns = columns
            .iter()
            .map(|(name, not_null)| Column {
                name: Name::new(name),
                not_null: *not_null,
                ..Column::default()
            })
            .collect();
        let table = Table { name: QualifiedName::new("public", "t"), columns, ..Table::default() };
        Catalog { tables: vec![table], ..Catalog::empty(Engine::Postgres) }
    }

    #[test]
    fn objects_and_properties_are_named_and_places_do_not_count() {
        let expected = catalog(&[("a", true), ("b", true)]);
        assert_eq!(difference(&expected, &catalog(&[("b", true), ("a", true)])), Vec::<String>::new());
        let found = difference(&expected, &catalog(&[("a", false), ("c", true)]));
        let expected = [
            "`tables[public.t].columns[a].not_null` is missing.",
            "`tables[public.t].columns[b]` is missing.",
            "`tables[public.t].columns[c]` should not be there.",
        ];
        assert_eq!(found, expected);
    }
}
