//! The score: seven dimensions, what is proven and what could still be.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is scored. The order is that of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Tables, keys, types, constraints.
    Schema,
    /// Indexes.
    Indexing,
    /// Statements.
    Queries,
    /// Whether changes can be made safely.
    Migrations,
    /// Who may do what.
    Security,
    /// Whether trouble would be seen, and whether it is there now.
    Monitoring,
    /// Whether the data could be brought back.
    Backup,
}

impl Dimension {
    /// Every dimension in order.
    pub const ALL: [Dimension; 7] = [
        Dimension::Schema,
        Dimension::Indexing,
        Dimension::Queries,
        Dimension::Migrations,
        Dimension::Security,
        Dimension::Monitoring,
        Dimension::Backup,
    ];

    /// Share of the total in per cent. The seven add up to 100.
    pub fn weight(self) -> u32 {
        match self {
            Dimension::Schema | Dimension::Queries => 20,
            Dimension::Indexing | Dimension::Security => 15,
            Dimension::Migrations | Dimension::Monitoring | Dimension::Backup => 10,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dimension::Schema => "schema",
            Dimension::Indexing => "indexing",
            Dimension::Queries => "queries",
            Dimension::Migrations => "migrations",
            Dimension::Security => "security",
            Dimension::Monitoring => "monitoring",
            Dimension::Backup => "backup",
        })
    }
}

/// What came of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Looked, and found nothing.
    Pass,
    /// Found something that costs part of the credit.
    Partial,
    /// Found something that costs all of it.
    Fail,
    /// Could not look.
    Unknown,
    /// Makes no sense here, and that was seen.
    NotApplicable,
    /// Found something that its owner has accepted for a reason and a time.
    Waived,
}

/// One check and what it gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The rule.
    pub rule: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// Its weight within the dimension.
    pub weight: u32,
    /// What came of it.
    pub state: CheckState,
    /// Credit between 0 and 1; 0 when nothing is known.
    pub credit: f64,
    /// Share of the check that is known, 0 to 1: less than 1 when it is unknown, when it could look at a part only, or when
    /// some objects are in doubt.
    #[serde(default)]
    pub trusted: f64,
    /// Credit at best: 1 when unknown, what the findings leave when checked in part, otherwise `credit`.
    pub possible: f64,
    /// Findings.
    pub findings: u64,
    /// Places looked at.
    pub examined: u64,
    /// Why it is unknown, not applicable or waived, or was checked in part only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A dimension's part of the score, 0 to 100.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DimensionScore {
    /// The dimension.
    pub dimension: Dimension,
    /// Its share of the total, in per cent.
    pub weight: u32,
    /// Credit shown, with unknown as none.
    pub proven: f64,
    /// Credit possible, with unknown as full.
    pub ceiling: f64,
    /// Share of the weight that is known, in per cent.
    pub coverage: f64,
    /// Checks that passed.
    pub passed: u32,
    /// Checks that found something.
    pub failed: u32,
    /// Checks that could not look.
    pub unknown: u32,
    /// Whether nothing in this dimension applies.
    pub not_applicable: bool,
}

/// A fact so bad that it limits the total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cap {
    /// The rule.
    pub rule: String,
    /// What limits, in one sentence.
    pub because: String,
    /// The total at most.
    pub limit: u32,
    /// Whether it was seen, or only not disproved: the latter limits what is proven, not what is possible.
    pub seen: bool,
}

/// Bands of the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Below 40.
    CriticalRisk,
    /// 40 to 60.
    NeedsWork,
    /// 60 to 80.
    Solid,
    /// 80 to 90.
    Professional,
    /// 90 and above.
    Expert,
}

impl Band {
    /// The band of a total.
    pub fn of(total: u32) -> Self {
        match total {
            0..40 => Band::CriticalRisk,
            40..60 => Band::NeedsWork,
            60..80 => Band::Solid,
            80..90 => Band::Professional,
            _ => Band::Expert,
        }
    }
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Band::CriticalRisk => "critical risk",
            Band::NeedsWork => "needs work",
            Band::Solid => "solid",
            Band::Professional => "professional",
            Band::Expert => "expert",
        })
    }
}

/// The score of one audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Total with unknown as none, after caps, 0 to 100.
    pub proven: u32,
    /// Total with unknown as full, after the caps that were seen, 0 to 100.
    pub ceiling: u32,
    /// Share of the weight that is known, in per cent.
    pub coverage: u32,
    /// Band of `proven`.
    pub band: Band,
    /// What limits the total, the lowest limit first.
    pub caps: Vec<Cap>,
    /// Checks that could not look.
    pub unknown: u32,
    /// The seven parts.
    pub dimensions: Vec<DimensionScore>,
    /// Every check and what it gave.
    pub checks: Vec<CheckResult>,
}

impl Score {
    /// The headline: `73 proven, up to 88 if the 9 unknown checks pass (coverage 85 %)`.
    pub fn headline(&self) -> String {
        match self.unknown {
            0 if self.ceiling > self.proven => format!(
                "{} proven, up to {} if what could not be looked at is well (coverage {} %)",
                self.proven, self.ceiling, self.coverage
            ),
            0 => format!("{} proven (coverage {} %)", self.proven, self.coverage),
            1 => format!(
                "{} proven, up to {} if the 1 unknown check passes (coverage {} %)",
                self.proven, self.ceiling, self.coverage
            ),
            unknown => format!(
                "{} proven, up to {} if the {unknown} unknown checks pass (coverage {} %)",
                self.proven, self.ceiling, self.coverage
            ),
        }
    }
}
