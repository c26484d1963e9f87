//! Replies about the record of migrations as tables and sentences that can be pasted into a ticket.

use dbwright_model::comparison::Comparison;
use dbwright_model::standing::Standing;
use dbwright_render::{visible, visible_block};
use dbwright_service::ops::migrate::baseline::BaselineReply;
use dbwright_service::ops::migrate::record::RecordChange;
use dbwright_service::ops::migrate::repair::RepairReply;
use dbwright_service::ops::migrate::squash::SquashReply;
use dbwright_service::ops::migrate::status::{StatusLine, StatusReply};
use dbwright_service::ops::migrate::verify::VerifyReply;
use owo_colors::{OwoColorize, Style};

use super::output::Screen;

/// A description is not cut shorter than this many characters.
const SHORTEST: usize = 12;

/// Differences that are shown before the rest is only counted.
const MOST_SHOWN: usize = 20;

/// How migrations stand.
pub fn status(reply: &StatusReply, screen: &Screen) -> String {
    let mut text = format!("{}  {}\n", visible(&reply.target), visible(&reply.server));
    if !reply.migrations.is_empty() {
        text.push('\n');
        text.push_str(&table(&reply.migrations, screen));
    }
    text.push('\n');
    text.push_str(&counts(reply, screen));
    for line in &reply.migrations {
        if let Some(error) = &line.error {
            let of = match line.statements_done {
                Some(done) => format!(" after {done} of {} statements", line.statements),
                None => String::new(),
            };
            text.push('\n');
            push(&mut text, "", &format!("`{}` stopped{of}: {error}", line.version), screen);
        }
    }
    let problems: Vec<&String> = reply.migrations.iter().flat_map(|line| &line.problems).collect();
    list(&mut text, problems.into_iter().chain(&reply.notes), screen);
    text
}

fn counts(reply: &StatusReply, screen: &Screen) -> String {
    let mut parts = vec![format!("{} applied", reply.applied), format!("{} pending", reply.pending)];
    if reply.trouble > 0 {
        let trouble = format!("{} to look at", reply.trouble);
        parts.push(painted(&trouble, Style::new().red(), screen));
    }
    parts.join(", ") + "\n"
}

fn table(lines: &[StatusLine], screen: &Screen) -> String {
    let head = ["VERSION", "DESCRIPTION", "STATE", "APPLIED AT (UTC)", "BY", "TOOK"];
    let rows: Vec<[String; 6]> = lines.iter().map(cells).collect();
    let mut widths = head.map(|cell| cell.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let filled = |column: usize| rows.iter().any(|row| !row[column].is_empty());
    let mut shown: Vec<usize> = (0..head.len()).filter(|column| *column < 3 || filled(*column)).collect();
    let whole = |widths: &[usize; 6], shown: &[usize]| {
        shown.iter().map(|column| widths[*column]).sum::<usize>() + 2 * (shown.len() - 1)
    };
    // What does not fit is taken from the description, which the file's name says too, and then from what matters least.
    let over = whole(&widths, &shown).saturating_sub(screen.width);
    widths[1] = widths[1].saturating_sub(over).max(widths[1].min(SHORTEST));
    while screen.terminal && shown.len() > 3 && whole(&widths, &shown) > screen.width {
        shown.pop();
    }
    let mut text = String::new();
    let line = |cells: &[String; 6]| -> String {
        let cells: Vec<String> = shown
            .iter()
            .map(|column| {
                format!("{:width$}", clipped(&cells[*column], widths[*column]), width = widths[*column])
            })
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    text.push_str(&painted(&line(&head.map(str::to_owned)), Style::new().bold(), screen));
    text.push('\n');
    for (row, one) in rows.iter().zip(lines) {
        let style = match one.standing {
            Some(standing) if standing.is_trouble() => Style::new().red(),
            Some(standing) if standing.is_pending() => Style::new().yellow(),
            _ => Style::new(),
        };
        text.push_str(&painted(&line(row), style, screen));
        text.push('\n');
    }
    text
}

fn cells(line: &StatusLine) -> [String; 6] {
    let state = match (line.standing, line.kind.as_deref(), line.statements_done) {
        (Some(Standing::Applied), Some(kind @ ("baseline" | "imported" | "squash")), _) => {
            format!("applied ({kind})")
        }
        (Some(Standing::Unfinished), _, Some(done)) => {
            format!("unfinished, {done} of {} done", line.statements)
        }
        (Some(standing), _, _) => standing.words().to_owned(),
        (None, _, _) => String::new(),
    };
    [
        visible(&line.version),
        visible(&line.description),
        state,
        line.at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default(),
        line.by.as_deref().map(visible).unwrap_or_default(),
        line.seconds.map(duration).unwrap_or_default(),
    ]
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 1.0 => format!("{:.0} ms", seconds * 1000.0),
        seconds if seconds < 60.0 => format!("{seconds:.1} s"),
        seconds => {
            let whole = seconds.round();
            format!("{:.0} min {:.0} s", (whole / 60.0).floor(), whole % 60.0)
        }
    }
}

/// Whether the database is what it should be.
pub fn verify(reply: &VerifyReply, screen: &Screen) -> String {
    let mut text = status(&reply.status, screen);
    text.push('\n');
    text.push_str(&comparison(
        &reply.drift,
        &format!("what the applied migrations make ({})", visible(&reply.evidence)),
        screen,
    ));
    if !reply.checks.is_empty() {
        let (past, asked): (Vec<_>, Vec<_>) = reply.checks.iter().partition(|check| check.is_about_nothing);
        let passed = asked.iter().filter(|check| check.rows == Some(0)).count();
        text.push_str(&format!("\n{passed} of {} VERIFY checks pass", asked.len()));
        if !past.is_empty() {
            text.push_str(&format!("; {} more are about what a later migration took away", past.len()));
        }
        text.push_str(".\n");
        for check in asked.iter().filter(|check| check.rows != Some(0)) {
            let line = match (check.rows, &check.error) {
                (_, Some(error)) => format!("`{}` could not be asked: {error}", check.file),
                (rows, None) => {
                    let samples = if check.samples.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", check.samples.join("; "))
                    };
                    format!("`{}`: {} rows{samples}. {}", check.file, rows.unwrap_or(0), check.rows_mean)
                }
            };
            text.push_str(&format!("  {}\n", painted(&line, Style::new().red(), screen)));
        }
    }
    let verdict = if reply.ok {
        painted("\nVerified.\n", Style::new().green(), screen)
    } else {
        painted("\nNot verified.\n", Style::new().red(), screen)
    };
    text.push_str(&verdict);
    text
}

/// What will be repaired.
pub fn repair(reply: &RepairReply, screen: &Screen) -> String {
    let mut text = format!("{}\n\n", visible(&reply.target));
    if reply.changes.is_empty() {
        text.push_str("Nothing is repaired without being told what.\n");
    }
    changes(&mut text, &reply.changes, screen);
    if !reply.changes.is_empty() && !reply.comparison.is_equal() {
        text.push('\n');
        text.push_str(&comparison(&reply.comparison, "what will count as applied", screen));
    }
    list(&mut text, reply.left.iter(), screen);
    text
}

/// What will be recorded.
pub fn baseline(reply: &BaselineReply, screen: &Screen) -> String {
    let mut text = format!("{}\n", visible(&reply.target));
    if let Some(from) = &reply.from {
        text.push_str(&format!("Taken over: {}\n", visible(from)));
    }
    text.push('\n');
    text.push_str(&comparison(&reply.comparison, "what these migrations make", screen));
    text.push('\n');
    changes(&mut text, &reply.changes, screen);
    if !reply.pending.is_empty() {
        text.push_str(&format!("Pending afterwards: {}\n", visible(&reply.pending.join(", "))));
    }
    list(&mut text, reply.refused.iter().chain(&reply.notes), screen);
    text
}

/// What will take the place of what.
pub fn squash(reply: &SquashReply, screen: &Screen) -> String {
    let mut text = format!("{}\n\n", visible(&reply.target));
    if !reply.comparison.is_equal() {
        text.push_str(&comparison(&reply.comparison, "what the old files make", screen));
        return text;
    }
    text.push_str(&format!("`{}` takes the place of {} files:\n", visible(&reply.file), reply.removes.len()));
    for file in &reply.removes {
        text.push_str(&format!("  - {}\n", visible(file)));
    }
    text.push('\n');
    for line in &reply.proof {
        push(&mut text, "", line, screen);
    }
    push(
        &mut text,
        "",
        "Other databases on which the old files were run are told by `dbwright migrate repair`. The old files stay in your \
         version control.",
        screen,
    );
    text
}

fn changes(text: &mut String, changes: &[RecordChange], screen: &Screen) {
    for change in changes {
        push(text, "  ", &change.says, screen);
    }
}

fn comparison(comparison: &Comparison, with: &str, screen: &Screen) -> String {
    let count = comparison.differences.len();
    let mut text = match count {
        0 => format!("The database is {with}.\n"),
        1 => format!("The database differs from {with} in 1 place:\n"),
        _ => format!("The database differs from {with} in {count} places:\n"),
    };
    for difference in comparison.differences.iter().take(MOST_SHOWN) {
        text.push_str(&format!("  {}\n", painted(&difference.to_string(), Style::new().red(), screen)));
    }
    if count > MOST_SHOWN {
        text.push_str(&format!("  and {} more; `--format json` lists them all\n", count - MOST_SHOWN));
    }
    if !comparison.not_compared.is_empty() {
        text.push_str("Not compared:\n");
        for line in &comparison.not_compared {
            push(&mut text, "  ", line, screen);
        }
    }
    text
}

/// Sentences after an empty line.
fn list<'a>(text: &mut String, sentences: impl Iterator<Item = &'a String>, screen: &Screen) {
    let mut sentences = sentences.peekable();
    if sentences.peek().is_some() {
        text.push('\n');
    }
    for sentence in sentences {
        push(text, "", sentence, screen);
    }
}

/// A sentence behind a margin; a terminal's lines end between words.
fn push(text: &mut String, margin: &str, sentence: &str, screen: &Screen) {
    let width = if screen.terminal { screen.width } else { usize::MAX };
    let mut used = 0;
    text.push_str(margin);
    for word in visible_block(sentence).split(' ') {
        let length = word.chars().count();
        if used > 0 && margin.len() + used + 1 + length > width {
            text.push('\n');
            text.push_str(margin);
            used = 0;
        } else if used > 0 {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += length;
    }
    text.push('\n');
}

fn painted(text: &str, style: Style, screen: &Screen) -> String {
    let text = visible_block(text);
    if screen.color { text.style(style).to_string() } else { text }
}

/// The beginning of a text that fits.
fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}
