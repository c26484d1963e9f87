use dbwright_model::catalog::Table;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::{plural, words};
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 1,
    when: "a table's name is singular where nearly all are plural, or the other way round",
    then: "Nobody can know the name of a table without looking, and tools that derive names go wrong.",
    instead: "Rename the table like the others, with a view of the old name for as long as it is used.",
    in_prisma: Some("keep the names of models, and give those of the database with `@@map`"),
    source: "majority of the schema's own names: ten tables or more, four fifths of them alike",
    convention: Some("table names are singular among plurals, or plural among singulars"),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// So many names must show their number.
const LEAST: usize = 10;

/// Share of them that must agree.
const MAJORITY: f64 = 0.8;

fn check(context: &Context<'_>, findings: &mut Findings) {
    let tables: Vec<(&Table, bool)> = context
        .own_tables()
        .filter_map(|table| {
            let mut words = words(table.name.name.as_str());
            // In `terms_of_service` the number is that of the terms.
            if let Some(of) =
                words.iter().skip(1).position(|word| matches!(word.as_str(), "of" | "for" | "per"))
            {
                words.truncate(of + 1);
            }
            Some((table, plural::is_plural(words.last()?)?))
        })
        .collect();
    findings.examined(tables.len() as u64);
    let plurals = tables.iter().filter(|(_, plural)| *plural).count();
    let (usual, times) =
        if plurals * 2 >= tables.len() { (true, plurals) } else { (false, tables.len() - plurals) };
    if tables.len() < LEAST || (times as f64) < MAJORITY * tables.len() as f64 {
        return;
    }
    let word = |plural: bool| if plural { "plural" } else { "singular" };
    for (table, plural) in tables {
        if plural == usual {
            continue;
        }
        findings.add(
            Found::at(
                ObjectRef::table(&table.name),
                format!(
                    "The name of `{}` is {}, while those of {times} other tables are {}.",
                    table.name,
                    word(plural),
                    word(usual)
                ),
            )
            .confidence(Confidence::Medium)
            .remedy(Remedy::manual(RULE.instead)),
        );
    }
}
