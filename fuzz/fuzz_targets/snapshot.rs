//! Any text is a snapshot or is refused; what is one can be judged, written, read again and anonymised.
#![no_main]

use dbwright_rules::Options;
use dbwright_rules::run::{default_rules, run};
use dbwright_service::{anonymize, snapshot};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mut facts) = snapshot::parse(text) else { return };
    dbwright_sql::understand::understand(&mut facts);
    run(&facts, default_rules(), &Options::default());
    let written = snapshot::write(&facts).expect("facts can be written");
    snapshot::parse(&written).expect("what was written is a snapshot");
    anonymize::anonymize(&facts).expect("facts stay facts");
});
