//! Quoting for MySQL and MariaDB.

/// Quotes an identifier where needed.
pub fn identifier(name: &str) -> String {
    name.to_owned()
}
