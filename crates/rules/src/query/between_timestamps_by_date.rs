use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::{Expr, Literal};
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
    weight: 4,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "a column with a time of day is tested with `BETWEEN` and a bare date as the upper bound",
    then: "The date stands for its first instant, so that the rest of the last day is left out.",
    instead: "Write `>=` the first day and `<` the day after the last.",
    source: "executed on data: 4 rows instead of 7 for a week; PostgreSQL wiki, Don't Do This",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        read.blocks.iter().find_map(|block| {
            let mut ranges = Vec::new();
            for test in block.tests() {
                test.walk(&mut |expr| {
                    if let Expr::Between { operand, high, .. } = expr {
                        ranges.push((operand.as_ref(), high.as_ref()));
                    }
                });
            }
            ranges.into_iter().find_map(|(operand, high)| {
                let column = block.resolve(names, operand)?;
                let timed = matches!(column.column.data_type.kind, TypeKind::Timestamp | TypeKind::TimestampTz);
                if !timed || read.hides(high) || !is_day(high) {
                    return None;
                }
                Some(
                    statements::found(
                        read.statement,
                        format!(
                            "`BETWEEN` with a date as its end leaves out all but the first instant of that day in `{}.{}`.",
                            column.table.name, column.column.name
                        ),
                    )
                    .confidence(Confidence::Medium)
                    .remedy(Remedy::manual(RULE.instead)),
                )
            })
        })
    });
}

/// Whether an expression is a date without a time: `'2020-01-31'`, `DATE '2020-01-31'`, `'2020-01-31'::date`. Dates in
/// the far future stand for "no end" and lose nothing.
fn is_day(expr: &Expr) -> bool {
    let text = match expr {
        Expr::Cast { operand, to } if to == "date" || to.starts_with("timestamp") => return is_day(operand),
        Expr::Literal(Literal::String(text)) => text.as_str(),
        Expr::Literal(Literal::Other(text)) => match text.split_once('\'') {
            Some((kind, rest)) if kind.trim().eq_ignore_ascii_case("date") => rest.trim_end_matches('\''),
            _ => return false,
        },
        _ => return false,
    };
    let parts: Vec<&str> = text.trim().split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|c| c.is_ascii_digit());
    digits(year, 4) && digits(month, 2) && digits(day, 2) && *year < "2090"
}
