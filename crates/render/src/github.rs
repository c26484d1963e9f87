//! GitHub workflow commands, which become annotations on the lines of a change.

use dbwright_model::finding::Level;
use dbwright_model::report::{Report, ReportFinding};

use crate::Options;
use crate::shape::{
    EXAMPLES, OUT_OF_REACH, because, groups, not_checked, not_checked_count, skipped, sql, summary, target,
};
use crate::text::{count, visible, visible_block};

/// Writes one command per finding, one about what was not checked, and a summary line.
///
/// GitHub shows ten errors and ten warnings of a step. Findings of one rule that stand on no line of a file therefore
/// share a command when they are many, unless all are asked for.
pub fn render(report: &Report, options: &Options) -> String {
    let mut out = String::new();
    for part in groups(report, options.level).iter().flat_map(|group| &group.parts) {
        let (placed, loose): (Vec<_>, Vec<_>) =
            part.findings().partition(|finding| finding.location.is_some());
        for finding in placed {
            out.push_str(&command(finding, &[]));
        }
        match loose.split_first() {
            Some((first, others)) if others.len() >= EXAMPLES && !options.verbose => {
                out.push_str(&command(first, others));
            }
            _ => loose.into_iter().for_each(|finding| out.push_str(&command(finding, &[]))),
        }
    }
    for statement in skipped(report) {
        let properties =
            format!("file={},line={}", property(&visible(&statement.file)), statement.line.max(1));
        let message = format!("{}\n{}", visible(&statement.because), visible(&statement.statement));
        out.push_str(&format!("::notice {properties},title=Statement left out::{}\n", escape(&message)));
    }
    // What files can never tell is said in the summary line: it is no news of this change.
    let reasons: Vec<String> = not_checked(report)
        .into_iter()
        .filter(|(because, _)| *because != OUT_OF_REACH)
        .map(|(why, rules)| format!("{} ({})", because(rules.len() as u64, why), visible(&rules.join(", "))))
        .collect();
    if !reasons.is_empty() && not_checked_count(report) > 0 {
        let title = format!("{} not run", count(not_checked_count(report), "check"));
        let message = reasons.join("\n");
        out.push_str(&format!("::notice title={}::{}\n", property(&title), escape(&message)));
    }
    let mut line = format!("dbwright {}: ", visible(&report.operation));
    if let Some(score) = &report.score {
        line.push_str(&format!("{}; ", score.headline()));
    }
    line.push_str(&format!("{} ({})\n", summary(report, options.level), target(&report.target).join(", ")));
    out.push_str(&line);
    out
}

fn command(finding: &ReportFinding, others: &[&ReportFinding]) -> String {
    let word = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    let mut properties = String::new();
    if let Some(location) = &finding.location {
        properties.push_str(&format!(
            "file={},line={},col={},",
            property(&visible(&location.file)),
            location.line.max(1),
            location.column.max(1)
        ));
    }
    properties.push_str(&format!("title={}", property(&visible(&finding.rule))));

    let mut message = format!("{} ({})", visible(&finding.message), visible(&finding.object));
    for evidence in &finding.evidence {
        message.push_str(&format!("\n{}: {}", visible(&evidence.name), visible_block(&evidence.value)));
    }
    if let Some(remedy) = &finding.remedy {
        message.push_str(&format!("\nFix: {}", visible(&remedy.summary)));
        if !remedy.steps.is_empty() {
            message.push_str(&format!("\n{}", sql(remedy)));
        }
    }
    for other in others.iter().take(EXAMPLES - 1) {
        message.push_str(&format!("\nalso {}", visible(&other.object)));
    }
    if others.len() >= EXAMPLES {
        message.push_str(&format!("\n… and {} more (--verbose shows all)", others.len() - EXAMPLES + 1));
    }
    format!("::{word} {properties}::{}\n", escape(&message))
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}
