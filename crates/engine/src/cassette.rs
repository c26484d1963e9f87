//! Recorded answers of servers, by which decoders are tested without one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::row::{Row, Value};

/// What a server answered to each statement of a collection, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cassette {
    /// The answers.
    pub answers: Vec<Answer>,
}

/// The answer to one statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The stem of the statement's file.
    pub statement: String,
    /// Column names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Vec<Value>>,
    /// The server's refusal; rows may precede it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ServerError>,
}

/// A server's refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerError {
    /// SQLSTATE or the engine's own code.
    pub code: String,
    /// The server's words.
    pub message: String,
}

/// Keeps what passes by.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    cassette: Cassette,
}

/// Gives back what was kept.
#[derive(Clone, Debug)]
pub struct Player {
    answers: Vec<Answer>,
}

impl Recorder {
    /// A statement is about to be answered.
    pub fn begin(&mut self, statement: &str) {
        self.cassette.answers.push(Answer {
            statement: statement.to_owned(),
            columns: Vec::new(),
            rows: Vec::new(),
            error: None,
        });
    }

    /// A row of the answer.
    pub fn row(&mut self, row: &Row) {
        let Some(answer) = self.cassette.answers.last_mut() else { return };
        if answer.columns.is_empty() {
            answer.columns = row.columns.to_vec();
        }
        answer.rows.push(row.values.clone());
    }

    /// The server refused.
    pub fn error(&mut self, error: &ServerError) {
        if let Some(answer) = self.cassette.answers.last_mut() {
            answer.error = Some(error.clone());
        }
    }

    /// Everything that was kept.
    pub fn finish(self) -> Cassette {
        self.cassette
    }
}

impl Player {
    /// Plays a recording from its beginning.
    pub fn new(cassette: Cassette) -> Self {
        Player { answers: cassette.answers }
    }

    /// The next answer to a statement, as the server gave it; a statement that was never asked is refused.
    pub fn play(&mut self, statement: &str) -> (Vec<Row>, Option<ServerError>) {
        let Some(next) = self.answers.iter().position(|answer| answer.statement == statement) else {
            let message = format!("the recording holds no answer to `{statement}`");
            return (Vec::new(), Some(ServerError { code: "0A000".to_owned(), message }));
        };
        let answer = self.answers.remove(next);
        let columns: Arc<[String]> = answer.columns.into();
        let rows = answer.rows.into_iter().map(|values| Row { columns: columns.clone(), values }).collect();
        (rows, answer.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_survives_json_and_plays_in_order() {
        let columns: Arc<[String]> = ["a".to_owned(), "b".to_owned()].into();
        let values = vec![
            Value::List(vec![Value::Null, Value::Int(-1), Value::Float(1.0), Value::Bool(true)]),
            Value::Text("12".into()),
        ];
        let row = Row { columns, values };
        let refusal = ServerError { code: "42501".into(), message: "no".into() };
        let mut recorder = Recorder::default();
        recorder.begin("t");
        recorder.row(&row);
        recorder.begin("t");
        recorder.error(&refusal);
        let text = serde_json::to_string(&recorder.finish()).unwrap();
        let mut player = Player::new(serde_json::from_str(&text).unwrap());
        assert_eq!(player.play("t"), (vec![row], None));
        assert_eq!(player.play("t"), (vec![], Some(refusal)));
        assert!(player.play("t").1.is_some());
    }
}
