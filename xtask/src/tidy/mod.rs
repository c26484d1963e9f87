//! Rules about the repository itself. Each takes the files and returns its complaints.

mod layers;
mod purity;
mod shape;
mod words;
mod messages;
mod links;
mod named;
mod quoting;

use crate::tree::Tree;

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct TidyRule {
    /// Its name.
    pub name: &'static str,
    /// Finds what is untidy, one sentence each.
    pub check: fn(&Tree) -> Vec<String>,
}

/// Every rule.
pub const RULES: &[TidyRule] = &[
    TidyRule { name: "layers", check: layers::check },
    TidyRule { name: "purity", check: purity::check },
    TidyRule { name: "headers", check: shape::headers },
    TidyRule { name: "length", check: shape::length },
    TidyRule { name: "format", check: shape::format },
    TidyRule { name: "sql", check: shape::sql_files },
    TidyRule { name: "words", check: words::check },
    TidyRule { name: "allow", check: words::bare_allow },
    TidyRule { name: "messages", check: messages::check },
    TidyRule { name: "links", check: links::check },
    TidyRule { name: "named", check: named::check },
    TidyRule { name: "quoting", check: quoting::check },
];
