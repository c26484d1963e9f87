//! Migrations that are broken, strangely written, huge, hidden, or for another server.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use proof_cli::{Sandbox, noise, utf16};
use serde_json::Value;

const BLOCKING: &str = "migration/blocking-index-build";
const TABLE: &str = "create table t (id bigint primary key, a int);\n";
const INDEX: &str = "create index t_a on t (a);\n";

/// The report on a folder, with the only code that may come of it.
fn lint(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let mut all = vec!["migrate", "lint", "--format", "json", "--fail-on", "never"];
    all.extend(arguments);
    sandbox.run(&all).expect(0).json()
}

/// `file:line:column` of each finding of a rule, sorted.
fn places(report: &Value, rule: &str) -> Vec<String> {
    let findings = report["findings"].as_array().expect("a list");
    let mut list: Vec<String> = findings
        .iter()
        .filter(|finding| finding["rule"] == rule)
        .map(|finding| {
            let place = &finding["location"];
            format!("{}:{}:{}", place["file"].as_str().unwrap_or("?"), place["line"], place["column"])
        })
        .collect();
    list.sort();
    list
}

/// What the command says of arguments that it cannot work with.
fn refused(sandbox: &Sandbox, arguments: &[&str], words: &[&str]) {
    let mut all = vec!["migrate", "lint"];
    all.extend(arguments);
    let outcome = sandbox.run(&all).expect(2);
    let told = outcome.err();
    for word in words {
        assert!(told.contains(word), "{arguments:?} told {told}");
    }
}

#[test]
fn a_broken_file_is_one_diagnostic_and_the_rest_is_judged() {
    for broken in ["\n  create tabel u (id int);\n", "\n  select 'never closed;\ndrop table t;\n"] {
        let sandbox = Sandbox::new();
        sandbox.file("m/1.sql", TABLE);
        sandbox.file("m/2.sql", broken);
        sandbox.file("m/3.sql", INDEX);
        let report = lint(&sandbox, &["m", "--engine", "postgres"]);
        let skipped = report["skipped_statements"].as_array().expect("a list");
        assert_eq!(skipped.len(), 1, "{report:#}");
        assert_eq!((skipped[0]["file"].as_str(), skipped[0]["line"].as_u64()), (Some("m/2.sql"), Some(2)));
        assert_eq!(places(&report, "migration/not-analysed"), ["m/2.sql:2:3"], "{report:#}");
        assert_eq!(places(&report, BLOCKING), ["m/3.sql:1:1"], "{report:#}");
    }
}

#[test]
fn folders_that_hold_no_migrations_are_named() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("empty")).expect("it is new");
    sandbox.file("notes/read.me", "no migrations here");
    refused(&sandbox, &["missing"], &["`missing`", "there is no such file or folder"]);
    refused(&sandbox, &["empty"], &["`empty` holds no `.sql` files", "name the folder"]);
    refused(&sandbox, &["notes"], &["`notes` holds no `.sql` files"]);
    refused(&sandbox, &[], &["no migrations were named"]);
}

#[test]
fn two_files_of_one_version_are_not_run() {
    for (first, second) in [("1_a.sql", "1_b.sql"), ("1_a.sql", "01_b.sql"), ("V2_1__a.sql", "V2.01__b.sql")]
    {
        let sandbox = Sandbox::new();
        sandbox.file(&format!("m/{first}"), "create table a (id integer primary key);\n");
        sandbox.file(&format!("m/{second}"), "create table b (id integer primary key);\n");
        let outcome =
            sandbox.dbwright(&["migrate", "up", "m", "--target", "new.sqlite", "--yes"]).run().expect(2);
        assert!(outcome.err().contains("have the same version"), "{}", outcome.err());
        assert!(!sandbox.path("new.sqlite").exists());
    }
}

#[test]
fn a_file_for_another_server_is_said_to_be_not_understood() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    sandbox.file(
        "m/2.sql",
        "CREATE TABLE `u` (`id` int NOT NULL AUTO_INCREMENT, PRIMARY KEY (`id`)) ENGINE=InnoDB;\n",
    );
    sandbox.file("m/3.sql", INDEX);
    let report = lint(&sandbox, &["m", "--engine", "postgres"]);
    assert_eq!(places(&report, "migration/not-analysed"), ["m/2.sql:1:1"], "{report:#}");
    assert_eq!(places(&report, BLOCKING), ["m/3.sql:1:1"], "{report:#}");
}

#[test]
fn every_encoding_and_line_end_tells_the_same() {
    let text = format!("-- größer\n{INDEX}");
    let mut latin = text.as_bytes().to_vec();
    let at = text.find('ö').expect("it stands there");
    latin.splice(at..at + 2, [0xf6]);
    let cases: [(&str, Vec<u8>); 5] = [
        ("plain", text.clone().into_bytes()),
        ("crlf", text.replace('\n', "\r\n").into_bytes()),
        ("wide", utf16(&text)),
        ("marked", format!("\u{feff}{text}").into_bytes()),
        ("latin", latin),
    ];
    for (name, bytes) in cases {
        let sandbox = Sandbox::new();
        sandbox.file("m/1.sql", TABLE);
        sandbox.file("m/2.sql", bytes);
        let report = lint(&sandbox, &["m", "--engine", "postgres"]);
        assert_eq!(places(&report, BLOCKING), ["m/2.sql:2:1"], "{name}: {report:#}");
        assert_eq!(report["skipped_statements"].as_array().map(Vec::len), Some(0), "{name}: {report:#}");
    }
}

#[test]
fn a_statement_of_ten_megabytes_is_read() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    let mut insert = String::from("insert into t (id, a) values (0, 0)");
    while insert.len() < 10_000_000 {
        insert.push_str(",\n(1234567, 7654321), (1234568, 7654322), (1234569, 7654323)");
    }
    insert.push_str(";\n");
    sandbox.file("m/2.sql", format!("{insert}{INDEX}"));
    let report = lint(&sandbox, &["m", "--engine", "postgres"]);
    let line = insert.matches('\n').count() + 1;
    assert_eq!(places(&report, BLOCKING), [format!("m/2.sql:{line}:1")]);
    assert!(report["statements"].as_array().is_some_and(|list| list.len() == 3));
}

#[test]
fn files_that_are_no_text_or_may_not_be_read_are_named() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    sandbox.file("m/2.sql", noise(9_000));
    sandbox.file("m/3.sql", INDEX);
    // Nothing in it is called good.
    let report = lint(&sandbox, &["m", "--engine", "postgres"]);
    let skipped = report["skipped_statements"].as_array().expect("a list");
    assert!(skipped.iter().any(|one| one["file"] == "m/2.sql"), "{report:#}");
    assert_eq!(places(&report, BLOCKING), ["m/3.sql:1:1"]);

    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    let secret = sandbox.file("m/2.sql", INDEX);
    fs::set_permissions(secret, fs::Permissions::from_mode(0o000)).expect("it is ours");
    let outcome = sandbox.dbwright(&["migrate", "lint", "m"]).as_nobody().run().expect(2);
    let told = outcome.err();
    assert!(told.contains("`m/2.sql`") && told.contains("not permitted"), "{told}");
}

#[test]
fn links_that_lead_in_a_circle_end() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    sandbox.file("m/2.sql", INDEX);
    symlink(sandbox.path("m"), sandbox.path("m/again")).expect("it is new");
    symlink(sandbox.path("m/loop"), sandbox.path("m/loop")).expect("it is new");
    let report = lint(&sandbox, &["m", "--engine", "postgres"]);
    assert_eq!(places(&report, BLOCKING), ["m/2.sql:1:1"]);
    assert_eq!(report["statements"].as_array().map(Vec::len), Some(2), "a file is judged once: {report:#}");
}

#[test]
fn a_catalog_that_cannot_be_had_is_named() {
    let sandbox = Sandbox::new();
    sandbox.file("m/1.sql", TABLE);
    let nobody = "postgres://me@127.0.0.1:1/t?connect_timeout=2";
    refused(&sandbox, &["m", "--catalog", nobody], &["127.0.0.1"]);
    refused(&sandbox, &["m", "--catalog", "missing.json"], &["`missing.json`"]);
    sandbox.sqlite("t.db", "create table t (id integer)");
    refused(&sandbox, &["m", "--catalog", "t.db", "--engine", "postgres"], &["the catalog is one of SQLite"]);
}
