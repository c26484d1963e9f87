//! Which files a version control system has seen change since a revision.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{ErrorKind, ServiceError};

/// How a file differs from what a revision holds.
pub(super) enum Change {
    /// The revision does not have it.
    Added,
    /// The revision has it with another text.
    Edited {
        /// Its path from the top of the working tree.
        name: String,
    },
}

/// The files that were added or modified since a revision, those that are not under version control yet included. Only
/// the working tree that holds the folder is asked.
pub(super) fn changed(revision: &str, folder: &Path) -> Result<BTreeMap<PathBuf, Change>, ServiceError> {
    if revision.is_empty() || revision.starts_with('-') {
        return Err(ServiceError::new(ErrorKind::Usage, format!("`{revision}` is no revision"))
            .hint("name a branch, a tag or a commit, such as `origin/main`"));
    }
    let top = git(folder, &["rev-parse", "--show-toplevel"]).map_err(|trouble| {
        trouble.hint("`--since` compares with a revision in Git: run it inside of a working tree")
    })?;
    let top = PathBuf::from(top.trim_end_matches('\n'));
    let differing = |filter: &str| {
        let diff = ["diff", "--name-only", "-z", filter, "--no-renames", "--no-ext-diff", revision, "--"];
        git(&top, &diff).map_err(|trouble| {
            trouble
                .hint("name a branch, a tag or a commit that this repository has")
                .hint("a shallow clone has no history: fetch the revision first")
        })
    };
    let (edited, added) = (differing("--diff-filter=M")?, differing("--diff-filter=A")?);
    let new = git(&top, &["ls-files", "-z", "--others", "--exclude-standard"])?;
    let names = |list: &str| -> Vec<String> {
        list.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let found = |name: &str| std::fs::canonicalize(top.join(name)).ok();
    let mut changes = BTreeMap::new();
    for name in names(&added).into_iter().chain(names(&new)) {
        changes.extend(found(&name).map(|path| (path, Change::Added)));
    }
    for name in names(&edited) {
        changes.extend(found(&name).map(|path| (path, Change::Edited { name })));
    }
    Ok(changes)
}

/// The text that a revision has of a file, which is named from the top of the working tree.
pub(super) fn text(revision: &str, folder: &Path, name: &str) -> Result<String, ServiceError> {
    git(folder, &["cat-file", "blob", &format!("{revision}:{name}")])
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String, ServiceError> {
    // A repository may name programs to run; none of them is needed to compare two states.
    let output = Command::new("git")
        .args(["-c", "core.fsmonitor=false"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| {
            let because = match error.kind() {
                std::io::ErrorKind::NotFound => "it is not installed".to_owned(),
                _ => error.to_string(),
            };
            ServiceError::new(ErrorKind::Unsupported, format!("cannot run `git`: {because}"))
                .hint("leave `--since` out to judge every file")
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let complaint = complaint.lines().next().unwrap_or_default();
    let complaint = complaint.strip_prefix("fatal: ").unwrap_or(complaint);
    Err(ServiceError::new(ErrorKind::Usage, format!("`git {}` failed: {complaint}", arguments[0])))
}
