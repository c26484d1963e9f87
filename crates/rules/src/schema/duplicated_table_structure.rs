use std::collections::BTreeMap;

use dbwright_model::catalog::{Table, TableKind};
use dbwright_model::data_type::DataType;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::lexicon::words;
use crate::{Context, Findings, Found, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    weight: 2,
    when: "several tables have the same columns and names that differ in a number or a period only",
    then: "Queries over all of them need a union that grows with each new table, and no key holds across them.",
    instead: "Keep the rows in one table with a column for the period, partitioned by it where it is large.",
    source: "three or more members with equal columns and types; partitions and inheritance children do not count",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// So many tables make a family.
const LEAST: usize = 3;

/// Words for periods, sorted.
const PERIODS: &[&str] = &[
    "apr",
    "april",
    "aug",
    "august",
    "dec",
    "december",
    "feb",
    "february",
    "jan",
    "january",
    "jul",
    "july",
    "jun",
    "june",
    "mar",
    "march",
    "may",
    "nov",
    "november",
    "oct",
    "october",
    "q",
    "sep",
    "sept",
    "september",
    "y",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut families: BTreeMap<(&Name, String, Shape<'_>), Vec<&Table>> = BTreeMap::new();
    for table in context.own_tables() {
        if !table.inherits.is_empty() || table.kind != TableKind::Ordinary || table.columns.is_empty() {
            continue;
        }
        findings.examined(1);
        if let Some(stem) = without_period(table.name.name.as_str()) {
            families.entry((&table.name.schema, stem, shape(table))).or_default().push(table);
        }
    }
    for ((_, stem, _), tables) in families {
        if tables.len() < LEAST || is_taken_apart_by_inheritance(context, &tables) {
            continue;
        }
        let first = tables[0];
        let mut found = Found::at(
            ObjectRef::table(&first.name),
            format!(
                "{} tables named like `{}` have the same columns: each query over all `{stem}` needs a growing union.",
                tables.len(),
                first.name
            ),
        )
        .confidence(Confidence::Medium)
        .remedy(Remedy::manual(RULE.instead));
        for table in tables.iter().take(5) {
            found = found.evidence("table", &table.name);
        }
        findings.add(found);
    }
}

/// Whether children of the tables stand elsewhere: then they are roots of families of their own.
fn is_taken_apart_by_inheritance(context: &Context<'_>, tables: &[&Table]) -> bool {
    context
        .catalog()
        .tables
        .iter()
        .any(|table| table.inherits.iter().any(|parent| tables.iter().any(|member| member.name == *parent)))
}

type Shape<'a> = Vec<(&'a Name, String)>;

fn shape(table: &Table) -> Shape<'_> {
    let spelled = |data_type: &DataType| format!("{:?} {:?}", data_type.kind, data_type.array);
    let mut shape: Shape<'_> =
        table.columns.iter().map(|column| (&column.name, spelled(&column.data_type))).collect();
    shape.sort();
    shape
}

/// The words of a name without numbers and periods; `None` when it has none, or nothing else.
fn without_period(name: &str) -> Option<String> {
    let all = words(name);
    let has_number = all.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let rest: Vec<String> = all
        .into_iter()
        .filter(|word| {
            !word.starts_with(|c: char| c.is_ascii_digit()) && PERIODS.binary_search(&word.as_str()).is_err()
        })
        .collect();
    (has_number && !rest.is_empty()).then(|| rest.join(" "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::PERIODS.is_sorted());
    }
}
