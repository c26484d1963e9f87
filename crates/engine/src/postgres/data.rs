//! Questions about rows, counted by the server over whole tables.

use std::time::Duration;

use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataAnswer, DataCount, DataQuestion};
use dbwright_model::name::Name;
use dbwright_model::observed::Observed;

use super::statements::{quote, quote_qualified};
use super::wire::{Trouble, Wire};
use crate::row::{DecodeError, Row};

/// Examples shown of one answer.
const EXAMPLES: usize = 5;
/// Distinct values shown of one column.
const VALUES: usize = 50;

/// Asks one question.
pub(super) async fn answer(wire: &mut Wire, question: &DataQuestion, timeout: Duration) -> DataAnswer {
    let Some(sql) = statement(question) else {
        let because = "PostgreSQL has no test for values of that type".to_owned();
        return DataAnswer { question: question.clone(), answer: Observed::Unsupported(because) };
    };
    let mut count = DataCount::default();
    let mut decode = |row: &Row| -> Result<(), DecodeError> {
        count = DataCount {
            examined: row.opt_count("examined")?.unwrap_or(0),
            matching: row.opt_count("matching")?.unwrap_or(0),
            examples: row.texts("examples")?.into_iter().map(str::to_owned).collect(),
            ..DataCount::default()
        };
        Ok(())
    };
    let outcome = wire.ask("data", &sql, &mut decode).await;
    let answer = match outcome {
        Ok(()) => Observed::Known(count),
        Err(Trouble::Server(error)) if error.code == "42501" => {
            Observed::Denied(format!("{}: grant `SELECT` on the table", error.message))
        }
        Err(trouble) => trouble.observed(&Name::DEFAULT, timeout).map(|()| DataCount::default()),
    };
    DataAnswer { question: question.clone(), answer }
}

/// A statement that gives one row: examined, matching, examples.
fn statement(question: &DataQuestion) -> Option<String> {
    Some(match question {
        DataQuestion::Orphans { child, column, parent, parent_column } => {
            let (c, p) = (quote(column), quote(parent_column));
            tested(
                &format!(
                    "select c.{c} as v, not exists (select from {} p where p.{p} = c.{c}) as hit \
                          from {} c where c.{c} is not null",
                    quote_qualified(parent),
                    quote_qualified(child)
                ),
                "v::text",
            )
        }
        DataQuestion::Dependency { table, determinant, dependent } => {
            let keys: Vec<String> = determinant.iter().map(quote).collect();
            let keys = keys.join(", ");
            let d = quote(dependent);
            tested(
                &format!(
                    "select row({keys})::text as v, \
                     count(distinct {d}) + (count(*) > count({d}) and count({d}) > 0)::int > 1 as hit \
                     from {} group by {keys}",
                    quote_qualified(table)
                ),
                "v",
            )
        }
        DataQuestion::ListValues { table, column } => {
            let c = quote(column);
            tested(
                &format!(
                    "select {c}::text as v, \
                     {c}::text ~ '^\\s*[^\\s,;|]+(\\s*[,;|]\\s*[^\\s,;|]+)+\\s*$' as hit \
                     from {} where {c} is not null",
                    quote_qualified(table)
                ),
                "v",
            )
        }
        DataQuestion::ParsesAs { table, column, kind } => {
            let c = quote(column);
            tested(
                &format!(
                    "select {c}::text as v, {c}::text ~* '{}' as hit from {} where {c} is not null",
                    pattern(*kind)?,
                    quote_qualified(table)
                ),
                "v",
            )
        }
        DataQuestion::Nulls { table, column } => format!(
            "select count(*) as examined, count(*) filter (where {c} is null) as matching, \
             null::text[] as examples from {t}",
            c = quote(column),
            t = quote_qualified(table)
        ),
        DataQuestion::Duplicates { table, columns } => {
            let keys: Vec<String> = columns.iter().map(quote).collect();
            let keys = keys.join(", ");
            tested(
                &format!(
                    "select row({keys})::text as v, count(*) > 1 as hit from {} group by {keys}",
                    quote_qualified(table)
                ),
                "v",
            )
        }
        DataQuestion::Values { table, column } => format!(
            "with g as (select {c}::text as v, count(*) as n from {t} where {c} is not null group by 1) \
             select (select coalesce(sum(n), 0)::int8 from g) as examined, (select count(*) from g) as matching, \
             (select array_agg(v order by n desc, v) from (select v, n from g order by n desc, v limit {VALUES}) x) \
             as examples",
            c = quote(column),
            t = quote_qualified(table)
        ),
    })
}

/// Counts the hits of an inner query and gives a few of them.
fn tested(inner: &str, example: &str) -> String {
    format!(
        "with x as ({inner}) \
         select (select count(*) from x) as examined, (select count(*) from x where hit) as matching, \
         (select array_agg(v) from (select distinct left({example}, 200) as v from x where hit order by 1 \
         limit {EXAMPLES}) e) as examples"
    )
}

/// What text of a type looks like.
fn pattern(kind: TypeKind) -> Option<&'static str> {
    Some(match kind {
        TypeKind::Boolean => "^\\s*(true|false|yes|no|on|off|t|f|y|n|0|1)\\s*$",
        TypeKind::TinyInt
        | TypeKind::SmallInt
        | TypeKind::MediumInt
        | TypeKind::Integer
        | TypeKind::BigInt => "^\\s*[-+]?[0-9]{1,18}\\s*$",
        TypeKind::Decimal | TypeKind::Real | TypeKind::Double | TypeKind::Money => {
            "^\\s*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)(e[-+]?[0-9]+)?\\s*$"
        }
        TypeKind::Date => "^\\s*[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\\s*$",
        TypeKind::Time | TypeKind::TimeTz => {
            "^\\s*([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?\\s*$"
        }
        TypeKind::Timestamp | TypeKind::TimestampTz => {
            "^\\s*[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?\\s*(Z|[-+][0-9]{2}(:?[0-9]{2})?)?\\s*$"
        }
        TypeKind::Uuid => "^\\s*[{]?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}[}]?\\s*$",
        TypeKind::Json | TypeKind::Jsonb => "^\\s*([{].*[}]|\\[.*\\])\\s*$",
        TypeKind::Inet | TypeKind::Cidr => "^\\s*[0-9]{1,3}([.][0-9]{1,3}){3}(/[0-9]{1,2})?\\s*$",
        _ => return None,
    })
}
