//! SARIF 2.1.0, the standard form for code scanning.
//!
//! Results always carry the database object as a logical location. Code scanning services refuse results without a
//! file: a finding that stands in none points to the first line of `database/<object>`, a path that names the object and
//! no file. What could not be checked and what was not understood are notifications of the run.

use std::collections::BTreeSet;

use dbwright_model::finding::{Level, Location, ObjectKind};
use dbwright_model::report::{Report, ReportFinding, SuppressedFinding};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::shape::{not_checked, shown};
use crate::{Options, RuleText, text};

/// What stays as it is in the path of a file.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stays as it is in one part of a path.
const SEGMENT: &AsciiSet = &PATH.add(b'/');

/// Writes the report as one SARIF run.
pub fn render(report: &Report, options: &Options) -> String {
    let found: Vec<&ReportFinding> = shown(report, options.level).collect();
    let ids: BTreeSet<&str> = found
        .iter()
        .map(|finding| finding.rule.as_str())
        .chain(report.suppressed.iter().map(|finding| finding.rule.as_str()))
        .chain(report.not_checked.iter().map(|line| line.rule.as_str()))
        .collect();
    let rules = Rules { ids: ids.into_iter().collect(), texts: options.rules };

    let mut results: Vec<Value> = found.iter().map(|finding| result(&rules, finding)).collect();
    results.extend(report.suppressed.iter().map(|finding| suppressed(&rules, finding)));

    let mut run = json!({
        "tool": {
            "driver": {
                "name": "dbwright",
                "version": report.dbwright,
                "rules": rules.descriptors(),
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation(report, &rules)],
        "results": results,
        "properties": { "operation": report.operation, "target": report.target },
    });
    if let Some(score) = &report.score {
        run["properties"]["score"] = json!({
            "proven": score.proven,
            "ceiling": score.ceiling,
            "coverage": score.coverage,
            "band": score.band,
        });
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

/// The rules a run speaks of, in the order of their ids.
struct Rules<'a> {
    ids: Vec<&'a str>,
    texts: &'a [RuleText],
}

impl Rules<'_> {
    fn text(&self, id: &str) -> Option<&RuleText> {
        self.texts.iter().find(|text| text.id == id)
    }

    fn index(&self, id: &str) -> usize {
        self.ids.partition_point(|known| *known < id)
    }

    fn descriptors(&self) -> Vec<Value> {
        let descriptor = |id: &&str| match self.text(id) {
            None => json!({ "id": id }),
            Some(text) => json!({
                "id": id,
                "shortDescription": { "text": text.summary },
                "help": { "text": text.help_markdown, "markdown": text.help_markdown },
                "defaultConfiguration": { "level": level(text.level) },
            }),
        };
        self.ids.iter().map(descriptor).collect()
    }
}

fn result(rules: &Rules<'_>, finding: &ReportFinding) -> Value {
    let mut message = finding.message.clone();
    for evidence in &finding.evidence {
        message.push_str(&format!("\n{}: {}", evidence.name, evidence.value));
    }
    let mut properties = Map::new();
    properties.insert("dimension".into(), json!(finding.dimension));
    properties.insert("confidence".into(), json!(text::confidence(finding.confidence)));
    properties.insert("evidenceLevel".into(), json!(text::evidence_level(finding.evidence_level)));
    properties.insert("cause".into(), json!(finding.cause));
    properties.insert("critical".into(), json!(finding.critical));
    if let Some(remedy) = &finding.remedy {
        message.push_str(&format!("\nFix: {}", remedy.summary));
        properties.insert("remedy".into(), json!(remedy));
    }
    json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.index(&finding.rule),
        "level": level(finding.level),
        "message": { "text": message },
        "locations": [location(finding)],
        "occurrenceCount": finding.count.max(1),
        "partialFingerprints": fingerprint(&finding.key),
        "properties": properties,
    })
}

fn suppressed(rules: &Rules<'_>, finding: &SuppressedFinding) -> Value {
    let level = rules.text(&finding.rule).map_or("none", |text| level(text.level));
    let kind = if finding.by == "comment" { "inSource" } else { "external" };
    json!({
        "ruleId": finding.rule,
        "ruleIndex": rules.index(&finding.rule),
        "level": level,
        "message": { "text": format!("Accepted: {}", finding.reason) },
        "locations": [{
            "logicalLocations": [{ "fullyQualifiedName": finding.object }],
            "physicalLocation": no_file(&finding.object),
        }],
        "partialFingerprints": fingerprint(&finding.key),
        "suppressions": [{
            "kind": kind,
            "status": "accepted",
            "justification": finding.reason,
            "properties": { "by": finding.by, "until": finding.until },
        }],
    })
}

fn invocation(report: &Report, rules: &Rules<'_>) -> Value {
    let unchecked: Vec<Value> = not_checked(report)
        .into_iter()
        .flat_map(|(because, ids)| {
            ids.into_iter().map(move |id| {
                json!({
                    "level": "note",
                    "message": { "text": format!("Not checked: {because}") },
                    "associatedRule": { "id": id, "index": rules.index(id) },
                })
            })
        })
        .collect();
    let skipped: Vec<Value> = report
        .skipped_statements
        .iter()
        .map(|statement| {
            let place = Location { file: statement.file.clone(), line: statement.line, column: 1 };
            let locations = match statement.line {
                0 => json!([]),
                _ => json!([{ "physicalLocation": physical(&place) }]),
            };
            json!({
                "level": "warning",
                "message": { "text": format!("Not understood: {}\n{}", statement.because, statement.statement) },
                "locations": locations,
            })
        })
        .collect();
    json!({
        "executionSuccessful": true,
        "toolConfigurationNotifications": unchecked,
        "toolExecutionNotifications": skipped,
    })
}

fn location(finding: &ReportFinding) -> Value {
    let object = json!({
        "fullyQualifiedName": finding.object,
        "kind": logical_kind(finding.object_kind),
    });
    let physical = finding.location.as_ref().map_or_else(|| no_file(&finding.object), physical);
    json!({ "logicalLocations": [object], "physicalLocation": physical })
}

/// The place of an object that stands in no file.
fn no_file(object: &str) -> Value {
    json!({
        "artifactLocation": {
            "uri": format!("database/{}", utf8_percent_encode(object, SEGMENT)),
            "description": { "text": "An object of the database; there is no such file." },
        },
        "region": { "startLine": 1, "startColumn": 1 },
    })
}

fn physical(place: &Location) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": { "startLine": place.line.max(1), "startColumn": place.column.max(1) },
    })
}

/// A file as a URI: absolute paths become `file:` URIs, others stay relative to the folder dbwright ran in.
fn uri(file: &str) -> String {
    let path = utf8_percent_encode(file, PATH);
    if file.starts_with('/') { format!("file://{path}") } else { path.to_string() }
}

fn fingerprint(key: &str) -> Value {
    json!({ "dbwrightKey/v1": key })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// The standard knows few kinds; where it has a fitting word that one is used.
fn logical_kind(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Function => "function",
        ObjectKind::Type => "type",
        other => text::kind(other),
    }
}
