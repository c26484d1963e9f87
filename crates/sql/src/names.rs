//! Names that servers give by themselves to constraints, indexes and sequences that nobody named.

use dbwright_model::catalog::{Index, IndexKey, Table};
use dbwright_model::engine::Engine;
use dbwright_model::name::Name;

/// Longest identifier of PostgreSQL in bytes (`NAMEDATALEN` less one).
const POSTGRES_LIMIT: usize = 63;

/// PostgreSQL's rule for generated names: `first_second_label`, the longer of the first two shortened until all fit.
pub fn postgres_object_name(first: &str, second: &str, label: &str) -> String {
    let mut overhead = label.len() + usize::from(!label.is_empty());
    if !second.is_empty() {
        overhead += 1;
    }
    let available = POSTGRES_LIMIT.saturating_sub(overhead);
    let (mut a, mut b) = (first.len(), second.len());
    while a + b > available {
        if a > b { a -= 1 } else { b -= 1 }
    }
    let mut name = clip(first, a).to_owned();
    if !second.is_empty() {
        name.push('_');
        name.push_str(clip(second, b));
    }
    if !label.is_empty() {
        name.push('_');
        name.push_str(label);
    }
    name
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
pub fn clip(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// `name`, or `name1`, `name2`, ... until nobody has it (PostgreSQL's way).
pub fn postgres_unused(base: &str, second: &str, label: &str, taken: &dyn Fn(&str) -> bool) -> Name {
    let mut name = postgres_object_name(base, second, label);
    let mut n = 0;
    while taken(&name) {
        n += 1;
        name = postgres_object_name(base, second, &format!("{label}{n}"));
    }
    Name::from(name)
}

/// The middle of a generated index or key name: its columns, expressions as `expr`.
pub fn joined_columns<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push('_');
        }
        text.push_str(part);
        // PostgreSQL stops adding columns once the name is full.
        if text.len() >= POSTGRES_LIMIT {
            break;
        }
    }
    text
}

/// The name the engine gives to an index that was made without one.
pub fn index_name(engine: Engine, table: &Table, index: &Index, taken: &dyn Fn(&str) -> bool) -> Name {
    match engine {
        Engine::Postgres => {
            let mut expressions = 0;
            let parts: Vec<String> = index
                .parts
                .iter()
                .map(|part| match &part.key {
                    IndexKey::Column(name) => name.as_str().to_owned(),
                    IndexKey::Expression(_) => {
                        expressions += 1;
                        if expressions == 1 { "expr".to_owned() } else { format!("expr{}", expressions - 1) }
                    }
                })
                .collect();
            let middle = joined_columns(parts.iter().map(String::as_str));
            postgres_unused(table.name.name.as_str(), &middle, "idx", taken)
        }
        Engine::Mysql | Engine::Mariadb | Engine::Sqlite => {
            let base = match index.parts.first().map(|part| &part.key) {
                Some(IndexKey::Column(name)) => name.as_str(),
                _ => "functional_index",
            };
            mysql_unused(base, taken)
        }
    }
}

/// `name`, or `name_2`, `name_3`, ... until no index of the table has it (MySQL's way).
pub fn mysql_unused(base: &str, taken: &dyn Fn(&str) -> bool) -> Name {
    let mut name = base.to_owned();
    let mut n = 1;
    while taken(&name) {
        n += 1;
        name = format!("{base}_{n}");
    }
    Name::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_names_fit_63_bytes() {
        assert_eq!(postgres_object_name("orders", "customer_id", "fkey"), "orders_customer_id_fkey");
        assert_eq!(postgres_object_name("orders", "", "pkey"), "orders_pkey");
        let long = "t".repeat(60);
        let name = postgres_object_name(&long, "a_column_of_some_length", "fkey");
        assert_eq!(name.len(), 63);
        assert!(name.ends_with("_a_column_of_some_length_fkey"));
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let taken = |name: &str| name == "t_a_idx" || name == "t_a_idx1";
        assert_eq!(postgres_unused("t", "a", "idx", &taken), "t_a_idx2");
        assert_eq!(mysql_unused("a", &|name| name == "a"), "a_2");
    }
}
