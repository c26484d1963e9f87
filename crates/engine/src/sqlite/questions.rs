//! Questions about rows, each answered by counting over the whole table.

use dbwright_model::data_type::TypeKind;
use dbwright_model::facts::{DataAnswer, DataCount, DataQuestion};
use dbwright_model::name::{Name, QualifiedName};
use dbwright_model::observed::Observed;

use super::reader::{ReadError, Reader, quoted};

/// Examples of rows that answer with yes.
const EXAMPLES: usize = 5;
/// Distinct values given for [`DataQuestion::Values`].
const VALUES: usize = 20;

/// What is counted and what is shown of it.
struct Question {
    /// Gives `examined` and `matching`.
    count: String,
    /// Gives `example`.
    examples: String,
}

/// Answers one question.
pub(super) fn answer(reader: &Reader, question: DataQuestion) -> DataAnswer {
    let answer = match translate(&question) {
        Some(sql) => reader.observe(|| ask(reader, &sql)),
        None => Observed::Unsupported("SQLite has no way to read values as that type".to_owned()),
    };
    DataAnswer { question, answer }
}

fn ask(reader: &Reader, question: &Question) -> Result<DataCount, ReadError> {
    let mut count = DataCount::default();
    for row in reader.rows(&question.count, &[])? {
        count.examined = row.opt_count("examined")?.unwrap_or_default();
        count.matching = row.opt_count("matching")?.unwrap_or_default();
    }
    if count.matching > 0 {
        for row in reader.rows(&question.examples, &[])? {
            if let Some(example) = row.opt_text("example")? {
                count.examples.push(example.to_owned());
            }
        }
    }
    Ok(count)
}

fn table(table: &QualifiedName) -> String {
    // Only the main database is open.
    format!("main.{}", quoted(table.name.as_str()))
}

/// A column of the row called `t`; the qualifier keeps SQLite from taking an unknown name for a text.
fn column(name: &Name) -> String {
    format!("t.{}", quoted(name.as_str()))
}

/// A value as a short text.
fn shown(value: &str) -> String {
    format!(
        "substr(CASE typeof({value}) WHEN 'blob' THEN hex({value}) ELSE CAST({value} AS TEXT) END, 1, 80)"
    )
}

/// Several values as one short text.
fn shown_all(values: &[String]) -> String {
    let texts: Vec<String> =
        values.iter().map(|value| format!("coalesce({}, 'NULL')", shown(value))).collect();
    texts.join(" || ', ' || ")
}

/// Rows of `from` that are not null in `value`, those with `condition` matching.
fn rows(from: &str, value: &str, condition: &str) -> Question {
    Question {
        count: format!(
            "SELECT count(*) AS examined, count(CASE WHEN {condition} THEN 1 END) AS matching \
             FROM {from} AS t WHERE {value} IS NOT NULL"
        ),
        examples: format!(
            "SELECT DISTINCT {} AS example FROM {from} AS t WHERE {value} IS NOT NULL AND ({condition}) LIMIT {EXAMPLES}",
            shown(value)
        ),
    }
}

fn translate(question: &DataQuestion) -> Option<Question> {
    Some(match question {
        DataQuestion::Orphans { child, column: name, parent, parent_column } => {
            let value = column(name);
            // A list rather than a join, so that SQLite sorts the parents once where they have no index.
            let missing = format!(
                "{value} NOT IN (SELECT p.{key} FROM {parent} AS p WHERE p.{key} IS NOT NULL)",
                key = quoted(parent_column.as_str()),
                parent = table(parent),
            );
            rows(&table(child), &value, &missing)
        }
        DataQuestion::Dependency { table: of, determinant, dependent } => {
            if determinant.is_empty() {
                return None;
            }
            let keys: Vec<String> = determinant.iter().map(column).collect();
            let known: Vec<String> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
            let value = column(dependent);
            // A null beside a value differs as well.
            let differs = format!("count(DISTINCT {value}) + max({value} IS NULL) > 1");
            let group =
                format!("FROM {} AS t WHERE {} GROUP BY {}", table(of), known.join(" AND "), keys.join(", "));
            Question {
                count: format!(
                    "SELECT count(*) AS examined, sum(g.differs) AS matching FROM (SELECT {differs} AS differs {group}) AS g"
                ),
                examples: format!(
                    "SELECT {} AS example {group} HAVING {differs} LIMIT {EXAMPLES}",
                    shown_all(&keys)
                ),
            }
        }
        DataQuestion::ListValues { table: of, column: name } => {
            let value = column(name);
            rows(&table(of), &value, &reads_as_list(&value))
        }
        DataQuestion::ParsesAs { table: of, column: name, kind } => {
            let value = column(name);
            rows(&table(of), &value, &reads_as(&value, *kind)?)
        }
        DataQuestion::Nulls { table: of, column: name } => {
            let value = column(name);
            Question {
                count: format!(
                    "SELECT count(*) AS examined, count(*) - count({value}) AS matching FROM {} AS t",
                    table(of)
                ),
                // Nothing is to be seen of a null.
                examples: "SELECT NULL AS example WHERE FALSE".to_owned(),
            }
        }
        DataQuestion::Duplicates { table: of, columns } => {
            if columns.is_empty() {
                return None;
            }
            let keys: Vec<String> = columns.iter().map(column).collect();
            // Unique constraints take rows with nulls as different.
            let known: Vec<String> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
            let group =
                format!("FROM {} AS t WHERE {} GROUP BY {}", table(of), known.join(" AND "), keys.join(", "));
            Question {
                count: format!(
                    "SELECT count(*) AS examined, sum(g.several) AS matching \
                     FROM (SELECT count(*) > 1 AS several {group}) AS g"
                ),
                examples: format!(
                    "SELECT {} AS example {group} HAVING count(*) > 1 LIMIT {EXAMPLES}",
                    shown_all(&keys)
                ),
            }
        }
        DataQuestion::Values { table: of, column: name } => {
            let value = column(name);
            let from = table(of);
            Question {
                count: format!(
                    "SELECT count({value}) AS examined, count(DISTINCT {value}) AS matching FROM {from} AS t"
                ),
                examples: format!(
                    "SELECT {} AS example FROM {from} AS t WHERE {value} IS NOT NULL \
                     GROUP BY {value} ORDER BY count(*) DESC, {value} LIMIT {VALUES}",
                    shown(&value)
                ),
            }
        }
    })
}

/// Several short parts between separators. Prose has more blanks than separators, and JSON its own brackets.
fn reads_as_list(value: &str) -> String {
    let without = |text: &str, what: &str| format!("replace({text}, '{what}', '')");
    let bare = without(&without(&without(value, ","), ";"), "|");
    let separators = format!("(length({value}) - length({bare}))");
    let blanks = format!("(length({value}) - length({}))", without(value, " "));
    format!(
        "typeof({value}) = 'text' AND {separators} > 0 AND {blanks} <= {separators} \
         AND length({bare}) > 0 AND {value} NOT GLOB '[[{{]*'"
    )
}

/// Whether a value reads as a type; `None` for types that SQLite cannot try.
fn reads_as(value: &str, kind: TypeKind) -> Option<String> {
    // JSON's numbers have no leading zeros and blanks, so nothing is lost when they become numbers.
    let number = |types: &str| {
        format!("CASE WHEN json_valid({value}) THEN json_type({value}) IN ({types}) ELSE FALSE END")
    };
    Some(match kind {
        TypeKind::TinyInt
        | TypeKind::SmallInt
        | TypeKind::MediumInt
        | TypeKind::Integer
        | TypeKind::BigInt => number("'integer'"),
        TypeKind::Decimal | TypeKind::Real | TypeKind::Double => number("'integer', 'real'"),
        TypeKind::Json | TypeKind::Jsonb => number("'object', 'array'"),
        TypeKind::Boolean => {
            format!("lower({value}) IN ('0', '1', 't', 'f', 'true', 'false', 'y', 'n', 'yes', 'no')")
        }
        TypeKind::Date => format!("{value} GLOB '????-??-??' AND date({value}) = {value}"),
        TypeKind::Timestamp | TypeKind::TimestampTz => format!(
            "{value} GLOB '????-??-??[ T]??:??*' AND datetime({value}) IS NOT NULL \
             AND date(substr({value}, 1, 10)) = substr({value}, 1, 10)"
        ),
        TypeKind::Time => format!("{value} GLOB '[0-2][0-9]:[0-5][0-9]*' AND time({value}) IS NOT NULL"),
        TypeKind::Uuid => {
            let groups = [8, 4, 4, 4, 12].map(|length| "[0-9a-fA-F]".repeat(length));
            format!("{value} GLOB '{}'", groups.join("-"))
        }
        _ => return None,
    })
}
