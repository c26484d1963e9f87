use dbwright_model::catalog::{Index, Table};
use dbwright_model::data_type::TypeKind;
use dbwright_model::engine::Dialect;
use dbwright_model::facts::Fact;
use dbwright_model::finding::{Confidence, Level, ObjectRef};
use dbwright_model::name::Name;
use dbwright_model::remedy::{Applicability, Remedy};
use dbwright_model::score::Dimension;
use dbwright_model::stats::ColumnStatistics;

use crate::index_shape::{holds_a_promise, serves_foreign_key};
use crate::{Context, Findings, Found, OptionSpec, OptionValue, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    level: Level::Note,
    dimension: Dimension::Indexing,
    weight: 1,
    wants: &[Fact::TableStatistics],
    raised_by: &[Fact::ColumnStatistics],
    when: "an index stands on one column that holds only a few different values, none of them rare",
    then: "A look-up returns so much of the table that reading all of it is as fast.",
    instead: "Index the rare value alone with a partial index, or put the column behind one that selects.",
    remedy: Applicability::Manual,
    options: &[
        OptionSpec {
            name: "values",
            default: OptionValue::Number(4.0),
            help: "different values up to which a column counts as having few",
        },
        OptionSpec {
            name: "rare_percent",
            default: OptionValue::Number(10.0),
            help: "share of the rows in per cent below which a value is rare enough for an index",
        },
        OptionSpec {
            name: "rows",
            default: OptionValue::Number(10_000.0),
            help: "rows from which a table is looked at, where its size is known",
        },
    ],
    source: "planners prefer a full scan from about a tenth of the rows on",
    convention: Some("single-column indexes are on columns with few values"),
    check,
    ..Rule::DEFAULT
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for table in context.own_tables() {
        let rows = context.statistics_of(&table.name).and_then(|statistics| statistics.rows);
        for index in &table.indexes {
            if !index.valid || !index.is_btree() || index.predicate.is_some() || !index.include.is_empty() {
                continue;
            }
            let [part] = index.parts.as_slice() else { continue };
            let Some(column) = part.as_column() else { continue };
            if holds_a_promise(table, index) || serves_foreign_key(table, index) {
                continue;
            }
            let statistics = context.column_statistics_of(&table.name, column);
            let Some(verdict) = judge(context, table, column, statistics) else { continue };
            findings.examined(1);
            let small = rows.is_some_and(|rows| (rows as f64) < context.number("rows"));
            if let (Verdict::Few(evidence), false) = (verdict, small) {
                findings.add(found(context, table, index, column, evidence));
            }
        }
    }
}

/// What the values of a column say of an index on it.
enum Verdict {
    /// Few different values, none of them rare.
    Few(String),
    /// Many values, or a rare one that an index finds quickly.
    Selective,
}

/// `None` when nothing is known of the column's values.
fn judge(
    context: &Context<'_>,
    table: &Table,
    column: &Name,
    statistics: Option<&ColumnStatistics>,
) -> Option<Verdict> {
    let Some(statistics) = statistics else {
        let boolean = table.column(column.as_str())?.data_type.kind == TypeKind::Boolean;
        return boolean.then(|| Verdict::Few("two, by its type".to_owned()));
    };
    let few = statistics.distinct >= 1.0 && statistics.distinct <= context.number("values");
    if !few {
        return Some(Verdict::Selective);
    }
    if statistics.common_frequencies.is_empty() {
        return None;
    }
    let rarest = statistics.common_frequencies.iter().copied().fold(f64::INFINITY, f64::min);
    // Values beyond the most common ones, and nulls, can be what the index is for.
    let rest = 1.0 - statistics.null_fraction - statistics.common_frequencies.iter().sum::<f64>();
    let all_seen = statistics.common_frequencies.len() as f64 >= statistics.distinct && rest < 0.01;
    let rare = context.number("rare_percent") / 100.0;
    let null_is_rare = statistics.null_fraction > 0.0 && statistics.null_fraction < rare;
    if !all_seen || rarest < rare || null_is_rare {
        return Some(Verdict::Selective);
    }
    Some(Verdict::Few(format!(
        "{:.0}, the rarest in {:.0} % of the rows",
        statistics.distinct,
        100.0 * rarest
    )))
}

fn found(context: &Context<'_>, table: &Table, index: &Index, column: &Name, values: String) -> Found {
    let measured = context.column_statistics_of(&table.name, column).is_some();
    let instead = match context.engine().dialect() {
        Dialect::Mysql => "Put the column behind one that selects in a composite index, or drop the index.",
        _ => RULE.instead,
    };
    Found::at(
        ObjectRef::index(&table.name, &index.name),
        format!(
            "`{}` indexes `{}.{column}`, which holds few different values, so that a look-up reads much of the table.",
            index.name, table.name
        ),
    )
    .evidence("different values", values)
    .confidence(if measured { Confidence::High } else { Confidence::Low })
    .remedy(Remedy::manual(instead))
}
