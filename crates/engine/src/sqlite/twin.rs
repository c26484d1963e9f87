//! Two scratch files on which migrations are tried: one goes through them as they stand, with their transactions; on the
//! other each statement is observed by itself, over tables with enough rows to tell what is done to them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error};

use super::observe::{Observation, TELLING_ROWS, literal, observe_within, quoted, words};
use crate::dsn::Dsn;
use crate::session::{SessionError, SessionErrorKind};
use crate::write::Consent;

/// Rows that a table gets for being observed.
const ROWS: u64 = TELLING_ROWS + TELLING_ROWS / 5;

/// The first number among the values of those rows, beyond what migrations insert.
const FIRST: u64 = 1_000_000;

/// Steps of the virtual machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// The two files. They lie where the consent says, the second with a word behind its name.
pub struct Twin {
    faithful: Connection,
    observed: Connection,
    observed_path: PathBuf,
    /// Tables that could not be given rows.
    thin: BTreeSet<String>,
    /// Whether a statement passed on the first file and not on the second.
    apart: bool,
}

impl Twin {
    /// Makes both files.
    pub fn open(consent: &Consent) -> Result<Self, SessionError> {
        let Dsn::Sqlite(path) = consent.target() else {
            return Err(trouble("only files of SQLite have a twin"));
        };
        let mut observed_path = path.clone().into_os_string();
        observed_path.push("-observed");
        let observed_path = PathBuf::from(observed_path);
        Ok(Twin {
            faithful: open(path)?,
            observed: open(&observed_path)?,
            observed_path,
            thin: BTreeSet::new(),
            apart: false,
        })
    }

    /// Names of the tables of the faithful file.
    pub fn tables(&self) -> Result<BTreeSet<String>, String> {
        tables(&self.faithful).map_err(|error| words(&error))
    }

    /// Tables that hold too few rows for a scan to be seen.
    pub fn thin(&self) -> &BTreeSet<String> {
        &self.thin
    }

    /// Whether a transaction is open on the faithful file.
    pub fn in_transaction(&self) -> bool {
        !self.faithful.is_autocommit()
    }

    /// Whether the files went different ways.
    pub fn is_apart(&self) -> bool {
        self.apart
    }

    /// Runs a statement on the faithful file alone.
    pub fn run(&mut self, sql: &str, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        let over = move || Instant::now() > deadline;
        let watched = self.faithful.progress_handler(STEPS, Some(over));
        let outcome = watched.and_then(|()| self.faithful.execute_batch(sql));
        let unwatched = self.faithful.progress_handler(0, None::<fn() -> bool>);
        outcome.and(unwatched).map_err(|error| words(&error))
    }

    /// Sets the session of both files, as by a pragma.
    pub fn set(&mut self, sql: &str, limit: Duration) -> Result<(), String> {
        self.run(sql, limit)?;
        if !self.in_transaction() {
            self.observed.execute_batch(sql).map_err(|error| words(&error))?;
        }
        Ok(())
    }

    /// Runs a statement that the faithful file took on the other one, and tells what it did there.
    pub fn observe(&mut self, sql: &str, limit: Duration) -> Result<Observation, String> {
        let deadline = Some(Instant::now() + limit);
        let seen = observe_within(&mut self.observed, sql, false, deadline).map_err(|error| words(&error));
        self.apart |= !seen.as_ref().is_ok_and(|seen| seen.error.is_none());
        seen
    }

    /// Runs a statement on the faithful file that need not be observed.
    pub fn pass(&mut self, sql: &str, limit: Duration) -> Result<(), String> {
        self.apart = true;
        self.run(sql, limit)
    }

    /// Brings the files together where they went different ways, and gives tables rows. No transaction may be open.
    pub fn meet(&mut self) -> Result<(), String> {
        let foreign_keys = self.setting("foreign_keys")?;
        let cannot = |error: Error| words(&error);
        if self.apart {
            self.copy()?;
        }
        self.fill().map_err(cannot)?;
        self.observed.execute_batch(&format!("PRAGMA foreign_keys = {foreign_keys}")).map_err(cannot)
    }

    /// Makes the second file a copy of the first.
    fn copy(&mut self) -> Result<(), String> {
        let cannot = |error: Error| words(&error);
        self.observed = Connection::open_in_memory().map_err(cannot)?;
        for end in ["", "-wal", "-shm"] {
            let mut path = self.observed_path.clone().into_os_string();
            path.push(end);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
                _ => {}
            }
        }
        let path = self.observed_path.to_string_lossy();
        self.faithful.execute_batch(&format!("VACUUM INTO {}", literal(&path))).map_err(cannot)?;
        self.observed = open(&self.observed_path).map_err(|error| error.message)?;
        self.apart = false;
        Ok(())
    }

    fn setting(&self, name: &str) -> Result<i64, String> {
        let sql = format!("PRAGMA {name}");
        self.faithful.query_row(&sql, [], |row| row.get(0)).map_err(|error| words(&error))
    }

    /// Gives every table of the second file enough rows. All of them hold the same numbers, so that references meet.
    fn fill(&mut self) -> Result<(), Error> {
        let connection = &self.observed;
        self.thin.clear();
        let few = |table: &String| rows_of(connection, table).unwrap_or_default() < TELLING_ROWS;
        let tables: Vec<String> = tables(connection)?.into_iter().filter(few).collect();
        if tables.is_empty() {
            return Ok(());
        }
        connection.execute_batch("PRAGMA foreign_keys = off; PRAGMA ignore_check_constraints = on; BEGIN")?;
        let triggers = connection
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND sql IS NOT NULL")?
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
            .collect::<Result<Vec<_>, Error>>()?;
        for (name, _) in &triggers {
            connection.execute_batch(&format!("DROP TRIGGER {}", quoted(name)))?;
        }
        for table in tables {
            let filled = fill_table(connection, &table).and_then(|()| rows_of(connection, &table));
            if filled.unwrap_or_default() < TELLING_ROWS {
                self.thin.insert(table);
            }
        }
        for (_, sql) in &triggers {
            connection.execute_batch(sql)?;
        }
        connection.execute_batch("COMMIT; PRAGMA ignore_check_constraints = off")
    }
}

fn tables(connection: &Connection) -> Result<BTreeSet<String>, Error> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn rows_of(connection: &Connection, table: &str) -> Result<u64, Error> {
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

fn fill_table(connection: &Connection, table: &str) -> Result<(), Error> {
    let sql =
        format!("SELECT name, upper(type) FROM pragma_table_xinfo({}) WHERE hidden = 0", literal(table));
    let columns = connection
        .prepare(&sql)?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .collect::<Result<Vec<_>, Error>>()?;
    let has = |data_type: &str, words: &[&str]| words.iter().any(|word| data_type.contains(word));
    let value = |data_type: &String| match data_type {
        text if has(text, &["INT"]) => "i",
        text if has(text, &["CHAR", "CLOB", "TEXT", "DATE", "TIME"]) => "'x' || i",
        text if has(text, &["BLOB"]) => "CAST('x' || i AS BLOB)",
        _ => "i",
    };
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    let values: Vec<&str> = columns.iter().map(|(_, data_type)| value(data_type)).collect();
    connection.execute_batch(&format!(
        "WITH RECURSIVE n(i) AS (SELECT {FIRST} UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
         INSERT OR IGNORE INTO {} ({}) SELECT {} FROM n",
        FIRST + ROWS,
        quoted(table),
        names.join(", "),
        values.join(", ")
    ))
}

fn open(path: &Path) -> Result<Connection, SessionError> {
    let connection = Connection::open(path).map_err(|error| trouble(words(&error)))?;
    // Nobody needs the file after a crash.
    connection.execute_batch("PRAGMA synchronous = off").map_err(|error| trouble(words(&error)))?;
    Ok(connection)
}

fn trouble(message: impl Into<String>) -> SessionError {
    SessionError { kind: SessionErrorKind::Internal, message: message.into(), hint: None }
}
