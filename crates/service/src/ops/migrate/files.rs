//! Migration files as they lie on the disk, with what stands around them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::migration::Migration;
use dbwright_sql::files::SourceFile;
use dbwright_sql::script;
use dbwright_sql::tools::{self, Around};

use crate::config::Config;
use crate::error::{ErrorKind, ServiceError};
use crate::target::{cannot_open, project_files, read_source, standard_input};

/// Migration files in the order in which they are applied.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// The files.
    pub files: Vec<SourceFile>,
    /// Where each lies, in the same order.
    pub paths: Vec<PathBuf>,
    /// What stands around them.
    pub around: Around,
    /// Files that undo others, which are read on demand: their names, and where they lie.
    undo: Vec<(String, PathBuf)>,
}

/// Files that are worth the start of a second thread.
const MANY: usize = 100;
/// Folders below a named one in which migrations are looked for.
const DEPTH: u32 = 4;

/// What a user named, or the configuration.
pub(super) fn named(paths: &[PathBuf], config: &Config) -> Result<Vec<PathBuf>, ServiceError> {
    if !paths.is_empty() {
        return Ok(paths.to_vec());
    }
    config.migrations.clone().map(|path| vec![path]).ok_or_else(|| {
        ServiceError::new(ErrorKind::Usage, "no migrations were named")
            .hint("name a folder or files, or set `migrations` in dbwright.toml")
    })
}

/// Reads what a user named: files, and folders with everything in them. Folders stand in the order in which they are
/// named; files and what is in a folder are put into the order of their tools.
pub(super) fn read(named: &[PathBuf], directory: &Path) -> Result<Scripts, ServiceError> {
    let mut scripts = Scripts::default();
    let mut seen = BTreeSet::new();
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let mut alone: Vec<(String, PathBuf)> = Vec::new();
    for name in named {
        let path = directory.join(name);
        let shown = shown(name);
        let metadata = std::fs::metadata(&path).map_err(|error| cannot_open(&shown, &error))?;
        let folder = if metadata.is_dir() { Some(path.as_path()) } else { path.parent() };
        if let Some(folder) = folder {
            scripts.note_project(folder);
        }
        if metadata.is_dir() {
            sort_onto(&mut alone, &mut found);
            let mut inside = Vec::new();
            let mut list = List { root: &path, name, around: &mut scripts.around, scripts: &mut inside };
            list.folder(&path, 0).map_err(|error| cannot_open(&shown, &error))?;
            scripts.set_undo_aside(&mut inside);
            if inside.is_empty() {
                return Err(ServiceError::new(ErrorKind::Usage, format!("`{shown}` holds no `.sql` files"))
                    .hint("name the folder in which the migration tool keeps its files"));
            }
            sort_onto(&mut inside, &mut found);
        } else {
            if let (Some(folder), Some(root)) = (path.parent(), name.parent()) {
                let mut others = Vec::new();
                let mut list =
                    List { root: folder, name: root, around: &mut scripts.around, scripts: &mut others };
                // What stands around a file only helps; the file itself is read below.
                let _ = list.folder(folder, DEPTH);
                scripts.set_undo_aside(&mut others);
            }
            alone.push((shown, path));
        }
    }
    sort_onto(&mut alone, &mut found);
    found.retain(|(_, path)| seen.insert(path.clone()));
    scripts.files = read_files(&found)?;
    scripts.paths = found.into_iter().map(|(_, path)| path).collect();
    Ok(scripts)
}

/// The same for those that may come from another program: `-` alone is the standard input.
pub(super) fn read_or_take(named: &[PathBuf], directory: &Path) -> Result<Scripts, ServiceError> {
    match named {
        [one] if one.as_os_str() == "-" => {
            Ok(Scripts { files: vec![standard_input()?], ..Scripts::default() })
        }
        _ => read(named, directory),
    }
}

/// Reads files, many of them on two threads: what takes long is the way to each.
fn read_files(found: &[(String, PathBuf)]) -> Result<Vec<SourceFile>, ServiceError> {
    let read = |files: &[(String, PathBuf)]| -> Result<Vec<SourceFile>, ServiceError> {
        files.iter().map(|(name, path)| read_source(name, path)).collect()
    };
    if found.len() < MANY {
        return read(found);
    }
    let (first, second) = found.split_at(found.len() / 2);
    std::thread::scope(|scope| {
        let other = std::thread::Builder::new().spawn_scoped(scope, move || read(second));
        let mut files = read(first)?;
        files.append(&mut match other.map(ScopedJoinHandle::join) {
            Ok(Ok(more)) => more?,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // Without a second thread, the first one does it all.
            Err(_) => read(second)?,
        });
        Ok(files)
    })
}

fn sort_onto(files: &mut Vec<(String, PathBuf)>, found: &mut Vec<(String, PathBuf)>) {
    files.sort_by_cached_key(|(name, _)| tools::order(name));
    found.append(files);
}

/// A path as it is shown: without the `./` that says nothing.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.strip_prefix("./").filter(|rest| !rest.is_empty()).unwrap_or(&text).to_owned()
}

/// Lists a folder.
struct List<'a> {
    root: &'a Path,
    name: &'a Path,
    around: &'a mut Around,
    scripts: &'a mut Vec<(String, PathBuf)>,
}

impl List<'_> {
    fn folder(&mut self, folder: &Path, depth: u32) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let base = entry.file_name().to_string_lossy().into_owned();
            let is_folder = match entry.file_type() {
                Ok(kind) if !kind.is_symlink() => kind.is_dir(),
                _ => path.is_dir(),
            };
            if is_folder {
                let apart = !base.starts_with('.') && base != "node_modules" && base != "target";
                if depth < DEPTH && apart && !leads_back(&path, folder) {
                    self.folder(&path, depth + 1)?;
                }
                continue;
            }
            let lower = base.to_ascii_lowercase();
            let is_script = lower.ends_with(".sql");
            let is_setting =
                matches!(base.as_str(), "metadata.toml" | "migration_lock.toml" | "_journal.json")
                    || lower.ends_with(".sql.conf");
            if !is_script && !is_setting {
                continue;
            }
            let inside = path.strip_prefix(self.root).unwrap_or(&path);
            let name = shown(&self.name.join(inside));
            self.around.names.insert(name.clone());
            if is_setting {
                let text = std::fs::read(&path)?;
                self.around.settings.insert(name, String::from_utf8_lossy(&text).into_owned());
            } else {
                self.scripts.push((name, path));
            }
        }
        Ok(())
    }
}

/// Whether a folder is a link to one that it lies in itself.
fn leads_back(link: &Path, folder: &Path) -> bool {
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    link.is_symlink()
        && whole(link).zip(whole(folder)).is_some_and(|(target, inside)| inside.starts_with(target))
}

impl Scripts {
    /// Moves files that undo others out of a list.
    fn set_undo_aside(&mut self, files: &mut Vec<(String, PathBuf)>) {
        let unversioned = self.around.unversioned();
        self.undo.extend(files.extract_if(.., |(name, _)| tools::is_undo(name, unversioned)));
    }

    /// Reads the files that undo others.
    pub(super) fn undo_files(&self) -> Result<Vec<SourceFile>, ServiceError> {
        let mut seen = BTreeSet::new();
        let once = self.undo.iter().filter(|(_, path)| seen.insert(path));
        once.map(|(name, path)| read_source(name, path)).collect()
    }

    /// What the files hold, each with its way back. Two of one version are an error, since a history could not tell them apart.
    pub(super) fn migrations(&self, dialect: Dialect) -> Result<Vec<Migration>, ServiceError> {
        let mut files = self.undo_files()?;
        files.extend(self.files.iter().cloned());
        let migrations = script::read(dialect, &files, &self.around);
        // Numbers are compared as such, so that nobody has to guess in which order `1` and `01` are run.
        let mut seen: BTreeMap<Vec<tools::OrderPart>, &str> = BTreeMap::new();
        for migration in &migrations {
            if let Some(other) = seen.insert(tools::order(&migration.version), &migration.file) {
                return Err(ServiceError::new(
                    ErrorKind::Usage,
                    format!("`{other}` and `{}` have the same version {}", migration.file, migration.version),
                )
                .hint("give one of them another number"));
            }
        }
        Ok(migrations)
    }

    /// What is left out because its tool runs it on other engines only, as full sentences.
    pub(super) fn left_out(&self, dialect: Dialect) -> Vec<String> {
        let marked = self.files.iter().filter(|file| file.text.contains("dbms:"));
        let marked: Vec<SourceFile> = marked.cloned().collect();
        let parts = tools::as_written(dialect, marked, &self.around);
        let left_out = parts.into_iter().filter_map(|part| Some((part.file.name, part.file.left_out?)));
        left_out.map(|(name, part)| format!("Left out of `{name}`: {}.", part.because)).collect()
    }

    /// Notes the files of the project that a folder belongs to.
    fn note_project(&mut self, folder: &Path) {
        for file in project_files(folder) {
            if !self.around.project.iter().any(|known| known.name == file.name) {
                self.around.project.push(file);
            }
        }
    }

    /// The engine that a tool's own settings name.
    pub(super) fn engine(&self) -> Option<Engine> {
        self.around.settings.iter().find_map(|(name, text)| {
            let key = if name.ends_with("migration_lock.toml") { "provider" } else { "\"dialect\"" };
            let line = text.lines().find(|line| line.trim_start().starts_with(key))?;
            let (_, value) = line.split_once(['=', ':'])?;
            match value.trim().trim_end_matches(',').trim_matches('"') {
                "postgresql" | "postgres" | "pg" => Some(Engine::Postgres),
                "mysql" => Some(Engine::Mysql),
                "sqlite" => Some(Engine::Sqlite),
                _ => None,
            }
        })
    }
}
