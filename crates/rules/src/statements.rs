//! The statements of the workload, one by one, with their blocks.

use std::cell::Cell;

use dbwright_model::expression::{DataStatement, Expr};
use dbwright_model::finding::ObjectRef;
use dbwright_model::workload::Statement;

use crate::query_scope::{Block, Names, blocks};
use crate::{Context, Findings, Found};

/// One statement that was read.
#[derive(Debug)]
pub struct Read<'a> {
    /// The statement as the workload holds it.
    pub statement: &'a Statement,
    /// Its tree.
    pub parsed: &'a DataStatement,
    /// Its blocks, outer ones first.
    pub blocks: Vec<Block<'a>>,
    hidden: Cell<bool>,
}

impl<'a> Read<'a> {
    /// Whether a constant on which the rule rests was taken out by the server's statistics. If it was and the statement is
    /// not found for another reason, the rule could not judge it.
    pub fn hides(&self, constant: &Expr) -> bool {
        let hidden =
            self.statement.location.is_none() && matches!(constant.without_casts(), Expr::Parameter(_));
        self.hidden.set(self.hidden.get() || hidden);
        hidden
    }

    /// The tables of the catalog that it touches, in order of appearance, each once, as words for a message.
    pub fn tables(&self) -> String {
        let mut found: Vec<String> = Vec::new();
        for table in self.blocks.iter().flat_map(|block| block.sources()).filter_map(|bound| bound.table()) {
            let name = format!("`{}`", table.name);
            if !found.contains(&name) {
                found.push(name);
            }
        }
        if found.is_empty() { "no known table".to_owned() } else { found.join(", ") }
    }
}

/// Share of the statements that may stay unread without the rule counting as checked in part only: servers cut the text of
/// long statements short, and a few of them are in every workload.
const UNREAD: f64 = 0.05;

/// Looks at every statement that could be read; each is found at most once. When many could not be read, the rule is
/// checked in part; when none could, it is not checked.
pub fn each<'a>(
    context: &Context<'a>,
    findings: &mut Findings,
    mut look: impl FnMut(&Names<'a>, &Read<'a>) -> Option<Found>,
) {
    let names = Names::new(context);
    let statements = &context.workload().statements;
    let (mut read, mut unread, mut hidden) = (0u64, 0u64, 0u64);
    for statement in statements {
        let Some(parsed) = statement.parsed.as_deref() else {
            unread += u64::from(is_unread(statement));
            continue;
        };
        read += 1;
        let blocks = blocks(&names, parsed);
        let one = Read { statement, parsed, blocks, hidden: Cell::new(false) };
        match look(&names, &one) {
            Some(found) => findings.add(found),
            None => hidden += u64::from(one.hidden.get()),
        }
    }
    findings.examined(read);
    if unread as f64 > UNREAD * (read + unread) as f64 {
        findings.not_seen(unread, "statements could not be read");
    }
    if hidden > 0 {
        findings.unknown(format!(
            "{hidden} of {read} statements: the server's statistics keep no constants, and this check looks at them"
        ));
    }
}

/// Whether rules that read statements would have to read this one, and cannot. A call has nothing to read: the statements
/// of the procedure are measured by themselves. Nor has what asks for a variable of the session.
pub fn is_unread(statement: &Statement) -> bool {
    let of_session = || {
        let text = after_comments(&statement.text);
        text.get("select".len()..).is_some_and(|rest| rest.trim_start().starts_with("@@"))
    };
    statement.parsed.is_none()
        && works_on_rows(statement)
        && first_word(&statement.text) != "call"
        && !of_session()
}

/// A finding about a statement, with its beginning and its numbers as evidence.
pub fn found(statement: &Statement, message: impl Into<String>) -> Found {
    let mut found = Found::at(ObjectRef::statement(&statement.id), message)
        .evidence("statement", shortened(&statement.text))
        .evidence_if("calls", statement.calls)
        .evidence_if("mean time", statement.mean_ms.map(milliseconds));
    if let Some(location) = &statement.location {
        found = found.located(location.clone());
    }
    found
}

/// The first 120 characters of a statement on one line.
pub fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 120 {
        return line;
    }
    let mut short: String = line.chars().take(119).collect();
    short.push('…');
    short
}

/// A time in words.
pub fn milliseconds(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.1} ms"),
        value if value < 10_000.0 => format!("{value:.0} ms"),
        value if value < 600_000.0 => format!("{:.0} s", value / 1_000.0),
        value if value < 36_000_000.0 => format!("{:.0} min", value / 60_000.0),
        value => format!("{:.0} h", value / 3_600_000.0),
    }
}

/// Whether a statement reads or writes rows, rather than being a utility such as `VACUUM` or `COPY`.
pub fn works_on_rows(statement: &Statement) -> bool {
    if statement.parsed.is_some() {
        return true;
    }
    matches!(
        first_word(&statement.text).as_str(),
        "select"
            | "with"
            | "insert"
            | "update"
            | "delete"
            | "merge"
            | "values"
            | "replace"
            | "table"
            | "call"
    )
}

/// The word that says what a statement does, in lower case.
fn first_word(text: &str) -> String {
    let text = after_comments(text);
    text.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

fn after_comments(text: &str) -> &str {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    loop {
        let after = match rest.get(..2) {
            Some("/*") => rest.split_once("*/").map(|(_, after)| after),
            Some("--") => rest.split_once('\n').map(|(_, after)| after),
            _ => None,
        };
        match after {
            Some(after) => rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == '('),
            None => return rest,
        }
    }
}
