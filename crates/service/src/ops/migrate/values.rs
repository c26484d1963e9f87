//! Values that a user says for rows which are there: `--value phone=''`.

use dbwright_advise::migrate::Given;
use dbwright_model::change::Change;
use dbwright_model::engine::Dialect;
use dbwright_model::expression::Expression;
use dbwright_model::name::{Name, QualifiedName};

use crate::error::{ErrorKind, ServiceError};

/// The values of a command line, each of which must be for a column that the changes add or make `NOT NULL`.
pub(super) fn given(texts: &[String], changes: &[Change]) -> Result<Vec<Given>, ServiceError> {
    let wrong = |message: String| {
        ServiceError::new(ErrorKind::Usage, message)
            .hint("a value is said as `--value COLUMN=EXPRESSION`, such as \"phone=''\" or \"users.phone=lower(name)\"")
    };
    let mut all = Vec::new();
    for text in texts {
        let Some((place, value)) = text.split_once('=') else {
            return Err(wrong(format!("`{text}` says no value")));
        };
        let (place, value) = (place.trim(), value.trim());
        if place.is_empty() || value.is_empty() {
            return Err(wrong(format!("`{text}` says no value")));
        }
        let mut parts = place.rsplitn(3, '.').map(Name::new);
        let column = parts.next().unwrap_or_default();
        let table = parts.next().map(|name| match parts.next() {
            Some(schema) => QualifiedName { schema, name },
            None => QualifiedName::bare(&name),
        });
        let given = Given { table, column, value: value.to_owned() };
        if !changes
            .iter()
            .any(|change| place_of(change).is_some_and(|(table, column)| given.is_for(table, column)))
        {
            return Err(wrong(format!("no column `{place}` is added or made `NOT NULL`")));
        }
        all.push(given);
    }
    Ok(all)
}

/// The column that a change gives rows for the first time, or demands a value of.
fn place_of(change: &Change) -> Option<(&QualifiedName, &Name)> {
    match change {
        Change::AddColumn { table, column, .. } => Some((table, &column.name)),
        Change::SetNotNull { table, column, not_null: true, .. } => Some((table, column)),
        _ => None,
    }
}

/// The changes in the form that gives a new column its value at once, in which they can be carried out on rows. A default
/// of PostgreSQL cannot speak of other columns; what does stays as it is.
pub(super) fn spelled(dialect: Dialect, changes: &[Change], given: &[Given]) -> Vec<Change> {
    let mut all = Vec::new();
    for change in changes {
        match change {
            Change::AddColumn { table, column, alter, .. } if column.not_null && column.default.is_none() => {
                let value = given
                    .iter()
                    .find(|given| given.is_for(table, &column.name))
                    .filter(|given| dialect == Dialect::Sqlite || is_constant(dialect, &given.value));
                let mut added = change.clone();
                let Some(value) = value else {
                    all.push(added);
                    continue;
                };
                if let Change::AddColumn { column, .. } = &mut added {
                    column.default = Some(Expression::text(format!("({})", value.value)));
                }
                all.push(added);
                all.push(Change::SetDefault {
                    table: table.clone(),
                    column: column.name.clone(),
                    default: None,
                    alter: alter.clone(),
                });
            }
            _ => all.push(change.clone()),
        }
    }
    all
}

/// Whether an expression is known to speak of no column.
fn is_constant(dialect: Dialect, value: &str) -> bool {
    let changes =
        dbwright_sql::parse_statement(dialect, &format!("ALTER TABLE t ALTER c SET DEFAULT ({value})"));
    let [Change::SetDefault { default: Some(default), .. }] = changes.as_slice() else { return false };
    default.tree.as_ref().is_some_and(|tree| tree.columns().is_empty())
}
