//! The truth matrix: what each statement does on each version of an engine, as observed on real servers.
//!
//! `fixtures/truth/<engine>/base.sql` makes the schema and the rows, `<family>.sql` beside it holds the cases, and
//! `<family>.tsv` what was observed. `cargo xtask truth` observes them again.
//!
//! An engine is a module here with a [`matrix::Engine`], one line in [`ENGINES`], and its folder of cases.

pub mod cell;
pub mod case;
pub mod table;
pub mod matrix;
pub mod foretell;
pub mod postgres;
pub mod mariadb;
pub mod sqlite;

pub use case::Case;
pub use cell::Cell;

/// Every engine that has a matrix.
pub const ENGINES: &[&matrix::Engine] = &[&postgres::ENGINE, &mariadb::ENGINE, &sqlite::ENGINE];

/// The cases of PostgreSQL with their cells for each supported major.
///
/// # Panics
/// When a file of the matrix is malformed, which a test of this crate would have told.
pub fn postgres_cases() -> Vec<Case> {
    postgres::ENGINE.cases().expect("the case files are well-formed")
}

/// The schema and the rows that every case of PostgreSQL starts from.
///
/// # Panics
/// When the file is not there.
pub fn base_sql() -> String {
    case::base_sql(postgres::ENGINE.name).expect("`base.sql` is there")
}
