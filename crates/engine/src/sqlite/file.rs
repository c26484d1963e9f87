//! Opening a database file so that neither it nor what lies beside it changes.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::reader::Reader;
use crate::session::{Limits, SessionError, SessionErrorKind};

/// The first bytes of a database file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Header {
    /// Whether the file is written through a write-ahead log.
    pub wal: bool,
    /// Version of the library that last wrote the file; `None` for an empty file.
    pub writer_version: Option<u32>,
}

/// What tells whether a file was written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
    log: bool,
}

impl Stamp {
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let log = beside(path, "-wal").exists() || beside(path, "-journal").exists();
        Some(Stamp { bytes: metadata.len(), changed: metadata.modified().ok(), log })
    }
}

/// The file that SQLite keeps beside the database under the same name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Opens a file for reading.
pub(super) fn open(path: &Path, limits: &Limits) -> Result<Reader, SessionError> {
    let header = header(path)?;
    let stamp = Stamp::of(path);
    // A read-only connection to a file in WAL mode makes `-wal` and `-shm` files where there are none, cannot remove
    // them, and fails in a directory that cannot be written. Without a `-wal` file nobody has the database open for
    // writing and every row is in the main file, so it can be read as one that nobody changes, which needs no files at
    // all. Such a reader takes no locks; the session therefore looks whether the file changed meanwhile, and reads it
    // again with locks if so. With a `-wal` file, even an empty one, locks and the shared index are needed: an
    // `-shm` file may then appear that was not there before, which SQLite's own next writer takes over.
    let immutable = header.wal && !beside(path, "-wal").exists();
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match uri(path).filter(|_| immutable) {
        Some(uri) => {
            flags |= OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(uri, flags)
        }
        None => Connection::open_with_flags(path, flags),
    };
    let connection = connection.map_err(|error| explain(path, &error))?;
    prepare(&connection, limits).map_err(|error| explain(path, &error))?;
    let stamp = stamp.filter(|_| immutable);
    let reader = Reader::new(connection, path.to_owned(), header, stamp, limits.statement_timeout)
        .map_err(|error| explain(path, &error))?;
    reader.one("SELECT count(*) AS found FROM sqlite_schema", &[]).map_err(|error| explain(path, &error))?;
    Ok(reader)
}

fn prepare(connection: &Connection, limits: &Limits) -> rusqlite::Result<()> {
    connection.busy_timeout(limits.lock_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    // The last reader of a log would otherwise move it into the main file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // What stands in a stranger's file must not run functions with effects.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A misspelt column in one of our questions is an error, never a text.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    Ok(())
}

/// The file as a URI that promises SQLite that nobody changes it; `None` when its path is no text.
fn uri(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let path = path.to_str()?.replace('\\', "/");
    let mut uri = "file:".to_owned();
    if !path.starts_with('/') {
        uri.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' | b':' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(format!("{uri}?mode=ro&immutable=1"))
}

/// Reads the header, so that files that are no databases are named for what they are.
fn header(path: &Path) -> Result<Header, SessionError> {
    let shown = path.display();
    let refused = |because: &str, hint: &str| SessionError {
        kind: SessionErrorKind::Connection,
        message: format!("cannot open `{shown}`: {because}"),
        hint: Some(hint.to_owned()),
    };
    let cannot_read = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => refused("there is no such file", "check the path"),
        ErrorKind::PermissionDenied => refused(
            "the file may not be read",
            "run as a user who may read the file and search its directory",
        ),
        _ => refused(&error.to_string(), "check the path"),
    };
    let metadata = fs::metadata(path).map_err(cannot_read)?;
    if metadata.is_dir() {
        return Err(refused("it is a directory", "name the database file in it"));
    }
    if !metadata.is_file() {
        return Err(refused("it is no regular file", "name a database file"));
    }
    let mut bytes = Vec::with_capacity(100);
    File::open(path).and_then(|file| file.take(100).read_to_end(&mut bytes)).map_err(cannot_read)?;
    if bytes.is_empty() {
        // SQLite makes databases this way: a file without bytes is a database without tables.
        return Ok(Header::default());
    }
    if !bytes.starts_with(b"SQLite format 3\0") {
        return Err(not_a_database(path));
    }
    let Some(writer) = bytes.get(96..100) else {
        return Err(refused("it ends inside its header", "restore it from a backup"));
    };
    let writer = writer.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    Ok(Header { wal: bytes[18] == 2 || bytes[19] == 2, writer_version: Some(writer).filter(|v| *v > 0) })
}

fn not_a_database(path: &Path) -> SessionError {
    SessionError {
        kind: SessionErrorKind::Connection,
        message: format!(
            "cannot open `{}`: it is not an SQLite database, or it is encrypted",
            path.display()
        ),
        hint: Some("name an SQLite 3 file, and decrypt it first if it is encrypted".to_owned()),
    }
}

/// What an error of SQLite means for the file.
fn explain(path: &Path, error: &rusqlite::Error) -> SessionError {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    let connection = SessionErrorKind::Connection;
    let (kind, because, hint) = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => return not_a_database(path),
        Some(ErrorCode::DatabaseCorrupt) => (
            connection,
            "the file is damaged or cut off".to_owned(),
            "restore it from a backup, or save what is left with the `.recover` command of `sqlite3`",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (connection, "another process has locked it".to_owned(), "try again once the writer has finished")
        }
        Some(ErrorCode::ReadOnly) if extended == rusqlite::ffi::SQLITE_READONLY_ROLLBACK => (
            connection,
            "a transaction that was cut off waits to be rolled back".to_owned(),
            "let an application open the file for writing once, or run `dbwright migrate up`, which rolls it back first",
        ),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
            if beside(path, "-wal").exists() || beside(path, "-journal").exists() =>
        {
            (
                connection,
                "its log cannot be read without writing beside it".to_owned(),
                "copy the database together with its `-wal` or `-journal` file into a directory that can be written",
            )
        }
        Some(ErrorCode::OperationInterrupted) => (
            SessionErrorKind::Cancelled,
            "reading it took too long".to_owned(),
            "try again when the machine is less busy, or with a copy on a faster disk",
        ),
        _ => (connection, error.to_string(), "check the file and its permissions"),
    };
    SessionError {
        kind,
        message: format!("cannot open `{}`: {because}", path.display()),
        hint: Some(hint.to_owned()),
    }
}
