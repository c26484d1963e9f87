//! Markdown for comments on pull requests: short at first sight, with everything else folded.

use dbwright_model::facts::Origin;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::report::{Report, ReportFinding};
use dbwright_model::score::Score;

use crate::Options;
use crate::shape::{self, EXAMPLES, Group, Part};
use crate::text::{self, count, pieces, visible, visible_block};

/// Characters after which no further group is opened: GitHub refuses comments above 65 536.
const LIMIT: usize = 50_000;

/// Writes the report as GitHub-flavoured Markdown. Groups that would make the comment too long are counted instead.
pub fn render(report: &Report, options: &Options) -> String {
    let mut out = format!("## dbwright {}\n\n", prose(&report.operation));
    let mut target = vec![code(&report.target.name)];
    target.extend(shape::target(&report.target).iter().skip(1).map(|piece| prose(piece)));
    out.push_str(&format!("{}\n\n", target.join(" · ")));
    if let Some(score) = &report.score {
        out.push_str(&score_table(score));
    }
    out.push_str(&format!("**{}**\n\n", prose(&shape::summary(report, options.level))));

    let groups = shape::groups(report, options.level);
    if groups.is_empty() {
        out.push_str(&format!("{}\n\n", prose(&shape::nothing_found(report, options.level))));
    } else {
        out.push_str("### Findings\n\n");
    }
    let mut left_out = 0;
    for group in &groups {
        let text = self::group(group, report.target.origin, options);
        if left_out > 0 || out.len() + text.len() > LIMIT {
            left_out += 1;
        } else {
            out.push_str(&text);
        }
    }
    if left_out > 0 {
        out.push_str(&format!("… and {} that did not fit here.\n\n", count(left_out, "more group")));
    }
    out.push_str(&tail(report));
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

fn score_table(score: &Score) -> String {
    let mut out = String::new();
    for cap in score.caps.iter().filter(|cap| cap.seen) {
        out.push_str(&format!(
            "> [!CAUTION]\n> The total is capped at {}: {} ({})\n\n",
            cap.limit,
            prose(&cap.because),
            code(&cap.rule)
        ));
    }
    if let Some((_, text)) = shape::unseen_caps(score) {
        out.push_str(&format!("> [!NOTE]\n> {}\n\n", prose(&text)));
    }
    out.push_str(&format!("**Score: {}** ({})\n\n", score.headline(), score.band));
    out.push_str("| dimension | weight | proven | up to | coverage | checks |\n|---|--:|--:|--:|--:|---|\n");
    for dimension in &score.dimensions {
        if dimension.not_applicable {
            out.push_str(&format!(
                "| {} | {} % | – | – | – | not applicable |\n",
                dimension.dimension, dimension.weight
            ));
            continue;
        }
        out.push_str(&format!(
            "| {} | {} % | {} | {} | {} % | {} |\n",
            dimension.dimension,
            dimension.weight,
            shape::percent(dimension.proven),
            shape::percent(dimension.ceiling),
            shape::percent(dimension.coverage),
            shape::checks(dimension)
        ));
    }
    out.push('\n');
    out
}

fn group(group: &Group<'_>, origin: Origin, options: &Options) -> String {
    let Some(first) = group.parts.first() else { return String::new() };
    let number = group.findings().count();
    let more = if number > 1 { format!(" ({number} findings)") } else { String::new() };
    // Inside the summary no Markdown is read, only HTML.
    let mut out = format!(
        "<details>\n<summary>{} <b>{}</b>: {}{more}</summary>\n\n",
        icon(group.worst()),
        group.worst(),
        html(&first.first.message)
    );
    for (i, part) in group.parts.iter().enumerate() {
        out.push_str(&self::part(part, i == 0, origin, options));
    }
    out.push_str("</details>\n\n");
    out
}

/// The findings of one rule; the first of a group stands under its message already.
fn part(part: &Part<'_>, leads: bool, origin: Origin, options: &Options) -> String {
    let mut out = match leads {
        true => format!("{}\n\n{}", subject(part.first), details(part.first, origin)),
        false => finding(part.first, origin),
    };
    let in_full = if options.verbose { part.others.len() } else { 0 };
    for other in part.others.iter().take(in_full) {
        out.push_str(&finding(other, origin));
    }
    let listed: Vec<_> = part.others.iter().skip(in_full).take(EXAMPLES - 1).collect();
    for finding in &listed {
        out.push_str(&format!("- also {}{}\n", code(&finding.object), place(finding)));
    }
    let more = part.others.len() - in_full - listed.len();
    if more > 0 {
        out.push_str(&format!("- … and {more} more\n"));
    }
    if !listed.is_empty() {
        out.push('\n');
    }
    out.push_str(&format!("{}\n\n", code(&format!("dbwright explain {}", part.first.rule))));
    out
}

fn finding(finding: &ReportFinding, origin: Origin) -> String {
    let (icon, level, message) = (icon(finding.level), finding.level, prose(&finding.message));
    format!("{icon} **{level}** {}: {message}\n\n{}", subject(finding), details(finding, origin))
}

fn subject(finding: &ReportFinding) -> String {
    format!("{}{}", code(&text::object(finding.object_kind, &finding.object)), place(finding))
}

fn details(finding: &ReportFinding, origin: Origin) -> String {
    let mut out = String::new();
    for evidence in &finding.evidence {
        let name = prose(&evidence.name);
        match evidence.value.contains('\n') {
            true => {
                let block = fence("", &visible_block(&evidence.value)).trim_end().replace('\n', "\n  ");
                out.push_str(&format!("- {name}:\n\n  {block}\n"));
            }
            false => out.push_str(&format!("- {name}: {}\n", code(&evidence.value))),
        }
    }
    if finding.count > 1 {
        out.push_str(&format!("- {}\n", count(finding.count, "place")));
    }
    if finding.confidence != Confidence::High {
        out.push_str(&format!("- confidence: {}\n", text::confidence(finding.confidence)));
    }
    out.push_str(&format!("- evidence: {}\n", text::learnt_from(finding, origin)));
    out.push_str(&format!("- key: {}\n\n", code(&finding.key)));
    if let Some(remedy) = &finding.remedy {
        out.push_str(&format!("**Fix:** {}\n\n", prose(&remedy.summary)));
        if !remedy.steps.is_empty() {
            out.push_str(&fence("sql", &shape::sql(remedy)));
        }
    }
    out
}

fn tail(report: &Report) -> String {
    let mut out = String::new();
    if !report.suppressed.is_empty() {
        let number = count(report.suppressed.len() as u64, "suppressed finding");
        let rows = report.suppressed.iter().map(|finding| {
            let until = finding.until.as_ref().map(|date| format!(" until {}", prose(date)));
            format!(
                "- {} on {}{}: {}\n",
                code(&finding.rule),
                code(&finding.object),
                until.unwrap_or_default(),
                prose(&finding.reason)
            )
        });
        out.push_str(&folded(&number, rows));
    }
    if !report.unused_suppressions.is_empty() {
        let number = report.unused_suppressions.len() as u64;
        let rows = report.unused_suppressions.iter().map(|key| format!("- {}\n", code(key)));
        out.push_str(&folded(&format!("{} out of use", count(number, "suppression")), rows));
    }
    if let Some(trace) = &report.trace {
        out.push_str(&format!("\n## Traced\n\n{}\n", prose(&shape::traced(trace))));
        let not = shape::not_traced(report);
        if !not.is_empty() {
            out.push('\n');
        }
        not.iter().for_each(|line| out.push_str(&format!("- {}\n", prose(line))));
    }
    let skipped = shape::skipped(report);
    if !skipped.is_empty() {
        let number = skipped.len() as u64;
        let rows = skipped.into_iter().map(|statement| {
            let place = shape::skipped_at(statement);
            format!("- {}: {}: {}\n", code(&place), prose(&statement.because), code(&statement.statement))
        });
        out.push_str(&folded(&format!("{} left out", count(number, "statement")), rows));
    }
    let reasons = shape::not_checked(report);
    if !reasons.is_empty() {
        let number = shape::not_checked_count(report);
        let rows = reasons.into_iter().map(|(because, rules)| {
            let rules: Vec<String> = rules.into_iter().map(code).collect();
            format!("- {}: {}\n", prose(because), rules.join(", "))
        });
        out.push_str(&folded(&format!("{} not run", count(number, "check")), rows));
    }
    out
}

/// A list behind a line to open it; rows past the limit of a comment are counted.
fn folded(summary: &str, rows: impl Iterator<Item = String>) -> String {
    const LIMIT: usize = 3_000;
    let mut out = format!("<details>\n<summary>{summary}</summary>\n\n");
    let start = out.len();
    let mut left_out = 0;
    for row in rows {
        if left_out > 0 || out.len() - start + row.len() > LIMIT {
            left_out += 1;
        } else {
            out.push_str(&row);
        }
    }
    if left_out > 0 {
        out.push_str(&format!("- … and {left_out} more\n"));
    }
    out.push_str("\n</details>\n\n");
    out
}

fn place(finding: &ReportFinding) -> String {
    let Some(location) = &finding.location else { return String::new() };
    format!(" at {}", code(&format!("{}:{}:{}", location.file, location.line, location.column)))
}

fn icon(level: Level) -> &'static str {
    match level {
        Level::Error => "🔴",
        Level::Warning => "🟠",
        Level::Note => "🔵",
    }
}

/// A sentence as Markdown: names between backticks as code, everything else without meaning to Markdown or HTML.
fn prose(sentence: &str) -> String {
    let mut out = String::new();
    for piece in pieces(sentence) {
        if piece.code {
            out.push_str(&code(piece.text));
            continue;
        }
        for c in visible(piece.text).chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                // Written as a reference, no one is notified and no backtick opens code.
                '@' => out.push_str("&#64;"),
                '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => out.extend(['\\', c]),
                c => out.push(c),
            }
        }
    }
    out
}

/// Text as inline code, however many backticks it holds.
fn code(text: &str) -> String {
    let text = visible(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// Text as a block in a language, however many backticks it holds.
fn fence(language: &str, text: &str) -> String {
    let ticks = "`".repeat((longest_run(text) + 1).max(3));
    format!("{ticks}{language}\n{text}\n{ticks}\n\n")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A sentence as HTML.
fn html(sentence: &str) -> String {
    let mut out = String::new();
    for piece in pieces(sentence) {
        let text = visible(piece.text)
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('@', "&#64;");
        match piece.code {
            true => out.push_str(&format!("<code>{text}</code>")),
            false => out.push_str(&text),
        }
    }
    out
}
