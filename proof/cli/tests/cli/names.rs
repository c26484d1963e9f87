//! Names that try to be markup, commands, escapes or other lines.

use std::collections::BTreeSet;
use std::time::Duration;

use dbwright_engine::dsn::Dsn;
use proof_cli::Sandbox;
use proof_cli::servers::Postgres;
use pulldown_cmark::{Event, Tag};

use super::RULE;

/// Names as they are, none of which may take effect in any format.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "a\"b",
        "a'b; drop table x; --",
        "a`b",
        "two\nlines",
        "car\rriage",
        "tab\tbed",
        "</script><img src=x onerror=alert(1)>",
        "<!--",
        "]]>",
        "{{ 7 * 7 }}{% raw %}",
        "::error::owned",
        "%0A::error::owned",
        "=1+1",
        "| a | b |",
        "[link](javascript:alert(1))",
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "\u{202e}backwards",
        "\u{200b}",
        "😀👩‍👩‍👧",
        "größe",
        " spaces ",
        "a.b",
        "#1",
        "*",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(63));
    names.push("ü".repeat(31));
    names
}

fn script() -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    hostile().iter().map(|name| format!("create table {0} ({0} int not null);\n", quoted(name))).collect()
}

#[test]
fn hostile_names_do_no_harm_in_sqlite() {
    let sandbox = Sandbox::new();
    sandbox.sqlite("hostile.sqlite", &script());
    check(&sandbox, "hostile.sqlite", "");
}

#[test]
fn hostile_names_do_no_harm_in_files() {
    let sandbox = Sandbox::new();
    sandbox.file("hostile.sql", script());
    check(&sandbox, "hostile.sql", "public.");
}

#[test]
fn hostile_names_do_no_harm_in_postgres() {
    let sandbox = Sandbox::new();
    let postgres = Postgres::start(&sandbox, &[]);
    postgres.database("shop", &script());
    check(&sandbox, &postgres.target("postgres", "shop"), "public.");
    // Users and databases have names too.
    let name = "</script>\u{1b}[2J\"";
    let escaped = name.replace('"', "\"\"");
    postgres.ask("postgres", &format!("create role \"{escaped}\" superuser login password 'p'"));
    postgres.ask("postgres", &format!("create database \"{escaped}\""));
    let encoded = "%3C%2Fscript%3E%1B%5B2J%22";
    let target = postgres.target(&format!("{encoded}:p"), encoded);
    for format in FORMATS {
        let run = sandbox.run(&["audit", &target, "--format", format, "--fail-on", "never"]).expect(0);
        assert!(format == "json" || !run.out().contains("<script>\u{1b}"), "{format}");
    }
}

/// Moves the cursor of a terminal, and its escape.
const MOVE: [&str; 2] = ["\u{1b}[2J", "\\u{1b}[2J"];

#[test]
fn what_a_record_holds_moves_no_cursor() {
    let sandbox = Sandbox::new();
    let make = "create table t (id integer not null primary key);\n";
    sandbox.file("m/1_make_t.sql", make);
    sandbox.sqlite("shop.sqlite", make);
    let run = |command: &str, more: &[&str]| {
        let mut all = vec!["migrate", command, "m", "--target", "shop.sqlite"];
        all.extend(more);
        sandbox.dbwright(&all).colored().run()
    };
    run("baseline", &["--yes"]).expect(0);
    sandbox.sqlite(
        "shop.sqlite",
        &format!(
            "update dbwright_migrations set applied_by = '{0}owner', error = '{0}no' || char(10) || 'more'; \
             create temp table other as select * from dbwright_migrations; \
             update other set version = '0{0}', description = '{0}gone'; \
             insert into dbwright_migrations select * from other",
            MOVE[0]
        ),
    );
    for command in ["status", "verify"] {
        for color in ["always", "never"] {
            let shown = run(command, &["--color", color]);
            let text = shown.out() + &shown.err();
            assert!(!text.contains(MOVE[0]), "{command}, colours {color}: {text:?}");
            for word in ["owner", "gone"] {
                assert!(text.contains(&format!("{}{word}", MOVE[1])), "{word}, {command}: {text}");
            }
        }
    }
    let told = run("up", &["--yes"]).expect(0).err();
    assert!(told.contains(MOVE[1]) && !told.contains(MOVE[0]), "{told:?}");
}

#[test]
fn who_is_waited_for_moves_no_cursor() {
    let sandbox = Sandbox::new();
    let server = Postgres::start(&sandbox, &[]);
    server.database(
        "shop",
        &format!(
            "create table t (id integer primary key); create role \"{}\" superuser login password 'p'",
            MOVE[0]
        ),
    );
    sandbox.file("m/1_add.sql", "alter table t add column b integer;\n");
    let holder = Dsn::parse(&server.target("%1B%5B2J:p", "shop")).expect("it is a target");
    let runtime = proof_cli::runtime();
    let mut holder = runtime.block_on(proof_cli::write(&holder));
    runtime
        .block_on(holder.script(&format!("begin; update t set id = id /* {}held */", MOVE[0])))
        .expect("it is free");
    // A younger transaction is not worth a word.
    std::thread::sleep(Duration::from_millis(5_500));
    let target = server.target("postgres", "shop");
    let up = ["migrate", "up", "m", "--target", &target, "--yes", "--lock-timeout", "3s", "--retries", "0"];
    // Every run is held to print no escape.
    let told = sandbox.run(&up).expect(2).err();
    for words in [format!("of `{}` (", MOVE[1]), format!("of `{}`", MOVE[1]), format!("{}held", MOVE[1])] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    runtime.block_on(holder.script("rollback")).expect("it ends");
}

const FORMATS: [&str; 8] = ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "csv"];

fn check(sandbox: &Sandbox, target: &str, schema: &str) {
    // Every run is held to print no escape, in every format.
    let run = |format: &str| {
        let arguments =
            ["review", target, "--only", RULE, "--verbose", "--fail-on", "never", "--format", format];
        sandbox.run(&arguments).expect(0).out()
    };
    let expected: BTreeSet<String> = hostile().iter().map(|name| format!("{schema}{name}")).collect();
    let report: serde_json::Value = serde_json::from_str(&run("json")).expect("it is JSON");
    let findings = report["findings"].as_array().expect("a list");
    let objects: BTreeSet<String> =
        findings.iter().map(|finding| finding["object"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(objects, expected, "{target}");
    assert_eq!(report["skipped_statements"].as_array().map(Vec::len), Some(0), "{report:#}");

    let sarif: serde_json::Value = serde_json::from_str(&run("sarif")).expect("it is JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("a list");
    assert_eq!(results.len(), expected.len());

    let html = run("html");
    assert!(!html.contains("<img") && !html.contains("</script><"), "a name became markup");
    assert_eq!(html.matches("<script").count(), html.matches("</script>").count());
    let github = run("github");
    let lines: Vec<&str> = github.lines().collect();
    let (summary, commands) = lines.split_last().expect("there is a summary");
    assert!(summary.starts_with("dbwright review: "), "{summary}");
    assert_eq!(commands.len(), expected.len(), "a name began a line");
    assert!(
        commands.iter().all(|line| line.starts_with("::warning ") && line.contains("title=")),
        "{github}"
    );
    for event in pulldown_cmark::Parser::new(&run("markdown")) {
        match event {
            Event::Html(markup) | Event::InlineHtml(markup) => {
                assert!(!markup.contains("img") && !markup.contains("script"), "{markup}");
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                assert!(!dest_url.starts_with("javascript"), "{dest_url}")
            }
            _ => {}
        }
    }
    let csv = run("csv");
    assert!(csv.lines().all(|line| !line.contains(",=1+1") && !line.starts_with("=1+1")), "{csv}");
    let terminal = run("terminal");
    assert!(terminal.lines().all(|line| line != "lines" && !line.contains('\r')), "{terminal}");
    assert!(!terminal.contains('\u{202e}'));
    assert!(run("junit").starts_with("<?xml"));

    // Keys stand one to a line in a baseline, and silence what they name.
    let write = ["review", target, "--only", RULE, "--write-baseline", "base", "--fail-on", "never"];
    sandbox.run(&write).expect(0);
    let text = std::fs::read_to_string(sandbox.path("base")).expect("it was written");
    assert_eq!(text.lines().count(), expected.len() + 1, "{text}");
    let read =
        ["review", target, "--only", RULE, "--baseline", "base", "--format", "json", "--fail-on", "note"];
    let report = sandbox.run(&read).expect(0).json();
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(0), "{report:#}");

    // A snapshot says the same again.
    sandbox.run(&["snapshot", target, "--output", "snapshot.json"]).expect(0);
    let arguments = ["review", "snapshot.json", "--only", RULE, "--format", "json", "--fail-on", "never"];
    let again = sandbox.run(&arguments).expect(0).json();
    let again: BTreeSet<&str> =
        again["findings"].as_array().expect("a list").iter().filter_map(|f| f["object"].as_str()).collect();
    assert_eq!(again, expected.iter().map(String::as_str).collect());
}
