//! The history table: how it is made, read and written in each dialect.

use dbwright_model::applied::{Applied, AppliedKind, AppliedState};
use dbwright_model::engine::Dialect;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{ApplyError, ApplySession, HistoryTable, Refusal};
use crate::row::{Row, Value};

/// MySQL's number for a table that is not there.
const NO_SUCH_TABLE: &str = "1146";

/// Its columns in the order in which they are written.
const COLUMNS: [&str; 17] = [
    "version",
    "description",
    "file",
    "checksum",
    "content",
    "kind",
    "state",
    "statements_done",
    "statements",
    "statement_before",
    "error",
    "applied_by",
    "host",
    "process",
    "program",
    "started_at",
    "finished_at",
];

pub(super) async fn find(
    session: &mut ApplySession,
    table: &str,
) -> Result<(HistoryTable, bool), ApplyError> {
    let dialect = session.dialect();
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (schema.to_owned(), name.to_owned()),
        None => {
            let default = match dialect {
                Dialect::Postgres => "select current_schema() as s",
                Dialect::Mysql => "select database() as s",
                Dialect::Sqlite => "select '' as s",
            };
            let rows = session.ask(default).await?;
            let schema = rows.first().and_then(|row| row.opt_text("s").ok().flatten()).map(str::to_owned);
            let Some(schema) = schema else {
                return Err(ApplyError::Refused(Refusal {
                    code: "-".to_owned(),
                    message: "there is no default schema for the history table".to_owned(),
                    hint: Some("name the database, or write `--history-table schema.table`".to_owned()),
                    ..Refusal::default()
                }));
            };
            (schema, table.to_owned())
        }
    };
    let quoted = match schema.as_str() {
        "" => identifier(dialect, &name),
        schema => format!("{}.{}", identifier(dialect, schema), identifier(dialect, &name)),
    };
    let (schema_text, name_text) = (literal(dialect, &schema), literal(dialect, &name));
    let asked = match dialect {
        // The standard's views hide what the role may not read.
        Dialect::Postgres => format!(
            "select count(*) as n from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
             where n.nspname = {schema_text} and c.relname = {name_text}"
        ),
        Dialect::Mysql => format!(
            "select count(*) as n from information_schema.tables \
             where table_schema = {schema_text} and table_name = {name_text}"
        ),
        Dialect::Sqlite => {
            format!("select count(*) as n from sqlite_schema where type = 'table' and name = {name_text}")
        }
    };
    let rows = session.ask(&asked).await?;
    let mut there = rows.first().and_then(|row| row.opt_text("n").ok().flatten()).is_some_and(|n| n != "0");
    if dialect == Dialect::Mysql && !there {
        // Nothing is shown of a table without a privilege on it; only the server itself says that there is none.
        there = match session.ask(&format!("select 1 from {quoted} limit 0")).await {
            Ok(_) => true,
            Err(ApplyError::Refused(refusal)) if refusal.code == NO_SUCH_TABLE => false,
            Err(error) => return Err(error),
        };
    }
    Ok((HistoryTable { quoted, schema, name }, there))
}

pub(super) fn create(dialect: Dialect, table: &HistoryTable) -> String {
    let (key, text, number, time, end) = match dialect {
        Dialect::Postgres => ("text", "text", "integer", "timestamptz", ""),
        Dialect::Mysql => (
            "varchar(191)",
            "longtext",
            "bigint",
            "datetime(3)",
            " engine = InnoDB default character set utf8mb4 collate utf8mb4_bin",
        ),
        Dialect::Sqlite => ("text", "text", "integer", "text", ""),
    };
    let process = if dialect == Dialect::Postgres { "bigint" } else { number };
    let columns = COLUMNS.map(|column| {
        let definition = match column {
            "version" => format!("{key} not null primary key"),
            "statements_done" | "statements" => format!("{number} not null"),
            "process" => format!("{process} not null"),
            "statement_before" | "error" => text.to_owned(),
            "started_at" | "finished_at" => format!("{time} null"),
            _ => format!("{text} not null"),
        };
        format!("{} {definition}", identifier(dialect, column))
    });
    format!("create table if not exists {} ({}){end}", table.quoted, columns.join(", "))
}

pub(super) fn select(dialect: Dialect, table: &HistoryTable) -> String {
    let columns = COLUMNS.map(|column| {
        let name = identifier(dialect, column);
        match (column, dialect) {
            ("started_at" | "finished_at", Dialect::Postgres) => {
                format!(r#"to_char({name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as {name}"#)
            }
            ("started_at" | "finished_at", Dialect::Mysql) => {
                format!("date_format({name}, '%Y-%m-%dT%H:%i:%s.%fZ') as {name}")
            }
            _ => name,
        }
    });
    let order = |column| identifier(dialect, column);
    format!(
        "select {} from {} order by {}, {}",
        columns.join(", "),
        table.quoted,
        format_args!("{}.{}", table.quoted, order("started_at")),
        order("version")
    )
}

pub(super) fn upsert(dialect: Dialect, table: &HistoryTable, row: &Applied) -> String {
    let text = |value: &str| literal(dialect, value);
    let optional = |value: &Option<String>| value.as_deref().map_or("null".to_owned(), text);
    let time = |value: Option<Timestamp>| value.map_or("null".to_owned(), |value| moment(dialect, value));
    let values = [
        text(&row.version),
        text(&row.description),
        text(&row.file),
        text(&row.checksum),
        text(&row.content),
        text(row.kind.as_str()),
        text(row.state.as_str()),
        row.statements_done.to_string(),
        row.statements.to_string(),
        optional(&row.statement_before),
        optional(&row.error),
        text(&row.applied_by),
        text(&row.host),
        row.process.to_string(),
        text(&row.program),
        time(row.started_at),
        time(row.finished_at),
    ];
    let columns = COLUMNS.map(|column| identifier(dialect, column));
    let insert = format!("into {} ({}) values ({})", table.quoted, columns.join(", "), values.join(", "));
    match dialect {
        Dialect::Mysql => format!("replace {insert}"),
        Dialect::Postgres | Dialect::Sqlite => {
            let set: Vec<String> =
                columns.iter().skip(1).map(|column| format!("{column} = excluded.{column}")).collect();
            format!("insert {insert} on conflict ({}) do update set {}", columns[0], set.join(", "))
        }
    }
}

pub(super) fn delete(dialect: Dialect, table: &HistoryTable, version: &str) -> String {
    let column = identifier(dialect, "version");
    format!("delete from {} where {column} = {}", table.quoted, literal(dialect, version))
}

pub(super) fn decode(row: &Row) -> Result<Applied, ApplyError> {
    let text = |column: &str| -> Result<String, ApplyError> {
        row.opt_text(column).map(|text| text.unwrap_or_default().to_owned()).map_err(|error| broken(&error))
    };
    let optional = |column: &str| -> Result<Option<String>, ApplyError> {
        row.opt_text(column).map(|text| text.map(str::to_owned)).map_err(|error| broken(&error))
    };
    let number = |column: &str| -> Result<u32, ApplyError> { Ok(text(column)?.parse().unwrap_or(0)) };
    let time = |column: &str| -> Result<Option<Timestamp>, ApplyError> {
        Ok(optional(column)?.and_then(|text| text.parse().ok()))
    };
    Ok(Applied {
        version: text("version")?,
        description: text("description")?,
        file: text("file")?,
        checksum: text("checksum")?,
        content: text("content")?,
        kind: AppliedKind::parse(&text("kind")?),
        state: AppliedState::parse(&text("state")?),
        statements_done: number("statements_done")?,
        statements: number("statements")?,
        statement_before: optional("statement_before")?,
        error: optional("error")?,
        applied_by: text("applied_by")?,
        host: text("host")?,
        process: number("process")?,
        program: text("program")?,
        started_at: time("started_at")?,
        finished_at: time("finished_at")?,
    })
}

fn broken(error: &crate::row::DecodeError) -> ApplyError {
    ApplyError::Refused(Refusal {
        code: "-".to_owned(),
        message: format!("the history table is not one of dbwright: {error}"),
        hint: Some("name another with `--history-table`".to_owned()),
        ..Refusal::default()
    })
}

/// A row of texts, as every `ask` gives it.
pub(crate) fn texts(columns: &std::sync::Arc<[String]>, values: Vec<Option<String>>) -> Row {
    let values = values.into_iter().map(|value| value.map_or(Value::Null, |text| Value::Text(text.into())));
    Row { columns: columns.clone(), values: values.collect() }
}

pub(crate) fn identifier(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

/// A text as a literal that means the same in every mode of its server.
pub(crate) fn literal(dialect: Dialect, text: &str) -> String {
    // No server keeps a zero byte in a text.
    let text = text.replace('\0', "");
    match dialect {
        Dialect::Postgres if text.contains('\\') => {
            format!("e'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
        }
        Dialect::Postgres | Dialect::Sqlite => format!("'{}'", text.replace('\'', "''")),
        // Whether a backslash escapes is a setting there.
        Dialect::Mysql if text.contains('\\') => {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8mb4 x'{hex}'")
        }
        Dialect::Mysql => format!("'{}'", text.replace('\'', "''")),
    }
}

fn moment(dialect: Dialect, time: Timestamp) -> String {
    let zoned = time.to_zoned(TimeZone::UTC);
    let text = match dialect {
        Dialect::Mysql => zoned.strftime("%Y-%m-%d %H:%M:%S%.3f"),
        Dialect::Postgres | Dialect::Sqlite => zoned.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
    };
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_what_it_is_in_every_mode() {
        assert_eq!(literal(Dialect::Postgres, "a'\\b"), "e'a''\\\\b'");
        assert_eq!(literal(Dialect::Mysql, "\\"), "_utf8mb4 x'5c'");
        assert_eq!(literal(Dialect::Sqlite, "a'\\"), "'a''\\'");
    }
}
