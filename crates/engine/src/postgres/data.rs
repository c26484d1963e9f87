//! Questions about rows, counted by the server over whole tables.

use std::time::Duration;

use dbwright_model::facts::{DataAnswer, DataCount, DataQuestion};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;

use super::statements::{literal, quote, quote_qualified};
use super::wire::{Trouble, Wire};
use crate::questions::{self, Speech, TEXT};
use crate::row::Row;

/// PostgreSQL's words.
static SPEECH: Speech = Speech {
    table: quote_qualified,
    column: quote,
    text: |value| format!("LEFT({value}::text, {TEXT})"),
    bytes: |text| format!("{text} COLLATE \"C\""),
    length: "CHAR_LENGTH",
    whole: "bigint",
    matches: Some(|text, pattern| format!("{text} ~ {}", literal(pattern))),
    json: |text| format!("{text} ~ {}", literal(JSON)),
    entries: "LEFT JOIN LATERAL (SELECT s.place, s.token FROM UNNEST(STRING_TO_ARRAY(\
              TRANSLATE(x.v, ';|', ',,'), ',')) WITH ORDINALITY s (token, place)) u ON true",
    entry: "BTRIM(u.token)",
    whole_text: |value| format!("{value}::text"),
};

/// The outline of a JSON object or array: supported servers differ in whether they can try a text without an error.
const JSON: &str = "^[[:space:]]*([{][[:space:]]*(\"[^\"]*\"[[:space:]]*:.*)?[}]\
                    |[[][[:space:]]*(([\"{[0-9-]|true|false|null).*)?[]])[[:space:]]*$";

/// Asks one question.
pub(super) async fn answer(wire: &mut Wire, question: &DataQuestion, timeout: Duration) -> DataAnswer {
    let answer = match questions::statement(&SPEECH, question) {
        Some(sql) => ask(wire, question, &sql, timeout).await,
        None => Observed::Unsupported("PostgreSQL has no test for values of that type".to_owned()),
    };
    DataAnswer { question: question.clone(), answer }
}

async fn ask(wire: &mut Wire, question: &DataQuestion, sql: &str, timeout: Duration) -> Observed<DataCount> {
    let mut rows = Vec::new();
    let mut keep = |row: &Row| {
        rows.push(row.clone());
        Ok(())
    };
    match wire.ask("data", sql, &mut keep).await {
        Ok(()) => match questions::count(question, &rows) {
            Ok(count) => Observed::Known(count),
            Err(error) => Observed::Failed(error.to_string()),
        },
        Err(Trouble::Server(error)) if error.code == "42501" => {
            Observed::Denied(format!("{}: grant `SELECT` on the table", error.message))
        }
        // Types without equality, such as JSON, and pairs of types that cannot be compared.
        Err(Trouble::Server(error)) if error.code == "42883" => {
            Observed::Unsupported(format!("the values cannot be compared: {}", error.message))
        }
        Err(trouble) => trouble.observed(&Name::DEFAULT, timeout).map(|()| DataCount::default()),
    }
}
