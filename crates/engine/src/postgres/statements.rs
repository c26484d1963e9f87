//! The statements of a collection: which file serves which facts, and the few that are made from the catalog.

use dbwright_model::catalog::Column;
use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{AppliedMigration, Fact, MigrationHistory};
use dbwright_model::history::{self, HistoryTable, Outcome, Version};
use dbwright_model::name::{Name, QualifiedName};

use super::catalog::{Readable, qualified};
use super::draft::Draft;
use super::pieces::Member;
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
    /// One selection for each object that was read before, all in one statement; none when there is nothing to ask.
    Made(fn(&Draft) -> Vec<Member>),
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

/// Statements that have nothing to read in many databases. The first look tells in which they have, and the others are not run.
pub(super) const MAY_BE_EMPTY: [&str; 6] =
    ["rules", "extended_statistics", "policies", "extensions", "user_mappings", "publications"];

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
        [Counters, PreparedTransactions, Replication, Slots, Archiver, Checkpointer, Wal, ServerStatus],
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
        Fact::ServerStatus => "fact.server_status",
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
fn sequence_values(draft: &Draft) -> Vec<Member> {
    draft
        .catalog
        .sequences_by_risk()
        .into_iter()
        .take(MOST_SEQUENCES)
        .map(|name| Member {
            object: name.clone(),
            sql: format!(
                "select {}::text as schema, {}::text as name, case when is_called then last_value end as last_value \
                 from {}",
                literal(name.schema.as_str()),
                literal(name.name.as_str()),
                quote_qualified(name)
            ),
        })
        .collect()
}

fn column_maxima(draft: &Draft) -> Vec<Member> {
    draft
        .catalog
        .integer_keys()
        .into_iter()
        .take(MOST_MAXIMA)
        .map(|(table, column)| Member {
            object: table.clone(),
            sql: format!(
                "select {}::text as schema, {}::text as relation, {}::text as column, \
                 (select max({c})::int8 from {t}) as max, (select min({c})::int8 from {t}) as min",
                literal(table.schema.as_str()),
                literal(table.name.as_str()),
                literal(column.as_str()),
                c = quote(column),
                t = quote_qualified(table)
            ),
        })
        .collect()
}

/// Whether a table is called like one that a migration tool keeps its history in.
pub(super) fn is_history(table: &Readable<'_>) -> bool {
    history::may_be(table.name.name.as_str())
}

/// The tool whose history a table of these columns is.
fn history_of(table: &QualifiedName, columns: &[&Column]) -> Option<&'static HistoryTable> {
    history::of_table(table.name.as_str(), |wanted| {
        columns.iter().any(|column| column.name.eq_ignore_case(wanted))
    })
}

/// The first history table that the role may not read.
pub(super) fn unreadable_history(draft: &Draft) -> Option<QualifiedName> {
    let hidden = draft.catalog.tables().into_iter().filter(|table| !table.readable);
    hidden
        .filter(|table| history_of(table.name, &draft.catalog.columns_of(table)).is_some())
        .map(|table| table.name.clone())
        .min()
}

fn migration_history(draft: &Draft) -> Vec<Member> {
    let mut members = Vec::new();
    for table in draft.catalog.tables() {
        if !table.readable || !is_history(&table) {
            continue;
        }
        let columns = draft.catalog.columns_of(&table);
        let Some(one) = history_of(table.name, &columns) else { continue };
        let cells = Cells { columns: &columns };
        let sql = format!(
            "(select {} as tool, {} as schema, {} as relation, {} as version, {} as ok, {} as at, \
             {} as script, {} as checksum, {} as kind from {} as history order by {} desc limit {MOST_MIGRATIONS})",
            literal(one.tool),
            literal(table.name.schema.as_str()),
            literal(table.name.name.as_str()),
            cells.version(one.version),
            cells.outcome(one.outcome),
            cells.time(one.at),
            cells.text(one.script),
            cells.text(one.checksum),
            cells.text(one.kind),
            quote_qualified(table.name),
            cells.find(one.order).map_or_else(
                || cells.version(one.version),
                |order| {
                    // Without the table, it would be what was selected under that name: a text.
                    format!("history.{}", quote(&order.name))
                }
            ),
        );
        members.push(Member { object: table.name.clone(), sql });
    }
    members
}

/// The columns of a history table, and how what they hold is asked for.
struct Cells<'a> {
    columns: &'a [&'a Column],
}

impl Cells<'_> {
    fn find(&self, name: &str) -> Option<&Column> {
        self.columns.iter().copied().find(|column| column.name.eq_ignore_case(name))
    }

    /// The column as text, or null where it is not there.
    fn text(&self, name: Option<&str>) -> String {
        let Some(column) = name.and_then(|name| self.find(name)) else { return "null::text".to_owned() };
        match column.data_type.kind {
            TypeKind::Bytes => format!("encode({}, 'hex')", quote(&column.name)),
            _ => format!("{}::text", quote(&column.name)),
        }
    }

    fn version(&self, version: Version) -> String {
        let text = |name| self.text(Some(name));
        match version {
            Version::Column(column) => text(column),
            Version::Either(first, second) => format!("coalesce({}, {})", text(first), text(second)),
            Version::Joined(first, second) => format!("({} || '.' || {})", text(first), text(second)),
        }
    }

    /// What is null says nothing, and so is not true.
    fn outcome(&self, outcome: Outcome) -> String {
        let text = |name| self.text(Some(name));
        match outcome {
            Outcome::Recorded => "true".to_owned(),
            Outcome::True(column) => format!("(lower({}) in ('true', 't', '1'))", text(column)),
            Outcome::False(column) => format!("(lower({}) in ('false', 'f', '0'))", text(column)),
            Outcome::Finished(column, undone) => {
                format!("({} is not null and {} is null)", text(column), text(undone))
            }
            Outcome::Not(column, word) => format!("({} <> {})", text(column), literal(word)),
            Outcome::Is(column, word) => format!("({} = {})", text(column), literal(word)),
            Outcome::Equal(first, second) => format!("({} = {})", text(first), text(second)),
        }
    }

    /// Seconds since 1970.
    fn time(&self, name: Option<&str>) -> String {
        match name.and_then(|name| self.find(name)) {
            Some(column) if column.data_type.kind.is_temporal() => {
                format!("extract(epoch from {})::float8", quote(&column.name))
            }
            _ => "null::float8".to_owned(),
        }
    }
}

fn migration(row: &Row, draft: &mut Draft) -> Result<(), DecodeError> {
    let table = qualified(row, "schema", "relation")?;
    let applied = AppliedMigration {
        version: row.opt_text("version")?.unwrap_or("").to_owned(),
        ok: row.opt_bool("ok")?.unwrap_or(false),
        at: timestamp(row.opt_float("at")?),
        script: row.opt_text("script")?.map(str::to_owned),
        checksum: row.opt_text("checksum")?.map(str::to_owned),
        kind: row.opt_text("kind")?.map(str::to_owned),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_empty_is_looked_at_first() {
        for name in MAY_BE_EMPTY {
            assert!(STATEMENTS.iter().any(|statement| statement.name == name), "{name}");
            assert!(SERVER.contains(&format!("('{name}', exists")), "{name}");
        }
    }
}
