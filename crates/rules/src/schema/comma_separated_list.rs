use dbwright_model::catalog::{Column, Table};
use dbwright_model::facts::{DataCount, DataQuestion, Fact};
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::remedy::Remedy;

use crate::lexicon::{plural, table_role, words};
use crate::{Context, Findings, Found, Rule, keys, reference};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    weight: 4,
    needs: &[Fact::Catalog, Fact::Data],
    when: "the values of a text column are lists joined by commas, semicolons or bars",
    then: "One entry can neither be searched by an index, nor checked, nor changed without rewriting the list.",
    instead: "Keep the entries in a child table, or in an array or JSON column where they are only shown.",
    source: "first normal form; a fifth of the values must be lists of short entries that come back in other rows",
    questions: Some(questions),
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

/// Share of values that must be lists.
const LISTS: f64 = 0.2;

/// Fewer lists prove nothing.
const LEAST_LISTS: u64 = 20;

/// Distinct entries among all entries: above it hardly an entry comes back, as in prose.
const MOST_DISTINCT: f64 = 0.5;

/// Last words of columns with prose, names and machine text, where commas are no separators. Sorted.
const PROSE: &[&str] = &[
    "address",
    "agent",
    "bio",
    "biography",
    "body",
    "caption",
    "comment",
    "comments",
    "content",
    "contents",
    "css",
    "description",
    "details",
    "directions",
    "headers",
    "html",
    "instructions",
    "json",
    "location",
    "message",
    "name",
    "names",
    "note",
    "notes",
    "params",
    "path",
    "query",
    "reason",
    "remarks",
    "settings",
    "sql",
    "subject",
    "summary",
    "terms",
    "text",
    "title",
    "url",
    "words",
    "xml",
    "yaml",
];

/// Last words of columns that hold lists although they are singular, sorted.
const LISTS_BY_NAME: &[&str] = &["cc", "bcc", "csv", "list"];

fn is_candidate(table: &Table, column: &Column) -> bool {
    let words = words(column.name.as_str());
    let last = words.last().map_or("", String::as_str);
    let long_enough = column.data_type.length.is_none_or(|length| length >= 20);
    column.data_type.kind.is_text()
        && !column.data_type.array
        && long_enough
        && column.generated.is_none()
        && (plural::is_plural(last) == Some(true) || LISTS_BY_NAME.contains(&last))
        && PROSE.binary_search(&last).is_err()
        && !reference::has_foreign_key(table, &column.name)
        && !keys::refuses_duplicates(table, &[&column.name])
}

fn candidates<'a>(context: &Context<'a>) -> Vec<(&'a Table, &'a Column, DataQuestion)> {
    let mut candidates = Vec::new();
    for table in context.own_tables().filter(|table| !table_role::is_passing(table)) {
        for column in table.columns.iter().filter(|column| is_candidate(table, column)) {
            let question =
                DataQuestion::ListValues { table: table.name.clone(), column: column.name.clone() };
            candidates.push((table, column, question));
        }
    }
    candidates
}

fn questions(context: &Context<'_>) -> Vec<DataQuestion> {
    candidates(context).into_iter().map(|(_, _, question)| question).collect()
}

fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut unanswered = None;
    for (table, column, question) in candidates(context) {
        let answer = context.data().iter().find(|answer| answer.question == question);
        let Some(count) = answer.and_then(|answer| answer.answer.known()) else {
            unanswered = Some(format!("`{}.{}` could not be counted", table.name, column.name));
            continue;
        };
        findings.examined(1);
        if !holds_lists(count) {
            continue;
        }
        let mut found = Found::at(
            ObjectRef::column(&table.name, &column.name),
            format!(
                "{} of {} values of `{}.{}` are joined lists, so single entries cannot be searched or checked.",
                count.matching, count.examined, table.name, column.name
            ),
        )
        .confidence(Confidence::Medium)
        .traced()
        .evidence_if("entries", count.rows)
        .evidence_if("different entries", count.distinct);
        for example in count.examples.iter().take(3) {
            found = found.evidence("for example", example);
        }
        findings.add(found.remedy(Remedy::manual(RULE.instead)));
    }
    if let Some(because) = unanswered {
        findings.unknown(because);
    }
}

/// Whether enough values are lists, of entries that come back. Without the number of entries nothing is claimed.
fn holds_lists(count: &DataCount) -> bool {
    let comes_back = count
        .rows
        .zip(count.distinct)
        .is_some_and(|(all, distinct)| (distinct as f64) <= MOST_DISTINCT * all as f64);
    count.matching >= LEAST_LISTS && count.matching as f64 >= LISTS * count.examined as f64 && comes_back
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_sorted_for_the_search() {
        assert!(super::PROSE.is_sorted());
    }
}
