//! Questions about rows, each answered by counting over the whole table.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataAnswer, DataCount, DataQuestion};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;

use super::reader::{ReadError, Reader, quoted};
use crate::dates;
use crate::questions::{self, EXAMPLES, Speech, TEXT, clip};

/// SQLite's words. It has no regular expressions, so texts are read here.
static SPEECH: Speech = Speech {
    table,
    column: |name| quoted(name.as_str()),
    text: |value| {
        format!(
            "substr(CASE typeof({value}) WHEN 'blob' THEN hex({value}) ELSE CAST({value} AS TEXT) END, 1, {TEXT})"
        )
    },
    bytes: |text| format!("{text} COLLATE BINARY"),
    length: "length",
    whole: "INTEGER",
    matches: None,
    json: |text| format!("json_valid({text})"),
    entries: "",
    entry: "",
    whole_text: |value| format!("CAST({value} AS TEXT)"),
};

/// Answers one question.
pub(super) fn answer(reader: &Reader, question: DataQuestion) -> DataAnswer {
    let answer = match count(reader, &question) {
        Some(Err(ReadError::TooLong)) => Observed::Failed(format!(
            "it took longer than the time limit of {} s",
            reader.statement_timeout().as_secs_f64()
        )),
        Some(counted) => reader.observe(|| counted),
        None => Observed::Unsupported("SQLite has no way to read values as that type".to_owned()),
    };
    DataAnswer { question, answer }
}

fn count(reader: &Reader, question: &DataQuestion) -> Option<Result<DataCount, ReadError>> {
    match question {
        DataQuestion::ListValues { table, column } => Some(lists(reader, table, column)),
        DataQuestion::ParsesAs { table, column, kind } => {
            let test = test(*kind)?;
            Some(parses(reader, table, column, kind.is_numeric(), &test))
        }
        DataQuestion::DateFormats { table, column } => Some(date_formats(reader, table, column)),
        _ => {
            let sql = questions::statement(&SPEECH, question)?;
            let rows = reader.rows(&sql, &[]);
            Some(rows.and_then(|rows| Ok(questions::count(question, &rows)?)))
        }
    }
}

fn table(table: &QualifiedName) -> String {
    // Only the main database is open.
    format!("main.{}", quoted(table.name.as_str()))
}

/// Hands over every value of a column as text, blobs as none.
fn each_text(
    reader: &Reader,
    of: &QualifiedName,
    column: &Name,
    mut take: impl FnMut(Option<&str>),
) -> Result<(), ReadError> {
    // The qualifier keeps SQLite from taking an unknown name for a text.
    let value = format!("t.{}", quoted(column.as_str()));
    let sql = format!(
        "SELECT CASE typeof({value}) WHEN 'blob' THEN NULL ELSE CAST({value} AS TEXT) END AS value \
         FROM {} AS t WHERE {value} IS NOT NULL",
        table(of)
    );
    reader.each(&sql, &[], reader.budget(), |row| {
        take(row.opt_text("value")?);
        Ok(true)
    })
}

/// The first few of many texts: those of the lowest rank, among them the shortest.
#[derive(Default)]
struct Examples(BTreeSet<(bool, usize, String)>);

impl Examples {
    fn add(&mut self, last: bool, text: &str) {
        let shown: String = text.chars().take(TEXT).collect();
        self.0.insert((last, shown.chars().count(), shown));
        if self.0.len() > EXAMPLES {
            self.0.pop_last();
        }
    }

    fn texts(&self) -> Vec<String> {
        self.0.iter().map(|(_, _, text)| clip(text)).collect()
    }
}

fn lists(reader: &Reader, of: &QualifiedName, column: &Name) -> Result<DataCount, ReadError> {
    let mut count = DataCount::default();
    let mut examples = Examples::default();
    let mut entries = 0;
    let mut different: HashSet<String> = HashSet::new();
    each_text(reader, of, column, |text| {
        if text == Some("") {
            return;
        }
        count.examined += 1;
        let Some(text) = text else { return };
        let tokens: Vec<&str> = text.split([',', ';', '|']).map(|token| token.trim_matches(' ')).collect();
        let is_entry =
            |token: &&str| (1..=40).contains(&token.chars().count()) && token.matches(' ').count() <= 2;
        if tokens.len() < 2 || !tokens.iter().all(is_entry) {
            return;
        }
        count.matching += 1;
        entries += tokens.len() as u64;
        for token in tokens {
            if !different.contains(token) {
                different.insert(token.to_owned());
            }
        }
        examples.add(false, text);
    })?;
    count.rows = Some(entries);
    count.distinct = Some(different.len() as u64);
    count.examples = examples.texts();
    Ok(count)
}

fn parses(
    reader: &Reader,
    of: &QualifiedName,
    column: &Name,
    numeric: bool,
    test: &dyn Fn(&str) -> bool,
) -> Result<DataCount, ReadError> {
    let mut count = DataCount::default();
    let mut examples = Examples::default();
    each_text(reader, of, column, |text| {
        count.examined += 1;
        if let Some(text) = text.filter(|text| test(text)) {
            count.matching += 1;
            // A value that begins with a zero which a number would lose says more than any other.
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
            let loses = digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit);
            examples.add(numeric && !loses, text);
        }
    })?;
    count.examples = examples.texts();
    Ok(count)
}

fn date_formats(reader: &Reader, of: &QualifiedName, column: &Name) -> Result<DataCount, ReadError> {
    let mut examined = 0;
    let mut formats: BTreeMap<usize, (u64, String)> = BTreeMap::new();
    each_text(reader, of, column, |text| {
        examined += 1;
        let Some(text) = text else { return };
        let Some(format) = dates::format_of(text, is_date, is_zone) else { return };
        let (values, first) = formats.entry(format).or_insert_with(|| (0, text.to_owned()));
        *values += 1;
        if text < first.as_str() {
            *first = text.to_owned();
        }
    })?;
    let matching = formats.values().map(|(values, _)| values).sum();
    let most = formats.values().map(|(values, _)| *values).max().unwrap_or(0);
    let year_first = formats.range(..dates::YEAR_FIRST).map(|(_, (values, _))| values).sum();
    let mut by_use: Vec<(u64, String)> = formats.into_values().collect();
    by_use.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(DataCount {
        examined,
        matching,
        rows: Some(year_first),
        distinct: Some(by_use.len() as u64),
        minority_rows: Some(matching - most),
        examples: by_use.iter().map(|(_, text)| clip(text)).collect(),
        ..DataCount::default()
    })
}

type Test = Box<dyn Fn(&str) -> bool>;

/// Whether a text reads as a type; `None` for types that are not tried.
fn test(kind: TypeKind) -> Option<Test> {
    let whole = |most: usize| -> Test {
        Box::new(move |text| {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            (1..=most).contains(&digits.len()) && all_digits(digits)
        })
    };
    Some(match kind {
        TypeKind::Boolean => Box::new(|text| {
            const WORDS: [&str; 12] =
                ["true", "false", "yes", "no", "on", "off", "t", "f", "y", "n", "0", "1"];
            WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
        }),
        TypeKind::TinyInt => whole(2),
        TypeKind::SmallInt => whole(4),
        TypeKind::MediumInt => whole(6),
        TypeKind::Integer => whole(9),
        TypeKind::BigInt => whole(18),
        TypeKind::Decimal | TypeKind::Real | TypeKind::Double | TypeKind::Money => Box::new(is_number),
        TypeKind::Date => Box::new(is_date),
        TypeKind::Time => Box::new(|text| after_time(text) == Some("")),
        TypeKind::TimeTz => Box::new(|text| after_time(text).is_some_and(is_zone)),
        TypeKind::Timestamp | TypeKind::TimestampTz => Box::new(|text| {
            text.split_once([' ', 'T', 't'])
                .is_some_and(|(date, time)| is_date(date) && after_time(time).is_some_and(is_zone))
        }),
        TypeKind::Uuid => Box::new(is_uuid),
        TypeKind::Json | TypeKind::Jsonb => Box::new(|text| {
            text.trim_start().starts_with(['{', '['])
                && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        }),
        _ => return None,
    })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (!before.is_empty() || !after.is_empty())
        && all_digits(before)
        && all_digits(after)
        && exponent.is_none_or(|exponent| (1..=3).contains(&exponent.len()) && all_digits(exponent))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || !parts.iter().all(|part| all_digits(part)) {
        return false;
    }
    let (Ok(year), Ok(month), Ok(day)) = (year.parse::<i16>(), month.parse::<i8>(), day.parse::<i8>()) else {
        return false;
    };
    jiff::civil::Date::new(year, month, day).is_ok()
}

/// What follows a time of day; `None` when the text does not begin with one.
fn after_time(text: &str) -> Option<&str> {
    let two = |text: &str, below: u8| -> bool {
        text.get(..2).is_some_and(|two| all_digits(two) && two.parse::<u8>().is_ok_and(|two| two < below))
    };
    let hours = text;
    let minutes = hours.get(2..)?.strip_prefix(':')?;
    if !two(hours, 24) || !two(minutes, 60) {
        return None;
    }
    let rest = minutes.get(2..)?;
    let Some(seconds) = rest.strip_prefix(':') else { return Some(rest) };
    if !two(seconds, 60) {
        return None;
    }
    let rest = seconds.get(2..)?;
    let Some(fraction) = rest.strip_prefix('.') else { return Some(rest) };
    let after = fraction.trim_start_matches(|character: char| character.is_ascii_digit());
    (after.len() < fraction.len()).then_some(after)
}

/// Whether a text is a zone as it stands behind a time, or nothing.
fn is_zone(text: &str) -> bool {
    let text = match text.strip_prefix(' ') {
        Some("") => return false,
        Some(rest) => rest,
        None => text,
    };
    if matches!(text, "" | "z" | "Z") {
        return true;
    }
    let Some(offset) = text.strip_prefix(['-', '+']) else { return false };
    let (Some(hours), Some(rest)) = (offset.get(..2), offset.get(2..)) else { return false };
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    all_digits(hours) && (rest.is_empty() || minutes.len() == 2 && all_digits(minutes))
}

fn is_uuid(text: &str) -> bool {
    let text = text.strip_prefix('{').unwrap_or(text);
    let mut rest = text.strip_suffix('}').unwrap_or(text);
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        if !group.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}
