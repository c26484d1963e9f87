//! Text for terminals and tickets: the worst first, everything needed to act on it, and what was not seen.

use dbwright_model::facts::Origin;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::remedy::Applicability;
use dbwright_model::report::{Report, ReportFinding, ReportRemedy};
use dbwright_model::score::{Band, DimensionScore, Score};
use owo_colors::{OwoColorize, Style};
use textwrap::{WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

use crate::Options;
use crate::shape::{self, EXAMPLES, Group, Part};
use crate::text::{self, count, visible, visible_block};

/// Columns of the bar of a dimension, and of one on a narrow terminal.
const BAR: usize = 20;
const SHORT_BAR: usize = 8;
/// Columns of `100 to 100` beside the bar.
const NUMBERS: usize = 10;
/// Columns before the text of a finding.
const MARGIN: usize = 9;

/// Writes the report as text that ends with a line break.
pub fn render(report: &Report, options: &Options) -> String {
    let mut page = Page { out: String::new(), origin: report.target.origin, options };
    page.paragraph("", Style::new(), 0, &shape::target(&report.target).join(page.dot()), Style::new().bold());
    if let Some(score) = &report.score {
        page.score(score);
    }

    if shape::is_of_migrations(report) {
        page.files(report);
    } else {
        page.groups(report);
    }

    page.suppressed(report);
    page.skipped(report);
    page.trace(report);
    page.not_checked(report);
    page.out.push('\n');
    page.paragraph("", Style::new(), 0, &shape::summary(report, options.level), Style::new().bold());
    page.out
}

/// Text that grows line by line.
struct Page<'a> {
    out: String,
    origin: Origin,
    options: &'a Options<'a>,
}

impl Page<'_> {
    fn score(&mut self, score: &Score) {
        self.heading("Score");
        for cap in score.caps.iter().filter(|cap| cap.seen) {
            self.cap(cap.limit, &format!("{} ({})", visible(&cap.because), visible(&cap.rule)));
        }
        if let Some((limit, text)) = shape::unseen_caps(score) {
            self.cap(limit, &visible(&text));
        }
        let headline = format!("{}{}{}", score.headline(), self.dot(), score.band);
        self.paragraph("", Style::new(), 0, &headline, band(score.band).bold());
        for dimension in &score.dimensions {
            self.dimension(dimension);
        }
    }

    fn cap(&mut self, limit: u32, text: &str) {
        let label = format!("cap {limit:>3}");
        self.paragraph(&label, Style::new().red().bold(), MARGIN, text, Style::new().red());
    }

    fn dimension(&mut self, dimension: &DimensionScore) {
        let name = format!("{:<11}{:>3} %  ", dimension.dimension.to_string(), dimension.weight);
        self.out.push_str(&name);
        if dimension.not_applicable {
            self.out.push_str("not applicable\n");
            return;
        }
        let (proven, ceiling) = (shape::percent(dimension.proven), shape::percent(dimension.ceiling));
        let narrow = self.options.width > 0 && self.options.width < name.width() + BAR + 1 + NUMBERS;
        let bar = if narrow { SHORT_BAR } else { BAR };
        let full = proven as usize * bar / 100;
        let possible = (ceiling as usize * bar / 100).max(full) - full;
        let (solid, light, empty) = if self.options.unicode { ("█", "▒", "·") } else { ("#", "=", ".") };
        let solid = self.styled(&solid.repeat(full), band(Band::of(proven)));
        let light = self.styled(&light.repeat(possible), Style::new().dimmed());
        let empty = self.styled(&empty.repeat(bar - full - possible), Style::new().dimmed());
        let numbers = match ceiling > proven {
            true => format!("{proven:>3} to {ceiling}"),
            false => format!("{proven:>3}"),
        };
        let checks = shape::checks(dimension);
        let used = name.width() + bar + 1 + NUMBERS + 2;
        let (width, before) = match self.options.width {
            width if width > 0 && used + checks.width() > width => {
                let margin = if narrow { 2 } else { name.width() };
                (0, format!("\n{}", " ".repeat(margin)))
            }
            _ => (NUMBERS, "  ".to_owned()),
        };
        self.out.push_str(&format!("{solid}{light}{empty} {numbers:<width$}{before}{checks}\n"));
    }

    fn groups(&mut self, report: &Report) {
        let groups = shape::groups(report, self.options.level);
        self.heading("Findings");
        if groups.is_empty() {
            self.plain(0, &shape::nothing_found(report, self.options.level));
        }
        for (i, group) in groups.iter().enumerate() {
            if i > 0 {
                self.out.push('\n');
            }
            self.group(group);
        }
    }

    /// Findings of migrations: file by file, in the order of the statements.
    fn files(&mut self, report: &Report) {
        let files = shape::by_file(report, self.options.level);
        if files.is_empty() {
            self.heading("Findings");
            self.plain(0, &shape::nothing_found(report, self.options.level));
        }
        for (file, findings) in files {
            self.heading(&visible(file));
            for (i, finding) in findings.into_iter().enumerate() {
                if i > 0 {
                    self.out.push('\n');
                }
                self.statement_finding(finding, report);
            }
        }
    }

    fn statement_finding(&mut self, finding: &ReportFinding, report: &Report) {
        let badge = finding.level.to_string();
        let place = match &finding.location {
            Some(location) => format!("{}:{} ", visible(&location.file), location.line),
            None => String::new(),
        };
        let mut text = format!("{place}{}", visible(&finding.rule));
        // Without a trace all rests on the files and the catalog; with one the levels differ.
        if report.trace.is_some() {
            let evidence = text::evidence_level(finding.evidence_level);
            text.push_str(&format!("{}evidence: {evidence}", self.dot()));
        }
        self.paragraph(&badge, level(finding.level), MARGIN, &text, Style::new().dimmed());
        self.paragraph("", Style::new(), MARGIN, &visible(&finding.message), Style::new().bold());
        self.details(finding);
    }

    fn group(&mut self, group: &Group<'_>) {
        for (i, part) in group.parts.iter().enumerate() {
            if i > 0 {
                self.plain(MARGIN, "Same cause:");
            }
            self.part(part);
        }
    }

    fn part(&mut self, part: &Part<'_>) {
        self.finding(part.first);
        if self.options.verbose {
            for finding in &part.others {
                self.finding(finding);
            }
        } else {
            for finding in part.others.iter().take(EXAMPLES - 1) {
                let text = format!("also {}{}", visible(&finding.object), self.place(finding));
                self.plain(MARGIN, &text);
            }
            let more = part.others.len().saturating_sub(EXAMPLES - 1);
            if more > 0 {
                let dots = self.ellipsis();
                self.plain(MARGIN, &format!("{dots} and {more} more (--verbose shows all)"));
            }
        }
        let hint = format!("dbwright explain {}", visible(&part.first.rule));
        self.paragraph("", Style::new(), MARGIN, &hint, Style::new().dimmed());
    }

    fn finding(&mut self, finding: &ReportFinding) {
        let badge = finding.level.to_string();
        self.paragraph(&badge, level(finding.level), MARGIN, &visible(&finding.message), Style::new().bold());

        let mut about = shape::about(finding);
        about.push_str(&self.place(finding));
        if finding.count > 1 {
            about.push_str(&format!("{}{}", self.dot(), count(finding.count, "place")));
        }
        if finding.confidence != Confidence::High {
            about.push_str(&format!("{}confidence: {}", self.dot(), text::confidence(finding.confidence)));
        }
        let from = text::learnt_from(finding, self.origin);
        about.push_str(&format!("{}evidence: {from}", self.dot()));
        self.hanging(MARGIN, &about);
        self.details(finding);
    }

    /// What a finding rests on, and what to do.
    fn details(&mut self, finding: &ReportFinding) {
        for evidence in &finding.evidence {
            let value = visible_block(&evidence.value);
            let mut lines = value.lines();
            let first = lines.next().unwrap_or_default();
            self.hanging(MARGIN + 2, &format!("{}: {first}", visible(&evidence.name)));
            for line in lines {
                self.raw(MARGIN + 4, line);
            }
        }
        if self.options.verbose {
            self.hanging(MARGIN + 2, &format!("key: {}", visible(&finding.key)));
        }
        if let Some(remedy) = &finding.remedy {
            self.remedy(remedy);
        }
    }

    fn remedy(&mut self, remedy: &ReportRemedy) {
        let summary = match remedy.applicability {
            Applicability::Safe => format!("{} (safe)", visible(&remedy.summary)),
            Applicability::Review | Applicability::Manual => visible(&remedy.summary),
        };
        let label = format!("{}Fix:", " ".repeat(MARGIN));
        self.paragraph(&label, Style::new().green(), MARGIN + 5, &summary, Style::new());
        for line in shape::sql(remedy).lines() {
            self.raw(MARGIN + 2, line);
        }
    }

    fn suppressed(&mut self, report: &Report) {
        if report.suppressed.is_empty() && report.unused_suppressions.is_empty() {
            return;
        }
        self.heading("Suppressed");
        if !report.suppressed.is_empty() {
            let more = if self.options.verbose { "" } else { " (--verbose shows them)" };
            self.plain(0, &format!("{}{more}.", shape::set_aside(report)));
        }
        if self.options.verbose {
            for finding in &report.suppressed {
                let until = finding.until.as_ref().map(|date| format!(" until {}", visible(date)));
                let text = format!(
                    "{} on {}{}: {} ({})",
                    visible(&finding.rule),
                    visible(&finding.object),
                    until.unwrap_or_default(),
                    visible(&finding.reason),
                    visible(&finding.by)
                );
                self.plain(2, &text);
            }
        }
        for key in &report.unused_suppressions {
            self.plain(0, &format!("Suppression {}.", visible(key)));
        }
    }

    fn skipped(&mut self, report: &Report) {
        let skipped = shape::skipped(report);
        if skipped.is_empty() {
            return;
        }
        self.heading("Statements left out");
        let shown = if self.options.verbose { skipped.len() } else { EXAMPLES };
        for statement in skipped.iter().take(shown) {
            let place = visible(&shape::skipped_at(statement));
            self.plain(0, &format!("{place}: {}", visible(&statement.because)));
            self.plain(2, &visible(&statement.statement));
        }
        if skipped.len() > shown {
            let text =
                format!("{} and {} more (--verbose shows all)", self.ellipsis(), skipped.len() - shown);
            self.plain(0, &text);
        }
    }

    fn trace(&mut self, report: &Report) {
        let Some(trace) = &report.trace else { return };
        self.heading("Traced");
        self.plain(0, &visible(&shape::traced(trace)));
        let not = shape::not_traced(report);
        let shown = if self.options.verbose { not.len() } else { EXAMPLES };
        for line in not.iter().take(shown) {
            self.plain(0, &visible(line));
        }
        if not.len() > shown {
            let text = format!("{} and {} more (--verbose shows all)", self.ellipsis(), not.len() - shown);
            self.plain(0, &text);
        }
    }

    fn not_checked(&mut self, report: &Report) {
        let reasons = shape::not_checked(report);
        if reasons.is_empty() {
            return;
        }
        self.heading("Not checked");
        for (because, rules) in reasons {
            let rules_text = rules.iter().map(|rule| visible(rule)).collect::<Vec<_>>().join(", ");
            self.plain(0, &shape::because(rules.len() as u64, because));
            if because != shape::OUT_OF_REACH || self.options.verbose {
                self.plain(2, &rules_text);
            }
        }
    }

    fn place(&self, finding: &ReportFinding) -> String {
        let Some(location) = &finding.location else { return String::new() };
        format!("{}{}:{}:{}", self.dot(), visible(&location.file), location.line, location.column)
    }

    fn heading(&mut self, text: &str) {
        let styled = self.styled(text, Style::new().bold().underline());
        self.out.push_str(&format!("\n{styled}\n"));
    }

    fn plain(&mut self, indent: usize, text: &str) {
        self.paragraph("", Style::new(), indent, text, Style::new());
    }

    /// Text whose second and later lines stand further in than its first.
    fn hanging(&mut self, indent: usize, text: &str) {
        for (i, line) in self.wrap(text, indent + 2).into_iter().enumerate() {
            self.raw(if i == 0 { indent } else { indent + 2 }, &line);
        }
    }

    /// A line that is never wrapped: it is meant to be pasted.
    fn raw(&mut self, indent: usize, line: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Text wrapped to the width behind a margin, with a label in the margin of its first line.
    fn paragraph(&mut self, label: &str, label_style: Style, indent: usize, text: &str, style: Style) {
        let mut margin = self.styled(label, label_style);
        margin.push_str(&" ".repeat(indent.saturating_sub(label.width())));
        for line in self.wrap(text, indent) {
            self.out.push_str(&margin);
            self.out.push_str(&self.styled(&line, style));
            self.out.push('\n');
            margin = " ".repeat(indent);
        }
    }

    fn wrap(&self, text: &str, indent: usize) -> Vec<String> {
        let width = match self.options.width {
            0 => usize::MAX,
            // Below forty columns there is nothing to be gained by breaking.
            width => width.max(40) - indent,
        };
        let options = textwrap::Options::new(width)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation)
            .wrap_algorithm(WrapAlgorithm::FirstFit)
            .break_words(false);
        textwrap::wrap(text, options).into_iter().map(|line| line.into_owned()).collect()
    }

    fn styled(&self, text: &str, style: Style) -> String {
        if self.options.color && !text.is_empty() { text.style(style).to_string() } else { text.to_owned() }
    }

    fn dot(&self) -> &'static str {
        if self.options.unicode { " · " } else { " - " }
    }

    fn ellipsis(&self) -> &'static str {
        if self.options.unicode { "…" } else { "..." }
    }
}

fn level(level: Level) -> Style {
    match level {
        Level::Error => Style::new().red().bold(),
        Level::Warning => Style::new().yellow().bold(),
        Level::Note => Style::new().blue().bold(),
    }
}

fn band(band: Band) -> Style {
    match band {
        Band::CriticalRisk => Style::new().red(),
        Band::NeedsWork => Style::new().yellow(),
        Band::Solid | Band::Professional | Band::Expert => Style::new().green(),
    }
}
