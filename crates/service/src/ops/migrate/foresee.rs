//! What pending migrations would do to a live database: the chain that `migrate lint` reads, on its catalog.

use std::fmt::Write;
use std::path::PathBuf;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::ReadSession;
use dbwright_model::chain::{Chain, ChainStatement, Wrap};
use dbwright_model::effect::Algorithm;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::{FactSource, Facts, Origin};
use dbwright_model::migration::{Migration, Statement};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;
use dbwright_model::plan::TransactionMode;
use dbwright_rules::lint;
use dbwright_sql::chain::{self, MigrationFile, Start};
use dbwright_sql::effects::Circumstances;
use dbwright_sql::fold::Folder;
use dbwright_sql::mysql::online::OnlineStatement;
use dbwright_sql::tools;

use super::preflight::{self, Check, Verdict};
use super::steps::{self, Way};
use super::up::Upcoming;
use super::{backfill, files, online};
use crate::error::ServiceError;
use crate::world::World;

/// What is known before anything is run.
#[derive(Debug)]
pub struct Foreseen {
    /// What was looked at, and what came of it.
    pub checks: Vec<Check>,
    /// What would be run, by the record as it was read last.
    upcoming: Upcoming,
    chain: Chain,
    facts: Facts,
}

impl Foreseen {
    /// The SQL, locks, seconds, transactions and timeouts of what would be run, and the checks.
    pub fn text(&self) -> String {
        let mut text = text(&self.upcoming.migrations, self);
        if let Some(waiting) = &self.upcoming.waiting {
            text.push_str(&format!("{waiting}\n"));
        }
        text
    }

    /// The checks that did not pass.
    pub fn worth_a_word(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict != Verdict::Pass)
    }

    /// Refuses to go on when a check stands against it that is not skipped by its name.
    pub fn hold(&self, skipped: &[String]) -> Result<(), ServiceError> {
        preflight::hold(&self.checks, skipped)
    }
}

/// Leaves out of a file the statements that are done: the database holds them, and would refuse them a second time.
fn leave_out_done(migration: &mut MigrationFile, known: &Migration, done: usize) {
    let Some(next) = known.up.get(done) else {
        migration.text.clear();
        return;
    };
    let text = &migration.text;
    let lines = next.line.saturating_sub(1) as usize;
    let line = text.split_inclusive('\n').take(lines).map(str::len).sum::<usize>();
    // Where it is not found as it was read, the whole file is looked at.
    let Some(at) = text[line..].find(next.sql.trim()).map(|at| line + at) else { return };
    let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
    let rest = text[..at].chars().map(blank).chain(text[at..].chars()).collect();
    migration.text = rest;
    // What is gone on with stands in no transaction of the whole file.
    migration.file.wrap = Wrap::None;
}

/// Looks what the pending files would do to a database, and whether now is a good moment. Nothing is written.
pub(super) async fn foresee(
    paths: &[PathBuf],
    upcoming: Upcoming,
    facts: Facts,
    world: &World<'_>,
) -> Result<Foreseen, ServiceError> {
    let engine = facts.source.engine;
    let scripts = files::read(paths, &world.directory)?;
    let mut migrations = tools::migrations(engine.dialect(), scripts.files, &scripts.around);
    migrations.retain_mut(|migration| {
        let name = &migration.file.name;
        let Some(known) = upcoming.migrations.iter().find(|known| known.file == *name) else { return false };
        if let Some(done) = upcoming.begun.get(name) {
            leave_out_done(migration, known, *done);
        }
        true
    });
    let start = Start {
        known: facts.catalog.is_known(),
        before: match facts.catalog.known() {
            Some(catalog) => Folder::on(catalog.clone()),
            None => Folder::new(engine),
        },
        circumstances: Circumstances { version: facts.source.version, ..Circumstances::default() },
        together: true,
        earlier: Vec::new(),
    };
    let chain = chain::read(start, &migrations).chain;
    let checks = preflight::preflight(&upcoming, &chain, &facts, world).await;
    Ok(Foreseen { checks, upcoming, chain, facts })
}

/// Reads the facts that the checks rest on.
pub(super) async fn facts_of(dsn: &Dsn, world: &World<'_>) -> Result<Facts, ServiceError> {
    if let Dsn::Sqlite(path) = dsn
        && !path.exists()
    {
        // A file that will be made holds nothing, which is known.
        let mut facts = Facts::none(FactSource {
            origin: Origin::Live,
            engine: Engine::Sqlite,
            version: Some(dbwright_engine::sqlite::library_version()),
            version_text: String::new(),
            target: dsn.to_string(),
            database: Name::DEFAULT,
            role: None,
            superuser: false,
            collected_at: None,
            skipped: Vec::new(),
        });
        facts.catalog = Observed::Known(Folder::new(Engine::Sqlite).catalog().clone());
        facts.table_statistics = Observed::Known(Vec::new());
        return Ok(facts);
    }
    let mut session = ReadSession::open(dsn, &world.limits).await?;
    let mut facts = session.collect(&preflight::FACTS, world.progress).await?;
    session.close().await;
    if let (Dsn::Sqlite(_), Some(catalog)) = (dsn, facts.catalog.known_mut()) {
        dbwright_sql::sqlite::understand::complete(catalog);
    }
    dbwright_sql::understand::understand(&mut facts);
    Ok(facts)
}

/// Whether a file is gone on with behind a statement.
fn is_done(migration: &Migration, statement: &Statement, foreseen: &Foreseen) -> bool {
    let of_file = foreseen.chain.statements.iter().filter(|other| other.location.file == migration.file);
    foreseen.upcoming.begun.contains_key(&migration.file)
        && of_file.map(|other| other.location.line).min().is_none_or(|first| statement.line < first)
}

fn text(pending: &[Migration], foreseen: &Foreseen) -> String {
    let mut text = String::new();
    for migration in pending {
        let engine = foreseen.facts.source.engine;
        let parsed = steps::parse(engine, &migration.up);
        let steps = steps::cut(engine.dialect(), migration.transaction, &parsed);
        let held = steps.iter().all(|step| matches!(step.way, Way::Transaction | Way::Setting));
        let transaction = match migration.transaction {
            TransactionMode::OneTransaction if !held && engine.dialect() == Dialect::Mysql => {
                "no transaction holds it, since the server commits at every change of the schema"
            }
            TransactionMode::OneTransaction => "one transaction",
            TransactionMode::NoTransaction => "each statement by itself",
        };
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{}\n  {transaction}; lock timeout {}; statement timeout {}",
            migration.file,
            timeout(migration.lock_timeout),
            timeout(migration.statement_timeout)
        );
        for statement in &migration.up {
            let sql = statement.sql.trim().replace('\n', "\n    ");
            let _ = writeln!(text, "\n    {sql};");
            for line in effects(migration, statement, foreseen) {
                let _ = writeln!(text, "      {line}");
            }
        }
        text.push('\n');
    }
    let _ =
        write!(text, "Before they are run:\n{}\nNothing was changed.\n", preflight::text(&foreseen.checks));
    text
}

fn timeout(milliseconds: Option<u64>) -> String {
    match milliseconds {
        None => "the runner's".to_owned(),
        Some(0) => "none".to_owned(),
        Some(milliseconds) => format!("{} s", milliseconds as f64 / 1000.0),
    }
}

fn effects(migration: &Migration, statement: &Statement, foreseen: &Foreseen) -> Vec<String> {
    if let Some(backfill) = &statement.backfill {
        let keys: Vec<String> = backfill.keyset.iter().map(|name| format!("`{name}`")).collect();
        let rows = backfill::find_table(&foreseen.facts, &backfill.table)
            .ok()
            .and_then(|table| backfill::rows_of(&foreseen.facts, &table.name));
        let rows = rows.map_or_else(|| "an unknown number of".to_owned(), |rows| format!("about {rows}"));
        return vec![format!(
            "in pieces ordered by {}, each committed by itself, {} rows first; the table has {rows} rows",
            keys.join(", "),
            backfill.rows
        )];
    }
    let found = foreseen
        .chain
        .statements
        .iter()
        .find(|other| other.location.file == migration.file && other.location.line == statement.line);
    match found {
        Some(found) => {
            let mut lines = lines(found, &foreseen.facts);
            lines.extend(refused_copy(found, statement, foreseen));
            lines
        }
        None if is_done(migration, statement, foreseen) => vec!["done already".to_owned()],
        None => vec!["not analysed: it was not found in the file again".to_owned()],
    }
}

/// What is said of a statement that the server makes by copying a table, which the runner does only when it is told to.
fn refused_copy(found: &ChainStatement, statement: &Statement, foreseen: &Foreseen) -> Option<String> {
    let clauses = OnlineStatement::read(&statement.sql).filter(|_| !foreseen.upcoming.allow_copy)?;
    let rows = |relation: &QualifiedName| {
        let known = foreseen.facts.table_statistics.known()?;
        let table = known.iter().find(|table| table.table == *relation)?;
        table.rows.or(table.live_rows)
    };
    let copied = found.felt().find(|effect| effect.algorithm == Some(Algorithm::Copy))?;
    let few = rows(&copied.relation).is_some_and(|rows| rows as f64 <= online::FEW as f64);
    (!clauses.has_clause() && !few).then(|| {
        format!(
            "`migrate up` refuses to copy `{}` when it holds more than {} rows, unless `--allow-copy` is given",
            copied.relation,
            online::FEW
        )
    })
}

fn lines(statement: &ChainStatement, facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(because) = &statement.not_analysed {
        lines.push(format!("not analysed: {because}"));
    }
    for effect in &statement.effects.relations {
        let relation = &effect.relation;
        if statement.is_new(relation) {
            lines.push(format!("`{relation}` is made here, so nobody waits"));
            continue;
        }
        let known = facts.table_statistics.known();
        let bytes = known.and_then(|all| all.iter().find(|table| table.table == *relation)?.table_bytes);
        let expected = match bytes {
            Some(bytes) => lint::expected(effect, bytes).map(|span| format!(", {span}")).unwrap_or_default(),
            None => ", for how long is not known".to_owned(),
        };
        lines.push(format!("`{relation}`: {}; {}{expected}", lint::lock(effect), effect.cost.as_str()));
    }
    if let Some(because) = &statement.effects.refused {
        lines.push(format!("the server would refuse it: {because}"));
    }
    if lines.is_empty() {
        lines.push("locks no relation that is there".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_begun_file_has_done_is_left_out() {
        let text = "CREATE TABLE t (a int); CREATE TABLE child (b int);\nCREATE INDEX i ON t (a);\n";
        let statement =
            |sql: &str, line: u32| Statement { sql: sql.to_owned(), line, ..Statement::default() };
        let known = Migration {
            up: vec![
                statement("CREATE TABLE t (a int)", 1),
                statement("CREATE TABLE child (b int)", 1),
                statement("CREATE INDEX i ON t (a)", 2),
            ],
            ..Migration::default()
        };
        let check = |done: usize, expected: &str| {
            let mut file = MigrationFile { text: text.to_owned(), ..MigrationFile::default() };
            leave_out_done(&mut file, &known, done);
            assert_eq!(file.text, expected, "{done}");
        };
        check(1, &format!("{}CREATE TABLE child (b int);\nCREATE INDEX i ON t (a);\n", " ".repeat(24)));
        check(2, &format!("{}\nCREATE INDEX i ON t (a);\n", " ".repeat(51)));
        check(3, "");
    }
}
