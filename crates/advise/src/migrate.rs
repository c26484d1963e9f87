//! Plans for changes of a database that is in use.
//!
//! A change that neither blocks in proportion to the size of a table nor may fail on its rows is a step as it stands. Every
//! other one has a recipe, or is declined with a reason.

mod builder;
mod undo;
mod query;
mod not_null;
mod index;
mod key;
mod constraint;
mod add_column;
mod column_back;
mod column_copy;
mod column_sync;
mod column_type;
mod dependants;
mod domain;
mod fits;
mod guarantee;
mod rename_column;
mod rights;
mod rename_table;
mod drop_column;
mod drop_table;
mod partition;
mod refresh;
mod enum_value;
mod sqlite;
mod throwaway;
mod words;

use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::effect::{Effects, PartitionChecks, TransactionUse};
use dbwright_model::engine::{Dialect, Version};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Declined, Plan, Step};

use builder::Builder;

/// What a planner must know of the dialect.
pub trait Knowledge {
    /// The catalog that a server would hold after the changes, sorted and settled.
    fn after(&self, catalog: &Catalog, changes: &[Change]) -> Catalog;
    /// What a statement does to a server that holds the catalog.
    fn effects(&self, catalog: &Catalog, statement: &[Change]) -> Effects;
    /// An identifier, quoted where the dialect needs it.
    fn identifier(&self, name: &str) -> String;
    /// Whether the dialect has statements for a change.
    fn expresses(&self, _change: &Change) -> bool {
        true
    }
    /// The checks that prove what a partition of a table with a bound holds, and what others do not; `None` where no check
    /// is known to.
    fn partition_checks(&self, _: &Catalog, _: &QualifiedName, _bound: &str) -> Option<PartitionChecks> {
        None
    }
}

/// Why something has no recipe, as a lower-case fragment.
type Refusal = String;

/// What rows that are there get in a column that had no value for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The table; any that has such a column when absent.
    pub table: Option<QualifiedName>,
    /// The column.
    pub column: Name,
    /// The value, as an expression over the columns of the row.
    pub value: String,
}

impl Given {
    /// Whether it is meant for a column of a table.
    pub fn is_for(&self, table: &QualifiedName, column: &Name) -> bool {
        let same = |own: &QualifiedName| {
            own.name == table.name
                && (own.schema.is_empty() || own.schema == builder::full_name(table).schema)
        };
        self.column == *column && self.table.as_ref().is_none_or(same)
    }
}

/// Plans the changes without values for rows that are there.
pub fn plan(
    know: &dyn Knowledge,
    catalog: &Catalog,
    version: Option<Version>,
    changes: &[Change],
) -> Result<Plan, Declined> {
    plan_with(know, catalog, version, changes, &[])
}

/// Plans the changes one after the other, each on the state that the ones before it leave. What has no safe way is listed in
/// [`Plan::declined`] together with later changes of the same tables; when nothing is left, the first reason is the error.
pub fn plan_with(
    know: &dyn Knowledge,
    catalog: &Catalog,
    version: Option<Version>,
    changes: &[Change],
    given: &[Given],
) -> Result<Plan, Declined> {
    let mut builder = Builder::new(know, catalog.clone(), version, given);
    let mut declined: Vec<Declined> = Vec::new();
    let mut unsettled: Vec<QualifiedName> = Vec::new();
    let gaps = guarantee::gaps(&builder, changes);
    for (position, change) in changes.iter().enumerate() {
        let touched = builder.touched_by(change);
        if let Some((_, because)) = gaps.iter().find(|(gap, _)| *gap == position) {
            unsettled.extend(touched);
            declined.push(Declined { change: position, because: because.clone() });
            continue;
        }
        if let Some(table) = touched.iter().find(|name| unsettled.contains(name)) {
            let because = format!("it may rest on an earlier change of `{table}` that has no safe way");
            declined.push(Declined { change: position, because });
            continue;
        }
        let mut tried = builder.clone();
        match one(&mut tried, change) {
            Ok(()) => builder = tried,
            Err(because) => {
                unsettled.extend(touched);
                declined.push(Declined { change: position, because });
            }
        }
    }
    let (steps, also, notes) = builder.into_parts();
    if steps.is_empty()
        && let Some(first) = declined.first()
    {
        return Err(first.clone());
    }
    Ok(Plan { title: title(changes), summary: summary(&steps, &notes), steps, also, declined })
}

fn title(changes: &[Change]) -> String {
    let mut words: Vec<String> = changes.iter().map(Change::words).collect();
    words.dedup();
    words.join(", ")
}

fn summary(steps: &[Step], notes: &[String]) -> String {
    let backfills = steps.iter().filter(|step| step.repeat.is_some()).count();
    let waits = steps.iter().filter(|step| step.waits_for.is_some()).count();
    let mut text = match steps.len() {
        0 => "There is nothing to do.".to_owned(),
        1 => "One step.".to_owned(),
        count => format!("{count} steps, each committed before the next."),
    };
    if backfills > 0 {
        text.push_str(" Existing rows are written in small batches.");
    }
    if waits > 0 {
        let at = match (steps.len(), waits) {
            (1, _) => "Before it".to_owned(),
            (_, 1) => "Before one of them".to_owned(),
            (all, waits) if all == waits => "Before each of them".to_owned(),
            (_, waits) => format!("Before {waits} of them"),
        };
        text.push_str(&format!(" {at} the plan waits for a release of the application."));
    }
    for note in notes {
        text.push_str(&format!(" {note}"));
    }
    text
}

/// Plans one change.
fn one(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    if builder.catalog.engine.dialect() == Dialect::Mysql {
        return Err(format!(
            "plans are written for PostgreSQL and SQLite only so far, and this is {}",
            builder.catalog.engine
        ));
    }
    match change {
        Change::Opaque { because, .. } => {
            return Err(format!("the statement is not understood: {because}"));
        }
        Change::Procedural { kind, .. } => return Err(kind.not_analysed().to_owned()),
        Change::SetLogged { table, .. } => {
            return Err(format!(
                "it writes every row of `{table}` anew while nobody reads or writes: fill a new table and switch the names"
            ));
        }
        Change::Data { .. } => {
            return Err("rows are not planned here: write them in batches as a backfill".to_owned());
        }
        Change::Nothing | Change::Transaction { .. } | Change::SetSessionSetting { .. } => return Ok(()),
        _ => {}
    }
    if builder.catalog.engine.dialect() == Dialect::Sqlite {
        return sqlite::plan(builder, change);
    }
    if builder.is_only_about_new(change) {
        return builder.direct(change);
    }
    match change {
        Change::SetNotNull { not_null: true, .. } => not_null::plan(builder, change),
        Change::CreateIndex { .. } => index::create(builder, change),
        Change::DropIndex { .. } => index::drop(builder, change),
        Change::Reindex { .. } | Change::ReindexAll { .. } => index::rebuild(builder, change),
        Change::AddPrimaryKey { .. } | Change::AddUnique { .. } => key::plan(builder, change),
        Change::AddForeignKey { .. } | Change::AddCheck { .. } | Change::ValidateConstraint { .. } => {
            constraint::plan(builder, change)
        }
        Change::AddColumn { .. } => add_column::plan(builder, change),
        Change::AlterColumnType { .. } => column_type::plan(builder, change),
        Change::RenameColumn { .. } => rename_column::plan(builder, change),
        Change::RenameTable { .. } => rename_table::plan(builder, change),
        Change::DropColumn { .. } => drop_column::plan(builder, change),
        Change::DropTable { .. } => drop_table::plan(builder, change),
        Change::AttachPartition { .. } => partition::attach(builder, change),
        Change::CreateTable { .. } => partition::create(builder, change),
        Change::DetachPartition { .. } => partition::detach(builder, change),
        Change::RefreshView { .. } => refresh::plan(builder, change),
        Change::AddDomainCheck { .. }
        | Change::SetDomainNotNull { not_null: true, .. }
        | Change::ValidateDomainConstraint { .. } => domain::plan(builder, change),
        Change::AddEnumValue { .. } => enum_value::plan(builder, change),
        _ => as_it_is(builder, change),
    }
}

/// A change as a step of its own, if that is harmless.
fn as_it_is(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let effects = builder.effects(change);
    harmless(&effects)?;
    if effects.transaction == TransactionUse::Outside {
        return builder.alone(change);
    }
    builder.direct(change)?;
    if let Change::DropConstraint { .. } = change {
        builder
            .tell_in_last("The way back does not write the comment of the constraint again, if it has one.");
    }
    Ok(())
}

/// Why a statement cannot be a step as it stands.
fn harmless(effects: &Effects) -> Result<(), Refusal> {
    if let Some(because) = &effects.refused {
        return Err(because.clone());
    }
    if let Some(effect) = effects.blocking().next() {
        return Err(format!(
            "it holds `{}` on `{}` during a {}, and no way around that is known",
            effect.lock.as_str(),
            effect.relation,
            effect.cost.as_str()
        ));
    }
    if !effects.demands.is_empty() {
        return Err("it fails if the rows do not fulfil it, and no way to prepare them is known".to_owned());
    }
    Ok(())
}
