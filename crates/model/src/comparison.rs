//! What two catalogs of one database disagree in, and what could not be compared.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Where the catalogs disagree, ordered by object and property.
    pub differences: Vec<Difference>,
    /// What was not compared and why, as full sentences.
    pub not_compared: Vec<String>,
}

impl Comparison {
    /// Whether nothing that was compared differs.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty()
    }
}

/// One property, or one whole object, that differs.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Kind and name of the object: "table `public.t`".
    pub object: String,
    /// What of it differs: "column `a`, type"; empty for the object itself.
    pub what: String,
    /// What should be there; `None` when nothing should.
    pub expected: Option<String>,
    /// What is there; `None` when nothing is.
    pub found: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if !self.what.is_empty() {
            write!(f, ", {}", self.what)?;
        }
        match (&self.expected, &self.found) {
            (Some(_), None) if self.what.is_empty() => f.write_str(" is missing"),
            (None, Some(_)) if self.what.is_empty() => f.write_str(" is not expected"),
            (Some(expected), None) => write!(f, " ({expected}) is missing"),
            (None, Some(found)) => write!(f, " ({found}) is not expected"),
            (Some(expected), Some(found)) => write!(f, " is {found} instead of {expected}"),
            (None, None) => f.write_str(" differs"),
        }
    }
}
