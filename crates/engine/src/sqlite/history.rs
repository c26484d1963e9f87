//! Which migrations were applied, as the migration tools' own tables say.

use dbwright_model::facts::{AppliedMigration, MigrationHistory};
use dbwright_model::name::QualifiedName;
use jiff::Timestamp;

use super::reader::{ReadError, Reader, quoted};
use crate::row::{Row, Value};

/// A migration tool's table and what its columns mean.
struct Tool {
    name: &'static str,
    table: &'static str,
    version: &'static str,
    at: &'static str,
    /// The column that holds success, and whether its truth means success.
    ok: Option<(&'static str, bool)>,
}

const fn tool(name: &'static str, table: &'static str, version: &'static str, at: &'static str) -> Tool {
    Tool { name, table, version, at, ok: None }
}

const TOOLS: [Tool; 11] = [
    Tool { ok: Some(("success", true)), ..tool("sqlx", "_sqlx_migrations", "version", "installed_on") },
    tool("refinery", "refinery_schema_history", "version", "applied_on"),
    // Rails, dbmate and golang-migrate share this table; only the last one has `dirty`.
    Tool {
        ok: Some(("dirty", false)),
        ..tool("schema_migrations", "schema_migrations", "version", "applied_at")
    },
    Tool {
        ok: Some(("success", true)),
        ..tool("Flyway", "flyway_schema_history", "version", "installed_on")
    },
    tool("Diesel", "__diesel_schema_migrations", "version", "run_on"),
    tool("Prisma", "_prisma_migrations", "migration_name", "finished_at"),
    tool("Knex", "knex_migrations", "name", "migration_time"),
    Tool { ok: Some(("is_applied", true)), ..tool("goose", "goose_db_version", "version_id", "tstamp") },
    tool("Django", "django_migrations", "name", "applied"),
    tool("Alembic", "alembic_version", "version_num", ""),
    tool("SeaORM", "seaql_migrations", "version", "applied_at"),
];

/// Most migrations read of one tool.
const LIMIT: usize = 10_000;

/// Reads the tables of the migration tools that are there.
pub(super) fn read(reader: &Reader) -> Result<Vec<MigrationHistory>, ReadError> {
    let mut histories = Vec::new();
    for tool in &TOOLS {
        if !reader.has_table(tool.table)? {
            continue;
        }
        let sql = format!("SELECT * FROM main.{} LIMIT {LIMIT}", quoted(tool.table));
        let rows = reader.rows(&sql, &[])?;
        // A table of that name which another program made lacks the column.
        if rows.first().is_some_and(|row| !row.columns.iter().any(|column| column == tool.version)) {
            continue;
        }
        let mut applied: Vec<AppliedMigration> = rows.iter().filter_map(|row| migration(tool, row)).collect();
        applied.sort_by(|a, b| (number(&a.version), &a.version).cmp(&(number(&b.version), &b.version)));
        histories.push(MigrationHistory {
            tool: tool.name.to_owned(),
            table: QualifiedName::bare(tool.table),
            applied,
        });
    }
    Ok(histories)
}

/// The number a version is, so that 10 comes after 9.
fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

fn migration(tool: &Tool, row: &Row) -> Option<AppliedMigration> {
    let version = match row.optional(tool.version) {
        Value::Text(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        // Flyway's repeatable migrations have no version.
        _ => return None,
    };
    let version = match row.optional("app") {
        Value::Text(app) if tool.name == "Django" => format!("{app}.{version}"),
        _ => version,
    };
    let said = tool.ok.and_then(|(column, means)| match row.optional(column) {
        Value::Int(flag) => Some((*flag != 0) == means),
        Value::Bool(flag) => Some(*flag == means),
        _ => None,
    });
    let at = timestamp(row.optional(tool.at));
    let ok = said.unwrap_or(tool.name != "Prisma" || at.is_some())
        && (tool.name != "Prisma" || *row.optional("rolled_back_at") == Value::Null);
    Some(AppliedMigration { version, ok, at })
}

/// A time as any of the tools writes it: text in UTC, or seconds or milliseconds since 1970.
fn timestamp(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Int(number) if number.abs() > 100_000_000_000 => Timestamp::from_millisecond(*number).ok(),
        Value::Int(number) => Timestamp::from_second(*number).ok(),
        Value::Text(text) => text.parse().ok().or_else(|| {
            let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
        }),
        _ => None,
    }
}
