//! What a statement does to an SQLite file: run on a scratch file, then pages written, work done and things lost are
//! read off.
//!
//! - *Rewritten*: of the pages that a table has afterwards nine in ten or more were written.
//! - *Index built*: the same for an index of the table, or an index that was not there.
//! - *Scanned*: the virtual machine took at least as many steps as the table has rows. That cannot be told of a table
//!   with less than [`TELLING_ROWS`] rows, whose scan is no more work than reading the schema. Steps are not counted by
//!   table: where several changed, it is said of those whose rows did, and of a table that is only read, as by
//!   `ANALYZE`, nothing is told.
//! - The lock is always the same: a file has one writer. It is given to each table whose pages, rows or definition, or
//!   whose indexes' or triggers' definitions, changed.
//!
//! The file is put into write-ahead mode, since the log tells which pages a transaction wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use dbwright_model::effect::{Cost, Lock, Loss, LossKind, RelationEffect, TransactionUse};
use dbwright_model::name::QualifiedName;
use rusqlite::{Connection, Error, OptionalExtension};

/// Rows that a table must have before its scan can be told from work on the schema.
pub const TELLING_ROWS: u64 = 1_000;

/// Steps of the virtual machine between two counts.
const STEPS: u64 = 10;

/// Counts between two looks at the clock.
const GLANCE: u64 = 1_000;

/// What was seen of statements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Why they ended; what they had done was then undone, so nothing else is told.
    pub error: Option<String>,
    /// How they got along with a transaction. Several statements bring their own or none.
    pub transaction: TransactionUse,
    /// Tables that were there before, by the name that they had.
    pub relations: Vec<RelationEffect>,
    /// What was gone or broken afterwards.
    pub losses: Vec<Loss>,
}

/// Runs statements for real and tells what they did. One statement is run in a transaction of its own, unless SQLite
/// refuses that; several are run as they stand.
///
/// An error is one of the observation itself, such as a file that cannot be read.
pub fn observe(connection: &mut Connection, sql: &str, several: bool) -> Result<Observation, Error> {
    observe_within(connection, sql, several, None)
}

/// The same of statements that are interrupted at a moment, which is then their error.
pub(super) fn observe_within(
    connection: &mut Connection,
    sql: &str,
    several: bool,
    deadline: Option<Instant>,
) -> Result<Observation, Error> {
    connection.query_row("PRAGMA journal_mode = wal", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let before = State::read(connection)?;
    let steps = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&steps);
    connection.progress_handler(
        STEPS as i32,
        Some(move || {
            let counted = counter.fetch_add(STEPS, Ordering::Relaxed);
            // Asking for the time is dearer than the steps in between.
            counted.is_multiple_of(STEPS * GLANCE)
                && deadline.is_some_and(|deadline| Instant::now() > deadline)
        }),
    )?;
    let mut observation = Observation::default();
    let mut outcome = if several { connection.execute_batch(sql) } else { run_inside(connection, sql) };
    if !several && matches!(&outcome, Err(error) if error.to_string().contains("within a transaction")) {
        observation.transaction = TransactionUse::Outside;
        outcome = connection.execute_batch(sql);
    }
    let steps = steps.load(Ordering::Relaxed);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    if let Err(error) = outcome {
        observation.error = Some(words(&error));
        return Ok(observation);
    }
    let written = written_pages(connection)?;
    let after = State::read(connection)?;
    observation.relations = before.effects(&after, &written, steps);
    observation.losses = before.losses(&after);
    Ok(observation)
}

fn run_inside(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.execute_batch("BEGIN")?;
    let outcome = connection.execute_batch(sql).and_then(|()| connection.execute_batch("COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    outcome
}

/// SQLite's words, without the statement that the library repeats.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

/// Numbers of the pages that the write-ahead log holds: a header of 32 bytes, then for each page a header of 24 bytes
/// that begins with the number of the page.
fn written_pages(connection: &Connection) -> Result<BTreeSet<u64>, Error> {
    let mut pages = BTreeSet::new();
    let path = connection.path().filter(|path| !path.is_empty());
    let Some(log) = path.map(|path| PathBuf::from(format!("{path}-wal"))) else { return Ok(pages) };
    // A file without a log was not written to.
    let Ok(bytes) = std::fs::read(&log) else { return Ok(pages) };
    let size: u16 = connection.query_row("PRAGMA page_size", [], |row| row.get::<_, u32>(0)).map(|size| {
        // The largest size does not fit, and is 65,536.
        u16::try_from(size).unwrap_or(0)
    })?;
    let size = if size == 0 { 65_536 } else { usize::from(size) };
    for frame in bytes.get(32..).unwrap_or_default().chunks_exact(24 + size) {
        let number = frame.iter().take(4).fold(0, |number, byte| number << 8 | u64::from(*byte));
        pages.insert(number);
    }
    Ok(pages)
}

/// An entry of the schema.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: String,
    table: String,
    root: i64,
    sql: Option<String>,
}

/// What a file holds.
#[derive(Debug, Default)]
struct State {
    /// By name.
    entries: BTreeMap<String, Entry>,
    rows: BTreeMap<String, u64>,
    /// Pages of each table and index.
    pages: BTreeMap<String, BTreeSet<u64>>,
    sequences: BTreeMap<String, i64>,
    /// Tables referred to, by table and number of the key.
    references: BTreeMap<(String, i64), String>,
    orphans: BTreeMap<String, u64>,
    unreadable: BTreeSet<String>,
    unwritable: BTreeSet<String>,
}

impl State {
    fn read(connection: &Connection) -> Result<State, Error> {
        let mut state = State::default();
        let sql = "SELECT name, type, tbl_name, rootpage, sql FROM sqlite_schema";
        let entry = |row: &rusqlite::Row<'_>| {
            let entry = Entry { kind: row.get(1)?, table: row.get(2)?, root: row.get(3)?, sql: row.get(4)? };
            Ok((row.get::<_, String>(0)?, entry))
        };
        for found in connection.prepare(sql)?.query_map([], entry)? {
            let (name, entry) = found?;
            state.entries.insert(name, entry);
        }
        let pages = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, unsigned(row.get(1)?)));
        for found in connection.prepare("SELECT name, pageno FROM dbstat")?.query_map([], pages)? {
            let (name, page) = found?;
            state.pages.entry(name).or_default().insert(page);
        }
        let entries = state.entries.clone();
        for (name, entry) in entries.iter().filter(|(name, _)| !name.starts_with("sqlite_")) {
            let quoted = quoted(name);
            match entry.kind.as_str() {
                "table" => {
                    // A virtual table may lack its module.
                    let count = format!("SELECT count(*) FROM {quoted}");
                    if let Ok(rows) = connection.query_row(&count, [], |row| row.get(0).map(unsigned)) {
                        state.rows.insert(name.clone(), rows);
                    }
                    state.read_references(connection, name)?;
                    if !writable(connection, name)? {
                        state.unwritable.insert(name.clone());
                    }
                }
                "view" if connection.prepare(&format!("SELECT * FROM {quoted}")).is_err() => {
                    state.unreadable.insert(name.clone());
                }
                _ => {}
            }
        }
        if entries.contains_key("sqlite_sequence") {
            let sequence = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
            for found in
                connection.prepare("SELECT name, seq FROM sqlite_sequence")?.query_map([], sequence)?
            {
                state.sequences.extend([found?]);
            }
        }
        Ok(state)
    }

    fn read_references(&mut self, connection: &Connection, table: &str) -> Result<(), Error> {
        let sql = format!("PRAGMA foreign_key_list({})", quoted(table));
        let key = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(2)?));
        for found in connection.prepare(&sql)?.query_map([], key)? {
            let (number, parent) = found?;
            self.references.insert((table.to_owned(), number), parent);
        }
        // A key to something that is no key of its parent cannot be checked at all.
        let sql = format!("SELECT count(*) FROM pragma_foreign_key_check({})", literal(table));
        if let Some(orphans) =
            connection.query_row(&sql, [], |row| row.get(0).map(unsigned)).optional().unwrap_or_default()
        {
            self.orphans.insert(table.to_owned(), orphans);
        }
        Ok(())
    }

    /// The name that a table has now: one that was renamed kept its root page.
    fn name_in<'a>(&self, after: &'a State, table: &'a str) -> Option<&'a str> {
        if after.is_table(table) {
            return Some(table);
        }
        let root = self.entries.get(table)?.root;
        let same = |(name, entry): (&'a String, &Entry)| {
            (entry.kind == "table" && entry.root == root && !self.entries.contains_key(name))
                .then_some(name.as_str())
        };
        after.entries.iter().find_map(same)
    }

    fn is_table(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.kind == "table")
    }

    fn tables(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter(|(name, entry)| entry.kind == "table" && !name.starts_with("sqlite_"))
            .map(|(name, _)| name.as_str())
    }

    /// Indexes or triggers of a table.
    fn parts(&self, kind: &str, table: &str) -> BTreeSet<&str> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.kind == kind && entry.table == table)
            .map(|(name, _)| name.as_str())
            .collect()
    }

    fn effects(&self, after: &State, written: &BTreeSet<u64>, steps: u64) -> Vec<RelationEffect> {
        let mut effects = Vec::new();
        // Tables for which nothing dearer was seen, and whether their rows changed.
        let mut scanned = Vec::new();
        for table in self.tables() {
            let now = self.name_in(after, table);
            let definitions = |state: &State, name: &str| -> Vec<Option<String>> {
                let of = |entry: &&Entry| entry.table == name;
                state.entries.values().filter(of).map(|entry| entry.sql.clone()).collect()
            };
            let own_pages = |state: &State, name: &str| -> BTreeSet<u64> {
                let parts = state.parts("index", name);
                let names = std::iter::once(name).chain(parts);
                names.filter_map(|name| state.pages.get(name)).flatten().copied().collect()
            };
            let pages_written = now.is_some_and(|now| !own_pages(after, now).is_disjoint(written));
            let rows_changed = now.is_none_or(|now| self.rows.get(table) != after.rows.get(now));
            let defined_anew =
                now.is_none_or(|now| now != table || definitions(self, table) != definitions(after, now));
            if !pages_written && !rows_changed && !defined_anew {
                continue;
            }
            let rewritten = |name: &str| {
                after.pages.get(name).is_some_and(|pages| {
                    pages.len() > 2 && pages.intersection(written).count() * 10 >= pages.len() * 9
                })
            };
            let rows = self.rows.get(table).copied().unwrap_or_default();
            let cost = match now {
                None => Cost::Brief,
                Some(now) if rewritten(now) => Cost::Rewrite,
                Some(now) if rows > 0 && after.parts("index", now).into_iter().any(rewritten) => {
                    Cost::IndexBuild
                }
                Some(_) => {
                    if rows >= TELLING_ROWS && steps >= rows {
                        scanned.push((effects.len(), rows_changed));
                    }
                    Cost::Brief
                }
            };
            let relation = QualifiedName::bare(table);
            effects.push(RelationEffect { relation, lock: Lock::SqliteWrite, cost, algorithm: None });
        }
        let alone = effects.len() == 1;
        for (index, rows_changed) in scanned {
            if alone || rows_changed {
                effects[index].cost = Cost::Scan;
            }
        }
        effects
    }

    fn losses(&self, after: &State) -> Vec<Loss> {
        let mut losses = BTreeSet::new();
        let mut lose = |name: &str, kind: LossKind| {
            losses.insert(Loss { relation: QualifiedName::bare(name), kind });
        };
        for table in self.tables() {
            let Some(now) = self.name_in(after, table) else {
                if self.rows.get(table).is_some_and(|rows| *rows > 0) {
                    lose(table, LossKind::Rows);
                }
                continue;
            };
            if self.rows.get(table) > after.rows.get(now) {
                lose(now, LossKind::Rows);
            }
            for (kind, loss) in [("index", LossKind::Indexes), ("trigger", LossKind::Triggers)] {
                if self.parts(kind, table).len() > after.parts(kind, now).len() {
                    lose(now, loss);
                }
            }
            if self.sequences.get(table).is_some_and(|number| after.sequences.get(now) < Some(number)) {
                lose(now, LossKind::Sequence);
            }
            let moved =
                self.references.iter().filter(|((child, _), _)| child == table).any(|((_, key), parent)| {
                    let points_to = after.references.get(&(now.to_owned(), *key));
                    // A key follows a table that was renamed; it is lost when there is again a table of the old name.
                    points_to.is_some_and(|to| to != parent && after.is_table(parent))
                });
            if moved {
                lose(now, LossKind::ReferenceMoved);
            }
            let orphans = |state: &State, name: &str| state.orphans.get(name).copied();
            match (orphans(self, table), orphans(after, now)) {
                // What could be checked and no longer can points to nowhere.
                (Some(_), None) => lose(now, LossKind::Orphans),
                (Some(before), Some(after)) if after > before => lose(now, LossKind::Orphans),
                _ => {}
            }
            if after.unwritable.contains(now) && !self.unwritable.contains(table) {
                lose(now, LossKind::Unwritable);
            }
        }
        for view in after.unreadable.difference(&self.unreadable) {
            lose(view, LossKind::Unreadable);
        }
        losses.into_iter().collect()
    }
}

/// Whether inserts, updates and deletes compile, which compiles the triggers too.
fn writable(connection: &Connection, table: &str) -> Result<bool, Error> {
    let name = quoted(table);
    // Generated columns and those of virtual tables are not written; a table without others has nothing to try.
    let sql = format!("SELECT name FROM pragma_table_xinfo({}) WHERE hidden = 0", literal(table));
    let columns = connection
        .prepare(&sql)?
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<String>, Error>>()?;
    let mut statements = vec![format!("DELETE FROM {name}")];
    if !columns.is_empty() {
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let nulls = vec!["NULL"; list.len()].join(", ");
        statements.push(format!("INSERT INTO {name} ({}) VALUES ({nulls})", list.join(", ")));
        let sets: Vec<String> = list.iter().map(|column| format!("{column} = {column}")).collect();
        statements.push(format!("UPDATE {name} SET {}", sets.join(", ")));
    }
    Ok(statements.iter().all(|sql| connection.prepare(sql).is_ok()))
}

/// SQLite's numbers are signed, and these never below zero.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
