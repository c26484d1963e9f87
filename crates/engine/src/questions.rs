//! What the engines share in answering questions about rows: the shape of the statements and what their rows mean.
//!
//! One statement answers one question. Its totals stand in every row, beside the examples, so that both come from one
//! reading of the table and a statement that is cut off gives nothing at all.

use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataCount, DataQuestion};
use dbwright_model::name::{Name, QualifiedName};

use crate::dates;
use crate::row::{DecodeError, Row};

/// Examples given with one answer.
pub(crate) const EXAMPLES: usize = 5;
/// Values given for [`DataQuestion::Values`].
const VALUES: usize = 20;
/// Characters of an example.
const SHORT: usize = 60;

/// A regular expression for texts with an entry longer than 40 characters.
pub(crate) const LONG_ENTRY: &str = "[^,;| ][^,;|]{39,}[^,;| ]";
/// A regular expression for two entries or more, none of them empty or with more than two blanks within.
pub(crate) const LIST: &str =
    "^ *[^,;| ]+(( [^,;| ]+){0,2}|  [^,;| ]+) *([,;|] *[^,;| ]+(( [^,;| ]+){0,2}|  [^,;| ]+) *)+$";

/// How a dialect says what the statements are made of.
pub(crate) struct Speech {
    /// A table's name, quoted.
    pub table: fn(&QualifiedName) -> String,
    /// A column's name, quoted.
    pub column: fn(&Name) -> String,
    /// The first [`TEXT`] characters of any value as text; null stays null.
    pub text: fn(&str) -> String,
    /// A text such that it sorts by its bytes.
    pub bytes: fn(&str) -> String,
    /// Characters of a text.
    pub length: &'static str,
    /// What to cast sums to.
    pub whole: &'static str,
    /// Whether a text matches a regular expression; without it, values are read by the program itself.
    pub matches: Option<fn(&str, &str) -> String>,
    /// Whether a text is a JSON object or array.
    pub json: fn(&str) -> String,
    /// The entries of a joined list: a join to `u (place, token)` for each row of `x (v, n)`.
    pub entries: &'static str,
    /// The entry, trimmed, such that only equal ones are equal.
    pub entry: &'static str,
    /// A whole value as text that keeps letters apart that the column's collation takes as equal.
    pub whole_text: fn(&str) -> String,
}

/// Characters of a value that a statement gives: one more than are shown, so that a cut is seen.
pub(crate) const TEXT: usize = SHORT + 1;

/// The statement that answers a question; `None` where the dialect has no way to.
pub(crate) fn statement(speech: &Speech, question: &DataQuestion) -> Option<String> {
    match question {
        DataQuestion::Orphans { child, column, parent, parent_column } => {
            Some(orphans(speech, child, column, parent, parent_column))
        }
        DataQuestion::Dependency { table, determinant, dependent } => {
            (!determinant.is_empty()).then(|| dependency(speech, table, determinant, dependent))
        }
        DataQuestion::ListValues { table, column } => lists(speech, table, column),
        DataQuestion::ParsesAs { table, column, kind } => parses(speech, table, column, *kind),
        DataQuestion::DateFormats { table, column } => date_formats(speech, table, column),
        DataQuestion::Nulls { table, column } => Some(format!(
            "SELECT COUNT(*) AS examined, COUNT(*) - COUNT(t.{}) AS matching FROM {} t",
            (speech.column)(column),
            (speech.table)(table)
        )),
        DataQuestion::Duplicates { table, columns } => {
            (!columns.is_empty()).then(|| duplicates(speech, table, columns))
        }
        DataQuestion::Values { table, column } => Some(values(speech, table, column)),
    }
}

/// A sum over all rows, or 0.
fn total(speech: &Speech, of: &str) -> String {
    format!("CAST(COALESCE(SUM({of}) OVER (), 0) AS {})", speech.whole)
}

/// Shortest first, which puts whole numbers in their order, then by bytes.
fn by_length(speech: &Speech, text: &str) -> String {
    format!("{}({text}), {}", speech.length, (speech.bytes)(text))
}

fn orphans(
    speech: &Speech,
    child: &QualifiedName,
    column: &Name,
    parent: &QualifiedName,
    parent_column: &Name,
) -> String {
    let (c, p) = ((speech.column)(column), (speech.column)(parent_column));
    format!(
        "SELECT {examined} AS examined, {matching} AS matching, x.example AS example FROM (\
         SELECT g.n AS n, CASE WHEN p.k IS NULL THEN 1 ELSE 0 END AS hit, \
         CASE WHEN p.k IS NULL THEN {text} END AS example FROM (\
         SELECT c.{c} AS v, COUNT(*) AS n FROM {child} c WHERE c.{c} IS NOT NULL GROUP BY c.{c}) g \
         LEFT JOIN (SELECT DISTINCT q.{p} AS k FROM {parent} q WHERE q.{p} IS NOT NULL) p ON p.k = g.v) x \
         ORDER BY x.hit DESC, {order} LIMIT {EXAMPLES}",
        examined = total(speech, "x.n"),
        matching = total(speech, "x.n * x.hit"),
        text = (speech.text)("g.v"),
        child = (speech.table)(child),
        parent = (speech.table)(parent),
        order = by_length(speech, "x.example"),
    )
}

fn dependency(speech: &Speech, table: &QualifiedName, determinant: &[Name], dependent: &Name) -> String {
    let each = |part: &dyn Fn(usize, &Name) -> String| -> Vec<String> {
        determinant.iter().enumerate().map(|(i, name)| part(i, name)).collect()
    };
    let named = each(&|i, name| format!("t.{} AS k{i}", (speech.column)(name))).join(", ");
    let plain = each(&|_, name| format!("t.{}", (speech.column)(name))).join(", ");
    let keys = each(&|i, _| format!("k{i}")).join(", ");
    let known = each(&|i, _| format!("k{i} IS NOT NULL")).join(" AND ");
    let shown = each(&|i, _| format!("{} AS s{i}", (speech.text)(&format!("k{i}")))).join(", ");
    let order = each(&|i, _| by_length(speech, &format!("w.s{i}"))).join(", ");
    let d = (speech.column)(dependent);
    let sum = |of: &str| total(speech, of);
    format!(
        "SELECT w.* FROM (\
         SELECT {rows} AS all_rows, {grouped} AS grouped_rows, {examined} AS examined, {matching} AS matching, \
         {minority} AS minority_rows, {distinct} AS distinct_values, \
         CAST(MAX(held) OVER () AS {whole}) AS most_common, \
         CAST(torn AS {whole}) AS torn, place, n, {shown}, {value} AS example FROM (\
         SELECT f.*, SUM(kept) OVER (PARTITION BY d) AS held, \
         ROW_NUMBER() OVER (PARTITION BY d ORDER BY kept DESC) AS nth FROM (\
         SELECT e.*, CASE WHEN {known} AND among > 1 THEN n ELSE 0 END AS kept, \
         CASE WHEN {known} AND kinds > 1 THEN among ELSE 0 END AS torn FROM (\
         SELECT b.*, SUM(n) OVER (PARTITION BY {keys}) AS among, COUNT(*) OVER (PARTITION BY {keys}) AS kinds, \
         ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY n DESC, CASE WHEN d IS NULL THEN 1 ELSE 0 END, {ranked}) \
         AS place FROM (\
         SELECT {named}, t.{d} AS d, COUNT(*) AS n FROM {table} t GROUP BY {plain}, t.{d}\
         ) b) e) f) h) w WHERE w.place <= {EXAMPLES} ORDER BY w.torn DESC, {order}, w.place LIMIT {most}",
        rows = sum("n"),
        grouped = sum("kept"),
        examined = sum("CASE WHEN kept > 0 AND place = 1 THEN 1 ELSE 0 END"),
        matching = sum("CASE WHEN torn > 0 AND place = 1 THEN 1 ELSE 0 END"),
        minority = sum("CASE WHEN place > 1 THEN kept ELSE 0 END"),
        distinct = sum("CASE WHEN kept > 0 AND nth = 1 THEN 1 ELSE 0 END"),
        whole = speech.whole,
        value = (speech.text)("d"),
        ranked = (speech.bytes)(&(speech.text)("d")),
        table = (speech.table)(table),
        most = EXAMPLES * EXAMPLES,
    )
}

fn lists(speech: &Speech, table: &QualifiedName, column: &Name) -> Option<String> {
    let matches = speech.matches?;
    let value = format!("t.{}", (speech.column)(column));
    let whole = (speech.whole_text)(&value);
    Some(format!(
        "SELECT w.examined, w.matching, w.all_rows, w.distinct_values, w.example FROM (\
         SELECT {examined} AS examined, {matching} AS matching, {tokens} AS all_rows, {distinct} AS distinct_values, \
         z.place AS place, {text} AS example FROM (\
         SELECT y.*, ROW_NUMBER() OVER (PARTITION BY token ORDER BY place) AS nth FROM (\
         SELECT x.v AS v, x.n AS n, COALESCE(u.place, 1) AS place, {entry} AS token FROM (\
         SELECT a.v AS v, COUNT(*) AS n FROM (\
         SELECT CASE WHEN {is_list} AND NOT {is_long} THEN {whole} END AS v FROM {table} t WHERE {length}({value}) > 0\
         ) a GROUP BY a.v) x {entries}) y) z) w \
         WHERE w.place = 1 ORDER BY CASE WHEN w.example IS NULL THEN 1 ELSE 0 END, {order} LIMIT {EXAMPLES}",
        examined = total(speech, "CASE WHEN z.place = 1 THEN z.n ELSE 0 END"),
        matching = total(speech, "CASE WHEN z.place = 1 AND z.v IS NOT NULL THEN z.n ELSE 0 END"),
        tokens = total(speech, "CASE WHEN z.token IS NOT NULL THEN z.n ELSE 0 END"),
        distinct = total(speech, "CASE WHEN z.token IS NOT NULL AND z.nth = 1 THEN 1 ELSE 0 END"),
        text = (speech.text)("z.v"),
        is_list = matches(&whole, LIST),
        is_long = matches(&whole, LONG_ENTRY),
        table = (speech.table)(table),
        length = speech.length,
        entries = speech.entries,
        entry = speech.entry,
        order = by_length(speech, "w.example"),
    ))
}

fn parses(speech: &Speech, table: &QualifiedName, column: &Name, kind: TypeKind) -> Option<String> {
    let matches = speech.matches?;
    let value = format!("t.{}", (speech.column)(column));
    // A value that begins with a zero which a number would lose says more than any other.
    let zeros = match kind.is_numeric() {
        true => format!("CASE WHEN {} THEN 0 ELSE 1 END, ", matches("x.v", "^[-+]?0[0-9]")),
        false => String::new(),
    };
    Some(format!(
        "SELECT {examined} AS examined, {matching} AS matching, CASE WHEN x.hit = 1 THEN x.v END AS example FROM (\
         SELECT a.v AS v, a.hit AS hit, COUNT(*) AS n FROM (\
         SELECT {text} AS v, CASE WHEN {test} THEN 1 ELSE 0 END AS hit FROM {table} t WHERE {value} IS NOT NULL\
         ) a GROUP BY a.v, a.hit) x ORDER BY x.hit DESC, {zeros}{order} LIMIT {EXAMPLES}",
        examined = total(speech, "x.n"),
        matching = total(speech, "x.n * x.hit"),
        text = (speech.text)(&value),
        test = match kind {
            TypeKind::Json | TypeKind::Jsonb => (speech.json)(&(speech.whole_text)(&value)),
            _ => matches(&format!("LOWER({})", (speech.whole_text)(&value)), &pattern(kind)?),
        },
        table = (speech.table)(table),
        order = by_length(speech, "x.v"),
    ))
}

/// One row for each format, the most common first, and those values last that are no dates.
fn date_formats(speech: &Speech, table: &QualifiedName, column: &Name) -> Option<String> {
    let matches = speech.matches?;
    let value = format!("t.{}", (speech.column)(column));
    let text = format!("LOWER({})", (speech.whole_text)(&value));
    let mut cases = String::new();
    for (place, pattern) in dates::patterns().iter().enumerate() {
        cases.push_str(&format!("WHEN {} THEN {} ", matches(&text, pattern), place + 1));
    }
    Some(format!(
        "SELECT {examined} AS examined, {matching} AS matching, {year_first} AS all_rows, {formats} AS distinct_values, \
         CAST(MAX(CASE WHEN g.format > 0 THEN g.n ELSE 0 END) OVER () AS {whole}) AS most_common, \
         CASE WHEN g.format > 0 THEN g.v END AS example FROM (\
         SELECT a.format AS format, COUNT(*) AS n, MIN(a.v) AS v FROM (\
         SELECT CASE {cases}ELSE 0 END AS format, {shown} AS v FROM {table} t WHERE {value} IS NOT NULL\
         ) a GROUP BY a.format) g ORDER BY CASE WHEN g.format > 0 THEN 0 ELSE 1 END, g.n DESC, g.format",
        examined = total(speech, "g.n"),
        matching = total(speech, "CASE WHEN g.format > 0 THEN g.n ELSE 0 END"),
        year_first = total(
            speech,
            &format!("CASE WHEN g.format BETWEEN 1 AND {} THEN g.n ELSE 0 END", dates::YEAR_FIRST)
        ),
        formats = total(speech, "CASE WHEN g.format > 0 THEN 1 ELSE 0 END"),
        whole = speech.whole,
        shown = (speech.text)(&value),
        table = (speech.table)(table),
    ))
}

fn duplicates(speech: &Speech, table: &QualifiedName, columns: &[Name]) -> String {
    let plain: Vec<String> = columns.iter().map(|name| format!("t.{}", (speech.column)(name))).collect();
    let shown: Vec<String> =
        plain.iter().enumerate().map(|(i, plain)| format!("{} AS s{i}", (speech.text)(plain))).collect();
    let order: Vec<String> = (0..plain.len()).map(|i| by_length(speech, &format!("g.s{i}"))).collect();
    // Unique constraints take rows with nulls as different.
    let known: Vec<String> = plain.iter().map(|plain| format!("{plain} IS NOT NULL")).collect();
    format!(
        "SELECT {examined} AS examined, {matching} AS matching, CASE WHEN g.n > 1 THEN g.n END AS several, g.* FROM (\
         SELECT COUNT(*) AS n, {} FROM {} t WHERE {} GROUP BY {}) g ORDER BY g.n DESC, {} LIMIT {EXAMPLES}",
        shown.join(", "),
        (speech.table)(table),
        known.join(" AND "),
        plain.join(", "),
        order.join(", "),
        examined = total(speech, "1"),
        matching = total(speech, "CASE WHEN g.n > 1 THEN 1 ELSE 0 END"),
    )
}

fn values(speech: &Speech, table: &QualifiedName, column: &Name) -> String {
    let value = format!("t.{}", (speech.column)(column));
    format!(
        "SELECT {examined} AS examined, {matching} AS matching, g.example AS example FROM (\
         SELECT {text} AS example, COUNT(*) AS n FROM {table} t WHERE {value} IS NOT NULL GROUP BY {value}) g \
         ORDER BY g.n DESC, {order} LIMIT {VALUES}",
        examined = total(speech, "g.n"),
        matching = total(speech, "1"),
        text = (speech.text)(&value),
        table = (speech.table)(table),
        order = by_length(speech, "g.example"),
    )
}

/// The count that the rows of a statement hold.
pub(crate) fn count(question: &DataQuestion, rows: &[Row]) -> Result<DataCount, DecodeError> {
    let mut made = DataCount::default();
    let in_formats = matches!(question, DataQuestion::DateFormats { .. });
    let with_rows =
        in_formats || matches!(question, DataQuestion::Dependency { .. } | DataQuestion::ListValues { .. });
    let is_dependency = matches!(question, DataQuestion::Dependency { .. });
    let number = |name: &str| rows.first().map_or(Ok(0), |row| Ok(row.opt_count(name)?.unwrap_or(0)));
    made.examined = number("examined")?;
    made.matching = number("matching")?;
    if with_rows {
        made.rows = Some(number("all_rows")?);
        made.distinct = Some(number("distinct_values")?);
    }
    if is_dependency {
        let grouped = number("grouped_rows")?;
        made.grouped_rows = Some(grouped);
        made.minority_rows = Some(number("minority_rows")?);
        made.largest_share = (grouped > 0).then_some(number("most_common")? as f64 / grouped as f64);
    }
    if in_formats {
        made.minority_rows = Some(made.matching.saturating_sub(number("most_common")?));
    }
    made.examples = match question {
        DataQuestion::Nulls { .. } => Vec::new(),
        DataQuestion::Dependency { determinant, .. } => disagreements(rows, determinant.len())?,
        DataQuestion::Duplicates { columns, .. } => {
            let mut examples = Vec::new();
            for row in rows {
                if let Some(several) = row.opt_count("several")? {
                    examples.push(clip(&format!("{}: {several}", joined(row, columns.len())?)));
                }
            }
            examples
        }
        _ => {
            let mut examples = Vec::new();
            for row in rows {
                examples.extend(row.opt_text("example")?.map(clip));
            }
            examples
        }
    };
    Ok(made)
}

/// Conflicting groups out of rows that follow one another, as `10115: Berlin 812, Berlim 1`.
fn disagreements(rows: &[Row], keys: usize) -> Result<Vec<String>, DecodeError> {
    let mut groups: Vec<String> = Vec::new();
    for row in rows {
        if row.opt_count("torn")?.unwrap_or(0) == 0 {
            break;
        }
        let value = row.opt_text("example")?.unwrap_or("null");
        let entry = format!("{value} {}", row.opt_count("n")?.unwrap_or(0));
        let goes_on = row.opt_count("place")? != Some(1);
        if let Some(group) = groups.last_mut().filter(|_| goes_on) {
            group.push_str(", ");
            group.push_str(&entry);
        } else if groups.len() < EXAMPLES {
            groups.push(format!("{}: {entry}", joined(row, keys)?));
        } else {
            break;
        }
    }
    Ok(groups.iter().map(|group| clip(group)).collect())
}

fn joined(row: &Row, keys: usize) -> Result<String, DecodeError> {
    let mut texts = Vec::new();
    for i in 0..keys {
        texts.push(row.opt_text(&format!("s{i}"))?.unwrap_or("null").to_owned());
    }
    Ok(texts.join(", "))
}

/// A text of at most [`SHORT`] characters, in one line.
pub(crate) fn clip(text: &str) -> String {
    let line = |character: char| if character.is_control() { ' ' } else { character };
    match text.char_indices().nth(SHORT) {
        None => text.chars().map(line).collect(),
        Some(_) => text.chars().take(SHORT - 1).map(line).chain(['…']).collect(),
    }
}

/// A date of ISO 8601.
pub(crate) const DATE: &str = "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)\
        |02-(0[1-9]|1[0-9]|2[0-8]))|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
/// What may follow a time.
pub(crate) const ZONE: &str = "( ?(z|[-+][0-9]{2}(:?[0-9]{2})?))?";

/// What text of a type looks like, in lower case; `None` for types that are not tried.
fn pattern(kind: TypeKind) -> Option<String> {
    const TIME: &str = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?";
    let whole = |digits: u8| format!("[-+]?[0-9]{{1,{digits}}}");
    let pattern = match kind {
        TypeKind::Boolean => "(true|false|yes|no|on|off|t|f|y|n|0|1)".to_owned(),
        TypeKind::TinyInt => whole(2),
        TypeKind::SmallInt => whole(4),
        TypeKind::MediumInt => whole(6),
        TypeKind::Integer => whole(9),
        TypeKind::BigInt => whole(18),
        TypeKind::Decimal | TypeKind::Real | TypeKind::Double | TypeKind::Money => {
            "[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(e[-+]?[0-9]{1,3})?".to_owned()
        }
        TypeKind::Date => DATE.to_owned(),
        TypeKind::Time => TIME.to_owned(),
        TypeKind::TimeTz => format!("{TIME}{ZONE}"),
        TypeKind::Timestamp | TypeKind::TimestampTz => format!("{DATE}[t ]{TIME}{ZONE}"),
        TypeKind::Uuid => "[{]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[}]?".to_owned(),
        _ => return None,
    };
    Some(format!("^{pattern}$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_and_lines_joined() {
        assert_eq!(clip("a\nb"), "a b");
        assert_eq!(clip(&"ä".repeat(SHORT)), "ä".repeat(SHORT));
        assert_eq!(clip(&"ä".repeat(SHORT + 1)), format!("{}…", "ä".repeat(SHORT - 1)));
    }
}
