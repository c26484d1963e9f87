//! The wire side of SQLite: files opened for reading only, and the facts in them.

mod file;
mod reader;
mod catalog;
mod statistics;
mod storage;
mod history;
mod questions;
pub mod observe;
pub mod twin;
pub(crate) mod apply;

use std::path::{Path, PathBuf};
use std::time::Instant;

use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{DataQuestion, Fact, FactSource, Facts, Origin};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;

use crate::session::{Limits, Progress, SessionError, SessionErrorKind};
use reader::Reader;

/// A session that cannot write.
pub struct ReadSession {
    path: PathBuf,
    limits: Limits,
    /// Away while a blocking task uses it; gone for good when that task was abandoned.
    reader: Option<Box<Reader>>,
}

impl ReadSession {
    /// Opens a reading session.
    pub async fn open(path: &Path, limits: &Limits) -> Result<Self, SessionError> {
        let (path, limits) = (path.to_owned(), limits.clone());
        let (own_path, own_limits) = (path.clone(), limits.clone());
        let reader = blocking(move || file::open(&own_path, &own_limits).map(Box::new)).await??;
        Ok(ReadSession { path, limits, reader: Some(reader) })
    }

    /// The engine, and the version of the library that reads the file: a file has no server of its own.
    pub fn server(&self) -> (Engine, Version) {
        (Engine::Sqlite, library_version())
    }

    /// Reads the facts of the plan.
    pub async fn collect(&mut self, plan: &[Fact], progress: &dyn Progress) -> Result<Facts, SessionError> {
        self.reopen_if_changed().await?;
        let facts = self.collect_once(plan, progress).await?;
        // A file that was read without locks and changed meanwhile may have been read half old and half new.
        if self.reopen_if_changed().await? {
            return self.collect_once(plan, progress).await;
        }
        Ok(facts)
    }

    async fn collect_once(&mut self, plan: &[Fact], progress: &dyn Progress) -> Result<Facts, SessionError> {
        let mut facts = Facts::none(self.source());
        let end = Instant::now() + self.limits.total;
        let mut plan: Vec<Fact> = plan.to_vec();
        plan.sort();
        plan.dedup();
        let sections: Vec<Fact> = plan.iter().copied().filter(|fact| is_section(*fact)).collect();
        let of = plan.len();
        for (index, fact) in plan.into_iter().enumerate() {
            progress.fact(fact, index, of);
            if is_section(fact) && facts.catalog != Observed::NotAsked {
                continue;
            }
            let sections = sections.clone();
            facts = self.with_reader(end, move |reader| read(reader, fact, &sections, facts)).await?;
        }
        Ok(facts)
    }

    /// Asks questions about rows.
    pub async fn ask(&mut self, questions: &[DataQuestion], facts: &mut Facts) -> Result<(), SessionError> {
        self.reopen_if_changed().await?;
        let end = Instant::now() + self.limits.total;
        let mut answers = Vec::new();
        for question in questions {
            let question = question.clone();
            answers.push(self.with_reader(end, move |reader| questions::answer(reader, question)).await?);
        }
        match &mut facts.data {
            Observed::Known(known) => known.extend(answers),
            other => *other = Observed::Known(answers),
        }
        Ok(())
    }

    /// Ends the session.
    pub async fn close(self) {
        // Closing may touch the disk; a failure leaves nothing to do.
        let _ = blocking(move || drop(self.reader)).await;
    }

    /// Runs a blocking reading, which ends by itself at a statement's limit or at `end`.
    async fn with_reader<T: Send + 'static>(
        &mut self,
        end: Instant,
        read: impl FnOnce(&Reader) -> T + Send + 'static,
    ) -> Result<T, SessionError> {
        let reader = self.reader.take().ok_or_else(|| SessionError {
            kind: SessionErrorKind::Cancelled,
            message: "the session was abandoned during an earlier reading".to_owned(),
            hint: Some("open the database anew".to_owned()),
        })?;
        let (reader, result) = blocking(move || {
            reader.ends_at(end);
            let result = read(&reader);
            (reader, result)
        })
        .await?;
        self.reader = Some(reader);
        Ok(result)
    }

    /// Opens the file again when it was opened as one that nobody changes, and was changed.
    async fn reopen_if_changed(&mut self) -> Result<bool, SessionError> {
        let Some(reader) = &self.reader else { return Ok(false) };
        if !reader.is_stale() {
            return Ok(false);
        }
        let (path, limits) = (self.path.clone(), self.limits.clone());
        self.reader = Some(blocking(move || file::open(&path, &limits).map(Box::new)).await??);
        Ok(true)
    }

    fn source(&self) -> FactSource {
        let database = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        FactSource {
            origin: Origin::Live,
            engine: Engine::Sqlite,
            version: Some(library_version()),
            version_text: format!("SQLite {}", rusqlite::version()),
            target: self.path.display().to_string(),
            database: Name::new(database.unwrap_or_default()),
            role: None,
            superuser: true,
            collected_at: Some(jiff::Timestamp::now()),
            skipped: Vec::new(),
        }
    }
}

/// The version of the SQLite library inside this program.
pub fn library_version() -> Version {
    let number = rusqlite::version_number();
    let part = |divisor: i32, modulus: i32| u16::try_from(number / divisor % modulus).unwrap_or_default();
    Version::new(part(1_000_000, 1_000), part(1_000, 1_000), part(1, 1_000))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SessionError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| SessionError {
        kind: SessionErrorKind::Internal,
        message: format!("a reading task ended early: {error}"),
        hint: None,
    })
}

/// Whether the fact is the catalog or a section of it.
fn is_section(fact: Fact) -> bool {
    matches!(
        fact,
        Fact::Catalog
            | Fact::Functions
            | Fact::Triggers
            | Fact::Policies
            | Fact::Extensions
            | Fact::Publications
    )
}

/// Reads one fact. What SQLite has no idea of is said to be so.
fn read(reader: &Reader, fact: Fact, sections: &[Fact], mut facts: Facts) -> Facts {
    fn none<T>(because: &str) -> Observed<T> {
        Observed::Unsupported(because.to_owned())
    }
    const NO_SERVER: &str = "SQLite is a library and has no server";
    const NO_COUNTERS: &str = "SQLite counts no traffic";
    const NO_USERS: &str = "SQLite has no users, only the permissions of the file";
    const NO_REPLICATION: &str = "SQLite replicates only through tools of its own users";
    match fact {
        Fact::Catalog
        | Fact::Functions
        | Fact::Triggers
        | Fact::Policies
        | Fact::Extensions
        | Fact::Publications => {
            facts.catalog = reader.observe(|| catalog::read(reader, sections));
        }
        Fact::TableStatistics => {
            facts.table_statistics = reader.observe(|| statistics::tables(reader));
        }
        Fact::IndexStatistics => {
            facts.index_statistics = reader.observe(|| statistics::indexes(reader));
        }
        Fact::ColumnMaxima => facts.column_maxima = reader.observe(|| statistics::maxima(reader)),
        Fact::Settings => facts.settings = reader.observe(|| storage::settings(reader)),
        Fact::Storage => facts.storage = reader.observe(|| storage::storage(reader)),
        Fact::Integrity => facts.integrity = reader.observe(|| storage::integrity(reader)),
        Fact::MigrationHistory => {
            facts.migration_history = reader.observe(|| history::read(reader));
        }
        Fact::Counters => facts.counters = none(NO_COUNTERS),
        Fact::ColumnStatistics => {
            facts.column_statistics = none("SQLite keeps samples for its planner, not statistics of columns");
        }
        Fact::SequenceValues => {
            facts.sequence_values =
                none("SQLite has no sequences; AUTOINCREMENT stands among the table statistics");
        }
        Fact::Workload => facts.workload = none("SQLite keeps no record of statements"),
        Fact::ServerStatus => facts.server_status = none(NO_SERVER),
        Fact::Databases => facts.databases = none(NO_SERVER),
        Fact::Sessions => facts.sessions = none(NO_SERVER),
        Fact::LockWaits => facts.lock_waits = none("SQLite locks the file and names nobody who waits"),
        Fact::PreparedTransactions => {
            facts.prepared_transactions = none("SQLite has no prepared transactions");
        }
        Fact::Replication => facts.replication = none(NO_REPLICATION),
        Fact::Slots => facts.slots = none(NO_REPLICATION),
        Fact::Archiver => facts.archiver = none(NO_REPLICATION),
        Fact::Checkpointer => facts.checkpointer = none("SQLite's checkpoints leave no counters"),
        Fact::Wal => facts.wal = none("the size of SQLite's write-ahead log stands among the storage facts"),
        Fact::Roles => facts.roles = none(NO_USERS),
        Fact::Privileges => facts.privileges = none(NO_USERS),
        Fact::Hba => facts.hba = none(NO_SERVER),
        Fact::UserMappings => facts.user_mappings = none(NO_USERS),
        Fact::Backups => facts.backups = none("SQLite keeps no record of backups"),
        // Migrations are read from files.
        Fact::Migrations => {}
        Fact::Data => {
            if facts.data == Observed::NotAsked {
                facts.data = Observed::Known(Vec::new());
            }
        }
    }
    facts
}

#[cfg(test)]
mod tests;
