//! Words that must not stand in the repository.

use crate::tree::Tree;

/// Words and why they must not stand here. They are cut in two, so that this list does not hold them.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("/wo", "rk/", "a path of one machine"),
    ("/tmp", "/wt", "a path of one machine"),
    ("/ro", "ot/", "a path of one machine"),
    ("artifac", "tory", "a registry of one machine"),
    ("jfr", "og", "a registry of one machine"),
    ("codearti", "fact", "a registry of one machine"),
    ("TO", "DO", "work that is left belongs into the tracker"),
    ("FIX", "ME", "work that is left belongs into the tracker"),
    ("XX", "X", "work that is left belongs into the tracker"),
    ("hel", "per", "say what it does instead"),
    ("hel", "pers", "say what they do instead"),
    ("sub", "agent", "who wrote it is not the reader's business"),
    ("session's ", "issue", "who wrote it is not the reader's business"),
    ("work", "tree", "where it was written is not the reader's business"),
];

/// Where crates may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Looks for forbidden words in every file, and for crates from elsewhere.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files() {
        if file.path == "Cargo.lock" {
            let sources = file.text().lines().filter_map(|line| line.strip_prefix("source = "));
            for source in sources.filter(|source| source.trim_matches('"') != REGISTRY) {
                complaints.push(format!("{}: a crate comes from {source}", file.path));
            }
            continue;
        }
        for (index, line) in file.text().lines().enumerate() {
            for (head, tail, because) in FORBIDDEN {
                let word = format!("{head}{tail}");
                if holds_word(line, &word) {
                    complaints.push(format!("{}:{}: `{word}`: {because}", file.path, index + 1));
                }
            }
        }
    }
    complaints
}

/// A lint is expected with a reason, so that the compiler says when the reason is gone.
pub fn bare_allow(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        for (index, line) in file.text().lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("#[allow(") || code.starts_with("#![allow(") {
                let path = &file.path;
                complaints.push(format!("{path}:{}: write `#[expect(lint, reason = \"...\")]`", index + 1));
            }
        }
    }
    complaints
}

/// Whether a line holds a word as it is written, with no letter, digit or `_` beside its letters.
fn holds_word(line: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let begins = !word.starts_with(part) || !before.is_some_and(part);
        let ends = !word.ends_with(part) || !after.is_some_and(part);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_word_is_found_and_its_likes_are_not() {
        let text = format!("mktemp .XXXXXX\nwork/\n// {}{}: later\n", "TO", "DO");
        let lock = format!("source = \"{REGISTRY}\"\nsource = \"git+https://example.com\"\n");
        let tree = Tree::of_texts(&[("a.sh", &text), ("Cargo.lock", &lock)]);
        assert_eq!(
            check(&tree),
            [
                format!("a.sh:3: `{}{}`: work that is left belongs into the tracker", "TO", "DO"),
                "Cargo.lock: a crate comes from \"git+https://example.com\"".to_owned()
            ]
        );
    }

    #[test]
    fn a_bare_allow_is_found() {
        let attribute = format!("    #[{}(dead_code)]", "allow");
        let tree = Tree::of_texts(&[("crates/sql/src/a.rs", &attribute)]);
        assert_eq!(bare_allow(&tree).len(), 1);
    }
}
