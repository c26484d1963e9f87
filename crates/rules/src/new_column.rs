//! Why adding a column writes every row anew.

use dbwright_model::catalog::Column;
use dbwright_model::effect::{Cost, RelationEffect};
use dbwright_model::expression::Expr;
use dbwright_model::name::QualifiedName;

use crate::lint::Judged;

/// What the server has to write into every row that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// A number of its own: `serial` or an identity column.
    Numbered,
    /// The result of an expression that is stored.
    Stored,
    /// A default that is another value each time.
    Volatile,
    /// Values of a domain whose constraints are checked row by row.
    Domain,
}

/// Functions that give all rows of a statement one value. They only tell apart several columns that one statement adds:
/// that a row is written anew is an effect of the statement.
const STEADY: &[&str] = &[
    "now",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtime",
    "localtimestamp",
    "transaction_timestamp",
    "statement_timestamp",
    "current_user",
    "session_user",
    "coalesce",
    "lower",
    "upper",
    "to_timestamp",
    "date_trunc",
    "timezone",
    "jsonb_build_object",
    "jsonb_build_array",
    "json_build_object",
    "json_build_array",
];

/// Why a table in use is rewritten for this column: the table's full name, what is done, and the reason. `None` when it
/// is not rewritten, or for something else in the statement.
pub fn filling<'a>(
    judged: &Judged<'a>,
    table: &QualifiedName,
    column: &Column,
) -> Option<(&'a QualifiedName, &'a RelationEffect, Filling)> {
    let (name, effect) = judged.blocking_tree(table)?;
    if effect.cost != Cost::Rewrite {
        return None;
    }
    let filling = if column.auto_increment || column.identity.is_some() {
        Filling::Numbered
    } else if column.generated.as_ref().is_some_and(|generated| generated.stored) {
        Filling::Stored
    } else if may_be_volatile(column) {
        Filling::Volatile
    } else if column.data_type.user_type.is_some() && judged.alone() {
        Filling::Domain
    } else {
        return None;
    };
    Some((name, effect, filling))
}

fn may_be_volatile(column: &Column) -> bool {
    let Some(default) = &column.default else { return false };
    let Some(tree) = default.tree.as_deref() else { return true };
    let mut found = false;
    tree.walk(&mut |expr| {
        if let Expr::Call(call) = expr {
            found |= !STEADY.contains(&call.function());
        }
    });
    found
}
