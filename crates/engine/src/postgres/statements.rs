//! The statements of a collection: which file serves which facts, and the few that are made from the catalog.

use dbwright_model::catalog::Column;
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{AppliedMigration, Fact, MigrationHistory};
use dbwright_model::name::{Name, QualifiedName};

use super::catalog::{Readable, qualified};
use super::draft::Draft;
use super::value::timestamp;
use super::{access, activity, catalog, objects, statistics};
use crate::row::{DecodeError, Row};

/// One statement of a collection.
pub(super) struct Statement {
    /// Stem of its file.
    pub name: &'static str,
    /// The facts it serves. One that fails while it serves several is tried again for each alone.
    pub facts: &'static [Fact],
    /// Its text.
    pub sql: Text,
    /// Whether it leaves locks on tables of users, which then end with it.
    pub keeps_locks: bool,
    /// Reads one row.
    pub decode: fn(&Row, &mut Draft) -> Result<(), DecodeError>,
}

/// Where a statement's text comes from.
pub(super) enum Text {
    /// A template.
    Template(&'static str),
    /// Made from what was read before; `None` when there is nothing to ask.
    Made(fn(&Draft) -> Option<String>),
}

macro_rules! statement {
    ($name:literal, [$($fact:ident),+], $decode:path) => {
        Statement {
            name: $name,
            facts: &[$(Fact::$fact),+],
            sql: Text::Template(include_str!(concat!("../../sql/postgres/", $name, ".sql"))),
            keeps_locks: false,
            decode: $decode,
        }
    };
    ($name:literal, [$($fact:ident),+], $decode:path, keeps locks) => {
        Statement { keeps_locks: true, ..statement!($name, [$($fact),+], $decode) }
    };
    ($name:literal, [$($fact:ident),+], $decode:path, $made:path) => {
        Statement {
            name: $name,
            facts: &[$(Fact::$fact),+],
            sql: Text::Made($made),
            keeps_locks: true,
            decode: $decode,
        }
    };
}

/// What is asked first: who the server is and what it has.
pub(super) const SERVER: &str = include_str!("../../sql/postgres/server.sql");

/// Every statement, in the order in which they run.
pub(super) static STATEMENTS: &[Statement] = &[
    statement!("schemas", [Catalog], catalog::schema),
    // The text of a view or a rule is not written without a lock on every table that it reads.
    statement!("relations", [Catalog], catalog::relation, keeps locks),
    statement!("columns", [Catalog], catalog::column),
    statement!("constraints", [Catalog], catalog::constraint),
    statement!("indexes", [Catalog], catalog::index),
    statement!("types", [Catalog], catalog::user_type),
    statement!("rules", [Catalog], objects::rule, keeps locks),
    statement!("extended_statistics", [Catalog], objects::extended_statistics),
    statement!("functions", [Functions], objects::function),
    statement!("triggers", [Triggers], objects::trigger),
    statement!("policies", [Policies], objects::policy),
    statement!("extensions", [Extensions], objects::extension),
    statement!("table_statistics", [TableStatistics], statistics::table),
    statement!("table_shapes", [TableStatistics], statistics::table_shape),
    statement!("index_statistics", [IndexStatistics], statistics::index),
    statement!("index_shapes", [IndexStatistics], statistics::index_shape),
    statement!("column_statistics", [ColumnStatistics], statistics::column),
    statement!("workload", [Workload], activity::statement),
    statement!("settings", [Settings], activity::setting),
    statement!("databases", [Databases], activity::database),
    statement!("sessions", [Sessions, LockWaits], activity::session),
    statement!(
        "cluster",
        [Counters, PreparedTransactions, Replication, Slots, Archiver, Checkpointer, Wal],
        activity::cluster
    ),
    statement!("roles", [Roles], access::role),
    statement!("privileges", [Privileges], access::privilege),
    statement!("hba", [Hba], access::hba_rule),
    statement!("user_mappings", [UserMappings], access::user_mapping),
    statement!("publications", [Publications], objects::publication),
    statement!("sequence_values", [SequenceValues], statistics::sequence_value, sequence_values),
    statement!("column_maxima", [ColumnMaxima], statistics::column_maximum, column_maxima),
    statement!("migration_history", [MigrationHistory], migration, migration_history),
];

/// Facts that are made from the catalog, or are a section of it.
pub(super) fn needs_catalog(fact: Fact) -> bool {
    matches!(
        fact,
        Fact::Functions
            | Fact::Triggers
            | Fact::Policies
            | Fact::Extensions
            | Fact::Publications
            | Fact::SequenceValues
            | Fact::ColumnMaxima
            | Fact::MigrationHistory
            | Fact::Backups
    )
}

/// The word by which templates ask for a fact.
pub(super) fn fact_word(fact: Fact) -> &'static str {
    match fact {
        Fact::Counters => "fact.counters",
        Fact::PreparedTransactions => "fact.prepared_transactions",
        Fact::Replication => "fact.replication",
        Fact::Slots => "fact.slots",
        Fact::Archiver => "fact.archiver",
        Fact::Checkpointer => "fact.checkpointer",
        Fact::Wal => "fact.wal",
        _ => "fact.other",
    }
}

pub(super) fn quote(name: &Name) -> String {
    format!("\"{}\"", name.as_str().replace('"', "\"\""))
}

pub(super) fn quote_qualified(name: &QualifiedName) -> String {
    format!("{}.{}", quote(&name.schema), quote(&name.name))
}

pub(super) fn literal(text: &str) -> String {
    // With a backslash in it, the escape form means the same whatever `standard_conforming_strings` says.
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Sequences read one by one in one statement; beyond this many the planner would take too long. Those that can run out
/// come first.
const MOST_SEQUENCES: usize = 500;
/// Columns whose largest value is read.
const MOST_MAXIMA: usize = 200;
/// Applied migrations read of one table.
const MOST_MIGRATIONS: usize = 5_000;

/// Reads the sequences themselves: the view `pg_sequences` takes a lock on each that is stronger than reading needs.
fn sequence_values(draft: &Draft) -> Option<String> {
    let members: Vec<String> = draft
        .catalog
        .sequences_by_risk()
        .into_iter()
        .take(MOST_SEQUENCES)
        .map(|name| {
            format!(
                "select {}::text as schema, {}::text as name, case when is_called then last_value end as last_value \
                 from {}",
                literal(name.schema.as_str()),
                literal(name.name.as_str()),
                quote_qualified(name)
            )
        })
        .collect();
    (!members.is_empty()).then(|| members.join("\nunion all "))
}

fn column_maxima(draft: &Draft) -> Option<String> {
    let members: Vec<String> = draft
        .catalog
        .integer_keys()
        .into_iter()
        .take(MOST_MAXIMA)
        .map(|(table, column)| {
            format!(
                "select {}::text as schema, {}::text as relation, {}::text as column, \
                 (select max({c})::int8 from {t}) as max, (select min({c})::int8 from {t}) as min",
                literal(table.schema.as_str()),
                literal(table.name.as_str()),
                literal(column.as_str()),
                c = quote(column),
                t = quote_qualified(table)
            )
        })
        .collect();
    (!members.is_empty()).then(|| members.join("\nunion all "))
}

/// How a migration tool keeps its history.
struct HistoryTable {
    tool: &'static str,
    table: &'static str,
    /// Columns that must be there.
    columns: &'static [&'static str],
    version: &'static str,
    ok: &'static str,
    /// A timestamp, or null.
    at: &'static str,
    order: &'static str,
}

const fn history(
    tool: &'static str,
    table: &'static str,
    columns: &'static [&'static str],
    version: &'static str,
    ok: &'static str,
    at: &'static str,
    order: &'static str,
) -> HistoryTable {
    HistoryTable { tool, table, columns, version, ok, at, order }
}

const HISTORIES: &[HistoryTable] = &[
    history(
        "sqlx",
        "_sqlx_migrations",
        &["version", "success", "installed_on"],
        "version",
        "success",
        "installed_on",
        "version",
    ),
    history(
        "refinery",
        "refinery_schema_history",
        &["version", "applied_on"],
        "version",
        "true",
        "null",
        "version",
    ),
    history(
        "flyway",
        "flyway_schema_history",
        &["installed_rank", "version", "success", "installed_on"],
        "version",
        "success",
        "installed_on",
        "installed_rank",
    ),
    history(
        "liquibase",
        "databasechangelog",
        &["id", "orderexecuted", "dateexecuted"],
        "id",
        "true",
        "dateexecuted",
        "orderexecuted",
    ),
    history(
        "prisma",
        "_prisma_migrations",
        &["migration_name", "finished_at", "started_at"],
        "migration_name",
        "finished_at is not null",
        "finished_at",
        "started_at",
    ),
    history(
        "diesel",
        "__diesel_schema_migrations",
        &["version", "run_on"],
        "version",
        "true",
        "run_on",
        "version",
    ),
    history(
        "knex",
        "knex_migrations",
        &["id", "name", "migration_time"],
        "name",
        "true",
        "migration_time",
        "id",
    ),
    history(
        "goose",
        "goose_db_version",
        &["id", "version_id", "is_applied", "tstamp"],
        "version_id",
        "is_applied",
        "tstamp",
        "id",
    ),
    history(
        "django",
        "django_migrations",
        &["id", "app", "name", "applied"],
        "app || '.' || name",
        "true",
        "applied",
        "id",
    ),
    history("alembic", "alembic_version", &["version_num"], "version_num", "true", "null", "version_num"),
    history("sequelize", "SequelizeMeta", &["name"], "name", "true", "null", "name"),
    // golang-migrate keeps one row and whether it failed half-way.
    history(
        "golang-migrate",
        "schema_migrations",
        &["version", "dirty"],
        "version",
        "not dirty",
        "null",
        "version",
    ),
    history("rails or dbmate", "schema_migrations", &["version"], "version", "true", "null", "version"),
];

/// Whether a table is called like one that a migration tool keeps its history in.
pub(super) fn is_history(table: &Readable<'_>) -> bool {
    HISTORIES.iter().any(|one| table.name.name == *one.table)
}

/// The tool whose history a table of these columns is.
fn history_of(table: &QualifiedName, columns: &[&Column]) -> Option<&'static HistoryTable> {
    let has = |name: &&str| columns.iter().any(|column| column.name == **name);
    HISTORIES.iter().find(|one| table.name == *one.table && one.columns.iter().all(has))
}

/// The first history table that the role may not read.
pub(super) fn unreadable_history(draft: &Draft) -> Option<QualifiedName> {
    let hidden = draft.catalog.tables().into_iter().filter(|table| !table.readable);
    hidden
        .filter(|table| history_of(table.name, &draft.catalog.columns_of(table)).is_some())
        .map(|table| table.name.clone())
        .min()
}

fn migration_history(draft: &Draft) -> Option<String> {
    let mut members: Vec<String> = Vec::new();
    for table in draft.catalog.tables() {
        if !table.readable || !is_history(&table) {
            continue;
        }
        let columns = draft.catalog.columns_of(&table);
        let Some(one) = history_of(table.name, &columns) else { continue };
        let temporal =
            columns.iter().any(|column| column.name == one.at && column.data_type.kind.is_temporal());
        let at = match one.at {
            at if temporal => format!("extract(epoch from {at})::float8"),
            _ => "null::float8".to_owned(),
        };
        let truth = columns.iter().all(|column| {
            column.name != *one.ok.trim_start_matches("not ") || column.data_type.kind == TypeKind::Boolean
        });
        let ok = if truth { one.ok } else { "true" };
        members.push(format!(
            "(select {} as tool, {} as schema, {} as relation, ({})::text as version, ({ok})::bool as ok, {at} as at \
             from {} order by {} desc limit {MOST_MIGRATIONS})",
            literal(one.tool),
            literal(table.name.schema.as_str()),
            literal(table.name.name.as_str()),
            one.version,
            quote_qualified(table.name),
            one.order,
        ));
    }
    (!members.is_empty()).then(|| members.join("\nunion all "))
}

fn migration(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let table = qualified(row, "schema", "relation")?;
    let applied = AppliedMigration {
        version: row.opt_text("version")?.unwrap_or("").to_owned(),
        ok: row.opt_bool("ok")?.unwrap_or(false),
        at: timestamp(row.opt_float("at")?),
    };
    match draft.migration_history.iter_mut().find(|history| history.table == table) {
        // The newest come first, so that the limit cuts off the oldest.
        Some(history) => history.applied.insert(0, applied),
        None => draft.migration_history.push(MigrationHistory {
            tool: row.text("tool")?.to_owned(),
            table,
            applied: vec![applied],
        }),
    }
    Ok(())
}
