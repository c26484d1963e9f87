//! Findings as rows for spreadsheets.

use csv::WriterBuilder;
use dbwright_model::report::{Report, ReportFinding};

use crate::shape::shown;
use crate::{Options, text};

const HEADER: [&str; 19] = [
    "level",
    "dimension",
    "rule",
    "object_kind",
    "object",
    "message",
    "evidence",
    "evidence_level",
    "confidence",
    "count",
    "critical",
    "remedy",
    "applicability",
    "sql",
    "file",
    "line",
    "column",
    "cause",
    "key",
];

/// Writes one row per finding under a header row.
///
/// Cells that a spreadsheet would read as a formula get an apostrophe in front, because names come from the database
/// and whoever may create a table there must not run formulas here. Nor may they move the cursor of a terminal that the
/// rows are printed on: control characters other than line breaks and tabs become escapes.
pub fn render(report: &Report, options: &Options) -> String {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    let mut write = |row: &[String]| {
        // The writer fails only on rows of unequal length, and on IO, which memory has none of.
        writer.write_record(row).expect("rows have the length of the header");
    };
    write(&HEADER.map(str::to_owned));
    for finding in shown(report, options.level) {
        write(&row(finding).map(guard));
    }
    // Memory cannot fail to flush, and every cell came from a `String`.
    String::from_utf8(writer.into_inner().expect("memory takes all")).expect("cells are text")
}

fn row(finding: &ReportFinding) -> [String; HEADER.len()] {
    let remedy = finding.remedy.as_ref();
    let location = finding.location.as_ref();
    let evidence: Vec<_> =
        finding.evidence.iter().map(|evidence| format!("{}: {}", evidence.name, evidence.value)).collect();
    let sql: Vec<_> =
        remedy.into_iter().flat_map(|remedy| &remedy.steps).map(|step| step.sql.as_str()).collect();
    [
        finding.level.to_string(),
        finding.dimension.to_string(),
        finding.rule.clone(),
        text::kind(finding.object_kind).to_owned(),
        finding.object.clone(),
        finding.message.clone(),
        evidence.join("; "),
        text::evidence_level(finding.evidence_level).to_owned(),
        text::confidence(finding.confidence).to_owned(),
        finding.count.to_string(),
        finding.critical.to_string(),
        remedy.map(|remedy| remedy.summary.clone()).unwrap_or_default(),
        remedy.map(|remedy| text::applicability(remedy.applicability).to_owned()).unwrap_or_default(),
        sql.join("\n"),
        location.map(|location| location.file.clone()).unwrap_or_default(),
        location.map(|location| location.line.to_string()).unwrap_or_default(),
        location.map(|location| location.column.to_string()).unwrap_or_default(),
        finding.cause.clone(),
        finding.key.clone(),
    ]
}

fn guard(cell: String) -> String {
    let cell = text::visible_block(&cell);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell }
}
