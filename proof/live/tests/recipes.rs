//! What single recipes of plans promise, seen on every installed PostgreSQL: views that are made again keep all that stands
//! on them and read the new column, and the question for values that do not fit finds those that the server refuses.

use dbwright_advise::migrate::plan;
use dbwright_engine::postgres::observe::Observer;
use dbwright_engine::scratch::postgres::PostgresServer;
use dbwright_model::catalog::Catalog;
use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use dbwright_model::plan::{Plan, Step, Undo, Work};
use dbwright_service::ops::migrate::knowledge::TextSide;
use dbwright_sql::script::write::{statements, update};
use proof_live::{SCHEMA_FACTS, Server, collect, servers};

fn parse(script: &str) -> Vec<Change> {
    let statements = dbwright_sql::split(Dialect::Postgres, script);
    statements
        .into_iter()
        .flat_map(|statement| dbwright_sql::parse_statement(Dialect::Postgres, statement.text))
        .collect()
}

fn on_every_postgres(check: impl AsyncFn(&Server, &PostgresServer)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for server in &servers() {
        if let Server::Postgres(postgres) = server {
            runtime.block_on(check(server, postgres));
        }
    }
}

/// A new database with a schema in it, as its catalog tells it.
async fn database<'a>(
    server: &Server,
    postgres: &'a PostgresServer,
    schema: &str,
) -> (Observer<'a>, Catalog) {
    let dsn = server.fresh("recipes").await.expect("a database");
    let mut session = Observer::open(postgres, "recipes").await.expect("a session");
    session.script("set client_min_messages = warning").await.expect("a setting");
    session.script(schema).await.unwrap_or_else(|error| panic!("{}: {}", server.name(), error.message));
    let facts = collect(&dsn, &SCHEMA_FACTS).await.expect("facts");
    (session, facts.catalog.known().expect("a catalog").clone())
}

fn planned(server: &PostgresServer, catalog: &Catalog, change: &str) -> Plan {
    let know = TextSide { engine: Engine::Postgres, version: Some(server.version()) };
    let planned = plan(&know, catalog, know.version, &parse(change));
    planned.unwrap_or_else(|declined| panic!("{change} on {}: {}", server.version(), declined.because))
}

/// Runs work in one transaction, as the runner does.
async fn run(session: &mut Observer<'_>, server: &PostgresServer, work: &[Work]) {
    let written = statements(Engine::Postgres, Some(server.version()), work).expect("it is written");
    let all: String = written.iter().map(|written| format!("{};\n", written.sql)).collect();
    let all = format!("begin;\n{all}commit;");
    session.script(&all).await.unwrap_or_else(|error| panic!("{}: {all}", error.message));
}

async fn step(session: &mut Observer<'_>, server: &PostgresServer, step: &Step) {
    if let Some(check) = &step.pre_check {
        let found = session.count(&check.sql).await;
        assert_eq!(found.unwrap_or_else(|error| panic!("{}: {}", error.message, check.sql)), 0);
    }
    match &step.repeat {
        Some(batches) => session.script(&update(Dialect::Postgres, batches)).await.expect("rows are written"),
        None => run(session, server, &step.work).await,
    }
}

/// Everything that stands on the views of the database, their columns' types left out.
const STANDING: &str = "
    select concat_ws(' | ', c.relname, pg_get_userbyid(c.relowner),
                     (select string_agg(one::text, ' ' order by one::text) from unnest(coalesce(c.relacl, acldefault('r', c.relowner))) one),
                     c.reloptions::text,
                     obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid),
                     (select string_agg(concat_ws(' ', attname, attacl::text, col_description(attrelid, attnum)), ', ' order by attnum)
                        from pg_attribute a where a.attrelid = c.oid and attnum > 0))
      from pg_class c where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace order by c.relname";

const VIEWS: &str = "
    do $$ begin
      if to_regrole('\"owner of views\"') is null then
        create role \"owner of views\"; create role reader; create role chief; create role newcomer;
      end if;
    end $$;
    grant create on schema public to \"owner of views\";
    create table t (id int primary key, c int not null, note varchar(9));
    insert into t select n, n * 10, 'n' || n from generate_series(1, 5) n;
    create table other (t_id int);
    create view plain as select id, note from t;
    create view narrow with (security_barrier) as select id, c, note from t where c < 1000 with cascaded check option;
    create view \"On top\" as select id, c + 1 as more from narrow;
    create view joined (a, b) as select o.t_id, n.more from other o left join \"On top\" n on n.id = o.t_id;
    comment on view narrow is 'it''s; narrow';
    comment on column narrow.c is 'the ''c''';
    alter view narrow owner to \"owner of views\";
    grant select on t to \"owner of views\";
    grant select on narrow to reader, public;
    grant insert, update on narrow to chief with grant option;
    grant update (more) on \"On top\" to reader;
    revoke delete on narrow from \"owner of views\";
    alter default privileges in schema public grant select on tables to newcomer;";

#[test]
fn views_are_made_again_with_all_that_stands_on_them() {
    on_every_postgres(async |server, postgres| {
        let invoker = match postgres.version().major >= 15 {
            true => "alter view \"On top\" set (security_invoker = true);",
            false => "",
        };
        let (mut session, catalog) = database(server, postgres, &format!("{VIEWS}{invoker}")).await;
        let standing = session.texts(STANDING).await.expect("it is read");
        assert_eq!(standing.len(), 4);
        assert!(standing.iter().any(|one| one.contains("owner of views") && one.contains("chief=a*w*")));
        let plan = planned(postgres, &catalog, "ALTER TABLE t ALTER c TYPE bigint");
        let told = "select concat_ws(' ', v.c, pg_typeof(v.c), o.more, pg_typeof(o.more)) from narrow v join \"On top\" o using (id) where id = ";
        for one in &plan.steps {
            step(&mut session, postgres, one).await;
            // A row written between any two steps is the same through the views.
            session.script("update t set c = c + 1 where id = 3; insert into t (id, c, note) values (6, 5, 'x') on conflict (id) do update set c = 5").await.expect("rows");
            let seen = session.texts(&format!("{told} 6")).await.expect("it is read");
            assert!(
                matches!(seen[0].as_str(), "5 integer 6 integer" | "5 bigint 6 bigint"),
                "{}: {seen:?}",
                one.name
            );
            let same = session
                .texts("select t.id::text from t join narrow n using (id) where t.c is distinct from n.c")
                .await;
            assert_eq!(same.expect("it is read"), Vec::<String>::new(), "{}: {}", server.name(), one.name);
            assert_eq!(
                session.texts(STANDING).await.expect("it is read"),
                standing,
                "{}: {}",
                server.name(),
                one.name
            );
        }
        session.script("update t set c = 900 where id = 6").await.expect("a row");
        assert_eq!(session.texts(&format!("{told} 6")).await.expect("it is read"), ["900 bigint 901 bigint"]);
        // The way back, but for the last step, which cannot be undone.
        let (mut session, _) = database(server, postgres, &format!("{VIEWS}{invoker}")).await;
        let reversible = plan.steps.iter().take_while(|step| matches!(step.undo, Undo::Work(_))).count();
        assert!(plan.steps[reversible - 1].name.starts_with("Let "), "{}", plan.steps[reversible - 1].name);
        for one in &plan.steps[..reversible] {
            step(&mut session, postgres, one).await;
        }
        session.script("update t set c = 7 where id = 3").await.expect("a row");
        for one in plan.steps[..reversible].iter().rev() {
            let Undo::Work(work) = &one.undo else { continue };
            run(&mut session, postgres, work).await;
        }
        assert_eq!(session.texts(STANDING).await.expect("it is read"), standing, "{}", server.name());
        assert_eq!(session.texts(&format!("{told} 1")).await.expect("it is read"), ["10 integer 11 integer"]);
    });
}

/// What is bound to the column's number and not in the catalog that the plan was made from.
const BOUND: &[(u16, &str, &str)] = &[
    (13, "create view v as select id, c from t;", "view v"),
    (13, "create view v as select id from t order by c;", "view v"),
    (13, "create materialized view v as select max(c) from t;", "materialized view v"),
    (
        13,
        "create trigger tr before update of c on t for each row execute function suppress_redundant_updates_trigger();",
        "trigger tr",
    ),
    (13, "create policy p on t using (c > 0);", "policy p"),
    (13, "create rule r as on insert to other do also update t set c = 0;", "rule r"),
    (14, "create function f() returns bigint begin atomic select sum(c) from t; end;", "function f()"),
];

#[test]
fn the_view_of_an_old_name_has_its_rights_on_the_way_back() {
    on_every_postgres(async |server, postgres| {
        let schema = "
            do $$ begin if to_regrole('keeper') is null then create role keeper; create role reader_of_t; end if; end $$;
            grant create on schema public to keeper;
            create table t (id int primary key, a int);
            grant select on t to reader_of_t;
            grant update (a) on t to public;
            alter table t owner to keeper;";
        let (mut session, catalog) = database(server, postgres, schema).await;
        let plan = planned(postgres, &catalog, "ALTER TABLE t RENAME TO u");
        let [rename, drop] = plan.steps.as_slice() else { panic!("{:#?}", plan.steps) };
        step(&mut session, postgres, rename).await;
        let standing = session.texts(STANDING).await.expect("it is read");
        assert!(standing.concat().contains("reader_of_t=r/keeper"), "{standing:?}");
        step(&mut session, postgres, drop).await;
        assert_eq!(session.texts(STANDING).await.expect("it is read"), Vec::<String>::new());
        let Undo::Work(back) = &drop.undo else { panic!("{:?}", drop.undo) };
        run(&mut session, postgres, back).await;
        assert_eq!(session.texts(STANDING).await.expect("it is read"), standing, "{}", server.name());
    });
}

#[test]
fn nothing_goes_on_reading_the_old_column_unseen() {
    const SCHEMA: &str = "create table t (id int primary key, c int); create table other (x int);
        insert into t values (1, 1), (2, 2);";
    on_every_postgres(async |server, postgres| {
        for (first, sql, word) in BOUND {
            if postgres.version().major < *first {
                continue;
            }
            let (mut session, catalog) = database(server, postgres, SCHEMA).await;
            let plan = planned(postgres, &catalog, "ALTER TABLE t ALTER c TYPE bigint");
            session.script(sql).await.unwrap_or_else(|error| panic!("{sql}: {}", error.message));
            let switch = plan.steps.iter().find(|step| step.name.starts_with("Let")).expect("a switch");
            for asked in [&plan.steps[0], switch] {
                let check = asked.pre_check.as_ref().expect("it asks");
                let found =
                    session.texts(&check.sql).await.unwrap_or_else(|error| panic!("{}", error.message));
                assert!(found.iter().any(|one| one.contains(word)), "{sql}: {found:?}");
            }
        }
        // What the question is for: a view that was not made again reads the column that is left.
        let (mut session, catalog) = database(server, postgres, SCHEMA).await;
        let plan = planned(postgres, &catalog, "ALTER TABLE t ALTER c TYPE bigint");
        session.script("create view v as select id, c from t").await.expect("a view");
        for one in plan.steps.iter().take_while(|step| !step.name.starts_with("Drop")) {
            step(&mut session, postgres, &Step { pre_check: None, ..one.clone() }).await;
        }
        session.script("update t set c = 5000000000 where id = 1").await.expect("a row");
        assert_eq!(session.count("select from v where c is null").await.expect("it is read"), 1);
        // What is lost with a view that is made again is asked for too.
        for (sql, word) in [
            (
                "create trigger tr instead of update on v for each row execute function suppress_redundant_updates_trigger()",
                "trigger tr",
            ),
            ("create rule r as on delete to v do instead nothing", "rule r"),
            ("alter view v alter id set default 9", "default"),
            ("create materialized view m as select c from v", "materialized view m"),
        ] {
            let schema = format!("{SCHEMA} create view v as select id, c from t;");
            let (mut session, catalog) = database(server, postgres, &schema).await;
            let plan = planned(postgres, &catalog, "ALTER TABLE t ALTER c TYPE bigint");
            session.script(sql).await.unwrap_or_else(|error| panic!("{sql}: {}", error.message));
            let check = plan.steps[0].pre_check.as_ref().expect("it asks");
            let found = session.texts(&check.sql).await.unwrap_or_else(|error| panic!("{}", error.message));
            assert!(found.iter().any(|one| one.contains(word)), "{sql}: {found:?}");
        }
    });
}

/// A type, values of it, and other types with how a value becomes one where that must be said.
type Conversions = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const CONVERSIONS: &[Conversions] = &[
    (
        "bigint",
        &[
            "0",
            "-1",
            "9",
            "100",
            "-100",
            "32767",
            "32768",
            "-32768",
            "-32769",
            "2147483647",
            "2147483648",
            "-2147483649",
            "9223372036854775807",
        ],
        &[
            ("smallint", ""),
            ("int", ""),
            ("numeric(5,2)", ""),
            ("numeric(19)", ""),
            ("varchar(3)", ""),
            ("varchar(3)", "c::varchar(3)"),
            ("char(20)", ""),
            ("real", ""),
        ],
    ),
    (
        "numeric",
        &[
            "0",
            "0.4",
            "32767.4",
            "32767.5",
            "-32768.5",
            "-32768.51",
            "9.995",
            "9.994",
            "99.95",
            "NaN",
            "9223372036854775807.4",
            "9223372036854775807.5",
            "1e40",
            "1e-50",
            "1e400",
            "1e-400",
        ],
        &[
            ("smallint", ""),
            ("int", ""),
            ("bigint", ""),
            ("numeric(3,2)", ""),
            ("numeric(3,1)", ""),
            ("real", ""),
            ("double precision", ""),
            ("varchar(5)", ""),
        ],
    ),
    (
        "numeric(4,2)",
        &["0", "99.99", "-99.99", "9.99", "NaN"],
        &[
            ("smallint", ""),
            ("numeric(3,1)", ""),
            ("numeric(3,2)", ""),
            ("numeric(5,1)", ""),
            ("numeric(4,1)", ""),
            ("real", ""),
        ],
    ),
    (
        "double precision",
        &[
            "0",
            "0.5",
            "32767.4",
            "32767.5",
            "32768",
            "-32768.6",
            "2147483647.5",
            "2147483647.4",
            "9223372036854775807",
            "9.3e18",
            "-9223372036854775808",
            "NaN",
            "Infinity",
            "-Infinity",
            "3.4e38",
            "3.5e38",
            "1e-46",
            "1e-44",
            "99.995",
            "1e300",
        ],
        &[
            ("smallint", ""),
            ("int", ""),
            ("bigint", ""),
            ("numeric", ""),
            ("numeric(4,2)", ""),
            ("real", ""),
            ("varchar(5)", ""),
        ],
    ),
    (
        "text",
        &[
            "",
            " ",
            "abc",
            "abc ",
            "abcd",
            "abc  ",
            "  abcd",
            "äöü",
            "1",
            " 1 ",
            "+1",
            "-1",
            "1.5",
            "1.",
            ".5",
            ".",
            "1e3",
            "1e",
            "1e300",
            "1e400",
            "1e-400",
            "0001",
            "32768",
            "99999999999999999999",
            "1_000",
            "0x1F",
            "nan",
            "inf",
            "true",
            "T",
            "of",
            "o",
            "on",
            "yes",
            "nope",
            "2",
            "sad",
            "Sad",
            "{\"a\": 1}",
            "{",
            "2024-02-29",
            "2023-02-29",
            "today",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
            "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "A0EEBC999C0B4EF8BB6D6BB9BD380A11",
            "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
            "a0e-ebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "\u{a0}1",
            "١",
        ],
        &[
            ("varchar(3)", ""),
            ("varchar(3)", "c::varchar(3)"),
            ("char(3)", ""),
            ("smallint", "c::smallint"),
            ("int", "c::int4"),
            ("bigint", "c::bigint"),
            ("numeric", "c::numeric"),
            ("numeric(3,1)", "c::decimal(3, 1)"),
            ("real", "c::real"),
            ("double precision", "c::float8"),
            ("boolean", "c::bool"),
            ("uuid", "c::uuid"),
            ("mood", "c::mood"),
            ("date", "c::date"),
            ("jsonb", "c::jsonb"),
            ("int", "length(c)"),
        ],
    ),
    (
        "char(6)",
        &["abc", "abcd", ""],
        &[("varchar(3)", ""), ("char(3)", ""), ("varchar(6)", ""), ("text", "")],
    ),
    (
        "date",
        &["2024-01-01", "294276-12-31", "294277-01-01", "infinity", "4713-01-01 BC"],
        &[("timestamp", ""), ("timestamptz", ""), ("text", ""), ("varchar(10)", "")],
    ),
    (
        "uuid",
        &["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        &[("text", ""), ("varchar(36)", ""), ("varchar(20)", "")],
    ),
    ("mood", &["sad", "happy"], &[("varchar(3)", ""), ("text", "")]),
    ("boolean", &["true", "false"], &[("int", "c::int"), ("varchar(4)", "")]),
    ("json", &["{\"a\": 1}", "{\"a\": \"\\u0000\"}", "1e999999"], &[("jsonb", "")]),
    (
        "timestamp",
        &["2024-01-01 10:00", "infinity"],
        &[("date", ""), ("timestamptz", ""), ("timestamp(0)", "")],
    ),
];

#[test]
fn the_values_that_the_server_refuses_are_asked_for() {
    on_every_postgres(async |server, postgres| {
        let mut wrong = Vec::new();
        let (mut asked, mut compared) = (0, 0);
        for (from, values, targets) in CONVERSIONS {
            let literal = |value: &str| format!("'{}'", value.replace('\'', "''"));
            let rows: Vec<String> =
                values.iter().enumerate().map(|(i, value)| format!("({i}, {})", literal(value))).collect();
            let schema = format!(
                "create type mood as enum ('sad', 'happy', 'calm'); create table t (id int primary key, c {from});
                 insert into t values {}, (1000, null);",
                rows.join(", ")
            );
            let (mut session, catalog) = database(server, postgres, &schema).await;
            for (to, using) in *targets {
                let using = if using.is_empty() { String::new() } else { format!(" USING {using}") };
                let change = format!("ALTER TABLE t ALTER c TYPE {to}{using}");
                let mut refused = Vec::new();
                for (i, value) in values.iter().enumerate() {
                    let trial = format!("begin; delete from t where id <> {i}; {change}; rollback");
                    if let Err(error) = session.script(&trial).await {
                        session.script("rollback").await.expect("it ends");
                        refused.push((i.to_string(), format!("{value}: {}", error.message)));
                    }
                }
                let plan = planned(postgres, &catalog, &change);
                let check =
                    plan.steps[0].pre_check.as_ref().filter(|check| check.rows_mean.contains("does not fit"));
                let mut found = match check {
                    Some(check) => {
                        asked += 1;
                        let sql = format!("select id::text from ({}) as asked order by id", check.sql);
                        session.texts(&sql).await.unwrap_or_else(|error| panic!("{}: {sql}", error.message))
                    }
                    None if plan.summary.contains("cannot be asked") => continue,
                    None => Vec::new(),
                };
                compared += 1;
                let mut expected: Vec<String> = refused.iter().map(|(id, _)| id.clone()).collect();
                expected.sort();
                found.sort();
                if expected != found {
                    let named = |id: &String| id.parse().ok().and_then(|id: usize| values.get(id).copied());
                    let too_many: Vec<_> =
                        found.iter().filter(|id| !expected.contains(id)).map(named).collect();
                    refused.retain(|(id, _)| !found.contains(id));
                    wrong.push(format!(
                        "{}: {from} to {to}{using}: found {too_many:?} in vain, and not {refused:?}",
                        server.name()
                    ));
                }
            }
        }
        println!("{}: {asked} of {compared} conversions have a question", server.name());
        assert!(asked > 25 && compared > asked, "{asked} of {compared}");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
