//! Report formats, one file each, over one report.
//!
//! Every format is a pure function of the report and the options: equal input gives equal bytes. Formats made to be
//! read (terminal, Markdown, HTML, JUnit, GitHub) show control and direction characters of names as escapes; formats
//! made for programs (JSON, SARIF, CSV) carry every name exactly.

use std::fmt;
use std::io;
use std::str::FromStr;

use dbwright_model::finding::Level;
use dbwright_model::report::Report;

pub mod terminal;
pub mod json;
pub mod sarif;
pub mod junit;
pub mod github;
pub mod markdown;
pub mod html;
pub mod csv;
pub mod wrap;
mod shape;
mod text;

pub use text::{visible, visible_block};

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Text to read in a terminal and to paste into a ticket.
    Terminal,
    /// The whole report as data; its schema is published.
    Json,
    /// SARIF 2.1.0 for code scanning.
    Sarif,
    /// JUnit XML for test reports of CI servers.
    Junit,
    /// Workflow commands that become annotations on GitHub.
    Github,
    /// A comment for a pull request.
    Markdown,
    /// One self-contained page.
    Html,
    /// One finding per row, for spreadsheets.
    Csv,
}

impl Format {
    /// Every format in the order in which help texts name them.
    pub const ALL: [Format; 8] = [
        Format::Terminal,
        Format::Json,
        Format::Sarif,
        Format::Junit,
        Format::Github,
        Format::Markdown,
        Format::Html,
        Format::Csv,
    ];

    /// The lower-case word used in options.
    pub fn id(self) -> &'static str {
        match self {
            Format::Terminal => "terminal",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Junit => "junit",
            Format::Github => "github",
            Format::Markdown => "markdown",
            Format::Html => "html",
            Format::Csv => "csv",
        }
    }
}

impl Format {
    /// Every name, for help texts: `terminal, json, sarif`.
    pub fn names() -> String {
        Format::ALL.map(Format::id).join(", ")
    }

    /// Whether it carries the texts of rules.
    pub fn carries_rules(self) -> bool {
        matches!(self, Format::Sarif | Format::Html)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Format::ALL.into_iter().find(|format| format.id() == text);
        found.ok_or_else(|| UnknownFormat { name: text.to_owned() })
    }
}

/// A word that names no format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat {
    /// The word.
    pub name: String,
}

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no format `{}`", visible(&self.name))
    }
}

impl std::error::Error for UnknownFormat {}

/// What the reader asked for. Formats ignore what makes no sense in them.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Whether the terminal format may use colour; without it no escape code is written.
    pub color: bool,
    /// Columns of the terminal; 0 means never to wrap.
    pub width: usize,
    /// The lowest level shown. What is hidden is counted. JSON ignores it and is always whole.
    pub level: Level,
    /// Whether every finding is written out instead of a few examples of each rule.
    pub verbose: bool,
    /// Whether the terminal format may draw with characters outside ASCII. Names are always written as they are.
    pub unicode: bool,
    /// Texts of rules, for formats that carry them.
    pub rules: &'a [RuleText],
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { color: false, width: 100, level: Level::Note, verbose: false, unicode: true, rules: &[] }
    }
}

/// The published text of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The rule's id.
    pub id: String,
    /// What it finds, in one sentence.
    pub summary: String,
    /// Its page, as Markdown.
    pub help_markdown: String,
    /// Its level unless configured otherwise.
    pub level: Level,
}

/// Writes a report in a format.
pub fn render(report: &Report, format: Format, options: &Options) -> String {
    match format {
        Format::Terminal => terminal::render(report, options),
        Format::Json => json::render(report, options),
        Format::Sarif => sarif::render(report, options),
        Format::Junit => junit::render(report, options),
        Format::Github => github::render(report, options),
        Format::Markdown => markdown::render(report, options),
        Format::Html => html::render(report, options),
        Format::Csv => csv::render(report, options),
    }
}

/// Writes the same bytes piece by piece, where a format can.
pub fn write(report: &Report, format: Format, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Json => json::write(report, out),
        _ => out.write_all(render(report, format, options).as_bytes()),
    }
}
