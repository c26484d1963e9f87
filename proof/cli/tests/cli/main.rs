//! Everything that the program promises on its command line.

mod advice;
mod audit_migrations;
mod backfill;
mod bad_files;
mod bad_migrations;
mod bad_servers;
mod choices;
mod commands;
mod documents;
mod folders;
mod foresee;
mod formats;
mod harsh;
mod interrupts;
mod lint;
mod looks;
mod names;
mod outputs;
mod plans;
mod read_only;
mod records;
mod reference;
mod running;
mod secrets;
mod through;
mod trace;

use proof_cli::Outcome;

/// A table without a primary key: one finding that does not depend on which other rules exist.
const FLAWED: &str = "create table t (a integer not null, b text);";

/// The rule that finds it.
const RULE: &str = "schema/table-without-primary-key";

/// Holds messages and exit codes to a snapshot.
fn told(name: &str, outcomes: &[Outcome]) {
    let text = outcomes.iter().map(Outcome::transcript).collect::<Vec<_>>().join("\n");
    snapshot(name, &text);
}

/// Holds a text to a snapshot; what differs from run to run is named in brackets.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, replacement) in [
        (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:[PORT]"),
        (r"(/dev/shm|/tmp)/dbwright-(pg|maria)-\d+-\d+", "[SERVER]"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}
