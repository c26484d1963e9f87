//! The text side of PostgreSQL.

pub mod parse;
pub mod expression;
pub mod types;
pub mod quote;
pub mod write;
