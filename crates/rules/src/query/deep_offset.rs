use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level};
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{is_small, number};
use crate::statements;
use crate::{Context, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "a statement skips many rows with `OFFSET`",
    then: "All skipped rows are read and sorted first, so that each page costs more than the one before.",
    instead: "Continue after the last row seen: keep its sort key and a unique key, and ask for what follows.",
    options: &[
        OptionSpec {
            name: "rows",
            default: OptionValue::Number(1_000.0),
            help: "skipped rows that are tolerated",
        },
        OptionSpec {
            name: "milliseconds",
            default: OptionValue::Number(50.0),
            help: "mean time in ms from which an offset given as a parameter counts as deep",
        },
    ],
    source: "executed rewrites; the rows before the offset are produced and thrown away",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let depth = read.blocks.iter().find_map(|block| {
            let query = block.query?;
            let offset = query.offset.as_ref()?;
            let small = block
                .sources()
                .iter()
                .filter_map(|bound| bound.table())
                .any(|table| is_small(context, table, context.number("rows")));
            if query.order_by.is_empty() || small {
                return None;
            }
            match number(offset) {
                Some(rows) if rows >= context.number("rows") => Some(Depth::Rows(rows)),
                None if matches!(offset, Expr::Parameter(_)) => {
                    let limit = context.number("milliseconds");
                    if read.statement.mean_ms.is_some_and(|mean| mean >= limit) {
                        return Some(Depth::Parameter);
                    }
                    // Where even the longest call was quick, no page was deep enough to matter.
                    if read.statement.max_ms.is_none_or(|longest| longest >= limit) {
                        read.hides(offset);
                    }
                    None
                }
                _ => None,
            }
        })?;
        let found = match depth {
            Depth::Rows(rows) => statements::found(
                read.statement,
                format!("{rows:.0} rows of {} are read and thrown away by `OFFSET`.", read.tables()),
            ),
            Depth::Parameter => statements::found(
                read.statement,
                format!(
                    "{} is paged with `OFFSET` and slow: skipped rows are read each time.",
                    read.tables()
                ),
            )
            .confidence(Confidence::Low),
        };
        Some(found.remedy(Remedy::manual(RULE.instead)))
    });
}

enum Depth {
    Rows(f64),
    Parameter,
}
