//! Names in statements that are shown to be run by hand, quoted as PostgreSQL takes them.

use dbwright_model::name::QualifiedName;

/// A name in double quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name in double quotes, behind its schema where it has one.
pub fn quoted_name(name: &QualifiedName) -> String {
    match name.schema.as_str() {
        "" => quoted(name.name.as_str()),
        schema => format!("{}.{}", quoted(schema), quoted(name.name.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_holds_ends_no_name() {
        assert_eq!(quoted_name(&QualifiedName::new("my shop", "t\"; drop")), "\"my shop\".\"t\"\"; drop\"");
        assert_eq!(quoted_name(&QualifiedName::bare("T")), "\"T\"");
    }
}
