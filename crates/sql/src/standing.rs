//! How migration files stand to what a database records of them.

use std::collections::{BTreeMap, BTreeSet};

use dbwright_model::applied::{Applied, AppliedState, Standing};
use dbwright_model::engine::Dialect;
use dbwright_model::migration::Migration;
use sha2::{Digest, Sha256};

use crate::files::SourceFile;
use crate::tools;

/// A migration with its file, its row, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its version.
    pub version: String,
    /// How it stands.
    pub standing: Standing,
    /// Its position among the migrations.
    pub migration: Option<usize>,
    /// Its position among the rows.
    pub row: Option<usize>,
}

/// How every file and every row stands, in the order in which migrations are applied. `replaces` are the versions whose place
/// a file took, by the file's position.
pub fn lines(
    dialect: Dialect,
    migrations: &[Migration],
    rows: &[Applied],
    replaces: &BTreeMap<usize, Vec<String>>,
) -> Vec<Line> {
    let by_version: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(at, row)| (row.version.as_str(), at)).collect();
    let is_applied =
        |version: &str| by_version.get(version).is_some_and(|at| rows[*at].state == AppliedState::Applied);
    let newest = migrations
        .iter()
        .filter(|migration| !migration.repeatable && is_applied(&migration.version))
        .map(|migration| tools::order(&migration.version))
        .max();
    let mut replaced = BTreeSet::new();
    let mut lines = Vec::new();
    for (position, migration) in migrations.iter().enumerate() {
        let row = by_version.get(migration.version.as_str()).copied();
        let parts = replaces.get(&position).map(Vec::as_slice).unwrap_or_default();
        let own = row.map(|at| &rows[at]);
        let took_place = !parts.is_empty()
            && own.is_none_or(|row| row.kind != dbwright_model::applied::AppliedKind::Squash)
            && parts.iter().any(|part| is_applied(part));
        if took_place {
            replaced.extend(parts.iter().map(String::as_str));
        }
        let standing = match own.map(|row| row.state) {
            _ if took_place => Standing::Replaces,
            Some(AppliedState::Running | AppliedState::Failed) => Standing::Unfinished,
            Some(AppliedState::Applied) => {
                of_applied(dialect, migration, own.map_or("", |row| &row.checksum))
            }
            None | Some(AppliedState::Undone) => {
                let earlier =
                    newest.as_ref().is_some_and(|newest| tools::order(&migration.version) < *newest);
                if earlier && !migration.repeatable { Standing::OutOfOrder } else { Standing::Pending }
            }
        };
        lines.push(Line { version: migration.version.clone(), standing, migration: Some(position), row });
    }
    let files: BTreeSet<&str> = migrations.iter().map(|migration| migration.version.as_str()).collect();
    for (at, row) in rows.iter().enumerate() {
        if files.contains(row.version.as_str()) {
            continue;
        }
        let standing = match row.state {
            _ if replaced.contains(row.version.as_str()) => Standing::Replaced,
            // What was taken back may well have lost its file.
            AppliedState::Undone => continue,
            AppliedState::Running | AppliedState::Failed => Standing::Unfinished,
            AppliedState::Applied => Standing::Missing,
        };
        lines.push(Line { version: row.version.clone(), standing, migration: None, row: Some(at) });
    }
    let repeatable = |line: &Line| line.migration.is_some_and(|at| migrations[at].repeatable);
    lines.sort_by_cached_key(|line| (repeatable(line), tools::order(&line.version)));
    lines
}

fn of_applied(dialect: Dialect, migration: &Migration, recorded: &str) -> Standing {
    let (whole, words) = recorded.split_once(BETWEEN).unwrap_or((recorded, ""));
    if whole.eq_ignore_ascii_case(&migration.checksum) {
        Standing::Applied
    } else if words == meaning(dialect, migration) {
        Standing::Reworded
    } else if migration.repeatable {
        Standing::Changed
    } else {
        Standing::Edited
    }
}

/// Between the two marks of a recorded checksum.
const BETWEEN: char = ' ';

/// The checksum of a migration as it is recorded: that of its file, and that of its statements without comments and blanks, by
/// which an edit of words is told from an edit of statements.
pub fn checksum(dialect: Dialect, migration: &Migration) -> String {
    format!("{}{BETWEEN}{}", migration.checksum, meaning(dialect, migration))
}

/// A mark of the statements alone: 32 hexadecimal digits.
fn meaning(dialect: Dialect, migration: &Migration) -> String {
    let mut hasher = Sha256::new();
    for statement in &migration.up {
        hasher.update(without_words(dialect, &statement.sql).as_bytes());
        hasher.update([0]);
    }
    hasher.update(format!("{:?}", migration.transaction).as_bytes());
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A statement without comments, its blanks made one. What is quoted stays as it is; MySQL's `/*! ... */` is no comment.
fn without_words(dialect: Dialect, sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(c) = rest.chars().next() {
        let blank = if c.is_whitespace() {
            rest.len() - rest.trim_start().len()
        } else if rest.starts_with("--") || (c == '#' && dialect == Dialect::Mysql) {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") && !(dialect == Dialect::Mysql && rest.starts_with("/*!")) {
            comment(dialect, rest)
        } else {
            0
        };
        if blank > 0 {
            if !out.ends_with(' ') && !out.is_empty() {
                out.push(' ');
            }
            rest = &rest[blank..];
            continue;
        }
        let quoted = match c {
            '\'' | '"' | '`' => quoted(dialect, rest, c),
            '$' if dialect == Dialect::Postgres => dollar_quoted(rest),
            _ => c.len_utf8(),
        };
        out.push_str(&rest[..quoted]);
        rest = &rest[quoted..];
    }
    out.truncate(out.trim_end().len());
    out
}

/// Length of the comment that a text begins with; PostgreSQL's may hold others.
fn comment(dialect: Dialect, text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") && (depth == 0 || dialect == Dialect::Postgres) {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Length of the quoted text that a text begins with. A doubled quote begins the next one, which comes to the same.
fn quoted(dialect: Dialect, text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if dialect == Dialect::Mysql && quote != '`' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn dollar_quoted(text: &str) -> usize {
    let tag_end =
        text[1..].find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(text.len(), |at| at + 1);
    if !text[tag_end..].starts_with('$') {
        return 1;
    }
    let tag = &text[..=tag_end];
    text[tag.len()..].find(tag).map_or(text.len(), |at| tag.len() + at + tag.len())
}

/// The mark in the first lines of a file that took the place of others.
pub const REPLACES: &str = "-- Replaces:";

/// The versions whose place a file took, oldest first.
pub fn replaced(file: &SourceFile) -> Vec<String> {
    file.text
        .lines()
        .take_while(|line| line.starts_with("--") || line.trim().is_empty())
        .filter_map(|line| line.strip_prefix(REPLACES))
        .flat_map(str::split_whitespace)
        .map(|version| version.trim_end_matches(',').to_owned())
        .collect()
}

/// The versions whose place each file took, by the position of its migration.
pub fn all_replaced(migrations: &[Migration], sources: &[SourceFile]) -> BTreeMap<usize, Vec<String>> {
    let by_name: BTreeMap<&str, Vec<String>> = sources
        .iter()
        .map(|file| (file.name.as_str(), replaced(file)))
        .filter(|(_, versions)| !versions.is_empty())
        .collect();
    migrations
        .iter()
        .enumerate()
        .filter_map(|(at, migration)| Some((at, by_name.get(migration.file.as_str())?.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
