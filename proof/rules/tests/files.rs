//! The files of plans: what is written for a step is read back as the same step.

use dbwright_advise::migrate::{Knowledge, plan};
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::migration::{Backfill, Down, Header, Migration, Risk, Statement};
use dbwright_model::plan::{Step, TransactionMode, Undo, Work};
use dbwright_sql::files::SourceFile;
use dbwright_sql::script;
use dbwright_sql::tools::Around;
use proof_rules::plans::{PLANNED, SCHEMA};
use shared::Text;

mod shared;

/// A schema of SQLite whose tables must be rebuilt with everything that hangs on them.
const FILE: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT);
    CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER, b TEXT DEFAULT 'x', parent_id INTEGER REFERENCES parent (id));
    CREATE INDEX t_a ON t (a);
    CREATE TABLE child (t_id INTEGER REFERENCES t (id) ON DELETE CASCADE, n INTEGER);
    CREATE VIEW v AS SELECT id, a FROM t;
    CREATE TRIGGER t_after AFTER INSERT ON t BEGIN UPDATE parent SET code = 'c' WHERE id = NEW.parent_id; END;
";

/// Changes of it in words.
const OF_FILE: &[&str] = &[
    "change type of t.a to bigint",
    "set t.a not null",
    "add column e integer to t",
    "drop column b from t",
    "rename column b to z on t",
    "rename table t to u",
    "add index on child(n)",
    "create unique index t_b on t (b)",
    "drop index t_a",
    "drop table child",
];

fn parse(dialect: Dialect, script: &str) -> Vec<Change> {
    dbwright_sql::split(dialect, script)
        .into_iter()
        .flat_map(|statement| dbwright_sql::parse_statement(dialect, statement.text))
        .collect()
}

/// A text without what makes no difference to a server.
fn plain(sql: &str) -> String {
    sql.trim_end_matches([';', ' ', '\n']).lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Statements that are not settings of limits, which the runner makes by itself.
fn texts(statements: &[Statement]) -> Vec<String> {
    let all = statements.iter().map(|statement| plain(&statement.sql));
    all.filter(|sql| !(sql.starts_with("set ") && sql.contains("_timeout"))).collect()
}

fn written(know: &Text, work: &[Work]) -> Vec<String> {
    let written = script::write::statements(know.engine, know.version, work).expect("it can be written");
    written.iter().map(|one| plain(&one.sql)).collect()
}

/// What reading a step's file back loses or changes.
fn complaints(know: &Text, step: &Step, header: &Header) -> Vec<String> {
    let dialect = know.engine.dialect();
    let name = "20261121120001_words_1.sql";
    let text = match script::write(know.engine, know.version, name, header, step) {
        Ok(text) => text,
        Err(because) => return vec![format!("it cannot be written: {because}")],
    };
    let file = SourceFile { name: format!("m/{name}"), text: text.clone() };
    let around = Around { names: [file.name.clone()].into(), ..Around::default() };
    let mut read = script::read(dialect, &[file], &around);
    let [read] = &mut read[..] else { return vec![format!("it gives {} migrations: {text}", read.len())] };
    let mut found = Vec::new();
    let mut hold = |what: &str, expected: String, is: String| {
        if expected != is {
            found.push(format!("{what}\nexpected {expected}\nfound    {is}\n{text}"));
        }
    };
    hold("problems", "[]".to_owned(), format!("{:?}", read.problems));
    hold("version", "20261121120001".to_owned(), read.version.clone());
    hold("header", format!("{header:?}"), format!("{:?}", read.header));
    let limits = |lock: Option<u64>, statement: Option<u64>| format!("{lock:?} {statement:?}");
    hold(
        "limits",
        limits(step.lock_timeout, step.statement_timeout),
        limits(read.lock_timeout, read.statement_timeout),
    );
    let retries = Some(step.retries).filter(|retries| retries.attempts > 0);
    hold("retries", format!("{retries:?}"), format!("{:?}", read.retries));
    hold("foreign keys", step.foreign_keys_off.to_string(), read.foreign_keys_off.to_string());
    let checks = [(&step.pre_check, &mut read.pre_checks), (&step.verify, &mut read.verify)];
    for (asked, read) in checks {
        let asked: Vec<_> = asked.iter().cloned().collect();
        let mut expected = asked;
        for check in expected.iter_mut().chain(read.iter_mut()) {
            check.sql = plain(&check.sql);
            check.rows_mean = check.rows_mean.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        hold("questions", format!("{expected:#?}"), format!("{read:#?}"));
    }
    let mut up = written(know, &step.work);
    if let Some(batches) = &step.repeat {
        up.push(plain(&script::write::update(dialect, batches)));
        let marked = read.up.iter().find_map(|statement| statement.backfill.clone());
        let names = [&batches.table.schema, &batches.table.name].into_iter().filter(|name| !name.is_empty());
        let table: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
        let asked = Backfill {
            table: table.join("."),
            keyset: batches.keyset.clone(),
            filter: batches.filter.clone(),
            rows: batches.rows,
        };
        let expected = Some(asked).filter(|asked| !asked.keyset.is_empty());
        hold("backfill", format!("{expected:?}"), format!("{marked:?}"));
    } else {
        hold("transaction", format!("{:?}", mode(know, step)), format!("{:?}", read.transaction));
    }
    hold("way up", format!("{up:#?}"), format!("{:#?}", texts(&read.up)));
    let down = match &step.undo {
        Undo::Irreversible(because) => Down::Irreversible(because.trim_end_matches('.').to_owned()),
        Undo::Work(_) => Down::Statements(Vec::new()),
    };
    match (&step.undo, &read.down) {
        (Undo::Work(work), Down::Statements(statements)) => {
            // A way back that is cut has its transactions and limits among the statements.
            let around = |text: &String| {
                let lower = text.to_lowercase();
                lower == "begin" || lower == "commit" || lower.starts_with("set ")
            };
            let cut = matches!(
                script::write::way_back(know.engine, know.version, step, work),
                Ok(script::write::WayBack::Portions(_))
            );
            let mut found = texts(statements);
            found.retain(|text| !(cut && around(text)));
            hold("way back", format!("{:#?}", written(know, work)), format!("{found:#?}"));
        }
        (_, other) => hold("way back", format!("{down:?}"), format!("{other:?}")),
    }
    found
}

/// How a step's work is put into transactions: MySQL commits at each change of structure.
fn mode(know: &Text, step: &Step) -> TransactionMode {
    match know.engine.dialect() {
        Dialect::Mysql => TransactionMode::NoTransaction,
        _ => step.transaction,
    }
}

fn check(know: &Text, before: &Catalog, changes: &[Change], label: &str) -> (usize, Vec<String>) {
    let planned = match plan(know, before, know.version, changes) {
        Ok(planned) => planned,
        Err(declined) => return (0, vec![format!("{label}: declined: {}", declined.because)]),
    };
    let mut found = Vec::new();
    for step in &planned.steps {
        let header = Header {
            author: "Jane Doe <jane@example.com>".to_owned(),
            ticket: "SHOP-12".to_owned(),
            risk: Some(Risk::Medium),
            estimated_time: "2 s to 5 s".to_owned(),
            requires: vec!["20261121120000".to_owned()],
            waits_for: step.waits_for.clone(),
            ..Header::default()
        };
        let complaints = complaints(know, step, &header);
        found.extend(complaints.into_iter().map(|said| format!("{label}, step `{}`: {said}", step.name)));
    }
    (planned.steps.len(), found)
}

fn folded(know: &Text, script: &str) -> Catalog {
    let before = know.after(&Catalog::empty(know.engine), &parse(know.engine.dialect(), script));
    assert_eq!(before.doubts, [], "the schema is understood");
    before
}

#[test]
fn what_is_written_for_a_step_is_read_back_as_the_same_step() {
    let (mut steps, mut found) = (0, Vec::new());
    let mut add = |(more, complaints): (usize, Vec<String>)| {
        steps += more;
        found.extend(complaints);
    };
    for example in PLANNED {
        for major in example.versions {
            let know = Text::postgres(*major);
            let changes = parse(Dialect::Postgres, example.change);
            add(check(&know, &folded(&know, SCHEMA), &changes, &format!("{} (on {major})", example.change)));
        }
    }
    let know = Text { engine: Engine::Sqlite, version: None };
    for words in OF_FILE {
        let changes = dbwright_sql::wish::changes(Dialect::Sqlite, words).expect("it is understood");
        add(check(&know, &folded(&know, FILE), &changes, &format!("{words} (in SQLite)")));
    }
    assert!(steps > 300, "{steps}");
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n\n"));
}

#[test]
fn a_file_that_was_changed_is_another_step() {
    let know = Text::postgres(15);
    let changes = parse(Dialect::Postgres, "ALTER TABLE t ALTER a TYPE bigint");
    let planned = plan(&know, &folded(&know, SCHEMA), know.version, &changes).expect("there is a plan");
    let step = planned.steps.iter().find(|step| step.repeat.is_some()).expect("rows are written");
    let header = Header::default();
    assert_eq!(complaints(&know, step, &header), Vec::<String>::new());
    let mut wrong = Migration::default();
    for text in ["rows=1000", "keyset=\"id\""] {
        let name = "1_a.sql";
        let whole = script::write(know.engine, know.version, name, &header, step).expect("it is written");
        assert!(whole.contains(text), "{whole}");
        let file = SourceFile { name: name.to_owned(), text: whole.replace(text, "rows=7") };
        let read = script::read(Dialect::Postgres, &[file], &Around::default()).remove(0);
        let marked = read.up.iter().find_map(|statement| statement.backfill.clone());
        let asked = step.repeat.as_ref().map(|batches| batches.rows);
        assert!(marked.is_none_or(|marked| Some(marked.rows) != asked), "{text}");
        wrong = read;
    }
    assert!(!wrong.problems.is_empty(), "pieces without a key are refused");
}
