//! Questions about rows as SQL.

use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataCount, DataQuestion};
use dbwright_model::name::{Name, QualifiedName};

use super::wire::quoted;
use crate::row::{DecodeError, Row};

/// The statement that answers a question: columns `examined`, `matching`, and a statement of examples.
pub(super) fn sql(question: &DataQuestion) -> Option<(String, Option<String>)> {
    Some(match question {
        DataQuestion::Orphans { child, column, parent, parent_column } => {
            let (c, p) = (id(column), id(parent_column));
            let from = format!(
                "FROM {} c LEFT JOIN {} p ON p.{p} = c.{c} WHERE c.{c} IS NOT NULL",
                table(child),
                table(parent)
            );
            (
                format!("SELECT COUNT(*) AS examined, COALESCE(SUM(p.{p} IS NULL), 0) AS matching {from}"),
                Some(format!(
                    "SELECT DISTINCT CAST(c.{c} AS CHAR) AS example {from} AND p.{p} IS NULL LIMIT 5"
                )),
            )
        }
        DataQuestion::Dependency { table: of, determinant, dependent } => {
            let keys = list(determinant);
            let groups = format!(
                "SELECT COUNT(DISTINCT {d}) + MAX({d} IS NULL) AS values_found FROM {t} GROUP BY {keys}",
                d = id(dependent),
                t = table(of)
            );
            (
                format!(
                    "SELECT COUNT(*) AS examined, COALESCE(SUM(values_found > 1), 0) AS matching FROM ({groups}) g"
                ),
                None,
            )
        }
        DataQuestion::ListValues { table: of, column } => {
            let matching = format!("{} REGEXP '^[^,;|]+([,;|][^,;|]+)+$'", id(column));
            tested(of, column, &matching)
        }
        DataQuestion::ParsesAs { table: of, column, kind } => {
            let pattern = match kind {
                kind if kind.is_integer() => "^-?[0-9]{1,19}$",
                kind if kind.is_numeric() => "^-?[0-9]+(\\\\.[0-9]+)?([eE][-+]?[0-9]+)?$",
                TypeKind::Boolean => "^(0|1|t|f|true|false|yes|no|y|n|on|off)$",
                TypeKind::Date => "^[0-9]{4}-[01][0-9]-[0-3][0-9]$",
                TypeKind::Timestamp | TypeKind::TimestampTz => {
                    "^[0-9]{4}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9]"
                }
                TypeKind::Uuid => "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$",
                TypeKind::Json | TypeKind::Jsonb => {
                    return Some(tested(of, column, &format!("JSON_VALID({})", id(column))));
                }
                _ => return None,
            };
            tested(of, column, &format!("{} REGEXP '{pattern}'", id(column)))
        }
        DataQuestion::Nulls { table: of, column } => (
            format!(
                "SELECT COUNT(*) AS examined, COALESCE(SUM({} IS NULL), 0) AS matching FROM {}",
                id(column),
                table(of)
            ),
            None,
        ),
        DataQuestion::Duplicates { table: of, columns } => {
            let keys = list(columns);
            let present: Vec<_> =
                columns.iter().map(|column| format!("{} IS NOT NULL", id(column))).collect();
            let groups = format!(
                "SELECT COUNT(*) AS rows_found FROM {} WHERE {} GROUP BY {keys}",
                table(of),
                present.join(" AND ")
            );
            (
                format!(
                    "SELECT COUNT(*) AS examined, COALESCE(SUM(rows_found > 1), 0) AS matching FROM ({groups}) g"
                ),
                None,
            )
        }
        DataQuestion::Values { table: of, column } => {
            let c = id(column);
            (
                format!("SELECT COUNT({c}) AS examined, COUNT(DISTINCT {c}) AS matching FROM {}", table(of)),
                Some(format!(
                    "SELECT CAST({c} AS CHAR) AS example FROM {} WHERE {c} IS NOT NULL GROUP BY {c} \
                     ORDER BY COUNT(*) DESC, {c} LIMIT 20",
                    table(of)
                )),
            )
        }
    })
}

/// Counts and examples of the non-null values of a column that pass a test.
fn tested(of: &QualifiedName, column: &Name, test: &str) -> (String, Option<String>) {
    let (c, t) = (id(column), table(of));
    (
        format!("SELECT COUNT({c}) AS examined, COALESCE(SUM({test}), 0) AS matching FROM {t}"),
        Some(format!("SELECT DISTINCT CAST({c} AS CHAR) AS example FROM {t} WHERE {test} LIMIT 5")),
    )
}

/// The answer out of the two results.
pub(super) fn answer(counts: &[Row], examples: &[Row]) -> Result<DataCount, DecodeError> {
    let mut made = DataCount::default();
    if let Some(row) = counts.first() {
        made.examined = row.opt_count("examined")?.unwrap_or(0);
        made.matching = row.opt_count("matching")?.unwrap_or(0);
    }
    for row in examples {
        made.examples.extend(row.opt_text("example")?.map(str::to_owned));
    }
    Ok(made)
}

fn id(name: &Name) -> String {
    quoted(name.as_str())
}

fn list(names: &[Name]) -> String {
    names.iter().map(id).collect::<Vec<_>>().join(", ")
}

/// A table for SQL text.
pub(super) fn table(name: &QualifiedName) -> String {
    if name.schema.is_empty() { id(&name.name) } else { format!("{}.{}", id(&name.schema), id(&name.name)) }
}
