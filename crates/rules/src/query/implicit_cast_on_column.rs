use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{comparison, is_indexed, number};
use crate::query_scope::{Block, Names, Resolved};
use crate::statements;
use crate::{Context, Engines, Findings, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Warning,
    dimension: Dimension::Queries,
    weight: 5,
    needs: &[Fact::Catalog, Fact::Workload],
    engines: Engines::mysql_family("it compares such values as text or refuses the comparison"),
    when: "a text column is compared with a number",
    then: "Each value is turned into a floating-point number: no index is used, and '5', '05' and '5 apples' are all equal to 5.",
    instead: "Write the number as a string.",
    source: "MySQL documentation, type conversion in expression evaluation",
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let column = read.blocks.iter().find_map(|block| converted(names, block))?;
        let indexed = is_indexed(column.table, &column.column.name);
        let and = if indexed { " and its index is not used" } else { "" };
        Some(
            statements::found(
                read.statement,
                format!(
                    "The text column `{}.{}` is compared with a number: '5 apples' equals 5{and}.",
                    column.table.name, column.column.name
                ),
            )
            .evidence("type", &column.column.data_type.text)
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn converted<'a>(names: &Names<'a>, block: &Block<'a>) -> Option<Resolved<'a>> {
    let mut found = None;
    for test in block.tests() {
        test.walk(&mut |expr| {
            let operand = match expr {
                Expr::InList { operand, list, .. } if list.iter().any(|member| number(member).is_some()) => {
                    operand.as_ref()
                }
                _ => match comparison(expr) {
                    Some((_, left, right)) if number(right).is_some() => left,
                    Some((_, left, right)) if number(left).is_some() => right,
                    _ => return,
                },
            };
            let column = block.resolve(names, operand);
            found = found.or(column.filter(|column| column.column.data_type.kind.is_text()));
        });
    }
    found
}
