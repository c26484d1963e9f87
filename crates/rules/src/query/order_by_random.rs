use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::is_small;
use crate::statements;
use crate::{Context, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "rows are drawn by sorting a whole table in random order",
    then: "Every row is read, given a number and sorted to return a few.",
    instead: "Draw keys at random, or take a sample with `TABLESAMPLE` where the server has it.",
    options: &[OptionSpec {
        name: "rows",
        default: OptionValue::Number(1_000.0),
        help: "rows below which a table is too small to matter, where its size is known",
    }],
    source: "common review finding",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let table = read.blocks.iter().find_map(|block| {
            let query = block.query?;
            query.limit.as_ref()?;
            let random = query.order_by.first().is_some_and(|key| is_random(&key.expr));
            let table = block.sources().iter().find_map(|bound| bound.table())?;
            (random && !is_small(context, table, context.number("rows"))).then_some(table)
        })?;
        Some(
            statements::found(
                read.statement,
                format!("Rows of `{}` are all sorted in random order to draw a few.", table.name),
            )
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn is_random(expr: &Expr) -> bool {
    matches!(expr.without_casts(), Expr::Call(call)
        if matches!(call.function(), "random" | "rand" | "uuid" | "gen_random_uuid" | "uuid_generate_v4" | "randomblob"))
}
