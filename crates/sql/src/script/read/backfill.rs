//! The mark before an `UPDATE` that is to be written in pieces.

use dbwright_model::migration::Backfill;

use super::header::name;

/// Reads `-- dbwright: backfill table="public"."t" keyset="id" rows=1000` in the comments before a statement. The error is
/// why the mark or the statement cannot be used, as a lower-case fragment.
pub(super) fn read(comments: &str, sql: &str) -> Result<Option<Backfill>, String> {
    let mark = comments.lines().find_map(|line| {
        let rest = line.trim().strip_prefix("--")?.trim_start().strip_prefix("dbwright:")?;
        let rest = rest.trim_start().strip_prefix("backfill")?;
        rest.is_empty().then_some("").or_else(|| rest.strip_prefix(' '))
    });
    let Some(mark) = mark else { return Ok(None) };
    let mut backfill = Backfill { rows: 1000, ..Backfill::default() };
    for word in outside(mark, ' ') {
        let Some((key, value)) = word.split_once('=') else {
            return Err(format!("`{word}` is no word of a backfill"));
        };
        match key {
            "table" => backfill.table = value.to_owned(),
            "keyset" => backfill.keyset = outside(value, ',').into_iter().map(name).collect(),
            "rows" => {
                let rows = value.parse().ok().filter(|rows| *rows > 0);
                backfill.rows = rows.ok_or_else(|| format!("`{word}` names no number of rows"))?;
            }
            _ => return Err(format!("`{word}` is no word of a backfill")),
        }
    }
    if backfill.table.is_empty() || backfill.keyset.is_empty() {
        return Err("a backfill needs `table=` and `keyset=`".to_owned());
    }
    let filter = filter(sql).ok_or("a backfill must be an `UPDATE` that ends in `WHERE (...)`")?;
    backfill.filter = filter.to_owned();
    Ok(Some(backfill))
}

/// The parts of a text between separators that stand outside of quotes, empty ones left out.
fn outside(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '"' | '`' | '\'') => quote = Some(c),
            None if c == separator => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            None => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// What stands in the parentheses that end an `UPDATE`.
fn filter(sql: &str) -> Option<&str> {
    let sql = sql.trim_end();
    sql.get(..6).filter(|word| word.eq_ignore_ascii_case("update"))?;
    let mut depth = 0usize;
    let mut opened = 0;
    let mut quote = None;
    let mut last = None;
    for (at, c) in sql.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' | '`' => quote = Some(c),
                '(' => {
                    if depth == 0 {
                        opened = at;
                    }
                    depth += 1;
                }
                ')' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        last = Some((opened, at));
                    }
                }
                _ => {}
            },
        }
    }
    let (open, close) = last?;
    let word = sql[..open].trim_end();
    let word = word.len().checked_sub(5).and_then(|start| word.get(start..))?;
    (close + 1 == sql.len() && word.eq_ignore_ascii_case("where")).then(|| sql[open + 1..close].trim())
}
