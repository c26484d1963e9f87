use std::collections::BTreeMap;

use dbwright_model::catalog::{Column, Table};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::join;
use dbwright_model::remedy::Remedy;

use crate::{Context, Findings, Found, Rule, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 3,
    when: "a list is spread over numbered columns",
    then: "The list has a hard end, a search must look into every column, and no constraint spans them.",
    instead: "Keep the list in a child table with one row for each entry.",
    source: "first normal form; lines of addresses, fixed cycles and single letters are left out",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// So many columns make a list.
const LEAST: usize = 3;

/// Stems that are numbered with reason: lines of an address, parts of a cycle, names with a number in them. Sorted.
const WITH_REASON: &[&str] = &[
    "addr",
    "address",
    "addressline",
    "adr",
    "base",
    "day",
    "dim",
    "dimension",
    "header",
    "hour",
    "ipv",
    "line",
    "md",
    "month",
    "quarter",
    "sha",
    "street",
    "streetaddress",
    "utf",
    "week",
    "year",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        findings.examined(1);
        for group in groups(table) {
            let rest_nullable = group.iter().skip(1).all(|column| !column.not_null);
            let names = join(group.iter().map(|column| &column.name));
            findings.add(
                Found::at(
                    ObjectRef::columns(&table.name, group.iter().map(|column| &column.name)),
                    format!(
                        "`{}` spreads a list over the columns {names}: it ends at {}.",
                        table.name,
                        group.len()
                    ),
                )
                .level(if rest_nullable { Level::Warning } else { Level::Note })
                .confidence(Confidence::Medium)
                .remedy(Remedy::manual(RULE.instead)),
            );
        }
    }
}

/// Columns that differ in a number only, counting up from one, of one type.
fn groups(table: &Table) -> Vec<Vec<&Column>> {
    let mut by_stem: BTreeMap<String, BTreeMap<u32, &Column>> = BTreeMap::new();
    for column in &table.columns {
        let Some((stem, number)) = numbered(column.name.as_str()) else { continue };
        by_stem.entry(stem).or_default().insert(number, column);
    }
    by_stem
        .into_iter()
        .filter(|(stem, columns)| {
            let words: String = stem.chars().filter(|c| c.is_alphanumeric()).collect();
            let consecutive = columns.keys().copied().eq(1..=columns.len() as u32);
            let mut types = columns.values();
            let first = types.next();
            let one_type = first.is_some_and(|first| {
                types.all(|next| reference::same_type(&first.data_type, &next.data_type))
            });
            let ends_with_reason = WITH_REASON.binary_search(&words.as_str()).is_ok()
                || ["line", "address", "addr", "street"].iter().any(|end| words.ends_with(end));
            columns.len() >= LEAST && consecutive && one_type && words.len() > 1 && !ends_with_reason
        })
        .map(|(_, columns)| columns.into_values().collect())
        .collect()
}

/// `phone_2_type` gives `phone_#_type` and 2: the last number in a name, and the name around it.
fn numbered(name: &str) -> Option<(String, u32)> {
    let lower = name.to_ascii_lowercase();
    let end = lower.rfind(|c: char| c.is_ascii_digit())? + 1;
    let before = lower[..end].trim_end_matches(|c: char| c.is_ascii_digit());
    let start = before.len();
    if before.is_empty() {
        return None;
    }
    let number = lower[start..end].parse().ok()?;
    Some((format!("{}#{}", &lower[..start], &lower[end..]), number))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::WITH_REASON.is_sorted());
    }
}
