//! The shapes that other programs read.

use std::path::Path;

use proof_cli::Sandbox;
use proof_cli::servers::Postgres;
use serde_json::Value;

use super::{FLAWED, RULE};

/// The published schema of reports.
fn schema() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/report.schema.json");
    let text = std::fs::read_to_string(path).expect("it is committed");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("it is JSON")).expect("it is a schema")
}

fn check_json(report: &Value) {
    let errors: Vec<String> =
        schema().iter_errors(report).map(|error| format!("{}: {error}", error.instance_path)).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// What every reader of SARIF relies on.
fn check_sarif(log: &Value, findings: usize) {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().is_some_and(|schema| schema.contains("sarif")));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "dbwright");
    let rules: Vec<&str> =
        driver["rules"].as_array().expect("a list").iter().filter_map(|rule| rule["id"].as_str()).collect();
    let results = run["results"].as_array().expect("a list");
    assert_eq!(results.len(), findings);
    for result in results {
        let id = result["ruleId"].as_str().expect("an id");
        if let Some(index) = result["ruleIndex"].as_u64() {
            assert_eq!(rules[index as usize], id);
        }
        assert!(rules.contains(&id), "{id} is not described");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(["note", "warning", "error"].contains(&result["level"].as_str().expect("a level")));
        // Code scanning services refuse a result without a file.
        let locations = result["locations"].as_array().expect("a list");
        assert!(!locations.is_empty());
        for location in locations {
            let place = &location["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a file");
            assert!(!uri.is_empty() && !uri.contains([' ', '\\']), "{uri}");
            assert!(place["region"]["startLine"].as_u64().is_some_and(|line| line > 0));
        }
        assert!(result["partialFingerprints"].as_object().is_some_and(|prints| !prints.is_empty()));
    }
}

#[test]
fn reports_of_every_target_keep_to_the_published_shapes() {
    let sandbox = Sandbox::new();
    sandbox.file("a.sql", format!("{FLAWED}\nalter table t frobnicate;\n"));
    sandbox.file("folder/V1__a.sql", FLAWED);
    sandbox.sqlite("a.sqlite", FLAWED);
    sandbox.file(
        "dbwright.toml",
        format!("[[suppress]]\nrule = \"{RULE}\"\nobject = \"gone\"\nreason = \"r\"\n"),
    );
    let postgres = Postgres::start(&sandbox, &[]);
    postgres.database("shop", FLAWED);
    let live = postgres.target("postgres", "shop");
    sandbox.run(&["snapshot", &live, "--output", "snapshot.json"]).expect(0);
    for target in ["a.sql", "folder", "a.sqlite", &live, "snapshot.json"] {
        for command in ["audit", "review"] {
            let run = |format: &str| {
                let arguments =
                    [command, target, "--format", format, "--fail-on", "never", "--preview", "all"];
                sandbox.run(&arguments).expect(0)
            };
            let report = run("json").json();
            check_json(&report);
            let findings = report["findings"].as_array().map_or(0, Vec::len);
            assert!(findings > 0, "{target}");
            check_sarif(&run("sarif").json(), findings);
            let junit = run("junit").out();
            assert!(junit.starts_with("<?xml") && junit.contains("<testsuites"), "{junit}");
            assert_eq!(run("csv").out().lines().next().map(|line| line.contains("rule")), Some(true));
            assert!(run("html").out().starts_with("<!"));
        }
    }
    let demo = sandbox.run(&["demo", "--format", "json"]).expect(0).json();
    check_json(&demo);
    assert_eq!(demo["target"]["name"], "the demonstration shop");
}

/// Only reading a live target has a time of its own.
#[test]
fn equal_input_gives_equal_bytes() {
    let sandbox = Sandbox::new();
    let tables: String = (0..20).map(|i| FLAWED.replace("table t", &format!("table t{i}"))).collect();
    sandbox.file("a.sql", &tables);
    sandbox.sqlite("a.sqlite", &tables);
    for format in ["terminal", "json", "sarif", "junit", "github", "markdown", "html", "csv"] {
        let run = |target: &str| {
            let out =
                sandbox.run(&["audit", target, "--format", format, "--fail-on", "never"]).expect(0).out();
            without_moments(&out)
        };
        let file = sandbox.run(&["audit", "a.sql", "--format", format, "--fail-on", "never"]).expect(0).out();
        assert_eq!(file, without_moments(&file), "{format}: a report about files holds a time");
        assert_eq!(file, run("a.sql"), "{format}");
        assert_eq!(run("a.sqlite"), run("a.sqlite"), "{format}");
    }
    let snapshot = || without_moments(&sandbox.run(&["snapshot", "a.sqlite"]).expect(0).out());
    assert_eq!(snapshot(), snapshot());
    for arguments in
        [&["rules", "--json"][..], &["rules"], &["explain", RULE], &["man"], &["completions", "zsh"]]
    {
        assert_eq!(sandbox.run(arguments).stdout, sandbox.run(arguments).stdout);
    }
}

/// Moments are shown to the second; each is replaced by the same word.
fn without_moments(text: &str) -> String {
    let mut plain = String::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        let candidate = bytes.get(at..at + 20).unwrap_or_default();
        let is_moment = candidate.len() == 20
            && candidate[10] == b'T'
            && candidate[19] == b'Z'
            && candidate
                .iter()
                .enumerate()
                .all(|(i, byte)| matches!(i, 4 | 7 | 10 | 13 | 16 | 19) || byte.is_ascii_digit());
        if is_moment {
            plain.push_str("[MOMENT]");
            at += 20;
        } else {
            let c = text[at..].chars().next().expect("the text goes on");
            plain.push(c);
            at += c.len_utf8();
        }
    }
    plain
}
