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
#[error("column `{column}` holds {found} where {expected} was expected")]
pub struct DecodeError {
    /// The column.
    pub column: String,
    /// What was expected.
    pub expected: &'static str,
    /// What was found.
    pub found: String,
}

impl Row {
    /// The value of a column; [`Value::Null`] when the result has no such column.
    pub fn value(&self, column: &str) -> &Value {
        self.columns.iter().position(|name| name == column).map_or(&Value::Null, |i| &self.values[i])
    }

    fn wrong(&self, column: &str, expected: &'static str) -> DecodeError {
        let found = match self.value(column) {
            Value::Null => "nothing".to_owned(),
            Value::Bool(_) => "a truth value".to_owned(),
            Value::Int(_) => "a whole number".to_owned(),
            Value::Float(_) => "a number".to_owned(),
            Value::Text(_) => "text".to_owned(),
            Value::List(_) => "a list".to_owned(),
        };
        DecodeError { column: column.to_owned(), expected, found }
    }

    /// Text that must be there.
    pub fn text(&self, column: &str) -> Result<&str, DecodeError> {
        match self.value(column) {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong(column, "text")),
        }
    }

    /// Text that may be null.
    pub fn opt_text(&self, column: &str) -> Result<Option<&str>, DecodeError> {
        match self.value(column) {
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
        match self.value(column) {
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
        if let Value::Text(text) = self.value(column)
            && let Ok(number) = text.parse::<u64>()
        {
            return Ok(Some(number));
        }
        Ok(self.opt_int(column)?.and_then(|number| u64::try_from(number).ok()))
    }

    /// A number that may be null.
    pub fn opt_float(&self, column: &str) -> Result<Option<f64>, DecodeError> {
        match self.value(column) {
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
        match self.value(column) {
            Value::Bool(flag) => Ok(*flag),
            Value::Int(number) => Ok(*number != 0),
            _ => Err(self.wrong(column, "a truth value")),
        }
    }

    /// A truth value that may be null.
    pub fn opt_bool(&self, column: &str) -> Result<Option<bool>, DecodeError> {
        match self.value(column) {
            Value::Null => Ok(None),
            _ => self.bool(column).map(Some),
        }
    }

    /// A list of texts; null gives an empty list, null members empty texts.
    pub fn texts(&self, column: &str) -> Result<Vec<&str>, DecodeError> {
        match self.value(column) {
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
        match self.value(column) {
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
