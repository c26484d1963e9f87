//! Folders in the styles of migration tools fold to the tables that the tools would make.

use std::path::Path;

use dbwright_engine::scratch::Places;
use dbwright_engine::session::{Limits, Silent};
use dbwright_service::World;
use dbwright_service::target::{Target, resolve};

/// Folds a folder of files: `table(columns)` for each table, and what was skipped.
fn fold(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder is made");
        std::fs::write(path, text).expect("a file is written");
    }
    let world = World {
        now: "2026-01-01T00:00:00Z".parse().expect("a time"),
        directory: folder.path().to_path_buf(),
        database_url: None,
        variable: &|_| None,
        temporary: folder.path().to_path_buf(),
        places: Places { directories: Vec::new(), temporary: folder.path().to_path_buf() },
        version: "0",
        limits: Limits::default(),
        progress: &Silent,
    };
    // A file alone means the same as in a folder of its own.
    let mut told = vec![tell(".", &world)];
    if let [(name, _)] = files {
        told.push(tell(name, &world));
        assert_eq!(told[0], told[1], "{name}");
    }
    told.swap_remove(0)
}

/// Folds one target.
fn tell(target: &str, world: &World<'_>) -> (Vec<String>, Vec<String>) {
    let Target::Files(target) = resolve(Some(target), None, None, world).expect("it is a target") else {
        panic!("`{target}` is files");
    };
    let read = dbwright_sql::files::read(target.engine, target.version, &target.name, &target.files);
    let catalog = read.facts.catalog.known().expect("files give a catalog");
    let tables = catalog
        .tables
        .iter()
        .map(|table| {
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
            format!("{}({})", table.name.name, columns.join(", "))
        })
        .collect();
    (tables, read.facts.source.skipped.iter().map(|skip| skip.statement.clone()).collect())
}

fn check(files: &[(&str, &str)], tables: &[&str]) {
    let (found, skipped) = fold(files);
    assert_eq!(found, tables, "{files:?}");
    assert_eq!(skipped, Vec::<String>::new(), "{files:?}");
}

const CREATE: &str = "create table t (a int);";
const ADD: &str = "alter table t add column b text;";
const RENAME: &str = "alter table t rename column b to c;";
const DROP: &str = "drop table t;";

#[test]
fn flyway_and_refinery() {
    check(
        &[
            ("V1__init.sql", CREATE),
            ("V1.1__more.sql", ADD),
            ("V2__x.sql", RENAME),
            ("U2__x.sql", "alter table t rename column c to b;"),
            ("R__view.sql", "create or replace view v as select a, c from t;"),
        ],
        &["t(a, c)"],
    );
    check(&[("V1__a.sql", CREATE), ("V10__c.sql", RENAME), ("V2__b.sql", ADD)], &["t(a, c)"]);
    check(
        &[("V1__a.sql", CREATE), ("V2__b.sql", ADD), ("U2__b.sql", DROP), ("V11__c.sql", RENAME)],
        &["t(a, c)"],
    );
    // Where there is nothing that it could undo, it is one of refinery's, which are run like all others.
    check(&[("V1__a.sql", CREATE), ("U2__b.sql", ADD), ("V11__c.sql", RENAME)], &["t(a, c)"]);
}

#[test]
fn sqlx_and_golang_migrate() {
    check(
        &[
            ("20240101000000_init.up.sql", CREATE),
            ("20240101000000_init.down.sql", DROP),
            ("20240102000000_more.up.sql", ADD),
            ("20240102000000_more.down.sql", "alter table t drop column b;"),
        ],
        &["t(a, b)"],
    );
    check(
        &[("1_a.up.sql", CREATE), ("1_a.down.sql", DROP), ("2_b.up.sql", ADD), ("10_c.up.sql", RENAME)],
        &["t(a, c)"],
    );
}

#[test]
fn dbmate_goose_and_sql_migrate() {
    check(
        &[("1_a.sql", "-- migrate:up\ncreate table t (a int);\n\n-- migrate:down\ndrop table t;\n")],
        &["t(a)"],
    );
    let goose = "-- +goose Up\n-- +goose StatementBegin\ncreate table t (a int);\n-- +goose StatementEnd\n\n-- +goose Down\n\
                 -- +goose StatementBegin\ndrop table t;\n-- +goose StatementEnd\n";
    check(&[("00001_a.sql", goose)], &["t(a)"]);
    check(
        &[("1.sql", "-- +migrate Up\ncreate table t (a int);\n-- +migrate Down\ndrop table t;\n")],
        &["t(a)"],
    );
}

#[test]
fn diesel() {
    check(
        &[
            (
                "00000000000000_diesel_initial_setup/up.sql",
                "create function f() returns int language sql as 'select 1';",
            ),
            ("00000000000000_diesel_initial_setup/down.sql", "drop function f();"),
            ("2024-01-01-000000_t/up.sql", CREATE),
            ("2024-01-01-000000_t/down.sql", DROP),
            ("2024-01-02-000000_u/up.sql", ADD),
        ],
        &["t(a, b)"],
    );
}

#[test]
fn prisma_and_drizzle() {
    check(
        &[
            (
                "migrations/20240101000000_init/migration.sql",
                "-- CreateTable\nCREATE TABLE \"t\" (\"a\" INTEGER);",
            ),
            (
                "migrations/20240102000000_b/migration.sql",
                "-- AlterTable\nALTER TABLE \"t\" ADD COLUMN \"b\" TEXT;",
            ),
            ("migrations/migration_lock.toml", "provider = \"postgresql\""),
            ("schema.prisma", "datasource db {\n provider = \"postgresql\"\n}\nmodel t {\n a Int @id\n}\n"),
        ],
        &["t(a, b)"],
    );
    let drizzle = "CREATE TABLE \"t\" (\n\t\"a\" serial PRIMARY KEY NOT NULL\n);\n--> statement-breakpoint\nCREATE TABLE \
                   \"u\" (\"b\" integer);--> statement-breakpoint\nCREATE INDEX \"i\" ON \"u\" USING btree (\"b\");";
    check(
        &[
            ("0000_lazy_hulk.sql", drizzle),
            ("0001_calm_fox.sql", "ALTER TABLE \"t\" ADD COLUMN \"c\" text;"),
            ("meta/_journal.json", "{}"),
        ],
        &["t(a, c)", "u(b)"],
    );
    let schema = "datasource db {\n provider = \"sqlite\"\n}\nmodel T {\n a Int @id\n b String?\n}\n";
    check(&[("schema.prisma", schema)], &["T(a, b)"]);
}

#[test]
fn rails_liquibase_and_alembic() {
    let rails = "SET statement_timeout = 0;\nSELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.t \
                 (a integer);\nINSERT INTO \"schema_migrations\" (version) VALUES\n('20240101000000'),\n('20240102000000');\n";
    check(&[("structure.sql", rails)], &["t(a)"]);
    let liquibase = "--liquibase formatted sql\n\n--changeset ann:1 splitStatements:true endDelimiter:;\ncreate table t \
                     (a int);\n--rollback drop table t;\n\n--changeset ann:2\nalter table t add column b text;\n\
                     --rollback alter table t drop column b;\n";
    check(&[("changelog.sql", liquibase)], &["t(a, b)"]);
    let alembic = "BEGIN;\n\nCREATE TABLE alembic_version (\n    version_num VARCHAR(32) NOT NULL, \n    CONSTRAINT \
                   alembic_version_pkc PRIMARY KEY (version_num)\n);\n\n-- Running upgrade  -> 1975ea83b712\n\nCREATE TABLE \
                   t (a SERIAL NOT NULL);\n\nINSERT INTO alembic_version (version_num) VALUES ('1975ea83b712') RETURNING \
                   alembic_version.version_num;\n\nCOMMIT;\n";
    check(&[("alembic.sql", alembic)], &["alembic_version(version_num)", "t(a)"]);
}

#[test]
fn client_commands_and_placeholders_do_no_harm() {
    let psql = "\\set ON_ERROR_STOP on\n\\connect app\n\\restrict abc\n\\echo it's\ncreate table t (a int) \\g\n\\i other.sql\n\
                create table u (b int default 1);\n\\if :{?x}\n\\endif\n\\unrestrict abc\n";
    check(&[("psql.sql", psql)], &["t(a)", "u(b)"]);
    let mysql = "USE `app`;\nDELIMITER ;;\nCREATE TABLE `t` (`a` int);;\nDELIMITER ;\nsource x.sql\nCREATE TABLE `u` (`b` int);\n";
    check(&[("mysql.sql", mysql)], &["t(a)", "u(b)"]);
    let sqlite = ".bail on\n.mode csv\ncreate table t (a integer primary key autoincrement);\n.quit\n";
    check(&[("sqlite.sql", sqlite)], &["t(a)"]);
    // A statement with a placeholder may be lost; its neighbours may not.
    let (tables, skipped) = fold(&[(
        "a.sql",
        "create table t (a int default :value);\ncreate table ${prefix}v (a int);\ngrant select on t to :\"role\";\n\
         create table u (b int);\n",
    )]);
    assert!(tables.contains(&"u(b)".to_owned()), "{tables:?} {skipped:?}");
    assert!(tables.len() + skipped.len() >= 3, "{tables:?} {skipped:?}");
}
