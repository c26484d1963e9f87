//! What an expression comes to where that is the same for every row: as far as all engines agree, and no further.

use dbwright_model::catalog::Column;
use dbwright_model::data_type::TypeKind;
use dbwright_model::effect::Demand;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::{Expr, Expression, Literal};
use dbwright_model::name::{Name, QualifiedName};

/// Digits after the point that numbers are compared with.
const DIGITS: usize = 12;
/// How deep an expression may be nested to be worked out.
const DEEPEST: usize = 64;

/// A value that is the same for every row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// No value.
    Null,
    /// A truth value, of PostgreSQL alone: elsewhere it is a number.
    Bool(bool),
    /// A number, in units of the last digit after the point.
    Number(i128),
    /// A text.
    Text(String),
    /// A constant that is not null and of which no more is known.
    Something,
}

/// What is known while an expression is worked out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constants<'a> {
    /// The dialect, whose truth values and texts compare in their own ways.
    dialect: Dialect,
    /// A column that has the same value in every row.
    column: Option<(&'a Name, &'a Value)>,
}

impl<'a> Constants<'a> {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Constants { dialect, column: None }
    }

    /// The same, while a column is known to have a value.
    pub(crate) fn with(dialect: Dialect, column: &'a Name, value: &'a Value) -> Self {
        Constants { dialect, column: Some((column, value)) }
    }

    /// The value of an expression; `None` when it is not known, or not the same for every row.
    pub(crate) fn value(&self, expr: &Expr) -> Option<Value> {
        self.at(expr, DEEPEST)
    }

    /// Whether a condition is known: `Some(None)` is neither true nor false.
    pub(crate) fn truth(&self, expr: &Expr) -> Option<Option<bool>> {
        self.truth_of(&self.value(expr)?)
    }

    /// Whether `CASE` takes the branch of a condition, or of a value that it compares with; null takes none.
    pub(crate) fn chooses(&self, operand: Option<&Expr>, when: &Expr) -> Option<bool> {
        let truth = match operand {
            None => self.truth(when)?,
            Some(operand) => {
                let same = self.compared("=", self.value(operand), self.value(when))?;
                self.truth_of(&same)?
            }
        };
        Some(truth == Some(true))
    }

    fn truth_of(&self, value: &Value) -> Option<Option<bool>> {
        match value {
            Value::Null => Some(None),
            Value::Bool(truth) => Some(Some(*truth)),
            Value::Number(number) if self.dialect != Dialect::Postgres => Some(Some(*number != 0)),
            _ => None,
        }
    }

    fn of_truth(&self, truth: Option<bool>) -> Value {
        match truth {
            None => Value::Null,
            Some(truth) if self.dialect == Dialect::Postgres => Value::Bool(truth),
            Some(truth) => Value::Number(if truth { 10_i128.pow(DIGITS as u32) } else { 0 }),
        }
    }

    fn at(&self, expr: &Expr, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let value = |expr: &Expr| self.at(expr, depth);
        let truth = |expr: &Expr| self.truth_of(&self.at(expr, depth)?);
        let negate = |truth: Option<bool>, negated: bool| truth.map(|truth| truth != negated);
        match expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Column { name, .. } => {
                let (known, value) = self.column?;
                let same = match self.dialect {
                    Dialect::Postgres => known == name,
                    _ => known.eq_ignore_case(name.as_str()),
                };
                same.then(|| value.clone())
            }
            Expr::Unary { op, operand } if op == "NOT" => {
                truth(operand).map(|truth| self.of_truth(negate(truth, true)))
            }
            Expr::Unary { op, operand } => match (op.as_str(), value(operand)?) {
                (_, Value::Null) => Some(Value::Null),
                ("-", Value::Number(number)) => Some(Value::Number(-number)),
                ("+", Value::Number(number)) => Some(Value::Number(number)),
                _ => None,
            },
            Expr::Binary { op, left, right } => match op.as_str() {
                "AND" | "OR" => {
                    // One side alone decides where it is what the word looks for.
                    let decides = op == "OR";
                    let (left, right) = (truth(left), truth(right));
                    if left == Some(Some(decides)) || right == Some(Some(decides)) {
                        return Some(self.of_truth(Some(decides)));
                    }
                    let both = left?.zip(right?);
                    Some(self.of_truth(both.map(|_| !decides)))
                }
                "IS DISTINCT FROM" | "IS NOT DISTINCT FROM" => {
                    let same = match (value(left)?, value(right)?) {
                        (Value::Null, Value::Null) => true,
                        (Value::Null, _) | (_, Value::Null) => false,
                        (left, right) => self.compare("=", &left, &right)?,
                    };
                    Some(self.of_truth(Some(same != (op == "IS DISTINCT FROM"))))
                }
                op @ ("=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => {
                    self.compared(op, value(left), value(right))
                }
                _ => None,
            },
            Expr::IsNull { operand, negated } => {
                Some(self.of_truth(Some((value(operand)? == Value::Null) != *negated)))
            }
            Expr::IsTruth { operand, value, negated } => {
                Some(self.of_truth(Some((truth(operand)? == *value) != *negated)))
            }
            Expr::InList { operand, list, negated } => {
                let operand = value(operand)?;
                let mut unknown = false;
                let mut found = Some(false);
                for member in list {
                    let one = self.compared("=", Some(operand.clone()), value(member));
                    match one.and_then(|one| self.truth_of(&one)) {
                        Some(Some(true)) => return Some(self.of_truth(Some(!*negated))),
                        Some(Some(false)) => {}
                        Some(None) => found = None,
                        None => unknown = true,
                    }
                }
                (!unknown).then(|| self.of_truth(negate(found, *negated)))
            }
            Expr::Between { operand, low, high, negated } => {
                let operand = value(operand);
                let above = self.compared(">=", operand.clone(), value(low));
                let below = self.compared("<=", operand, value(high));
                let truth = |side: Option<Value>| side.and_then(|side| self.truth_of(&side));
                let within = match (truth(above), truth(below)) {
                    (Some(Some(false)), _) | (_, Some(Some(false))) => Some(false),
                    (above, below) => above?.zip(below?).map(|_| true),
                };
                Some(self.of_truth(negate(within, *negated)))
            }
            Expr::Case { operand, branches, otherwise } => {
                for (when, then) in branches {
                    let taken = match operand {
                        None => truth(when)?,
                        Some(operand) => {
                            let same = self.compared("=", value(operand), value(when))?;
                            self.truth_of(&same)?
                        }
                    };
                    if taken == Some(true) {
                        return value(then);
                    }
                }
                otherwise.as_deref().map_or(Some(Value::Null), value)
            }
            Expr::Call(call) if call.function() == "coalesce" && call.name.len() == 1 => {
                for argument in &call.args {
                    match value(argument)? {
                        Value::Null => {}
                        found => return Some(found),
                    }
                }
                Some(Value::Null)
            }
            Expr::Cast { operand, to } => self.cast(value(operand)?, to, operand),
            _ => None,
        }
    }

    fn literal(&self, literal: &Literal) -> Option<Value> {
        match literal {
            Literal::Null => Some(Value::Null),
            Literal::Bool(truth) => Some(self.of_truth(Some(*truth))),
            Literal::Number(text) => Some(number(text).map_or(Value::Something, Value::Number)),
            Literal::String(text) => Some(Value::Text(text.clone())),
            Literal::DoubleQuoted(_) => None,
            Literal::Other(_) => Some(Value::Something),
        }
    }

    /// A constant in another type. Of a value that may come out as another one only that it is one is known.
    fn cast(&self, value: Value, to: &str, operand: &Expr) -> Option<Value> {
        if self.dialect != Dialect::Postgres {
            return None;
        }
        let to = crate::postgres::types::data_type(to);
        // Conversions of one's own may do anything, and checks of a domain are not worked out beforehand.
        if to.user_type.is_some() || to.array {
            return None;
        }
        let whole = matches!(to.kind, TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt);
        Some(match value {
            Value::Null => Value::Null,
            Value::Bool(truth) if to.kind == TypeKind::Boolean => Value::Bool(truth),
            Value::Number(number) if whole && is_whole(number) => Value::Number(number),
            Value::Number(number) if to.kind == TypeKind::Decimal && to.length.is_none() => {
                Value::Number(number)
            }
            Value::Text(text)
                if matches!(to.kind, TypeKind::Text | TypeKind::Varchar) && to.length.is_none() =>
            {
                Value::Text(text)
            }
            Value::Text(text) if whole => {
                number(text.trim()).filter(|number| is_whole(*number)).map_or(Value::Something, Value::Number)
            }
            // What depends on the session, as times do, is worked out beforehand only where it is written as a constant.
            _ if matches!(operand, Expr::Literal(_)) || !is_of_the_session(to.kind) => Value::Something,
            _ => return None,
        })
    }

    /// A comparison; one with null is null, whatever the other side is.
    fn compared(&self, op: &str, left: Option<Value>, right: Option<Value>) -> Option<Value> {
        if left == Some(Value::Null) || right == Some(Value::Null) {
            return Some(Value::Null);
        }
        Some(self.of_truth(Some(self.compare(op, &left?, &right?)?)))
    }

    fn compare(&self, op: &str, left: &Value, right: &Value) -> Option<bool> {
        let order = match (left, right) {
            (Value::Number(left), Value::Number(right)) => left.cmp(right),
            (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
            // How texts are ordered, and in MySQL which are equal, is a matter of their collation.
            (Value::Text(left), Value::Text(right)) => {
                let equal = left == right;
                let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
                let surely_other = match self.dialect {
                    Dialect::Mysql => plain(left) && plain(right) && !left.eq_ignore_ascii_case(right),
                    _ => !equal,
                };
                return match op {
                    "=" | "==" | "<=" | ">=" if equal => Some(true),
                    "<>" | "!=" | "<" | ">" if equal => Some(false),
                    "=" | "==" if surely_other => Some(false),
                    "<>" | "!=" if surely_other => Some(true),
                    _ => None,
                };
            }
            _ => return None,
        };
        Some(match op {
            "=" | "==" => order.is_eq(),
            "<>" | "!=" => order.is_ne(),
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            ">=" => order.is_ge(),
            _ => return None,
        })
    }
}

/// Whether conversions to and from a type depend on settings of the session.
fn is_of_the_session(kind: TypeKind) -> bool {
    use TypeKind::*;
    !matches!(kind, Boolean | SmallInt | Integer | BigInt | Decimal | Real | Double)
}

fn is_whole(number: i128) -> bool {
    number % 10_i128.pow(DIGITS as u32) == 0
}

fn number(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let short = whole.len() <= 20 && fraction.len() <= DIGITS;
    if !plain(whole) || !plain(fraction) || !short || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    format!("{whole}{fraction:0<DIGITS$}").parse::<i128>().ok().map(|number| sign * number)
}

/// What a check demands where the value that the rows get in a new column, its constant default or null, breaks it.
pub(crate) fn demand_of_default(
    dialect: Dialect,
    table: &QualifiedName,
    column: &Column,
    check: &Expression,
) -> Option<Demand> {
    let value = value_in_rows(dialect, column)?;
    let constants = Constants::with(dialect, &column.name, &value);
    let broken = constants.truth(check.tree.as_deref()?)? == Some(false);
    let condition = check.text.clone();
    broken.then(|| Demand::DefaultFits { table: table.clone(), column: column.name.clone(), condition })
}

/// What the rows that are there hold in a new column, as far as its type leaves a default as it is.
fn value_in_rows(dialect: Dialect, column: &Column) -> Option<Value> {
    let data_type = &column.data_type;
    let computed = column.identity.is_some() || column.auto_increment || column.generated.is_some();
    if computed || column.collation.is_some() || data_type.array || data_type.user_type.is_some() {
        return None;
    }
    let Some(default) = &column.default else {
        // MySQL makes up a value where none may lack, and its first timestamp has one by itself.
        let made_up = dialect == Dialect::Mysql && (column.not_null || matches!(data_type.kind, TimestampTz));
        return (!made_up).then_some(Value::Null);
    };
    let value = Constants::new(dialect).value(default.tree.as_deref()?)?;
    use TypeKind::*;
    let fits = match &value {
        Value::Null => true,
        Value::Bool(_) => data_type.kind == Boolean,
        Value::Number(number) => {
            let most = match data_type.kind {
                TinyInt => 127,
                SmallInt => i128::from(i16::MAX),
                _ => 1_000_000,
            };
            let small =
                number.abs() <= most * 10_i128.pow(DIGITS as u32) && (!data_type.unsigned || *number >= 0);
            let exact = match data_type.kind {
                TinyInt | SmallInt | MediumInt | Integer | BigInt | Real | Double => is_whole(*number),
                Boolean => dialect != Dialect::Postgres && is_whole(*number),
                Decimal => is_whole(*number) && data_type.scale.is_none_or(|scale| scale >= 0),
                Untyped => true,
                _ => false,
            };
            small && exact
        }
        Value::Text(text) => {
            let long = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            matches!(data_type.kind, Text | Varchar) && data_type.length.is_none_or(|most| long <= most)
        }
        Value::Something => false,
    };
    fits.then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, condition: &str, expected: Option<Option<bool>>) {
        let tree = crate::parse_expression(dialect, condition).expect("the example is an expression");
        let (column, value) = (Name::new("z"), Value::Number(0));
        let found = Constants::with(dialect, &column, &value).truth(&tree);
        assert_eq!(found, expected, "{condition} in {dialect:?}");
    }

    #[test]
    fn conditions_are_worked_out_as_far_as_all_agree() {
        for dialect in [Dialect::Postgres, Dialect::Mysql, Dialect::Sqlite] {
            for (condition, expected) in [
                ("z > 0", Some(Some(false))),
                ("z >= 0", Some(Some(true))),
                ("z > -1 AND z < 0.5", Some(Some(true))),
                ("z > 0 AND a > 0", Some(Some(false))),
                ("z > 0 OR a > 0", None),
                ("z = 0 OR a > 0", Some(Some(true))),
                ("z IN (1, 2)", Some(Some(false))),
                ("z NOT IN (1, 2)", Some(Some(true))),
                ("z IN (1, a)", None),
                ("z NOT IN (1, NULL)", Some(None)),
                ("z BETWEEN 1 AND 5", Some(Some(false))),
                ("z BETWEEN 1 AND a", Some(Some(false))),
                ("z NOT BETWEEN 1 AND 5", Some(Some(true))),
                ("z IS NULL", Some(Some(false))),
                ("z IS NOT NULL", Some(Some(true))),
                ("NOT (z = 0)", Some(Some(false))),
                ("z = NULL", Some(None)),
                ("a > 0", None),
                ("abs(z) > 0", None),
                ("z + 1 > 0", None),
                ("z = 'a'", None),
                ("'a' = 'b'", Some(Some(false))),
                ("'a' < 'b'", None),
                ("CASE WHEN z = 0 THEN z > 0 ELSE a > 0 END", Some(Some(false))),
            ] {
                check(dialect, condition, expected);
            }
        }
        check(Dialect::Mysql, "'a' = 'A'", None);
        check(Dialect::Sqlite, "'a' = 'A'", Some(Some(false)));
        check(Dialect::Sqlite, "z", Some(Some(false)));
        check(Dialect::Postgres, "z::numeric > 0::bigint", Some(Some(false)));
    }
}
