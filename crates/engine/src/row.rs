//! Rows as every engine returns them, so that decoders are pure and can be replayed from a recording.

use std::sync::Arc;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// SQL null.
    Null,
    /// Truth value.
    Bool(bool),
    /// Whole number.
    Int(i64),
    /// Floating point number. Times travel as seconds since the epoch.
    Float(f64),
    /// Text.
    Text(CompactString),
    /// Array.
    List(Vec<Value>),
}

/// One row with its column names.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Column names, shared by all rows of a result.
    pub columns: Arc<[String]>,
    /// Values in the same order.
    pub values: Vec<Value>,
}

/// A row that does not hold what its decoder expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A column holds something else.
    #[error("column `{column}` holds {found} where {expected} was expected")]
    Wrong {
        /// The column.
        column: String,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// There is no such column.
    #[error("the answer has no column `{column}`")]
    Missing {
        /// The column.
        column: String,
    },
}

impl Row {
    /// The value of a column, which the result must have: one that is not there would otherwise look like one of which the
    /// server knows nothing.
    pub fn value(&self, column: &str) -> Result<&Value, DecodeError> {
        self.find(column).ok_or_else(|| DecodeError::Missing { column: column.to_owned() })
    }

    /// The value of a column that the result may lack, which gives [`Value::Null`]: servers and tools differ in it.
    pub fn optional(&self, column: &str) -> &Value {
        self.find(column).unwrap_or(&Value::Null)
    }

    fn find(&self, column: &str) -> Option<&Value> {
        self.values.get(self.columns.iter().position(|name| name == column)?)
    }

    fn wrong(&self, column: &str, expected: &'static str) -> DecodeError {
        let found = match self.optional(column) {
            Value::Null => "nothing".to_owned(),
            Value::Bool(_) => "a truth value".to_owned(),
            Value::Int(_) => "a whole number".to_owned(),
            Value::Float(_) => "a number".to_owned(),
            Value::Text(_) => "text".to_owned(),
            Value::List(_) => "a list".to_owned(),
        };
        DecodeError::Wrong { column: column.to_owned(), expected, found }
    }

    /// Text that must be there.
    pub fn text(&self, column: &str) -> Result<&str, DecodeError> {
        match self.value(column)? {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong(column, "text")),
        }
    }

    /// Text that may be null.
    pub fn opt_text(&self, column: &str) -> Result<Option<&str>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong(column, "text or nothing")),
        }
    }

    /// A whole number that must be there. Numbers written as text are read.
    pub fn int(&self, column: &str) -> Result<i64, DecodeError> {
        self.opt_int(column)?.ok_or_else(|| self.wrong(column, "a whole number"))
    }

    /// A whole number that may be null.
    pub fn opt_int(&self, column: &str) -> Result<Option<i64>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(*number)),
            Value::Bool(flag) => Ok(Some(i64::from(*flag))),
            Value::Float(number) if number.fract() == 0.0 => Ok(Some(*number as i64)),
            Value::Text(text) => {
                text.parse().map(Some).map_err(|_| self.wrong(column, "a whole number or nothing"))
            }
            _ => Err(self.wrong(column, "a whole number or nothing")),
        }
    }

    /// A count that may be null; negative numbers, which servers use for "unknown", give `None`.
    pub fn opt_count(&self, column: &str) -> Result<Option<u64>, DecodeError> {
        if let Value::Text(text) = self.value(column)?
            && let Ok(number) = text.parse::<u64>()
        {
            return Ok(Some(number));
        }
        Ok(self.opt_int(column)?.and_then(|number| u64::try_from(number).ok()))
    }

    /// A number that may be null.
    pub fn opt_float(&self, column: &str) -> Result<Option<f64>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            Value::Float(number) => Ok(Some(*number)),
            Value::Int(number) => Ok(Some(*number as f64)),
            Value::Text(text) => {
                text.parse().map(Some).map_err(|_| self.wrong(column, "a number or nothing"))
            }
            _ => Err(self.wrong(column, "a number or nothing")),
        }
    }

    /// A truth value that must be there.
    pub fn bool(&self, column: &str) -> Result<bool, DecodeError> {
        match self.value(column)? {
            Value::Bool(flag) => Ok(*flag),
            Value::Int(number) => Ok(*number != 0),
            _ => Err(self.wrong(column, "a truth value")),
        }
    }

    /// A truth value that may be null.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.bool(column).map(Some),
        }
    }

    /// A list of texts; null gives an empty list, null members empty texts.
    pub fn texts(&self, column: &str) -> Result<Vec<&str>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(Vec::new()),
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::Text(text) => Ok(text.as_str()),
                    Value::Null => Ok(""),
                    _ => Err(self.wrong(column, "a list of texts")),
                })
                .collect(),
            _ => Err(self.wrong(column, "a list of texts")),
        }
    }

    /// A list of whole numbers; null gives an empty list.
    pub fn ints(&self, column: &str) -> Result<Vec<i64>, DecodeError> {
        match self.value(column)? {
            Value::Null => Ok(Vec::new()),
            Value::List(values) => values
                .iter()
                .map(|value| match value {
                    Value::Int(number) => Ok(*number),
                    _ => Err(self.wrong(column, "a list of whole numbers")),
                })
                .collect(),
            _ => Err(self.wrong(column, "a list of whole numbers")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_not_there_is_no_null() {
        let row = Row { columns: ["a".to_owned()].into(), values: vec![Value::Null] };
        assert_eq!(row.opt_text("a"), Ok(None));
        assert_eq!(*row.optional("b"), Value::Null);
        let missing = Some("the answer has no column `b`".to_owned());
        let words = [
            row.text("b").err(),
            row.opt_text("b").err(),
            row.int("b").err(),
            row.opt_int("b").err(),
            row.opt_count("b").err(),
            row.opt_float("b").err(),
            row.bool("b").err(),
            row.opt_bool("b").err(),
            row.texts("b").err(),
            row.ints("b").err(),
        ];
        for error in words {
            assert_eq!(error.map(|error| error.to_string()), missing);
        }
    }
}
