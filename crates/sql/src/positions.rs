//! How far sequences and counters have come, as dumps say it beside the schema.

use std::collections::BTreeMap;

use dbwright_model::change::Change;
use dbwright_model::facts::{Fact, Facts};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::stats::{ColumnMaximum, SequenceValue};

use crate::fold::Folder;

/// What the statements of files have said so far.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    /// The last value of sequences.
    sequences: BTreeMap<QualifiedName, i64>,
    /// The next number of tables that count their rows.
    counters: BTreeMap<QualifiedName, u64>,
}

/// The option of a table in which MySQL keeps its next number.
const COUNTER: &str = "auto_increment";

impl Positions {
    /// Notes what a change says, after it was folded.
    pub(crate) fn note(&mut self, change: &Change, folder: &Folder) {
        match change {
            Change::SetSequenceValue { name, value } => {
                self.sequences.insert(folder.full_name(name), *value);
            }
            // What it goes on with now is not said, or it is another one.
            Change::AlterSequence { name, changes, .. }
                if changes.restart || changes.restart_with.is_some() =>
            {
                self.sequences.remove(&folder.full_name(name));
            }
            Change::DropSequence { name, .. } => {
                self.sequences.remove(&folder.full_name(name));
            }
            Change::CreateTable { table, .. } => {
                self.counters.remove(&folder.full_name(&table.name));
                self.note_counter(&table.name, &table.options, folder);
            }
            Change::SetTableOptions { table, options, .. } => self.note_counter(table, options, folder),
            Change::DropTable { name, .. } | Change::RenameTable { table: name, .. } => {
                self.counters.remove(&folder.full_name(name));
            }
            _ => {}
        }
    }

    fn note_counter(&mut self, table: &QualifiedName, options: &[(Name, String)], folder: &Folder) {
        let counter = options.iter().find(|(name, _)| name.eq_ignore_case(COUNTER));
        if let Some(next) = counter.and_then(|(_, value)| value.parse().ok()) {
            self.counters.insert(folder.full_name(table), next);
        }
    }

    /// Puts them into the facts: known of those objects, and of no other.
    pub(crate) fn put(mut self, facts: &mut Facts) {
        let Observed::Known(catalog) = &facts.catalog else { return };
        let mut values = Vec::new();
        for sequence in &catalog.sequences {
            let Some(last) = self.sequences.remove(&sequence.name) else { continue };
            // Where the first value is yet to come, the one before it was never given out.
            let fresh = last == sequence.start.saturating_sub(1);
            values.push(SequenceValue {
                sequence: sequence.name.clone(),
                last_value: (!fresh).then_some(last),
            });
        }
        let mut counted = Vec::new();
        let tables = catalog
            .tables
            .iter()
            .filter_map(|table| Some((table, table.columns.iter().find(|column| column.auto_increment)?)));
        for (table, column) in tables {
            // A counter has passed what it gave out, which is the most that a file tells of the values.
            let Some(next) = self.counters.remove(&table.name) else { continue };
            counted.push(ColumnMaximum {
                table: table.name.clone(),
                column: column.name.clone(),
                max: Some(i64::try_from(next.saturating_sub(1)).unwrap_or(i64::MAX)),
                min: None,
            });
        }
        let sequences = catalog.sequences.len();
        if !values.is_empty() {
            if values.len() < sequences {
                let because = format!("the files tell it of {} of the {sequences} sequences", values.len());
                facts.in_part.insert(Fact::SequenceValues, because);
            }
            values.sort_by(|a, b| a.sequence.cmp(&b.sequence));
            facts.sequence_values = Observed::Known(values);
        }
        if !counted.is_empty() {
            counted.sort_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
            facts.column_maxima = Observed::Known(counted);
            let because = "files tell nothing but the next `AUTO_INCREMENT` values of tables".to_owned();
            facts.in_part.insert(Fact::ColumnMaxima, because);
        }
    }
}
