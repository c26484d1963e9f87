//! The table that remembers how far long writes have come, so that they can be gone on with.

use dbwright_engine::apply::ApplyError;
use dbwright_engine::write::WriteSession;
use dbwright_model::engine::Dialect;

/// The table.
pub(super) const TABLE: &str = "dbwright_backfills";

/// A row of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// What the work is called.
    pub name: String,
    /// The statement that is cut into pieces.
    pub statement: String,
    /// The columns of the key, as a JSON list.
    pub keyset: String,
    /// The key of the last row that was passed, as a JSON list; `None` before the first piece.
    pub last_key: Option<String>,
    /// Rows written.
    pub rows_done: u64,
    /// Rows passed over, those that were written included.
    pub rows_passed: u64,
    /// Rows of the last piece.
    pub piece_rows: u32,
    /// `running`, `stopped`, `done` or `left`.
    pub state: String,
}

/// Makes the table where it is missing.
pub(super) async fn create(session: &mut WriteSession) -> Result<(), ApplyError> {
    let (name, text, time, end) = match session.dialect() {
        Dialect::Postgres => ("text", "text", "timestamp with time zone", ""),
        Dialect::Mysql => {
            ("varchar(190)", "longtext", "datetime", " engine = InnoDB default charset = utf8mb4")
        }
        Dialect::Sqlite => ("text", "text", "text", ""),
    };
    let sql = format!(
        "create table if not exists {TABLE} (name {name} not null primary key, statement {text} not null, \
         keyset {text} not null, last_key {text}, rows_done bigint not null, rows_passed bigint not null, \
         piece_rows bigint not null, state varchar(20) not null, owner varchar(190) not null, \
         started_at {time} not null, updated_at {time} not null){end}"
    );
    match session.execute_bound(&sql, &[]).await {
        // Two sessions that make one table at the same time: one of them is told that it is there.
        Err(ApplyError::Refused(refusal)) if matches!(refusal.code.as_str(), "23505" | "42P07" | "1050") => {
            Ok(())
        }
        other => other.map(drop),
    }
}

/// Whether the table is there; reading it does not make it.
pub(super) async fn read(session: &mut WriteSession, name: &str) -> Result<Option<State>, ApplyError> {
    let text = |column: &str| match session.dialect() {
        Dialect::Postgres => format!("{column}::text"),
        Dialect::Mysql => format!("cast({column} as char)"),
        Dialect::Sqlite => format!("cast({column} as text)"),
    };
    let sql = format!(
        "select name, statement, keyset, last_key, {}, {}, {}, state from {TABLE} where name = {}",
        text("rows_done"),
        text("rows_passed"),
        text("piece_rows"),
        placeholder(session.dialect(), 1)
    );
    let rows = session.ask_bound(&sql, &[name.to_owned()]).await?;
    Ok(rows.into_iter().next().map(|row| {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        State {
            name: next().unwrap_or_default(),
            statement: next().unwrap_or_default(),
            keyset: next().unwrap_or_default(),
            last_key: next(),
            rows_done: number(next()),
            rows_passed: number(next()),
            piece_rows: u32::try_from(number(next())).unwrap_or(u32::MAX),
            state: next().unwrap_or_default(),
        }
    }))
}

/// Begins a work anew, or takes it over from whoever had it, as `owner`.
pub(super) async fn begin(session: &mut WriteSession, state: &State, owner: &str) -> Result<(), ApplyError> {
    let dialect = session.dialect();
    let mark = |number| placeholder(dialect, number);
    session.execute_bound("begin", &[]).await?;
    session
        .execute_bound(
            &format!("delete from {TABLE} where name = {}", mark(1)),
            std::slice::from_ref(&state.name),
        )
        .await?;
    let mut values =
        vec![state.name.clone(), state.statement.clone(), state.keyset.clone(), owner.to_owned()];
    let last_key = match &state.last_key {
        Some(key) => {
            values.push(key.clone());
            mark(5)
        }
        None => "null".to_owned(),
    };
    // MySQL counts its placeholders by their order in the text.
    let sql = format!(
        "insert into {TABLE} (name, statement, keyset, owner, last_key, rows_done, rows_passed, piece_rows, state, \
         started_at, updated_at) values ({}, {}, {}, {}, {last_key}, {}, {}, {}, 'running', current_timestamp, \
         current_timestamp)",
        mark(1),
        mark(2),
        mark(3),
        mark(4),
        state.rows_done,
        state.rows_passed,
        state.piece_rows,
    );
    session.execute_bound(&sql, &values).await?;
    session.execute_bound("commit", &[]).await.map(drop)
}

/// Records how far the work is, in the transaction of the piece. `false` when another process has taken it over.
pub(super) async fn advance(
    session: &mut WriteSession,
    state: &State,
    owner: &str,
) -> Result<bool, ApplyError> {
    let dialect = session.dialect();
    let mut values = Vec::new();
    let mut mark = |value: &str| {
        values.push(value.to_owned());
        placeholder(dialect, values.len())
    };
    let last_key = state.last_key.as_deref().map_or_else(|| "null".to_owned(), &mut mark);
    let word = mark(&state.state);
    let (name, owner) = (mark(&state.name), mark(owner));
    // MySQL does not count rows that hold the same values as before.
    let sql = format!(
        "update {TABLE} set last_key = {last_key}, state = {word}, rows_done = {}, rows_passed = {}, piece_rows = {}, \
         updated_at = current_timestamp where name = {name} and owner = {owner}",
        state.rows_done, state.rows_passed, state.piece_rows,
    );
    let mut count = session.execute_bound(&sql, &values).await?;
    if count == 0 {
        let sql = format!(
            "select name from {TABLE} where name = {} and owner = {}",
            placeholder(dialect, 1),
            placeholder(dialect, 2)
        );
        let rows = session.ask_bound(&sql, &values[values.len() - 2..]).await?;
        count = rows.len() as u64;
    }
    Ok(count > 0)
}

/// Takes a work that has written nothing out of the table.
pub(super) async fn forget(session: &mut WriteSession, name: &str, owner: &str) -> Result<(), ApplyError> {
    let dialect = session.dialect();
    let (first, second) = (placeholder(dialect, 1), placeholder(dialect, 2));
    let sql = format!("delete from {TABLE} where name = {first} and owner = {second}");
    session.execute_bound(&sql, &[name.to_owned(), owner.to_owned()]).await.map(drop)
}

fn placeholder(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Postgres => format!("${number}"),
        Dialect::Mysql => "?".to_owned(),
        Dialect::Sqlite => format!("?{number}"),
    }
}
