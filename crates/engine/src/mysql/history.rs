//! Which migrations were applied, as the migration tools' own tables say.

use std::collections::BTreeMap;

use dbwright_model::facts::{AppliedMigration, MigrationHistory};
use dbwright_model::history::{self, HISTORIES, Outcome, Version};
use dbwright_model::name::QualifiedName;

use super::catalog::Reading;
use super::wire::{Asker, Trouble, literal, quoted};
use super::{questions, statistics};

/// Most migrations read of one tool.
const LIMIT: usize = 10_000;

/// Reads the tables of the migration tools that are there.
pub(super) async fn read(asker: &mut Asker, reading: Reading<'_>) -> Result<Vec<MigrationHistory>, Trouble> {
    let mut known: Vec<&str> = HISTORIES.iter().map(|history| history.table).collect();
    known.dedup();
    let known: Vec<String> = known.into_iter().map(literal).collect();
    let sql = include_str!("../../sql/mysql/history_columns.sql").replace("{tables}", &known.join(", "));
    let mut tables: BTreeMap<(String, String), Vec<Column>> = BTreeMap::new();
    for row in asker.ask("migration_history", &sql, "SELECT on the tables").await? {
        let table = (row.text("table_schema")?.to_owned(), row.text("table_name")?.to_owned());
        let column = Column {
            name: row.text("column_name")?.to_owned(),
            data_type: row.text("data_type")?.to_ascii_lowercase(),
        };
        tables.entry(table).or_default().push(column);
    }
    let mut made: Vec<MigrationHistory> = Vec::new();
    for ((schema, name), columns) in tables {
        let cells = Cells(&columns);
        // Another program's table of the same name lacks the columns.
        let Some(known) = history::of_table(&name, |wanted| cells.find(wanted).is_some()) else { continue };
        let table = reading.name(&schema, &name);
        let version = cells.version(known.version);
        let select = format!(
            "/* dbwright:migration_history */ SELECT {version} AS version, {} AS ok, {} AS applied, {} AS script, \
             {} AS checksum, {} AS kind FROM {} AS history ORDER BY {} DESC LIMIT {LIMIT}",
            cells.outcome(known.outcome),
            cells.time(known.at),
            cells.text(known.script),
            cells.text(known.checksum),
            cells.text(known.kind),
            questions::table(&QualifiedName::new(&schema, &name)),
            cells.find(known.order).map_or(version.clone(), |order| {
                // Without the table, it would be what was selected under that name: a text.
                format!("history.{}", quoted(&order.name))
            }),
        );
        let rows = asker.run(&select, &format!("SELECT on `{table}`")).await?;
        let mut applied = Vec::new();
        // The newest come first, so that the limit cuts off the oldest.
        for row in rows.iter().rev() {
            let text = |column| Ok::<_, Trouble>(row.opt_text(column)?.map(str::to_owned));
            applied.push(AppliedMigration {
                version: text("version")?.unwrap_or_default(),
                ok: row.opt_bool("ok")?.unwrap_or(false),
                at: row.opt_float("applied")?.and_then(statistics::timestamp),
                script: text("script")?,
                checksum: text("checksum")?,
                kind: text("kind")?,
            });
        }
        made.push(MigrationHistory { tool: known.tool.to_owned(), table, applied });
    }
    Ok(made)
}

/// A column of a history table.
struct Column {
    name: String,
    data_type: String,
}

/// The columns of a history table, and how what they hold is asked for.
struct Cells<'a>(&'a [Column]);

impl Cells<'_> {
    fn find(&self, name: &str) -> Option<&Column> {
        self.0.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The column as text, or null where it is not there.
    fn text(&self, name: Option<&str>) -> String {
        let Some(column) = name.and_then(|name| self.find(name)) else { return "NULL".to_owned() };
        let quoted = quoted(&column.name);
        match column.data_type.contains("blob") || column.data_type.contains("binary") {
            true => format!("LOWER(HEX({quoted}))"),
            false => format!("CAST({quoted} AS CHAR)"),
        }
    }

    fn version(&self, version: Version) -> String {
        let text = |name| self.text(Some(name));
        match version {
            Version::Column(column) => text(column),
            Version::Either(first, second) => format!("COALESCE({}, {})", text(first), text(second)),
            Version::Joined(first, second) => format!("CONCAT({}, '.', {})", text(first), text(second)),
        }
    }

    /// What is null says nothing, and so is not true.
    fn outcome(&self, outcome: Outcome) -> String {
        let text = |name| self.text(Some(name));
        let number = |name: &str| self.find(name).map_or("NULL".to_owned(), |column| quoted(&column.name));
        match outcome {
            Outcome::Recorded => "1".to_owned(),
            Outcome::True(column) => format!("{} <> 0", number(column)),
            Outcome::False(column) => format!("{} = 0", number(column)),
            Outcome::Finished(column, undone) => {
                format!("{} IS NOT NULL AND {} IS NULL", text(column), text(undone))
            }
            Outcome::Not(column, word) => format!("{} <> {}", text(column), literal(word)),
            Outcome::Is(column, word) => format!("{} = {}", text(column), literal(word)),
            Outcome::Equal(first, second) => format!("{} = {}", text(first), text(second)),
        }
    }

    /// Seconds since 1970.
    fn time(&self, name: Option<&str>) -> String {
        match name.and_then(|name| self.find(name)) {
            Some(column) if matches!(column.data_type.as_str(), "date" | "datetime" | "timestamp") => {
                format!("UNIX_TIMESTAMP({})", quoted(&column.name))
            }
            _ => "NULL".to_owned(),
        }
    }
}
