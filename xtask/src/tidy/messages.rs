//! How errors and hints are worded: they begin small and have no full stop, for they stand inside other sentences.

use crate::tree::Tree;

/// What precedes a message, and whether its first argument is the kind of the error.
const MARKERS: &[(&str, bool)] = &[
    ("#[error(", false),
    ("ServiceError::new(", true),
    ("ScratchError::new(", false),
    (".hint(", false),
    ("hint: Some(", false),
    ("hint = Some(", false),
];

/// Names that are written like other words with a capital letter.
const NAMES: &[&str] =
    &["Prisma", "Flyway", "Linux", "Debian", "Docker", "Kubernetes", "Prometheus", "Windows"];

/// Looks at every message that is written where the error is made.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        if !file.path.starts_with("crates/") || file.is_test() {
            continue;
        }
        let text = file.text();
        let own = text.split("\n#[cfg(test)]\n").next().unwrap_or(text);
        for (marker, kind_first) in MARKERS {
            for (at, _) in own.match_indices(marker) {
                let Some(message) = message(&own[at + marker.len()..], *kind_first) else { continue };
                let Some(wrong) = fault(&message) else { continue };
                let line = own[..at].matches('\n').count() + 1;
                complaints.push(format!("{}:{line}: {wrong}: {message:?}", file.path));
            }
        }
    }
    complaints
}

/// The text literal that an argument list begins with, its line continuations joined.
fn message(arguments: &str, kind_first: bool) -> Option<String> {
    let mut rest = arguments.trim_start();
    if kind_first {
        let (kind, after) = rest.split_once(',')?;
        if !kind.chars().all(|character| character.is_alphanumeric() || "_:".contains(character)) {
            return None;
        }
        rest = after.trim_start();
    }
    rest = rest.strip_prefix("format!(").unwrap_or(rest).trim_start();
    let mut characters = rest.strip_prefix('"')?.chars().peekable();
    let mut text = String::new();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => match characters.next()? {
                '\n' => while characters.next_if(|next| next.is_whitespace()).is_some() {},
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

fn fault(message: &str) -> Option<&'static str> {
    let word: String = message.chars().take_while(|character| character.is_alphanumeric()).collect();
    let mut letters = word.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    // A word with more capitals, such as `PostgreSQL` or `DATABASE_URL`, is a name.
    if capital && letters.all(char::is_lowercase) && !NAMES.contains(&word.as_str()) {
        return Some("begins with a capital letter");
    }
    if message.ends_with('.') && !message.ends_with("...") {
        return Some("ends with a full stop");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_in_place_of_a_fragment_is_found() {
        let code = r#"
#[error("{what} failed: {log}")]
#[error("Failed to {what}")]
ServiceError::new(ErrorKind::Usage, format!("cannot \
    read."))
ServiceError::new(kind, message)
x.hint("PostgreSQL 13 can do that").hint("`dbwright demo` needs nothing")
    .hint("Do it.")
#[cfg(test)]
.hint("Tests may.")
"#;
        let tree = Tree::of_texts(&[("crates/service/src/a.rs", code)]);
        assert_eq!(
            check(&tree),
            [
                "crates/service/src/a.rs:3: begins with a capital letter: \"Failed to {what}\"",
                "crates/service/src/a.rs:4: ends with a full stop: \"cannot read.\"",
                "crates/service/src/a.rs:8: begins with a capital letter: \"Do it.\""
            ]
        );
    }
}
