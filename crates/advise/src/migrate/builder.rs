//! A plan as it grows: each step is checked against, and then applied to, the catalog that the steps before it leave.

use std::collections::BTreeSet;

use dbwright_model::catalog::{Catalog, Table};
use dbwright_model::change::{Change, DroppedConstraint};
use dbwright_model::effect::{Demand, Effects, PartitionChecks};
use dbwright_model::engine::Version;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Batches, CheckQuery, Retries, Step, TransactionMode, Undo, Work};

use super::{Given, Knowledge, Refusal, not_null, undo};

/// How long a step may wait for a lock that others then wait behind, in milliseconds.
const LOCK_TIMEOUT: u64 = 2_000;
/// How long a statement that changes catalog rows only may take, in milliseconds.
const BRIEF_TIMEOUT: u64 = 10_000;
/// Rows in the first piece of a backfill.
const BATCH_ROWS: u32 = 1_000;
/// Longest identifier of PostgreSQL, in bytes.
const LONGEST_NAME: usize = 63;

/// Tries of a step that waits for a lock.
pub(super) const RETRIES: Retries =
    Retries { attempts: 20, first_wait: 500, longest_wait: 30_000, undo_first: false };

/// A plan as it grows.
#[derive(Clone)]
pub(super) struct Builder<'a> {
    know: &'a dyn Knowledge,
    /// Values for rows that are there.
    given: &'a [Given],
    /// The server's version; the newest known one when absent.
    pub(super) version: Option<Version>,
    /// The catalog after the steps so far.
    pub(super) catalog: Catalog,
    steps: Vec<Step>,
    /// What is changed on purpose beyond what was asked for.
    also: Vec<Change>,
    /// What a reader of the plan must know beside its steps, as full sentences.
    notes: Vec<String>,
    /// Relations that the plan itself has made for good: nobody uses them yet.
    created: BTreeSet<QualifiedName>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        know: &'a dyn Knowledge,
        catalog: Catalog,
        version: Option<Version>,
        given: &'a [Given],
    ) -> Self {
        Builder {
            know,
            given,
            version,
            catalog,
            steps: Vec::new(),
            also: Vec::new(),
            notes: Vec::new(),
            created: BTreeSet::new(),
        }
    }

    /// The steps, what they change beyond what was asked for, and what is to be told of them.
    pub(super) fn into_parts(self) -> (Vec<Step>, Vec<Change>, Vec<String>) {
        (self.steps, self.also, self.notes)
    }

    /// Tells the reader of the plan something that no step says, as a full sentence.
    pub(super) fn note(&mut self, sentence: String) {
        self.notes.push(sentence);
    }

    /// Notes that the steps change this on purpose, though nobody asked for it.
    pub(super) fn also(&mut self, change: Change) {
        self.also.push(change);
    }

    /// The value that rows which are there get in a column, where it was said.
    pub(super) fn value_for(&self, table: &QualifiedName, column: &Name) -> Option<&'a str> {
        let mut given = self.given.iter();
        given.find(|given| given.is_for(table, column)).map(|given| given.value.as_str())
    }

    /// How many steps there are so far.
    pub(super) fn count(&self) -> usize {
        self.steps.len()
    }

    /// Lets a step, counted from 0, wait for something outside of the database.
    pub(super) fn wait_before(&mut self, step: usize, sentence: String) {
        if let Some(step) = self.steps.get_mut(step) {
            step.waits_for = Some(sentence);
        }
    }

    /// Whether the server is of this major version or newer.
    pub(super) fn since(&self, major: u16) -> bool {
        self.version.is_none_or(|version| version.major >= major)
    }

    /// What is known of the dialect.
    pub(super) fn knowledge(&self) -> &'a dyn Knowledge {
        self.know
    }

    pub(super) fn quoted(&self, name: &Name) -> String {
        self.know.identifier(name.as_str())
    }

    pub(super) fn quoted_name(&self, name: &QualifiedName) -> String {
        if name.schema.is_empty() {
            return self.quoted(&name.name);
        }
        format!("{}.{}", self.quoted(&name.schema), self.quoted(&name.name))
    }

    /// Identifiers, quoted and joined by commas.
    pub(super) fn list<'n>(&self, names: impl IntoIterator<Item = &'n Name>) -> String {
        names.into_iter().map(|name| self.quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// Whether the dialect has statements for a change.
    pub(super) fn expresses(&self, change: &Change) -> bool {
        self.know.expresses(change)
    }

    /// Adds a step that was put together elsewhere, with the catalog that it leaves.
    pub(super) fn rebuilt(&mut self, step: Step, after: Catalog) {
        self.steps.push(step);
        self.catalog = after;
    }

    /// Takes the last step back, to be changed and added again.
    pub(super) fn take_last(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    /// Adds a full sentence to what the last step says of itself.
    pub(super) fn tell_in_last(&mut self, sentence: &str) {
        if let Some(step) = self.steps.last_mut() {
            step.name.push(' ');
            step.name.push_str(sentence);
        }
    }

    /// The checks that prove what a partition of a table with a bound holds.
    pub(super) fn partition_checks(&self, table: &QualifiedName, bound: &str) -> Option<PartitionChecks> {
        self.know.partition_checks(&self.catalog, table, bound)
    }

    pub(super) fn effects(&self, change: &Change) -> Effects {
        self.know.effects(&self.catalog, std::slice::from_ref(change))
    }

    /// The catalog after changes that are not (yet) part of the plan.
    pub(super) fn imagine(&self, changes: &[Change]) -> Catalog {
        self.know.after(&self.catalog, changes)
    }

    /// The relations that a change has an effect on.
    pub(super) fn touched_by(&self, change: &Change) -> Vec<QualifiedName> {
        self.effects(change).relations.into_iter().map(|effect| effect.relation).collect()
    }

    /// A table as it stands after the steps so far; a name without a schema is looked for in `public`.
    pub(super) fn table(&self, name: &QualifiedName) -> Result<Table, Refusal> {
        let full = full_name(name);
        match self.catalog.table(&full) {
            Some(table) => Ok(table.clone()),
            None => Err(format!("there is no table `{full}`")),
        }
    }

    /// Whether everything that a change has an effect on was made by the plan.
    pub(super) fn is_only_about_new(&self, change: &Change) -> bool {
        let effects = self.effects(change);
        let of_demand = |demand: &Demand| match demand {
            Demand::NotNull { table, .. }
            | Demand::Empty { table }
            | Demand::Unique { table }
            | Demand::Check { table }
            | Demand::DefaultFits { table, .. }
            | Demand::Reference { table, .. }
            | Demand::Convertible { table, .. } => table.clone(),
        };
        let demanding: Vec<QualifiedName> = effects.demands.iter().map(of_demand).collect();
        !effects.relations.is_empty()
            && effects.blocking().all(|effect| self.created.contains(&effect.relation))
            && demanding.iter().all(|table| self.created.contains(table))
            && effects.relations.iter().any(|effect| self.created.contains(&effect.relation))
    }

    /// A name for something of the plan's own: `base` with a suffix, cut where it would be too long, that no relation and no
    /// constraint of the schema has.
    pub(super) fn free_name(&self, schema: &Name, base: &str, suffix: &str) -> Name {
        for number in 0u32.. {
            let tail = if number == 0 { format!("__{suffix}") } else { format!("__{suffix}{number}") };
            let room = LONGEST_NAME - tail.len();
            let end = (0..=room.min(base.len())).rev().find(|end| base.is_char_boundary(*end)).unwrap_or(0);
            let name = Name::from(format!("{}{tail}", &base[..end]));
            if !self.is_taken(schema, &name) {
                return name;
            }
        }
        Name::new(base)
    }

    fn is_taken(&self, schema: &Name, name: &Name) -> bool {
        let catalog = &self.catalog;
        let in_schema = |other: &QualifiedName| other.schema == *schema && other.name == *name;
        catalog.views.iter().any(|view| in_schema(&view.name))
            || catalog.sequences.iter().any(|sequence| in_schema(&sequence.name))
            || catalog.functions.known().into_iter().flatten().any(|function| in_schema(&function.name))
            || catalog.triggers.known().into_iter().flatten().any(|trigger| trigger.name == *name)
            || catalog.tables.iter().filter(|table| table.name.schema == *schema).any(|table| {
                table.name.name == *name
                    || table.columns.iter().any(|column| column.name == *name)
                    || table.indexes.iter().any(|index| index.name == *name)
                    || table.checks.iter().any(|check| check.name.as_ref() == Some(name))
                    || table.foreign_keys.iter().any(|key| key.name.as_ref() == Some(name))
            })
    }

    /// A step of changes that touch catalog rows only, in one transaction, with a short wait for locks.
    pub(super) fn brief(
        &mut self,
        name: impl Into<String>,
        changes: Vec<Change>,
    ) -> Result<&mut Step, Refusal> {
        let mut step = self.step(name, changes)?;
        step.statement_timeout = Some(BRIEF_TIMEOUT);
        Ok(self.push(step))
    }

    /// A step that works through rows under a lock which lets reads and writes go on.
    pub(super) fn long(
        &mut self,
        name: impl Into<String>,
        changes: Vec<Change>,
    ) -> Result<&mut Step, Refusal> {
        let mut step = self.step(name, changes)?;
        step.statement_timeout = Some(0);
        Ok(self.push(step))
    }

    /// A step that the server refuses inside of a transaction. It waits for old transactions by way of locks, so that a
    /// lock timeout would break it.
    pub(super) fn outside(&mut self, name: impl Into<String>, change: Change) -> Result<&mut Step, Refusal> {
        let mut step = self.step(name, vec![change])?;
        step.transaction = TransactionMode::NoTransaction;
        step.lock_timeout = Some(0);
        step.statement_timeout = Some(0);
        step.retries = Retries { attempts: 2, first_wait: 5_000, longest_wait: 60_000, undo_first: true };
        Ok(self.push(step))
    }

    /// A change that is harmless as it is.
    pub(super) fn direct(&mut self, change: &Change) -> Result<(), Refusal> {
        let name = sentence(&change.words());
        self.brief(name, vec![change.clone()])?;
        self.note_created(change);
        Ok(())
    }

    /// A change that is harmless as it is, outside of a transaction.
    pub(super) fn alone(&mut self, change: &Change) -> Result<(), Refusal> {
        let name = sentence(&change.words());
        self.outside(name, change.clone())?;
        Ok(())
    }

    /// A step that writes rows in batches.
    pub(super) fn backfill(
        &mut self,
        name: impl Into<String>,
        table: &Table,
        set: Vec<(Name, String)>,
        filter: String,
    ) -> &mut Step {
        let verify = CheckQuery {
            sql: format!("SELECT * FROM {} WHERE {filter}", self.quoted_name(&table.name)),
            rows_mean: "These rows are not written yet.".to_owned(),
            keys: keyset(table),
        };
        let step = Step {
            name: name.into(),
            transaction: TransactionMode::OneTransaction,
            lock_timeout: Some(LOCK_TIMEOUT),
            statement_timeout: Some(60_000),
            retries: RETRIES,
            verify: Some(verify),
            repeat: Some(Batches {
                table: table.name.clone(),
                keyset: keyset(table),
                set,
                filter,
                rows: BATCH_ROWS,
            }),
            ..Step::default()
        };
        self.push(step)
    }

    fn step(&mut self, name: impl Into<String>, changes: Vec<Change>) -> Result<Step, Refusal> {
        let mut expected = Effects::default();
        let mut back: Vec<Vec<Change>> = Vec::new();
        let mut irreversible = None;
        for change in &changes {
            let effects = self.effects(change);
            if let Some(because) = &effects.refused {
                return Err(because.clone());
            }
            for effect in &effects.relations {
                expected.add(&effect.relation, effect.lock, effect.cost);
            }
            if effects.transaction > expected.transaction {
                expected.transaction = effects.transaction;
            }
            for demand in effects.demands {
                if !expected.demands.contains(&demand) {
                    expected.demands.push(demand);
                }
            }
            expected.assumed.extend(effects.assumed);
            let after = self.imagine(std::slice::from_ref(change));
            match undo::of(self.know, &self.catalog, &after, change) {
                Ok(changes) => back.push(changes),
                Err(because) => irreversible = irreversible.or(Some(because)),
            }
            self.catalog = after;
        }
        let undo = match irreversible {
            Some(because) => Undo::Irreversible(because),
            None => {
                let back: Vec<Change> = back.into_iter().rev().flatten().collect();
                let passing: Vec<Name> = back.iter().filter_map(dropped_constraint).cloned().collect();
                // Rows are checked after what is brief, so that it stays together.
                let is_late = |change: &Change| {
                    matches!(change, Change::ValidateConstraint { constraint, .. }
                        if changes.len() > 1 && !passing.contains(constraint))
                };
                let (late, back): (Vec<Change>, Vec<Change>) = back.into_iter().partition(is_late);
                let back: Vec<Change> = back.into_iter().chain(late).collect();
                let mut undo: Vec<Work> = Vec::new();
                for change in &back {
                    undo.extend(not_null::guard(self.know, change, &back).map(Work::Sql));
                    undo.push(change.clone().into());
                }
                Undo::Work(undo)
            }
        };
        Ok(Step {
            name: name.into(),
            work: changes.into_iter().map(Work::from).collect(),
            lock_timeout: Some(LOCK_TIMEOUT),
            retries: RETRIES,
            expected,
            undo,
            ..Step::default()
        })
    }

    fn push(&mut self, step: Step) -> &mut Step {
        self.steps.push(step);
        self.steps.last_mut().expect("a step was pushed on the line before")
    }

    /// Remembers what the plan makes for good: nobody uses it yet.
    pub(super) fn note_created(&mut self, change: &Change) {
        let name = match change {
            Change::CreateTable { table, .. } | Change::CreateTableLike { table, .. } => &table.name,
            Change::CreateTableAs { name, .. } => name,
            Change::CreateView { view, .. } if view.materialized => &view.name,
            _ => return,
        };
        self.created.insert(full_name(name));
    }
}

/// Columns of a unique key without nulls; none when the table has no such key.
pub(super) fn keyset(table: &Table) -> Vec<Name> {
    if let Some(key) = &table.primary_key {
        return key.columns.clone();
    }
    let whole = table.indexes.iter().filter(|index| index.unique && index.valid && index.predicate.is_none());
    let not_null = |name: &&Name| table.column(name.as_str()).is_some_and(|column| column.not_null);
    whole
        .filter_map(|index| index.columns())
        .find(|columns| columns.iter().all(not_null))
        .map(|columns| columns.into_iter().cloned().collect())
        .unwrap_or_default()
}

/// The constraint that a change drops by name.
fn dropped_constraint(change: &Change) -> Option<&Name> {
    match change {
        Change::DropConstraint { constraint: DroppedConstraint::Named(name), .. } => Some(name),
        _ => None,
    }
}

/// The name with its schema.
pub(super) fn full_name(name: &QualifiedName) -> QualifiedName {
    if name.schema.is_empty() { QualifiedName::new("public", &name.name) } else { name.clone() }
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

#[cfg(test)]
mod tests {
    use dbwright_model::catalog::{Column, Index, IndexPart};

    use super::*;

    #[test]
    fn a_fragment_becomes_a_sentence() {
        assert_eq!(sentence("analyze"), "Analyze.");
    }

    #[test]
    fn batches_go_by_a_unique_key_without_nulls() {
        let column = |name: &str, not_null| Column { name: Name::new(name), not_null, ..Column::default() };
        let unique = |name: &str| Index {
            name: Name::from(format!("{name}_key")),
            parts: vec![IndexPart::column(name)],
            unique: true,
            ..Index::default()
        };
        let mut table = Table { columns: vec![column("a", false), column("b", true)], ..Table::default() };
        table.indexes.push(unique("a"));
        assert_eq!(keyset(&table), Vec::<Name>::new());
        table.indexes.push(unique("b"));
        assert_eq!(keyset(&table), [Name::new("b")]);
    }
}
