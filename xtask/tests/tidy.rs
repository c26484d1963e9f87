//! The repository keeps its own rules.

use xtask::tidy::RULES;
use xtask::tree::Tree;

#[test]
fn the_repository_is_tidy() {
    let tree = Tree::of_repository().expect("the files can be listed");
    assert!(tree.files().len() > 100, "only {} files were found", tree.files().len());
    let mut complaints = Vec::new();
    for rule in RULES {
        let found = (rule.check)(&tree);
        complaints.extend(found.into_iter().map(|complaint| format!("{}: {complaint}", rule.name)));
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}
