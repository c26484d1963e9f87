//! Colours, progress, quiet, and what pipes get.

use std::process::{Command, Stdio};

use proof_cli::{Sandbox, binary};

use super::FLAWED;

/// What a run prints on a terminal; `script` lends it one.
fn on_terminal(sandbox: &Sandbox, arguments: &str, variables: &[(&str, &str)]) -> Option<String> {
    let inner = format!("stty cols 100 2>/dev/null; {} {arguments}", binary().display());
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &inner, "/dev/null"]).current_dir(sandbox.path(""));
    command.env_remove("NO_COLOR").env("TERM", "xterm-256color").envs(variables.iter().copied());
    let output = command.stdin(Stdio::null()).output().ok()?;
    assert!(matches!(output.status.code(), Some(0..=2)), "{arguments}: {:?}", output.status);
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", FLAWED);
    // A pipe gets none; every run in these tests is held to that.
    let plain = sandbox.run(&["audit", "a.sql"]).expect(0).out();
    let never = sandbox.run(&["audit", "a.sql", "--color", "never"]).expect(0).out();
    assert_eq!(plain, never);
    let colored = sandbox.dbwright(&["audit", "a.sql", "--color", "always"]).colored().run().expect(0).out();
    assert!(colored.contains("\u{1b}[1m"), "{colored}");
    assert_eq!(without_escapes(&colored), plain);
    // What is asked for on the command line is stronger than the environment.
    let asked = sandbox.dbwright(&["audit", "a.sql", "--color", "always"]).env("NO_COLOR", "1").colored();
    assert_eq!(asked.run().expect(0).out(), colored);
    let error = sandbox.dbwright(&["audit", "gone.sql", "--color", "always"]).colored().run().expect(2);
    assert!(error.err().contains("\u{1b}[31"), "{}", error.err());
    // Files are read by programs and other terminals.
    sandbox.dbwright(&["audit", "a.sql", "--color", "always", "-o", "report.txt"]).run().expect(0);
    assert_eq!(std::fs::read_to_string(sandbox.path("report.txt")).expect("it was written"), plain);
    for format in ["json", "sarif", "junit", "github", "markdown", "html", "csv"] {
        sandbox.run(&["audit", "a.sql", "--color", "always", "--format", format]).expect(0);
    }
}

#[test]
fn a_terminal_gets_colours_and_progress_unless_told_otherwise() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("a.sqlite", FLAWED);
    let Some(usual) = on_terminal(&sandbox, "audit a.sqlite", &[]) else {
        proof_cli::not_installed("`script`");
        return;
    };
    assert!(usual.contains("\u{1b}[1m"), "{usual:?}");
    let bare = on_terminal(&sandbox, "audit a.sqlite", &[("NO_COLOR", "1")]).expect("it ran before");
    assert!(!bare.contains("\u{1b}[1m") && !bare.contains("\u{1b}[3"), "{bare:?}");
    let dumb = on_terminal(&sandbox, "audit a.sqlite --quiet", &[("TERM", "dumb")]).expect("it ran before");
    assert!(!dumb.contains('\u{1b}'), "{dumb:?}");
    let quiet = on_terminal(&sandbox, "demo --quiet --color never", &[]).expect("it ran before");
    assert!(!quiet.contains("filling") && !quiet.contains('\u{1b}'), "{quiet:?}");
    let busy = on_terminal(&sandbox, "demo --color never", &[]).expect("it ran before");
    assert!(busy.contains("filling"), "{busy:?}");
}

#[test]
fn nothing_but_messages_goes_to_standard_error() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("a.sqlite", FLAWED);
    for arguments in [&["audit", "a.sqlite"][..], &["audit", "a.sqlite", "--quiet"], &["review", "a.sqlite"]]
    {
        assert_eq!(sandbox.run(arguments).expect(0).err(), "");
    }
}

fn without_escapes(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        plain.push_str(&rest[..at]);
        let end = rest[at..].find('m').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    plain + rest
}

#[test]
fn a_terminal_gets_rules_in_its_width_and_a_pipe_gets_them_as_written() {
    let sandbox = Sandbox::new();
    let rule = "explain schema/foreign-key-without-index";
    let words: Vec<&str> = rule.split(' ').collect();
    let prose = |text: &str| -> Vec<usize> {
        let outside = text.split("```").step_by(2).flat_map(str::lines);
        outside.filter(|line| !line.contains("](")).map(|line| line.trim_end().chars().count()).collect()
    };
    let piped = sandbox.run(&words).expect(0).out();
    assert!(prose(&piped).into_iter().any(|width| width > 100), "{piped}");
    let Some(shown) = on_terminal(&sandbox, rule, &[]) else {
        proof_cli::not_installed("`script`");
        return;
    };
    assert!(prose(&shown).into_iter().all(|width| width <= 100), "{shown}");
}
