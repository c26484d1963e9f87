use dbwright_model::finding::{Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "the name of a table says that it is a table",
    then: "The prefix tells nobody anything, and becomes untrue when a view takes the table's place.",
    instead: "Name the table after what its rows are.",
    source: "naming reviews: the kind of an object stands in the catalog and in each statement",
    convention: Some("table names say that they are tables"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Words that say "table", sorted.
const TABLE: &[&str] = &["table", "tb", "tbl"];

/// Whether the database itself is about tables, such as those of a restaurant.
fn is_about_tables(context: &Context<'_>) -> bool {
    let is_table = |word: &String| word == "table" || word == "tables";
    context.own_tables().any(|table| {
        let name = words(table.name.name.as_str());
        let things = name.iter().position(is_table).is_some_and(|at| at > 0 || name.len() == 1);
        things
            || table.columns.iter().any(|column| {
                let name = words(column.name.as_str());
                name.len() == 2
                    && is_table(&name[0])
                    && matches!(name[1].as_str(), "id" | "no" | "number" | "nr" | "size" | "seats")
            })
    })
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let furniture = is_about_tables(context);
    for table in context.own_tables() {
        findings.examined(1);
        let words = words(table.name.name.as_str());
        let [first, _, ..] = words.as_slice() else { continue };
        if TABLE.binary_search(&first.as_str()).is_err() || (first == "table" && furniture) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!("The name of `{}` says that it is a table, which every statement shows.", table.name),
            )
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
