//! Comments by which tools mark the parts of a file.

use dbwright_model::chain::{ChainFile, LeftOut, Wrap};
use dbwright_model::engine::Dialect;

use super::Tool;
use crate::chain::MigrationFile;

/// Lines after which a file undoes what it did.
const UNDO_MARKS: &[&str] = &[
    "-- migrate:down",
    "-- +goose down",
    "-- +migrate down",
    "-- down migration",
    "--//@undo",
    "-- @down",
    // Sections of dbwright's own files. What they hold besides comments is not run on the way up either.
    "-- ========== down",
    "-- ========== pre-check",
    "-- ========== verify",
];
/// Lines after which it does something again.
const DO_MARKS: &[&str] =
    &["-- migrate:up", "-- +goose up", "-- +migrate up", "-- up migration", "-- @up", "-- ========== up"];

/// The most that the changesets of one file may take together when each is padded to its place.
const MOST_PADDING: usize = 64 << 20;

/// The first line without the blanks around it.
pub fn first_line(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim()
}

/// Whether a line begins with one of some marks, which are lower case.
fn begins(line: &str, marks: &[&str]) -> bool {
    let line = line.trim_start_matches('\u{feff}').trim_start();
    marks.iter().any(|mark| begins_with(line, mark))
}

fn begins_with(line: &str, mark: &str) -> bool {
    line.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
}

/// The lines that may be marks: comments at the begin of a line.
fn comments(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.trim_start_matches('\u{feff}').trim()).filter(|line| line.starts_with("--"))
}

/// The tool that the marks in a file are for.
pub fn tool(text: &str) -> Option<Tool> {
    if begins(first_line(text), &["--liquibase formatted sql", "-- liquibase formatted sql"]) {
        return Some(Tool::Liquibase);
    }
    let marked = comments(text).find_map(|line| {
        let known: &[(&str, Tool)] = &[
            ("-- migrate:up", Tool::Dbmate),
            ("-- +goose ", Tool::Goose),
            ("-- +migrate ", Tool::SqlMigrate),
            ("-- up migration", Tool::NodePgMigrate),
            ("-- running upgrade ", Tool::Alembic),
            ("--> statement-breakpoint", Tool::Drizzle),
        ];
        known.iter().find(|(mark, _)| begins_with(line, mark)).map(|(_, tool)| *tool)
    });
    marked.or_else(|| {
        let tail_start = text.len().saturating_sub(4096);
        let tail = (tail_start..=text.len()).find_map(|at| text.get(at..)).unwrap_or_default();
        let rails = ["INSERT INTO \"schema_migrations\"", "INSERT INTO `schema_migrations`"];
        rails.iter().any(|insert| tail.contains(insert)).then_some(Tool::Rails)
    })
}

/// Whether a file asks to be run without a transaction.
pub fn runs_apart(tool: Tool, text: &str) -> bool {
    comments(text).any(|line| {
        let line = line.to_ascii_lowercase();
        match tool {
            Tool::Dbmate => line.starts_with("-- migrate:up") && line.contains("transaction:false"),
            Tool::Goose => line.starts_with("-- +goose no transaction"),
            Tool::SqlMigrate => line.starts_with("-- +migrate up") && line.contains("notransaction"),
            _ => false,
        }
    })
}

/// Whether a file has a part that undoes it, with anything in it.
pub fn has_undo(text: &str) -> bool {
    let mut undoing = false;
    text.lines().any(|line| {
        if begins(line, UNDO_MARKS) {
            undoing = true;
        } else if begins(line, DO_MARKS) {
            undoing = false;
        }
        undoing && !line.trim().is_empty() && !line.trim_start().starts_with("--")
    })
}

/// Blanks out the undo part of a file, line breaks kept so that places stay true.
pub fn blank_undo(text: &mut String) {
    if let Some(kept) = lines_where(text, |undoing| !undoing) {
        *text = kept;
    }
}

/// The undo part of a file with the rest blanked out; `None` when no mark opens one.
pub fn undo_part(text: &str) -> Option<String> {
    lines_where(text, |undoing| undoing)
}

/// The lines that are wanted, each told whether it is one of the undo part, with the others blanked out; `None` when no
/// mark opens an undo part.
fn lines_where(text: &str, wanted: impl Fn(bool) -> bool) -> Option<String> {
    if !text.lines().any(|line| begins(line, UNDO_MARKS)) {
        return None;
    }
    let mut result = String::with_capacity(text.len());
    let mut undoing = false;
    for line in text.split_inclusive('\n') {
        if begins(line, UNDO_MARKS) {
            undoing = true;
        } else if begins(line, DO_MARKS) {
            undoing = false;
        }
        if wanted(undoing) {
            result.push_str(line);
        } else {
            result.extend(line.chars().filter(|c| *c == '\n'));
        }
    }
    Some(result)
}

/// A changeset of Liquibase's formatted SQL.
struct ChangeSet {
    /// Lines before its first.
    line: usize,
    /// Bytes before its first.
    start: usize,
    wrap: Wrap,
    delimiter: Option<String>,
    /// Why it is not run in this dialect.
    left_out: Option<String>,
}

/// One migration per changeset: each is a transaction of its own.
pub fn change_sets(dialect: Dialect, file: &ChainFile, text: &str) -> Vec<MigrationFile> {
    let mut sets: Vec<ChangeSet> = Vec::new();
    let mut start = 0;
    for (line, content) in text.split_inclusive('\n').enumerate() {
        if begins(content, &["--changeset ", "-- changeset "]) {
            let lower = content.to_ascii_lowercase();
            let word = |name: &str| {
                lower.split_ascii_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix(':'))
            };
            let wrap = match (word("runintransaction"), word("splitstatements")) {
                (Some("false"), _) => Wrap::None,
                _ => Wrap::Transaction,
            };
            let delimiter = word("enddelimiter").map(|delimiter| delimiter.trim_matches('"'));
            let delimiter = delimiter.filter(|delimiter| !matches!(*delimiter, "" | ";")).map(str::to_owned);
            let left_out = dbms(&lower).filter(|dbms| !is_for(dialect, dbms)).map(|dbms| {
                let id = content.split_ascii_whitespace().find(|word| word.contains(':'));
                format!("the changeset `{}` is for `dbms:{dbms}` only", id.unwrap_or_default())
            });
            sets.push(ChangeSet { line, start, wrap, delimiter, left_out });
        }
        start += content.len();
    }
    let has_undo = comments(text).any(|line| begins(line, &["--rollback", "-- rollback"]));
    let file = ChainFile { has_undo: Some(has_undo), ..file.clone() };
    let padding: usize = sets.iter().map(|set| set.line).sum();
    if sets.is_empty() || padding > MOST_PADDING {
        let file = ChainFile { wrap: Wrap::Auto, ..file };
        return vec![MigrationFile { file, text: text.to_owned() }];
    }
    let ends = sets.iter().skip(1).map(|set| set.start).chain([text.len()]);
    let parts = sets.iter().zip(ends).map(|(set, end)| {
        if let Some(because) = &set.left_out {
            let line = u32::try_from(set.line + 1).unwrap_or(u32::MAX);
            let left_out = Some(LeftOut { line, because: because.clone() });
            return MigrationFile { file: ChainFile { left_out, ..file.clone() }, text: String::new() };
        }
        let mut part = "\n".repeat(set.line);
        for line in text[set.start..end].split_inclusive('\n') {
            let trimmed = line.trim_end();
            match set.delimiter.as_deref().and_then(|delimiter| strip_suffix(trimmed, delimiter)) {
                Some(before) => {
                    part.push_str(before);
                    part.push(';');
                    part.push_str(&line[trimmed.len()..]);
                }
                None => part.push_str(line),
            }
        }
        let file = ChainFile { wrap: set.wrap, ..file.clone() };
        MigrationFile { file, text: part }
    });
    parts.collect()
}

/// The databases that the mark of a changeset names.
fn dbms(mark: &str) -> Option<&str> {
    let (_, rest) = mark.split_once(" dbms:")?;
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split_ascii_whitespace().next(),
    }
}

/// Whether a list of databases, those with `!` excluded, holds one of a dialect.
fn is_for(dialect: Dialect, dbms: &str) -> bool {
    let own: &[&str] = match dialect {
        Dialect::Postgres => &["postgresql", "all"],
        Dialect::Mysql => &["mysql", "mariadb", "all"],
        Dialect::Sqlite => &["sqlite", "all"],
    };
    let names: Vec<&str> = dbms.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let (excluded, named): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.starts_with('!'));
    !excluded.iter().any(|name| own.contains(&name[1..].trim()))
        && (named.is_empty() || named.iter().any(|name| own.contains(name)))
}

/// A line without the delimiter at its end, case left out of account.
fn strip_suffix<'a>(line: &'a str, delimiter: &str) -> Option<&'a str> {
    let start = line.len().checked_sub(delimiter.len())?;
    line.get(start..)?.eq_ignore_ascii_case(delimiter).then(|| &line[..start])
}
