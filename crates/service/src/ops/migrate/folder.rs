//! How a folder of migrations stands to a database: which files it has had, and what the others would do to it.

use std::path::Path;

use dbwright_model::chain::{Chain, Standing};
use dbwright_model::facts::{Facts, MigrationHistory, Origin, SkippedStatement};
use dbwright_model::history;
use dbwright_model::migration::Migration;
use dbwright_model::observed::Observed;
use dbwright_sql::chain::{self, MigrationFile, Start};
use dbwright_sql::effects::Circumstances;
use dbwright_sql::fold::Folder;
use dbwright_sql::script;
use dbwright_sql::suppress::CommentSuppression;
use dbwright_sql::tools::{self, recorded};

use super::files;
use super::lint::skipped;
use super::stand_ins::StandIns;
use crate::error::ServiceError;
use crate::world::World;

/// What a folder tells.
pub(crate) struct Told {
    /// The chain of its files, or why the database does not tell which of them are still to be run.
    pub migrations: Observed<Chain>,
    /// Suppressions in comments.
    pub suppressions: Vec<CommentSuppression>,
    /// Statements that were not understood.
    pub skipped: Vec<SkippedStatement>,
    /// What stands in the place of placeholders.
    pub stand_ins: StandIns,
}

/// Reads a folder and compares it with the facts of a database. Files that were applied are not judged again: what they
/// did is in the catalog, and has been judged there. With facts from files there is no history, and all are judged.
pub(crate) fn read(folder: &Path, facts: &Facts, world: &World<'_>) -> Result<Told, ServiceError> {
    let (stand_ins, told) = read_files(folder, facts, world)?;
    Ok(Told { stand_ins, ..told })
}

fn read_files(folder: &Path, facts: &Facts, world: &World<'_>) -> Result<(StandIns, Told), ServiceError> {
    let scripts = files::read(&[folder.to_path_buf()], &world.directory)?;
    let engine = facts.source.engine;
    if let Some(other) = scripts.engine().filter(|other| other.dialect() != engine.dialect()) {
        let because = format!("the migrations are written for {other}, and the target is one of {engine}");
        return Ok((StandIns::default(), Told::unknown(because)));
    }
    let stand_ins = StandIns::of(engine.dialect(), &scripts.files);
    let circumstances = Circumstances { version: facts.source.version, ..Circumstances::default() };
    let own = script::read(engine.dialect(), &scripts.files, &scripts.around);
    let mut migrations = tools::migrations(engine.dialect(), scripts.files, &scripts.around);
    for migration in &mut migrations {
        migration.file.judged = true;
    }
    if facts.source.origin == Origin::Files {
        return Ok((stand_ins, Told::of(chain::from_nothing(engine, circumstances), &migrations, None)));
    }
    let standing = match compare(facts, &migrations, &own) {
        Ok(standing) => standing,
        Err(because) => return Ok((stand_ins, Told::unknown(because))),
    };
    let Some(catalog) = facts.catalog.known() else {
        return Ok((stand_ins, Told::unknown("the catalog is not known".to_owned())));
    };
    let applied = standing.as_ref().map(|(_, applied)| applied.as_slice()).unwrap_or_default();
    for (position, migration) in migrations.iter_mut().enumerate() {
        let applied = applied.get(position).copied().unwrap_or(false);
        migration.file.applied = Some(applied);
        migration.file.judged = !applied;
        if applied {
            // The catalog holds what it made.
            migration.text.clear();
        }
    }
    let start = Start {
        known: true,
        before: Folder::on(catalog.clone()),
        circumstances,
        together: true,
        earlier: Vec::new(),
    };
    Ok((stand_ins, Told::of(start, &migrations, standing.map(|(standing, _)| standing))))
}

/// The history that the files belong to, with whether each was applied; nothing for a database that has had no
/// migration yet. `own` are the same files as dbwright runs them.
fn compare(
    facts: &Facts,
    migrations: &[MigrationFile],
    own: &[Migration],
) -> Result<Option<(Standing, Vec<bool>)>, String> {
    let histories = match &facts.migration_history {
        Observed::Known(histories) => histories,
        other => {
            let because = other.because().unwrap_or_default();
            return Err(format!("which files were applied is not known: {because}"));
        }
    };
    let histories: Vec<&MigrationHistory> =
        histories.iter().filter(|history| !history.applied.is_empty()).collect();
    let paths: Vec<&str> = migrations.iter().map(|migration| migration.file.name.as_str()).collect();
    let best = histories
        .iter()
        .map(|history| match history.tool.as_str() {
            history::OWN => (recorded::compare_own(history, own, &paths), history),
            _ => (recorded::compare(history, &paths), history),
        })
        .max_by_key(|(compared, _)| compared.applied.iter().filter(|applied| **applied).count());
    match best {
        Some((compared, history)) if compared.applied.contains(&true) => {
            let standing = Standing {
                tool: history.tool.clone(),
                table: history.table.clone(),
                without_file: compared.without_file,
                edited: compared.edited,
            };
            Ok(Some((standing, compared.applied)))
        }
        Some((_, history)) => {
            Err(format!("the history of {} in `{}` names none of the files", history.tool, history.table))
        }
        None => {
            let tables = facts.catalog.known().map(|catalog| catalog.tables.as_slice()).unwrap_or_default();
            match tables.iter().all(|table| history::is_tool_table(table.name.name.as_str())) {
                true => Ok(None),
                false => Err("the database keeps no history of migrations, so that nobody can say which files it has had".to_owned()),
            }
        }
    }
}

impl Told {
    fn of(start: Start, migrations: &[MigrationFile], standing: Option<Standing>) -> Self {
        let mut read = chain::read(start, migrations);
        read.chain.standing = standing;
        Told {
            skipped: skipped(&read.chain),
            migrations: Observed::Known(read.chain),
            suppressions: read.suppressions,
            stand_ins: StandIns::default(),
        }
    }

    fn unknown(because: String) -> Self {
        Told {
            migrations: Observed::Unsupported(because),
            suppressions: Vec::new(),
            skipped: Vec::new(),
            stand_ins: StandIns::default(),
        }
    }
}
