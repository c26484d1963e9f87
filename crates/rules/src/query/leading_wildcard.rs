use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::{Expr, Literal};
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::name::Name;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::predicates::{found_by_index, is_small};
use crate::query_scope::{Block, Names, Resolved};
use crate::statements::{self, Read};
use crate::{Context, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 2,
    needs: &[Fact::Catalog, Fact::Workload],
    wants: &[Fact::TableStatistics],
    when: "a pattern begins with a wildcard and no index for such searches exists",
    then: "Every row is read and compared.",
    instead: "Search by the beginning, or create a trigram or full-text index.",
    options: &[OptionSpec {
        name: "rows",
        default: OptionValue::Number(10_000.0),
        help: "rows below which a table is too small to matter, where its size is known",
    }],
    source: "documentation of all four servers",
    reads_names: true,
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let column = read.blocks.iter().find_map(|block| searched(context, names, read, block))?;
        Some(
            statements::found(
                read.statement,
                format!(
                    "A pattern for `{}.{}` begins with a wildcard, so that every row is read and compared.",
                    column.table.name, column.column.name
                ),
            )
            .evidence_if("rows", context.statistics_of(&column.table.name).and_then(|known| known.rows))
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn searched<'a>(
    context: &Context<'_>,
    names: &Names<'a>,
    read: &Read<'a>,
    block: &Block<'a>,
) -> Option<Resolved<'a>> {
    block.conditions().into_iter().find_map(|term| {
        let Expr::Like { op, operand, pattern, negated: false } = term else { return None };
        let known = match pattern.without_casts() {
            Expr::Literal(Literal::String(pattern)) => Some(pattern),
            Expr::Parameter(_) => None,
            _ => return None,
        };
        let harmless = known.is_some_and(|pattern| !pattern.starts_with('%') || pattern.len() < 2);
        if harmless || !matches!(op.as_str(), "LIKE" | "ILIKE") {
            return None;
        }
        let column = block.resolve(names, operand.without_casts())?;
        let searchable = column.table.indexes.iter().any(|index| {
            !index.is_btree()
                && *index.method.as_str() != *"hash"
                && index
                    .parts
                    .iter()
                    .any(|part| part.as_column().is_none_or(|own: &Name| *own == column.column.name))
        });
        let short = column.column.data_type.kind == TypeKind::Enum;
        let quiet = searchable
            || short
            || found_by_index(block, names, column.source)
            || is_small(context, column.table, context.number("rows"));
        if quiet {
            return None;
        }
        if known.is_none() {
            read.hides(pattern);
            return None;
        }
        Some(column)
    })
}
