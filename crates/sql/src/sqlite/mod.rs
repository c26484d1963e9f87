//! The text side of SQLite.

pub mod parse;
pub mod expression;
pub mod types;
pub mod quote;
pub mod write;
