//! The text side of MySQL and MariaDB.

pub mod parse;
pub mod expression;
pub mod types;
pub mod quote;
pub mod write;
pub mod online;
pub(crate) mod effects;
mod lex;
mod column;
mod table;
mod alter;
mod routine;
mod access;

pub(crate) use table::partitioned;
