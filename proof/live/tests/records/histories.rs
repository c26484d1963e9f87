//! The histories that other tools write.

use std::hash::{DefaultHasher, Hash, Hasher};

use dbwright_model::engine::Dialect;
use dbwright_service::ops::migrate::baseline::ToolName;

use super::{PARENT, T};

/// A tool, its two files, and its table with the rows that it writes after running them.
pub(super) struct History {
    pub(super) tool: ToolName,
    pub(super) files: [(&'static str, String); 2],
    pub(super) table: String,
    pub(super) rows: String,
    /// Whether it tells that a file was edited.
    pub(super) checks: bool,
}

pub(super) fn histories(dialect: Dialect) -> Vec<History> {
    let up_down = |text: &str, up: &str, down: &str| format!("{up}\n{text}{down}\n");
    let (time, flag, bytes, now) = match dialect {
        Dialect::Postgres => ("timestamptz", "boolean", "bytea", "now()"),
        Dialect::Mysql => ("timestamp", "boolean", "blob", "current_timestamp"),
        Dialect::Sqlite => ("timestamp", "boolean", "blob", "current_timestamp"),
    };
    let serial = match dialect {
        Dialect::Postgres => "serial primary key",
        Dialect::Mysql => "bigint not null auto_increment primary key",
        Dialect::Sqlite => "integer primary key autoincrement",
    };
    let hex = |digits: &str| match dialect {
        Dialect::Postgres => format!("'\\x{digits}'"),
        _ => format!("x'{digits}'"),
    };
    let sip = |name: &str, version: i32, text: &str| {
        let mut hasher = DefaultHasher::new();
        (name.to_owned(), version, text.to_owned()).hash(&mut hasher);
        hasher.finish()
    };
    let plain =
        |first: &'static str, second: &'static str| [(first, PARENT.to_owned()), (second, T.to_owned())];
    vec![
        History {
            tool: ToolName::Flyway,
            files: plain("V1__parent.sql", "V2__t.sql"),
            table: format!(
                "create table flyway_schema_history (installed_rank integer not null primary key, version varchar(50), \
                 description varchar(200) not null, type varchar(20) not null, script varchar(1000) not null, checksum integer, \
                 installed_by varchar(100) not null, installed_on timestamp default {now} not null, execution_time integer not null, \
                 success {flag} not null)"
            ),
            rows: "insert into flyway_schema_history values \
                 (1, '1', 'parent', 'SQL', 'V1__parent.sql', 1896951210, 'app', '2025-01-02 03:04:05', 12, true), \
                 (2, '2', 't', 'SQL', 'V2__t.sql', 1687526473, 'app', '2025-01-02 03:04:06', 7, true)"
                .to_owned(),
            checks: true,
        },
        History {
            tool: ToolName::Sqlx,
            files: plain("20260101000000_parent.sql", "20260102000000_t.sql"),
            table: format!(
                "create table _sqlx_migrations (version bigint primary key, description text not null, \
                 installed_on {time} not null default current_timestamp, success {flag} not null, checksum {bytes} not null, \
                 execution_time bigint not null)"
            ),
            rows: format!(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time) values \
                 (20260101000000, 'parent', true, {}, 5), (20260102000000, 't', true, {}, 5)",
                hex("590c49a6ac9d511e49ab173f885dd0a85edf65275c9202fa355d5b70caa56a28e3b1f11746071293696f96a62bff0d12"),
                hex("3dea43a5a0241a251c7cb8199774efff4cb4c572f2d27c377bf4015f85003e7e98dd8133734417ca06a3631ea1d488b4")
            ),
            checks: true,
        },
        History {
            tool: ToolName::Refinery,
            files: plain("V1__parent.sql", "V2__t.sql"),
            table: "create table refinery_schema_history (version integer primary key, name varchar(255), \
                 applied_on varchar(255), checksum varchar(255))"
                .to_owned(),
            rows: format!(
                "insert into refinery_schema_history values (1, 'parent', '2025-01-02T03:04:05+00:00', '{}'), \
                 (2, 't', '2025-01-02T03:04:06+00:00', '{}')",
                sip("parent", 1, PARENT),
                sip("t", 2, T)
            ),
            checks: true,
        },
        History {
            tool: ToolName::Prisma,
            files: plain("20260101000000_parent/migration.sql", "20260102000000_t/migration.sql"),
            table: format!(
                "create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, \
                 finished_at {time} null, migration_name varchar(255) not null, logs text, rolled_back_at {time} null, \
                 started_at {time} not null default current_timestamp, applied_steps_count integer not null default 0)"
            ),
            rows: "insert into _prisma_migrations (id, checksum, finished_at, migration_name, rolled_back_at, started_at) values \
                 ('a', '7e6bab80c550305d6eaf1c52cfd8481e25737bdc7caab8a065872c9c103164ef', '2025-01-02 03:04:05', '20260101000000_parent', null, '2025-01-02 03:04:04'), \
                 ('b', '00', null, '20260102000000_t', '2025-01-02 03:05:00', '2025-01-02 03:04:06'), \
                 ('c', '7872ee459124be464f34af9368b734c862d737cfe929ed681ae4523641c7437d', '2025-01-02 03:06:05', '20260102000000_t', null, '2025-01-02 03:06:04')"
                .to_owned(),
            checks: true,
        },
        History {
            tool: ToolName::Diesel,
            files: plain("2026-01-01-000000_parent/up.sql", "2026-01-02-000000_t/up.sql"),
            table: "create table __diesel_schema_migrations (version varchar(50) primary key not null, \
                 run_on timestamp not null default current_timestamp)"
                .to_owned(),
            rows: "insert into __diesel_schema_migrations (version) values ('20260101000000'), ('20260102000000')".to_owned(),
            checks: false,
        },
        History {
            tool: ToolName::Dbmate,
            files: [
                ("20260101000000_parent.sql", up_down(PARENT, "-- migrate:up", "-- migrate:down\ndrop table parent;")),
                ("20260102000000_t.sql", up_down(T, "-- migrate:up", "-- migrate:down\ndrop table t;")),
            ],
            table: "create table schema_migrations (version varchar(128) primary key not null)".to_owned(),
            rows: "insert into schema_migrations (version) values ('20260101000000'), ('20260102000000')".to_owned(),
            checks: false,
        },
        History {
            tool: ToolName::GolangMigrate,
            files: plain("000001_parent.up.sql", "000002_t.up.sql"),
            table: format!("create table schema_migrations (version bigint not null primary key, dirty {flag} not null)"),
            rows: "insert into schema_migrations (version, dirty) values (2, false)".to_owned(),
            checks: false,
        },
        History {
            tool: ToolName::Goose,
            files: [
                ("00001_parent.sql", up_down(PARENT, "-- +goose Up", "-- +goose Down\ndrop table parent;")),
                ("00002_t.sql", up_down(T, "-- +goose Up", "-- +goose Down\ndrop table t;")),
            ],
            table: format!(
                "create table goose_db_version (id {serial}, version_id bigint not null, is_applied {flag} not null, \
                 tstamp timestamp default current_timestamp)"
            ),
            rows: "insert into goose_db_version (version_id, is_applied) values (0, true), (1, true), (2, true)".to_owned(),
            checks: false,
        },
    ]
}
