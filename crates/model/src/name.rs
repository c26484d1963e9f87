//! Names of database objects, exactly as the server stores them.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// One identifier as the server stores it: unquoted, case already folded the way the dialect folds it.
///
/// The empty name stands for "the default": the schema of an SQLite object, or of a MySQL object in the target database.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(CompactString);

impl Name {
    /// The name of the default schema in dialects where objects of the target database carry none.
    pub const DEFAULT: Name = Name(CompactString::const_new(""));

    /// A name from the text the server stores.
    pub fn new(text: impl AsRef<str>) -> Self {
        Name(CompactString::from(text.as_ref()))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether this is the empty name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Equality without regard to ASCII case, as MySQL and SQLite compare column names.
    pub fn eq_ignore_case(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0.as_str())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name::new(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Name(CompactString::from(text))
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// A schema and the name of an object in it. MySQL calls the schema a database.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema, or [`Name::DEFAULT`].
    #[serde(default, skip_serializing_if = "Name::is_empty")]
    pub schema: Name,
    /// The object's own name.
    pub name: Name,
}

impl QualifiedName {
    /// A name in a schema.
    pub fn new(schema: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        QualifiedName { schema: Name::new(schema), name: Name::new(name) }
    }

    /// A name in the default schema.
    pub fn bare(name: impl AsRef<str>) -> Self {
        QualifiedName { schema: Name::DEFAULT, name: Name::new(name) }
    }

    /// The same schema, another name.
    pub fn sibling(&self, name: impl AsRef<str>) -> Self {
        QualifiedName { schema: self.schema.clone(), name: Name::new(name) }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.schema.is_empty() {
            write!(f, "{}.", self.schema)?;
        }
        write!(f, "{}", self.name)
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Names joined by `, ` for messages and keys.
pub fn join<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name.as_str());
    }
    text
}
