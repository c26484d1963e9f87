//! Cutting any text into statements loses nothing and ends.
#![no_main]

use dbwright_model::engine::Dialect;
use dbwright_sql::split;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
        let mut line = 0;
        for statement in split(dialect, text) {
            // Every statement is a piece of the text, and they stand in its order.
            let at = (statement.text.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
            assert!(at.is_some_and(|at| at + statement.text.len() <= text.len()), "{dialect:?}");
            assert!(statement.line >= line.max(1), "{dialect:?}: line {} after {line}", statement.line);
            line = statement.line;
        }
    }
});
