//! Names that servers give by themselves to constraints, indexes and sequences that nobody named.

use dbwright_model::catalog::{Index, IndexKey, Table};
use dbwright_model::engine::Engine;
use dbwright_model::expression::Expr;
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

/// The middle of a generated index name in PostgreSQL: columns by name, expressions by what they call, each once.
pub fn index_columns(index: &Index) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in &index.parts {
        let base = match &part.key {
            IndexKey::Column(name) => name.to_string(),
            IndexKey::Expression(expression) => {
                let named = expression.tree.as_deref().and_then(expression_name);
                named.map_or_else(|| "expr".to_owned(), |(name, _)| name)
            }
        };
        let mut name = base.clone();
        let mut n = 0;
        while parts.contains(&name) {
            n += 1;
            name = format!("{base}{n}");
        }
        parts.push(name);
    }
    joined_columns(parts.iter().map(String::as_str))
}

/// The name PostgreSQL finds for an expression, and whether it is a good one: a cast's type gives way to what is cast.
fn expression_name(expr: &Expr) -> Option<(String, bool)> {
    match expr {
        Expr::Column { name, .. } => Some((name.to_string(), true)),
        Expr::Call(call) => Some((call.function().to_ascii_lowercase(), true)),
        Expr::Cast { operand, to } => match expression_name(operand) {
            Some((name, true)) => Some((name, true)),
            _ => {
                let kind = to.split(['(', '[']).next().unwrap_or_default().trim();
                Some((kind.rsplit('.').next().unwrap_or_default().to_owned(), false))
            }
        },
        Expr::Case { otherwise, .. } => match otherwise.as_deref().and_then(expression_name) {
            Some((name, true)) => Some((name, true)),
            _ => Some(("case".to_owned(), false)),
        },
        Expr::Array(_) => Some(("array".to_owned(), true)),
        Expr::Row(_) => Some(("row".to_owned(), true)),
        Expr::Exists { .. } => Some(("exists".to_owned(), true)),
        _ => None,
    }
}

/// The name the engine gives to an index that was made without one.
pub fn index_name(engine: Engine, table: &Table, index: &Index, taken: &dyn Fn(&str) -> bool) -> Name {
    match engine {
        Engine::Postgres => {
            let middle = index_columns(index);
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

/// The first words of a statement, with `…` where more follow.
pub fn beginning(statement: &str) -> String {
    const WORDS: usize = 6;
    const LETTERS: usize = 60;
    let mut words = statement.split_whitespace();
    let first = words.by_ref().take(WORDS).collect::<Vec<_>>().join(" ");
    let shown: String = first.chars().take(LETTERS).collect();
    match (shown.len() < first.len(), words.next()) {
        (true, _) => format!("{shown}…"),
        (false, Some(_)) => format!("{shown} …"),
        (false, None) => shown,
    }
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
