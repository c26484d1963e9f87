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

fn migrate(sandbox: &Sandbox, arguments: &[&str]) -> Outcome {
    let arguments = [&["migrate"], arguments].concat();
    sandbox.dbwright(&arguments).env("DBWRIGHT_SERVERS", newest_folder()).run()
}

#[test]
fn what_is_written_after_the_switch_is_there_after_the_way_back() {
    let sandbox = Sandbox::new();
    let server = Postgres::newest();
    let cases = [
        ("renamed", "rename column c to full_name on t", "full_name", "c"),
        ("retyped", "change type of t.id to bigint", "c", "c"),
    ];
    for (name, wish, new, old) in cases {
        server.database(name, POSTGRES);
        server.ask(name, "drop table child");
        let target = server.target("postgres", name);
        let new_plan = ["new", wish, "--catalog", &target, "--out", name, "--format", "json"];
        let planned = migrate(&sandbox, &new_plan).expect(0).json();
        let steps = planned["steps"].as_array().expect("a list");
        let reversible = steps.iter().take_while(|step| step["irreversible"].is_null()).count();
        assert_eq!(reversible, steps.len() - 1, "{wish}: there is no way back from the last step alone");
        let last = &steps[reversible - 1]["file"].as_str().expect("a name")[..14];
        let up = ["up", name, "--target", &target, "--yes", "--quiet", "--waited", "all", "--to", last];
        let write = |column: &str, row: u32| {
            let text = format!("update t set {column} = 'written {row}' where id = {row}");
            server.ask(name, &text);
            let text = format!("insert into t (id, a, b, {column}) values ({row} + 9000, 1, 1, 'new {row}')");
            server.ask(name, &text);
        };
        let told = |column: &str| {
            server.ask(name, "update t set a = a");
            let text =
                format!("select {column} from t where {column} like 'written %' or id > 9000 order by id");
            server.ask(name, &text)
        };
        migrate(&sandbox, &up).expect(0);
        write(new, 1);
        let down = |steps: &str| {
            let down =
                ["down", name, "--target", &target, "--yes", "--lose-data", "--steps", steps, "--quiet"];
            migrate(&sandbox, &down).expect(0);
        };
        down("1");
        write(old, 2);
        assert_eq!(told(old), ["written 1", "written 2", "new 1", "new 2"], "{wish}");
        migrate(&sandbox, &up).expect(0);
        write(new, 3);
        down(&reversible.to_string());
        assert_eq!(told(old), ["written 1", "written 2", "written 3", "new 1", "new 2", "new 3"], "{wish}");
    }
}

#[test]
fn nothing_is_begun_while_rows_are_in_the_way() {
    let sandbox = Sandbox::new();
    let server = Postgres::newest();
    server.database("dirty", POSTGRES);
    server.ask("dirty", "update t set a = null, parent_id = 77 where id = 5");
    let target = server.target("postgres", "dirty");
    let constraints =
        || server.ask("dirty", "select conname from pg_constraint where conrelid = 't'::regclass order by 1");
    let before = constraints();
    let wishes = [
        "set t.a not null",
        "add check on t (parent_id < 60)",
        "add foreign key on t(parent_id) to parent(id)",
    ];
    for (number, wish) in wishes.iter().enumerate() {
        let folder = format!("m{number}");
        migrate(&sandbox, &["new", wish, "--catalog", &target, "--out", &folder]).expect(0);
        let refused = migrate(&sandbox, &["up", &folder, "--target", &target, "--yes"]).expect(2).err();
        assert!(refused.contains("must not be run yet") && refused.contains("(1 row)"), "{wish}: {refused}");
        assert_eq!(constraints(), before, "{wish}");
        server.ask("dirty", "drop table if exists dbwright_migrations");
    }
}

#[test]
fn whoever_may_use_a_table_may_use_it_by_its_old_name() {
    let sandbox = Sandbox::new();
    let server = Postgres::newest();
    server.database("granted", POSTGRES);
    for sql in [
        "create role app",
        "create role owner",
        "grant select, insert on child to app with grant option",
        "grant update (n) on child to app",
        "alter table child owner to owner",
        "grant usage on schema public to app, owner",
    ] {
        server.ask("granted", sql);
    }
    let target = server.target("postgres", "granted");
    let wish = ["new", "rename table child to kid", "--catalog", &target, "--out", "m", "--format", "json"];
    let planned = migrate(&sandbox, &wish).expect(0).json();
    let first = planned["steps"][0]["file"].as_str().expect("a name")[..14].to_owned();
    migrate(&sandbox, &["up", "m", "--target", &target, "--yes", "--quiet", "--to", &first]).expect(0);
    let rights = server.ask(
        "granted",
        "select concat_ws(' ', relkind, pg_get_userbyid(relowner), has_table_privilege('app', oid, 'select with grant option'),          has_table_privilege('app', oid, 'delete'), has_column_privilege('app', oid, 'n', 'update'))          from pg_class where relname = 'child'",
    );
    assert_eq!(rights, ["v owner t f t"]);
    server.ask("granted", "set role app; select count(*) from child; insert into child values (9001, 1, 1); update child set n = 2");
    let functions = "select proname from pg_proc where pronamespace = 'public'::regnamespace";
    assert_eq!(server.ask("granted", functions), Vec::<String>::new());
    let back = ["down", "m", "--target", &target, "--yes", "--quiet"];
    migrate(&sandbox, &back).expect(0);
    assert_eq!(server.ask("granted", "select relkind from pg_class where relname = 'child'"), ["r"]);
}

#[test]
fn what_the_server_refuses_is_not_written() {
    let sandbox = Sandbox::new();
    let server = Postgres::newest();
    server.database("refusing", POSTGRES);
    let target = server.target("postgres", "refusing");
    for wish in [
        "add primary key on t(id)",
        "alter table t add constraint b_positive check (a > 0)",
        "create view parent as select 1",
    ] {
        migrate(&sandbox, &["new", wish, "--catalog", &target, "--out", "m"]).expect(2);
        assert!(!sandbox.path("m").exists(), "{wish}");
    }
    sandbox.file("change.sql", "alter table t add column e int; update t set a = 1;");
    let part = migrate(&sandbox, &["plan", "change.sql", "--catalog", &target, "--out", "m"]).expect(1).out();
    assert!(part.contains("is not in the plan"), "{part}");
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
