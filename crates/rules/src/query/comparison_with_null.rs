use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{comparison, is_null};
use crate::query_scope::is_constant;
use crate::statements::{self, Read};
use crate::{Context, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Error,
    dimension: Dimension::Queries,
    weight: 6,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "a statement compares with `NULL` by `=`, `<>` or another comparison operator",
    then: "The comparison is true for no row.",
    instead: "Write `IS NULL` or `IS NOT NULL`.",
    source: "SQL standard, three-valued logic",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |_, read| {
        let tests: Vec<&Expr> = read.blocks.iter().flat_map(|block| block.tests()).collect();
        let Some(what) = tests.iter().find_map(|test| never_true(test)) else {
            tests.iter().for_each(|test| note_hidden(test, read));
            return None;
        };
        Some(
            statements::found(
                read.statement,
                format!("A condition on {} {what}, which is true for no row.", read.tables()),
            )
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn never_true(test: &Expr) -> Option<&'static str> {
    let mut found = None;
    test.walk(&mut |expr| {
        if let Some((op, left, right)) = comparison(expr)
            && ((is_null(left) && !is_constant(right)) || (is_null(right) && !is_constant(left)))
        {
            found = found.or(Some(match op {
                "=" | "==" => "is compared with `NULL` by `=`",
                _ => "is compared with `NULL` by an operator other than `IS`",
            }));
        }
        if let Expr::InList { list, negated: true, operand } = expr
            && !is_constant(operand)
            && list.iter().any(is_null)
        {
            found = found.or(Some("has a `NULL` in the list of `NOT IN`"));
        }
    });
    found
}

/// The statistics of servers replace `NULL` by a parameter like any other constant.
fn note_hidden(test: &Expr, read: &Read<'_>) {
    test.walk(&mut |expr| {
        if let Some((_, left, right)) = comparison(expr) {
            read.hides(left);
            read.hides(right);
        }
    });
}
