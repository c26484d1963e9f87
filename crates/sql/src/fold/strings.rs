//! Words in double quotes that SQLite takes for strings.

use dbwright_model::catalog::TableKind;
use dbwright_model::name::{Name, QualifiedName};

use super::Folder;

impl Folder {
    /// Takes the words in double quotes that name no column of a new index for the strings that SQLite makes of them, after
    /// its statement was folded.
    pub(crate) fn strings_in_index(&mut self, table: &QualifiedName, index: &Name, text: &str) {
        let full = self.table_name(table);
        // A statement that was not understood may have made the column.
        if self.doubts().iter().any(|doubt| doubt.object.as_ref().is_none_or(|object| *object == full)) {
            return;
        }
        let Some(target) = self.table_mut(table) else { return };
        let columns: Vec<Name> = target.columns.iter().map(|column| column.name.clone()).collect();
        // Of a table that was made by a query no column is known.
        if columns.is_empty() || !matches!(target.kind, TableKind::Ordinary) {
            return;
        }
        if let Some(made) = target.indexes.iter_mut().find(|made| made.name.eq_ignore_case(index.as_str())) {
            crate::sqlite::understand::quoted_parts(made, &columns, text);
        }
    }
}
