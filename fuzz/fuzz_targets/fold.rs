//! Any script folds into a catalog, the same each time, and the rules can judge it. The first byte chooses the engine.
#![no_main]

use dbwright_model::engine::Engine;
use dbwright_rules::Options;
use dbwright_rules::run::{default_rules, run};
use dbwright_sql::files::{SourceFile, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u8, &str)| {
    let (choice, text) = data;
    let engine = Engine::ALL[usize::from(choice) % Engine::ALL.len()];
    let file = SourceFile { name: "script.sql".to_owned(), text: text.to_owned() };
    let facts = read(engine, None, "script.sql", std::slice::from_ref(&file)).facts;
    assert!(facts == read(engine, None, "script.sql", &[file]).facts, "{engine}: two readings differ");
    run(&facts, default_rules(), &Options::default());
});
