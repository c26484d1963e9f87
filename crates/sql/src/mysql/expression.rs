//! Expressions and queries of MySQL and MariaDB.

use dbwright_model::expression::{DataStatement, Expr};

/// Parses a scalar expression.
pub fn expression(_text: &str) -> Option<Expr> {
    None
}

/// Parses a statement that reads or writes rows.
pub fn data_statement(_text: &str) -> Option<DataStatement> {
    None
}
