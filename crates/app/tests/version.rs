//! Whether the program starts. With a test in this package, cargo makes the binary for every test of the workspace.

use std::process::Command;

#[test]
fn the_program_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_dbwright")).arg("--version").output().expect("it runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        concat!("dbwright ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
