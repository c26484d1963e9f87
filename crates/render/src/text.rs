//! Words, numbers and names as people read them.

use dbwright_model::facts::Origin;
use dbwright_model::finding::{Confidence, EvidenceLevel, ObjectKind};
use dbwright_model::remedy::Applicability;
use dbwright_model::report::ReportFinding;

/// One line of text without control or direction characters: they are written as escapes, so that no name can move
/// the cursor, start a line of its own or reorder what stands beside it.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// As [`visible`], but line breaks and tabs stay: for SQL and long values.
pub fn visible_block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            c if is_hidden(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{fffe}'
                | '\u{ffff}'
        )
}

/// A piece of a sentence: words, or a name between backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Whether it stood between backticks.
    pub code: bool,
    /// The text without the backticks.
    pub text: &'a str,
}

/// The pieces of a sentence in order. A backtick without a partner stays text.
pub fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some(open) = rest.find('`') {
        let Some(length) = rest[open + 1..].find('`') else { break };
        if open > 0 {
            pieces.push(Piece { code: false, text: &rest[..open] });
        }
        pieces.push(match length {
            0 => Piece { code: false, text: &rest[open..open + 2] },
            _ => Piece { code: true, text: &rest[open + 1..open + 1 + length] },
        });
        rest = &rest[open + length + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece { code: false, text: rest });
    }
    pieces
}

/// `1 error`, `2 errors`.
pub fn count(number: u64, singular: &str) -> String {
    match number {
        1 => format!("1 {singular}"),
        _ if singular.ends_with("ex") => format!("{number} {singular}es"),
        _ => format!("{number} {singular}s"),
    }
}

/// A kind of object in words.
pub fn kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Server => "server",
        ObjectKind::Database => "database",
        ObjectKind::Schema => "schema",
        ObjectKind::Table => "table",
        ObjectKind::Column => "column",
        ObjectKind::Constraint => "constraint",
        ObjectKind::Index => "index",
        ObjectKind::View => "view",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Type => "type",
        ObjectKind::Function => "function",
        ObjectKind::Trigger => "trigger",
        ObjectKind::Policy => "policy",
        ObjectKind::Extension => "extension",
        ObjectKind::Role => "role",
        ObjectKind::Setting => "setting",
        ObjectKind::Slot => "replication slot",
        ObjectKind::Session => "session",
        ObjectKind::Statement => "statement",
        ObjectKind::HbaLine => "pg_hba.conf line",
        ObjectKind::File => "file",
    }
}

/// An object with its kind in front, unless its text says the kind already: `table public.t`, `role app`.
pub fn object(of: ObjectKind, object: &str) -> String {
    let object = visible(object);
    match of {
        // What findings about all of a database without schemas, or about all schemas, are called.
        ObjectKind::Schema if object == "schema" => "the whole schema".to_owned(),
        ObjectKind::Database if object == "all schemas" => object,
        ObjectKind::Database if object == "database" => "the database".to_owned(),
        ObjectKind::Database
        | ObjectKind::Schema
        | ObjectKind::Table
        | ObjectKind::Column
        | ObjectKind::View
        | ObjectKind::Sequence
        | ObjectKind::Type
        | ObjectKind::Function
        | ObjectKind::File => format!("{} {object}", kind(of)),
        ObjectKind::Server
        | ObjectKind::Constraint
        | ObjectKind::Index
        | ObjectKind::Trigger
        | ObjectKind::Policy
        | ObjectKind::Extension
        | ObjectKind::Role
        | ObjectKind::Setting
        | ObjectKind::Slot
        | ObjectKind::Session
        | ObjectKind::Statement
        | ObjectKind::HbaLine => object,
    }
}

/// A confidence in one word.
pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

/// What a finding was learnt from, for people.
pub fn learnt_from(finding: &ReportFinding, origin: Origin) -> &'static str {
    let of_statistics = finding.object_kind == ObjectKind::Statement && finding.location.is_none();
    match (finding.evidence_level, origin) {
        (EvidenceLevel::Catalog, Origin::Live | Origin::Snapshot) if of_statistics => {
            "the server's statement statistics"
        }
        (EvidenceLevel::Text, _) => "the statement alone",
        (EvidenceLevel::Catalog, Origin::Files) => "the files together",
        (EvidenceLevel::Catalog, Origin::Live | Origin::Snapshot) => "the catalog",
        (EvidenceLevel::Traced, _) => "rows read or a run watched",
    }
}

/// A level of evidence in one word, for programs.
pub fn evidence_level(level: EvidenceLevel) -> &'static str {
    match level {
        EvidenceLevel::Text => "text",
        EvidenceLevel::Catalog => "catalog",
        EvidenceLevel::Traced => "traced",
    }
}

/// How far a remedy may be applied, in one word.
pub fn applicability(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Manual => "manual",
        Applicability::Review => "review",
        Applicability::Safe => "safe",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb\nc\u{202e}d"), "a\\u{1b}[2Jb\\nc\\u{202e}d");
        assert_eq!(visible("café 🚀 שלום"), "café 🚀 שלום");
        assert_eq!(visible_block("a\r\n\tb\rc\u{7f}"), "a\n\tb\\rc\\u{7f}");
    }

    #[test]
    fn sentences_fall_into_pieces() {
        let check = |sentence: &str, expected: &[(bool, &str)]| {
            let found: Vec<_> = pieces(sentence).iter().map(|piece| (piece.code, piece.text)).collect();
            assert_eq!(found, expected, "{sentence}");
        };
        check("no code", &[(false, "no code")]);
        check("`t` has `a`.", &[(true, "t"), (false, " has "), (true, "a"), (false, ".")]);
        check("odd ` one", &[(false, "odd ` one")]);
        check("``x`", &[(false, "``"), (false, "x`")]);
        check("", &[]);
    }

    #[test]
    fn counts_have_their_plural() {
        assert_eq!(count(2, "index"), "2 indexes");
    }
}
