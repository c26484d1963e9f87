//! The plan of every change of the table, carried out on every installed PostgreSQL: it ends where the change by itself
//! ends, keeps the rows, blocks nobody in proportion to a table's size, and leads back.

use dbwright_advise::migrate::plan;
use dbwright_engine::scratch::postgres::PostgresServer;
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::plan::{Step, Undo, Work};
use dbwright_service::ops::migrate::knowledge::TextSide;
use dbwright_service::prove::{Outcome, postgres, sqlite};
use dbwright_sql::fold::Folder;
use proof_live::{Server, servers};
use proof_rules::plans::{PLANNED, SCHEMA};

fn parse(script: &str) -> Vec<Change> {
    let statements = dbwright_sql::split(Dialect::Postgres, script);
    statements
        .into_iter()
        .flat_map(|statement| dbwright_sql::parse_statement(Dialect::Postgres, statement.text))
        .collect()
}

fn start() -> Catalog {
    let mut folder = Folder::new(Engine::Postgres);
    parse(SCHEMA).iter().for_each(|change| folder.apply(change));
    folder.finish()
}

#[test]
fn every_plan_stands_its_trial() {
    let before = start();
    let servers = servers();
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = servers
            .iter()
            .filter_map(|server| match server {
                Server::Postgres(server) => Some(scope.spawn(|| check_server(server, &before))),
                _ => None,
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a checker does not panic")).collect()
    });
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n\n"));
}

fn check_server(server: &PostgresServer, before: &Catalog) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
    let (mut complaints, mut proven) = (Vec::new(), 0);
    for example in PLANNED {
        if example.versions.iter().all(|first| server.version().major < *first) {
            continue;
        }
        let label = format!("{} (on {})", example.change, server.version());
        let changes = parse(example.change);
        let plan = match plan(&know, before, know.version, &changes) {
            Ok(plan) => plan,
            Err(declined) => {
                complaints.push(format!("{label}: declined: {}", declined.because));
                continue;
            }
        };
        match runtime.block_on(postgres::prove(server, "trial", before, &changes, &plan)) {
            Ok(proof)
                if proof.is_proven()
                    && proof.gaps.is_empty()
                    && !(is_brief_back(example.change)
                        && proof.shown.iter().any(|shown| shown.starts_with("Going back"))) =>
            {
                proven += 1;
            }
            Ok(proof) => complaints.push(format!(
                "{label}: {:#?}, gaps {:#?}, shown {:#?}",
                proof.outcome, proof.gaps, proof.shown
            )),
            Err(error) => complaints.push(format!("{label}: {error}")),
        }
    }
    println!("{}: {proven} plans proven", server.version());
    if proven == 0 {
        complaints.push(format!("{}: no plan was proven", server.version()));
    }
    complaints
}

/// Schemas of their own, and what is changed of them.
const ALONE: &[(&str, &str)] = &[
    // Columns that are called like what questions call a row.
    ("CREATE TABLE t (id int PRIMARY KEY, r int, t int, dbwright_row int)", "ALTER TABLE t ADD a int"),
    // What is granted on a column goes with it, and what is granted on the sequence of an identity.
    (
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text); CREATE TABLE child (t_id int REFERENCES t)",
        "ALTER TABLE t ALTER note TYPE varchar(50)",
    ),
    (
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
        "ALTER TABLE t ALTER id TYPE bigint",
    ),
    ("CREATE TABLE t (id int PRIMARY KEY, note text)", "ALTER TABLE t RENAME note TO said"),
    // The foreign keys that go with a key come back with it.
    (
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE child (t_id int REFERENCES t, other int REFERENCES t ON DELETE CASCADE)",
        "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
    ),
];

#[test]
fn schemas_of_their_own_stand_their_trial() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut complaints = Vec::new();
    for server in &servers() {
        let Server::Postgres(server) = server else { continue };
        let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
        for (schema, change) in ALONE {
            let label = format!("{change} (on {})", server.version());
            let mut folder = Folder::new(Engine::Postgres);
            parse(schema).iter().for_each(|change| folder.apply(change));
            let (before, changes) = (folder.finish(), parse(change));
            assert_eq!(before.doubts, [], "{schema}");
            let outcome = match plan(&know, &before, know.version, &changes) {
                Ok(plan) if plan.declined.is_empty() => {
                    match runtime.block_on(postgres::prove(server, "alone", &before, &changes, &plan)) {
                        Ok(proof) if proof.is_proven() && proof.gaps.is_empty() => continue,
                        Ok(proof) => format!("{:#?}, gaps {:#?}", proof.outcome, proof.gaps),
                        Err(error) => error.to_string(),
                    }
                }
                Ok(plan) => format!("declined: {}", plan.declined[0].because),
                Err(declined) => format!("declined: {}", declined.because),
            };
            complaints.push(format!("{label}: {outcome}"));
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n\n"));
}

#[test]
fn a_plan_that_loses_rights_does_not_stand_its_trial() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut folder = Folder::new(Engine::Postgres);
    parse("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)")
        .iter()
        .for_each(|change| folder.apply(change));
    let before = folder.finish();
    for server in &servers() {
        let Server::Postgres(server) = server else { continue };
        let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
        for (change, right) in [
            ("ALTER TABLE t ALTER note TYPE varchar(50)", "`REFERENCES` on `public.t.note` for `public`"),
            ("ALTER TABLE t ALTER id TYPE bigint", "`USAGE` on `public.t_id_seq` for `public`"),
            ("ALTER TABLE t RENAME note TO said", "`REFERENCES` on `public.t.said` for `public`"),
        ] {
            let changes = parse(change);
            let mut plan = plan(&know, &before, know.version, &changes).expect("it has a plan");
            let on_sequence = right.contains("_seq");
            for step in &mut plan.steps {
                step.work.retain(
                    |work| !matches!(work, Work::Sql(sql) if sql.contains("_rights") && sql.contains("_seq") == on_sequence),
                );
            }
            let proof = runtime
                .block_on(postgres::prove(server, "rights", &before, &changes, &plan))
                .expect("the server is there");
            let Outcome::Failed(sentences) = &proof.outcome else { panic!("{change}: {proof:#?}") };
            let expected =
                format!("The right {right} after the plan is not as after the change by itself: it is lost.");
            assert_eq!(sentences, &[expected], "{change}");
        }
    }
}

#[test]
fn a_label_of_an_enum_stands_its_trial_however_many_tables_there_are() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tables: String = (0..40).map(|n| format!("CREATE TABLE t{n} (id int PRIMARY KEY, s st);")).collect();
    let mut folder = Folder::new(Engine::Postgres);
    parse(&format!("CREATE TYPE st AS ENUM ('a'); {tables}")).iter().for_each(|change| folder.apply(change));
    let (before, changes) = (folder.finish(), parse("ALTER TYPE st ADD VALUE 'later'"));
    for server in &servers() {
        let Server::Postgres(server) = server else { continue };
        let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
        let plan = plan(&know, &before, know.version, &changes).expect("it has a plan");
        let proof = runtime
            .block_on(postgres::prove(server, "many", &before, &changes, &plan))
            .expect("the server is there");
        assert!(proof.is_proven() && proof.gaps.is_empty(), "{}: {proof:#?}", server.version());
    }
}

/// Whether nobody has to wait in proportion to the size of a table when the change is taken back: all but those that a
/// statement undoes which has no other form.
fn is_brief_back(change: &str) -> bool {
    let narrows = [" TYPE varchar(20)", " TYPE varchar(40)", " TYPE text"];
    !narrows.iter().any(|end| change.contains(end)) && !change.contains("DETACH PARTITION")
}

const FILE: &str = "
    CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT);
    CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER, b TEXT DEFAULT 'x', parent_id INTEGER REFERENCES parent (id));
    CREATE INDEX t_a ON t (a);
    CREATE UNIQUE INDEX t_b ON t (b) WHERE b IS NOT NULL;
    CREATE TABLE child (t_id INTEGER REFERENCES t (id) ON DELETE CASCADE, n INTEGER);
    CREATE VIEW v AS SELECT id, a FROM t;
    CREATE VIEW w AS SELECT a FROM v;
    CREATE TRIGGER t_after AFTER INSERT ON t BEGIN UPDATE parent SET code = 'c' WHERE id = NEW.parent_id; END;
";

#[test]
fn a_rebuild_of_sqlite_keeps_rows_children_triggers_indexes_and_positions() {
    let parse = |script: &str| -> Vec<Change> {
        let statements = dbwright_sql::split(Dialect::Sqlite, script);
        let parsed = statements.iter().map(|one| dbwright_sql::parse_statement(Dialect::Sqlite, one.text));
        parsed.flatten().collect()
    };
    let mut folder = Folder::new(Engine::Sqlite);
    parse(FILE).iter().for_each(|change| folder.apply(change));
    let before = folder.finish();
    assert_eq!(before.doubts, [], "the file is understood");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let know = TextSide { engine: Engine::Sqlite, version: None };
    let place = tempfile::tempdir().expect("a folder");
    let mut complaints = Vec::new();
    for words in [
        "change type of t.a to bigint",
        "set t.a not null",
        "alter table t add column e integer",
        "alter table t rename column b to z",
        "alter table t rename to u",
        "create index i on child (n)",
    ] {
        let changes = dbwright_sql::wish::changes(Dialect::Sqlite, words).expect("it is understood");
        let outcome = match plan(&know, &before, None, &changes) {
            Ok(plan) => match runtime.block_on(sqlite::prove(place.path(), &before, &changes, &plan)) {
                Ok(proof) if proof.is_proven() && proof.gaps.is_empty() => continue,
                Ok(proof) => format!("{:#?}, gaps {:#?}", proof.outcome, proof.gaps),
                Err(error) => error.to_string(),
            },
            Err(declined) => format!("declined: {}", declined.because),
        };
        complaints.push(format!("{words}: {outcome}"));
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n\n"));
}

/// Changes of a file that have no plan, with a word of the reason; those without one are proven, and lead back.
const OF_FILES: &[(&str, &str, &str)] = &[
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)", "drop not null on t.a", ""),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); CREATE VIEW v AS SELECT a FROM t",
        "drop view v",
        "",
    ),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); \
         CREATE TRIGGER t_a AFTER INSERT ON t BEGIN UPDATE t SET a = 1 WHERE id = NEW.id; END;",
        "drop column a from t",
        "the trigger `t_a` speaks of `a`",
    ),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); CREATE VIEW v AS SELECT A FROM t",
        "drop column a from t",
        "the view `v` speaks of `a`",
    ),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); CREATE UNIQUE INDEX t_a ON t (a)",
        "drop index t_a; create unique index t_a on t (a, id)",
        "nothing would hold the rows of `t` to it",
    ),
    // What SQLite has no statement for.
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)", "add unique on t(a)", ""),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)",
        "alter table t add constraint u unique (a, id)",
        "",
    ),
    ("CREATE TABLE t (a INTEGER NOT NULL, b TEXT UNIQUE)", "add primary key on t(a)", ""),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)", "add check on t (a >= 0)", ""),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER)", "set default of t.a to 7", ""),
    ("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER DEFAULT 7)", "drop default of t.a", ""),
    (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, CONSTRAINT c CHECK (a >= 0))",
        "drop constraint c from t",
        "",
    ),
    (
        "CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (parent_id INTEGER)",
        "add foreign key on child(parent_id) to parent(id)",
        "",
    ),
];

#[test]
fn changes_of_files_are_proven_or_declined() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let know = TextSide { engine: Engine::Sqlite, version: None };
    let place = tempfile::tempdir().expect("a folder");
    for (schema, change, word) in OF_FILES {
        let before = file(schema);
        let mut changes = Vec::new();
        for one in change.split("; ") {
            changes.extend(dbwright_sql::wish::changes(Dialect::Sqlite, one).expect("it is understood"));
        }
        let planned = plan(&know, &before, None, &changes);
        let because = match &planned {
            Ok(plan) => plan.declined.first().map(|declined| declined.because.clone()),
            Err(declined) => Some(declined.because.clone()),
        };
        let Some(because) = because else {
            let plan = planned.expect("nothing is declined");
            assert!(word.is_empty(), "{change}: planned: {:#?}", plan.steps);
            assert!(
                plan.steps.iter().all(|step| matches!(step.undo, Undo::Work(_))),
                "{change}: {:#?}",
                plan.steps
            );
            let proof =
                runtime.block_on(sqlite::prove(place.path(), &before, &changes, &plan)).expect("a trial");
            assert!(proof.is_proven(), "{change}: {:#?}", proof.outcome);
            continue;
        };
        assert!(!word.is_empty() && because.contains(word), "{change}: {because}");
    }
}

#[test]
fn a_trigger_that_a_plan_breaks_fails_its_trial() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let know = TextSide { engine: Engine::Sqlite, version: None };
    let place = tempfile::tempdir().expect("a folder");
    let check = |more: &str, word: &str| {
        let changes =
            dbwright_sql::wish::changes(Dialect::Sqlite, "drop column a from t").expect("it is understood");
        let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER); CREATE TABLE other (n INTEGER);";
        let plan = plan(&know, &file(table), None, &changes).expect("nothing stands on the column");
        let before = file(&format!("{table} {more}"));
        let proof = runtime.block_on(sqlite::prove(place.path(), &before, &changes, &plan)).expect("a trial");
        match &proof.outcome {
            Outcome::Failed(sentences) => assert!(sentences.concat().contains(word), "{more}: {sentences:?}"),
            other => panic!("{more}: {other:?}"),
        }
    };
    check(
        "CREATE TRIGGER other_n AFTER INSERT ON other BEGIN INSERT INTO t (a) VALUES (NEW.n); END;",
        "After the plan `INSERT INTO other DEFAULT VALUES` is refused",
    );
    check("CREATE VIEW v AS SELECT a FROM t", "The change by itself is refused");
}

fn file(schema: &str) -> Catalog {
    let mut folder = Folder::new(Engine::Sqlite);
    for one in dbwright_sql::split(Dialect::Sqlite, schema) {
        dbwright_sql::parse_statement(Dialect::Sqlite, one.text)
            .iter()
            .for_each(|change| folder.apply(change));
    }
    let made = folder.finish();
    assert_eq!(made.doubts, [], "{schema}");
    made
}

#[test]
fn a_wrong_plan_fails_its_trial() {
    let before = start();
    let servers = servers();
    let Some(Server::Postgres(server)) = servers.iter().rfind(|server| matches!(server, Server::Postgres(_)))
    else {
        assert!(std::env::var_os("DBWRIGHT_REQUIRE_SERVERS").is_none(), "no PostgreSQL is installed");
        println!("no PostgreSQL is installed: no wrong plan was tried");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
    let changes = parse("ALTER TABLE t ALTER a TYPE bigint");
    let right = plan(&know, &before, know.version, &changes).expect("there is a plan");
    let check = |name: &str, plan: &dbwright_model::plan::Plan, word: &str| {
        let proof =
            runtime.block_on(postgres::prove(server, "wrong", &before, &changes, plan)).expect("a server");
        match &proof.outcome {
            Outcome::Failed(sentences) => {
                let text = sentences.join(" ");
                assert!(text.contains(word), "{name}: {text}");
            }
            other => panic!("{name}: {other:?}"),
        }
    };
    let mut naive = right.clone();
    naive.steps.truncate(1);
    naive.steps[0].work = changes.iter().cloned().map(Work::from).collect();
    check("the change by itself", &naive, "during a rewrite");
    let backfill = right.steps.iter().position(|step| step.repeat.is_some()).expect("rows are written");
    let mut unfilled = right.clone();
    unfilled.steps.remove(backfill);
    check("without the backfill", &unfilled, "The rows of");
    let mut no_end = right.clone();
    no_end.steps.pop();
    check("without the last step", &no_end, "The catalog after the plan");
    // What is written after the trigger is gone is not in the old column, which the way back would read again.
    let mut stopped = right.clone();
    let work_of = |step: &Step, is_it: fn(&Change) -> bool| -> Vec<Work> {
        step.work.iter().filter(|work| work.as_change().is_some_and(is_it)).cloned().collect()
    };
    let switch = &right.steps[right.steps.len() - 2];
    let mut made = work_of(
        switch,
        |change| matches!(change, Change::CreateFunction { function, .. } if !function.name.name.as_str().contains("rights")),
    );
    made.extend(work_of(&right.steps[0], |change| matches!(change, Change::CreateTrigger { .. })));
    assert_eq!(made.len(), 2, "what keeps the columns in step is known");
    let last = stopped.steps.pop().expect("the old column is dropped in the end");
    let drops: Vec<Work> = last.work[..2].to_vec();
    let stop = Step { name: "Stop".to_owned(), work: drops, undo: Undo::Work(made), ..Step::default() };
    let drop = Step { work: last.work[2..].to_vec(), ..last };
    stopped.steps.extend([stop, drop]);
    check("a way back that forgets what was written", &stopped, "are not those before");
    let mut lossy = right;
    lossy.steps[backfill].undo = Undo::Work(vec![Work::Sql("DELETE FROM public.child".to_owned())]);
    check("a way back that loses rows", &lossy, "are not those before");
}
