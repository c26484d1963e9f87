//! The whole report as JSON, the published interface for programs.

use dbwright_model::report::Report;
use schemars::schema_for;

use crate::Options;

/// Writes the report as indented JSON. It is whole whatever the options say.
pub fn render(report: &Report, _options: &Options) -> String {
    // Reports are structs, lists and texts: nothing in them can fail to become JSON.
    let mut text = serde_json::to_string_pretty(report).expect("reports have only text keys");
    text.push('\n');
    text
}

/// The JSON schema of what [`render`] writes, as indented JSON.
pub fn json_schema() -> String {
    let schema = schema_for!(Report);
    // A schema is a JSON value already.
    let mut text = serde_json::to_string_pretty(schema.as_value()).expect("a schema is JSON");
    text.push('\n');
    text
}
