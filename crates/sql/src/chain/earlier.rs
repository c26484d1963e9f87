//! What edited files held before they were edited.

use std::collections::BTreeSet;

use dbwright_model::engine::Engine;
use dbwright_model::name::QualifiedName;

use super::{MigrationFile, Parsed, Reader, Start, from_nothing, parse};
use crate::effects::Circumstances;
use crate::split::split;

/// What edited files held before.
#[derive(Default)]
pub(super) struct Earlier {
    /// The texts of their statements, by the name of the file.
    statements: BTreeSet<(String, String)>,
    /// What these made.
    made: BTreeSet<QualifiedName>,
}

impl Earlier {
    /// Reads the files on their own.
    pub(super) fn of(engine: Engine, files: &[MigrationFile]) -> Self {
        let mut earlier = Earlier::default();
        if files.is_empty() {
            return earlier;
        }
        let start = Start { together: true, ..from_nothing(engine, Circumstances::default()) };
        let mut reader = Reader::new(start, files);
        for (position, file) in files.iter().enumerate() {
            for statement in split(reader.dialect, &file.text) {
                earlier.statements.insert((file.file.name.clone(), statement.text.to_owned()));
            }
            let statements = parse(reader.dialect, file);
            reader.file(position, file, statements);
        }
        earlier.made = reader.created;
        earlier
    }

    /// Whether a relation is in use although a judged file makes it, as a statement of a file finds it: one that stood
    /// there before found it new.
    pub(super) fn holds(&self, parsed: &Parsed<'_>, relation: &QualifiedName) -> bool {
        self.made.contains(relation)
            && !self.statements.contains(&(parsed.location.file.clone(), parsed.text.to_owned()))
    }
}
