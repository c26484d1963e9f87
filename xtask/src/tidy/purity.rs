//! The crates that judge do no IO, read no clock, environment or randomness, and print nothing.

use crate::tree::Tree;

const PURE: &[&str] = &["model", "sql", "rules", "advise", "render"];

/// What reaches outside, and what it reaches.
const OUTSIDE: &[(&str, &str)] = &[
    ("std::fs", "files"),
    ("std::net", "the network"),
    ("std::env", "the environment"),
    ("std::process", "processes"),
    ("std::io::stdin", "standard input"),
    ("std::io::stdout", "standard output"),
    ("std::io::stderr", "standard error"),
    ("SystemTime", "the clock"),
    ("time::Instant", "the clock"),
    ("Instant::now", "the clock"),
    ("Timestamp::now", "the clock"),
    ("Zoned::now", "the clock"),
    ("rand::", "randomness"),
    ("RandomState", "randomness"),
    ("println!", "standard output"),
    ("print!", "standard output"),
    ("eprintln!", "standard error"),
    ("eprint!", "standard error"),
    ("dbg!", "standard error"),
    ("tokio::", "an executor"),
];

/// Members of `std` that may not stand in a grouped import.
const GROUPED: &[&str] = &["fs", "net", "env", "process"];

/// Looks through the code of the pure crates.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        let pure = PURE.iter().any(|name| file.path.starts_with(&format!("crates/{name}/src/")));
        if !pure || file.is_test() {
            continue;
        }
        for (line, code) in file.code() {
            for (word, reach) in OUTSIDE {
                if begins_word(code, word) {
                    complaints.push(format!("{}:{line}: `{word}` reaches {reach}", file.path));
                }
            }
            let Some(group) = code.trim_start().strip_prefix("use std::{") else { continue };
            for member in group.split([',', '{', '}', ';', ' ']) {
                let first = member.split("::").next().unwrap_or("");
                if GROUPED.contains(&first) {
                    complaints.push(format!("{}:{line}: `std::{first}` reaches outside", file.path));
                }
            }
        }
    }
    complaints
}

/// Whether a text holds a word that no letter, digit or `_` precedes.
fn begins_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_may_not_read_the_clock() {
        let code = "\
//! Text.
use std::{collections::BTreeMap, fs};
// println! in a comment
fn now() { jiff::Timestamp::now(); my_print!(); }
#[cfg(test)]
mod tests { fn f() { println!() } }
";
        let tree = Tree::of_texts(&[
            ("crates/rules/src/a.rs", code),
            ("crates/engine/src/a.rs", code),
            ("crates/rules/tests/a.rs", code),
        ]);
        assert_eq!(
            check(&tree),
            [
                "crates/rules/src/a.rs:2: `std::fs` reaches outside",
                "crates/rules/src/a.rs:4: `Timestamp::now` reaches the clock"
            ]
        );
    }
}
