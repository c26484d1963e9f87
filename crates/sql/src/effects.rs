//! What a statement does to a running server: locks, work, what the rows must fulfil.
//!
//! The knowledge stands per dialect in `<dialect>/effects.rs`. It was measured on servers: the matrix in
//! `fixtures/truth` holds what each statement was seen to do, and a test compares every cell with what is told here.

use dbwright_model::change::Change;
use dbwright_model::effect::Effects;
use dbwright_model::engine::{Dialect, Version};

use crate::fold::Folder;

/// What matters to a statement beside the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The server's version; the newest known one when absent.
    pub version: Option<Version>,
    /// Whether the session's time zone is UTC, where that is known.
    pub utc: Option<bool>,
}

/// What the next statement of a chain does. `before` is the state that it finds; `statement` are its changes.
pub fn of_statement(before: &Folder, circumstances: &Circumstances, statement: &[Change]) -> Effects {
    match before.engine().dialect() {
        Dialect::Postgres => crate::postgres::effects::of_statement(before, circumstances, statement),
        Dialect::Mysql | Dialect::Sqlite => Effects::default(),
    }
}
