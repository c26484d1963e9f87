use std::collections::BTreeMap;

use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::charset::{is_technical, of_collation};
use crate::{Context, Engines, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    engines: Engines::mysql_family("a database has one encoding"),
    when: "a table keeps text in another character set than most",
    then: "Comparing its texts with those of other tables converts one side, which then cannot use its index.",
    instead: "Bring all tables to one character set, `utf8mb4`.",
    source: "MySQL documentation: character set conversion in comparisons",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut tables: Vec<(&Table, &'static str)> = Vec::new();
    for table in context.own_tables() {
        let inherits = table.columns.iter().any(|c| c.data_type.kind.is_text() && c.collation.is_none());
        let set = table.collation.as_ref().and_then(|collation| of_collation(collation.as_str()));
        let own = table
            .columns
            .iter()
            .filter(|column| column.data_type.kind.is_text())
            .filter_map(|column| of_collation(column.collation.as_ref()?.as_str()))
            .any(|used| Some(used) == set);
        if let Some(set) = set.filter(|set| (inherits || own) && !is_technical(set)) {
            tables.push((table, set));
        }
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, set) in &tables {
        *counts.entry(set).or_default() += 1;
    }
    let Some((usual, number)) = counts.iter().max_by_key(|(_, number)| **number).map(|(set, n)| (*set, *n))
    else {
        return;
    };
    findings.examined(tables.len() as u64);
    // Without a majority there is no odd one out.
    if number * 2 <= tables.len() {
        return;
    }
    for (table, set) in tables.into_iter().filter(|(_, set)| *set != usual) {
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "`{}` keeps text as {set} while most tables use {usual}: comparing them converts and may miss indexes.",
                    table.name
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
