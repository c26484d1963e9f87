//! The matrix of SQLite: every case on a file of its own, with the library that is built into dbwright.

use std::collections::BTreeMap;
use std::path::Path;

use dbwright_engine::dsn::Dsn;
use dbwright_engine::sqlite::observe::{Observation, observe as observe_file};
use dbwright_engine::write::{Consent, WriteSession};
use dbwright_model::engine::{Dialect, Version};

use crate::case::{self, Case};
use crate::cell::Cell;
use crate::matrix::{Engine, Observed};

/// The engine.
pub static ENGINE: Engine = Engine { name: "sqlite", dialect: Dialect::Sqlite, versions: &VERSIONS, observe };

/// Versions that have cells, as `major * 100 + minor`.
pub const VERSIONS: [u16; 1] = [354];

/// How a version is called in the matrix.
pub fn number(version: Version) -> u16 {
    version.major * 100 + version.minor
}

/// Leave to write a file of this run.
fn consent_for(path: &Path) -> Result<Consent, String> {
    Consent::for_scratch(&Dsn::Sqlite(path.to_owned()), &std::env::temp_dir()).map_err(|error| error.message)
}

fn observe(cases: &[Case]) -> Result<Observed, String> {
    let base = case::base_sql(ENGINE.name)?;
    let library = dbwright_engine::sqlite::library_version();
    let version = number(library);
    let mut observed = Observed { cells: vec![BTreeMap::new(); cases.len()], ..Observed::default() };
    if !VERSIONS.contains(&version) {
        observed.failures.push(format!("the library is {library} and has no cells: record them"));
        return Ok(observed);
    }
    observed.servers.insert(version, format!("SQLite {library}"));
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| error.to_string())?;
    let template = folder.path().join("base.sqlite");
    runtime.block_on(async {
        let session = WriteSession::open(&consent_for(&template)?).await;
        session
            .map_err(|error| error.message)?
            .script(&base)
            .await
            .map_err(|error| format!("base.sql: {}", error.message))
    })?;
    for (index, case) in cases.iter().enumerate() {
        let path = folder.path().join(format!("{index}.sqlite"));
        std::fs::copy(&template, &path).map_err(|error| error.to_string())?;
        let outcome = runtime.block_on(async {
            let session = WriteSession::open(&consent_for(&path)?).await;
            let WriteSession::Sqlite(mut file) = session.map_err(|error| error.message)? else {
                return Err("the session is not of SQLite".to_owned());
            };
            // The library's own default is on; a case that wants them off says so.
            for sql in &case.setup {
                file.execute_batch(sql).map_err(|error| format!("`{sql}`: {error}"))?;
            }
            let several = case.statement.contains(";\n");
            observe_file(&mut file, &case.statement, several).map_err(|error| error.to_string())
        });
        match outcome {
            Ok(observation) => {
                observed.cells[index].insert(version, cell(observation));
            }
            Err(complaint) => {
                observed.failures.push(format!("{}/{} on {version}: {complaint}", case.family, case.name));
            }
        }
        // A file that stays is removed with the folder.
        let _ = std::fs::remove_file(&path);
    }
    Ok(observed)
}

fn cell(observation: Observation) -> Cell {
    match observation.error {
        Some(code) => Cell::Refused { code },
        None => Cell::done(observation.transaction, observation.relations).losing(observation.losses),
    }
}
