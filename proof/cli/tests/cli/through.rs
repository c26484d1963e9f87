//! Changes from the wish to the end and back: `migrate new`, `up`, `verify`, and `down` all the way, on databases with rows.

use std::fs;

use proof_cli::servers::{Postgres, newest_folder};
use proof_cli::{Outcome, Sandbox};

const POSTGRES: &str = "
    create table parent (id int primary key, code text);
    create table t (
        id int primary key, a int, b int not null default 1, c varchar(20) default 'x', parent_id int,
        constraint b_positive check (b > 0)
    );
    create index t_b_idx on t (b desc) include (c) where b > 5;
    create table child (id int primary key, t_id int references t (id), n int);
    insert into parent select n, 'p' || n from generate_series(1, 50) n;
    insert into t select n, n, n, 'c' || n, 1 + n % 50 from generate_series(1, 3000) n;
    insert into child select n, n, n from generate_series(1, 300) n;
";

/// Wishes for it, each brought in and taken back by itself.
const ON_POSTGRES: &[&str] = &[
    "set t.a not null",
    "add index on t(parent_id)",
    "add unique on t(a)",
    "add foreign key on t(parent_id) to parent(id)",
    "add check on t (a >= 0)",
    "change type of t.a to bigint",
    "change type of t.id to bigint",
    "rename column a to z on t",
    "rename table child to kid",
    "add column e int not null default 7 to t",
    "alter table t add column e uuid not null default gen_random_uuid()",
    "drop index t_b_idx",
];

const SQLITE: &str = "
    create table parent (id integer primary key autoincrement, code text);
    create table t (
        id integer primary key autoincrement, a integer, b text default 'x', parent_id integer references parent (id)
    );
    create index t_a on t (a);
    create unique index t_b on t (b) where b is not null;
    create table child (t_id integer references t (id) on delete cascade, n integer);
    create view v as select id, a from t;
    create trigger t_after after insert on t begin update parent set code = 'c' where id = new.parent_id; end;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 50) insert into parent select i, 'p' || i from n;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
        insert into t select i, i, 'b' || i, 1 + i % 50 from n;
    insert into child select id, a from t;
    delete from t where id = 500;
";

const ON_SQLITE: &[&str] = &[
    "change type of t.a to bigint",
    "set t.a not null",
    "add column e integer to t",
    "rename column b to z on t",
    "rename table child to kid",
    "add index on child(n)",
    "drop index t_a",
];

/// Brings a wish in and takes it back. `state` tells what is in the database.
fn check(sandbox: &Sandbox, target: &str, number: usize, wish: &str, state: &dyn Fn() -> Vec<String>) {
    let folder = format!("m{number}");
    let run = |arguments: &[&str]| -> Outcome {
        let arguments = [&["migrate"], arguments].concat();
        sandbox.dbwright(&arguments).env("DBWRIGHT_SERVERS", newest_folder()).run()
    };
    let before = state();
    let planned =
        run(&["new", wish, "--catalog", target, "--out", &folder, "--format", "json"]).expect(0).json();
    let steps = planned["steps"].as_array().expect("a list");
    assert_eq!(fs::read_dir(sandbox.path(&folder)).expect("it was made").count(), steps.len(), "{wish}");
    // From where there is no way back nobody goes back.
    let reversible = steps.iter().take_while(|step| step["irreversible"].is_null()).count();
    assert!(reversible > 0, "{wish}: there is no way back at all");
    let last = &steps[reversible - 1]["file"].as_str().expect("a name")[..14];
    let up = ["up", &folder, "--target", target, "--yes", "--quiet", "--waited", "all", "--to", last];
    run(&up).expect(0);
    let after = state();
    assert_ne!(before, after, "{wish}: nothing has changed");
    // Everything before was made without migrations. The questions of the files have good answers, but for those about what
    // later steps have taken away.
    let verified = run(&["verify", &folder, "--target", target, "--format", "json"]).json();
    let checks = verified["checks"].as_array().expect("a list");
    let is_gone = |check: &serde_json::Value| {
        check["error"]
            .as_str()
            .is_some_and(|error| error.contains("does not exist") || error.contains("no such "))
    };
    let bad: Vec<_> = checks.iter().filter(|check| check["rows"] != 0 && !is_gone(check)).collect();
    assert!(bad.is_empty(), "{wish}: {bad:#?}");
    let files = reversible.to_string();
    let cautious = ["down", &folder, "--target", target, "--yes", "--steps", &files, "--quiet"];
    let down = [&cautious[..], &["--lose-data"]].concat();
    // What the plan made loses its values on the way back; a table that is written anew loses none.
    if target.ends_with(".sqlite") && !wish.starts_with("add column") {
        run(&cautious).expect(0);
    } else {
        run(&down).expect(0);
    }
    assert_eq!(state(), before, "{wish}: it does not lead back");
    // The same again, as if nothing had been.
    run(&up).expect(0);
    assert_eq!(state(), after, "{wish}: the second time it leads elsewhere");
    run(&down).expect(0);
}

fn on_postgres(server: &Postgres) -> Vec<String> {
    let mut state = server.ask(
        "shop",
        "select concat_ws(' ', 'column', table_name, column_name, data_type, character_maximum_length, is_nullable, column_default) \
         from information_schema.columns where table_schema = 'public' and table_name not like 'dbwright%' \
         union all select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = 'public' and tablename not like 'dbwright%' \
         union all select concat_ws(' ', 'invalid', indexrelid::regclass) from pg_index where not indisvalid \
         union all select concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) \
         from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n' and conrelid::regclass::text not like 'dbwright%' \
         union all select concat_ws(' ', 'trigger', tgrelid::regclass, tgname) from pg_trigger where not tgisinternal \
         union all select concat_ws(' ', 'function', proname) from pg_proc where pronamespace = 'public'::regnamespace \
         union all select concat_ws(' ', relkind, relname) from pg_class \
         where relnamespace = 'public'::regnamespace and relname not like 'dbwright%' order by 1",
    );
    state.extend(server.ask("shop", "select count(*) || ' rows ' || sum(id) from t"));
    state
}

#[test]
fn wishes_come_true_and_go_back_on_postgres() {
    let sandbox = Sandbox::new();
    let server = Postgres::newest();
    server.database("shop", POSTGRES);
    let target = server.target("postgres", "shop");
    for (number, wish) in ON_POSTGRES.iter().enumerate() {
        check(&sandbox, &target, number, wish, &|| on_postgres(&server));
        forget(&server);
    }
}

fn forget(server: &Postgres) {
    server.ask("shop", "drop table if exists dbwright_migrations");
    server.ask("shop", "drop table if exists dbwright_backfills");
}

fn on_sqlite(sandbox: &Sandbox) -> Vec<String> {
    let connection = rusqlite::Connection::open(sandbox.path("shop.sqlite")).expect("it opens");
    let mut state = Vec::new();
    let questions = [
        "select m.type || ' ' || m.name || ' on ' || m.tbl_name from sqlite_schema m where m.name not like 'dbwright%' \
         and m.name not like 'sqlite%' order by 1",
        "select 'column ' || m.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || coalesce(c.dflt_value, '-') \
         from sqlite_schema m, pragma_table_xinfo(m.name) c where m.type = 'table' and m.name not like 'dbwright%' order by 1",
        "select 'key ' || m.name || ' ' || f.\"table\" || ' ' || f.\"from\" || ' ' || coalesce(f.\"to\", '-') || f.on_delete \
         from sqlite_schema m, pragma_foreign_key_list(m.name) f where m.type = 'table' order by 1",
        "select 'number ' || name || ' ' || seq from sqlite_sequence where name not like 'dbwright%' order by 1",
        "select 'orphan of ' || \"table\" from pragma_foreign_key_check where \"table\" <> 'child' order by 1",
        "select count(*) || ' rows ' || sum(id) || ' ' || sum(a) from t",
    ];
    for question in questions {
        let mut statement = connection.prepare(question).expect("the question is right");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("it is answered");
        state.extend(rows.map(|row| row.expect("a text")));
    }
    state
}

#[test]
fn wishes_come_true_and_go_back_in_sqlite() {
    for (number, wish) in ON_SQLITE.iter().enumerate() {
        let sandbox = Sandbox::new();
        sandbox.sqlite("shop.sqlite", SQLITE);
        check(&sandbox, "shop.sqlite", number, wish, &|| on_sqlite(&sandbox));
    }
}

#[test]
fn questions_before_and_after_are_asked_and_answers_counted() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("shop.sqlite", "create table t (id integer primary key, a integer);");
    let connection = rusqlite::Connection::open(sandbox.path("shop.sqlite")).expect("it opens");
    connection.execute_batch("insert into t values (1, null), (2, null), (3, 3)").expect("rows");
    let section = |name: &str| {
        format!(
            "-- ===== {name} =====\n-- Rows mean: Rows of `t` have no `a`.\n-- Keys: id\n-- select * from t where a is null;\n"
        )
    };
    let up = "-- ===== UP =====\ncreate table u (a integer);\n-- ===== DOWN =====\n-- drop table u;\n";
    sandbox.file("m/1_u.sql", format!("{}{up}", section("PRE-CHECK")));
    sandbox.file("after/1_u.sql", format!("{up}{}", section("VERIFY")));
    let run = |folder: &str| sandbox.run(&["migrate", "up", folder, "--target", "shop.sqlite", "--yes"]);
    let refused = run("m").expect(2).err();
    for part in ["must not be run yet", "Rows of `t` have no `a`. (2 rows)", "among the rows: 1; 2"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // Asked after: it is done and counts as failed until the rows are mended.
    sandbox.file("after/2_w.sql", "create table w (a integer);");
    let failed = run("after").expect(2).err();
    assert!(failed.contains("has not done its work") && failed.contains("(2 rows)"), "{failed}");
    let tables = |name: &str| -> i64 {
        let sql = "select count(*) from sqlite_schema where name = ?1";
        connection.query_row(sql, [name], |row| row.get(0)).expect("it is answered")
    };
    assert_eq!((tables("u"), tables("w")), (1, 0));
    assert!(run("after").expect(2).err().contains("has not done its work"));
    // It may be taken back as it stands.
    let down = ["migrate", "down", "after", "--target", "shop.sqlite", "--yes", "--lose-data"];
    sandbox.run(&down).expect(0);
    assert_eq!(tables("u"), 0);
    run("after").expect(2);
    connection.execute_batch("update t set a = 1").expect("rows are mended");
    let done = run("after").expect(0).out();
    assert!(done.contains("2 migrations applied"), "{done}");
    assert_eq!((tables("u"), tables("w")), (1, 1));
}
