//! The difference between a fact that is absent and a fact that could not be read.

use serde::{Deserialize, Serialize};

/// A fact and how it came to be known or not.
///
/// A rule that needs a fact which is not [`Observed::Known`] is reported as "not checked", never as passed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// The fact was read.
    Known(T),
    /// The server refused: the role lacks a privilege.
    Denied(String),
    /// The source cannot answer: wrong engine, too old, an extension is absent, or a file holds no such thing.
    Unsupported(String),
    /// The read was tried and failed: a timeout, a lost connection, an answer that could not be understood.
    Failed(String),
    /// Nobody asked for it.
    #[default]
    NotAsked,
}

impl<T> Observed<T> {
    /// The value, if it was read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Observed::Known(value) => Some(value),
            _ => None,
        }
    }

    /// The value to change, if it was read.
    pub fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Observed::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Why the value is not known, in a lower-case fragment; `None` when it is known.
    pub fn because(&self) -> Option<String> {
        match self {
            Observed::Known(_) => None,
            Observed::Denied(because) | Observed::Unsupported(because) | Observed::Failed(because) => {
                Some(because.clone())
            }
            Observed::NotAsked => Some("it was not asked for".to_owned()),
        }
    }

    /// The value by reference, with the same way of not being known.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Observed::Known(value) => Observed::Known(value),
            Observed::Denied(because) => Observed::Denied(because.clone()),
            Observed::Unsupported(because) => Observed::Unsupported(because.clone()),
            Observed::Failed(because) => Observed::Failed(because.clone()),
            Observed::NotAsked => Observed::NotAsked,
        }
    }

    /// Another value made of this one, with the same way of not being known.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Observed::Known(value) => Observed::Known(f(value)),
            Observed::Denied(because) => Observed::Denied(because),
            Observed::Unsupported(because) => Observed::Unsupported(because),
            Observed::Failed(because) => Observed::Failed(because),
            Observed::NotAsked => Observed::NotAsked,
        }
    }

    /// Whether the source cannot answer.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Observed::Unsupported(_))
    }

    /// Whether the value was read.
    pub fn is_known(&self) -> bool {
        matches!(self, Observed::Known(_))
    }
}
