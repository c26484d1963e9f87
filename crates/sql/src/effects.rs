//! What a statement does to a running server: locks, work, what the rows must fulfil.
//!
//! The knowledge stands per dialect in `<dialect>/effects.rs`. It was measured on servers: the matrix in
//! `fixtures/truth` holds what each statement was seen to do, and a test compares every cell with what is told here.

use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::effect::{Effects, PartitionChecks};
use dbwright_model::engine::{Dialect, Version};
use dbwright_model::name::QualifiedName;

use crate::fold::Folder;

/// What matters to a statement beside the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The server's version; the newest known one when absent.
    pub version: Option<Version>,
    /// Whether the session's time zone is UTC, where that is known.
    pub utc: Option<bool>,
    /// Whether the state before is the whole truth, so that what it does not hold is not there.
    pub known: bool,
}

/// What the next statement of a chain does. `before` is the state that it finds; `statement` are its changes.
pub fn of_statement(before: &Folder, circumstances: &Circumstances, statement: &[Change]) -> Effects {
    match before.engine().dialect() {
        Dialect::Postgres => crate::postgres::effects::of_statement(before, circumstances, statement),
        Dialect::Mysql => crate::mysql::effects::of_statement(before, circumstances, statement),
        Dialect::Sqlite => crate::sqlite::effects::of_statement(before, statement),
    }
}

/// The checks that prove what a partition with a bound (`FOR VALUES ...`) holds, and what others do not. `None` when there
/// are none: several key columns or an expression, hash and default partitions, nulls among the values, and values that
/// are not compared with certainty, such as times with a zone.
pub fn partition_checks(catalog: &Catalog, table: &QualifiedName, bound: &str) -> Option<PartitionChecks> {
    match catalog.engine.dialect() {
        Dialect::Postgres => crate::postgres::effects::bound::checks(catalog, table, bound),
        Dialect::Mysql | Dialect::Sqlite => None,
    }
}

/// Whether a time zone of PostgreSQL is UTC by another name, so that nothing is converted to it or from it.
pub fn is_utc(zone: &str) -> bool {
    let zone = zone.strip_prefix("Etc/").or_else(|| zone.strip_prefix("etc/")).unwrap_or(zone);
    ["utc", "gmt", "uct", "zulu", "universal", "greenwich", "gmt0", "gmt+0", "gmt-0", "0"]
        .iter()
        .any(|name| zone.eq_ignore_ascii_case(name))
}

/// What several statements do, one after the other. Losses are those that the last one leaves. A statement that is refused
/// changes nothing.
pub fn of_script(before: &Folder, circumstances: &Circumstances, statements: &[Vec<Change>]) -> Effects {
    if before.engine().dialect() == Dialect::Sqlite {
        return crate::sqlite::effects::of_script(before, statements);
    }
    let mut folder = before.clone();
    let mut effects = Effects::default();
    for statement in statements {
        let one = of_statement(&folder, circumstances, statement);
        let refused = one.refused.is_some();
        effects.include(one);
        if refused {
            continue;
        }
        statement.iter().for_each(|change| folder.apply(change));
    }
    effects
}
