use dbwright_model::catalog::Table;
use dbwright_model::data_type::TypeKind;
use dbwright_model::expression::Expr;
use dbwright_model::facts::Fact;
use dbwright_model::finding::Level;
use dbwright_model::remedy::Remedy;
use dbwright_model::score::Dimension;

use crate::query_scope::{Block, Names, Role};
use crate::statements;
use crate::{Context, Findings, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Queries,
    weight: 1,
    needs: &[Fact::Catalog, Fact::Workload],
    when: "`*` fetches every column of a table that is wide or keeps large values",
    then: "Large values are fetched and sent although the caller seldom needs them all, and no index can answer alone.",
    instead: "Name the columns that are needed.",
    options: &[OptionSpec {
        name: "columns",
        default: OptionValue::Number(30.0),
        help: "columns from which a table is wide",
    }],
    source: "common review finding, kept to tables where it costs something",
    convention: Some("statements fetch every column of a wide table"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    statements::each(context, findings, |names, read| {
        let (table, why) = read.blocks.iter().find_map(|block| everything(context, names, block))?;
        Some(
            statements::found(
                read.statement,
                format!("`*` fetches every column of `{}`, which {why}.", table.name),
            )
            .evidence("columns", table.columns.len())
            .remedy(Remedy::manual(RULE.instead)),
        )
    });
}

fn everything<'a>(
    context: &Context<'_>,
    names: &Names<'a>,
    block: &Block<'a>,
) -> Option<(&'a Table, String)> {
    // Below `EXISTS` the list means nothing, and a derived table passes on only what is asked of it.
    if !matches!(block.role, Role::Top | Role::Branch | Role::Inserted) {
        return None;
    }
    let stars = block.select?.items.iter().filter_map(|item| match &item.expr {
        Expr::Wildcard { qualifier } => Some(qualifier),
        _ => None,
    });
    stars.into_iter().find_map(|qualifier| {
        block
            .sources()
            .iter()
            .filter(|bound| {
                qualifier.last().is_none_or(|wanted| bound.name.is_some_and(|own| names.same(own, wanted)))
            })
            .filter_map(|bound| bound.table())
            .find_map(|table| Some((table, costly(context, table)?)))
    })
}

fn costly(context: &Context<'_>, table: &Table) -> Option<String> {
    let large = table.columns.iter().find(|column| {
        matches!(column.data_type.kind, TypeKind::Json | TypeKind::Jsonb | TypeKind::Xml)
            || (column.data_type.kind == TypeKind::Bytes
                && column.data_type.length.is_none_or(|length| length > 255))
    });
    if let Some(column) = large {
        return Some(format!("keeps large values in `{}`", column.name));
    }
    let many = table.columns.len() as f64 >= context.number("columns");
    many.then(|| format!("has {} columns", table.columns.len()))
}
