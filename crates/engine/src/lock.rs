//! Exclusive rights that are tried and never waited for, and that end with the process or session that holds them: advisory
//! locks of servers, and locked files beside databases.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dbwright_model::engine::Dialect;
use sha2::{Digest, Sha256};

use crate::apply::history::literal;

/// What one at a time may do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right<'a> {
    /// Run migrations that a history table of this name records: those with different ones do not mind each other.
    Runner(&'a str),
    /// Be the session in which such a runner's statements run.
    Worker(&'a str),
    /// Do the piece of work of this name.
    Work(&'a str),
}

impl<'a> Right<'a> {
    /// The question whose answer `got` is the text `1` when the server gave the right to the session that asks.
    pub(crate) fn taking(self, dialect: Dialect) -> String {
        match dialect {
            Dialect::Postgres => {
                let key = match self.class() {
                    Some(class) => format!("{class}, {}", key(self.name())),
                    None => format!("pg_catalog.hashtextextended({}, 0)", literal(dialect, &self.text())),
                };
                format!(
                    "select case when pg_catalog.pg_try_advisory_lock({key}) then '1' else '0' end as got"
                )
            }
            Dialect::Mysql => format!("select cast(get_lock({}, 0) as char) as got", self.mysql_name()),
            Dialect::Sqlite => "select '1' as got".to_owned(),
        }
    }

    /// The question whose answer `held` is not the text `0` while the session that asks has the right of a runner.
    pub(crate) fn held(self, dialect: Dialect) -> String {
        match (dialect, self.class()) {
            (Dialect::Postgres, Some(class)) => format!(
                "select count(*) as held from pg_catalog.pg_locks where locktype = 'advisory' and granted \
                 and pid = pg_catalog.pg_backend_pid() and classid = {class} and objid = ({})::bigint::int::oid \
                 and objsubid = 2",
                key(self.name())
            ),
            (Dialect::Mysql, _) => {
                let name = self.mysql_name();
                format!("select case when is_used_lock({name}) = connection_id() then 1 else 0 end as held")
            }
            (Dialect::Postgres | Dialect::Sqlite, _) => "select '1' as held".to_owned(),
        }
    }

    fn name(self) -> &'a str {
        match self {
            Right::Runner(name) | Right::Worker(name) | Right::Work(name) => name,
        }
    }

    /// First half of the key of PostgreSQL's advisory locks, where there are two halves.
    fn class(self) -> Option<i32> {
        match self {
            Right::Runner(_) => Some(0x6462_7267),
            Right::Worker(_) => Some(0x6462_7277),
            Right::Work(_) => None,
        }
    }

    /// What tells it from others of its kind.
    fn text(self) -> String {
        match self {
            Right::Runner(name) | Right::Worker(name) => name.to_owned(),
            Right::Work(name) => format!("dbwright {:016x}", fingerprint(name)),
        }
    }

    /// MySQL's names of locks hold for the whole server, so the database is part of them.
    fn mysql_name(self) -> String {
        let kind = match self {
            Right::Runner(_) => "dbwright0:",
            Right::Worker(_) => "dbwright1:",
            Right::Work(_) => "dbwright:",
        };
        let text = literal(Dialect::Mysql, &self.text());
        format!("concat('{kind}', left(md5(concat(coalesce(database(), ''), '/', {text})), 32))")
    }

    /// What the name of the locked file adds to the database's.
    fn ending(self) -> &'static str {
        match self {
            Right::Runner(_) | Right::Worker(_) => ".dbwright-lock",
            Right::Work(_) => ".dbwright-backfill-lock",
        }
    }
}

/// A locked file beside a database, which vanishes with the process that locked it.
#[derive(Debug)]
pub(crate) struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Locks the file of a right beside a database. `None` when another process has it; an error is a fragment that says
    /// which file cannot be used, and why.
    pub(crate) fn try_take(database: &Path, right: Right<'_>) -> Result<Option<LockFile>, String> {
        let mut name = database.as_os_str().to_owned();
        name.push(right.ending());
        let path = PathBuf::from(name);
        let trouble =
            |error: std::io::Error| format!("the lock file `{}` cannot be used: {error}", path.display());
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(trouble)?;
        match file.try_lock() {
            Ok(()) if is_same(&file, &path) => Ok(Some(LockFile { file, path })),
            // Its holder has just removed it.
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(trouble(error)),
        }
    }

    /// Whether the file that is locked is still the one that others would try.
    pub(crate) fn is_held(&self) -> bool {
        is_same(&self.file, &self.path)
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // The file is removed while its lock is held, so that nobody gets the lock of a file that is gone.
        if self.is_held() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether a path still leads to an open file.
fn is_same(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(named)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (open.dev(), open.ino()) == (named.dev(), named.ino())
}

/// A number that two runners of one history table have in common.
fn key(name: &str) -> i32 {
    let digest = Sha256::digest(name.as_bytes());
    i32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

/// A number of a text that is the same in every process and version.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_locked_by_one_at_a_time_and_removed_by_that_one() {
        let database = std::env::temp_dir().join(format!("dbwright-lock-{}", std::process::id()));
        let take = |right| LockFile::try_take(&database, right).expect("a file can be made there");
        let first = take(Right::Work("t")).expect("it is free");
        assert!(first.is_held());
        assert!(take(Right::Work("t")).is_none());
        // Runners and pieces of work do not mind each other.
        assert!(take(Right::Runner("t")).is_some());
        std::fs::remove_file(&first.path).expect("it is there");
        assert!(!first.is_held());
        let second = take(Right::Work("t")).expect("the file is another");
        drop(first);
        assert!(second.is_held(), "a file was removed that another has locked");
        let path = second.path.clone();
        drop(second);
        assert!(!path.exists());
    }
}
