//! Names of the kinds of change.

use super::Change;

impl Change {
    /// The name of the kind, lower case with `_`: `add_column`. It is the tag of its written form too.
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// What the change is, in lower-case words: `add column`, `drop default`.
    pub fn words(&self) -> String {
        match self {
            Change::SetNotNull { not_null: false, .. } => "drop not null".to_owned(),
            Change::SetDefault { default: None, .. } => "drop default".to_owned(),
            _ => self.kind().replace('_', " "),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::{Name, QualifiedName};

    #[test]
    fn a_change_is_named_in_words() {
        let analyze = Change::Analyze { table: None };
        assert_eq!((analyze.kind(), analyze.words().as_str()), ("analyze", "analyze"));
        let change = Change::SetDefault {
            table: QualifiedName::bare("t"),
            column: Name::new("a"),
            default: None,
            alter: Default::default(),
        };
        assert_eq!((change.kind(), change.words().as_str()), ("set_default", "drop default"));
        let written = serde_json::to_value(&change).expect("it can be written");
        assert_eq!(written["change"], change.kind());
    }
}
