//! Arrows between crates go down, and verbs do not know each other.

use crate::tree::Tree;

/// Crates of the house and the crates of the house that each may import, tests included.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("sql", &["model"]),
    ("rules", &["model"]),
    ("advise", &["model"]),
    ("engine", &["model"]),
    ("render", &["model"]),
    ("service", &["model", "sql", "rules", "advise", "engine", "render"]),
    ("app", &["model", "sql", "rules", "advise", "engine", "render", "service"]),
    ("runtime", &[]),
];

/// Compares every `Cargo.toml` with the table.
pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files() {
        let Some(crate_name) =
            file.path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml"))
        else {
            continue;
        };
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == crate_name) else {
            complaints.push(format!("{}: the table of layers does not know this crate", file.path));
            continue;
        };
        let manifest: toml::Table = match file.text().parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                complaints.push(format!("{}: {error}", file.path));
                continue;
            }
        };
        for dependency in dependencies(&manifest) {
            let own = match dependency.as_str() {
                "dbwright" => "app",
                "xtask" => "xtask",
                name if name.starts_with("proof-") => name,
                name => match name.strip_prefix("dbwright-") {
                    Some(own) => own,
                    None => continue,
                },
            };
            if !allowed.contains(&own) {
                complaints.push(format!("{}: `{crate_name}` may not import `{own}`", file.path));
            }
        }
    }
    complaints
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let mut names = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        if let Some(table) = manifest.get(section).and_then(toml::Value::as_table) {
            names.extend(table.keys().cloned());
        }
    }
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    for target in targets.into_iter().flat_map(toml::Table::values) {
        names.extend(target.as_table().map(dependencies).unwrap_or_default());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_may_not_import_a_verb() {
        let manifest =
            "[dependencies]\ndbwright-model.workspace = true\n[dev-dependencies]\ndbwright-rules = {}";
        let tree = Tree::of_texts(&[("crates/sql/Cargo.toml", manifest), ("crates/new/Cargo.toml", "")]);
        assert_eq!(
            check(&tree),
            [
                "crates/sql/Cargo.toml: `sql` may not import `rules`",
                "crates/new/Cargo.toml: the table of layers does not know this crate"
            ]
        );
    }
}
