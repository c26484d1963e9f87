//! The whole report as JSON, the published interface for programs.

use std::io::{self, Write};

use dbwright_model::report::Report;
use schemars::schema_for;

use crate::Options;

/// Writes the report as indented JSON. It is whole whatever the options say.
pub fn render(report: &Report, _options: &Options) -> String {
    let mut text = Vec::new();
    // Reports are structs, lists and texts: nothing in them can fail to become JSON, and memory takes all.
    write(report, &mut text).expect("reports have only text keys");
    String::from_utf8(text).expect("JSON is text")
}

/// Writes the same piece by piece: the JSON of a long report is larger than the report.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    // Every sign and blank is written by itself: a buffer whose type is known takes them without a call for each.
    let mut out = io::BufWriter::with_capacity(PIECE, out);
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Bytes that are handed on at once.
const PIECE: usize = 64 * 1024;

/// The JSON schema of what [`render`] writes, as indented JSON.
pub fn json_schema() -> String {
    let schema = schema_for!(Report);
    // A schema is a JSON value already.
    let mut text = serde_json::to_string_pretty(schema.as_value()).expect("a schema is JSON");
    text.push('\n');
    text
}
