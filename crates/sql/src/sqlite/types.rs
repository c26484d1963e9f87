//! Column types of SQLite.

use dbwright_model::data_type::{DataType, TypeKind};

/// Reads the spelling of a column type.
pub fn data_type(text: &str) -> DataType {
    DataType::new(TypeKind::Other, text)
}
