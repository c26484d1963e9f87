//! The text side of SQLite.

mod lexer;
mod cursor;
mod table;
pub mod parse;
pub mod expression;
pub mod types;
pub mod quote;
pub mod write;
pub mod understand;
pub(crate) mod effects;

#[cfg(test)]
mod tests;
