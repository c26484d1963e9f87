use dbwright_model::catalog::Persistence;
use dbwright_model::expression::DataStatement;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::statements;
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 3,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "an `UPDATE` or `DELETE` in a file, or one that a server runs repeatedly, has no `WHERE`",
    then: "It changes every row of the table in one transaction.",
    instead: "Add the condition; if all rows are meant, say `WHERE TRUE` and work in batches.",
    source: "common review finding",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        // What a server has run once is history. What it runs again and again will be run again.
        let again = read.statement.calls.is_some_and(|calls| calls > 1);
        if read.statement.location.is_none() && !again {
            return None;
        }
        let (word, name) = match read.parsed {
            DataStatement::Update { table, from, filter: None, .. } if from.is_empty() => ("UPDATE", table),
            DataStatement::Delete { table, from, filter: None, .. } if from.is_empty() => ("DELETE", table),
            _ => return None,
        };
        let table = names.table(name)?;
        // MySQL's `LIMIT` of such statements is not part of the tree.
        let limited = read.statement.text.split_whitespace().any(|word| word.eq_ignore_ascii_case("limit"));
        if limited || table.persistence == Persistence::Temporary || crate::lexicon::is_tool_table(table) {
            return None;
        }
        Some(
            statements::found(
                read.statement,
                format!("`{word}` without `WHERE` changes every row of `{}` in one transaction.", table.name),
            )
            .confidence(Confidence::Medium)
            .level(if again { Level::Note } else { RULE.level })
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}
