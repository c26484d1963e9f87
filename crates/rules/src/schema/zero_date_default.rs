use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::default_string;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    engines: Engines::mysql_family("it has no date of zeros"),
    when: "the default of a date or time column is a date of zeros",
    then: "The value is no date: drivers fail on it, other servers refuse it, and the strict modes forbid it.",
    instead: "Make the column nullable and drop the default, or let the default be the current time.",
    source: "MySQL documentation: NO_ZERO_DATE, NO_ZERO_IN_DATE",
    convention: Some("columns of dates and times default to a date of zeros"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        for column in table.columns.iter().filter(|column| column.data_type.kind.is_temporal()) {
            findings.examined(1);
            if !default_string(column).is_some_and(is_zero) {
                continue;
            }
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "The default of `{}.{}` is a date of zeros, which is no date.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Whether the year, the month or the day is zero.
fn is_zero(text: &str) -> bool {
    let date = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    parts.len() == 3 && parts.iter().any(|part| !part.is_empty() && part.bytes().all(|b| b == b'0'))
}
