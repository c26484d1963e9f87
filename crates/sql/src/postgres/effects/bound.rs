//! What a partition holds, and what checks prove of it, as far as the server proves it without looking at rows.

use dbwright_model::catalog::{Catalog, Check, Table, TableKind, UserTypeKind};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::effect::PartitionChecks;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};

use super::presence::words;
use crate::postgres::{expression, quote};

/// Members of a list up to which the server looks at each of them for a proof.
const LONGEST_LIST: usize = 100;
/// Digits after the point that numbers are compared with.
const DIGITS: usize = 12;

/// The single column that a table is partitioned by.
pub(super) struct Key<'t> {
    pub(super) column: &'t Name,
    /// What its values are; `None` for types whose values are not compared here.
    values: Option<Values<'t>>,
}

impl<'t> Key<'t> {
    /// `None` when the table is not partitioned, by several columns, or by an expression.
    pub(super) fn of(catalog: &Catalog, table: &'t Table) -> Option<Key<'t>> {
        let key = match (&table.kind, &table.sub_partitioned) {
            (TableKind::Partitioned { key, .. }, _) => key,
            (_, Some(partition_key)) => &partition_key.key,
            _ => return None,
        };
        let mut words = words(key);
        let name = words.next()?;
        let column = table.column(name).filter(|_| words.next().is_none())?;
        Some(Key { column: &column.name, values: Values::of(catalog, &column.data_type) })
    }
}

/// How the values of a type are compared.
#[derive(Clone, Copy)]
enum Values<'t> {
    Integer,
    /// With the digits after the point that the column keeps, where it says how many.
    Decimal(Option<usize>),
    Text,
    Date,
    Timestamp,
    /// Equal texts are equal values, and nothing else is known.
    Same(&'t DataType),
}

impl<'t> Values<'t> {
    fn of(catalog: &Catalog, data_type: &'t DataType) -> Option<Values<'t>> {
        if data_type.array {
            return None;
        }
        if let Some(name) = &data_type.user_type {
            let found = catalog.types.iter().find(|user_type| name.may_mean(&user_type.name))?;
            return matches!(found.kind, UserTypeKind::Enum(_)).then_some(Values::Same(data_type));
        }
        Some(match data_type.kind {
            TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => Values::Integer,
            TypeKind::Decimal => {
                let scale = data_type.scale.or(data_type.length.map(|_| 0));
                Values::Decimal(scale.map(usize::try_from).transpose().ok()?)
            }
            TypeKind::Text | TypeKind::Varchar => Values::Text,
            TypeKind::Date => Values::Date,
            TypeKind::Timestamp => Values::Timestamp,
            TypeKind::Char | TypeKind::Uuid => Values::Same(data_type),
            _ => return None,
        })
    }

    /// Whether values can be told to be smaller and greater than others.
    fn are_ordered(self) -> bool {
        matches!(self, Values::Integer | Values::Decimal(_) | Values::Date | Values::Timestamp)
    }

    /// Whether a constant cast to a type is compared with the column as it is. Other types are compared after a
    /// conversion of the column, which the server does not see through.
    fn take(self, to: &str) -> bool {
        match self {
            Values::Integer => {
                matches!(to, "smallint" | "int2" | "integer" | "int" | "int4" | "bigint" | "int8")
            }
            Values::Decimal(_) => matches!(to, "numeric" | "decimal"),
            Values::Text => matches!(to, "text" | "character varying" | "varchar"),
            Values::Date => to == "date",
            Values::Timestamp => matches!(to, "timestamp" | "timestamp without time zone"),
            Values::Same(data_type) => {
                let own =
                    data_type.user_type.as_ref().map_or(data_type.text.as_str(), |name| name.name.as_str());
                let last = to.rsplit('.').next().unwrap_or(to).trim_matches('"');
                last.eq_ignore_ascii_case(own) || (data_type.kind == TypeKind::Char && to == "bpchar")
            }
        }
    }

    /// The value of a constant; `None` when it is none, or stands for another one at another time or in another place.
    fn value(self, expr: &Expr) -> Option<Value> {
        let (constant, to) = match expr {
            Expr::Cast { operand, to } => (operand.as_ref(), Some(to.as_str())),
            other => (other, None),
        };
        let (text, quoted, to) = match constant {
            Expr::Literal(Literal::Number(text)) => (text.as_str(), false, to),
            Expr::Literal(Literal::String(text)) => (text.as_str(), true, to),
            Expr::Literal(Literal::Null) => return Some(Value::Null),
            Expr::Literal(Literal::Other(typed)) if to.is_none() => {
                let (to, text) = typed.split_once('\'')?;
                (text.strip_suffix('\'')?, true, Some(to.trim()))
            }
            _ => return None,
        };
        if !to.is_none_or(|to| self.take(&to.to_ascii_lowercase())) {
            return None;
        }
        match self {
            Values::Integer => {
                let number: i64 = text.parse().ok()?;
                Some(Value::Number(i128::from(number) * 10_i128.pow(DIGITS as u32)))
            }
            Values::Decimal(_) => decimal(text).map(Value::Number),
            Values::Date => (quoted && is_date(text)).then(|| Value::Text(text.to_owned())),
            Values::Timestamp => quoted.then(|| timestamp(text)).flatten().map(Value::Text),
            Values::Text | Values::Same(_) => quoted.then(|| Value::Text(text.to_owned())),
        }
    }
}

/// A value in a form in which greater ones compare greater.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum Value {
    Null,
    /// In units of the last digit that is kept.
    Number(i128),
    Text(String),
    /// Something that is not compared, as written.
    Written(String),
}

fn decimal(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || whole.len() > 20 || fraction.len() > DIGITS {
        return None;
    }
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    format!("{whole}{fraction:0<DIGITS$}").parse::<i128>().ok().map(|number| sign * number)
}

/// `2024-01-31`: the form that every setting of the session reads the same.
fn is_date(text: &str) -> bool {
    is_like(text, "0000-00-00")
}

/// A date and time in full; fractions of seconds are left out, since a column may round them.
fn timestamp(text: &str) -> Option<String> {
    if is_date(text) {
        return Some(format!("{text} 00:00:00"));
    }
    // The server reads `24:00:00` as the next day.
    let is_time = is_like(text, "0000-00-00 00:00:00") && text.get(11..13).is_some_and(|hour| hour < "24");
    let seconds = text.get(17..19).is_some_and(|seconds| seconds < "60");
    (is_time && seconds).then(|| text.to_owned())
}

/// Whether a text has digits where the form has zeros, and is the form elsewhere.
fn is_like(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
}

/// What a partition holds, as far as it can be compared.
pub(super) enum Bound {
    Default,
    /// From a value to one that is not in it; `None` is without end.
    Range(Option<Value>, Option<Value>),
    /// These values.
    List(Vec<Value>),
    Other,
}

impl Bound {
    /// The bound of a partition of a table with a key; without one, equal texts in lists are all that is known.
    pub(super) fn parse(text: &str, key: Option<&Key<'_>>) -> Bound {
        let values = key.and_then(|key| key.values);
        match Said::of(text) {
            Some(Said::Default) => Bound::Default,
            Some(Said::List(members)) => {
                let member = |text: &&str| values.and_then(|values| bounding(values, text));
                let written = |text: &&str| Value::Written((*text).to_owned());
                Bound::List(
                    members.iter().map(|text| member(text).unwrap_or_else(|| written(text))).collect(),
                )
            }
            Some(Said::Range(from, to)) => {
                let Some(values) = values.filter(|values| values.are_ordered()) else { return Bound::Other };
                let end = |text: &str| match is_endless(text) {
                    true => Some(None),
                    false => bounding(values, text).filter(|value| *value != Value::Null).map(Some),
                };
                end(from).zip(end(to)).map_or(Bound::Other, |(from, to)| Bound::Range(from, to))
            }
            None => Bound::Other,
        }
    }

    /// Whether the server refuses two partitions of one table.
    pub(super) fn overlaps(&self, other: &Bound) -> bool {
        let below = |a: &Option<Value>, b: &Option<Value>| match (a, b) {
            (Some(a), Some(b)) => a < b,
            _ => true,
        };
        match (self, other) {
            (Bound::Default, Bound::Default) => true,
            (Bound::Range(from, to), Bound::Range(other_from, other_to)) => {
                below(from, other_to) && below(other_from, to)
            }
            (Bound::List(values), Bound::List(others)) => values.iter().any(|value| others.contains(value)),
            _ => false,
        }
    }

    /// Whether valid checks of a table say that the keys of all of its rows are null or within.
    pub(super) fn is_proven(&self, table: &Table, key: &Key<'_>) -> bool {
        let Some(values) = key.values else { return false };
        let mut terms = Vec::new();
        for term in promises(table) {
            read(term, key.column, values, &mut terms);
        }
        match self {
            Bound::Range(from, to) => {
                let above = from.as_ref().is_none_or(|from| {
                    terms.iter().any(|term| {
                        matches!(term, Term::Compared(op, value) if matches!(op.as_str(), ">=" | ">") && value >= from)
                    })
                });
                let below = to.as_ref().is_none_or(|to| {
                    terms.iter().any(|term| match term {
                        Term::Compared(op, value) => (op == "<" && value <= to) || (op == "<=" && value < to),
                        Term::OneOf(_) => false,
                    })
                });
                above && below
            }
            Bound::List(members) if are_looked_at(members) => terms.iter().any(|term| match term {
                Term::Compared(op, value) => op == "=" && members.contains(value),
                Term::OneOf(found) => {
                    found.len() <= LONGEST_LIST && found.iter().all(|value| members.contains(value))
                }
            }),
            _ => false,
        }
    }

    /// Whether valid checks of a table say that no key of its rows is within.
    pub(super) fn is_excluded(&self, table: &Table, key: &Key<'_>) -> bool {
        match self {
            Bound::List(members) if !are_looked_at(members) => return false,
            Bound::Default | Bound::Other => return false,
            _ => {}
        }
        key.values
            .is_some_and(|values| promises(table).any(|term| self.is_excluded_by(term, key.column, values)))
    }

    fn is_excluded_by(&self, term: &Expr, column: &Name, values: Values<'_>) -> bool {
        match term {
            Expr::Binary { op, left, right } if op == "OR" => {
                [left, right].iter().all(|side| self.is_excluded_by(side, column, values))
            }
            Expr::Binary { op, left, right } if op == "AND" => {
                [left, right].iter().any(|side| self.is_excluded_by(side, column, values))
            }
            Expr::IsNull { operand, negated: false } => is_column(operand, column, values),
            Expr::Binary { op, left, right } if is_column(left, column, values) => {
                let Some(value) = values.value(right).filter(|value| *value != Value::Null) else {
                    return false;
                };
                match (self, op.as_str()) {
                    (Bound::Range(from, _), "<") => from.as_ref().is_some_and(|from| value <= *from),
                    (Bound::Range(from, _), "<=") => from.as_ref().is_some_and(|from| value < *from),
                    (Bound::Range(_, to), ">" | ">=") => to.as_ref().is_some_and(|to| value >= *to),
                    (Bound::List(members), "<>" | "!=") => *members == [value],
                    _ => false,
                }
            }
            Expr::InList { operand, list, negated: true } if is_column(operand, column, values) => {
                let Bound::List(members) = self else { return false };
                let others = listed(list, values);
                others.is_some_and(|others| members.iter().all(|member| others.contains(member)))
            }
            _ => false,
        }
    }
}

/// Whether the server looks at each of the values: all are compared, none is null, and they are few.
fn are_looked_at(members: &[Value]) -> bool {
    members.len() <= LONGEST_LIST
        && !members.iter().any(|value| matches!(value, Value::Null | Value::Written(_)))
}

/// What holds of the key of every row.
enum Term {
    /// The operator in between.
    Compared(String, Value),
    OneOf(Vec<Value>),
}

/// The terms that hold for every row of a table, nulls aside.
fn promises(table: &Table) -> impl Iterator<Item = &Expr> {
    let checks = table.checks.iter().filter(|check| check.validated && check.enforced);
    checks.filter_map(|check: &Check| check.expression.tree.as_deref()).flat_map(Expr::conjuncts)
}

fn read(term: &Expr, column: &Name, values: Values<'_>, terms: &mut Vec<Term>) {
    let mut compared = |op: &str, value: &Expr| {
        let value = values.value(value).filter(|value| *value != Value::Null);
        terms.extend(value.map(|value| Term::Compared(op.to_owned(), value)));
    };
    match term {
        Expr::Binary { op, left, right } if is_column(left, column, values) => compared(op, right),
        Expr::Between { operand, low, high, negated: false } if is_column(operand, column, values) => {
            compared(">=", low);
            compared("<=", high);
        }
        Expr::InList { operand, list, negated: false } if is_column(operand, column, values) => {
            terms.extend(listed(list, values).map(Term::OneOf));
        }
        _ => {}
    }
}

/// The members of a list, when the server looks at each of them.
fn listed(list: &[Expr], values: Values<'_>) -> Option<Vec<Value>> {
    if list.len() > LONGEST_LIST {
        return None;
    }
    // A text of digits may be a member of an array of another type, and an array of texts converts a `char` column.
    let is_plain = |expr: &Expr| match values {
        Values::Integer | Values::Decimal(_) => !matches!(expr, Expr::Literal(Literal::String(_))),
        Values::Same(data_type) if data_type.kind == TypeKind::Char => matches!(expr, Expr::Cast { .. }),
        _ => true,
    };
    let members =
        list.iter().map(|expr| values.value(expr).filter(|value| is_plain(expr) && *value != Value::Null));
    members.collect()
}

/// Whether an expression is the column as it is; a `varchar` that is shown as `text` is.
fn is_column(expr: &Expr, column: &Name, values: Values<'_>) -> bool {
    match expr {
        Expr::Column { name, .. } => name == column,
        Expr::Cast { operand, to } if matches!(values, Values::Text) && to == "text" => {
            matches!(operand.as_ref(), Expr::Column { name, .. } if name == column)
        }
        _ => false,
    }
}

/// A bound by its words.
enum Said<'t> {
    Default,
    /// The texts of one value each; of several in each end nothing is compared.
    Range(&'t str, &'t str),
    List(Vec<&'t str>),
}

impl<'t> Said<'t> {
    fn of(text: &'t str) -> Option<Said<'t>> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("default") {
            return Some(Said::Default);
        }
        let open = text.find('(')?;
        let head = text[..open].to_ascii_lowercase();
        let (first, rest) = members(&text[open..])?;
        match head.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["for", "values", "in"] => Some(Said::List(first)),
            ["for", "values", "from"] => {
                let rest = rest.trim_start();
                let is_to = rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("to"));
                let (second, _) = members(rest.get(2..).filter(|_| is_to)?.trim_start())?;
                match (first.as_slice(), second.as_slice()) {
                    ([from], [to]) => Some(Said::Range(from, to)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The members of the list in parentheses that a text begins with, and the text after it.
fn members(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut found, mut depth, mut start, mut is_quoted) = (Vec::new(), 0usize, 1, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' => depth += 1,
            ')' | ']' if depth == 1 => {
                found.push(text[start..at].trim());
                return Some((found, &text[at + 1..]));
            }
            ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 1 => {
                found.push(text[start..at].trim());
                start = at + 1;
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn is_endless(text: &str) -> bool {
    text.eq_ignore_ascii_case("minvalue") || text.eq_ignore_ascii_case("maxvalue")
}

/// A value of a bound, which becomes one of the column's type: none that this would round.
fn bounding(values: Values<'_>, text: &str) -> Option<Value> {
    let tree = expression::expression(text)?;
    let value = values.value(&tree)?;
    match (values, &value) {
        (Values::Decimal(Some(scale)), Value::Number(number)) => {
            let unit = 10_i128.pow(DIGITS.checked_sub(scale)? as u32);
            (number % unit == 0).then_some(value)
        }
        _ => Some(value),
    }
}

/// See [`crate::effects::partition_checks`].
pub(crate) fn checks(catalog: &Catalog, table: &QualifiedName, bound: &str) -> Option<PartitionChecks> {
    let table = catalog.table(table)?;
    let key = Key::of(catalog, table)?;
    let values = key.values?;
    let column = quote::identifier(key.column.as_str());
    let (within, outside, samples) = match (Bound::parse(bound, Some(&key)), Said::of(bound)?) {
        (Bound::Range(..), Said::Range(from, to)) => {
            let ends = [(from, ">=", "<"), (to, "<", ">=")];
            let ends = || ends.iter().filter(|(text, ..)| !is_endless(text));
            let terms = |op: fn(&(&str, &'static str, &'static str)) -> &'static str, between: &str| {
                let terms: Vec<String> =
                    ends().map(|end| format!("{column} {} {}", op(end), end.0)).collect();
                terms.join(between)
            };
            let samples = if is_endless(from) { Vec::new() } else { vec![from] };
            (terms(|end| end.1, " AND "), terms(|end| end.2, " OR "), samples)
        }
        (Bound::List(found), Said::List(members)) if are_looked_at(&found) => {
            let (is, is_not) = match members.as_slice() {
                [member] => (format!("= {member}"), format!("<> {member}")),
                _ => {
                    let is_char =
                        matches!(values, Values::Same(data_type) if data_type.kind == TypeKind::Char);
                    let cast =
                        |text: &&str| if is_char { format!("{text}::bpchar") } else { (*text).to_owned() };
                    let list = members.iter().map(cast).collect::<Vec<_>>().join(", ");
                    (format!("IN ({list})"), format!("NOT IN ({list})"))
                }
            };
            (format!("{column} {is}"), format!("{column} {is_not}"), members)
        }
        _ => return None,
    };
    let parsed = |text: String| {
        let tree = expression::expression(&text)?;
        Some(Expression::parsed(text, tree))
    };
    let text_of = |text: &str| match expression::expression(text)?.without_casts() {
        Expr::Literal(Literal::Number(text) | Literal::String(text)) => Some(text.clone()),
        _ => None,
    };
    Some(PartitionChecks {
        column: key.column.clone(),
        within: parsed(within)?,
        outside: parsed(outside)?,
        samples: samples.into_iter().filter_map(text_of).collect(),
    })
}

#[cfg(test)]
mod tests {
    use dbwright_model::engine::{Dialect, Engine};

    use crate::effects::{Circumstances, of_statement};
    use crate::fold::Folder;

    /// Whether a table with a check is attached without a scan.
    fn check(strategy: &str, data_type: &str, check: &str, bound: &str, spared: bool) {
        let setup = format!(
            "create table parent (k {data_type} not null) partition by {strategy} (k);
             create table child (k {data_type} not null, check ({check}))"
        );
        let mut folder = Folder::new(Engine::Postgres);
        for statement in crate::split(Dialect::Postgres, &setup) {
            for change in crate::parse_statement(Dialect::Postgres, statement.text) {
                folder.apply(&change);
            }
        }
        let attach = format!("alter table parent attach partition child for values {bound}");
        let changes = crate::parse_statement(Dialect::Postgres, &attach);
        let effects =
            of_statement(&folder, &Circumstances { known: true, ..Circumstances::default() }, &changes);
        assert_eq!(effects.blocking().next().is_none(), spared, "{data_type}: {check}: {bound}");
    }

    #[test]
    fn what_a_check_leaves_open_is_scanned() {
        let days = "from ('2025-01-01') to ('2025-01-03')";
        check("range", "date", "k >= '2025-01-01' and k < '2025-01-03'", days, true);
        check("range", "date", "k >= '2025-01-01' and k < '3 Jan 2025'", days, false);
        check("range", "date", "k >= '2025-01-01 12:00:00' and k < '2025-01-03'", days, false);
        check(
            "range",
            "date",
            "k >= '2025-01-01' and k < '2025-01-03'",
            "from (current_date) to ('2025-01-03')",
            false,
        );
        check("range", "timestamp", "k >= '2025-01-01' and k < '2025-01-02 24:00:00'", days, false);
        check("range", "timestamp", "k >= '2025-01-01' and k < '2025-01-03'::timestamptz", days, false);
        check("range", "timestamptz", "k >= '2025-01-01' and k < '2025-01-03'", days, false);
        check("range", "text", "k >= '2025-01-01' and k < '2025-01-03'", days, false);
        check("range", "int", "k >= 1 and k < 10", "from (1) to (9.5)", false);
        check("range", "numeric(8,2)", "k >= 1.25 and k < 9.505", "from (1.25) to (9.505)", false);
        check("range", "numeric", "k >= -1.25 and k < 9.505", "from (-1.250) to (9.505)", true);
        check("range", "int", "k >= 1 or k < 10", "from (1) to (10)", false);
        check("list", "int", "k = any (array[1, 2]::numeric[])", "in (1, 2)", false);
        check("list", "int", "k = any (array[1, 2]::bigint[])", "in (1, 2)", true);
        check("list", "text", "k not in ('a')", "in ('a')", false);
        check("list", "text", "k in ('a', null)", "in ('a', 'b')", false);
        check("list", "text", "k in ('a,b', 'it''s (')", "in ('it''s (', 'a,b')", true);
        check("list", "text", "k = any (array['a'::character varying, 'b']::text[])", "in ('a', 'b')", true);
        check("list", "char(3)", "k in ('a'::bpchar, 'b'::bpchar)", "in ('a', 'b')", true);
        check("list", "char(1)", "k = 'a'::text", "in ('a')", false);
    }
}
