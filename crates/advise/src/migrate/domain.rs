//! Rules of a domain: the server looks at every value of every column of it while nobody writes, and has no way around that.

use dbwright_model::catalog::UserTypeKind;
use dbwright_model::change::Change;
use dbwright_model::name::{Name, QualifiedName};

use super::builder::{Builder, full_name};
use super::{Refusal, as_it_is};

/// Columns that are named in the advice.
const NAMED: usize = 3;

/// A rule of a domain that no table has values of, or that old values are not held against, is brief. What else there is
/// would end in other tables than those that were asked for, so that it is said and not done.
pub(super) fn plan(builder: &mut Builder<'_>, change: &Change) -> Result<(), Refusal> {
    let effects = builder.effects(change);
    let scanned: Vec<&QualifiedName> = effects.blocking().map(|effect| &effect.relation).collect();
    if scanned.is_empty() || effects.refused.is_some() {
        return as_it_is(builder, change);
    }
    let (domain, rule) = match change {
        Change::AddDomainCheck { name, check } => (name, Rule::Check(check.expression.text.clone())),
        Change::SetDomainNotNull { name, .. } => (name, Rule::NotNull),
        Change::ValidateDomainConstraint { name, constraint } => (name, Rule::Added(constraint.clone())),
        _ => return as_it_is(builder, change),
    };
    let full = full_name(domain);
    let rule = match rule {
        Rule::Added(constraint) => {
            let user_type = builder.catalog.types.iter().find(|user_type| user_type.name == full);
            let check = user_type.and_then(|user_type| match &user_type.kind {
                UserTypeKind::Domain { checks, .. } => {
                    checks.iter().find(|check| check.name.as_ref() == Some(&constraint))
                }
                _ => None,
            });
            check.map_or(Rule::Added(constraint), |check| Rule::Check(check.expression.text.clone()))
        }
        other => other,
    };
    let tables: Vec<String> = scanned.iter().map(|name| format!("`{name}`")).collect();
    let keep = match change {
        Change::SetDomainNotNull { .. } => "leave the domain as it is",
        Change::ValidateDomainConstraint { .. } => {
            "leave the constraint of the domain `NOT VALID`, which holds for new values"
        }
        _ => {
            "add it to the domain `NOT VALID`, which holds for new values at once, or leave the domain as it is"
        }
    };
    let ways = ways(builder, &full, &rule);
    Err(format!(
        "it reads the rows of {} while nobody can write them, also by a later `VALIDATE`: {keep}, and give the columns the rule, which is planned without a wait: {ways}",
        tables.join(", ")
    ))
}

enum Rule {
    Check(String),
    NotNull,
    Added(Name),
}

/// The statements that say the rule of each column.
fn ways(builder: &Builder<'_>, domain: &QualifiedName, rule: &Rule) -> String {
    let mut ways = Vec::new();
    for table in &builder.catalog.tables {
        for column in &table.columns {
            if column.data_type.user_type.as_ref().map(full_name).as_ref() != Some(domain) {
                continue;
            }
            let (table, column) = (builder.quoted_name(&table.name), builder.quoted(&column.name));
            ways.push(match rule {
                Rule::NotNull => format!("`ALTER TABLE {table} ALTER {column} SET NOT NULL`"),
                Rule::Check(text) => match of_column(text, &column) {
                    Some(text) => format!("`ALTER TABLE {table} ADD CHECK ({text})`"),
                    None => format!("the check on `{column}` of `{table}`"),
                },
                Rule::Added(name) => format!("the check `{name}` on `{column}` of `{table}`"),
            });
        }
    }
    let more = ways.len().saturating_sub(NAMED);
    ways.truncate(NAMED);
    if ways.is_empty() {
        return "those of the domains over it".to_owned();
    }
    let and_more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{and_more}", ways.join(", "))
}

/// The check of a domain with a column in the place of `VALUE`; `None` where a constant may hold that word.
fn of_column(text: &str, column: &str) -> Option<String> {
    const VALUE: &str = "value";
    if text.contains(['\'', '"', '$']) {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let lower = text.to_ascii_lowercase();
    let (mut made, mut done) = (String::new(), 0);
    for (at, _) in lower.match_indices(VALUE) {
        let end = at + VALUE.len();
        let inside = lower[..at].chars().next_back().is_some_and(is_part)
            || lower[end..].chars().next().is_some_and(is_part);
        if !inside {
            made.push_str(&text[done..at]);
            made.push_str(column);
            done = end;
        }
    }
    made.push_str(&text[done..]);
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::of_column;

    #[test]
    fn the_column_takes_the_place_of_the_value() {
        assert_eq!(
            of_column("VALUE > 0 AND value < values_max()", "a").as_deref(),
            Some("a > 0 AND a < values_max()")
        );
        assert_eq!(of_column("value <> 'value'", "a"), None);
    }
}
