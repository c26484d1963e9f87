//! The text side of the dialects: statements are split, parsed into changes, folded into a catalog, and written back.
//!
//! Nothing here does IO or fails on user data: what cannot be read becomes [`Change::Opaque`] and is reported.
//! Each dialect has one folder with the same file names, so that knowing one is knowing three. Nothing outside this
//! crate names a parser library.

pub mod split;
pub mod fold;
pub mod effects;
pub mod chain;
mod clauses;
mod constant;
mod surroundings;
pub mod tools;
pub mod looks;
pub mod script;
pub mod import;
pub mod standing;
pub mod squash;
pub mod build;
pub mod wish;
pub mod understand;
pub mod names;
pub mod places;
pub mod suppress;
pub mod files;
mod positions;
pub mod compare;
pub mod prisma;
pub mod postgres;
pub mod mysql;
pub mod sqlite;

use dbwright_model::change::Change;
use dbwright_model::data_type::DataType;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::expression::{DataStatement, Expr, Query};

pub use split::{Statement, split};

/// Parses one statement into its changes: `ALTER TABLE t ADD a, ADD b` gives two.
pub fn parse_statement(dialect: Dialect, statement: &str) -> Vec<Change> {
    let mut changes = match dialect {
        Dialect::Postgres => postgres::parse::statement(statement),
        Dialect::Mysql => mysql::parse::statement(statement),
        Dialect::Sqlite => sqlite::parse::statement(statement),
    };
    clauses::refine(dialect, statement, &mut changes);
    changes
}

/// Parses a scalar expression, such as a default, a check or a policy.
pub fn parse_expression(dialect: Dialect, text: &str) -> Option<Expr> {
    match dialect {
        Dialect::Postgres => postgres::expression::expression(text),
        Dialect::Mysql => mysql::expression::expression(text),
        Dialect::Sqlite => sqlite::expression::expression(text),
    }
}

/// Parses a query, such as a view's definition.
pub fn parse_query(dialect: Dialect, text: &str) -> Option<Query> {
    match parse_data_statement(dialect, text)? {
        DataStatement::Query(query) => Some(query),
        _ => None,
    }
}

/// Parses a statement that reads or writes rows.
pub fn parse_data_statement(dialect: Dialect, text: &str) -> Option<DataStatement> {
    match dialect {
        Dialect::Postgres => postgres::expression::data_statement(text),
        Dialect::Mysql => mysql::expression::data_statement(text),
        Dialect::Sqlite => sqlite::expression::data_statement(text),
    }
}

/// Reads the spelling of a column type.
pub fn data_type(dialect: Dialect, text: &str) -> DataType {
    match dialect {
        Dialect::Postgres => postgres::types::data_type(text),
        Dialect::Mysql => mysql::types::data_type(text),
        Dialect::Sqlite => sqlite::types::data_type(text),
    }
}

/// Quotes an identifier where the dialect needs it.
pub fn quote_identifier(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Postgres => postgres::quote::identifier(name),
        Dialect::Mysql => mysql::quote::identifier(name),
        Dialect::Sqlite => sqlite::quote::identifier(name),
    }
}

/// One statement written for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The statement without its terminator.
    pub sql: String,
    /// Whether it may run inside a transaction.
    pub in_transaction: bool,
}

/// Writes a change as statements of an engine; `None` when the engine cannot express it in statements.
pub fn write(engine: Engine, version: Option<Version>, change: &Change) -> Option<Vec<Written>> {
    match engine.dialect() {
        Dialect::Postgres => postgres::write::change(version, change),
        Dialect::Mysql => mysql::write::change(engine, version, change),
        Dialect::Sqlite => sqlite::write::change(version, change),
    }
}
