//! Columns that may follow from others, chosen by names and keys, and what counting the rows says about them.
//!
//! A miner of dependencies prints hundreds of lines for a dozen small tables; nearly all of them follow from keys or
//! hold by chance. So only pairs that make sense are asked about, and copies that were kept on purpose are left out.

use dbwright_model::catalog::{Column, Table};
use dbwright_model::facts::{DataAnswer, DataCount, DataQuestion, Fact};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;

use crate::lexicon::{plural::singular, table_role, words};
use crate::{Context, Findings, Found, keys, reference};

/// A column that may follow from another.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The table.
    pub table: &'a Table,
    /// The column that should determine.
    pub determinant: &'a Column,
    /// The column that should follow.
    pub dependent: &'a Column,
}

/// Fewer groups of equal determinants prove nothing.
const LEAST_GROUPS: u64 = 20;

/// Share of the rows that must stand in groups of two or more.
const LEAST_GROUPED: f64 = 0.3;

/// Share of rows that may contradict a dependency that is meant to hold.
const MOST_CONTRADICTIONS: f64 = 0.01;

/// Natural logarithm of the chance below which agreement is no accident: one in a million.
const NO_ACCIDENT: f64 = -13.8;

/// Words of codes that places follow from, sorted.
const PLACE_CODES: &[&str] = &["plz", "postal", "postcode", "zip", "zipcode"];

/// Words of places, sorted.
const PLACES: &[&str] = &["city", "county", "municipality", "place", "province", "region", "state", "town"];

/// Last words of columns that describe, sorted.
const DESCRIPTIVE: &[&str] = &[
    "category",
    "city",
    "class",
    "color",
    "country",
    "department",
    "description",
    "email",
    "family",
    "group",
    "kind",
    "label",
    "name",
    "phone",
    "region",
    "state",
    "title",
    "type",
    "url",
];

/// First words of times that say when the row was made or what a person's life is like, not when something happened.
/// Sorted.
const NO_EVENT: &[&str] = &[
    "archived",
    "birth",
    "born",
    "changed",
    "created",
    "deactivated",
    "deleted",
    "expires",
    "hire",
    "hired",
    "inserted",
    "joined",
    "last",
    "left",
    "modified",
    "removed",
    "updated",
    "valid",
];

impl Candidate<'_> {
    /// What is asked about it.
    pub fn question(&self) -> DataQuestion {
        DataQuestion::Dependency {
            table: self.table.name.clone(),
            determinant: vec![self.determinant.name.clone()],
            dependent: self.dependent.name.clone(),
        }
    }
}

/// Columns outside the key that may follow from a column of a composite key.
pub fn partial<'a>(context: &Context<'a>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for table in context.own_tables().filter(|table| is_judged(table)) {
        let Some(key) = table.primary_key.as_ref().filter(|key| key.columns.len() > 1) else { continue };
        for determinant in key.columns.iter().filter_map(|name| table.column(name.as_str())) {
            if !keys::refuses_duplicates(table, &[&determinant.name]) {
                candidates.extend(dependents(context, table, determinant, &key.columns));
            }
        }
    }
    candidates
}

/// Columns outside the key that may follow from another such column.
pub fn transitive<'a>(context: &Context<'a>) -> Vec<Candidate<'a>> {
    let mut candidates = Vec::new();
    for table in context.own_tables().filter(|table| is_judged(table)) {
        let key: &[Name] = table.primary_key.as_ref().map_or(&[], |key| &key.columns);
        for determinant in &table.columns {
            let is_key = key.contains(&determinant.name);
            if !is_key
                && !keys::refuses_duplicates(table, &[&determinant.name])
                && is_unlike_key(context, table, determinant)
            {
                candidates.extend(dependents(context, table, determinant, key));
            }
        }
    }
    candidates
}

fn is_judged(table: &Table) -> bool {
    !table_role::is_record(table) && !table_role::is_passing(table)
}

/// Whether values come back in several rows, as far as statistics know.
fn is_unlike_key(context: &Context<'_>, table: &Table, column: &Column) -> bool {
    context.column_statistics_of(&table.name, &column.name).is_none_or(|known| known.distinct > -0.9)
}

fn dependents<'a>(
    context: &Context<'a>,
    table: &'a Table,
    determinant: &'a Column,
    key: &[Name],
) -> Vec<Candidate<'a>> {
    let constant = |column: &Column| {
        context.column_statistics_of(&table.name, &column.name).is_some_and(|known| known.distinct == 1.0)
    };
    table
        .columns
        .iter()
        .filter(|dependent| {
            dependent.name != determinant.name
                && !key.contains(&dependent.name)
                && dependent.generated.is_none()
                && !reference::has_foreign_key(table, &dependent.name)
                && !keys::refuses_duplicates(table, &[&dependent.name])
                && makes_sense(determinant, dependent)
                && !constant(dependent)
                && !is_snapshot(context, table, dependent)
        })
        .map(|dependent| Candidate { table, determinant, dependent })
        .collect()
}

/// Whether a reader of the names would expect one column to follow from the other: `product_id` and `product_name`,
/// `airline_code` and `airline_title`, `ship_zip` and `ship_city`.
fn makes_sense(determinant: &Column, dependent: &Column) -> bool {
    let (from, to) = (words(determinant.name.as_str()), words(dependent.name.as_str()));
    let (Some(last), true) = (to.last(), dependent.data_type.kind.is_text()) else { return false };
    let in_list = |list: &[&str], word: &String| list.binary_search(&word.as_str()).is_ok();
    if is_place_code(determinant) {
        let prefix: Vec<&String> = from.iter().take_while(|word| !in_list(PLACE_CODES, word)).collect();
        return in_list(PLACES, last) && to[..to.len() - 1].iter().eq(prefix);
    }
    let is_code = from.last().is_some_and(|last| last == "code");
    let (base, key_word) = reference::base(&from);
    let stem: Vec<String> = base.iter().map(|word| singular(word)).collect();
    (is_code || key_word.is_some())
        && !stem.is_empty()
        && to.len() > stem.len()
        && to.iter().zip(&stem).all(|(word, stem)| singular(word) == *stem)
        && in_list(DESCRIPTIVE, last)
}

fn is_place_code(column: &Column) -> bool {
    words(column.name.as_str()).iter().any(|word| PLACE_CODES.binary_search(&word.as_str()).is_ok())
}

/// Whether the copy was kept on purpose: the parent has the same column, and the row says when something happened, so
/// that it keeps what was true then.
fn is_snapshot(context: &Context<'_>, table: &Table, dependent: &Column) -> bool {
    let parents: Vec<&Table> =
        table.foreign_keys.iter().filter_map(|foreign_key| context.table(&foreign_key.references)).collect();
    let event = is_event(table) || parents.iter().any(|parent| is_event(parent));
    let to = words(dependent.name.as_str());
    let holds = |parent: &&Table| {
        parent.columns.iter().any(|column| {
            let name = words(column.name.as_str());
            !name.is_empty() && to.ends_with(&name)
        })
    };
    event && parents.iter().any(holds)
}

fn is_event(table: &Table) -> bool {
    table.columns.iter().any(|column| {
        let name = words(column.name.as_str());
        column.data_type.kind.is_temporal()
            && name.first().is_some_and(|first| NO_EVENT.binary_search(&first.as_str()).is_err())
    })
}

/// What the rows say about a candidate.
enum Verdict {
    Holds,
    Contradicted { rows: Option<u64> },
    No,
}

fn verdict(count: &DataCount) -> Verdict {
    let (Some(rows), Some(grouped), Some(share)) = (count.rows, count.grouped_rows, count.largest_share)
    else {
        return Verdict::No;
    };
    let enough = count.examined >= LEAST_GROUPS && grouped as f64 >= LEAST_GROUPED * rows as f64;
    // Each further row of a group agrees by accident no more often than the most common value stands anywhere.
    let further = grouped.saturating_sub(count.examined) as f64;
    let accident = share >= 1.0 || further * share.max(1e-9).ln() > NO_ACCIDENT;
    if !enough || accident || count.distinct.is_some_and(|distinct| distinct < 2) {
        return Verdict::No;
    }
    if count.matching == 0 {
        return Verdict::Holds;
    }
    let contradicting = match count.minority_rows {
        Some(minority) => minority as f64 / grouped.max(1) as f64,
        None => count.matching as f64 / count.examined.max(1) as f64,
    };
    if contradicting <= MOST_CONTRADICTIONS {
        Verdict::Contradicted { rows: count.minority_rows }
    } else {
        Verdict::No
    }
}

/// Judges the answers about some candidates. `instead` is what to do.
pub fn judge(
    context: &Context<'_>,
    candidates: Vec<Candidate<'_>>,
    instead: &'static str,
    findings: &mut Findings,
) {
    let mut unanswered = None;
    for candidate in candidates {
        let (table, from, to) = (candidate.table, &candidate.determinant.name, &candidate.dependent.name);
        let question = candidate.question();
        let answer: Option<&DataAnswer> = context.data().iter().find(|answer| answer.question == question);
        let Some(count) = answer.and_then(|answer| answer.answer.known()) else {
            unanswered =
                Some(format!("whether `{}.{to}` follows from `{from}` could not be counted", table.name));
            continue;
        };
        findings.examined(1);
        let groups = count.examined;
        let (level, message) = match verdict(count) {
            Verdict::No => continue,
            // Nobody keeps cities apart from addresses for their codes' sake; only contradictions are worth reading.
            Verdict::Holds if is_place_code(candidate.determinant) => continue,
            Verdict::Holds => (
                Level::Note,
                format!(
                    "`{}.{to}` follows from `{from}` in all {groups} groups of rows, so one fact is stored many times.",
                    table.name
                ),
            ),
            Verdict::Contradicted { rows } => (
                Level::Warning,
                match rows {
                    Some(1) => format!(
                        "`{}.{to}` follows from `{from}` except in 1 row (in {} of {groups} groups), which looks wrong.",
                        table.name, count.matching
                    ),
                    Some(rows) => format!(
                        "`{}.{to}` follows from `{from}` except in {rows} rows (in {} of {groups} groups), which look wrong.",
                        table.name, count.matching
                    ),
                    None => format!(
                        "`{}.{to}` follows from `{from}` except in {} of {groups} groups, which look wrong.",
                        table.name, count.matching
                    ),
                },
            ),
        };
        let mut found = Found::at(ObjectRef::column(&table.name, to), message)
            .level(level)
            .confidence(Confidence::Medium)
            .traced()
            .evidence("groups of equal values", groups)
            .evidence_if("rows in them", count.grouped_rows)
            .evidence("groups that disagree", count.matching);
        for example in count.examples.iter().take(5) {
            found = found.evidence("disagreement", example);
        }
        findings.add(found.remedy(Remedy::manual(instead)));
    }
    if let Some(because) = unanswered {
        findings.unknown(because);
    }
}

/// What the rules about dependencies need.
pub const NEEDS: &[Fact] = &[Fact::Catalog, Fact::Data];

/// What makes them ask less.
pub const WANTS: &[Fact] = &[Fact::ColumnStatistics];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_for_the_search() {
        for list in [PLACE_CODES, PLACES, DESCRIPTIVE, NO_EVENT] {
            assert!(list.is_sorted(), "{list:?}");
        }
    }
}
