//! What dbwright's own files say in comments: the first lines, the sections, the questions.

use dbwright_model::engine::Dialect;
use dbwright_model::migration::{Down, Header, Problem, Risk, Statement};
use dbwright_model::name::Name;
use dbwright_model::plan::{CheckQuery, Retries, TransactionMode};

use crate::split::{StatementKind, split};

/// The mark of the questions asked before.
pub(super) const PRE_CHECK: &str = "PRE-CHECK";
/// The mark of the way back.
pub(super) const DOWN: &str = "DOWN";
/// The mark of the questions asked after.
pub(super) const VERIFY: &str = "VERIFY";

/// What the lines before the first statement tell.
#[derive(Default)]
pub(super) struct Marks {
    pub header: Header,
    pub transaction: Option<TransactionMode>,
    pub lock_timeout: Option<u64>,
    pub statement_timeout: Option<u64>,
    pub retries: Option<Retries>,
    pub foreign_keys_off: bool,
    pub problems: Vec<Problem>,
}

/// How a file of dbwright's own asks to be run; `None` where it does not say.
pub fn transaction(text: &str) -> Option<TransactionMode> {
    marks(text).transaction
}

/// Reads the comment lines before the first section or statement.
pub(super) fn marks(text: &str) -> Marks {
    let mut marks = Marks::default();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1u32..) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let Some(comment) = line.strip_prefix("--") else { break };
        let comment = comment.trim();
        if section_mark(line).is_some() {
            break;
        }
        let Some((key, value)) = comment.split_once(':') else { continue };
        let value = match value.trim() {
            "-" => "",
            value => value,
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "author" => marks.header.author = value.to_owned(),
            "ticket" => marks.header.ticket = value.to_owned(),
            "risk" => marks.header.risk = Risk::parse(value),
            "estimated time" => marks.header.estimated_time = value.to_owned(),
            "requires" => marks.header.requires = versions(value).collect(),
            "replaces" => marks.header.replaces.extend(versions(value)),
            "waits for" => marks.header.waits_for = Some(value.to_owned()).filter(|text| !text.is_empty()),
            "dbwright" if !value.starts_with("backfill") && !value.starts_with("ignore") => {
                for word in value.split_ascii_whitespace() {
                    if let Err(because) = marks.word(word) {
                        marks.problems.push(Problem { line: number, column: 1, because });
                    }
                }
            }
            _ => {}
        }
    }
    marks
}

fn versions(value: &str) -> impl Iterator<Item = String> {
    value.split([',', ' ']).filter(|version| !version.is_empty()).map(str::to_owned)
}

impl Marks {
    /// Reads one word of the `-- dbwright:` line.
    fn word(&mut self, word: &str) -> Result<(), String> {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let time = || {
            milliseconds(value)
                .ok_or_else(|| format!("`{word}` names no time; write it like `{name}=500ms` or `{name}=2s`"))
        };
        match name {
            "transaction" => {
                self.transaction = Some(match value {
                    "one" => TransactionMode::OneTransaction,
                    "none" => TransactionMode::NoTransaction,
                    _ => return Err(format!("`{word}` is neither `transaction=one` nor `transaction=none`")),
                });
            }
            "lock_timeout" => self.lock_timeout = Some(time()?),
            "statement_timeout" => self.statement_timeout = Some(time()?),
            "retries" => {
                self.retries().attempts =
                    value.parse().map_err(|_| format!("`{word}` names no number of retries"))?;
            }
            "first_wait" => self.retries().first_wait = time()?,
            "longest_wait" => self.retries().longest_wait = time()?,
            "undo_first" => self.retries().undo_first = true,
            "foreign_keys" if value == "off" => self.foreign_keys_off = true,
            _ => return Err(format!("`{word}` is no word that dbwright knows")),
        }
        Ok(())
    }

    fn retries(&mut self) -> &mut Retries {
        self.retries.get_or_insert(Retries {
            attempts: 10,
            first_wait: 500,
            longest_wait: 30_000,
            undo_first: false,
        })
    }
}

/// A time as PostgreSQL writes it: `500ms`, `2s`, `1min`, `1h`, `0`. A bare number is milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let unit = match &text[end..] {
        "" | "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The name of the section that a line opens.
fn section_mark(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("--")?.trim_start().strip_prefix("=====")?;
    Some(rest.trim_matches('=').trim()).filter(|name| !name.is_empty())
}

/// A section with the comment marks taken off its lines and everything else blanked, so that lines stay true. `None`
/// when the file has no such section.
pub(super) fn section(text: &str, wanted: &str) -> Option<String> {
    let mut inside = false;
    let mut found = false;
    let mut result = String::new();
    for line in text.lines() {
        match section_mark(line) {
            Some(name) => {
                inside = name.eq_ignore_ascii_case(wanted);
                found |= inside;
            }
            None if inside => {
                let bare = line.trim_end();
                let bare = bare.strip_prefix("-- ").or_else(|| bare.strip_prefix("--")).unwrap_or(bare);
                result.push_str(bare);
            }
            None => {}
        }
        result.push('\n');
    }
    found.then_some(result)
}

/// The way back of a section.
pub(super) fn down(text: &str, mut statements: impl FnMut(&str) -> Vec<Statement>) -> Down {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let said = first.and_then(|line| line.split_once(':'));
    match said {
        Some((word, because)) if word.eq_ignore_ascii_case("irreversible") => {
            return Down::Irreversible(because.trim().trim_end_matches('.').to_owned());
        }
        Some((word, _)) if word.eq_ignore_ascii_case("nothing") => return Down::Statements(Vec::new()),
        _ => {}
    }
    let statements = statements(text);
    if statements.is_empty() { Down::Missing } else { Down::Statements(statements) }
}

/// The questions of a section: each begins with what rows mean.
pub(super) fn checks(dialect: Dialect, text: &str) -> Vec<CheckQuery> {
    let mut checks = Vec::new();
    let mut meaning = String::new();
    let mut keys = Vec::new();
    let mut sql = String::new();
    let mut finish = |meaning: &mut String, keys: &mut Vec<Name>, sql: &mut String| {
        let queries = split(dialect, sql);
        for query in queries.iter().filter(|query| query.kind == StatementKind::Sql) {
            let rows_mean =
                if meaning.is_empty() { "A check found rows.".to_owned() } else { meaning.clone() };
            checks.push(CheckQuery { sql: query.text.to_owned(), rows_mean, keys: keys.clone() });
        }
        meaning.clear();
        keys.clear();
        sql.clear();
    };
    for line in text.lines() {
        if let Some(rest) = said(line, "rows mean:") {
            finish(&mut meaning, &mut keys, &mut sql);
            meaning = rest.to_owned();
        } else if let Some(rest) = said(line, "keys:") {
            keys = rest.split(',').map(str::trim).filter(|key| !key.is_empty()).map(name).collect();
        } else {
            sql.push_str(line);
            sql.push('\n');
        }
    }
    finish(&mut meaning, &mut keys, &mut sql);
    checks
}

fn said<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let line = line.trim();
    let start = line.get(..word.len())?;
    start.eq_ignore_ascii_case(word).then(|| line[word.len()..].trim())
}

/// A name that may stand in quotes.
pub(super) fn name(text: &str) -> Name {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (inner('"'), inner('`')) {
        (Some(inner), _) => Name::new(inner.replace("\"\"", "\"")),
        (_, Some(inner)) => Name::new(inner.replace("``", "`")),
        _ => Name::new(text),
    }
}
