//! One self-contained page: no request leaves it, it works without scripts, on paper and on a phone.

use dbwright_model::facts::Origin;
use dbwright_model::finding::{Level, Location};
use dbwright_model::quantity;
use dbwright_model::remedy::Applicability;
use dbwright_model::report::{Report, ReportFinding, ReportRemedy};
use dbwright_model::score::{Band, Cap, DimensionScore, Score};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::shape::{self, EXAMPLES, Group, Part};
use crate::text::{self, count, pieces, visible, visible_block};
use crate::{Options, RuleText};

const TEMPLATE: &str = include_str!("html/report.html");
const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

/// Writes the report as one HTML page.
pub fn render(report: &Report, options: &Options) -> String {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("prose", |sentence: String| Value::from_safe_string(prose(&sentence)));
    environment.add_filter("counted", |number: u64, singular: String| count(number, &singular));
    // The name ends in `.html`, which makes the engine escape every value.
    environment
        .render_named_str("report.html", TEMPLATE, Value::from(Serde(page(report, options))))
        // The template is part of this crate, and its tests fill in every field.
        .expect("the template fits the page")
}

/// What the template draws. Every text is made [`visible`] already.
#[derive(Serialize)]
struct Page {
    style: &'static str,
    script: &'static str,
    operation: String,
    dbwright: String,
    target: String,
    facts: Vec<Fact>,
    score: Option<ScoreView>,
    summary: String,
    levels: Vec<LevelView>,
    dimensions: Vec<String>,
    nothing: String,
    groups: Vec<GroupView>,
    suppressed: Vec<SuppressedView>,
    unused_suppressions: Vec<String>,
    skipped: Vec<SkippedView>,
    not_checked: Vec<NotCheckedView>,
    not_checked_count: u64,
    collected: Option<String>,
}

#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct ScoreView {
    proven: u32,
    ceiling: u32,
    coverage: u32,
    unknown: u32,
    headline: String,
    band: String,
    class: &'static str,
    caps: Vec<CapView>,
    unseen: Option<String>,
    dimensions: Vec<DimensionView>,
}

#[derive(Serialize)]
struct CapView {
    rule: String,
    because: String,
    limit: u32,
}

#[derive(Serialize)]
struct DimensionView {
    name: String,
    weight: u32,
    proven: u32,
    ceiling: u32,
    coverage: u32,
    class: &'static str,
    checks: String,
    not_applicable: bool,
}

#[derive(Serialize)]
struct LevelView {
    id: String,
    count: u64,
    text: String,
}

#[derive(Serialize)]
struct GroupView {
    level: String,
    levels: String,
    dimensions: String,
    message: String,
    count: usize,
    critical: bool,
    parts: Vec<PartView>,
}

#[derive(Serialize)]
struct PartView {
    rule: String,
    about: Option<String>,
    dimension: String,
    first: FindingView,
    others: Vec<FindingView>,
    more: Vec<FindingView>,
}

#[derive(Serialize)]
struct FindingView {
    level: String,
    message: String,
    name: String,
    object: String,
    place: Option<String>,
    count: u64,
    confidence: &'static str,
    learnt_from: &'static str,
    evidence: Vec<EvidenceView>,
    remedy: Option<RemedyView>,
    key: String,
}

#[derive(Serialize)]
struct EvidenceView {
    name: String,
    value: String,
    block: bool,
}

#[derive(Serialize)]
struct RemedyView {
    applicability: &'static str,
    summary: String,
    sql: String,
}

#[derive(Serialize)]
struct SuppressedView {
    rule: String,
    object: String,
    reason: String,
    until: Option<String>,
    by: String,
    key: String,
}

#[derive(Serialize)]
struct SkippedView {
    place: String,
    because: String,
    statement: String,
}

#[derive(Serialize)]
struct NotCheckedView {
    because: String,
    rules: Vec<String>,
}

fn page(report: &Report, options: &Options) -> Page {
    let groups: Vec<GroupView> = shape::groups(report, options.level)
        .iter()
        .map(|group| group_view(group, report.target.origin, options.rules))
        .collect();
    let levels =
        [Level::Error, Level::Warning, Level::Note].into_iter().filter(|level| *level >= options.level);
    let mut dimensions: Vec<_> =
        shape::shown(report, options.level).map(|finding| finding.dimension).collect();
    dimensions.sort();
    dimensions.dedup();
    Page {
        style: STYLE,
        script: SCRIPT,
        operation: visible(&report.operation),
        dbwright: visible(&report.dbwright),
        target: visible(&report.target.name),
        facts: facts(report),
        score: report.score.as_ref().map(score_view),
        summary: shape::summary(report, options.level),
        levels: levels
            .map(|level| {
                let number = shape::of_level(report, level);
                LevelView { id: level.to_string(), count: number, text: count(number, &level.to_string()) }
            })
            .collect(),
        dimensions: dimensions.iter().map(ToString::to_string).collect(),
        nothing: shape::nothing_found(report, options.level),
        groups,
        suppressed: report
            .suppressed
            .iter()
            .map(|finding| SuppressedView {
                rule: visible(&finding.rule),
                object: visible(&finding.object),
                reason: visible(&finding.reason),
                until: finding.until.as_deref().map(visible),
                by: visible(&finding.by),
                key: visible(&finding.key),
            })
            .collect(),
        unused_suppressions: report.unused_suppressions.iter().map(|key| visible(key)).collect(),
        skipped: shape::skipped(report)
            .into_iter()
            .map(|statement| SkippedView {
                place: visible(&shape::skipped_at(statement)),
                because: visible(&statement.because),
                statement: visible_block(&statement.statement),
            })
            .collect(),
        not_checked: shape::not_checked(report)
            .into_iter()
            .map(|(because, rules)| NotCheckedView {
                because: visible(because),
                rules: rules.into_iter().map(visible).collect(),
            })
            .collect(),
        not_checked_count: shape::not_checked_count(report),
        collected: report.target.collected_at.map(|at| shape::moment(at).to_string()),
    }
}

fn facts(report: &Report) -> Vec<Fact> {
    let target = &report.target;
    let mut facts = vec![
        Fact { name: "Engine", value: shape::engine(target) },
        Fact { name: "Tables", value: target.tables.to_string() },
        Fact { name: "Columns", value: target.columns.to_string() },
        Fact { name: "Indexes", value: target.indexes.to_string() },
        Fact { name: "Foreign keys", value: target.foreign_keys.to_string() },
        Fact { name: "Views", value: target.views.to_string() },
    ];
    if let Some(size) = target.bytes {
        facts.push(Fact { name: "Size", value: quantity::size(size) });
    }
    facts.push(Fact { name: "Facts", value: shape::origin(target) });
    facts
}

fn score_view(score: &Score) -> ScoreView {
    ScoreView {
        proven: score.proven.min(100),
        ceiling: score.ceiling.min(100),
        coverage: score.coverage,
        unknown: score.unknown,
        headline: score.headline(),
        band: score.band.to_string(),
        class: class(score.band),
        caps: score.caps.iter().filter(|cap| cap.seen).map(cap_view).collect(),
        unseen: shape::unseen_caps(score).map(|(_, text)| visible(&text)),
        dimensions: score.dimensions.iter().map(dimension_view).collect(),
    }
}

fn cap_view(cap: &Cap) -> CapView {
    CapView { rule: visible(&cap.rule), because: visible(&cap.because), limit: cap.limit }
}

fn dimension_view(dimension: &DimensionScore) -> DimensionView {
    let proven = shape::percent(dimension.proven);
    DimensionView {
        name: dimension.dimension.to_string(),
        weight: dimension.weight,
        proven,
        ceiling: shape::percent(dimension.ceiling).max(proven),
        coverage: shape::percent(dimension.coverage),
        class: class(Band::of(proven)),
        checks: shape::checks(dimension),
        not_applicable: dimension.not_applicable,
    }
}

fn class(band: Band) -> &'static str {
    match band {
        Band::CriticalRisk => "bad",
        Band::NeedsWork => "fair",
        Band::Solid | Band::Professional | Band::Expert => "good",
    }
}

fn group_view(group: &Group<'_>, origin: Origin, rules: &[RuleText]) -> GroupView {
    // Groups are never empty.
    let first = group.parts[0].first;
    let words = |mut words: Vec<String>| {
        words.sort();
        words.dedup();
        words.join(" ")
    };
    GroupView {
        level: group.worst().to_string(),
        levels: words(group.findings().map(|finding| finding.level.to_string()).collect()),
        dimensions: words(group.findings().map(|finding| finding.dimension.to_string()).collect()),
        message: visible(&first.message),
        count: group.findings().count(),
        critical: group.findings().any(|finding| finding.critical),
        parts: group.parts.iter().map(|part| part_view(part, origin, rules)).collect(),
    }
}

fn part_view(part: &Part<'_>, origin: Origin, rules: &[RuleText]) -> PartView {
    let mut others: Vec<FindingView> =
        part.others.iter().map(|finding| finding_view(finding, origin)).collect();
    let more = others.split_off(others.len().min(EXAMPLES - 1));
    let about = rules.iter().find(|text| text.id == part.first.rule).map(|text| visible(&text.summary));
    PartView {
        rule: visible(&part.first.rule),
        about,
        dimension: part.first.dimension.to_string(),
        first: finding_view(part.first, origin),
        others,
        more,
    }
}

fn finding_view(finding: &ReportFinding, origin: Origin) -> FindingView {
    let place =
        |location: &Location| format!("{}:{}:{}", visible(&location.file), location.line, location.column);
    FindingView {
        level: finding.level.to_string(),
        message: visible(&finding.message),
        name: visible(&finding.object),
        object: text::object(finding.object_kind, &finding.object),
        place: finding.location.as_ref().map(place),
        count: finding.count,
        confidence: text::confidence(finding.confidence),
        learnt_from: text::learnt_from(finding, origin),
        evidence: finding
            .evidence
            .iter()
            .map(|evidence| EvidenceView {
                name: visible(&evidence.name),
                value: visible_block(&evidence.value),
                block: evidence.value.contains('\n'),
            })
            .collect(),
        remedy: finding.remedy.as_ref().map(remedy_view),
        key: visible(&finding.key),
    }
}

fn remedy_view(remedy: &ReportRemedy) -> RemedyView {
    RemedyView {
        applicability: match remedy.applicability {
            Applicability::Safe => "safe to apply",
            Applicability::Review => "review first",
            Applicability::Manual => "by hand",
        },
        summary: visible(&remedy.summary),
        sql: shape::sql(remedy),
    }
}

/// A sentence as HTML: names between backticks as code.
fn prose(sentence: &str) -> String {
    let mut out = String::new();
    for piece in pieces(sentence) {
        let text = minijinja::HtmlEscape(piece.text).to_string();
        match piece.code {
            true => out.push_str(&format!("<code>{text}</code>")),
            false => out.push_str(&text),
        }
    }
    out
}
