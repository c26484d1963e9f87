//! The report: what is written to the terminal, to JSON and to every other format.
//!
//! The JSON form is a published interface; its schema is generated from these types.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::facts::{Origin, SkippedStatement};
use crate::finding::{Confidence, Evidence, EvidenceLevel, Level, Location, ObjectKind};
use crate::remedy::Applicability;
use crate::score::{Dimension, Score};

/// Version of the JSON form. It grows by one with every change that is not an addition.
pub const FORMAT: u32 = 1;

/// The outcome of an audit or a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this form.
    pub format: u32,
    /// Version of dbwright.
    pub dbwright: String,
    /// `audit`, `review`, ...
    pub operation: String,
    /// What was looked at.
    pub target: TargetSummary,
    /// The score, for audits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Findings, the worst first.
    pub findings: Vec<ReportFinding>,
    /// Findings that their owners accepted.
    #[serde(default)]
    pub suppressed: Vec<SuppressedFinding>,
    /// What was not checked, and why.
    pub not_checked: Vec<NotChecked>,
    /// Statements of files that were not understood.
    #[serde(default)]
    pub skipped_statements: Vec<SkippedStatement>,
    /// The statements of migrations, in order, with what each does; only for checks of migrations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<ReportStatement>,
    /// On what migrations were tried out, when that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<ReportTrace>,
    /// Suppressions that expired or matched nothing, each with that word behind it.
    #[serde(default)]
    pub unused_suppressions: Vec<String>,
    /// Keys of findings below the level that was asked for, sorted. They are not shown, but a baseline holds them:
    /// otherwise a baseline written with `--level error` would make every warning look new.
    #[serde(skip)]
    pub unshown: Vec<String>,
    /// The worst level among findings that are not shown. They were found all the same.
    #[serde(skip)]
    pub unshown_worst: Option<Level>,
}

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSummary {
    /// The target as named, secrets taken out.
    pub name: String,
    /// How the facts were got.
    pub origin: Origin,
    /// The engine.
    pub engine: Engine,
    /// Whether the engine was guessed from the words of files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub engine_guessed: bool,
    /// The server's version; empty when not known.
    pub version: String,
    /// When the facts were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Timestamp>,
    /// The role they were read with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Tables seen.
    pub tables: u64,
    /// Columns seen.
    pub columns: u64,
    /// Indexes seen.
    pub indexes: u64,
    /// Foreign keys seen.
    pub foreign_keys: u64,
    /// Views seen.
    pub views: u64,
    /// Bytes of all tables and indexes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// A finding as reported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFinding {
    /// The rule's id.
    pub rule: String,
    /// How bad it is.
    pub level: Level,
    /// The dimension it counts in.
    pub dimension: Dimension,
    /// The object's kind.
    pub object_kind: ObjectKind,
    /// The object.
    pub object: String,
    /// One sentence: what is the case and what follows from it.
    pub message: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How that was learnt.
    pub evidence_level: EvidenceLevel,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<ReportRemedy>,
    /// Where it stands in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Findings with the same cause belong together.
    pub cause: String,
    /// How many places it stands for.
    pub count: u64,
    /// Whether it caps the score.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    /// Stable key for suppressions and baselines.
    pub key: String,
    /// The keys of the places, for a finding that stands for several: one for each of `count`. Empty for a finding that is
    /// its own only place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
}

impl ReportFinding {
    /// The keys that a baseline holds for it: those of its places.
    pub fn keys(&self) -> &[String] {
        if self.places.is_empty() { std::slice::from_ref(&self.key) } else { &self.places }
    }
}

/// What to do, with the SQL written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRemedy {
    /// How far it may be applied by itself.
    pub applicability: Applicability,
    /// One sentence in the imperative.
    pub summary: String,
    /// Statements in order.
    pub steps: Vec<RemedyStep>,
}

/// One statement of a remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyStep {
    /// The statement, terminated.
    pub sql: String,
    /// Whether it may run inside a transaction.
    pub in_transaction: bool,
}

/// A finding that its owner accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressedFinding {
    /// The finding's key.
    pub key: String,
    /// Its rule.
    pub rule: String,
    /// Its object.
    pub object: String,
    /// Why it was accepted.
    pub reason: String,
    /// Until when, as a date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where it was accepted: `config`, `comment`, `baseline`.
    pub by: String,
}

/// A statement of a migration, and what it does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportStatement {
    /// The file, as named.
    pub file: String,
    /// Line of its first word, from 1.
    pub line: u32,
    /// Column of its first word in characters, from 1.
    pub column: u32,
    /// Its text; of a long one the beginning.
    pub sql: String,
    /// Whether all of it was understood.
    pub analysed: bool,
    /// Why not, as a lower-case fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The transaction it runs in, counted through all files; `None` when it stands by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u32>,
    /// What `effects` rests on.
    pub evidence_level: EvidenceLevel,
    /// Why a server that it was tried on refused it, where every server would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Why it was not traced although that was asked for, as a lower-case fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_traced: Option<String>,
    /// What standbys and replicas go through when it reaches them, where there are any: `hold its locks`, `replay what it
    /// writes`, both joined by `and`, or `repeat it`. Absent where it costs them no more than any other statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_standbys: Option<String>,
    /// What it does to relations that were there before it.
    pub effects: Vec<ReportEffect>,
}

/// How migrations were tried out on a scratch server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportTrace {
    /// Product and version of the scratch server.
    pub server: String,
    /// The version that was wanted and is not installed, when another one was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
    /// Judged statements that were carried out and observed.
    pub traced: u64,
    /// Judged statements.
    pub statements: u64,
    /// What was missing on the scratch server: objects of the catalog that could not be made, and statements of earlier
    /// files that failed, each a fragment with its reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// What a statement does to one relation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportEffect {
    /// The table, materialised view, sequence or index.
    pub relation: String,
    /// The lock on it in the engine's words: `ACCESS EXCLUSIVE`.
    pub lock: String,
    /// What of others waits: `reads and writes`, `writes`, `schema changes` or `nothing`.
    pub blocks: String,
    /// The work done meanwhile: `brief`, `scan`, `index build` or `rewrite`.
    pub cost: String,
    /// The algorithm, where the engine lets one ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// How long the work takes, where the size is known: `2 s to 9 s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Statements of the recorded workload that run in a second and that the lock makes wait, where the server keeps
    /// statistics of statements: an average since these were reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_per_second: Option<f64>,
    /// Whether the migrations themselves made the relation, so that nobody waits for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_here: bool,
}

/// Something that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct NotChecked {
    /// The rule's id.
    pub rule: String,
    /// Why, as a lower-case fragment.
    pub because: String,
    /// Whether a target of this kind can never tell: files know no statistics, whatever they hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub out_of_reach: bool,
    /// Whether nobody named what it looks at, so that it was no part of this run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unasked: bool,
    /// Whether it was left out by choice, with `--skip` or in `dbwright.toml`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
}

impl NotChecked {
    /// Whether it was to run and could not.
    pub fn could_not_run(&self) -> bool {
        !self.out_of_reach && !self.unasked && !self.skipped
    }
}

impl Report {
    /// The worst level among the findings, shown or not.
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max().max(self.unshown_worst)
    }
}
