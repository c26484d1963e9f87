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

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1);
        let words = words(table.name.name.as_str());
        let [first, _, ..] = words.as_slice() else { continue };
        if TABLE.binary_search(&first.as_str()).is_err() {
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
