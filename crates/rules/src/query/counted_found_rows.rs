use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    engines: Engines::mysql_family("no other server knows the words"),
    when: "a statement counts all rows with `SQL_CALC_FOUND_ROWS`",
    then: "`LIMIT` no longer ends the search: every row is read, sorted and counted to show a few. MySQL has deprecated it.",
    instead: "Ask for the page, and count in a statement of its own or not at all.",
    source: "MySQL 8.0.17: deprecated; its manual recommends two statements",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        counts(&read.statement.text).then(|| {
            statements::found(
                read.statement,
                "`SQL_CALC_FOUND_ROWS` has the server read all rows, although only some are wanted.",
            )
            .remedy(Remedy::manual(RULE.instead))
        })
    });
}

/// Whether the words stand among those that may follow `SELECT`.
fn counts(text: &str) -> bool {
    let mut words =
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    words.any(|word| word.eq_ignore_ascii_case("select"))
        && words
            .take_while(|word| MODIFIERS.iter().any(|modifier| modifier.eq_ignore_ascii_case(word)))
            .any(|word| word.eq_ignore_ascii_case("sql_calc_found_rows"))
}

/// Words between `SELECT` and its list.
const MODIFIERS: &[&str] = &[
    "all",
    "distinct",
    "distinctrow",
    "high_priority",
    "sql_big_result",
    "sql_buffer_result",
    "sql_cache",
    "sql_calc_found_rows",
    "sql_no_cache",
    "sql_small_result",
    "straight_join",
];
