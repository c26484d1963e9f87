//! Every fact on every version, as superuser and as nobody.

use super::*;
use dbwright_model::access::{GrantObject, PasswordStorage};
use dbwright_model::name::QualifiedName;

const BUSY: &str = "
create extension pg_stat_statements;
create table parent (id int generated always as identity primary key, a text, b bool, c bigint);
create table child (id serial primary key, parent_id int references parent);
create index on child (parent_id);
insert into parent (a, b, c) select 'x' || i % 10, true, i from generate_series(1, 20000) i;
insert into child (parent_id) select i from generate_series(1, 100) i;
create index on parent (a);
create index on parent (b);
create table schema_migrations (version varchar primary key);
insert into schema_migrations values ('20240101'), ('20240202');
create table _sqlx_migrations (version bigint primary key, success bool not null, installed_on timestamptz not null);
insert into _sqlx_migrations values (1, true, '2024-01-01 00:00:00Z'), (2, false, '2024-01-02 00:00:00Z');
create role reader login;
create role member login in role pg_monitor;
alter role member set work_mem = '5MB';
grant select on parent to reader;
grant update (a) on parent to public;
create function f() returns int language sql as 'select 1';
create extension postgres_fdw;
create server far foreign data wrapper postgres_fdw;
create user mapping for public server far options (user 'u', password 'marked');
create publication pub for table parent;
";

fn plan() -> Vec<Fact> {
    Fact::ALL.into_iter().filter(|fact| fact.is_collected()).collect()
}

#[test]
fn every_fact_is_read_on_every_version() {
    on_every_server(async |server| {
        let client = database(server, "t", BUSY).await;
        run(&client, "vacuum analyze").await;
        run(&client, "select pg_create_logical_replication_slot('s', 'pgoutput')").await;
        run(&client, "set pg_stat_statements.track_utility = on").await;
        run(&client, "create role guarded password 'marked'").await;
        run(&client, "begin; insert into child (parent_id) values (1); prepare transaction 'left open'")
            .await;
        // Counters arrive with a delay.
        let counted = "select pg_stat_get_tuples_inserted('parent'::regclass)";
        while client.query_one(counted, &[]).await.unwrap().get::<_, i64>(0) < 20_000 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let facts = collect(server, "postgres", "t", &plan()).await;
        for fact in plan() {
            let expected_unknown = matches!(fact, Fact::Storage | Fact::Integrity);
            match facts.status(fact) {
                Observed::Known(()) => assert!(!expected_unknown, "{fact:?}"),
                Observed::Unsupported(_) => assert!(expected_unknown, "{fact:?}"),
                other => panic!("{}: {fact:?} is {other:?}", server.version()),
            }
        }
        check_values(&facts, server.version().major);
        drop(client);
    });
}

fn check_values(facts: &Facts, major: u16) {
    let parent = QualifiedName::new("public", "parent");
    let tables = facts.table_statistics.known().unwrap();
    let table = tables.iter().find(|one| one.table == parent).unwrap();
    assert_eq!((table.rows, table.inserts, table.dead_rows), (Some(20_000), Some(20_000), Some(0)));
    assert!(table.table_bytes.unwrap() > 800_000 && table.index_bytes.unwrap() > 400_000);
    assert!(table.xid_age.is_some() && table.last_vacuum.is_some());
    // A fresh table wastes nearly nothing, and its odd alignment is not waste.
    assert!(table.bloat_bytes.unwrap() * 100 < table.table_bytes.unwrap() * 5, "{table:?}");
    let indexes = facts.index_statistics.known().unwrap();
    assert!(indexes.iter().any(|one| one.index == "parent_a_idx" && one.bytes.unwrap() > 0));
    assert!(facts.counters.known().unwrap().started.is_some());
    let columns = facts.column_statistics.known().unwrap();
    let a = columns.iter().find(|one| one.table == parent && one.column == "a").unwrap();
    assert_eq!((a.distinct, a.common_values.len()), (10.0, 10));
    let sequences = facts.sequence_values.known().unwrap();
    let values: Vec<_> = sequences.iter().map(|one| (one.sequence.name.as_str(), one.last_value)).collect();
    assert_eq!(values, [("child_id_seq", Some(101)), ("parent_id_seq", Some(20_000))]);
    let maxima: Vec<_> = facts
        .column_maxima
        .known()
        .unwrap()
        .iter()
        .map(|one| (one.table.name.as_str(), one.column.as_str(), one.min, one.max))
        .collect();
    let expected = [
        ("child", "id", Some(1), Some(100)),
        ("child", "parent_id", Some(1), Some(100)),
        ("parent", "id", Some(1), Some(20_000)),
    ];
    assert_eq!(maxima, expected);
    let workload = facts.workload.known().unwrap();
    assert!(workload.statements.iter().any(|one| one.text.starts_with("insert into parent")));
    assert_eq!(workload.evicted.is_some(), major >= 14);
    assert_eq!(facts.settings.known().unwrap().flag("fsync"), Some(false));
    // Our own limits are not the server's.
    for name in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        assert_eq!(facts.settings.known().unwrap().integer(name), Some(0), "{name}");
    }
    let databases = facts.databases.known().unwrap();
    assert!(databases.iter().any(|one| one.current && one.name == "t" && one.bytes.unwrap() > 1 << 20));
    assert!(facts.sessions.known().unwrap().iter().any(|one| one.application == "dbwright scratch"));
    let prepared = facts.prepared_transactions.known().unwrap();
    assert_eq!((prepared.len(), prepared[0].id.as_str()), (1, "left open"));
    let status = facts.server_status.known().unwrap();
    assert!(status.number("shared_locks").unwrap() >= 1.0, "what is prepared holds locks");
    for name in ["notification_queue", "client_fsyncs", "client_fsyncs_since"] {
        assert!(status.number(name).is_some(), "{name}");
    }
    assert!(databases.iter().all(|one| !one.allows_connections || one.conflicts.is_some()));
    let slots = facts.slots.known().unwrap();
    assert_eq!((slots.len(), slots[0].name.as_str(), slots[0].active), (1, "s", false));
    assert_eq!(slots[0].inactive_seconds.is_some(), major >= 17);
    assert!(facts.checkpointer.known().unwrap().since.is_some());
    let wal = facts.wal.known().unwrap();
    assert_eq!(wal.bytes.is_some(), major >= 14);
    assert!(wal.directory_bytes.unwrap() >= 16 << 20);
    let roles = facts.roles.known().unwrap();
    let member = roles.iter().find(|one| one.name == "member").unwrap();
    assert_eq!((member.password, member.member_of.len()), (PasswordStorage::None, 1));
    assert!(member.member_of[0].inherits && !member.member_of[0].admin);
    assert_eq!(member.settings, [("work_mem".into(), "5MB".to_owned())]);
    let grants = &facts.privileges.known().unwrap().grants;
    let granted = |kind: GrantObject, name: &str, to: &str, right: &str| {
        grants.iter().any(|one| {
            one.object_kind == kind && one.object.name == name && one.grantee == to && one.privilege == right
        })
    };
    assert!(granted(GrantObject::Table, "parent", "reader", "SELECT"));
    assert!(granted(GrantObject::Column, "parent.a", "public", "UPDATE"));
    assert!(granted(GrantObject::Function, "f()", "public", "EXECUTE"), "a default was not expanded");
    assert!(granted(GrantObject::Database, "t", "public", "CONNECT"));
    assert_eq!(granted(GrantObject::Schema, "public", "public", "CREATE"), major < 15);
    assert!(!grants.iter().any(|one| one.grantee == "postgres" && one.object_kind == GrantObject::Table));
    let hba = &facts.hba.known().unwrap().rules;
    assert!(hba.iter().any(|rule| rule.connection == "local" && rule.method == "trust"));
    assert_eq!(hba[0].file.is_some(), major >= 16);
    let mappings = facts.user_mappings.known().unwrap();
    assert_eq!(mappings[0].options.as_deref().unwrap(), ["password", "user"]);
    assert!(!format!("{facts:?}").contains("marked"));
    let statements = &facts.workload.known().unwrap().statements;
    assert!(statements.iter().any(|one| one.text == "create role guarded password '***'"), "{statements:?}");
    let publications = facts.catalog.known().unwrap().publications.known().unwrap();
    assert_eq!(publications[0].tables.len(), 1);
    assert_eq!(publications[0].tables[0].table, parent);
    let histories = facts.migration_history.known().unwrap();
    let found: Vec<_> = histories.iter().map(|one| (one.tool.as_str(), one.applied.len())).collect();
    assert_eq!(found, [("sqlx", 2), ("Rails or dbmate", 2)]);
    assert!(histories[0].applied[0].ok && !histories[0].applied[1].ok);
    assert_eq!(histories[0].applied[0].at.unwrap().to_string(), "2024-01-01T00:00:00Z");
}

#[test]
fn what_a_role_may_not_see_is_denied_and_not_failed() {
    on_every_server(async |server| {
        let client = database(server, "t", BUSY).await;
        run(&client, "vacuum analyze").await;
        run(&client, "create role nobody login; revoke update (a) on parent from public").await;
        let facts = collect(server, "nobody", "t", &plan()).await;
        for fact in plan() {
            let status = facts.status(fact);
            assert!(!matches!(status, Observed::Failed(_) | Observed::NotAsked), "{fact:?}: {status:?}");
        }
        let history = facts.status(Fact::MigrationHistory);
        assert!(
            matches!(&history, Observed::Denied(because) if because.contains("_sqlx_migrations")),
            "{history:?}"
        );
        for fact in [
            Fact::Hba,
            Fact::Workload,
            Fact::Sessions,
            Fact::LockWaits,
            Fact::Replication,
            Fact::SequenceValues,
            Fact::ColumnMaxima,
            Fact::ColumnStatistics,
        ] {
            let Observed::Denied(because) = facts.status(fact) else { panic!("{fact:?} is not denied") };
            assert!(because.contains("GRANT "), "{because}");
        }
        let roles = facts.roles.known().unwrap();
        assert!(roles.iter().all(|role| role.password == PasswordStorage::Unknown));
        assert_eq!(facts.user_mappings.known().unwrap()[0].options, None);
        let monitor = collect(server, "member", "t", &plan()).await;
        for fact in [Fact::Workload, Fact::Sessions, Fact::Replication, Fact::Wal] {
            assert!(monitor.status(fact).is_known(), "{fact:?}: {:?}", monitor.status(fact));
        }
        drop(client);
    });
}

#[test]
fn what_is_hidden_is_not_absent() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id serial primary key, a int);
             create table child (id serial primary key, parent_id int references parent);
             create table schema_migrations (version text);
             create view v as select a from parent;
             create function f() returns int language sql as 'select 1';
             insert into parent (a) select i % 3 from generate_series(1, 200) i;
             insert into child (parent_id) select id from parent;
             insert into schema_migrations values ('1');
             create role none_at_all login;
             create role one_table login;
             grant select on parent to one_table;
             grant select on parent_id_seq to one_table;",
        )
        .await;
        run(&client, "vacuum analyze").await;
        let plan = plan();
        let root = collect(server, "postgres", "t", &plan).await;
        assert!(root.in_part.is_empty(), "{:?}", root.in_part);
        for role in ["none_at_all", "one_table"] {
            let facts = collect(server, role, "t", &plan).await;
            // The catalog is open to everybody, definitions and all.
            assert_eq!(facts.catalog, root.catalog, "{role}");
            for fact in
                [Fact::ColumnMaxima, Fact::SequenceValues, Fact::ColumnStatistics, Fact::MigrationHistory]
            {
                let status = facts.status(fact);
                let in_part = facts.in_part.get(&fact);
                match (role, fact) {
                    ("none_at_all", _) | (_, Fact::MigrationHistory) => {
                        assert!(matches!(status, Observed::Denied(_)), "{role} {fact:?}: {status:?}");
                    }
                    _ => assert!(
                        status.is_known() && in_part.is_some_and(|because| because.contains("GRANT")),
                        "{role} {fact:?}: {status:?} {in_part:?}"
                    ),
                }
            }
        }
        drop(client);
    });
}

#[test]
fn collection_is_frugal() {
    on_every_server(async |server| {
        let client = database(server, "t", BUSY).await;
        run(&client, "vacuum analyze").await;
        let mut session = open(&server.dsn("t"), &Limits::default()).await.unwrap();
        session.record().await.unwrap();
        run(&client, "select pg_stat_statements_reset()").await;
        session.collect(&plan(), &Silent).await.unwrap();
        let recording = session.recording().unwrap();
        assert!(recording.answers.len() <= 32, "{} statements", recording.answers.len());
        let names: BTreeSet<&str> = recording.answers.iter().map(|one| one.statement.as_str()).collect();
        assert_eq!(names.len(), recording.answers.len(), "a statement ran twice");
        // Every transaction also takes its snapshot by `select 1`. Version 18 leaves comments out.
        let query = "select count(*) from pg_stat_statements
                      where query not like '%select $1' and query not like '%pg_stat_statements_reset%'";
        let counted: i64 = client.query_one(query, &[]).await.unwrap().get(0);
        assert!((20..=32).contains(&counted), "{counted} statements");

        // A recording gives the same facts as the server.
        let live = session.collect(&plan(), &Silent).await.unwrap();
        let mut replayed = ReadSession::replay(recording).await.unwrap();
        let replayed = replayed.collect(&plan(), &Silent).await.unwrap();
        assert_eq!(live.catalog, replayed.catalog);
        assert_eq!(live.privileges, replayed.privileges);
        assert_eq!(live.column_statistics, replayed.column_statistics);
        session.close().await;
        drop(client);
    });
}

/// Tables and what is done to them. Columns are laid out so that padding, nulls and wide values all occur.
const SHAPES: &str = "
create table plain (a int, b int, c bigint);
insert into plain select i, i, i from generate_series(1, 100000) i;
create table padded (a bool, b bigint, c bool, d bigint, e bool, f bigint);
insert into padded select true, i, false, i, true, i from generate_series(1, 60000) i;
create table nulls (a int, b text, c bigint, d text);
insert into nulls select i, case when i % 3 = 0 then 'abc' end, case when i % 2 = 0 then i end, null
  from generate_series(1, 80000) i;
create table wide (a int, b text);
insert into wide select i, repeat('x', 20 + i % 200) from generate_series(1, 40000) i;
create table halved (a int, b text);
insert into halved select i, repeat('x', 100) from generate_series(1, 60000) i;
delete from halved where a % 2 = 0;
create table narrow (a int);
insert into narrow select i from generate_series(1, 200000) i;
delete from narrow where a % 4 <> 0;
create table amounts (a numeric(12, 2), b timestamptz, c smallint, d numeric);
insert into amounts select i * 1.37, now(), 1, i from generate_series(1, 60000) i;
create index few on plain ((null::int)) where false;
create index plain_few on padded (a);
create index plain_b on plain (b);
create index wide_b on wide (b);
create unique index plain_c on plain (c);
";

#[test]
fn bloat_is_estimated_near_what_is_measured() {
    on_every_server(async |server| {
        let client = database(server, "t", SHAPES).await;
        run(&client, "vacuum analyze").await;
        run(&client, "create extension pgstattuple").await;
        let plan = [Fact::TableStatistics, Fact::IndexStatistics];
        let facts = collect(server, "postgres", "t", &plan).await;
        for table in facts.table_statistics.known().unwrap() {
            let query = format!(
                "select (free_percent + dead_tuple_percent)::float8 from pgstattuple('{}')",
                table.table.name
            );
            let measured: f64 = client.query_one(&query, &[]).await.unwrap().get(0);
            let estimated = table.bloat_bytes.unwrap_or_else(|| panic!("{table:?}")) as f64 * 100.0
                / table.table_bytes.unwrap() as f64;
            println!(
                "{:10} measured {measured:5.1} %, estimated {estimated:5.1} %",
                table.table.name.as_str()
            );
            let tolerance = match table.table.name.as_str() {
                // Averages do not say how often a number of varying size spills over an alignment.
                "amounts" => 10.0,
                // What is measured leaves out the empty line pointers of many narrow rows that are gone.
                "narrow" => 10.0,
                _ => 5.0,
            };
            assert!((measured - estimated).abs() <= tolerance, "{}: {measured} and {estimated}", table.table);
        }
        for index in facts.index_statistics.known().unwrap() {
            let Some(bloat) = index.bloat_bytes else { continue };
            let estimated = bloat as f64 * 100.0 / index.bytes.unwrap() as f64;
            println!("{:10} estimated {estimated:5.1} %", index.index.as_str());
            assert!(estimated < 12.0, "the fresh index `{}` is said to waste {estimated} %", index.index);
        }
        let estimated = |name: &str| {
            let indexes = facts.index_statistics.known().unwrap();
            indexes.iter().any(|index| index.index == name && index.bloat_bytes.is_some())
        };
        assert!(estimated("plain_c") && estimated("plain_b") && !estimated("few"));
        drop(client);
    });
}

#[test]
fn one_object_hides_nothing_of_the_others() {
    on_every_server(async |server| {
        let client = database(
            server,
            "t",
            "create table parent (id int primary key, a text unique);
             insert into parent values (2147000000, 'x');
             create table child (id int generated always as identity primary key, a text not null);
             create table held (id serial primary key);
             create function f(text) returns text immutable language sql
               as 'select upper(a) from public.parent where a = $1';
             create index on child (f(a));
             create or replace function f(text) returns text immutable language sql
               as 'select upper(a) from parent where a = $1';",
        )
        .await;
        // Planning the largest value of `child` inlines a function that finds nothing on an empty search path.
        let plan = [Fact::SequenceValues, Fact::ColumnMaxima];
        let facts = collect(server, "postgres", "t", &plan).await;
        let read = |facts: &Facts| -> Vec<String> {
            facts.column_maxima.known().unwrap().iter().map(|one| one.table.name.to_string()).collect()
        };
        assert_eq!(read(&facts), ["held", "parent"]);
        let because = &facts.in_part[&Fact::ColumnMaxima];
        assert!(because.starts_with("`public.child`: ") && because.contains("does not exist"), "{because}");
        assert!(!facts.in_part.contains_key(&Fact::SequenceValues), "{:?}", facts.in_part);

        let holder = server.client("t").await.unwrap();
        run(&holder, "begin; lock table held in access exclusive mode").await;
        let mut session =
            open(&server.dsn("t"), &Limits { lock_timeout: Duration::from_millis(50), ..Limits::default() })
                .await
                .unwrap();
        let facts = session.collect(&plan, &Silent).await.unwrap();
        session.close().await;
        assert_eq!(read(&facts), ["parent"]);
        let because = &facts.in_part[&Fact::ColumnMaxima];
        assert!(because.contains("(and 1 more)"), "{because}");
        drop((client, holder));
    });
}
