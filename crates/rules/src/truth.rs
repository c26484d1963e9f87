//! Which conditions hold for every row: a small constant folder that knows of `NULL`.

use std::cmp::Ordering;

use dbwright_model::expression::{Expr, Literal};
use dbwright_model::name::Name;

/// A truth value of SQL's three-valued logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// True.
    True,
    /// False.
    False,
    /// Neither.
    Null,
}

/// Functions that are never `NULL` and have one value during a statement.
const CONSTANT_CALLS: &[&str] = &[
    "current_catalog",
    "current_database",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "now",
    "session_user",
    "user",
];

/// The truth value that a condition has for every row; `None` when it depends on the row or cannot be told.
/// `not_null` says of a column whether it never holds `NULL`.
pub fn always(expr: &Expr, not_null: &dyn Fn(&Name) -> bool) -> Option<Truth> {
    match expr {
        Expr::Literal(Literal::Bool(value)) => Some(truth(*value)),
        Expr::Literal(Literal::Null) => Some(Truth::Null),
        Expr::Literal(Literal::Number(number)) => number.parse::<f64>().ok().map(|value| truth(value != 0.0)),
        Expr::Cast { operand, to } => match (operand.as_ref(), to.as_str()) {
            (Expr::Literal(Literal::String(text)), "boolean" | "bool") => word(text),
            _ => always(operand, not_null),
        },
        Expr::Unary { op, operand } if op == "NOT" => always(operand, not_null).map(negate),
        Expr::Binary { op, left, right } => match op.as_str() {
            "AND" => and(always(left, not_null), always(right, not_null)),
            "OR" if opposite(left, right) => Some(Truth::True),
            "OR" => or(always(left, not_null), always(right, not_null)),
            op => comparison(op, left, right, not_null),
        },
        Expr::IsNull { operand, negated } => {
            is_null(operand, not_null).map(|is_null| truth(is_null != *negated))
        }
        Expr::IsTruth { operand, value, negated } => {
            let operand = always(operand, not_null)?;
            let same = match value {
                Some(value) => operand == truth(*value),
                None => operand == Truth::Null,
            };
            Some(truth(same != *negated))
        }
        Expr::InList { operand, list, negated } => {
            let mut whole = Some(Truth::False);
            for member in list {
                whole = or(whole, comparison("=", operand, member, not_null));
            }
            whole.map(|found| if *negated { negate(found) } else { found })
        }
        Expr::Between { operand, low, high, negated } => {
            let within =
                and(comparison(">=", operand, low, not_null), comparison("<=", operand, high, not_null))?;
            Some(if *negated { negate(within) } else { within })
        }
        Expr::Like { op, operand, pattern, negated } if op == "LIKE" || op == "ILIKE" => {
            let anything = matches!(pattern.without_casts(), Expr::Literal(Literal::String(text))
                if !text.is_empty() && text.chars().all(|c| c == '%'));
            (anything && is_null(operand, not_null) == Some(false)).then(|| truth(!*negated))
        }
        _ => None,
    }
}

fn truth(value: bool) -> Truth {
    if value { Truth::True } else { Truth::False }
}

fn negate(value: Truth) -> Truth {
    match value {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Null => Truth::Null,
    }
}

fn word(text: &str) -> Option<Truth> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some(Truth::True),
        "f" | "false" | "n" | "no" | "off" | "0" => Some(Truth::False),
        _ => None,
    }
}

fn and(left: Option<Truth>, right: Option<Truth>) -> Option<Truth> {
    match (left, right) {
        (Some(Truth::False), _) | (_, Some(Truth::False)) => Some(Truth::False),
        (Some(Truth::True), other) | (other, Some(Truth::True)) => other,
        (Some(Truth::Null), Some(Truth::Null)) => Some(Truth::Null),
        _ => None,
    }
}

fn or(left: Option<Truth>, right: Option<Truth>) -> Option<Truth> {
    and(left.map(negate), right.map(negate)).map(negate)
}

/// Whether two terms are `x IS NULL` and `x IS NOT NULL` of the same `x`.
fn opposite(left: &Expr, right: &Expr) -> bool {
    matches!((left, right), (Expr::IsNull { operand: a, negated: x }, Expr::IsNull { operand: b, negated: y })
        if x != y && a == b && is_steady(a))
}

/// Whether a value is always or never `NULL`.
fn is_null(expr: &Expr, not_null: &dyn Fn(&Name) -> bool) -> Option<bool> {
    match expr {
        Expr::Literal(Literal::Null) => Some(true),
        Expr::Literal(_) | Expr::Array(_) => Some(false),
        Expr::Column { name, .. } => not_null(name).then_some(false),
        Expr::Call(call) => is_constant_call(call.function()).then_some(false),
        Expr::Cast { operand, .. } => is_null(operand, not_null),
        _ => None,
    }
}

fn is_constant_call(function: &str) -> bool {
    CONSTANT_CALLS.binary_search(&function).is_ok()
}

/// Whether evaluating the expression twice for one row gives one value.
fn is_steady(expr: &Expr) -> bool {
    match expr {
        Expr::Column { .. } | Expr::Literal(_) | Expr::Parameter(_) => true,
        Expr::Call(call) => is_constant_call(call.function()),
        Expr::Cast { operand, .. } => is_steady(operand),
        _ => false,
    }
}

fn comparison(op: &str, left: &Expr, right: &Expr, not_null: &dyn Fn(&Name) -> bool) -> Option<Truth> {
    let same = left == right && is_steady(left);
    match op {
        "IS NOT DISTINCT FROM" | "<=>" if same => return Some(Truth::True),
        "IS DISTINCT FROM" if same => return Some(Truth::False),
        _ => {}
    }
    let (left_null, right_null) = (is_null(left, not_null), is_null(right, not_null));
    if !matches!(op, "=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=") {
        return None;
    }
    if left_null == Some(true) || right_null == Some(true) {
        return Some(Truth::Null);
    }
    if same {
        return (left_null == Some(false)).then(|| truth(matches!(op, "=" | "==" | "<=" | ">=")));
    }
    compare(left.without_casts(), right.without_casts()).and_then(|known| match (op, known) {
        ("=" | "==", Known::Ordered(order)) => Some(truth(order == Ordering::Equal)),
        ("<>" | "!=", Known::Ordered(order)) => Some(truth(order != Ordering::Equal)),
        ("=" | "==", Known::Differ) => Some(Truth::False),
        ("<>" | "!=", Known::Differ) => Some(Truth::True),
        ("<", Known::Ordered(order)) => Some(truth(order == Ordering::Less)),
        ("<=", Known::Ordered(order)) => Some(truth(order != Ordering::Greater)),
        (">", Known::Ordered(order)) => Some(truth(order == Ordering::Greater)),
        (">=", Known::Ordered(order)) => Some(truth(order != Ordering::Less)),
        _ => None,
    })
}

/// What is known of two constants.
enum Known {
    /// Their order.
    Ordered(Ordering),
    /// That they differ, whatever the collation.
    Differ,
}

fn compare(left: &Expr, right: &Expr) -> Option<Known> {
    match (left, right) {
        (Expr::Literal(Literal::Number(a)), Expr::Literal(Literal::Number(b))) => {
            match (a.parse::<i128>(), b.parse::<i128>()) {
                (Ok(a), Ok(b)) => Some(Known::Ordered(a.cmp(&b))),
                _ => a.parse::<f64>().ok()?.partial_cmp(&b.parse().ok()?).map(Known::Ordered),
            }
        }
        (Expr::Literal(Literal::Bool(a)), Expr::Literal(Literal::Bool(b))) => Some(Known::Ordered(a.cmp(b))),
        (Expr::Literal(Literal::String(a)), Expr::Literal(Literal::String(b))) => {
            // Numbers, dates and times in quotes compare as such: `'1' = '01'` may well hold.
            let is_word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
            if a == b {
                Some(Known::Ordered(Ordering::Equal))
            } else if is_word(a) && is_word(b) && !a.trim_end().eq_ignore_ascii_case(b.trim_end()) {
                Some(Known::Differ)
            } else {
                None
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Expr {
        Expr::Literal(Literal::Number(text.to_owned()))
    }

    fn string(text: &str) -> Expr {
        Expr::Literal(Literal::String(text.to_owned()))
    }

    fn binary(op: &str, left: Expr, right: Expr) -> Expr {
        Expr::Binary { op: op.to_owned(), left: Box::new(left), right: Box::new(right) }
    }

    fn check(expr: Expr, expected: Option<Truth>) {
        let found = always(&expr, &|name| *name == "id");
        assert_eq!(found, expected, "{expr:?}");
    }

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(CONSTANT_CALLS.is_sorted());
    }

    #[test]
    fn constants_are_compared() {
        check(binary("=", number("1"), number("1")), Some(Truth::True));
        check(binary(">", number("2"), number("1.5")), Some(Truth::True));
        check(binary("=", string("a"), string("a")), Some(Truth::True));
        check(binary("<>", string("a"), string("b")), Some(Truth::True));
        check(binary("<>", string("a"), string("A")), None);
        check(binary("<>", string("1"), string("01")), None);
        check(binary("<", string("a"), string("b")), None);
        check(binary("=", number("1"), Expr::Literal(Literal::Null)), Some(Truth::Null));
    }

    #[test]
    fn a_column_equals_itself_unless_it_is_null() {
        check(binary("=", Expr::column("id"), Expr::column("id")), Some(Truth::True));
        check(binary("<>", Expr::column("id"), Expr::column("id")), Some(Truth::False));
        check(binary("=", Expr::column("note"), Expr::column("note")), None);
        check(binary("IS NOT DISTINCT FROM", Expr::column("note"), Expr::column("note")), Some(Truth::True));
        check(binary("=", Expr::column("id"), Expr::column("note")), None);
    }

    #[test]
    fn logic_is_three_valued() {
        let (t, f, n) = (
            || Expr::Literal(Literal::Bool(true)),
            || Expr::Literal(Literal::Bool(false)),
            || Expr::Literal(Literal::Null),
        );
        let depends = || binary("=", Expr::column("note"), string("a"));
        check(binary("OR", t(), depends()), Some(Truth::True));
        check(binary("OR", depends(), t()), Some(Truth::True));
        check(binary("OR", f(), depends()), None);
        check(binary("OR", n(), f()), Some(Truth::Null));
        check(binary("AND", depends(), f()), Some(Truth::False));
        check(binary("AND", t(), depends()), None);
        check(binary("AND", n(), t()), Some(Truth::Null));
        check(Expr::Unary { op: "NOT".to_owned(), operand: Box::new(f()) }, Some(Truth::True));
    }

    #[test]
    fn null_tests_know_the_columns() {
        let is_null = |name: &str, negated| Expr::IsNull { operand: Box::new(Expr::column(name)), negated };
        check(is_null("id", true), Some(Truth::True));
        check(is_null("id", false), Some(Truth::False));
        check(is_null("note", true), None);
        check(binary("OR", is_null("note", true), is_null("note", false)), Some(Truth::True));
    }
}
