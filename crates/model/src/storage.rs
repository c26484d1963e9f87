//! How an SQLite file is kept, and whether it holds together.

use serde::{Deserialize, Serialize};

use crate::name::{Name, QualifiedName};

/// Header values and pragmas of an SQLite file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// Bytes of a page.
    pub page_size: u64,
    /// Pages in the file.
    pub page_count: u64,
    /// Pages on the free list.
    pub free_pages: u64,
    /// `wal`, `delete`, ...
    pub journal_mode: Name,
    /// `auto_vacuum`: 0 none, 1 full, 2 incremental.
    pub auto_vacuum: u8,
    /// Text encoding.
    pub encoding: Name,
    /// Application's schema version.
    pub user_version: i64,
    /// Bytes of the `-wal` file beside the database, 0 when there is none.
    pub wal_bytes: u64,
    /// Permission bits of the file, where the system has them.
    pub file_mode: Option<u32>,
    /// Whether `ANALYZE` has ever run: `sqlite_stat1` exists and has rows.
    pub analyzed: bool,
    /// Version of the library that last wrote the file, as a number such as 3045001.
    pub writer_version: Option<u32>,
}

/// What the integrity checks of SQLite found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Integrity {
    /// Lines of `PRAGMA quick_check`; empty when it said `ok`.
    pub complaints: Vec<String>,
    /// Violated foreign keys and how many rows violate each.
    pub violations: Vec<ForeignKeyViolation>,
    /// Tables whose foreign keys the check could not answer for.
    #[serde(default)]
    pub unanswered: Vec<UnansweredKeys>,
    /// Columns whose values have more than one storage class, for tables that are not `STRICT`.
    pub mixed_columns: Vec<MixedColumn>,
    /// Tables whose values were not looked at, because they are large or the time was over.
    #[serde(default)]
    pub unchecked: Vec<QualifiedName>,
}

/// Rows without a parent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForeignKeyViolation {
    /// The child table.
    pub table: QualifiedName,
    /// The parent table.
    pub parent: QualifiedName,
    /// Child columns of the foreign key.
    pub columns: Vec<Name>,
    /// How many rows; at least that many when counting stopped early.
    pub rows: u64,
    /// Some of them, as text.
    pub examples: Vec<String>,
}

/// A table for whose foreign keys it is not known whether rows violate them. That says nothing about the file, which is
/// sound all the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnansweredKeys {
    /// The child table.
    pub table: QualifiedName,
    /// What SQLite said, as a lower-case fragment.
    pub because: String,
}

/// A column with values of several storage classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MixedColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// Storage class and number of values.
    pub classes: Vec<(Name, u64)>,
}
