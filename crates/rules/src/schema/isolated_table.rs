use std::collections::BTreeSet;

use dbwright_model::catalog::{Persistence, Table};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::QualifiedName;
use dbwright_model::remedy::Remedy;

use crate::lexicon::{table_role, words};
use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table neither refers to another table nor is referred to, while nearly all others do",
    then: "What the rows have to do with the rest stands in the application only.",
    instead: "Declare how the table hangs together with the others, or drop it if it is a left-over.",
    source: "in the seven public schemas measured, isolated tables were lookups, logs, settings or left-overs",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Share of tables with a foreign key in or out above which relations are the habit of the schema.
const HABIT: f64 = 0.7;

/// Below so many tables there is no habit.
const LEAST_TABLES: usize = 8;

/// Words of tables that stand alone with reason, sorted.
const ALONE: &[&str] = &[
    "calendar",
    "config",
    "configs",
    "configuration",
    "configurations",
    "constants",
    "counter",
    "counters",
    "dates",
    "feature",
    "features",
    "flag",
    "flags",
    "health",
    "heartbeat",
    "holiday",
    "holidays",
    "lookup",
    "lookups",
    "meta",
    "metadata",
    "option",
    "options",
    "parameter",
    "parameters",
    "preference",
    "preferences",
    "properties",
    "property",
    "sequence",
    "sequences",
    "setting",
    "settings",
    "template",
    "templates",
    "translation",
    "translations",
    "version",
    "versions",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables: Vec<&Table> = context.own_tables().collect();
    let mut related: BTreeSet<&QualifiedName> = BTreeSet::new();
    for table in &tables {
        for foreign_key in &table.foreign_keys {
            related.insert(&table.name);
            related.insert(&foreign_key.references);
        }
        related.extend(&table.inherits);
        if !table.inherits.is_empty() {
            related.insert(&table.name);
        }
    }
    if tables.len() < LEAST_TABLES || (related.len() as f64) < HABIT * tables.len() as f64 {
        findings.not_applicable("foreign keys are not the habit of this schema");
        return;
    }
    // A reference that only lacks its foreign key is told by another rule.
    for guess in reference::guesses(&tables) {
        related.insert(&guess.table.name);
        related.insert(&guess.parent.name);
    }
    for table in tables {
        findings.examined(1);
        if related.contains(&table.name) || stands_alone(table) {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` has no relation to any other table, so what its rows belong to is not known here.",
                    table.name
                ),
            )
            .confidence(Confidence::Low)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}

fn stands_alone(table: &Table) -> bool {
    let polymorphic = table.columns.iter().any(|column| reference::discriminator(table, column).is_some());
    table.persistence != Persistence::Permanent
        || table_role::is_record(table)
        || table_role::is_passing(table)
        || polymorphic
        || table.columns.len() < 4
        || words(table.name.name.as_str()).iter().any(|word| ALONE.binary_search(&word.as_str()).is_ok())
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::ALONE.is_sorted());
    }
}
