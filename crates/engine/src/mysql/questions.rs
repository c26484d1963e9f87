//! Questions about rows as SQL.

use dbwright_model::facts::{DataCount, DataQuestion};
use dbwright_model::name::QualifiedName;
use dbwright_model::observed::Observed;

use super::wire::{Asker, Trouble, literal, observed, quoted};
use crate::questions::{self, Speech, TEXT};

/// The words of MySQL and MariaDB.
static SPEECH: Speech = Speech {
    table,
    column: |name| quoted(name.as_str()),
    text: |value| format!("LEFT(CONVERT({value} USING utf8mb4), {TEXT})"),
    bytes: |text| format!("CAST({text} AS BINARY)"),
    length: "CHAR_LENGTH",
    whole: "SIGNED",
    matches: Some(|text, pattern| format!("{text} REGEXP {}", literal(pattern))),
    json: |text| format!("JSON_VALID({text}) AND {text} REGEXP {}", literal("^[[:space:]]*[{[]")),
    // Separators stand in no escape of JSON, so a quoted text can be cut at them.
    entries: "LEFT JOIN JSON_TABLE(CONCAT('[', REPLACE(JSON_QUOTE(REPLACE(REPLACE(x.v, ';', ','), '|', ',')), \
              ',', '\",\"'), ']'), '$[*]' COLUMNS (place FOR ORDINALITY, \
              token VARCHAR(1000) CHARACTER SET utf8mb4 PATH '$')) u ON TRUE",
    entry: "TRIM(u.token) COLLATE utf8mb4_bin",
    whole_text: |value| format!("CONVERT({value} USING utf8mb4) COLLATE utf8mb4_bin"),
};

/// Answers one question.
pub(super) async fn answer(asker: &mut Asker, question: &DataQuestion) -> Observed<DataCount> {
    let Some(sql) = questions::statement(&SPEECH, question) else {
        return Observed::Unsupported("this server cannot try that type on a text".to_owned());
    };
    match asker.run(&format!("/* dbwright:data */ {sql}"), "SELECT on the tables").await {
        Ok(rows) => observed(questions::count(question, &rows).map_err(Trouble::from)),
        Err(trouble) => trouble.observed(),
    }
}

/// A table for SQL text.
pub(super) fn table(name: &QualifiedName) -> String {
    match name.schema.is_empty() {
        true => quoted(name.name.as_str()),
        false => format!("{}.{}", quoted(name.schema.as_str()), quoted(name.name.as_str())),
    }
}
