//! Names of database objects, exactly as the server stores them.

use std::cell::RefCell;
use std::fmt;

use arcstr::ArcStr;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One identifier as the server stores it: unquoted, case already folded the way the dialect folds it.
///
/// The empty name stands for "the default": the schema of an SQLite object, or of a MySQL object in the target database.
///
/// A name is one pointer wide and its text is shared: a large catalog says most of its names many times over.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(ArcStr);

/// Places for names that were made a short while ago; a power of two.
const RECENT: usize = 1 << 13;

thread_local! {
    static RECENTLY: RefCell<Vec<Name>> = const { RefCell::new(Vec::new()) };
}

/// The text as a name, shared with a name that was made of it a short while ago.
fn share(text: &str) -> Name {
    if text.is_empty() {
        return Name::DEFAULT;
    }
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for chunk in text.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    let place = (hash >> 40) as usize % RECENT;
    // While a thread ends there is nothing left to share with.
    let shared = RECENTLY.try_with(|recently| {
        let mut recently = recently.borrow_mut();
        if recently.is_empty() {
            recently.resize(RECENT, Name::DEFAULT);
        }
        let kept = &mut recently[place];
        if kept.as_str() != text {
            *kept = Name(ArcStr::from(text));
        }
        kept.clone()
    });
    shared.unwrap_or_else(|_| Name(ArcStr::from(text)))
}

impl Name {
    /// The name of the default schema in dialects where objects of the target database carry none.
    pub const DEFAULT: Name = Name(ArcStr::new());

    /// A name from the text the server stores.
    pub fn new(text: impl AsRef<str>) -> Self {
        share(text.as_ref())
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

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name::new(text))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Name::new(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        share(&text)
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

    /// Whether this name, as somebody wrote it, may mean an object of a full name: without a schema it may be in any.
    pub fn may_mean(&self, full: &QualifiedName) -> bool {
        self.name == full.name && (self.schema.is_empty() || self.schema == full.schema)
    }

    /// Whether two names may be one object's: either may be written without its schema.
    pub fn may_be(&self, other: &QualifiedName) -> bool {
        self.may_mean(other) || other.may_mean(self)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_pointer_wide() {
        assert_eq!(size_of::<Option<Name>>(), size_of::<usize>());
    }

    #[test]
    fn names_are_equal_when_their_texts_are() {
        let texts =
            ["", "a", "eightlong", "größe", "a name that is longer than any pointer could hold by itself"];
        for (at, text) in texts.iter().enumerate() {
            for (other_at, other) in texts.iter().enumerate() {
                let (name, other) = (Name::new(text), Name::from((*other).to_owned()));
                assert_eq!(name == other, at == other_at);
                assert_eq!(name.cmp(&other), name.as_str().cmp(other.as_str()));
            }
            assert_eq!(Name::new(text).as_str(), *text);
            let written = serde_json::to_string(&Name::new(text)).unwrap();
            assert_eq!(serde_json::from_str::<Name>(&written).unwrap().as_str(), *text);
        }
    }

    #[test]
    fn a_name_without_schema_may_mean_one_in_any() {
        let check = |written: &QualifiedName, full: &QualifiedName, may_mean: bool, may_be: bool| {
            assert_eq!(written.may_mean(full), may_mean, "{written:?} {full:?}");
            assert_eq!(written.may_be(full), may_be, "{written:?} {full:?}");
        };
        let (bare, public) = (QualifiedName::bare("t"), QualifiedName::new("public", "t"));
        check(&bare, &public, true, true);
        check(&public, &bare, false, true);
        check(&public, &public, true, true);
        check(&QualifiedName::new("other", "t"), &public, false, false);
        check(&QualifiedName::bare("child"), &public, false, false);
    }

    #[test]
    fn more_names_than_are_kept_stay_what_they_are() {
        let names: Vec<Name> = (0..3 * RECENT).map(|number| Name::from(format!("n{number}"))).collect();
        assert!(names.iter().enumerate().all(|(number, name)| *name == *format!("n{number}")));
    }
}
