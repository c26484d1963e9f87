use dbwright_model::catalog::{Column, Table};
use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::charset::{is_narrow, of_collation};
use crate::lexicon::columns::is_code;
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 4,
    engines: Engines::mysql_family("text is Unicode throughout the database"),
    when: "text is kept in a character set that lacks everyday characters",
    then: "Names of other languages and emoji are refused, or stored as question marks where the SQL mode is loose.",
    instead: "Convert the table to `utf8mb4`.",
    source: "MySQL documentation: utf8mb3 is deprecated; the default of MariaDB 10.11 may still be latin1",
    convention: Some("tables and columns keep text in narrow character sets"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let own = table.collation.as_ref().and_then(|collation| of_collation(collation.as_str()));
        let texts: Vec<(&Column, &str)> =
            table.columns.iter().filter_map(|column| Some((column, charset_of(table, column)?))).collect();
        if texts.is_empty() {
            continue;
        }
        findings.examined(1);
        let default = own.filter(|set| is_narrow(set) && texts.iter().any(|(_, used)| used == set));
        if let Some(set) = default {
            let number = texts.iter().filter(|(_, used)| *used == set).count();
            findings.add(
                Found::at(
                    ObjectRef::table(&table.name),
                    format!(
                        "`{}` keeps text as {set}, which lacks many letters and every emoji.",
                        table.name
                    ),
                )
                .evidence("columns", number)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
        for (column, set) in texts {
            if !is_narrow(set) || Some(set) == default || is_code(column.name.as_str()) {
                continue;
            }
            findings.examined(1);
            findings.add(
                Found::at(
                    ObjectRef::column(&table.name, &column.name),
                    format!(
                        "`{}.{}` keeps text as {set}, which lacks many letters and every emoji.",
                        table.name, column.name
                    ),
                )
                .remedy(Remedy::manual("Change the column to `utf8mb4`.")),
            );
        }
    }
}

/// The character set of a text column, where the catalog tells.
fn charset_of(table: &Table, column: &Column) -> Option<&'static str> {
    if !column.data_type.kind.is_text() {
        return None;
    }
    of_collation(column.collation.as_ref().or(table.collation.as_ref())?.as_str())
}
