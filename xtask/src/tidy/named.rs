//! What the documents name in backticks exists, and `ARCHITECTURE.md` names every crate.

use crate::tree::{File, Tree};

/// The document that says where things are. Every name in it is looked for, in others only paths from the root.
const MAP: &str = "ARCHITECTURE.md";

/// Words that come before the name of what is declared.
const KEYWORDS: &[&str] = &["fn", "struct", "enum", "trait", "mod", "type", "const", "static"];

/// Looks at every document of people: those in the root, in `docs` and in `fuzz`.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_document = |file: &&File| {
        file.path.ends_with(".md")
            && (!file.path.contains('/') || ["docs/", "fuzz/"].iter().any(|top| file.path.starts_with(top)))
    };
    for file in tree.files().iter().filter(is_document) {
        let mut fenced = false;
        for (index, line) in file.text().lines().enumerate() {
            let mut complain =
                |name: &str| complaints.push(format!("{}:{}: `{name}` does not exist", file.path, index + 1));
            if line.starts_with("```") {
                fenced = !fenced;
            } else if fenced && file.path == MAP {
                // The drawing of the floors names crates without backticks.
                let words = line.split_whitespace().filter(|word| word.contains('/'));
                words.filter(|word| !exists(tree, word)).for_each(complain);
            } else if !fenced {
                // Every second part stands in backticks.
                for name in line.split('`').skip(1).step_by(2) {
                    let known = if file.path == MAP { is_known(tree, name) } else { !is_dead(tree, name) };
                    if !known {
                        complain(name);
                    }
                }
            }
        }
        if file.path == MAP {
            let missing = crates(tree).into_iter().filter(|path| !names_crate(file.text(), path));
            complaints.extend(missing.map(|path| format!("{}: no line is about `{path}`", file.path)));
        }
    }
    complaints
}

/// Folders with a `Cargo.toml` of their own.
fn crates(tree: &Tree) -> Vec<&str> {
    tree.files().iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml")).collect()
}

/// Whether an entry of a list begins with a crate: those under `crates` by name, others by path.
fn names_crate(text: &str, path: &str) -> bool {
    let name = path.strip_prefix("crates/").unwrap_or(path);
    text.lines().any(|line| line.starts_with(&format!("- `{name}`")))
}

/// Whether a name that reads like a path from the root leads nowhere.
fn is_dead(tree: &Tree, name: &str) -> bool {
    let top = name.split('/').next().unwrap_or_default();
    let is_path = name.contains('/') && !name.contains([' ', '*']) && tree.holds(top) && !top.is_empty();
    is_path && !exists(tree, name)
}

/// Whether anything has this name: a file, a folder, a crate, or what code declares.
fn is_known(tree: &Tree, name: &str) -> bool {
    // Several words are a command, which the proofs of the program try, or SQL.
    if name.is_empty() || name.contains(' ') && !name.contains('/') {
        return true;
    }
    if name.contains('/') {
        return exists(tree, name);
    }
    let name = name.split('<').next().unwrap_or(name);
    let parts: Vec<&str> = name.split("::").collect();
    match parts.as_slice() {
        [one] => {
            is_place(tree, one)
                || is_crate(tree, one)
                || is_word_of_sql(tree, one)
                || is_declared(tree, one)
                || is_quoted(tree, one)
        }
        [.., within, one] => tree.rust().any(|file| {
            let inside = file.path.split(['/', '.']).any(|part| part == *within) || declares(file, within);
            inside && (declares(file, one) || file.path.split(['/', '.']).any(|part| part == *one))
        }),
        [] => true,
    }
}

/// Whether a path from the root, or from the folder of a crate or of its code, names a file or a folder. `<engine>`
/// stands for any one name, and `.rs` may be left out.
fn exists(tree: &Tree, path: &str) -> bool {
    let wanted: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let fits = |place: &str| {
        let mut parts = place.split('/');
        wanted.iter().all(|wanted| {
            parts.next().is_some_and(|part| match (wanted.split_once('<'), wanted.split_once('>')) {
                (Some((before, _)), Some((_, after))) => part.starts_with(before) && part.ends_with(after),
                _ => part == *wanted || part.strip_suffix(".rs") == Some(*wanted),
            })
        })
    };
    tree.files().iter().any(|file| {
        let inner =
            file.path.strip_prefix("crates/").and_then(|path| path.split_once('/')).map(|(_, path)| path);
        let source = inner.and_then(|path| path.strip_prefix("src/"));
        [Some(file.path.as_str()), inner, source].into_iter().flatten().any(fits)
    })
}

/// Whether a file or a folder has this name.
fn is_place(tree: &Tree, name: &str) -> bool {
    tree.files()
        .iter()
        .any(|file| file.path.split('/').any(|part| part == name || part.strip_suffix(".rs") == Some(name)))
}

/// Whether the workspace uses a crate of this name.
fn is_crate(tree: &Tree, name: &str) -> bool {
    let line = format!("name = \"{name}\"");
    tree.files()
        .iter()
        .any(|file| file.path == "Cargo.lock" && file.text().lines().any(|found| found == line))
}

/// Whether the questions to servers hold this word.
fn is_word_of_sql(tree: &Tree, name: &str) -> bool {
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    tree.files().iter().any(|file| file.path.ends_with(".sql") && word(file.text()))
}

/// Whether code holds this text: the name of a table, a word of a file.
fn is_quoted(tree: &Tree, name: &str) -> bool {
    let quoted = format!("\"{name}\"");
    tree.rust().any(|file| file.path.starts_with("crates/") && file.text().contains(&quoted))
}

fn is_declared(tree: &Tree, name: &str) -> bool {
    tree.rust().any(|file| file.path.starts_with("crates/") && declares(file, name))
}

/// Whether code declares a name: an item, a field or a variant.
fn declares(file: &File, name: &str) -> bool {
    file.code().any(|(_, line)| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let first = words.next().unwrap_or_default();
        let rest = &line[first.len()..];
        let part = first == name && (rest.starts_with([':', ',', '(']) || rest.starts_with(" {"));
        part || (KEYWORDS.contains(&first) && words.next() == Some(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_leads_nowhere_is_found() {
        let text = "- `sql`: `split`, `gone`, `fold::Folder`, `fold::Gone`, `Opaque`, `toml`, `insist`\n\
                    - `proof/live`: `ops/<operation>.rs`, `ops/<operation>.md`, `crates/sql/src/fold`\n\
                    ```\nfloor proof/live proof/old\n```\n";
        let tree = Tree::of_texts(&[
            (MAP, text),
            ("CONTRIBUTING.md", "`crates/sql`, `crates/gone`, `schema/float-money`, `and/or`"),
            ("Cargo.lock", "name = \"toml\"\n"),
            ("crates/sql/Cargo.toml", ""),
            ("crates/new/Cargo.toml", ""),
            ("proof/live/Cargo.toml", ""),
            ("proof/live/src/lib.rs", "pub fn insist() {}"),
            ("crates/sql/src/fold.rs", "pub struct Folder {\nenum Change {\n    Opaque(String),\n"),
            ("crates/sql/src/split.rs", ""),
            ("crates/service/src/ops/audit.rs", ""),
        ]);
        let line = |number: usize, name: &str| format!("{MAP}:{number}: `{name}` does not exist");
        assert_eq!(
            check(&tree),
            [
                line(1, "gone"),
                line(1, "fold::Gone"),
                line(1, "insist"),
                line(2, "ops/<operation>.md"),
                line(4, "proof/old"),
                format!("{MAP}: no line is about `crates/new`"),
                "CONTRIBUTING.md:1: `crates/gone` does not exist".to_owned(),
            ]
        );
    }
}
