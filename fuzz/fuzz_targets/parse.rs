//! Any text can be parsed as a statement, an expression, a query and a type: something comes of it, and what is written
//! back from it is understood again.
#![no_main]

use dbwright_model::change::Change;
use dbwright_model::engine::{Dialect, Engine};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for (dialect, engine) in [
        (Dialect::Postgres, Engine::Postgres),
        (Dialect::Mysql, Engine::Mariadb),
        (Dialect::Sqlite, Engine::Sqlite),
    ] {
        let changes = dbwright_sql::parse_statement(dialect, text);
        assert_eq!(changes, dbwright_sql::parse_statement(dialect, text));
        for change in changes.iter().filter(|change| !matches!(change, Change::Opaque { .. })) {
            for written in dbwright_sql::write(engine, None, change).unwrap_or_default() {
                let _ = dbwright_sql::parse_statement(dialect, &written.sql);
            }
        }
        let _ = dbwright_sql::parse_expression(dialect, text);
        let _ = dbwright_sql::parse_data_statement(dialect, text);
        let _ = dbwright_sql::data_type(dialect, text);
    }
});
