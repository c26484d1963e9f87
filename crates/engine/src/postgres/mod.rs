//! The wire side of PostgreSQL: connecting, and collecting facts in a session that cannot write.
//!
//! A fact is one `.sql` file under `sql/postgres/` and a decoder. Files are templates (see `template`): columns that
//! only some versions have are asked for by name, after one look at what the server has, never by version.
//!
//! Each statement runs in a read-only transaction that has taken its snapshot already, over the extended protocol, which
//! takes one statement at a time. So even a statement that is replaced by another cannot write: the server refuses to
//! make a transaction writable once its snapshot is taken. Statements that leave no locks on tables of users share one.

mod access;
mod activity;
mod bloat;
mod catalog;
pub(crate) mod connect;
mod data;
mod draft;
mod objects;
mod pieces;
pub(crate) mod pressure;
pub mod observe;
pub(crate) mod apply;
pub mod standing;
mod statements;
mod statistics;
mod template;
mod types;
mod value;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use dbwright_model::engine::{Engine, Version};
use dbwright_model::facts::{DataAnswer, DataQuestion, Fact, FactSource, Facts, Origin};
use dbwright_model::lifecycle::oldest_supported;
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;
use jiff::Timestamp;

use crate::cassette::{Cassette, Player};
use crate::dsn::ServerDsn;
use crate::row::{DecodeError, Row};
use crate::session::{Limits, Progress, SessionError, SessionErrorKind};
use draft::Draft;
use statements::{MAY_BE_EMPTY, STATEMENTS, Statement, Text, fact_word, needs_catalog};
use template::Known;
use wire::{Trouble, Wire};

/// A session that cannot write.
pub struct ReadSession {
    wire: Wire,
    server: Server,
    limits: Limits,
    target: String,
}

/// What the server said about itself.
#[derive(Clone, Debug, Default)]
struct Server {
    version: Version,
    version_text: String,
    database: Name,
    role: Name,
    superuser: bool,
    page_size: u64,
    reads_all_statistics: bool,
    has_statements: bool,
    /// Which of the statements that may find nothing would find something.
    filled: BTreeSet<String>,
    known: Known,
}

impl ReadSession {
    /// Opens a reading session.
    pub async fn open(dsn: &ServerDsn, limits: &Limits) -> Result<Self, SessionError> {
        let connected = connect::connect(dsn, limits).await?;
        let mut wire = Wire::live(connected, limits);
        let server = Server::discover(&mut wire).await?;
        Ok(ReadSession { wire, server, limits: limits.clone(), target: connect::target(dsn) })
    }

    /// A session that is answered by a recording.
    pub async fn replay(cassette: Cassette) -> Result<Self, SessionError> {
        let mut wire = Wire::replay(Player::new(cassette));
        let server = Server::discover(&mut wire).await?;
        Ok(ReadSession { wire, server, limits: Limits::default(), target: "recording".to_owned() })
    }

    /// Starts to record every answer, beginning with a look at the server.
    pub async fn record(&mut self) -> Result<(), SessionError> {
        self.wire.record();
        Server::discover(&mut self.wire).await.map(drop)
    }

    /// What was recorded since [`ReadSession::record`].
    pub fn recording(&mut self) -> Option<Cassette> {
        self.wire.recording()
    }

    /// The server's engine and version.
    pub fn server(&self) -> (Engine, Version) {
        (Engine::Postgres, self.server.version)
    }

    /// What a user should know about this server before believing its facts.
    pub fn warning(&self) -> Option<String> {
        let oldest = oldest_supported(Engine::Postgres);
        (self.server.version < oldest).then(|| {
            format!(
                "PostgreSQL {} is older than {}; facts are read as far as it has them, and none of that is tested",
                self.server.version, oldest.major
            )
        })
    }

    /// Reads the facts of the plan.
    pub async fn collect(&mut self, plan: &[Fact], progress: &dyn Progress) -> Result<Facts, SessionError> {
        let mut facts = Facts::none(self.source());
        let mut wanted: BTreeSet<Fact> = plan.iter().copied().collect();
        if wanted.iter().any(|fact| needs_catalog(*fact)) {
            wanted.insert(Fact::Catalog);
        }
        let deadline = Instant::now() + self.limits.total;
        let mut draft = Draft { page_size: self.server.page_size, ..Draft::default() };
        let mut status: BTreeMap<Fact, Observed<()>> = BTreeMap::new();
        let mut announced: BTreeSet<Fact> = BTreeSet::new();
        for fact in &wanted {
            if let Some(unasked) = self.unasked(*fact) {
                status.insert(*fact, unasked);
            }
        }
        for statement in STATEMENTS {
            let asked: Vec<Fact> = statement
                .facts
                .iter()
                .copied()
                .filter(|fact| wanted.contains(fact) && status.get(fact).is_none_or(|state| state.is_known()))
                .collect();
            if asked.is_empty() {
                continue;
            }
            for fact in &asked {
                if announced.insert(*fact) {
                    progress.fact(*fact, announced.len() - 1, wanted.len());
                }
            }
            if MAY_BE_EMPTY.contains(&statement.name) && !self.server.filled.contains(statement.name) {
                for fact in asked {
                    status.entry(fact).or_insert(Observed::Known(()));
                }
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            self.run(statement, &asked, left, &mut draft, &mut status).await;
            if statement.keeps_locks {
                self.wire.end().await;
            }
        }
        self.wire.end().await;
        facts.in_part = self.judge_visibility(&draft, &mut status);
        for (fact, because) in std::mem::take(&mut draft.in_part) {
            let told = facts.in_part.entry(fact).or_default();
            *told = if told.is_empty() { because } else { format!("{told}; {because}") };
        }
        if wanted.contains(&Fact::Backups) {
            let read = status.get(&Fact::Catalog).cloned().unwrap_or(Observed::NotAsked);
            // Backup tools keep their records outside the server.
            draft.backups.sources = vec!["tables and extensions of this database".to_owned()];
            status.insert(Fact::Backups, read);
        }
        draft.finish(&status, &mut facts);
        Ok(facts)
    }

    /// Asks questions about rows.
    pub async fn ask(&mut self, questions: &[DataQuestion], facts: &mut Facts) -> Result<(), SessionError> {
        let mut answers = facts.data.known().cloned().unwrap_or_default();
        let started = Instant::now();
        for question in questions {
            if started.elapsed() >= self.limits.total {
                let because =
                    format!("the total time limit of {} s was reached before", self.limits.total.as_secs());
                answers.push(DataAnswer { question: question.clone(), answer: Observed::Failed(because) });
                continue;
            }
            let answer = data::answer(&mut self.wire, question, self.limits.statement_timeout).await;
            self.wire.end().await;
            answers.push(answer);
        }
        facts.data = Observed::Known(answers);
        Ok(())
    }

    /// Runs one statement of the caller's own, in a read-only transaction like every other.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>, SessionError> {
        let mut rows = Vec::new();
        let mut keep = |row: &Row| {
            rows.push(row.clone());
            Ok(())
        };
        let outcome = self.wire.ask("query", sql, &mut keep).await;
        self.wire.end().await;
        match outcome {
            Ok(()) => Ok(rows),
            Err(trouble) => Err(SessionError {
                kind: match &trouble {
                    Trouble::Lost(_) => SessionErrorKind::Connection,
                    Trouble::Server(error) if error.code == "57014" => SessionErrorKind::Cancelled,
                    _ => SessionErrorKind::Internal,
                },
                message: trouble.message(),
                hint: None,
            }),
        }
    }

    /// Ends the session.
    pub async fn close(self) {
        self.wire.close().await;
    }

    fn source(&self) -> FactSource {
        FactSource {
            origin: Origin::Live,
            engine: Engine::Postgres,
            version: Some(self.server.version),
            version_text: self.server.version_text.clone(),
            target: self.target.clone(),
            database: self.server.database.clone(),
            role: Some(self.server.role.clone()),
            superuser: self.server.superuser,
            collected_at: Some(Timestamp::now()),
            skipped: Vec::new(),
        }
    }

    /// Facts for which no statement need run.
    fn unasked(&self, fact: Fact) -> Option<Observed<()>> {
        let role = &self.server.role;
        let hidden = |what: &str| {
            Some(Observed::Denied(format!(
                "the server hides {what} of other roles from `{role}`: `GRANT pg_monitor TO {}`",
                statements::quote(role)
            )))
        };
        let unsupported = |why: &str| Some(Observed::Unsupported(why.to_owned()));
        match fact {
            Fact::Storage | Fact::Integrity => unsupported("only SQLite is one file"),
            Fact::Workload if !self.server.has_statements => unsupported(
                "the extension `pg_stat_statements` is not installed in this database: run `CREATE EXTENSION \
                 pg_stat_statements`; where the server does not load it yet, add it to `shared_preload_libraries` and \
                 restart before",
            ),
            Fact::Workload if !self.server.reads_all_statistics => hidden("the statements"),
            Fact::Sessions | Fact::LockWaits if !self.server.reads_all_statistics => hidden("the sessions"),
            Fact::Replication if !self.server.reads_all_statistics => hidden("the replication"),
            _ => None,
        }
    }

    /// Runs a statement and notes how its facts came to be known.
    async fn run(
        &mut self,
        statement: &Statement,
        asked: &[Fact],
        left: Duration,
        draft: &mut Draft,
        status: &mut BTreeMap<Fact, Observed<()>>,
    ) {
        if left.is_zero() {
            let because = format!(
                "not reached: the limit of {} s for the whole collection was used up",
                self.limits.total.as_secs()
            );
            for fact in asked {
                status.insert(*fact, Observed::Failed(because.clone()));
            }
            return;
        }
        let mut outcome = self.attempt(statement, asked, true, draft).await;
        if let Err(Trouble::Server(error)) = &outcome
            && error.code == "55P03"
            && matches!(statement.sql, Text::Template(sql) if sql.contains("{allowed.locks"))
        {
            // Somebody holds a lock that only functions mind which open relations: those for sizes and view texts.
            draft.forget(statement.name);
            outcome = self.attempt(statement, asked, false, draft).await;
        }
        if asked.len() > 1
            && matches!(outcome, Err(Trouble::Server(_) | Trouble::Decode(_)))
            && matches!(statement.sql, Text::Template(sql) if sql.contains("{fact."))
        {
            // One part must not take the others with it.
            draft.forget(statement.name);
            for fact in asked {
                let alone = self.attempt(statement, std::slice::from_ref(fact), true, draft).await;
                status.insert(*fact, self.observed(alone));
            }
            return;
        }
        let observed = match (&statement.sql, outcome) {
            (Text::Made(make), Err(Trouble::Server(_))) if make(draft).len() > 1 => {
                draft.forget(statement.name);
                let members = make(draft);
                // What comes after is to have time, too.
                let until = Instant::now() + left / 2;
                self.ask_in_pieces(statement, statement.facts[0], &members, until, draft).await
            }
            (_, outcome) => self.observed(outcome),
        };
        for fact in asked {
            status.insert(*fact, observed.clone());
        }
    }

    async fn attempt(
        &mut self,
        statement: &Statement,
        asked: &[Fact],
        sizes: bool,
        draft: &mut Draft,
    ) -> Result<(), Trouble> {
        let sql = match statement.sql {
            Text::Template(template) => {
                let mut known = self.server.known.clone();
                known.holds.extend(asked.iter().map(|fact| fact_word(*fact).to_owned()));
                if sizes {
                    known.holds.insert("allowed.locks".to_owned());
                }
                template::render(template, &known)
            }
            Text::Made(make) => match pieces::joint(&make(draft)) {
                Some(sql) => sql,
                None => return Ok(()),
            },
        };
        let mut decode = |row: &Row| -> Result<(), DecodeError> { (statement.decode)(row, draft) };
        self.wire.ask(statement.name, &sql, &mut decode).await
    }

    fn observed(&self, outcome: Result<(), Trouble>) -> Observed<()> {
        match outcome {
            Ok(()) => Observed::Known(()),
            Err(trouble) => trouble.observed(&self.server.role, self.limits.statement_timeout),
        }
    }

    /// Some views leave out silently what a role may not see. Nothing at all is then not the same as nothing there, and
    /// something not the same as everything. The catalog itself hides nothing: every role may read all of it.
    fn judge_visibility(
        &self,
        draft: &Draft,
        status: &mut BTreeMap<Fact, Observed<()>>,
    ) -> BTreeMap<Fact, String> {
        let mut in_part = BTreeMap::new();
        if self.server.superuser {
            return in_part;
        }
        let role = statements::quote(&self.server.role);
        if let Some(table) = statements::unreadable_history(draft)
            && matches!(status.get(&Fact::MigrationHistory), Some(Observed::Known(())))
        {
            let grant = format!("GRANT SELECT ON {} TO {role}", statements::quote_qualified(&table));
            let because = format!("`{}` may not read `{table}`: `{grant}`", self.server.role);
            status.insert(Fact::MigrationHistory, Observed::Denied(because));
        }
        let tables = draft.catalog.tables();
        let hidden_tables = tables.iter().filter(|table| !table.readable).count();
        let sequences = draft.catalog.sequences();
        let hidden_sequences = sequences.iter().filter(|sequence| !sequence.readable).count();
        let mut judge = |fact: Fact, hidden: usize, all: usize, what: &str, empty: bool| {
            if hidden == 0 || !matches!(status.get(&fact), Some(Observed::Known(()))) {
                return;
            }
            let name = &self.server.role;
            let grant = format!("`GRANT pg_read_all_data TO {role}`");
            if hidden == all && empty {
                let because = format!("`{name}` may read none of the {all} {what}: {grant}");
                status.insert(fact, Observed::Denied(because));
            } else {
                in_part.insert(fact, format!("`{name}` may not read {hidden} of the {all} {what}: {grant}"));
            }
        };
        judge(Fact::ColumnMaxima, hidden_tables, tables.len(), "tables", true);
        judge(Fact::SequenceValues, hidden_sequences, sequences.len(), "sequences", true);
        // Those who may read the samples themselves need not read the tables.
        if !self.server.known.holds.contains("allowed.samples") {
            let empty = draft.column_statistics.is_empty();
            judge(Fact::ColumnStatistics, hidden_tables, tables.len(), "tables", empty);
        }
        let histories: Vec<_> = tables.iter().filter(|table| statements::is_history(table)).collect();
        let hidden_histories = histories.iter().filter(|table| !table.readable).count();
        judge(
            Fact::MigrationHistory,
            hidden_histories,
            histories.len(),
            "tables that migration tools keep",
            draft.migration_history.is_empty(),
        );
        in_part
    }
}

impl Server {
    async fn discover(wire: &mut Wire) -> Result<Server, SessionError> {
        let mut questions = BTreeSet::new();
        for statement in STATEMENTS {
            if let Text::Template(sql) = statement.sql {
                questions.append(&mut template::questions(sql));
            }
        }
        let relations: BTreeSet<&str> =
            questions.iter().filter_map(|question| question.split_once('.')).map(|(name, _)| name).collect();
        let list = relations.into_iter().collect::<Vec<_>>().join(",");
        let known = Known { values: BTreeMap::from([("relations".to_owned(), list)]), ..Known::default() };
        let sql = template::render(statements::SERVER, &known);
        let mut server = Server::default();
        let mut decode = |row: &Row| server.read(row);
        let outcome = wire.ask("server", &sql, &mut decode).await;
        wire.end().await;
        match outcome {
            Ok(()) => Ok(server),
            Err(trouble) => Err(SessionError {
                kind: SessionErrorKind::Connection,
                message: format!("the server does not say what it is: {}", trouble.message()),
                hint: Some(
                    "check that the target is a PostgreSQL server or a pooler in front of one".to_owned(),
                ),
            }),
        }
    }

    fn read(&mut self, row: &Row) -> Result<(), DecodeError> {
        let number = row.int("version_number")?;
        let part = |number: i64| u16::try_from(number).unwrap_or(0);
        self.version = if number >= 100_000 {
            Version::new(part(number / 10_000), part(number % 10_000), 0)
        } else {
            Version::new(part(number / 10_000), part(number / 100 % 100), part(number % 100))
        };
        self.version_text = row.text("version_text")?.to_owned();
        self.database = Name::new(row.text("database")?);
        self.role = Name::new(row.text("role")?);
        self.superuser = row.bool("superuser")?;
        self.page_size = row.opt_count("block_size")?.unwrap_or(8192);
        self.reads_all_statistics = row.bool("reads_all_statistics")?;
        let statements_schema = row.opt_text("statements_schema")?;
        self.has_statements = statements_schema.is_some();
        self.filled = row.texts("filled")?.into_iter().map(str::to_owned).collect();
        let mut holds: BTreeSet<String> = row.texts("columns")?.into_iter().map(str::to_owned).collect();
        if row.bool("lists_log_directory")? {
            holds.insert("allowed.log_directory".to_owned());
        }
        if row.bool("reads_samples")? {
            holds.insert("allowed.samples".to_owned());
        }
        if row.bool("reads_passwords")? {
            holds.insert("allowed.passwords".to_owned());
        }
        let values = BTreeMap::from([
            ("server.block_size".to_owned(), self.page_size.to_string()),
            ("server.statements_schema".to_owned(), statements_schema.unwrap_or("public").to_owned()),
        ]);
        self.known = Known { holds, values };
        Ok(())
    }
}
