//! Quoting for SQLite.

/// Quotes an identifier where needed.
pub fn identifier(name: &str) -> String {
    name.to_owned()
}
