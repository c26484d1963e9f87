//! The trial of a plan on scratch files of SQLite.
//!
//! SQLite has no statement for many changes, so that the change by itself cannot be carried out. Then the plan is compared
//! with a file that is made of what folding foretells.

use std::path::Path;

use dbwright_advise::migrate::Knowledge;
use dbwright_engine::dsn::Dsn;
use dbwright_engine::session::{Limits, ReadSession, SessionError, Silent};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::catalog::{Catalog, Table, TableKind};
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::facts::Fact;
use dbwright_model::plan::{Plan, Step, TransactionMode, Undo, Work};
use dbwright_sql::script::write::{statements, update};

use super::{Outcome, Proof, difference, rows};
use crate::error::{ErrorKind, ServiceError};
use crate::ops::migrate::knowledge::TextSide;

/// The rows of tables, by table and as texts.
type Rows = Vec<(String, Vec<String>)>;

/// Tries a plan in files below a folder for temporary files.
pub async fn prove(
    temporary: &Path,
    before: &Catalog,
    changes: &[Change],
    plan: &Plan,
) -> Result<Proof, ServiceError> {
    let folder =
        tempfile::Builder::new().prefix("dbwright-trial-").tempdir_in(temporary).map_err(|error| {
            let message = format!("cannot make a folder in `{}`: {error}", temporary.display());
            ServiceError::new(ErrorKind::Permission, message)
        })?;
    let version = dbwright_engine::sqlite::library_version();
    let mut proof = Proof { server: format!("{} {version}", Engine::Sqlite), ..Proof::default() };
    proof.outcome = match run(folder.path(), temporary, before, changes, plan, &mut proof).await? {
        Ok(()) => Outcome::Proven,
        Err(outcome) => outcome,
    };
    Ok(proof)
}

async fn run(
    folder: &Path,
    temporary: &Path,
    before: &Catalog,
    changes: &[Change],
    plan: &Plan,
    proof: &mut Proof,
) -> Result<Result<(), Outcome>, ServiceError> {
    let file = |name: &str| Dsn::Sqlite(folder.join(name));
    let open = async |name: &str| -> Result<WriteSession, SessionError> {
        WriteSession::open(&Consent::for_scratch(&file(name), temporary)?).await
    };
    let know = TextSide { engine: Engine::Sqlite, version: None };
    let foretold = know.after(before, changes);
    // Where SQLite has the statements, they tell what the change leads to.
    let by_itself = changes.iter().all(|change| know.expresses(change));
    let other = if by_itself { before } else { &foretold };
    for (name, catalog) in [("expected.sqlite", other), ("plan.sqlite", before)] {
        let (texts, left_out) = dbwright_sql::build::sqlite(catalog);
        let mut session = open(name).await?;
        let refused = in_rounds(&mut session, texts).await;
        proof.gaps.extend(left_out.into_iter().map(|name| format!("`{name}` could not be made.")));
        proof
            .gaps
            .extend(refused.into_iter().map(|(_, error)| format!("An object could not be made: {error}.")));
    }
    if by_itself {
        let mut session = open("expected.sqlite").await?;
        let work: Vec<Work> = changes.iter().cloned().map(Work::from).collect();
        let alone = Step { transaction: TransactionMode::NoTransaction, ..Step::default() };
        if let Err(sentence) = carry_out(&mut session, &alone, &work).await {
            return Ok(Err(Outcome::Failed(vec![format!("The change by itself is refused: {sentence}")])));
        }
    }
    let mut session = open("plan.sqlite").await?;
    session.script("pragma foreign_keys = on").await?;
    let inserts = rows::of(Dialect::Sqlite, before, false);
    in_rounds(&mut session, inserts.into_iter().flat_map(|filled| filled.inserts).collect()).await;
    let started = catalog_of(&file("plan.sqlite")).await?;
    let rows_before = read(&mut session, &started, &foretold)?;
    let broken_before = broken(&mut session, &started).await;
    for step in &plan.steps {
        if let Err(sentence) = carry_out(&mut session, step, &step.work).await {
            return Ok(Err(Outcome::Failed(vec![sentence])));
        }
    }
    let ended = catalog_of(&file("plan.sqlite")).await?;
    let newly: Vec<String> = broken(&mut session, &ended)
        .await
        .into_iter()
        .filter(|(statement, _)| !broken_before.iter().any(|(before, _)| before == statement))
        .map(|(statement, error)| format!("After the plan `{statement}` is refused: {error}."))
        .collect();
    if !newly.is_empty() {
        return Ok(Err(Outcome::Failed(newly)));
    }
    let expected = catalog_of(&file("expected.sqlite")).await?;
    let differing = difference(&expected, &ended);
    if !differing.is_empty() {
        let mut sentences =
            vec!["The catalog after the plan is not the one that the change asks for.".to_owned()];
        sentences.extend(differing);
        return Ok(Err(Outcome::Failed(sentences)));
    }
    proof.shown.push("The catalog after the plan is the one that the change asks for.".to_owned());
    let after = read(&mut session, &started, &foretold)?;
    if let Some((table, _)) = rows_before.iter().zip(&after).find(|(old, new)| old != new).map(|(old, _)| old)
    {
        return Ok(Err(Outcome::Failed(vec![format!("The rows of `{table}` are not kept.")])));
    }
    let count: usize = after.iter().map(|(_, rows)| rows.len()).sum();
    proof.shown.push(format!("{count} rows and the positions of AUTOINCREMENT are kept."));
    let reversible = plan.steps.iter().all(|step| matches!(step.undo, Undo::Work(_)));
    if !reversible {
        proof.shown.push("There is no way back from some of the steps; none was tried.".to_owned());
        return Ok(Ok(()));
    }
    for step in plan.steps.iter().rev() {
        if let Undo::Work(work) = &step.undo
            && let Err(sentence) = carry_out(&mut session, step, work).await
        {
            return Ok(Err(Outcome::Failed(vec![format!("On the way back: {sentence}")])));
        }
    }
    let differing = difference(&started, &catalog_of(&file("plan.sqlite")).await?);
    if !differing.is_empty() || read(&mut session, &started, &foretold)? != rows_before {
        let mut sentences = vec!["Undone, the catalog or the rows are not those before.".to_owned()];
        sentences.extend(differing);
        return Ok(Err(Outcome::Failed(sentences)));
    }
    proof.shown.push("Undone in reverse, the catalog and the rows are those before.".to_owned());
    Ok(Ok(()))
}

/// The statements that SQLite does not compile, with its words: a broken trigger or view is noticed by nothing else.
async fn broken(session: &mut WriteSession, catalog: &Catalog) -> Vec<(String, String)> {
    let quote = |name: &str| dbwright_sql::quote_identifier(Dialect::Sqlite, name);
    let mut statements = Vec::new();
    for table in catalog.tables.iter().filter(|table| matches!(table.kind, TableKind::Ordinary)) {
        let name = quote(table.name.name.as_str());
        statements.push(format!("INSERT INTO {name} DEFAULT VALUES"));
        statements.push(format!("DELETE FROM {name}"));
        let written = table.columns.iter().filter(|column| column.generated.is_none());
        statements.extend(written.map(|column| {
            let column = quote(column.name.as_str());
            format!("UPDATE {name} SET {column} = {column}")
        }));
    }
    for view in &catalog.views {
        statements.push(format!("SELECT * FROM {}", quote(view.name.name.as_str())));
    }
    let mut found = Vec::new();
    for sql in statements {
        if let Err(error) = session.script(&format!("EXPLAIN {sql}")).await {
            found.push((sql, error.message));
        }
    }
    found
}

/// Runs work in the way of its step.
async fn carry_out(session: &mut WriteSession, step: &Step, work: &[Work]) -> Result<(), String> {
    let version = Some(dbwright_engine::sqlite::library_version());
    let mut texts: Vec<String> = Vec::new();
    if step.foreign_keys_off {
        texts.push("pragma foreign_keys = off".to_owned());
    }
    let one = step.transaction == TransactionMode::OneTransaction;
    if one {
        texts.push("begin immediate".to_owned());
    }
    if let Some(batches) = &step.repeat {
        texts.push(update(Dialect::Sqlite, batches));
    }
    texts.extend(statements(Engine::Sqlite, version, work)?.into_iter().map(|written| written.sql));
    if one {
        texts.push("commit".to_owned());
    }
    if step.foreign_keys_off {
        texts.push("pragma foreign_keys = on".to_owned());
    }
    for sql in texts {
        if let Err(error) = session.script(&sql).await {
            return Err(format!("Step `{}`: `{sql}` is refused: {}.", step.name, error.message));
        }
    }
    Ok(())
}

/// Runs statements, those that are refused again as long as others succeed.
async fn in_rounds(session: &mut WriteSession, mut texts: Vec<String>) -> Vec<(String, String)> {
    loop {
        let (mut refused, count) = (Vec::new(), texts.len());
        for sql in texts {
            if let Err(error) = session.script(&sql).await {
                refused.push((sql, error.message));
            }
        }
        if refused.is_empty() || refused.len() == count {
            return refused;
        }
        texts = refused.into_iter().map(|(sql, _)| sql).collect();
    }
}

async fn catalog_of(dsn: &Dsn) -> Result<Catalog, ServiceError> {
    let plan = [Fact::Catalog, Fact::Triggers];
    let mut session = ReadSession::open(dsn, &Limits::default()).await?;
    let mut facts = session.collect(&plan, &Silent).await?;
    session.close().await;
    if let Some(catalog) = facts.catalog.known_mut() {
        dbwright_sql::sqlite::understand::complete(catalog);
    }
    dbwright_sql::understand::understand(&mut facts);
    let mut catalog = facts
        .catalog
        .known()
        .cloned()
        .ok_or_else(|| ServiceError::new(ErrorKind::Internal, "the scratch catalog could not be read"))?;
    for table in &mut catalog.tables {
        // Its spelling tells how the table came to be.
        table.definition = None;
    }
    // A renaming puts quotes around the names that it changes.
    catalog.views.iter_mut().for_each(|view| view.definition.retain(|c| c != '"'));
    for trigger in catalog.triggers.known_mut().into_iter().flatten() {
        trigger.body.retain(|c| c != '"');
    }
    Ok(catalog)
}

/// The rows of every table that is there before and after, in the columns of both; and the positions of `AUTOINCREMENT`.
fn read(session: &mut WriteSession, before: &Catalog, after: &Catalog) -> Result<Rows, ServiceError> {
    let quote = |name: &str| dbwright_sql::quote_identifier(Dialect::Sqlite, name);
    let mut all = Rows::new();
    let both = before.tables.iter().filter(|table| matches!(table.kind, TableKind::Ordinary));
    for table in both {
        let Some(other) = after.table(&table.name) else { continue };
        let columns = common(table, other).map(|name| format!("quote(cast({} as text))", quote(name)));
        let columns: Vec<String> = columns.collect();
        if columns.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT {} FROM {} ORDER BY 1",
            columns.join(" || ',' || "),
            quote(table.name.name.as_str())
        );
        all.push((table.name.to_string(), session.texts(&sql)?));
    }
    let numbered = |table: &&Table| table.columns.iter().any(|column| column.auto_increment);
    let both = before.tables.iter().filter(numbered);
    for table in both.filter(|table| after.table(&table.name).as_ref().is_some_and(numbered)) {
        let name = table.name.name.as_str().replace('\'', "''");
        let sql = format!("SELECT seq || '' FROM sqlite_sequence WHERE name = '{name}'");
        all.push((format!("sqlite_sequence of {}", table.name), session.texts(&sql)?));
    }
    Ok(all)
}

fn common<'a>(table: &'a Table, other: &'a Table) -> impl Iterator<Item = &'a str> {
    let names = table.columns.iter().map(|column| column.name.as_str());
    names.filter(|name| other.column(name).is_some())
}
