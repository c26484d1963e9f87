//! The formats that texts hold dates in: as regular expressions for servers, and read here for SQLite, which has none.

use crate::questions::{DATE, ZONE};

/// Formats that begin with the year: `2024-05-01`, `2024/05/01`, `20240501`. They sort in the order of time.
pub(crate) const YEAR_FIRST: usize = 3;

const MONTH: &str = "(0?[1-9]|1[0-2])";
const DAY: &str = "(0?[1-9]|[12][0-9]|3[01])";
const NAMES: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A regular expression per format, for texts in lower case; none takes what another does.
pub(crate) fn patterns() -> [String; 7] {
    let name = format!("({})[a-z]*[.]?", NAMES.join("|"));
    let time = "(([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?( ?[ap]m)?)";
    [
        DATE.to_owned(),
        format!("[0-9]{{4}}[/.]{MONTH}[/.]{DAY}"),
        "(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])".to_owned(),
        format!("{DAY}[.]{MONTH}[.]([0-9]{{4}}|[0-9]{{2}})"),
        format!("{DAY}/{DAY}/([0-9]{{4}}|[0-9]{{2}})"),
        format!("{DAY}-{DAY}-[0-9]{{4}}"),
        format!("({DAY}[.]?[ -]{name},?[ -][0-9]{{4}}|{name} {DAY}(st|nd|rd|th)?,? [0-9]{{4}})"),
    ]
    .map(|date| format!("^({date})([t ]{time}{ZONE})?$"))
}

/// The place in [`patterns`] of the one that a text matches. `is_date` and `is_zone` read a date of ISO 8601 and what may
/// follow a time.
pub(crate) fn format_of(
    text: &str,
    is_date: impl Fn(&str) -> bool,
    is_zone: impl Fn(&str) -> bool,
) -> Option<usize> {
    let text = text.to_ascii_lowercase();
    let (date, rest) = split(&text);
    let (format, after) = dated(date, &is_date)?;
    let rest = match rest {
        Some(rest) => time(rest)?,
        None => "",
    };
    (after.is_empty() && (rest.is_empty() || is_zone(rest))).then_some(format)
}

/// A text at the blank or `t` before a time of day, which is the last one with a number and a colon behind it.
fn split(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else { return (text, None) };
    let before = text[..colon].trim_end_matches(|c: char| c.is_ascii_digit());
    match before.strip_suffix([' ', 't']) {
        Some(date) => (date, Some(&text[before.len()..])),
        None => (text, None),
    }
}

/// What follows a time of day.
fn time(text: &str) -> Option<&str> {
    let (hours, rest) = number(text)?;
    let (minutes, mut rest) = number(rest.strip_prefix(':')?)?;
    if hours.len() > 2 || value(hours) > 23 || minutes.len() != 2 || value(minutes) > 59 {
        return None;
    }
    if let Some(behind) = rest.strip_prefix(':') {
        let (seconds, behind) = number(behind)?;
        if seconds.len() != 2 || value(seconds) > 59 {
            return None;
        }
        rest = behind;
        if let Some(behind) = rest.strip_prefix('.') {
            rest = number(behind)?.1;
        }
    }
    let half = rest.strip_prefix(' ').unwrap_or(rest);
    Some(half.strip_prefix("am").or_else(|| half.strip_prefix("pm")).unwrap_or(rest))
}

/// The format of a date without its time, and what follows it.
fn dated<'t>(text: &'t str, is_date: &dyn Fn(&str) -> bool) -> Option<(usize, &'t str)> {
    if is_date(text) {
        return Some((0, ""));
    }
    let Some((first, rest)) = number(text) else {
        let rest = month_name(text)?.strip_prefix(' ')?;
        let (day, rest) = number(rest)?;
        let rest = ["st", "nd", "rd", "th"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
        let (year, rest) = number(rest.strip_prefix(',').unwrap_or(rest).strip_prefix(' ')?)?;
        return (is_day(day) && year.len() == 4).then_some((6, rest));
    };
    match (first.len(), rest.chars().next()) {
        (4, Some('/' | '.')) => {
            let (month, rest) = number(&rest[1..])?;
            let (day, rest) = number(rest.strip_prefix(['/', '.'])?)?;
            (is_month(month) && is_day(day)).then_some((1, rest))
        }
        (8, _) => {
            let century = first.starts_with("19") || first.starts_with("20");
            (century && is_month(&first[4..6]) && is_day(&first[6..])).then_some((2, rest))
        }
        (1 | 2, Some(mark @ ('.' | '/' | '-'))) if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            let (second, rest) = number(&rest[1..])?;
            let (year, rest) = number(rest.strip_prefix(mark)?)?;
            let format = match mark {
                '.' if is_month(second) => 3,
                '/' if is_day(second) => 4,
                '-' if is_day(second) => 5,
                _ => return None,
            };
            let long = year.len() == 4 || year.len() == 2 && mark != '-';
            (is_day(first) && long).then_some((format, rest))
        }
        (1 | 2, Some(_)) => {
            let rest = rest.strip_prefix('.').unwrap_or(rest).strip_prefix([' ', '-'])?;
            let rest = month_name(rest)?;
            let (year, rest) = number(rest.strip_prefix(',').unwrap_or(rest).strip_prefix([' ', '-'])?)?;
            (is_day(first) && year.len() == 4).then_some((6, rest))
        }
        _ => None,
    }
}

/// What follows the name of a month.
fn month_name(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let name = &text[..text.len() - rest.len()];
    let known = NAMES.iter().any(|start| name.starts_with(start));
    known.then(|| rest.strip_prefix('.').unwrap_or(rest))
}

/// The digits that a text begins with, and the rest.
fn number(text: &str) -> Option<(&str, &str)> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (digits > 0).then(|| text.split_at(digits))
}

fn value(digits: &str) -> u32 {
    digits.parse().unwrap_or(u32::MAX)
}

fn is_month(digits: &str) -> bool {
    digits.len() <= 2 && (1..=12).contains(&value(digits))
}

fn is_day(digits: &str) -> bool {
    digits.len() <= 2 && (1..=31).contains(&value(digits))
}
