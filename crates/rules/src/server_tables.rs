//! Tables in which servers keep their own definitions.

use dbwright_model::engine::Dialect;
use dbwright_model::name::QualifiedName;

/// Catalogs of PostgreSQL that are written by hand, sorted; any other one counts with its schema.
const CATALOGS: &[&str] = &[
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_database",
    "pg_depend",
    "pg_enum",
    "pg_index",
    "pg_inherits",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_policy",
    "pg_proc",
    "pg_publication",
    "pg_rewrite",
    "pg_sequence",
    "pg_statistic",
    "pg_subscription",
    "pg_trigger",
    "pg_type",
];

/// Whether the server keeps definitions in a table, which its own statements are there to change.
pub fn is_of_the_server(dialect: Dialect, name: &QualifiedName) -> bool {
    let (schema, table) =
        (name.schema.as_str().to_ascii_lowercase(), name.name.as_str().to_ascii_lowercase());
    match dialect {
        // `pg_settings` is a view, and writing it sets; large objects are data.
        Dialect::Postgres => match schema.as_str() {
            "pg_catalog" => !matches!(table.as_str(), "pg_settings" | "pg_largeobject"),
            "" => CATALOGS.binary_search(&table.as_str()).is_ok(),
            _ => false,
        },
        // Time zones and help texts are loaded by their own scripts.
        Dialect::Mysql => schema == "mysql" && !table.starts_with("time_zone") && !table.starts_with("help_"),
        Dialect::Sqlite => {
            matches!(
                table.as_str(),
                "sqlite_master" | "sqlite_schema" | "sqlite_temp_master" | "sqlite_temp_schema"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn catalogs_are_sorted_for_the_search() {
        assert!(super::CATALOGS.is_sorted());
    }
}
