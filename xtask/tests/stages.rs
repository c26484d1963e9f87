//! The stages of `./test` end at their first failing command, and with them the run.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a script after the definition of `stage`, as `./test` has it.
fn check(script: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = std::fs::read_to_string(root.join("test")).expect("`./test` can be read");
    let (_, rest) = text.split_once("\nstage() {\n").expect("`./test` defines `stage`");
    let (body, _) = rest.split_once("\n}\n").expect("`stage` ends");
    let script = format!("set -euo pipefail\ndurations=()\nstage() {{\n{body}\n}}\n{script}");
    Command::new("bash").arg("-c").arg(script).output().expect("bash can be run")
}

#[test]
fn a_stage_ends_at_its_first_failing_command() {
    for failing in ["false; echo survived", "(exit 7); echo survived", "false | cat; echo survived"] {
        let output = check(&format!("twice() {{ {failing}; }}\nstage one twice\necho next"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{failing}: {said}");
        assert!(!said.contains("survived") && !said.contains("next"), "{failing}: {said}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("test: one failed"), "{failing}");
    }
}

#[test]
fn a_run_goes_on_after_a_stage_that_passed() {
    let output = check("once() { if false; then :; fi; true; }\nstage one once\nstage two true\necho next");
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("next"));
}

#[test]
fn a_stage_fails_with_the_code_of_its_command() {
    assert_eq!(check("stage one bash -c 'exit 7'").status.code(), Some(7));
}
