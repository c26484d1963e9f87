//! `docs/cli.md` is what `--help` says.

use std::fs;
use std::path::Path;

use proof_cli::Sandbox;

/// The help of a command and of the commands under it.
fn chapter(sandbox: &Sandbox, path: &[&str], text: &mut String) {
    let mut arguments = path.to_vec();
    arguments.push("--help");
    let help = sandbox.run(&arguments).expect(0).out();
    let name = ["dbwright"].iter().chain(path).copied().collect::<Vec<_>>().join(" ");
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim_end()));
    let mut commands = help.iter().skip_while(|line| **line != "Commands:").skip(1);
    for line in commands.by_ref().take_while(|line| !line.is_empty()) {
        // Further lines of a description stand further in.
        let Some(rest) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) else { continue };
        let command = rest.split(' ').next().unwrap_or_default();
        chapter(sandbox, &[path, &[command]].concat(), text);
    }
}

#[test]
fn the_reference_is_what_help_says() {
    let sandbox = Sandbox::new();
    let mut text = String::from(
        "# The commands of dbwright\n\nThis page is what `--help` prints, command by command. A test writes it anew with \
         `UPDATE_DOCS=1`.\n",
    );
    chapter(&sandbox, &[], &mut text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).expect("the folder is ours");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "docs/cli.md is old: run this test with UPDATE_DOCS=1\n{text}");
}

#[test]
fn short_help_names_every_command() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["-h"]).expect(0).out();
    for command in
        ["audit", "review", "migrate", "demo", "explain", "rules", "snapshot", "score", "completions", "man"]
    {
        assert!(help.lines().any(|line| line.trim_start().starts_with(command)), "{command}");
    }
    assert_eq!(sandbox.run(&["--version"]).expect(0).out().split(' ').next(), Some("dbwright"));
    // Without a command, the help is the answer, and nothing was done.
    let nothing = sandbox.run(&[""; 0]).expect(2);
    assert!(nothing.err().contains("Usage: dbwright"), "{}", nothing.err());
}
