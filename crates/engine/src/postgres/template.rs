//! The small template form of the collector's SQL files.
//!
//! - `{relation.column ? yes : no}` is `yes` when the server has that column, else `no`. Either may be empty or hold
//!   further templates. The question mark and the colon stand between white space (a colon may also end the template).
//! - `{fact.name ? yes : no}` asks whether the fact of that name is wanted from this statement.
//! - `{allowed.name ? yes : no}` asks whether the role may do something.
//! - `{name}` is a value such as the size of a page.
//!
//! Braces around anything else are left as they are.

use std::collections::{BTreeMap, BTreeSet};

/// What templates ask about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// Names that hold.
    pub holds: BTreeSet<String>,
    /// Values by name.
    pub values: BTreeMap<String, String>,
}

/// The SQL of a template.
pub(super) fn render(template: &str, known: &Known) -> String {
    let mut sql = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        sql.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let Some(close) = matching_brace(inside) else {
            sql.push_str(&rest[open..]);
            return sql;
        };
        let body = &inside[..close];
        rest = &inside[close + 1..];
        match split(body) {
            Some((name, yes, no)) => {
                sql.push_str(&render(if known.holds.contains(name) { yes } else { no }, known));
            }
            None => match known.values.get(body) {
                Some(value) => sql.push_str(value),
                None => {
                    sql.push('{');
                    sql.push_str(body);
                    sql.push('}');
                }
            },
        }
    }
    sql.push_str(rest);
    sql
}

/// The names that a template asks about.
pub(super) fn questions(template: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (open, _) in template.match_indices('{') {
        let inside = &template[open + 1..];
        if let Some(close) = matching_brace(inside)
            && let Some((name, _, _)) = split(&inside[..close])
        {
            names.insert(name.to_owned());
        }
    }
    names
}

fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Splits `name ? yes : no` at the outermost colon.
fn split(body: &str) -> Option<(&str, &str, &str)> {
    let name_end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))?;
    let name = &body[..name_end];
    let after = body[name_end..].strip_prefix(" ?").filter(|_| !name.is_empty())?;
    let bytes = after.as_bytes();
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b':' if depth == 0
                && at > 0
                && bytes[at - 1].is_ascii_whitespace()
                && bytes.get(at + 1).is_none_or(u8::is_ascii_whitespace) =>
            {
                return Some((name, after[..at].trim(), after[at + 1..].trim()));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &str) {
        let known = Known {
            holds: BTreeSet::from(["v.a".to_owned()]),
            values: BTreeMap::from([("size".to_owned(), "8192".to_owned())]),
        };
        assert_eq!(render(template, &known), expected);
    }

    #[test]
    fn templates_choose_by_what_the_server_has() {
        check("select {v.a ? s.a::int8 : null::int8} as a", "select s.a::int8 as a");
        check("select {v.b ? s.b::int8 : null::int8} as b", "select null::int8 as b");
        check("x {v.b ? and b : } y", "x  y");
        check("x {v.b ? and b :} y", "x  y");
        check("{v.a ? {v.b ? 1 : 2} : 3}", "2");
        check("{v.b ? 1 : {v.a ? 2 : 3}}", "2");
        check("4 * {size}", "4 * 8192");
        check("'{}'::text[] || '{other}' {", "'{}'::text[] || '{other}' {");
    }

    #[test]
    fn the_questions_of_a_template_are_found_at_any_depth() {
        let found = questions("{v.a ? {w.b ? 1 : 2} : 3} '{}' {size}");
        assert_eq!(found, BTreeSet::from(["v.a".to_owned(), "w.b".to_owned()]));
    }
}
