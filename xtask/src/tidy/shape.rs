//! The shape of source files: what they open with, how long they are, how they are formatted, and who includes them.

use std::process::Command;

use crate::tree::{File, Tree};

/// Most lines of a file, those of tests aside.
const MOST_LINES: usize = 600;
/// Most lines of a rule.
const MOST_RULE_LINES: usize = 300;

/// Longer files: the most lines of each, and why it is longer.
const LONGER: &[(&str, usize, &str)] = &[
    ("crates/model/src/catalog.rs", 1100, "a flat list of the objects of a database"),
    ("crates/model/src/change.rs", 650, "a flat list of changes"),
    ("crates/model/src/facts.rs", 700, "a flat list of the kinds of fact"),
    ("crates/rules/src/lexicon/reserved.rs", 750, "lists of words"),
    ("crates/sql/src/fold.rs", 1850, "a flat list of what each change does to a catalog"),
    ("crates/sql/src/mysql/effects/alter.rs", 750, "a flat list of what each change does to a server"),
    ("crates/sql/src/fold/heirs.rs", 700, "a flat list of what is handed down"),
    ("crates/sql/src/mysql/expression.rs", 850, "a grammar"),
    ("crates/sql/src/mysql/write.rs", 800, "a flat list of statements"),
    ("crates/sql/src/postgres/definition.rs", 700, "a flat list of definitions"),
    ("crates/sql/src/postgres/expression.rs", 800, "a grammar"),
    ("crates/sql/src/postgres/object.rs", 950, "a grammar"),
    ("crates/sql/src/postgres/parse.rs", 800, "a grammar"),
    ("crates/sql/src/postgres/write.rs", 1050, "a flat list of statements"),
];

/// A rule's folder under `crates/rules/src`; `None` for the files that serve all rules.
fn rule_document(file: &File) -> Option<String> {
    let inner = file.path.strip_prefix("crates/rules/src/")?;
    (inner.matches('/').count() == 1).then(|| format!("{}.md", file.path.trim_end_matches(".rs")))
}

fn is_rule(file: &File, tree: &Tree) -> bool {
    rule_document(file).is_some_and(|document| tree.holds(&document))
}

/// Every module opens with a sentence that says what it is for; a rule has the text beside it instead.
pub fn headers(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust() {
        let mut lines = file.text().lines();
        let first = lines.next().unwrap_or("");
        let sentence: Vec<&str> = std::iter::once(first)
            .chain(lines)
            .take_while(|line| line.starts_with("//!") && line.trim() != "//!")
            .collect();
        match sentence.last() {
            None if is_rule(file, tree) => {}
            None => complaints.push(format!("{}: no `//!` sentence at the top", file.path)),
            Some(last) if last.trim_end().ends_with(['.', ':']) => {}
            Some(_) => complaints.push(format!("{}: the opening is not a sentence", file.path)),
        }
    }
    complaints
}

/// Files are short enough to be read whole.
pub fn length(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test()) {
        let lines = file.text().lines().count();
        let usual = if is_rule(file, tree) { MOST_RULE_LINES } else { MOST_LINES };
        let longer = LONGER.iter().find(|(path, _, _)| *path == file.path);
        let most = longer.map_or(usual, |(_, most, _)| *most);
        if lines > most {
            complaints.push(format!("{}: {lines} lines, more than {most}", file.path));
        }
        if longer.is_some() && lines <= usual {
            complaints.push(format!("{}: needs no exception any more", file.path));
        }
    }
    complaints
}

/// Everything is formatted, also what no crate includes.
pub fn format(tree: &Tree) -> Vec<String> {
    let files: Vec<&str> = tree.rust().map(|file| file.path.as_str()).collect();
    let output = Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "--files-with-diff"])
        .args(&files)
        .current_dir(tree.root())
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) => return vec![format!("rustfmt could not be run: {error}")],
    };
    let listed = String::from_utf8_lossy(&output.stdout);
    let root = format!("{}/", tree.root().display());
    let mut complaints: Vec<String> = listed
        .lines()
        .filter(|line| line.ends_with(".rs"))
        .map(|path| format!("{}: not formatted", path.strip_prefix(&root).unwrap_or(path)))
        .collect();
    complaints.sort();
    complaints.dedup();
    if complaints.is_empty() && !output.status.success() {
        complaints.push(format!("rustfmt failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    complaints
}

/// Every `.sql` file of the engines is included by the code of its engine. That every included file exists is seen by
/// the compiler.
pub fn sql_files(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files() {
        let Some(path) = file.path.strip_prefix("crates/engine/sql/") else { continue };
        let Some((engine, stem)) = path.strip_suffix(".sql").and_then(|path| path.split_once('/')) else {
            complaints.push(format!("{}: not a `.sql` file in the folder of an engine", file.path));
            continue;
        };
        let home = format!("crates/engine/src/{engine}/");
        let whole = format!("/sql/{path}\"");
        let by_macro = format!("/sql/{engine}/\", $");
        let quoted = format!("\"{stem}\"");
        let included = tree.rust().filter(|source| source.path.starts_with(&home)).any(|source| {
            let text = source.text();
            text.contains(&whole) || (text.contains(&by_macro) && text.contains(&quoted))
        });
        if !included {
            complaints.push(format!("{}: nothing under {home} includes it", file.path));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_sentence_is_found() {
        let tree = Tree::of_texts(&[
            ("crates/sql/src/a.rs", "//! What it is for,\n//! in two lines.\n\nfn f() {}"),
            ("crates/sql/src/b.rs", "fn f() {}"),
            ("crates/sql/src/c.rs", "//! a word"),
            ("crates/rules/src/schema/a.rs", "fn f() {}"),
            ("crates/rules/src/schema/a.md", "# A"),
            ("crates/rules/src/schema/b.rs", "fn f() {}"),
        ]);
        assert_eq!(
            headers(&tree),
            [
                "crates/sql/src/b.rs: no `//!` sentence at the top",
                "crates/sql/src/c.rs: the opening is not a sentence",
                "crates/rules/src/schema/b.rs: no `//!` sentence at the top"
            ]
        );
    }

    #[test]
    fn a_long_file_is_found() {
        let long = "\n".repeat(MOST_LINES + 1);
        let rule = "\n".repeat(MOST_RULE_LINES + 1);
        let tree = Tree::of_texts(&[
            ("crates/sql/src/a.rs", &long),
            ("crates/sql/src/b/tests.rs", &long),
            ("crates/sql/src/fold.rs", "short"),
            ("crates/rules/src/schema/a.rs", &rule),
            ("crates/rules/src/schema/a.md", "# A"),
        ]);
        assert_eq!(
            length(&tree),
            [
                "crates/sql/src/a.rs: 601 lines, more than 600",
                "crates/sql/src/fold.rs: needs no exception any more",
                "crates/rules/src/schema/a.rs: 301 lines, more than 300"
            ]
        );
    }

    #[test]
    fn a_forgotten_sql_file_is_found() {
        let tree = Tree::of_texts(&[
            ("crates/engine/sql/postgres/a.sql", ""),
            ("crates/engine/sql/postgres/b.sql", ""),
            ("crates/engine/sql/mysql/c.sql", ""),
            ("crates/engine/src/postgres/a.rs", "include_str!(\"../../sql/postgres/a.sql\")"),
            (
                "crates/engine/src/mysql/a.rs",
                "include_str!(concat!(\"../../sql/mysql/\", $stem, \".sql\")) m!(\"c\")",
            ),
        ]);
        assert_eq!(
            sql_files(&tree),
            ["crates/engine/sql/postgres/b.sql: nothing under crates/engine/src/postgres/ includes it"]
        );
    }
}
