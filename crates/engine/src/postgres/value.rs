//! Values of PostgreSQL's binary protocol as the engine-neutral [`Value`].

use std::error::Error;
use std::sync::Arc;

use jiff::Timestamp;
use tokio_postgres::types::{FromSql, Kind, Type};

use crate::row::{Row, Value};

struct Cell(Value);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        if let Kind::Array(_) = kind.kind() {
            let members = Vec::<Option<Cell>>::from_sql(kind, raw)?;
            let members = members.into_iter().map(|cell| cell.map_or(Value::Null, |cell| cell.0)).collect();
            return Ok(Cell(Value::List(members)));
        }
        Ok(Cell(match *kind {
            Type::BOOL => Value::Bool(bool::from_sql(kind, raw)?),
            Type::INT2 => Value::Int(i16::from_sql(kind, raw)?.into()),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::OID => Value::Int(u32::from_sql(kind, raw)?.into()),
            Type::FLOAT4 => Value::Float(f32::from_sql(kind, raw)?.into()),
            Type::FLOAT8 => Value::Float(f64::from_sql(kind, raw)?),
            // One byte; zero stands for the empty string.
            Type::CHAR => Value::Text(match raw.first() {
                None | Some(0) => "".into(),
                Some(byte) => char::from(*byte).to_string().into(),
            }),
            _ => Value::Text(String::from_utf8_lossy(raw).into_owned().into()),
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The names of a row's columns.
pub(super) fn column_names(row: &tokio_postgres::Row) -> Arc<[String]> {
    row.columns().iter().map(|column| column.name().to_owned()).collect()
}

/// A row as decoders read it. A value that cannot be read becomes text that says so, which the decoder then refuses.
pub(super) fn row(row: &tokio_postgres::Row, columns: &Arc<[String]>) -> Row {
    let value = |index| match row.try_get::<_, Option<Cell>>(index) {
        Ok(cell) => cell.map_or(Value::Null, |cell| cell.0),
        Err(error) => Value::Text(error.to_string().into()),
    };
    Row { columns: columns.clone(), values: (0..row.len()).map(value).collect() }
}

/// A point in time from seconds since the epoch; infinite ones give `None`.
pub(super) fn timestamp(seconds: Option<f64>) -> Option<Timestamp> {
    let microseconds = (seconds? * 1e6).round();
    (microseconds.abs() < 2.5e17).then(|| Timestamp::from_microsecond(microseconds as i64).ok()).flatten()
}
