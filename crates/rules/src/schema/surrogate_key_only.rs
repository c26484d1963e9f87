use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::columns::{ANY_UUID, default_calls, in_foreign_key, is_join_table, is_numbered, single_key};
use crate::lexicon::columns::is_log_table;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "nothing but a generated key tells the rows of a table apart",
    then: "The same thing can be stored twice, and no constraint notices.",
    instead: "Add a unique constraint over the columns by which people tell the rows apart.",
    in_prisma: Some("add `@@unique([...])` over these fields"),
    source: "base rates of seven public schemas: a quarter to two thirds of their tables, so it is a convention",
    convention: Some("tables have nothing unique but a generated key"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let Some(column) = single_key(table) else { continue };
        if !(is_numbered(column) || default_calls(column, ANY_UUID)) || in_foreign_key(table, &column.name) {
            continue;
        }
        if is_log_table(table.name.name.as_str()) || describing(table) < 2 {
            continue;
        }
        findings.examined(1);
        let key = &column.name;
        let unique = |own: Option<Vec<&_>>| own.is_none_or(|own| own != [key]);
        let told_apart = !table.exclusions.is_empty()
            || table.uniques.iter().any(|unique| unique.columns != [key.clone()])
            || table.indexes.iter().any(|index| index.unique && unique(index.columns()));
        if told_apart {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "Only the generated key tells the rows of `{}` apart, so duplicates go unnoticed.",
                    table.name
                ),
            )
            .confidence(Confidence::Low)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

/// How many columns describe the row itself: neither keys, nor times, nor truth values. A table that only ties others
/// together has none.
fn describing(table: &Table) -> usize {
    if is_join_table(table) {
        return 2;
    }
    let own = |column: &&dbwright_model::catalog::Column| {
        !is_numbered(column)
            && !column.data_type.kind.is_temporal()
            && !crate::columns::in_primary_key(table, &column.name)
    };
    table.columns.iter().filter(own).count()
}
