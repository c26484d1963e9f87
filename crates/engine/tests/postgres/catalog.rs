//! The catalog of a schema that has everything.

use super::*;
use dbwright_model::catalog::*;
use dbwright_model::data_type::TypeKind;
use dbwright_model::name::{Name, QualifiedName};

const EVERYTHING: &str = r#"
create schema app;
comment on schema app is 'the application';
create type app.mood as enum ('sad', 'ok', 'happy');
create domain app.email as text not null default 'a@b' constraint has_at check (value like '%@%');
create domain app.few as int[] check (array_length(value, 1) < 5);
create domain app.fewer as app.few;
create type app.pair as (a int, b text[]);
create type app.span as range (subtype = float8);
create table app.parent (
    id bigint generated always as identity primary key,
    code varchar(20) collate "C" not null unique,
    amount numeric(10, 2) default 0,
    constraint positive check (amount >= 0)
);
comment on table app.parent is 'parents';
comment on column app.parent.code is 'the code';
create table app.child (
    id serial primary key,
    parent_id bigint references app.parent (id) on delete cascade deferrable,
    feeling app.mood,
    mail app.email,
    tags text[],
    at timestamptz(3) default now(),
    doubled int generated always as (1 + 1) stored,
    during tstzrange,
    gone int,
    exclude using gist (during with &&)
) with (fillfactor = 70);
alter table app.child drop column gone;
alter table app.child add constraint later check (id > 0) not valid;
create index child_lower on app.child (lower(mail) text_pattern_ops, at desc) include (feeling) where id > 10;
create index child_collated on app.parent (code collate "POSIX");
create unique index parent_amount on app.parent (amount desc nulls last);
create unlogged table app.fast (a int, b int, primary key (a, b));
create table app.part (id int not null, at date not null, primary key (id, at)) partition by range (at);
create table app.part_1 partition of app.part for values from ('2020-01-01') to ('2021-01-01');
create table app.part_d partition of app.part default;
create index part_at on app.part (at);
create table app.refers (id int, at date, foreign key (id, at) references app.part);
create table app.base (a int);
create table app.derived (b int) inherits (app.base);
create view app.v with (security_barrier = true) as select id, code from app.parent;
create materialized view app.m as select id from app.parent with no data;
create unique index m_id on app.m (id);
create sequence app.free as int increment -1 minvalue -100 maxvalue -1 cycle;
create function app.f(a int, variadic b text[]) returns int language sql stable security definer
    set search_path = app, pg_temp as 'select 1';
create procedure app.p() language plpgsql as 'begin null; end';
create function app.tf() returns trigger language plpgsql as 'begin return new; end';
create trigger tr before insert or update of code, amount on app.parent for each row when (new.amount > 0) execute function app.tf();
create trigger off after delete on app.parent for each statement execute function app.tf();
alter table app.parent disable trigger off;
alter table app.child enable row level security, force row level security;
create policy own on app.child for select to public using (parent_id = 1);
create policy own_too on app.child as restrictive to postgres using (true) with check (id > 1);
create extension if not exists pg_stat_statements;
create extension postgres_fdw;
create server far foreign data wrapper postgres_fdw;
create foreign table app.remote (a int) server far;
alter table app.fast replica identity full;
"#;

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    catalog.table(&QualifiedName::new("app", name)).unwrap_or_else(|| panic!("no table `{name}`"))
}

fn index<'a>(table: &'a Table, name: &str) -> &'a Index {
    table.indexes.iter().find(|index| index.name == name).unwrap_or_else(|| panic!("no index `{name}`"))
}

#[test]
fn the_catalog_of_everything_is_read() {
    on_every_server(async |server| {
        let client = database(server, "t", EVERYTHING).await;
        let major = server.version().major;
        if major >= 15 {
            run(&client, "create table app.n (a int, unique nulls not distinct (a))").await;
        }
        if major >= 18 {
            run(
                &client,
                "create table app.w (a int, b int generated always as (a + 1) virtual,
                   constraint idle check (a > 0) not enforced)",
            )
            .await;
        }
        let plan = [Fact::Catalog, Fact::Functions, Fact::Triggers, Fact::Policies, Fact::Extensions];
        let facts = collect(server, "postgres", "t", &plan).await;
        let catalog = facts.catalog.known().unwrap_or_else(|| panic!("{:?}", facts.catalog.because()));
        check_tables(catalog, major);
        check_indexes(catalog);
        check_others(catalog);
        drop(client);
    });
}

fn check_tables(catalog: &Catalog, major: u16) {
    let names: Vec<&str> = catalog.schemas.iter().map(|schema| schema.name.as_str()).collect();
    assert_eq!(names, ["app", "public"]);
    let parent = table(catalog, "parent");
    assert_eq!(parent.comment.as_deref(), Some("parents"));
    assert_eq!(parent.owner, Some("postgres".into()));
    let [id, code, amount] = &parent.columns[..] else { panic!("{:?}", parent.columns) };
    assert_eq!(
        (id.data_type.kind, id.identity, id.not_null),
        (TypeKind::BigInt, Some(Identity::Always), true)
    );
    assert_eq!(id.sequence, Some(QualifiedName::new("app", "parent_id_seq")));
    assert_eq!(code.data_type.text, "character varying(20)");
    assert_eq!((code.data_type.length, code.collation.as_ref()), (Some(20), Some(&Name::new("C"))));
    assert_eq!(code.comment.as_deref(), Some("the code"));
    assert_eq!((amount.data_type.length, amount.data_type.scale), (Some(10), Some(2)));
    assert_eq!(amount.default.as_ref().unwrap().text, "0");
    let key = parent.primary_key.as_ref().unwrap();
    assert_eq!((key.name.as_ref().unwrap().as_str(), key.columns[0].as_str()), ("parent_pkey", "id"));
    assert_eq!(parent.uniques.len(), 1);
    assert_eq!(parent.checks.len(), 1, "{:?}", parent.checks);
    assert_eq!(parent.checks[0].expression.text, "(amount >= (0)::numeric)");

    let child = table(catalog, "child");
    let columns: Vec<&str> = child.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["id", "parent_id", "feeling", "mail", "tags", "at", "doubled", "during"]);
    assert_eq!(child.columns[0].default.as_ref().unwrap().text, "nextval('app.child_id_seq'::regclass)");
    assert_eq!(child.columns[0].sequence, Some(QualifiedName::new("app", "child_id_seq")));
    assert_eq!(child.columns[2].data_type.kind, TypeKind::Enum);
    assert_eq!(child.columns[2].data_type.user_type, Some(QualifiedName::new("app", "mood")));
    assert_eq!(child.columns[3].data_type.kind, TypeKind::Domain);
    assert_eq!((child.columns[4].data_type.kind, child.columns[4].data_type.array), (TypeKind::Text, true));
    assert_eq!(child.columns[4].data_type.text, "text[]");
    assert_eq!(child.columns[5].data_type.text, "timestamp(3) with time zone");
    assert!(child.columns[6].generated.as_ref().is_some_and(|one| one.stored));
    assert_eq!(child.columns[6].default, None);
    assert_eq!(child.options, [("fillfactor".into(), "70".to_owned())]);
    assert_eq!(child.row_security, RowSecurity { enabled: true, forced: true });
    assert_eq!(child.exclusions.len(), 1);
    let [foreign_key] = &child.foreign_keys[..] else { panic!("{:?}", child.foreign_keys) };
    assert_eq!(foreign_key.references, QualifiedName::new("app", "parent"));
    assert_eq!(foreign_key.referenced_columns, ["id"]);
    assert_eq!(foreign_key.on_delete, ReferentialAction::Cascade);
    assert!(foreign_key.deferrable && foreign_key.validated && foreign_key.enforced);
    assert!(child.checks.iter().any(|check| check.name == Some("later".into()) && !check.validated));

    assert_eq!(table(catalog, "fast").persistence, Persistence::Unlogged);
    assert_eq!(table(catalog, "fast").replica_identity, ReplicaIdentity::Full);
    let expected = TableKind::Partitioned { strategy: "range".into(), key: "at".into() };
    assert_eq!(table(catalog, "part").kind, expected);
    let TableKind::Partition { of, bound } = &table(catalog, "part_1").kind else { panic!("no partition") };
    assert_eq!(of, &QualifiedName::new("app", "part"));
    assert!(bound.starts_with("FOR VALUES FROM"), "{bound}");
    assert_eq!(table(catalog, "refers").foreign_keys.len(), 1, "rows of partitions are left out");
    assert_eq!(table(catalog, "derived").inherits, [QualifiedName::new("app", "base")]);
    assert_eq!(table(catalog, "remote").kind, TableKind::Foreign { server: "far".into() });
    if major >= 15 {
        assert!(table(catalog, "n").uniques[0].nulls_not_distinct);
        assert!(table(catalog, "n").indexes[0].nulls_not_distinct);
    }
    if major >= 18 {
        let w = table(catalog, "w");
        assert!(w.columns[1].generated.as_ref().is_some_and(|one| !one.stored));
        assert!(!w.checks[0].enforced);
    }
}

fn check_indexes(catalog: &Catalog) {
    let child = table(catalog, "child");
    let lower = index(child, "child_lower");
    assert_eq!(lower.predicate.as_ref().unwrap().text, "(id > 10)");
    assert_eq!(lower.include, ["feeling"]);
    let [expression, at] = &lower.parts[..] else { panic!("{:?}", lower.parts) };
    assert!(
        matches!(&expression.key, IndexKey::Expression(e) if e.text.starts_with("lower(")),
        "{expression:?}"
    );
    assert_eq!(expression.operator_class, Some("text_pattern_ops".into()));
    assert_eq!(at.as_column(), Some(&"at".into()));
    assert!(at.descending && at.nulls_first && at.operator_class.is_none());
    assert_eq!(index(child, "child_pkey").backs, Some(ConstraintKind::PrimaryKey));
    assert!(
        child.indexes.iter().any(|one| one.method == "gist" && one.backs == Some(ConstraintKind::Exclusion))
    );
    let parent = table(catalog, "parent");
    let collated = index(parent, "child_collated");
    assert_eq!(collated.parts[0].collation, Some("POSIX".into()));
    assert_eq!(collated.parts[0].operator_class, None, "text_ops serves varchar");
    assert_eq!(index(parent, "parent_code_key").parts[0].collation, None);
    let amount = index(parent, "parent_amount");
    assert!(amount.unique && amount.backs.is_none());
    assert!(amount.parts[0].descending && !amount.parts[0].nulls_first);
    assert_eq!(index(table(catalog, "part_1"), "part_1_at_idx").partition_of, Some("part_at".into()));
    assert!(index(table(catalog, "part"), "part_at").valid);
}

fn check_others(catalog: &Catalog) {
    let views: Vec<(&str, bool, bool)> = catalog
        .views
        .iter()
        .filter(|view| view.extension.is_none())
        .map(|view| (view.name.name.as_str(), view.materialized, view.populated))
        .collect();
    assert_eq!(views, [("m", true, false), ("v", false, true)]);
    let view = catalog.views.iter().find(|view| view.name.name == "v").unwrap();
    assert!(view.definition.starts_with("SELECT") && view.definition.ends_with("app.parent"), "{view:?}");
    assert_eq!(view.options, [("security_barrier".into(), "true".to_owned())]);
    assert_eq!(view.columns.len(), 2);
    assert!(catalog.views.iter().any(|view| view.extension == Some("pg_stat_statements".into())));
    let m = catalog.views.iter().find(|view| view.name.name == "m").unwrap();
    assert_eq!(m.indexes.len(), 1);
    let free = catalog.sequences.iter().find(|one| one.name.name == "free").unwrap();
    assert_eq!((free.increment, free.min, free.max, free.cycle), (-1, -100, -1, true));
    assert_eq!((free.data_type.kind, free.owned_by.as_ref()), (TypeKind::Integer, None));
    let owned = catalog.sequences.iter().find(|one| one.name.name == "child_id_seq").unwrap();
    assert_eq!(owned.owned_by, Some((QualifiedName::new("app", "child"), "id".into())));
    let kinds: Vec<&str> = catalog.types.iter().map(|one| one.name.name.as_str()).collect();
    assert_eq!(kinds, ["email", "few", "fewer", "mood", "pair", "span"]);
    let UserTypeKind::Domain { base, not_null, default, checks } = &catalog.types[0].kind else {
        panic!("{:?}", catalog.types[0])
    };
    assert_eq!((base.kind, *not_null, checks.len()), (TypeKind::Text, true, 1));
    assert_eq!(default.as_ref().unwrap().text, "'a@b'::text");
    assert_eq!(checks[0].expression.text, "(VALUE ~~ '%@%'::text)");
    let UserTypeKind::Domain { base, .. } = &catalog.types[1].kind else { panic!("{:?}", catalog.types[1]) };
    assert_eq!((base.kind, base.array), (TypeKind::Integer, true));
    let UserTypeKind::Domain { base, .. } = &catalog.types[2].kind else { panic!("{:?}", catalog.types[2]) };
    assert_eq!((base.kind, base.array), (TypeKind::Domain, false));
    assert_eq!(catalog.types[3].kind, UserTypeKind::Enum(vec!["sad".into(), "ok".into(), "happy".into()]));
    assert!(matches!(&catalog.types[4].kind, UserTypeKind::Composite(members) if members.len() == 2));

    let functions = catalog.functions.known().unwrap();
    let f = functions.iter().find(|one| one.name.name == "f").unwrap();
    assert_eq!((f.arguments.as_str(), f.volatility), ("integer, text[]", Volatility::Stable));
    assert!(f.security_definer);
    assert_eq!(f.settings, [("search_path".into(), "app, pg_temp".to_owned())]);
    assert_eq!(f.body, "select 1");
    assert!(functions.iter().any(|one| one.kind == FunctionKind::Procedure && one.name.name == "p"));
    assert!(functions.iter().any(|one| one.extension == Some("postgres_fdw".into()) && one.body.is_empty()));
    let triggers = catalog.triggers.known().unwrap();
    let [off, tr] = &triggers[..] else { panic!("{triggers:?}") };
    assert!(!off.enabled && !off.for_each_row && off.timing == "AFTER");
    assert!(tr.enabled && tr.for_each_row && tr.timing == "BEFORE");
    assert_eq!(tr.events, ["INSERT", "UPDATE"]);
    assert_eq!(tr.columns, ["amount", "code"]);
    assert_eq!(tr.when.as_ref().unwrap().text, "(new.amount > (0)::numeric)");
    assert_eq!(tr.function, Some(QualifiedName::new("app", "tf")));
    let policies = catalog.policies.known().unwrap();
    let [own, own_too] = &policies[..] else { panic!("{policies:?}") };
    assert_eq!((own.command.as_str(), own.permissive, own.roles[0].as_str()), ("SELECT", true, "public"));
    assert_eq!((own_too.command.as_str(), own_too.permissive), ("ALL", false));
    assert_eq!(own.using.as_ref().unwrap().text, "(parent_id = 1)");
    assert!(own_too.check.is_some());
    let extensions = catalog.extensions.known().unwrap();
    let names: Vec<&str> = extensions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["pg_stat_statements", "postgres_fdw"]);
    assert!(extensions.iter().all(|one| one.version.is_some() && one.version == one.available));
}

const TUNED: &str = r#"
create type kind as (a int, b text);
create table typed of kind;
create table t (a int, b text, c int not null, constraint k primary key (a) include (b) with (fillfactor = 60));
alter table t cluster on k;
alter table t alter a set statistics 500, alter b set storage external, alter b set (n_distinct = 7);
alter table t add constraint f foreign key (c) references t match full deferrable initially deferred;
alter table t add constraint one_only check (c > 0) no inherit;
create statistics s on a, c from t;
create statistics m (mcv) on a, c from t;
create rule r as on delete to t do instead nothing;
create table p (a int) partition by list (a);
create table p1 partition of p for values in (1) partition by hash (a);
create publication one for table t with (publish = 'insert');
create publication all_of_them for all tables;
"#;

#[test]
fn what_locks_and_scans_depend_on_is_read() {
    on_every_server(async |server| {
        let major = server.version().major;
        let client = database(server, "tuned", TUNED).await;
        if major >= 14 {
            run(&client, "alter table t alter b set compression pglz").await;
        }
        if major >= 15 {
            run(&client, "alter publication one set table t (a, c) where (a > 1)").await;
        }
        if major >= 18 {
            run(&client, "alter table t add constraint n not null b not valid").await;
        }
        let facts = collect(server, "postgres", "tuned", &[Fact::Catalog, Fact::Publications]).await;
        let catalog = facts.catalog.known().unwrap();
        let table = |name: &str| catalog.table(&QualifiedName::new("public", name)).unwrap();
        let t = table("t");
        let key = t.primary_key.as_ref().unwrap();
        assert_eq!((key.columns.len(), key.include.as_slice()), (1, [Name::new("b")].as_slice()));
        assert_eq!(t.clustered_on, Some("k".into()));
        let [a, b, ..] = t.columns.as_slice() else { panic!("{:?}", t.columns) };
        assert_eq!((a.statistics_target, b.statistics_target), (Some(500), None));
        assert_eq!((a.storage.clone(), b.storage.clone()), (None, Some("external".into())));
        assert_eq!(b.options, [("n_distinct".into(), "7".to_owned())]);
        assert_eq!(b.compression.is_some(), major >= 14);
        let expected =
            (major >= 18).then(|| NotNull { name: Some("n".into()), validated: false, no_inherit: false });
        assert_eq!(b.not_null_constraint, expected);
        assert!(t.columns[2].not_null_constraint.is_none());
        let foreign_key = &t.foreign_keys[0];
        assert!(foreign_key.match_full && foreign_key.deferrable && foreign_key.initially_deferred);
        assert!(t.checks[0].no_inherit);
        assert_eq!(table("typed").of_type, Some(QualifiedName::new("public", "kind")));
        assert_eq!(table("p1").sub_partitioned.as_ref().map(|key| key.strategy.as_str()), Some("hash"));
        assert_eq!(
            (catalog.rules.len(), catalog.rules[0].event.as_str(), catalog.rules[0].instead),
            (1, "DELETE", true)
        );
        let kinds: Vec<usize> = catalog.statistics.iter().map(|statistics| statistics.kinds.len()).collect();
        assert_eq!(kinds, [1, 0]);
        assert_eq!(catalog.statistics[0].columns, [Name::new("a"), Name::new("c")]);
        let publications = catalog.publications.known().unwrap();
        assert!(publications[0].all_tables && publications[0].tables.is_empty());
        assert!(!publications[1].updates_or_deletes);
        assert_eq!(publications[1].tables[0].filter.is_some(), major >= 15);
        assert_eq!(publications[1].tables[0].columns.len(), if major >= 15 { 2 } else { 0 });
        drop(client);
    });
}
