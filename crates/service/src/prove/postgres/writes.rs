//! Rows that an application writes between the steps of a plan, and the same in databases that know nothing of it.

use std::collections::BTreeSet;

use dbwright_engine::postgres::observe::Observer;
use dbwright_model::catalog::{Catalog, Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::name::{Name, QualifiedName};

use super::super::rows;
use super::{Stop, Trial, clip, failed, full, quoted};

/// Rows that the tables have before the first write.
const FIRST: u32 = 21;
/// What updated values are made of, far from those of new rows.
const UPDATED: u32 = 400;

/// One write in terms of the tables before the plan.
struct Write<'a> {
    table: &'a Table,
    /// Columns and their values.
    values: Vec<(Name, String)>,
    /// What tells the row that is updated; a new row when absent.
    of: Option<Vec<(Name, String)>>,
}

/// A write that goes on and on, with the databases that it is compared in: one as before the plan, and one as after the
/// change by itself.
pub(super) struct Writes<'a> {
    catalog: &'a Catalog,
    changes: &'a [Change],
    /// The first step, counted from 1, after which the application may know only new names.
    released: usize,
    tables: Vec<&'a Table>,
    start: Observer<'a>,
    end: Observer<'a>,
    round: u32,
    done: usize,
    /// Whether a new row was refused somewhere, which may have drawn numbers of a sequence.
    uneven: bool,
}

impl<'a> Writes<'a> {
    pub(super) async fn new(trial: &Trial<'a>, start: &str, end: &str) -> Result<Self, Stop> {
        let concerned = trial.concerned();
        let is_parent = |table: &Table| {
            trial.before.tables.iter().any(|other| {
                concerned.contains(&other.name)
                    && other.foreign_keys.iter().any(|key| full(&key.references) == table.name)
            })
        };
        // Which rows a partitioned table holds depends on the partitions that it has at the time.
        let parts_change = trial.changes.iter().any(|change| match change {
            Change::AttachPartition { .. } | Change::DetachPartition { .. } => true,
            Change::CreateTable { table, .. } => matches!(table.kind, TableKind::Partition { .. }),
            _ => false,
        });
        let is_written = |table: &&Table| match table.kind {
            TableKind::Ordinary => true,
            TableKind::Partitioned { .. } => !parts_change,
            _ => false,
        };
        let mut tables: Vec<&Table> = trial
            .before
            .tables
            .iter()
            .filter(is_written)
            .filter(|table| concerned.contains(&table.name) || is_parent(table))
            .collect();
        // Parents first, so that references find them.
        tables.sort_by_key(|table| (table.foreign_keys.len(), table.name.clone()));
        let mut open = Vec::new();
        for database in [start, end] {
            let mut session = Observer::open(trial.server, database).await?;
            let _ = session.script("set client_min_messages = warning").await;
            open.push(session);
        }
        let (Some(end), Some(start)) = (open.pop(), open.pop()) else {
            return Err(failed("No session is there to write with.".to_owned()));
        };
        let released = trial.plan.steps.iter().position(|step| step.waits_for.is_some());
        Ok(Writes {
            catalog: trial.before,
            changes: trial.changes,
            released: released.map_or(usize::MAX, |position| position + 1),
            tables,
            start,
            end,
            round: 0,
            done: 0,
            uneven: false,
        })
    }

    /// How many writes were done.
    pub(super) fn end(self) -> usize {
        self.done
    }

    /// Whether every database has drawn the same numbers of its sequences.
    pub(super) fn is_even(&self) -> bool {
        !self.uneven
    }

    /// Writes a new row and an old one into each table, when as many steps as said are done.
    pub(super) async fn go_on(
        &mut self,
        plan: &mut Observer<'_>,
        steps_done: usize,
        when: &str,
    ) -> Result<(), Stop> {
        let round = self.round;
        self.round += 1;
        let mut refused: Vec<QualifiedName> = Vec::new();
        for table in self.tables.clone() {
            let values = rows::row(Dialect::Postgres, self.catalog, table, FIRST + round);
            let insert = Write { table, values, of: None };
            if !self.write(&insert, plan, steps_done, when).await? {
                // It may have drawn numbers of a sequence that the others have not drawn.
                refused.push(table.name.clone());
                self.uneven = true;
                continue;
            }
            let key = rows::key_of(self.catalog, table, 1 + round);
            let keep = |(name, _): &(Name, String)| !key.iter().any(|(other, _)| other == name);
            let values = rows::row(Dialect::Postgres, self.catalog, table, UPDATED + round);
            let values: Vec<(Name, String)> = values.into_iter().filter(keep).collect();
            let whole = Write { table, values: values.clone(), of: Some(key.clone()) };
            if values.is_empty() || self.write(&whole, plan, steps_done, when).await? {
                continue;
            }
            for value in values {
                let single = Write { table, values: vec![value], of: Some(key.clone()) };
                self.write(&single, plan, steps_done, when).await?;
            }
        }
        self.tables.retain(|table| !refused.contains(&table.name));
        Ok(())
    }

    /// Writes into all three databases, or into none when one without the plan refuses it.
    async fn write(
        &mut self,
        write: &Write<'_>,
        plan: &mut Observer<'_>,
        steps_done: usize,
        when: &str,
    ) -> Result<bool, Stop> {
        let Some(start) = statement(self.changes, write, &mut self.start, false).await? else {
            return Ok(false);
        };
        let Some(end) = statement(self.changes, write, &mut self.end, true).await? else {
            return Ok(false);
        };
        // Until the release both names are used where both are served.
        let is_new = steps_done >= self.released || self.round.is_multiple_of(2);
        let Some(planned) = statement(self.changes, write, plan, is_new).await? else { return Ok(false) };
        for session in [&mut self.start, &mut self.end] {
            session.script("begin").await.map_err(|error| failed(format!("{}.", error.message)))?;
        }
        let accepted = self.start.script(&start).await.is_ok() && self.end.script(&end).await.is_ok();
        let word = if accepted { "commit" } else { "rollback" };
        // A promise may be kept at the end of a transaction only.
        let first = self.end.script(word).await.is_ok() && accepted;
        let second = self.start.script(if first { "commit" } else { "rollback" }).await.is_ok() && first;
        if !second {
            return Ok(false);
        }
        plan.script(&planned).await.map_err(|error| {
            failed(format!(
                "An application that writes {when} is refused: `{}`: {}.",
                clip(&planned),
                error.message
            ))
        })?;
        self.done += 1;
        Ok(true)
    }
}

/// A write in the names that a database has; `None` when it has no such table, row or column.
async fn statement(
    changes: &[Change],
    write: &Write<'_>,
    session: &mut Observer<'_>,
    is_new: bool,
) -> Result<Option<String>, Stop> {
    let old = &write.table.name;
    let renamed = changes.iter().find_map(|change| match change {
        Change::RenameTable { table, to, .. } if full(table) == *old => Some(old.sibling(&to.name)),
        _ => None,
    });
    let mut candidates: Vec<QualifiedName> = renamed.into_iter().chain([old.clone()]).collect();
    if !is_new {
        candidates.reverse();
    }
    for name in candidates {
        let sql = format!(
            "select attname::text from pg_attribute where attrelid = to_regclass('{}') and attnum > 0 and not attisdropped",
            quoted(&name).replace('\'', "''")
        );
        let columns = session.texts(&sql).await.map_err(|error| failed(format!("{}.", error.message)))?;
        let columns: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
        if !columns.is_empty() {
            return Ok(spell(changes, write, &name, &columns, is_new));
        }
    }
    Ok(None)
}

fn spell(
    changes: &[Change],
    write: &Write<'_>,
    table: &QualifiedName,
    columns: &BTreeSet<&str>,
    is_new: bool,
) -> Option<String> {
    let quote = |name: &str| dbwright_sql::quote_identifier(Dialect::Postgres, name);
    let current = |name: &Name| -> Option<String> {
        let renamed = changes.iter().find_map(|change| match change {
            Change::RenameColumn { table, column, to, .. }
                if full(table) == write.table.name && column == name =>
            {
                Some(to)
            }
            _ => None,
        });
        let mut candidates: Vec<&Name> = renamed.into_iter().chain([name]).collect();
        if !is_new {
            candidates.reverse();
        }
        candidates.into_iter().find(|name| columns.contains(name.as_str())).map(|name| quote(name.as_str()))
    };
    let told = |pairs: &[(Name, String)]| -> Vec<(String, String)> {
        pairs.iter().filter_map(|(name, value)| Some((current(name)?, value.clone()))).collect()
    };
    let values = told(&write.values);
    if values.is_empty() {
        return None;
    }
    let table = quoted(table);
    let Some(of) = &write.of else {
        let (names, values): (Vec<String>, Vec<String>) = values.into_iter().unzip();
        return Some(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), values.join(", ")));
    };
    let key = told(of);
    if key.len() != of.len() || key.is_empty() {
        return None;
    }
    let equal = |pairs: Vec<(String, String)>, word: &str| {
        let parts: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name} = {value}")).collect();
        parts.join(word)
    };
    Some(format!("UPDATE {table} SET {} WHERE {}", equal(values, ", "), equal(key, " AND ")))
}
