//! Scripts that nobody would write: whatever is done in whatever order, folding ends, repeats itself and tells a catalog
//! whose statements are understood again.

use dbwright_model::catalog::{Catalog, Table, TableKind};
use dbwright_model::change::{AlterClauses, Change, OnlineClauses};
use dbwright_model::engine::Engine;
use dbwright_sql::files::{FileFacts, SourceFile, read};
use proptest::prelude::*;
use proptest::sample::select;

const NAMES: &[&str] = &["t", "parent", "child", "s.t"];
const COLUMNS: &[&str] = &["id", "a", "b", "c"];
const OTHERS: &[&str] = &["k", "m", "t_a_idx", "t_pkey", "parent_id_seq"];

fn fold(engine: Engine, text: &str) -> FileFacts {
    let file = SourceFile { name: "script.sql".to_owned(), text: text.to_owned() };
    read(engine, None, "script.sql", &[file])
}

fn table() -> impl Strategy<Value = &'static str> {
    select(NAMES)
}

fn column() -> impl Strategy<Value = &'static str> {
    select(COLUMNS)
}

fn other() -> impl Strategy<Value = &'static str> {
    select(OTHERS)
}

fn data_type(engine: Engine) -> impl Strategy<Value = &'static str> {
    select(match engine {
        Engine::Postgres => {
            &["int", "bigint", "text", "varchar(9)", "numeric(8,2)", "timestamptz", "int[]", "mood", "serial"]
                [..]
        }
        Engine::Mysql | Engine::Mariadb => {
            &["int", "bigint unsigned", "text", "varchar(9)", "decimal(8,2)", "datetime(3)", "enum('x','y')"]
                [..]
        }
        Engine::Sqlite => &["int", "integer", "text", "", "decimal(8,2)", "blob"][..],
    })
}

fn expression() -> impl Strategy<Value = String> {
    (column(), select(&["> 0", "is not null", "<> 'x'", "in (1, 2)", "between 1 and 2", "= b + 1"][..]))
        .prop_map(|(column, test)| format!("{column} {test}"))
}

fn column_definition(engine: Engine) -> impl Strategy<Value = String> {
    let clause = select(match engine {
        Engine::Postgres => &[
            "",
            "not null",
            "default 1",
            "unique",
            "primary key",
            "generated always as identity",
            "default 'x'",
        ][..],
        Engine::Mysql | Engine::Mariadb => {
            &["", "not null", "default 1", "unique", "primary key", "auto_increment", "comment 'x'", "as (1)"]
                [..]
        }
        Engine::Sqlite => {
            &["", "not null", "default 1", "unique", "primary key", "collate nocase", "as (1)"][..]
        }
    });
    (column(), data_type(engine), clause)
        .prop_map(|(column, kind, clause)| format!("{column} {kind} {clause}"))
}

fn constraint() -> impl Strategy<Value = String> {
    let named = prop_oneof![Just(String::new()), other().prop_map(|name| format!("constraint {name} "))];
    let body = prop_oneof![
        column().prop_map(|a| format!("primary key ({a})")),
        (column(), column()).prop_map(|(a, b)| format!("unique ({a}, {b})")),
        expression().prop_map(|text| format!("check ({text})")),
        (column(), table(), column())
            .prop_map(|(a, to, b)| format!("foreign key ({a}) references {to} ({b})")),
        (column(), table())
            .prop_map(|(a, to)| format!("foreign key ({a}) references {to} on delete cascade")),
    ];
    (named, body).prop_map(|(named, body)| format!("{named}{body}"))
}

fn statement(engine: Engine) -> BoxedStrategy<String> {
    let parts =
        (prop::collection::vec(column_definition(engine), 1..4), prop::collection::vec(constraint(), 0..3));
    let create =
        (select(&["", "if not exists "][..]), table(), parts).prop_map(|(guard, name, (columns, rest))| {
            let all: Vec<String> = columns.into_iter().chain(rest).collect();
            format!("create table {guard}{name} ({})", all.join(", "))
        });
    let index = (select(&["", "unique "][..]), other(), table(), column(), column())
        .prop_map(|(unique, name, table, a, b)| format!("create {unique}index {name} on {table} ({a}, {b})"));
    let action = prop_oneof![
        column_definition(engine).prop_map(|column| format!("add column {column}")),
        column().prop_map(|column| format!("drop column {column}")),
        (column(), column()).prop_map(|(from, to)| format!("rename column {from} to {to}")),
        table().prop_map(|to| format!("rename to {}", to.trim_start_matches("s."))),
        constraint().prop_map(|constraint| format!("add {constraint}")),
        other().prop_map(|name| format!("drop constraint {name}")),
        own_action(engine),
    ];
    let alter = (table(), action).prop_map(|(table, action)| format!("alter table {table} {action}"));
    prop_oneof![
        6 => create,
        2 => index,
        6 => alter,
        1 => table().prop_map(|name| format!("drop table {name}")),
        1 => (table(), other()).prop_map(|(table, name)| format!("drop index {table}.{name}")),
        1 => other().prop_map(|name| format!("drop index {name}")),
        1 => (table(), table()).prop_map(|(name, of)| format!("create view {name} as select a, b from {of}")),
        1 => (table(), table()).prop_map(|(name, of)| format!("create table {name} as select * from {of}")),
        1 => (table(), table()).prop_map(|(name, of)| format!("drop view {name}; create view {name} as select 1 from {of}")),
        3 => own_statement(engine),
    ]
    .boxed()
}

fn own_action(engine: Engine) -> BoxedStrategy<String> {
    match engine {
        Engine::Postgres => prop_oneof![
            (column(), data_type(engine))
                .prop_map(|(column, kind)| format!("alter column {column} type {kind}")),
            column().prop_map(|column| format!("alter column {column} set not null")),
            column().prop_map(|column| format!("alter column {column} drop not null")),
            column().prop_map(|column| format!("alter column {column} add generated always as identity")),
            column().prop_map(|column| format!("alter column {column} drop identity")),
            table().prop_map(|parent| format!("inherit {parent}")),
            table().prop_map(|parent| format!("no inherit {parent}")),
            (table(), 0..3)
                .prop_map(|(part, n)| format!("attach partition {part} for values from ({n}) to (9)")),
            table().prop_map(|part| format!("detach partition {part}")),
            (other(), other()).prop_map(|(from, to)| format!("rename constraint {from} to {to}")),
            Just("set schema s".to_owned()),
            other().prop_map(|index| format!("add primary key using index {index}")),
        ]
        .boxed(),
        Engine::Mysql | Engine::Mariadb => prop_oneof![
            column_definition(engine).prop_map(|column| format!("modify {column} first")),
            (column(), column_definition(engine))
                .prop_map(|(from, to)| format!("change {from} {to} after a")),
            Just("drop primary key".to_owned()),
            other().prop_map(|name| format!("drop foreign key {name}")),
            (other(), column()).prop_map(|(name, column)| format!("add key {name} ({column}(3))")),
            (other(), other()).prop_map(|(from, to)| format!("rename index {from} to {to}")),
        ]
        .boxed(),
        Engine::Sqlite => column().prop_map(|column| format!("rename {column} to a")).boxed(),
    }
}

fn own_statement(engine: Engine) -> BoxedStrategy<String> {
    match engine {
        Engine::Postgres => prop_oneof![
            (table(), table()).prop_map(|(name, of)| {
                format!(
                    "create table {name} partition of {of} for values from (1) to (2) partition by range (a)"
                )
            }),
            (table(), column()).prop_map(|(name, key)| {
                format!("create table {name} (id int, a int, b int) partition by range ({key})")
            }),
            (table(), table())
                .prop_map(|(name, of)| format!("create table {name} (like {of} including all)")),
            (table(), table()).prop_map(|(name, of)| format!("create table {name} (c int) inherits ({of})")),
            Just("create type mood as enum ('x', 'y')".to_owned()),
            Just("drop type mood cascade".to_owned()),
            Just("create schema s".to_owned()),
            Just("drop schema s cascade".to_owned()),
            Just("set search_path = s, public".to_owned()),
            (other(), table(), column()).prop_map(|(name, table, column)| {
                format!("create sequence {name} owned by {table}.{column}")
            }),
            (other(), other()).prop_map(|(a, b)| format!("alter index {a} attach partition {b}")),
            (other(), other()).prop_map(|(a, b)| format!("alter index {a} rename to {b}")),
            table().prop_map(|table| format!("drop table {table} cascade")),
            Just("do $$ begin execute 'drop table t'; end $$".to_owned()),
        ]
        .boxed(),
        Engine::Mysql | Engine::Mariadb => prop_oneof![
            (table(), table()).prop_map(|(name, of)| format!("create table {name} like {of}")),
            (table(), table()).prop_map(|(a, b)| format!("rename table {a} to {b}")),
            Just("use s".to_owned()),
            (other(), table()).prop_map(|(name, table)| format!("drop index {name} on {table}")),
        ]
        .boxed(),
        Engine::Sqlite => prop_oneof![
            (table(), column()).prop_map(|(name, key)| {
                format!("create table {name} ({key} integer primary key, d text) strict, without rowid")
            }),
            table().prop_map(|name| format!("create virtual table {name} using fts5(a, b)")),
        ]
        .boxed(),
    }
}

fn script() -> impl Strategy<Value = (Engine, String)> {
    select(&Engine::ALL[..]).prop_flat_map(|engine| {
        prop::collection::vec(statement(engine), 1..14)
            .prop_map(move |statements| (engine, format!("{};\n", statements.join(";\n"))))
    })
}

/// The statements that make a catalog; `None` when one of its parts cannot be said in statements.
fn written(catalog: &Catalog) -> Option<String> {
    let engine = catalog.engine;
    let mut changes = Vec::new();
    for schema in catalog.schemas.iter().filter(|schema| schema.name != "public") {
        changes.push(Change::CreateSchema { name: schema.name.clone(), if_not_exists: false });
    }
    changes.extend(catalog.types.iter().map(|one| Change::CreateType { user_type: one.clone() }));
    for table in &catalog.tables {
        let bare = Table { foreign_keys: Vec::new(), indexes: Vec::new(), ..table.clone() };
        changes.push(Change::CreateTable { table: Box::new(bare), if_not_exists: false });
    }
    for table in &catalog.tables {
        let name = || table.name.clone();
        for index in table.indexes.iter().filter(|index| index.backs.is_none()) {
            changes.push(Change::CreateIndex {
                online: OnlineClauses::default(),
                table: name(),
                index: Box::new(index.clone()),
                concurrently: false,
                if_not_exists: false,
                only: false,
            });
        }
        for key in &table.foreign_keys {
            changes.push(Change::AddForeignKey {
                table: name(),
                foreign_key: Box::new(key.clone()),
                alter: AlterClauses::default(),
            });
        }
    }
    let mut text = String::new();
    for change in &changes {
        for statement in dbwright_sql::write(engine, None, change)? {
            text.push_str(&statement.sql);
            text.push_str(";\n");
        }
    }
    Some(text)
}

/// Whether every table stands by itself: what partitions and heirs got from others would be written twice.
fn is_plain(catalog: &Catalog) -> bool {
    catalog.doubts.is_empty()
        && catalog.views.is_empty()
        && catalog.sequences.is_empty()
        && catalog.tables.iter().all(|table| {
            matches!(table.kind, TableKind::Ordinary)
                && table.inherits.is_empty()
                && !table.columns.is_empty()
        })
}

/// Tables with their columns and the names of these.
fn outline(catalog: &Catalog) -> Vec<String> {
    let columns = |table: &Table| {
        table.columns.iter().map(|column| column.name.as_str().to_owned()).collect::<Vec<_>>().join(", ")
    };
    catalog.tables.iter().map(|table| format!("{}({})", table.name, columns(table))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_statements_folds_and_repeats_itself((engine, text) in script()) {
        let once = fold(engine, &text);
        prop_assert!(once.facts == fold(engine, &text).facts, "{engine}: two readings differ:\n{text}");
        let catalog = once.facts.catalog.known().expect("files always give a catalog");
        let mut sorted = catalog.clone();
        sorted.sort();
        prop_assert!(sorted == *catalog, "{engine}: not in order:\n{text}");
    }

    #[test]
    fn a_catalog_written_down_is_understood_again((engine, text) in script()) {
        let facts = fold(engine, &text).facts;
        let catalog = facts.catalog.known().expect("files always give a catalog");
        if let Some(text) = written(catalog).filter(|_| is_plain(catalog)) {
            let again = fold(engine, &text).facts;
            // A key to a table that is not there was folded as such and is written as such.
            let dangling = "never created";
            let lost = again.source.skipped.iter().find(|skipped| !skipped.because.ends_with(dangling));
            prop_assert!(lost.is_none(), "{engine}: {lost:?}\n{text}");
            let again = again.catalog.known().expect("files always give a catalog");
            prop_assert_eq!(outline(catalog), outline(again), "{}:\n{}", engine, text);
        }
    }
}
