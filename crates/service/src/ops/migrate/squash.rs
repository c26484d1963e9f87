//! `migrate squash`: one file takes the place of several that are applied, after it was proved to make the same.

use std::path::{Path, PathBuf};

use dbwright_engine::write::Consent;
use dbwright_model::applied::AppliedKind;
use dbwright_model::comparison::Comparison;
use dbwright_model::migration::Migration;
use dbwright_model::standing::Standing;
use dbwright_sql::compare::{Texts, compare};
use dbwright_sql::files::SourceFile;
use dbwright_sql::tools::Around;
use dbwright_sql::{script, squash};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::executed::{Scratch, Unable};
use super::record::{self, Changes, RecordChange};
use super::situation::{Place, Situation};
use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::world::World;

/// What to squash.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, clap::Args)]
#[serde(default)]
pub struct SquashRequest {
    /// Files and database.
    #[command(flatten)]
    #[serde(flatten)]
    pub place: Place,
    /// The oldest version to squash [default: the first]
    #[arg(long, value_name = "VERSION")]
    pub from: Option<String>,
    /// The newest version to squash [default: the last]
    #[arg(long, value_name = "VERSION")]
    pub to: Option<String>,
    /// Words for the name of the new file
    #[arg(long, value_name = "WORDS", default_value = "squash")]
    pub name: String,
    /// Be content with files that were read and not run, where no scratch server can be had
    #[arg(long)]
    pub without_scratch: bool,
}

/// What will take the place of what.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SquashReply {
    /// The database, without its password.
    pub target: String,
    /// The new file.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The files that go.
    pub removes: Vec<String>,
    /// Rows of the record that are written or go.
    pub changes: Vec<RecordChange>,
    /// How it is known that the new file makes what the old ones made, as full sentences.
    pub proof: Vec<String>,
    /// Where it does not; then nothing may be done.
    pub comparison: Comparison,
}

/// A squash that was shown.
pub struct Squash {
    path: PathBuf,
    text: String,
    removes: Vec<PathBuf>,
    changes: Changes,
}

/// Writes the new file's text and proves it; nothing is changed.
pub async fn plan(
    request: &SquashRequest,
    config: &Config,
    world: &World<'_>,
) -> Result<(SquashReply, Squash, Situation), ServiceError> {
    let situation = Situation::read(&request.place, config, world).await?;
    must_be_applied(&situation)?;
    let range = range(request, &situation)?;
    let all: Vec<&Migration> =
        situation.migrations.iter().filter(|migration| !migration.repeatable).collect();
    let (before, parts) = (&all[..range.start], &all[range.clone()]);
    let [first, .., last] = parts else {
        return Err(ServiceError::new(ErrorKind::Usage, "there is only one file to squash")
            .hint("name a longer range with `--from` and `--to`"));
    };
    let (name, path, shown) = new_file(request, &situation, last);
    let text = squash::text(situation.engine.dialect(), &name, "-", parts);
    let file = SourceFile { name: shown.clone(), text: text.clone() };
    let read = script::read(situation.engine.dialect(), std::slice::from_ref(&file), &Around::default());
    let [one] = read.as_slice() else {
        return Err(ServiceError::new(ErrorKind::Internal, "the new file does not read as one migration"));
    };
    if let Some(problem) = one.problems.first() {
        return Err(ServiceError::new(
            ErrorKind::Unsupported,
            format!("the files cannot be put into one: line {}: {}", problem.line, problem.because),
        ));
    }
    let mut reply = SquashReply {
        target: situation.dsn.to_string(),
        file: shown,
        text: text.clone(),
        ..SquashReply::default()
    };
    prove(request, &situation, (before, parts, one), &mut reply, config, world).await?;
    let mut changes = Changes::of(&situation);
    for part in parts.iter().filter(|part| part.version != one.version) {
        changes.forget(&part.version, format!("`{}` leaves the record.", part.version));
    }
    let mut row = record::row(one, AppliedKind::Squash, world);
    row.description = format!("{} (squash of {} to {})", one.description, first.version, last.version);
    changes.write(row, format!("`{}` is recorded in their place.", one.version));
    let (removes, gone) = removed(&situation, parts);
    reply.removes = gone;
    reply.changes.clone_from(&changes.list);
    Ok((reply, Squash { path, text, removes, changes }, situation))
}

/// Writes the file, the record, and removes what was squashed, in this order: whatever breaks off, no file is lost that the record
/// still needs.
pub async fn carry_out(reply: &SquashReply, squash: &Squash, consent: &Consent) -> Result<(), ServiceError> {
    if !reply.comparison.is_equal() {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            "nothing was squashed: the new file does not make the same",
        ));
    }
    let cannot = |path: &Path, error: &std::io::Error| {
        ServiceError::new(
            ErrorKind::Permission,
            format!("cannot write `{}`: {}", path.display(), crate::error::why(error)),
        )
    };
    let part = squash.path.with_extension("sql.part");
    std::fs::write(&part, &squash.text).map_err(|error| cannot(&part, &error))?;
    if let Err(error) = record::carry_out(&squash.changes, consent).await {
        // Nothing half-written stays behind; that it could not be removed changes nothing for the user.
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    for path in squash.removes.iter().filter(|path| **path != squash.path) {
        std::fs::remove_file(path).map_err(|error| cannot(path, &error))?;
    }
    std::fs::rename(&part, &squash.path).map_err(|error| cannot(&squash.path, &error))
}

/// Refuses while a file waits or contradicts the record.
fn must_be_applied(situation: &Situation) -> Result<(), ServiceError> {
    if !situation.has_history {
        return Err(ServiceError::new(
            ErrorKind::Usage,
            "nothing is recorded as applied there, so nothing can be squashed",
        )
        .hint("squash against a database on which every file has been run"));
    }
    let waiting: Vec<&str> = situation
        .lines
        .iter()
        .filter(|line| !matches!(line.standing, Standing::Applied | Standing::Reworded))
        .map(|line| line.version.as_str())
        .collect();
    match waiting.first() {
        None => Ok(()),
        Some(first) => Err(ServiceError::new(
            ErrorKind::Usage,
            format!(
                "nothing can be squashed while {} of the files {} not applied as they stand, such as `{first}`",
                waiting.len(),
                if waiting.len() == 1 { "is" } else { "are" }
            ),
        )
        .hint("`dbwright migrate status` says which, and what to do about them")),
    }
}

fn range(request: &SquashRequest, situation: &Situation) -> Result<std::ops::Range<usize>, ServiceError> {
    let all: Vec<&Migration> =
        situation.migrations.iter().filter(|migration| !migration.repeatable).collect();
    let position = |version: &str| {
        all.iter().position(|migration| migration.version == version).ok_or_else(|| {
            ServiceError::new(ErrorKind::Usage, format!("no file has the version `{version}`"))
                .hint("`dbwright migrate status` lists the versions")
        })
    };
    let start = request.from.as_deref().map(position).transpose()?.unwrap_or(0);
    let end = request.to.as_deref().map(position).transpose()?.map_or(all.len(), |last| last + 1);
    if start >= end {
        return Err(ServiceError::new(ErrorKind::Usage, "`--from` is newer than `--to`"));
    }
    Ok(start..end)
}

/// The name of the new file, where it will lie, and how it is shown. It has the version of the newest that it replaces.
fn new_file(request: &SquashRequest, situation: &Situation, last: &Migration) -> (String, PathBuf, String) {
    let words: String = request
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let position = situation.sources.iter().position(|file| file.name == last.file).unwrap_or(0);
    let path = &situation.paths[position];
    let in_own_folder = path.file_name().is_some_and(|name| name == "up.sql" || name == "migration.sql");
    let folder = if in_own_folder { path.parent().and_then(Path::parent) } else { path.parent() };
    let base = last.file.rsplit(['/', '\\']).next().unwrap_or(&last.file);
    let name = if base.starts_with('V') && base.contains("__") {
        format!("V{}__{words}.sql", last.version)
    } else {
        format!("{}_{words}.sql", last.version)
    };
    let mut shown = Path::new(&last.file).to_path_buf();
    if in_own_folder {
        shown.pop();
    }
    shown.set_file_name(&name);
    (name.clone(), folder.unwrap_or(Path::new("")).join(&name), shown.to_string_lossy().into_owned())
}

/// The files that go, their ways back included, as paths and as they are shown.
fn removed(situation: &Situation, parts: &[&Migration]) -> (Vec<PathBuf>, Vec<String>) {
    let mut paths = Vec::new();
    let mut shown = Vec::new();
    for part in parts {
        let Some(at) = situation.sources.iter().position(|file| file.name == part.file) else { continue };
        let path = &situation.paths[at];
        for (candidate, name) in
            [(path.clone(), part.file.clone())].into_iter().chain(ways_back(path, &part.file))
        {
            if candidate.is_file() && !paths.contains(&candidate) {
                paths.push(candidate);
                shown.push(name);
            }
        }
    }
    (paths, shown)
}

/// Where the file that undoes another may lie.
fn ways_back(path: &Path, shown: &str) -> Vec<(PathBuf, String)> {
    let base = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let other = if base == "up.sql" {
        Some("down.sql".to_owned())
    } else if let Some(stem) = base.strip_suffix(".up.sql") {
        Some(format!("{stem}.down.sql"))
    } else {
        base.strip_prefix('V').filter(|rest| rest.contains("__")).map(|rest| format!("U{rest}"))
    };
    let shown_folder = &shown[..shown.len() - base.len().min(shown.len())];
    other.map(|other| (path.with_file_name(&other), format!("{shown_folder}{other}"))).into_iter().collect()
}

/// Proves that the new file makes what its parts made: read, and run on a scratch server.
async fn prove(
    request: &SquashRequest,
    situation: &Situation,
    (before, parts, one): (&[&Migration], &[&Migration], &Migration),
    reply: &mut SquashReply,
    config: &Config,
    world: &World<'_>,
) -> Result<(), ServiceError> {
    let with_parts: Vec<&Migration> = before.iter().chain(parts).copied().collect();
    let with_one: Vec<&Migration> = before.iter().copied().chain([one]).collect();
    let (expected, not_analysed) = situation.expected(&with_parts);
    let read = compare(&expected, &situation.expected(&with_one).0, Texts::Trees);
    reply
        .proof
        .push(format!("Read in order, the new file and the {} old ones make the same catalog.", parts.len()));
    reply.comparison = read;
    reply.comparison.not_compared.extend(not_analysed);
    if !reply.comparison.is_equal() {
        reply.proof.clear();
        return Ok(());
    }
    let tried = async {
        let scratch = Scratch::start(situation.engine, situation.version, world)?;
        let old = scratch.run("old", &with_parts, config, world).await?;
        // Roles belong to the whole server, and what makes one must not find it made by the old files.
        let other = Scratch::start(situation.engine, situation.version, world)?;
        let new = other.run("new", &with_one, config, world).await?;
        Ok::<_, Unable>((scratch.name(), old, new))
    };
    match tried.await {
        Ok((name, old, new)) => {
            reply.comparison = compare(&old.catalog, &new.catalog, Texts::Trees);
            if old.rows != new.rows {
                reply.comparison.differences.extend(old.rows.iter().filter_map(|(table, rows)| {
                    let found = new.rows.get(table).copied().unwrap_or(0);
                    (found != *rows).then(|| dbwright_model::comparison::Difference {
                        object: format!("table `{table}`"),
                        what: "rows".to_owned(),
                        expected: Some(rows.to_string()),
                        found: Some(found.to_string()),
                    })
                }));
            }
            if reply.comparison.is_equal() {
                let rows: u64 = old.rows.values().sum();
                reply.proof.push(format!(
                    "Run on {name}, they make the same catalog of {} tables and the same number of rows ({rows}).",
                    old.catalog.tables.len()
                ));
            } else {
                reply.proof.clear();
            }
            Ok(())
        }
        Err(Unable(because)) if request.without_scratch => {
            reply.proof.push(format!("They were not run: {because}."));
            Ok(())
        }
        Err(Unable(because)) => Err(ServiceError::new(
            ErrorKind::Unsupported,
            format!("that the files make the same could not be tried: {because}"),
        )
        .hint("`--without-scratch` is content with reading them")),
    }
}
