//! How a server would carry out a change of a table: the strictest `ALGORITHM` and `LOCK` that it accepts, found by
//! asking for each on an empty copy of the table.
//!
//! The same statement may be instant on one table and copy every row of another, since a virtual column, a full-text
//! index, the bytes of a character set or a foreign key decide it. So the table itself is asked.
//!
//! An empty copy does not decide everything:
//!
//! - What rows decide: duplicates under a new unique key, nulls under a new `NOT NULL`, values that do not fit a type
//!   or a check, orphans of a foreign key. The copy accepts all of them; the real table may end with an error.
//! - What the past of the table decides: MySQL refuses `INSTANT` after 64 row versions, and a table whose columns were
//!   added instantly long ago may hold rows in an older format. `CREATE TABLE ... LIKE` makes a table without a past.
//! - How long it takes. [`ProbeResult::cost`] is the class of the work, which the copy tells without doing it.
//! - What `CREATE TABLE ... LIKE` leaves out: triggers, privileges, a `DATA DIRECTORY`, and everything that is no table,
//!   such as a sequence that a default asks: the statement then fails on the copy alone. Foreign keys are added again,
//!   those that point to the table too.
//! - Other tables: verifying a new foreign key keeps writers out of the parent until the copy is full, and a change of a
//!   parent waits for writers of its children.
//! - Whether a check is verified: MariaDB adds one that stands inside `MODIFY` or `ADD COLUMN` without looking at rows.
//!
//! The settings of the session count: `sql_mode` (MySQL and MariaDB convert nulls where it is not strict),
//! `foreign_key_checks` (a foreign key is added in place only without them, and then not verified) and
//! `alter_algorithm`. Probe with those that the change will run with.
//!
//! The answers of MariaDB 10.11 are compared with statements run on tables with rows. The branches for MySQL 8 (the names
//! of its dictionary views, the unknown word `NOCOPY`) are written after its manual and have not been run.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::effect::{Algorithm, Cost, Lock};
use dbwright_model::name::{Name, QualifiedName};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

use crate::write::WriteSession;

/// An `ALGORITHM` and a `LOCK` to ask for. `INSTANT` stands alone: MySQL refuses a lock beside it, and there is none to
/// speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The lock, unless the algorithm stands alone.
    pub lock: Option<Lock>,
}

/// What is asked for, strictest first. MariaDB from 11.2 on copies without a lock where it can.
pub const CLAUSES: [Clause; 10] = [
    Clause { algorithm: Algorithm::Instant, lock: None },
    Clause { algorithm: Algorithm::NoCopy, lock: Some(Lock::MysqlNone) },
    Clause { algorithm: Algorithm::NoCopy, lock: Some(Lock::MysqlShared) },
    Clause { algorithm: Algorithm::NoCopy, lock: Some(Lock::MysqlExclusive) },
    Clause { algorithm: Algorithm::InPlace, lock: Some(Lock::MysqlNone) },
    Clause { algorithm: Algorithm::InPlace, lock: Some(Lock::MysqlShared) },
    Clause { algorithm: Algorithm::InPlace, lock: Some(Lock::MysqlExclusive) },
    Clause { algorithm: Algorithm::Copy, lock: Some(Lock::MysqlNone) },
    Clause { algorithm: Algorithm::Copy, lock: Some(Lock::MysqlShared) },
    Clause { algorithm: Algorithm::Copy, lock: Some(Lock::MysqlExclusive) },
];

/// How a server carries out a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// The best algorithm that it accepts.
    pub algorithm: Algorithm,
    /// The weakest lock that it accepts with it.
    pub lock: Lock,
    /// The work; `None` when the account may not read the storage engine's dictionary and the algorithm alone does not
    /// tell.
    pub cost: Option<Cost>,
    /// Clauses that were refused before, with the server's words.
    pub refused: Vec<(Clause, String)>,
    /// A clause that the server accepted and did not keep to: it made a new table all the same. The algorithm is then
    /// `COPY`, and the lock is the one that copies of this kind were seen to hold, which keeps writers out. MariaDB does
    /// so for partitioning, for another storage engine, and for a new order of rows.
    pub ignored: Option<Clause>,
}

/// Why nothing is known of a change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The session is of another engine.
    #[error("only MySQL and MariaDB are asked for an algorithm")]
    OtherEngine,
    /// The copy could not be made.
    #[error("{what} failed: {message}")]
    Copy {
        /// What was tried.
        what: String,
        /// The server's words.
        message: String,
    },
    /// The statement is wrong for this table, whatever the clause.
    #[error("the server refused the statement: {message} ({code})")]
    Statement {
        /// The server's number of the error.
        code: u16,
        /// Its words.
        message: String,
    },
    /// The connection was lost.
    #[error("the connection was lost: {0}")]
    Lost(String),
}

/// The statement to be probed: given the database of the copy and a clause, its text.
pub type Writer<'a> = &'a (dyn Fn(Option<&Name>, Option<Clause>) -> String + Sync);

/// Finds the strictest clause that the server accepts for a change of `table`, on an empty copy in a database that is
/// made for it and dropped. The table itself is only looked at, with a lock that readers take too.
///
/// Making the copy takes the privileges `CREATE`, `ALTER`, `INDEX`, `DROP` and `REFERENCES` on databases beginning with
/// `dbwright_probe_`, and its statements go to replicas unless the account may switch that off; a scratch server spares
/// both.
pub async fn probe(
    session: &mut WriteSession,
    table: &QualifiedName,
    parents: &[QualifiedName],
    write: Writer<'_>,
) -> Result<ProbeResult, ProbeError> {
    let WriteSession::Mysql(conn) = session else { return Err(ProbeError::OtherEngine) };
    let before: Option<(Option<String>, u64)> = conn
        .query_first("SELECT DATABASE(), CONNECTION_ID()")
        .await
        .map_err(copying("reading the session"))?;
    let (home, id) = before.unwrap_or_default();
    let database = Name::new(format!("dbwright_probe_{id}"));
    // An account without the privilege leaves a trace in the binary log, which does no harm to anybody's tables.
    let unlogged = conn.query_drop("SET SESSION sql_log_bin = 0").await.is_ok();
    let outcome = probe_in(conn, &database, home.as_deref().unwrap_or_default(), table, parents, write).await;
    let dropped = conn.query_drop(format!("DROP DATABASE IF EXISTS {}", quoted(database.as_str()))).await;
    if let Some(home) = home {
        conn.query_drop(format!("USE {}", quoted(&home)))
            .await
            .map_err(copying("returning to the database"))?;
    }
    if unlogged {
        let _ = conn.query_drop("SET SESSION sql_log_bin = 1").await;
    }
    let result = outcome?;
    dropped.map_err(copying("dropping the copy"))?;
    Ok(result)
}

async fn probe_in(
    conn: &mut Conn,
    database: &Name,
    home: &str,
    table: &QualifiedName,
    parents: &[QualifiedName],
    write: Writer<'_>,
) -> Result<ProbeResult, ProbeError> {
    let at_home = |name: &QualifiedName| {
        let schema = if name.schema == Name::DEFAULT { home } else { name.schema.as_str() };
        (schema.to_owned(), name.name.as_str().to_owned())
    };
    let quoted_database = quoted(database.as_str());
    conn.query_drop(format!("CREATE DATABASE {quoted_database}"))
        .await
        .map_err(copying("making a database"))?;
    let keys = foreign_keys(conn, &at_home(table)).await.map_err(copying("reading the foreign keys"))?;
    let mut tables = BTreeMap::new();
    let mentioned = std::iter::once(at_home(table))
        .chain(parents.iter().map(at_home))
        .chain(keys.iter().flat_map(|key| [key.child.clone(), key.parent.clone()]));
    for (schema, name) in mentioned {
        // Of two tables of one name in two databases the first is copied; keys to the other cannot be told apart.
        tables.entry(name).or_insert(schema);
    }
    for (name, schema) in &tables {
        let name = quoted(name);
        let sql = format!("CREATE TABLE {quoted_database}.{name} LIKE {}.{name}", quoted(schema));
        conn.query_drop(sql).await.map_err(copying(&format!("copying the table {name}")))?;
    }
    conn.query_drop(format!("USE {quoted_database}")).await.map_err(copying("entering the copy"))?;
    for key in &keys {
        let columns = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {} ON UPDATE {}",
            quoted(&key.child.1),
            quoted(&key.name),
            columns(&key.columns),
            quoted(&key.parent.1),
            columns(&key.parent_columns),
            key.on_delete,
            key.on_update,
        );
        conn.query_drop(sql)
            .await
            .map_err(copying(&format!("adding the foreign key {}", quoted(&key.name))))?;
    }
    ask(conn, database.as_str(), &|clause| write(Some(database), clause)).await
}

/// Asks for one clause after the other until one is accepted, which changes the tables of the session's database.
///
/// What is measured besides is whether the tables of `database` were built anew.
pub async fn ask(
    conn: &mut Conn,
    database: &str,
    write: &(dyn Fn(Option<Clause>) -> String + Sync),
) -> Result<ProbeResult, ProbeError> {
    let before = Storage::read(conn, database).await;
    let mut refused = Vec::new();
    let mut last = (0, String::new());
    for clause in CLAUSES {
        match conn.query_drop(write(Some(clause))).await {
            Ok(()) => {
                // A copy counts the rows it wrote; everything else counts none.
                let copied = conn.affected_rows() > 0;
                let after = Storage::read(conn, database).await;
                let storage = before.as_ref().zip(after.as_ref());
                return Ok(accepted(clause, copied, storage, refused));
            }
            Err(mysql_async::Error::Server(error)) if is_refusal(error.code) => {
                last = (error.code, error.message.clone());
                refused.push((clause, error.message));
            }
            Err(mysql_async::Error::Server(error)) => {
                return Err(ProbeError::Statement { code: error.code, message: error.message });
            }
            Err(error) => return Err(ProbeError::Lost(error.to_string())),
        }
    }
    Err(ProbeError::Statement { code: last.0, message: last.1 })
}

/// Whether an error speaks of the clause and not of the statement: the algorithm is not supported for the change, with
/// a reason or without, or is not known to the server.
fn is_refusal(code: u16) -> bool {
    const NOT_SUPPORTED: u16 = 1845;
    const NOT_SUPPORTED_REASON: u16 = 1846;
    const UNKNOWN_ALGORITHM: u16 = 1800;
    matches!(code, NOT_SUPPORTED | NOT_SUPPORTED_REASON | UNKNOWN_ALGORITHM)
}

/// What a clause came to that the server took, from what the storage engine holds before and after.
fn accepted(
    clause: Clause,
    copied: bool,
    storage: Option<(&Storage, &Storage)>,
    refused: Vec<(Clause, String)>,
) -> ProbeResult {
    let copies = clause.algorithm == Algorithm::Copy;
    let made_anew = storage.is_some_and(|(before, after)| before.made_anew(after));
    let keeps_tables = matches!(clause.algorithm, Algorithm::Instant | Algorithm::NoCopy);
    if !copies && (copied || keeps_tables && made_anew) {
        return ProbeResult {
            algorithm: Algorithm::Copy,
            lock: Lock::MysqlShared,
            cost: Some(Cost::Rewrite),
            refused,
            ignored: Some(clause),
        };
    }
    let cost = match (clause.algorithm, storage) {
        (Algorithm::Instant, _) => Some(Cost::Brief),
        (Algorithm::Copy, _) => Some(Cost::Rewrite),
        (_, Some((before, after))) => Some(before.work_until(after)),
        (_, None) => None,
    };
    ProbeResult {
        algorithm: clause.algorithm,
        lock: clause.lock.unwrap_or(Lock::MysqlNone),
        cost,
        refused,
        ignored: None,
    }
}

/// InnoDB's numbers of the tables and indexes of a database. A table or an index that is built anew gets a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// Tables, with their names; a partition has its own.
    tables: BTreeMap<u64, String>,
    /// Indexes, with their tables.
    indexes: BTreeMap<u64, u64>,
    /// Names of tables, with the storage engines that they have.
    engines: BTreeMap<String, String>,
}

impl Storage {
    /// Reads the numbers; `None` without the privilege `PROCESS`.
    pub async fn read(conn: &mut Conn, database: &str) -> Option<Self> {
        // MySQL 8 renamed the views that MariaDB keeps.
        match Self::read_from(conn, "INNODB_SYS_TABLES", "INNODB_SYS_INDEXES", database).await {
            Ok(storage) => Some(storage),
            Err(_) => Self::read_from(conn, "INNODB_TABLES", "INNODB_INDEXES", database).await.ok(),
        }
    }

    async fn read_from(
        conn: &mut Conn,
        tables: &str,
        indexes: &str,
        database: &str,
    ) -> Result<Self, mysql_async::Error> {
        // Tables called `FTS_...` belong to full-text indexes and come and go with them.
        let sql = format!(
            "SELECT t.TABLE_ID, SUBSTRING_INDEX(t.NAME, '/', -1), i.INDEX_ID FROM information_schema.{tables} t \
             LEFT JOIN information_schema.{indexes} i ON i.TABLE_ID = t.TABLE_ID \
             WHERE LOWER(SUBSTRING_INDEX(t.NAME, '/', 1)) = LOWER(?) \
             AND SUBSTRING_INDEX(t.NAME, '/', -1) NOT LIKE 'FTS\\_%'"
        );
        let rows: Vec<(u64, String, Option<u64>)> = conn.exec(sql, (database,)).await?;
        let mut storage = Storage::default();
        for (table, name, index) in rows {
            storage.tables.insert(table, name);
            storage.indexes.extend(index.map(|index| (index, table)));
        }
        let sql = "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES \
                   WHERE TABLE_SCHEMA = ? AND ENGINE IS NOT NULL";
        let engines: Vec<(String, String)> = conn.exec(sql, (database,)).await?;
        storage.engines.extend(engines);
        Ok(storage)
    }

    /// The work that lies between two readings. A table that went without another in its place was dropped, one that
    /// came alone was made: both are brief.
    pub fn work_until(&self, after: &Storage) -> Cost {
        let came = after.tables.keys().any(|table| !self.tables.contains_key(table));
        let went = self.tables.keys().any(|table| !after.tables.contains_key(table));
        let built = after
            .indexes
            .iter()
            .any(|(index, table)| self.tables.contains_key(table) && !self.indexes.contains_key(index));
        match (came && went || self.other_engine(after), built) {
            (true, _) => Cost::Rewrite,
            (false, true) => Cost::IndexBuild,
            (false, false) => Cost::Brief,
        }
    }

    /// The same by table, of those that were there before and after, as far as there was any.
    pub fn work_by_table(&self, after: &Storage) -> BTreeMap<String, Cost> {
        // A partition stands for its table.
        let table_of = |name: &str| name.split("#P#").next().unwrap_or(name).to_owned();
        let names = |storage: &Storage| -> BTreeSet<String> {
            storage.tables.values().map(|name| table_of(name)).collect()
        };
        let (old, new) = (names(self), names(after));
        let mut work = BTreeMap::new();
        for (index, table) in &after.indexes {
            if self.tables.contains_key(table) && !self.indexes.contains_key(index) {
                work.insert(table_of(&after.tables[table]), Cost::IndexBuild);
            }
        }
        for (table, name) in &after.tables {
            let name = table_of(name);
            if !self.tables.contains_key(table) && old.contains(&name) {
                work.insert(name, Cost::Rewrite);
            }
        }
        work.retain(|name, _| old.contains(name) && new.contains(name));
        work
    }

    /// Whether any table was made between two readings, or has another engine.
    fn made_anew(&self, after: &Storage) -> bool {
        !self.tables.keys().eq(after.tables.keys()) || self.other_engine(after)
    }

    fn other_engine(&self, after: &Storage) -> bool {
        self.engines.iter().any(|(table, engine)| after.engines.get(table).is_some_and(|now| now != engine))
    }
}

/// A foreign key, its tables with their databases.
struct ForeignKey {
    name: String,
    child: (String, String),
    parent: (String, String),
    columns: Vec<String>,
    parent_columns: Vec<String>,
    on_delete: String,
    on_update: String,
}

/// The foreign keys of a table, and those that point to it.
async fn foreign_keys(
    conn: &mut Conn,
    table: &(String, String),
) -> Result<Vec<ForeignKey>, mysql_async::Error> {
    let sql = "SELECT k.CONSTRAINT_NAME, k.TABLE_SCHEMA, k.TABLE_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, \
               k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE \
               FROM information_schema.KEY_COLUMN_USAGE k \
               JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA \
               AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME \
               WHERE k.REFERENCED_TABLE_NAME IS NOT NULL \
               AND (k.TABLE_SCHEMA = ? AND k.TABLE_NAME = ? \
               OR k.REFERENCED_TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME = ?) \
               ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";
    let rows: Vec<Row> = conn.exec(sql, (&table.0, &table.1, &table.0, &table.1)).await?;
    let mut keys: Vec<ForeignKey> = Vec::new();
    for row in rows {
        let text = |column: usize| row.get::<String, usize>(column).unwrap_or_default();
        let child = (text(1), text(2));
        match keys.last_mut().filter(|key| key.name == text(0) && key.child == child) {
            Some(key) => {
                key.columns.push(text(3));
                key.parent_columns.push(text(6));
            }
            None => keys.push(ForeignKey {
                name: text(0),
                child,
                parent: (text(4), text(5)),
                columns: vec![text(3)],
                parent_columns: vec![text(6)],
                on_delete: text(7),
                on_update: text(8),
            }),
        }
    }
    Ok(keys)
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn copying(what: &str) -> impl Fn(mysql_async::Error) -> ProbeError + use<> {
    let what = what.to_owned();
    move |error| ProbeError::Copy { what: what.clone(), message: error.to_string() }
}

impl std::fmt::Display for Clause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ALGORITHM={}", self.algorithm.as_str())?;
        match self.lock {
            Some(lock) => write!(f, ", {}", lock.as_str()),
            None => Ok(()),
        }
    }
}
