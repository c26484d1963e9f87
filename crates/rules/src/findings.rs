//! What a check hands back.

use dbwright_model::finding::{Confidence, Evidence, EvidenceLevel, Finding, Level, Location, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::Entry;

/// Collects what one rule finds, and what it looked at to find it.
#[derive(Debug)]
pub struct Findings {
    entry: &'static Entry,
    pub(crate) found: Vec<Finding>,
    /// How many other rules found before.
    before: usize,
    pub(crate) examined: u64,
    pub(crate) not_applicable: Option<String>,
    unknown: Option<String>,
    /// Further reasons for which something could not be checked.
    further: u64,
    not_seen: u64,
    not_seen_what: &'static str,
}

impl Findings {
    /// An empty collection for a rule.
    pub fn new(entry: &'static Entry) -> Self {
        Findings::after(entry, Vec::new())
    }

    /// A collection for a rule that adds to what other rules found.
    pub(crate) fn after(entry: &'static Entry, found: Vec<Finding>) -> Self {
        Findings {
            entry,
            before: found.len(),
            found,
            examined: 0,
            not_applicable: None,
            unknown: None,
            further: 0,
            not_seen: 0,
            not_seen_what: "",
        }
    }

    /// What the rule itself found.
    pub(crate) fn own(&self) -> &[Finding] {
        &self.found[self.before..]
    }

    /// What the rule itself found, to be changed.
    pub(crate) fn own_mut(&mut self) -> &mut [Finding] {
        &mut self.found[self.before..]
    }

    /// Counts places that were looked at: the opportunities to find something. A share of them is what the score and
    /// the conventions are reckoned with.
    pub fn examined(&mut self, places: u64) {
        self.examined += places;
    }

    /// Says that the rule makes no sense here, for a reason that was seen in the facts.
    pub fn not_applicable(&mut self, because: impl Into<String>) {
        self.not_applicable = Some(because.into());
    }

    /// Says that the rule could not be checked, or not everywhere, although its facts were read: what they hold is not
    /// enough. Findings stand all the same; the first reason is shown, further ones are counted.
    pub fn unknown(&mut self, because: impl Into<String>) {
        let because = because.into();
        match &self.unknown {
            None => self.unknown = Some(because),
            Some(first) if *first != because => self.further += 1,
            Some(_) => {}
        }
    }

    /// Counts places that could not be looked at, beside those that were. `what` completes "3 of 40 ...".
    pub fn not_seen(&mut self, places: u64, what: &'static str) {
        if places > 0 {
            self.not_seen += places;
            self.not_seen_what = what;
        }
    }

    /// Why something could not be looked at, as a lower-case fragment; `None` when everything was.
    pub(crate) fn why_unknown(&self) -> Option<String> {
        let further = |because: &String| match self.further {
            0 => because.clone(),
            1 => format!("{because} (and 1 more reason)"),
            several => format!("{because} (and {several} more reasons)"),
        };
        self.unknown.as_ref().map(further).or_else(|| {
            let all = self.examined + self.not_seen;
            (self.not_seen > 0).then(|| format!("{} of {all} {}", self.not_seen, self.not_seen_what))
        })
    }

    /// Whether a place was looked at or anything found although something could not be looked at.
    pub(crate) fn saw_some(&self) -> bool {
        !self.own().is_empty() || (self.unknown.is_none() && self.examined > 0)
    }

    /// Adds a finding.
    pub fn add(&mut self, found: Found) {
        if self.found.len() == self.found.capacity() {
            // A list that doubles could hold half of nothing where many tables have the same flaw.
            self.found.reserve_exact(16 + self.found.len() / 4);
        }
        self.found.push(Finding {
            rule: self.entry.id,
            level: found.level.unwrap_or(self.entry.rule.level),
            object: found.object,
            message: found.message,
            evidence: found.evidence,
            evidence_level: found.evidence_level,
            confidence: found.confidence,
            remedy: found.remedy,
            location: found.location,
            cause: found.cause.unwrap_or_default(),
            count: 1,
            critical: found.critical,
        });
    }
}

/// A finding under construction. By default it has the rule's level, rests on the catalog and is sure.
#[derive(Debug)]
pub struct Found {
    object: ObjectRef,
    message: String,
    level: Option<Level>,
    evidence: Vec<Evidence>,
    evidence_level: EvidenceLevel,
    confidence: Confidence,
    remedy: Option<Remedy>,
    location: Option<Location>,
    cause: Option<String>,
    critical: bool,
}

impl Found {
    /// A finding about an object. The message is one full sentence: what is the case and what follows from it.
    pub fn at(object: ObjectRef, message: impl Into<String>) -> Self {
        Found {
            object,
            message: message.into(),
            level: None,
            evidence: Vec::new(),
            evidence_level: EvidenceLevel::Catalog,
            confidence: Confidence::High,
            remedy: None,
            location: None,
            cause: None,
            critical: false,
        }
    }

    /// Another level than the rule's.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// A fact the finding rests on.
    pub fn evidence(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.evidence.push(Evidence { name: name.into(), value: value.to_string() });
        self
    }

    /// A fact the finding rests on, where it is known.
    pub fn evidence_if(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.evidence(name, value),
            None => self,
        }
    }

    /// The finding rests on one file's text alone.
    pub fn from_text(mut self) -> Self {
        self.evidence_level = EvidenceLevel::Text;
        self
    }

    /// The finding rests on something executed and observed, such as rows counted.
    pub fn traced(mut self) -> Self {
        self.evidence_level = EvidenceLevel::Traced;
        self
    }

    /// How sure it is.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// What to do.
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Where it stands in a file.
    pub fn located(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Findings with the same cause are one problem seen from several sides.
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// It threatens the data or the service as a whole and caps the score.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }
}
