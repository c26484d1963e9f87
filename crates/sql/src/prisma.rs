//! Prisma schemas as the changes that Prisma Migrate would make of them in the engine of their data source.
//!
//! Names of keys and indexes, types, defaults and referential actions follow Prisma's conventions. What has no place in
//! a database (client-side defaults, views, generators) is left out.

mod syntax;
mod lower;
mod words;

use dbwright_model::change::Change;
use dbwright_model::engine::Engine;
use dbwright_model::finding::Location;
use dbwright_model::name::Name;

pub use syntax::provider;
pub use words::Words;

/// What a schema says, lowered.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// The changes in the order in which Prisma makes them: enums, tables, indexes, foreign keys.
    pub changes: Vec<Change>,
    /// Where each table was written.
    pub tables: Vec<(Name, Location)>,
    /// Where each column was written, by table.
    pub columns: Vec<(Name, Name, Location)>,
    /// What the schema calls each table.
    pub models: Vec<(Name, String)>,
    /// What the schema calls each column, by table.
    pub fields: Vec<(Name, Name, String)>,
    /// Where each index was written.
    pub indexes: Vec<(Name, Location)>,
    /// What was not understood: place, words and reason.
    pub skipped: Vec<(Location, String, String)>,
}

/// Lowers the files of one schema together, since models of one file name those of another.
pub fn lower<'a>(engine: Engine, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Lowered {
    let mut schema = syntax::Schema::default();
    for (name, text) in files {
        schema.read(name, text);
    }
    lower::lower(engine, &schema)
}

/// Whether a file is a Prisma schema by its name.
pub fn is_schema(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".prisma")
}

#[cfg(test)]
mod tests;
