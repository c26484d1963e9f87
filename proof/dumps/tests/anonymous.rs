//! A marked word planted in every text of live facts does not come out of an anonymised snapshot.

use std::collections::BTreeMap;

use dbwright_model::engine::Engine;
use dbwright_model::facts::{Fact, Facts};
use dbwright_service::{anonymize::anonymize, snapshot};
use proof_dumps::{apply, fixtures};
use proof_live::{Server, collect, servers};
use serde_json::Value;

const MARK: &str = "zqxmark";

/// Texts by the fields that lead to them, positions in lists left out.
fn texts(value: &Value, fields: &str, pointer: &str, found: &mut BTreeMap<String, Vec<String>>) {
    match value {
        Value::String(_) => found.entry(fields.to_owned()).or_default().push(pointer.to_owned()),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                texts(item, fields, &format!("{pointer}/{i}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                texts(member, &format!("{fields}/{name}"), &format!("{pointer}/{escaped}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_planted_word_never_comes_out_of_live_facts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let servers = servers();
    // The catalog's words are the same on every major; one PostgreSQL is enough, and the newest has the most fields.
    let newest = servers.iter().rposition(|server| server.engine() == Engine::Postgres);
    for (i, server) in servers.iter().enumerate() {
        if server.engine() == Engine::Postgres && Some(i) != newest {
            continue;
        }
        for fixture in fixtures(server.engine().dialect()) {
            runtime.block_on(check(server, &fixture.name, &fixture.sql)).expect("the fixture is read");
        }
    }
}

async fn check(server: &Server, name: &str, sql: &str) -> Result<(), String> {
    let dsn = server.fresh(&format!("anonymous_{name}")).await?;
    apply(&dsn, server.engine().dialect(), sql).await?;
    let mut facts = collect(&dsn, &Fact::ALL).await?;
    let mut value = serde_json::to_value(&facts).map_err(|error| error.to_string())?;
    let mut found = BTreeMap::new();
    texts(&value, "", "", &mut found);
    let mut planted = 0;
    for pointers in found.values() {
        let mut tried = value.clone();
        for pointer in pointers {
            // Numbered, so that equal names do not become one.
            if let Some(text) = tried.pointer_mut(pointer) {
                *text = Value::from(format!("{MARK} '{pointer}"));
            }
        }
        // Words that the model knows, such as kinds and times, cannot be planted.
        if let Ok(read) = serde_json::from_value::<Facts>(tried.clone()) {
            facts = read;
            value = tried;
            planted += pointers.len();
        }
    }
    println!("{} {name}: {planted} words planted", server.name());
    let anonymous = anonymize(&facts).map_err(|error| error.to_string())?;
    let text = snapshot::write(&anonymous).map_err(|error| error.to_string())?;
    let leaks: Vec<&str> = text.lines().filter(|line| line.contains(MARK)).take(10).collect();
    assert!(leaks.is_empty(), "{} {name}: {leaks:#?}", server.name());
    snapshot::parse(&text).map(|_| ())
}
