//! Words that name things in schemas: what a table or column is probably for. Guesses from names are never errors.

pub mod secrets;
pub mod sensitive;
pub mod charset;
pub mod columns;
pub mod plural;
pub mod reserved;
pub mod role;
pub mod style;
pub mod table_role;
pub mod tenant;

use dbwright_model::catalog::Table;

/// Whether a table belongs to a migration tool rather than to the application.
pub fn is_tool_table(table: &Table) -> bool {
    dbwright_model::history::is_tool_table(table.name.name.as_str())
}

/// The words of an identifier in lower case: `customerId2` gives `customer`, `id`, `2`.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = '_';
    for c in name.chars() {
        if !c.is_alphanumeric() {
            previous = '_';
            continue;
        }
        let starts = !previous.is_alphanumeric()
            || (c.is_uppercase() && !previous.is_uppercase())
            || (c.is_numeric() != previous.is_numeric());
        if starts {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        previous = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_cut_into_words() {
        assert_eq!(words("customerId2"), ["customer", "id", "2"]);
        assert_eq!(words("HTTP_status"), ["http", "status"]);
        assert_eq!(words("order-line"), ["order", "line"]);
        assert!(words("").is_empty());
    }
}
