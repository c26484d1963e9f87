//! A step of a plan as a migration file. What only dbwright does with it stands in comments: the way back, the questions
//! before and after, and how it is tried again.

use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine, Version};
use dbwright_model::migration::Header;
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::plan::{Batches, CheckQuery, Step, TransactionMode, Undo, Work};

use crate::Written;

/// Writes one step under a file name. An error is a lower-case fragment that says what cannot be written.
pub fn write(
    engine: Engine,
    version: Option<Version>,
    name: &str,
    header: &Header,
    step: &Step,
) -> Result<String, String> {
    write_with(engine, version, name, header, step, &|_| None)
}

/// Writes one step with comments that stand before its statements, such as what is accepted of them.
pub fn write_with(
    engine: Engine,
    version: Option<Version>,
    name: &str,
    header: &Header,
    step: &Step,
    remark: &dyn Fn(&Work) -> Option<String>,
) -> Result<String, String> {
    let mut up = Vec::new();
    for work in &step.work {
        let mut written = statements(engine, version, std::slice::from_ref(work))?;
        if let (Some(first), Some(remark)) = (written.first_mut(), remark(work)) {
            first.sql = format!("-- {}\n{}", one_line(&remark), first.sql);
        }
        up.append(&mut written);
    }
    let dialect = engine.dialect();
    let one = transaction(engine, step, &up) == TransactionMode::OneTransaction;
    let mut text = head(name, header, step, one);
    if let Some(check) = &step.pre_check {
        section(&mut text, "PRE-CHECK");
        comment(&mut text, &question(dialect, check));
    }
    section(&mut text, "UP");
    match &step.repeat {
        Some(batches) => {
            text.push_str(&body(engine, step, false, &up));
            text.push_str(&backfill(dialect, batches));
        }
        None => text.push_str(&body(engine, step, one, &up)),
    }
    section(&mut text, "DOWN");
    let down = match &step.undo {
        Undo::Irreversible(because) => format!("irreversible: {}", one_line(because)),
        Undo::Work(work) if work.is_empty() => {
            "nothing: an earlier migration's DOWN takes it along".to_owned()
        }
        Undo::Work(work) => match way_back(engine, version, step, work)? {
            WayBack::Whole(down) => {
                let one = step.repeat.is_none()
                    && transaction(engine, step, &down) == TransactionMode::OneTransaction;
                body(engine, step, one, &down)
            }
            WayBack::Portions(portions) => {
                portions.iter().map(|portion| portion_text(step, portion)).collect()
            }
        },
    };
    comment(&mut text, &down);
    if let Some(check) = &step.verify {
        section(&mut text, "VERIFY");
        comment(&mut text, &question(dialect, check));
    }
    Ok(text)
}

/// The statements of a list of work. An error is a lower-case fragment that names what the engine cannot express.
pub fn statements(engine: Engine, version: Option<Version>, work: &[Work]) -> Result<Vec<Written>, String> {
    let mut written = Vec::new();
    for work in work {
        match work {
            Work::Sql(sql) => written.push(Written { sql: sql.clone(), in_transaction: true }),
            Work::Change(change) => match crate::write(engine, version, change) {
                Some(mut statements) => written.append(&mut statements),
                None => {
                    return Err(format!("the change `{}` cannot be written for {engine}", change.words()));
                }
            },
        }
    }
    Ok(written)
}

/// The statements of a way back.
pub enum WayBack {
    /// They are run in the way of the step.
    Whole(Vec<Written>),
    /// They are cut, because some of them must not hold up what is locked by the others.
    Portions(Vec<Portion>),
}

/// A part of a way back that is committed before the next begins.
pub struct Portion {
    /// Its statements.
    pub statements: Vec<Written>,
    /// Whether they run together in one transaction.
    pub together: bool,
}

/// How work leads back from a step: a question at the begin, what cannot run in a transaction and what goes through rows
/// stand by themselves, and what lies between is brief and committed together.
pub fn way_back(
    engine: Engine,
    version: Option<Version>,
    step: &Step,
    work: &[Work],
) -> Result<WayBack, String> {
    let mut portions: Vec<Portion> = Vec::new();
    for one in work {
        let written = statements(engine, version, std::slice::from_ref(one))?;
        let is_question = portions.is_empty() && matches!(one, Work::Sql(_));
        let goes_through_rows =
            is_question || matches!(one.as_change(), Some(Change::ValidateConstraint { .. }));
        let together = !goes_through_rows && written.iter().all(|statement| statement.in_transaction);
        match portions.last_mut() {
            Some(last) if last.together && together => last.statements.extend(written),
            _ => portions.push(Portion { statements: written, together }),
        }
    }
    let is_cut = engine == Engine::Postgres
        && step.repeat.is_none()
        && step.transaction == TransactionMode::OneTransaction
        && portions.len() > 1;
    if is_cut {
        return Ok(WayBack::Portions(portions));
    }
    Ok(WayBack::Whole(portions.into_iter().flat_map(|portion| portion.statements).collect()))
}

/// A portion of a way back with its limits.
fn portion_text(step: &Step, portion: &Portion) -> String {
    let outside = portion.statements.iter().any(|statement| !statement.in_transaction);
    // What runs outside waits for others by way of locks; what goes through rows takes its time.
    let lock = if outside { Some(0) } else { step.lock_timeout };
    let statement = if portion.together { step.statement_timeout } else { Some(0) };
    let set = if portion.together { "set local" } else { "set" };
    let limits = [("lock_timeout", lock), ("statement_timeout", statement)];
    let mut lines: Vec<String> = Vec::new();
    for (name, limit) in limits {
        match limit {
            Some(0) => lines.push(format!("{set} {name} = 0")),
            Some(limit) => lines.push(format!("{set} {name} = '{}'", time(limit))),
            None => {}
        }
    }
    lines.extend(portion.statements.iter().map(|one| one.sql.trim_end_matches([';', '\n', ' ']).to_owned()));
    if portion.together {
        lines.insert(0, "begin".to_owned());
        lines.push("commit".to_owned());
    }
    lines.into_iter().map(|line| line + ";\n").collect()
}

/// The `UPDATE` of a backfill, which run as a whole does the same as its pieces.
pub fn update(dialect: Dialect, batches: &Batches) -> String {
    let quote = |name: &Name| crate::quote_identifier(dialect, name.as_str());
    let set: Vec<String> =
        batches.set.iter().map(|(name, value)| format!("{} = {value}", quote(name))).collect();
    format!("UPDATE {} SET {} WHERE ({})", table(dialect, &batches.table), set.join(", "), batches.filter)
}

/// How a list of statements is put into transactions: MySQL commits at every change of the schema.
fn transaction(engine: Engine, step: &Step, written: &[Written]) -> TransactionMode {
    let mixes =
        engine.dialect() != Dialect::Mysql && written.iter().all(|statement| statement.in_transaction);
    if mixes && step.repeat.is_none() { step.transaction } else { TransactionMode::NoTransaction }
}

fn table(dialect: Dialect, name: &QualifiedName) -> String {
    let quote = |name: &Name| crate::quote_identifier(dialect, name.as_str());
    if name.schema.is_empty() {
        quote(&name.name)
    } else {
        format!("{}.{}", quote(&name.schema), quote(&name.name))
    }
}

/// The comment lines on top.
fn head(name: &str, header: &Header, step: &Step, one: bool) -> String {
    let said = |text: &str| if text.is_empty() { "-".to_owned() } else { one_line(text) };
    let mut text = String::new();
    let mut line = |key: &str, value: &str| text.push_str(&format!("-- {key}: {value}\n"));
    line("Migration", name);
    line("Author", &said(&header.author));
    line("Ticket", &said(&header.ticket));
    line("Risk", header.risk.map_or("-", |risk| risk.as_str()));
    line("Rollback", if matches!(step.undo, Undo::Irreversible(_)) { "none" } else { "see DOWN" });
    line("Estimated time", &said(&header.estimated_time));
    line("Requires", &said(&header.requires.join(", ")));
    header.replaces.iter().for_each(|version| line("Replaces", version));
    if let Some(waits_for) = header.waits_for.as_ref().or(step.waits_for.as_ref()) {
        line("Waits for", &one_line(waits_for));
    }
    let mut words = vec![format!("transaction={}", if one { "one" } else { "none" })];
    if let Some(limit) = step.lock_timeout {
        words.push(format!("lock_timeout={}", time(limit)));
    }
    if let Some(limit) = step.statement_timeout {
        words.push(format!("statement_timeout={}", time(limit)));
    }
    if step.retries.attempts > 0 {
        words.push(format!("retries={}", step.retries.attempts));
        words.push(format!("first_wait={}", time(step.retries.first_wait)));
        words.push(format!("longest_wait={}", time(step.retries.longest_wait)));
    }
    if step.retries.undo_first {
        words.push("undo_first".to_owned());
    }
    if step.foreign_keys_off {
        words.push("foreign_keys=off".to_owned());
    }
    line("dbwright", &words.join(" "));
    text
}

/// Statements with what opens, limits and closes them.
fn body(engine: Engine, step: &Step, one: bool, statements: &[Written]) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let mut lines: Vec<String> = Vec::new();
    if step.foreign_keys_off {
        lines.push("pragma foreign_keys = off".to_owned());
    }
    if one {
        let begin = if engine.dialect() == Dialect::Sqlite { "begin immediate" } else { "begin" };
        lines.push(begin.to_owned());
    }
    lines.extend(limits(engine, step, one));
    lines.extend(
        statements.iter().map(|statement| statement.sql.trim_end_matches([';', '\n', ' ']).to_owned()),
    );
    if one {
        lines.push("commit".to_owned());
    }
    if step.foreign_keys_off {
        lines.push("pragma foreign_keys = on".to_owned());
    }
    lines.into_iter().map(|line| line + ";\n").collect()
}

/// The statements that limit how long the others wait and work.
fn limits(engine: Engine, step: &Step, one: bool) -> Vec<String> {
    let named = [("lock_timeout", step.lock_timeout), ("statement_timeout", step.statement_timeout)];
    match engine {
        Engine::Postgres => {
            let set = if one { "set local" } else { "set" };
            let said = named.into_iter().filter_map(|(name, limit)| Some((name, limit?)));
            // Outside of a transaction only the absence of a limit is said: any other would stay for the session.
            said.filter(|(_, limit)| one || *limit == 0)
                .map(|(name, limit)| match limit {
                    0 => format!("{set} {name} = 0"),
                    limit => format!("{set} {name} = '{}'", time(limit)),
                })
                .collect()
        }
        Engine::Mysql | Engine::Mariadb => {
            let seconds = |limit: u64| limit.div_ceil(1000).max(1);
            let lock = step.lock_timeout.filter(|limit| *limit > 0);
            lock.map(|limit| format!("set session lock_wait_timeout = {}", seconds(limit)))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn backfill(dialect: Dialect, batches: &Batches) -> String {
    let quoted = |name: &Name| format!("\"{}\"", name.as_str().replace('"', "\"\""));
    let parts = [&batches.table.schema, &batches.table.name];
    let table: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).map(quoted).collect();
    let keyset: Vec<String> = batches.keyset.iter().map(quoted).collect();
    let mark = match keyset.is_empty() {
        true => {
            "-- No key without nulls tells one row from another, so all rows are written at once.".to_owned()
        }
        false => format!(
            "-- dbwright: backfill table={} keyset={} rows={}",
            table.join("."),
            keyset.join(","),
            batches.rows
        ),
    };
    format!("{mark}\n{};\n", update(dialect, batches))
}

fn question(dialect: Dialect, check: &CheckQuery) -> String {
    let keys: Vec<String> =
        check.keys.iter().map(|name| crate::quote_identifier(dialect, name.as_str())).collect();
    let mut text = format!("Rows mean: {}\n", one_line(&check.rows_mean));
    if !keys.is_empty() {
        text.push_str(&format!("Keys: {}\n", keys.join(", ")));
    }
    text + check.sql.trim_end() + ";\n"
}

fn section(text: &mut String, name: &str) {
    text.push_str(&format!("\n-- ========== {name} ==========\n"));
}

/// Adds lines as comments.
fn comment(text: &mut String, lines: &str) {
    for line in lines.lines() {
        text.push_str("-- ");
        text.push_str(line);
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Milliseconds with a unit that every reader knows: `2s`, `500ms`, `0`.
fn time(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0".to_owned(),
        limit if limit.is_multiple_of(1000) => format!("{}s", limit / 1000),
        limit => format!("{limit}ms"),
    }
}

#[cfg(test)]
mod tests;
