//! Where reports go: files, folders, devices, pipes that close.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::process::{Command, Stdio};

use proof_cli::{Sandbox, is_root};

use super::{FLAWED, told};

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    fs::create_dir(sandbox.path("closed")).expect("it is new");
    fs::set_permissions(sandbox.path("closed"), fs::Permissions::from_mode(0o555)).expect("it is ours");
    let mut outcomes = Vec::new();
    for output in ["closed/report.json", "nowhere/report.json", ".", "closed", "a.sql/report.json"] {
        let run = sandbox.dbwright(&["audit", "a.sql", "--format", "json", "--output", output]);
        outcomes.push(run.as_nobody().run().expect(2));
    }
    told("unwritable", &outcomes);
    assert!(fs::read_dir(sandbox.path("closed")).expect("it is there").next().is_none());
    assert!(!sandbox.path("nowhere").exists());
    assert!(
        fs::read_dir(sandbox.path(""))
            .expect("it is there")
            .flatten()
            .all(|entry| { !entry.file_name().to_string_lossy().ends_with(".part") })
    );
    assert!(sandbox.leftovers().is_empty());
}

#[test]
fn files_are_replaced_and_links_and_devices_stay_what_they_are() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    sandbox.file("old.json", "something older and longer than nothing");
    std::os::unix::fs::symlink("old.json", sandbox.path("link.json")).expect("it is new");
    let whole = sandbox.run(&["audit", "a.sql", "--format", "json"]).expect(0).stdout;
    let outcome = sandbox.run(&["audit", "a.sql", "--format", "json", "--output", "link.json"]).expect(0);
    assert!(outcome.stdout.is_empty());
    assert_eq!(fs::read(sandbox.path("old.json")).expect("it is there"), whole);
    assert!(fs::symlink_metadata(sandbox.path("link.json")).expect("it is there").is_symlink());

    if is_root() {
        // Without this, a failing program run by root would take the machine's own device away.
        let made = Command::new("mknod").arg(sandbox.path("null")).args(["c", "1", "3"]).status();
        assert!(made.is_ok_and(|status| status.success()));
        sandbox.run(&["audit", "a.sql", "--output", "null"]).expect(0);
        let kind = fs::metadata(sandbox.path("null")).expect("it is there").file_type();
        assert!(kind.is_char_device());
    } else {
        sandbox.run(&["audit", "a.sql", "--output", "/dev/null"]).expect(0);
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = sandbox.dbwright(&["audit", "a.sql"]).into_command();
    let output = command.stdout(full).stderr(Stdio::piped()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"));
}

#[test]
fn a_reader_that_goes_away_is_success() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "a.sql",
        (0..300).map(|i| FLAWED.replace("table t", &format!("table t{i}"))).collect::<String>(),
    );
    for arguments in [
        &["audit", "a.sql", "--format", "json", "--verbose"][..],
        &["audit", "a.sql", "--verbose"],
        &["rules", "--json"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ] {
        let mut command = sandbox.dbwright(arguments).into_command();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut reader = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("there is a line");
        drop(reader);
        let output = child.wait_with_output().expect("it ends");
        assert!(!line.is_empty());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {:?}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn closed_channels_are_no_panic() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    for (redirection, arguments, code) in [
        ("2>&-", "audit missing.sql", 2),
        (">&-", "audit a.sql", 0),
        ("<&-", "audit a.sql", 0),
        (">&- 2>&-", "audit missing.sql", 2),
        ("2>/dev/full", "audit missing.sql", 2),
        ("2>/dev/full", "audit --no-such-option", 2),
    ] {
        let script = format!("{} {arguments} {redirection}", proof_cli::binary().display());
        let mut command = Command::new("sh");
        command.arg("-c").arg(&script).current_dir(sandbox.path(""));
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
        assert_eq!(status.code(), Some(code), "{script}");
    }
}
