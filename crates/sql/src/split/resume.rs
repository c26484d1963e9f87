//! Where reading goes on behind a statement that is broken, so that it does not take the rest of the file with it.

use super::{Splitter, word_at};

/// Words that a statement of PostgreSQL begins with.
const BEGINNINGS: &[&str] = &[
    "alter",
    "analyze",
    "begin",
    "call",
    "checkpoint",
    "cluster",
    "comment",
    "commit",
    "copy",
    "create",
    "deallocate",
    "delete",
    "discard",
    "do",
    "drop",
    "end",
    "execute",
    "explain",
    "grant",
    "insert",
    "lock",
    "merge",
    "notify",
    "reassign",
    "refresh",
    "reindex",
    "release",
    "reset",
    "revoke",
    "rollback",
    "savepoint",
    "security",
    "select",
    "set",
    "start",
    "truncate",
    "update",
    "vacuum",
    "with",
];

impl Splitter<'_> {
    /// Whether the line ends here, comments left out of account, and what follows it is a statement, a client's command or
    /// nothing at all.
    pub(super) fn resumes(&self, at: usize) -> bool {
        let end = self.line_end(at);
        let rest = self.text[at..end].trim_ascii();
        if !(rest.is_empty() || rest.starts_with("--")) {
            return false;
        }
        let mut next = end;
        while let Some(byte) = self.bytes.get(next) {
            if byte.is_ascii_whitespace() {
                next += 1;
            } else if self.is_line_comment(next) {
                next = self.line_end(next);
            } else if self.is_block_comment(next) {
                let Some(after) = self.block_comment_end(next) else { return true };
                next = after;
            } else {
                break;
            }
        }
        let word = word_at(self.bytes, next);
        self.bytes.get(next).is_none_or(|byte| *byte == b'\\')
            || BEGINNINGS.iter().any(|beginning| word.eq_ignore_ascii_case(beginning.as_bytes()))
    }
}

/// Whether a statement is `CREATE [OR REPLACE] RULE`.
pub(super) fn makes_rule(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace().map(str::to_ascii_lowercase);
    let first = words.next();
    let made = words.find(|word| word != "or" && word != "replace");
    first.as_deref() == Some("create") && made.as_deref() == Some("rule")
}

/// Whether a command of psql is a `\\copy` whose rows stand in the script behind it.
pub(super) fn copies_from_script(command: &str) -> bool {
    let command = command.trim_end().trim_end_matches(';');
    let mut words =
        command.split_ascii_whitespace().map(str::to_ascii_lowercase).skip_while(|word| word != "from");
    let is_copy = command.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("\\copy"));
    is_copy && words.nth(1).as_deref() == Some("stdin")
}
