//! Damaged snapshots: an error or facts that can be judged, never a panic.

use dbwright_model::engine::Engine;
use dbwright_rules::Options;
use dbwright_rules::run::{default_rules, run};
use dbwright_service::{anonymize, snapshot};
use dbwright_sql::files::{SourceFile, read};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

const SCHEMA: &str = "create table parent (id bigint primary key, a text default 'x', check (a <> ''));
    create table t (id int, parent_id bigint references parent (id) on delete cascade, unique (id, parent_id));
    create index i on t (parent_id) where id > 1;
    create view v as select a, count(*) from parent group by a;
    create type mood as enum ('x', 'y');
    create sequence s;
    create function f(a int) returns int language sql as 'select 1';
    create policy p on parent using (a = current_user);
    select * from t where id = 1;";

fn text(engine: Engine) -> String {
    let file = SourceFile { name: "t.sql".to_owned(), text: SCHEMA.to_owned() };
    let mut facts = read(engine, None, "t.sql", &[file]).facts;
    facts.settings = serde_json::from_str(
        r#"{"known":{"values":{"fsync":{"value":"off","unit":"","source":"","context":""}}}}"#,
    )
    .expect("settings are read");
    snapshot::write(&facts).expect("a snapshot is written")
}

/// Does with a text all that is done with snapshots.
fn check(text: &str) -> Result<(), TestCaseError> {
    let Ok(mut facts) = snapshot::parse(text) else { return Ok(()) };
    dbwright_sql::understand::understand(&mut facts);
    run(&facts, default_rules(), &Options::default());
    let written = snapshot::write(&facts).expect("facts are written");
    prop_assert!(snapshot::parse(&written).is_ok());
    let anonymous = anonymize::anonymize(&facts);
    prop_assert!(anonymous.is_ok(), "{anonymous:?}");
    Ok(())
}

/// The values of a document in their order.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Does something to the value that stands at a place.
fn damage(value: &mut Value, at: &mut usize, how: &Damage) {
    if *at == 0 {
        match how {
            Damage::Replace(other) => *value = other.clone(),
            Damage::Remove => match value {
                Value::Object(fields) => fields.clear(),
                Value::Array(items) => items.clear(),
                other => *other = Value::Null,
            },
            Damage::Drop(which) => match value {
                Value::Object(fields) if !fields.is_empty() => {
                    let name = fields.keys().nth(which.index(fields.len())).cloned().unwrap_or_default();
                    fields.remove(&name);
                }
                Value::Array(items) if !items.is_empty() => {
                    items.remove(which.index(items.len()));
                }
                _ => {}
            },
            Damage::Repeat => {
                if let Value::Array(items) = value {
                    items.extend(items.clone());
                }
            }
        }
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    let below: Vec<&mut Value> = match value {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        _ => Vec::new(),
    };
    for one in below {
        if *at != usize::MAX {
            damage(one, at, how);
        }
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Replace(Value),
    Remove,
    Drop(Index),
    Repeat,
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let values = [
        "null",
        "true",
        "-1",
        "0",
        "1e400",
        "1e99",
        "18446744073709551615",
        "-9223372036854775808",
        "\"\"",
        "\"x'y\\\"z`\"",
        "\"a.b.c(\"",
        "\"\\u0000\"",
        "\"\u{301}\u{202e}ß\"",
        "[]",
        "{}",
        "[null]",
        "\"known\"",
        "{\"known\":null}",
        "{\"denied\":\"\"}",
        "\"case when\"",
        "\"((((\"",
        "\"varchar(99999999999)\"",
        "\"parent\"",
    ];
    let values: Vec<Value> = values.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    prop_oneof![
        4 => prop::sample::select(values).prop_map(Damage::Replace),
        1 => Just(Damage::Remove),
        3 => any::<Index>().prop_map(Damage::Drop),
        1 => Just(Damage::Repeat),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn flipped_bytes(engine in prop::sample::select(&Engine::ALL[..]), flips in prop::collection::vec((any::<Index>(), any::<u8>()), 1..6)) {
        let mut bytes = text(engine).into_bytes();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn cut_off(engine in prop::sample::select(&Engine::ALL[..]), from in any::<Index>(), to in any::<Index>()) {
        let text = text(engine);
        let (from, to) = (from.index(text.len()), to.index(text.len()));
        check(text.get(..to).unwrap_or_default())?;
        if let (Some(head), Some(tail)) = (text.get(..from.min(to)), text.get(from.max(to)..)) {
            check(&format!("{head}{tail}"))?;
        }
    }

    #[test]
    fn other_values_in_their_place(engine in prop::sample::select(&Engine::ALL[..]), damages in prop::collection::vec((any::<Index>(), any_damage()), 1..5)) {
        let mut value: Value = serde_json::from_str(&text(engine)).expect("a snapshot is JSON");
        for (at, how) in damages {
            let mut at = at.index(count(&value));
            damage(&mut value, &mut at, &how);
        }
        check(&value.to_string())?;
    }
}
