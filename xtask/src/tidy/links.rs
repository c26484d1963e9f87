//! Links between the texts of the repository lead somewhere.

use crate::tree::Tree;

/// Looks at every relative link in every Markdown file.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut fenced = false;
        for (index, line) in file.text().lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for target in targets(line) {
                let path = target.split(['#', '?']).next().unwrap_or("");
                let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
                if !elsewhere
                    && !resolve(folder, path).is_some_and(|path| path.is_empty() || tree.holds(&path))
                {
                    complaints.push(format!("{}:{}: `{target}` does not exist", file.path, index + 1));
                }
            }
        }
    }
    complaints
}

/// Targets of the links and pictures of a line, what stands in backticks left aside.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    // Every second part stands in backticks. A link's text may be code; then its target begins the part after it.
    for part in line.split('`').step_by(2) {
        for (at, _) in part.match_indices("](") {
            let rest = &part[at + 2..];
            if let Some(end) = rest.find([')', ' ']) {
                found.push(rest[..end].trim_matches(['<', '>']));
            }
        }
    }
    found
}

/// A path from the root; `None` when it leads out of the repository.
fn resolve(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().filter(|part| !part.is_empty())?;
            }
            part => parts.push(part),
        }
    }
    parts.retain(|part| !part.is_empty());
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_link_is_found() {
        let text =
            "[a](b.md) [`c`](../README.md#top) ![d](gone.png)\n[e](https://example.com)\n[f](../../x)\n";
        let tree =
            Tree::of_texts(&[("docs/a.md", text), ("docs/b.md", ""), ("README.md", "```\n[g](h)\n```")]);
        assert_eq!(
            check(&tree),
            ["docs/a.md:1: `gone.png` does not exist", "docs/a.md:3: `../../x` does not exist"]
        );
    }
}
