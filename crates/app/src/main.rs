//! `dbwright`: the database engineer in one binary.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
