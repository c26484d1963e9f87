//! The text side of PostgreSQL.

pub mod parse;
pub mod expression;
pub mod types;
pub mod quote;
pub mod write;
pub mod effects;
mod write_other;
mod definition;
mod syntax;
mod words;
mod query;
mod create_table;
mod alter_table;
mod object;
mod other;
mod rows;
mod privilege;
#[cfg(test)]
mod tests;

pub(crate) use other::publishes_updates_or_deletes;
