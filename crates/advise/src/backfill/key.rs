//! Which key orders the pieces, and how its values travel as text, so that they can be kept and bound again.

use dbwright_model::catalog::{Column, Index, IndexKey, Table};
use dbwright_model::data_type::{DataType, TypeKind};
use dbwright_model::engine::Dialect;
use dbwright_model::name::Name;

/// A column of the key that orders the pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: Name,
    /// Its name, quoted as the dialect needs it.
    pub quoted: String,
    /// How its values become text and back.
    pub carried: Carried,
}

/// How a value of a key becomes text and back without a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// PostgreSQL: every type has a text form; this is the type to return to.
    Postgres(String),
    /// MySQL: text as it is.
    Text,
    /// MySQL: by `CAST` to this type, so that numbers are not compared as floating point.
    Cast(String),
    /// MySQL: bytes as hexadecimal digits.
    Hex,
    /// SQLite: the kind of the value, which the column does not tell, stands in front as a letter.
    Sqlite,
}

/// SQLite's own key of tables that are not `WITHOUT ROWID`.
const ROWID: &str = "rowid";

/// The key that orders the pieces of a table: the one of exactly the `wanted` columns, otherwise the primary key or the
/// shortest unique one. Where there is none: the reason, one full sentence or several.
pub fn usable(
    dialect: Dialect,
    table: &Table,
    wanted: &[Name],
    quote: &dyn Fn(&Name) -> String,
) -> Result<Vec<KeyColumn>, String> {
    if let Some(unknown) =
        wanted.iter().find(|name| column(dialect, table, name).is_none() && !is_rowid(name))
    {
        return Err(format!("`{}` has no column `{unknown}`.", table.name));
    }
    let mut against = Vec::new();
    let mut found: Vec<(usize, Vec<KeyColumn>)> = Vec::new();
    for (rank, candidate) in candidates(table).into_iter().enumerate() {
        if !wanted.is_empty() && !same_columns(dialect, &candidate.columns, wanted) {
            continue;
        }
        match key_columns(dialect, table, &candidate, quote) {
            Ok(key) => found.push((if candidate.primary { 0 } else { key.len() * 1000 + rank }, key)),
            Err(because) => against.push(format!("{}: {because}", candidate.name)),
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    if let Some((_, key)) = found.into_iter().next() {
        return Ok(key);
    }
    let shadowed = table.columns.iter().any(|column| is_rowid(&column.name));
    if dialect == Dialect::Sqlite && !table.without_rowid && !shadowed && wanted.iter().all(is_rowid) {
        return Ok(vec![KeyColumn {
            name: Name::new(ROWID),
            quoted: ROWID.to_owned(),
            carried: Carried::Sqlite,
        }]);
    }
    Err(refusal(table, wanted, &against))
}

fn refusal(table: &Table, wanted: &[Name], against: &[String]) -> String {
    let mut words = match wanted {
        [] => format!(
            "`{}` has no unique key of columns that hold no nulls, so its rows have no order.",
            table.name
        ),
        wanted => {
            let names: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
            format!("`{}` has no unique key of {} without nulls.", table.name, names.join(", "))
        }
    };
    if !against.is_empty() {
        words.push_str(&format!(" Not usable: {}.", against.join("; ")));
    }
    words
}

/// A unique key of a table.
struct Candidate {
    name: String,
    primary: bool,
    columns: Vec<Name>,
    against: Option<&'static str>,
}

fn candidates(table: &Table) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    if let Some(key) = &table.primary_key {
        candidates.push(Candidate {
            name: "the primary key".to_owned(),
            primary: true,
            columns: key.columns.clone(),
            against: key.without_overlaps.then_some("it is unique for a time only"),
        });
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        candidates.push(Candidate {
            name: format!("`{}`", index.name),
            primary: false,
            columns: index.parts.iter().filter_map(|part| part.as_column().cloned()).collect(),
            against: unusable(index),
        });
    }
    for key in &table.uniques {
        candidates.push(Candidate {
            name: key
                .name
                .as_ref()
                .map_or_else(|| "a unique constraint".to_owned(), |name| format!("`{name}`")),
            primary: false,
            columns: key.columns.clone(),
            against: key.without_overlaps.then_some("it is unique for a time only"),
        });
    }
    // A constraint and the index behind it are one key.
    let mut seen: Vec<Vec<Name>> = Vec::new();
    candidates.retain(|candidate| {
        let new = !seen.contains(&candidate.columns) || candidate.against.is_some();
        seen.push(candidate.columns.clone());
        new
    });
    candidates
}

/// Why an index orders nothing.
fn unusable(index: &Index) -> Option<&'static str> {
    if !index.valid {
        Some("it is not valid")
    } else if index.predicate.is_some() {
        Some("it covers only some rows")
    } else if index.parts.iter().any(|part| matches!(part.key, IndexKey::Expression(_))) {
        Some("it covers an expression")
    } else if index.parts.iter().any(|part| part.prefix.is_some()) {
        Some("it covers the beginning of a column only")
    } else if index.method != "btree" {
        Some("it knows no order")
    } else {
        None
    }
}

fn key_columns(
    dialect: Dialect,
    table: &Table,
    candidate: &Candidate,
    quote: &dyn Fn(&Name) -> String,
) -> Result<Vec<KeyColumn>, String> {
    if let Some(because) = candidate.against {
        return Err(because.to_owned());
    }
    if candidate.columns.is_empty() {
        return Err("it has no columns".to_owned());
    }
    let mut key = Vec::new();
    for name in &candidate.columns {
        let Some(column) = column(dialect, table, name) else {
            return Err(format!("`{name}` is not known"));
        };
        let is_rowid = dialect == Dialect::Sqlite
            && candidate.primary
            && candidate.columns.len() == 1
            && column.data_type.text.eq_ignore_case("integer");
        if !column.not_null && !is_rowid {
            return Err(format!("`{name}` may be null"));
        }
        let carried = carried(dialect, &column.data_type).map_err(|because| format!("`{name}` {because}"))?;
        key.push(KeyColumn { name: name.clone(), quoted: quote(name), carried });
    }
    Ok(key)
}

fn carried(dialect: Dialect, data_type: &DataType) -> Result<Carried, &'static str> {
    let cast = |to: &str| Ok(Carried::Cast(to.to_owned()));
    match dialect {
        Dialect::Postgres => Ok(Carried::Postgres(data_type.text.as_str().to_owned())),
        Dialect::Sqlite => Ok(Carried::Sqlite),
        Dialect::Mysql => match data_type.kind {
            kind if kind.is_integer() => cast(if data_type.unsigned { "unsigned" } else { "signed" }),
            TypeKind::Boolean => cast("signed"),
            TypeKind::Year | TypeKind::Bit => cast("unsigned"),
            TypeKind::Decimal => {
                let (digits, scale) = (data_type.length.unwrap_or(65), data_type.scale.unwrap_or(0));
                Ok(Carried::Cast(format!("decimal({digits}, {scale})")))
            }
            TypeKind::Date => cast("date"),
            TypeKind::Timestamp => cast("datetime(6)"),
            TypeKind::Time => cast("time(6)"),
            TypeKind::Char | TypeKind::Varchar | TypeKind::Text => Ok(Carried::Text),
            TypeKind::Bytes => Ok(Carried::Hex),
            TypeKind::Uuid => cast("uuid"),
            TypeKind::Real | TypeKind::Double => {
                Err("is a floating point number, which is compared inexactly")
            }
            TypeKind::TimestampTz => {
                Err("is a timestamp, which has no order in the hour in which clocks are put back")
            }
            TypeKind::Enum | TypeKind::Set => Err("is ordered by the positions of its members"),
            _ => Err("has a type whose values are not known to survive as text"),
        },
    }
}

fn column<'a>(dialect: Dialect, table: &'a Table, name: &Name) -> Option<&'a Column> {
    table.columns.iter().find(|column| same_name(dialect, &column.name, name))
}

fn same_name(dialect: Dialect, one: &Name, other: &Name) -> bool {
    match dialect {
        Dialect::Postgres => one == other,
        Dialect::Mysql | Dialect::Sqlite => one.eq_ignore_case(other.as_str()),
    }
}

fn same_columns(dialect: Dialect, one: &[Name], other: &[Name]) -> bool {
    let within = |name: &Name, all: &[Name]| all.iter().any(|member| same_name(dialect, name, member));
    one.len() == other.len() && one.iter().all(|name| within(name, other))
}

fn is_rowid(name: &Name) -> bool {
    name.eq_ignore_case(ROWID)
}

impl KeyColumn {
    /// An expression that is a value of the column, given by another expression, as text.
    pub fn read(&self, value: &str) -> String {
        match &self.carried {
            Carried::Postgres(_) => format!("{value}::text"),
            Carried::Text => value.to_owned(),
            Carried::Cast(to) if to == "unsigned" => format!("cast({value} + 0 as char)"),
            Carried::Cast(_) => format!("cast({value} as char)"),
            Carried::Hex => format!("hex({value})"),
            Carried::Sqlite => format!(
                "case typeof({value}) when 'integer' then 'i' || {value} \
                 when 'real' then 'r' || printf('%!.17g', {value}) when 'text' then 't' || {value} \
                 else 'b' || hex({value}) end"
            ),
        }
    }

    /// An expression that is the value again, given the placeholder that the text is bound to. PostgreSQL is told that
    /// the parameter is text.
    pub fn bound(&self, placeholder: &str) -> String {
        match &self.carried {
            Carried::Postgres(data_type) if data_type == "text" => placeholder.to_owned(),
            Carried::Postgres(data_type) => format!("{placeholder}::{data_type}"),
            Carried::Text => placeholder.to_owned(),
            Carried::Cast(to) => format!("cast({placeholder} as {to})"),
            Carried::Hex => format!("unhex({placeholder})"),
            Carried::Sqlite => format!(
                "case substr({placeholder}, 1, 1) when 'i' then cast(substr({placeholder}, 2) as integer) \
                 when 'r' then cast(substr({placeholder}, 2) as real) when 't' then substr({placeholder}, 2) \
                 else unhex(substr({placeholder}, 2)) end"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use dbwright_model::catalog::{IndexPart, Key};
    use dbwright_model::expression::Expression;
    use dbwright_model::name::QualifiedName;

    use super::*;

    fn table(columns: &[(&str, TypeKind, bool)]) -> Table {
        let columns = columns.iter().map(|(name, kind, not_null)| Column {
            name: Name::new(name),
            data_type: DataType {
                kind: *kind,
                text: Name::new(format!("{kind:?}").to_lowercase()),
                ..DataType::default()
            },
            not_null: *not_null,
            ..Column::default()
        });
        Table { name: QualifiedName::new("", "t"), columns: columns.collect(), ..Table::default() }
    }

    fn unique(name: &str, columns: &[&str]) -> Index {
        let part = |column: &&str| IndexPart {
            key: IndexKey::Column(Name::new(column)),
            descending: false,
            nulls_first: false,
            operator_class: None,
            collation: None,
            prefix: None,
        };
        Index {
            name: Name::new(name),
            unique: true,
            parts: columns.iter().map(part).collect(),
            ..Index::default()
        }
    }

    fn check(dialect: Dialect, table: &Table, wanted: &[&str], expected: Result<&str, &str>) {
        let wanted: Vec<Name> = wanted.iter().map(Name::new).collect();
        let found = usable(dialect, table, &wanted, &|name| name.to_string());
        let found =
            found.map(|key| key.iter().map(|column| column.quoted.clone()).collect::<Vec<_>>().join(","));
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn the_primary_key_orders_the_pieces_unless_another_is_wanted() {
        let mut t = table(&[
            ("id", TypeKind::BigInt, true),
            ("a", TypeKind::Text, true),
            ("b", TypeKind::Text, true),
        ]);
        t.indexes = vec![unique("t_a_b", &["a", "b"]), unique("t_b", &["b"])];
        check(Dialect::Postgres, &t, &[], Ok("b"));
        check(Dialect::Postgres, &t, &["b", "a"], Ok("a,b"));
        t.primary_key = Some(Key { columns: vec![Name::new("id")], ..Key::default() });
        check(Dialect::Postgres, &t, &[], Ok("id"));
        check(Dialect::Postgres, &t, &["b"], Ok("b"));
        check(Dialect::Postgres, &t, &["a"], Err("`t` has no unique key of `a` without nulls."));
        check(Dialect::Postgres, &t, &["c"], Err("`t` has no column `c`."));
    }

    #[test]
    fn a_table_without_a_usable_key_is_refused_with_the_reasons() {
        let mut t = table(&[
            ("a", TypeKind::Double, true),
            ("b", TypeKind::Text, false),
            ("c", TypeKind::Integer, true),
        ]);
        let partial = Index { predicate: Some(Expression::text("a > 0")), ..unique("t_c", &["c"]) };
        t.indexes = vec![unique("t_a", &["a"]), unique("t_b", &["b"]), partial];
        check(
            Dialect::Mysql,
            &t,
            &[],
            Err(
                "`t` has no unique key of columns that hold no nulls, so its rows have no order. Not usable: `t_a`: \
                 `a` is a floating point number, which is compared inexactly; `t_b`: `b` may be null; `t_c`: it covers \
                 only some rows.",
            ),
        );
        check(Dialect::Postgres, &t, &[], Ok("a"));
        // Its own number orders the rows of an ordinary table.
        t.indexes.remove(0);
        check(Dialect::Sqlite, &t, &[], Ok("rowid"));
        t.without_rowid = true;
        assert!(usable(Dialect::Sqlite, &t, &[], &|name| name.to_string()).is_err());
    }
}
