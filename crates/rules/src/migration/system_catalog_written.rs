use dbwright_model::change::{Change, DataKind};
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::lint::{self, Verdict};
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Migrations,
    weight: 7,
    needs: &[Fact::Migrations],
    engines: Engines::ALL,
    when: "a table in which the server keeps its own definitions is written",
    then: "The server checks nothing of it: rows may become unreadable, and the next upgrade or restore fails.",
    instead: "Use the statement that the engine has for it: `ALTER TABLE`, `ALTER DATABASE`, `GRANT`.",
    source: "PostgreSQL manual, \"System Catalogs\"; MySQL manual, \"The mysql System Schema\"; SQLite documentation, PRAGMA writable_schema",
    check,
    ..Rule::DEFAULT
};

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

fn check(context: &Context<'_>, findings: &mut Findings) {
    let dialect = context.engine().dialect();
    lint::each(context, findings, |judged, change| {
        let Change::Data { kind, table: Some(table), clauses, .. } = change else { return Verdict::Other };
        if *kind == DataKind::Select && clauses.also.is_empty() {
            return Verdict::Other;
        }
        let own = Some(table).filter(|_| *kind != DataKind::Select);
        let written = own.into_iter().chain(&clauses.also).find(|name| {
            // A table of one's own may have such a name.
            is_of_the_server(dialect, name) && judged.statement.table(name).is_none()
        });
        let Some(name) = written else { return Verdict::Fine };
        let message =
            format!("`{}` writes `{name}`, where the server keeps its own definitions.", verb(kind));
        Verdict::Found(judged.found(ObjectRef::table(name), message).remedy(Remedy::manual(RULE.instead)))
    });
}

fn verb(kind: &DataKind) -> &'static str {
    match kind {
        DataKind::Insert => "INSERT",
        DataKind::Update => "UPDATE",
        DataKind::Delete => "DELETE",
        DataKind::Merge => "MERGE",
        DataKind::Truncate => "TRUNCATE",
        DataKind::Copy => "COPY",
        DataKind::Select => "WITH",
    }
}

fn is_of_the_server(dialect: Dialect, name: &QualifiedName) -> bool {
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
